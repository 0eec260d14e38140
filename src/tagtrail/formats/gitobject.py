"""Git's objects as bytes: an object's id is the hash of `TYPE SP SIZE NUL CONTENT` (gitformat, "loose objects").

A tag or commit is lines of `KEY SP VALUE` up to an empty line, then the message; a tree is `MODE SP NAME NUL ID` for
each member, sorted by name as if directories ended in `/`. Ids are SHA-1 (40 hex digits) or SHA-256 (64). Example:

    object 7d9b2a1cf1d7d2a3e9b2f3c0a9f0e1d2c3b4a5f6
    type commit
    tag 1.0.0
    tagger Jo <jo@example.org> 1700000000 +0000
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = [
    "DIRECTORY", "LINK", "MODULE", "Listed", "Member", "altered", "blob_id", "header", "object_id", "parse_listing",
    "parse_tree", "tag_name_fault", "time_of", "verified",
]  # fmt: skip

DIRECTORY, LINK, MODULE = 0o040000, 0o120000, 0o160000


@frozen
class Member:
    """One line of a tree. `mode` as git reads it: one of 100644, 100755, 120000, 040000, 160000 (octal)."""

    mode: int
    name: bytes
    id: str


def object_id(kind: str, content: bytes, digits: int = 40) -> str:
    """The id of an object, in as many hex digits (40: SHA-1, 64: SHA-256)."""
    return _id(kind, len(content), (content,), digits)


def altered(oid: str) -> TamperError:
    """An object has not the bytes that its id says."""
    return TamperError(f"object {oid} has other bytes than its id says", code="object-altered", hint="git fsck")


def blob_id(pieces: Iterable[bytes], size: int, digits: int = 40) -> str:
    """The id that a file of `size` bytes has as a blob."""
    return _id("blob", size, pieces, digits)


def _id(kind: str, size: int, pieces: Iterable[bytes], digits: int) -> str:
    start = b"%s %d\x00" % (kind.encode("ascii"), size)
    digest = hashlib.sha256(start) if digits == 64 else hashlib.sha1(start, usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def header(content: bytes, key: str) -> str:
    """The first header called `key` of a tag or commit, or an empty string."""
    head = content.split(b"\n\n", 1)[0]
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        if name == key.encode("ascii"):
            return value.decode("utf-8", "replace")
    return ""


def time_of(commit: bytes) -> int:
    """The committer's time in Unix seconds (0 where the line cannot be read: git reads it so too)."""
    found = re.search(r"> (\d{1,12})(?: [+-]\d+)?$", header(commit, "committer"), re.ASCII)
    return int(found[1]) if found else 0


def parse_tree(content: bytes, digits: int = 40) -> tuple[Member, ...]:
    """The members of a tree. Raises ValueError where the bytes are none."""
    members, at, raw = [], 0, digits // 2
    while at < len(content):
        space, end = content.index(b" ", at), content.index(b"\0", at)
        mode, name, at = int(content[at:space], 8), content[space + 1 : end], end + 1 + raw
        if at > len(content) or not name or b"/" in name or name in {b".", b"..", b".git"}:
            raise ValueError(f"not a tree: {name!r}")
        members.append(Member(mode=_canonical(mode), name=name, id=content[end + 1 : at].hex()))
    return tuple(members)


def _canonical(mode: int) -> int:
    """Old tools wrote other permission bits; git reads them all as these (`canon_mode`)."""
    kind = mode & 0o170000
    if kind == 0o100000:
        return 0o100755 if mode & 0o100 else 0o100644
    return kind if kind in {DIRECTORY, LINK} else MODULE


_FAULTS = (
    (r"^$", "it is empty"),
    (r"[\x00-\x20\x7f]", "it has a space or a control character"),
    (r"[~^:?*\[\\]", "it has one of ~ ^ : ? * [ \\"),
    (r"\.\.", "it has '..'"),
    (r"@\{|^@$", "it has '@{' or is '@'"),
    (r"^-", "it begins with '-'"),
    (r"^/|/$|//", "it has an empty part"),
    (r"(^|/)\.|\.$|\.(?=/)", "a part begins or ends with '.'"),
    (r"\.lock(/|$)", "a part ends with '.lock'"),
    (r"^refs/", "it is a full ref name: give the tag's short name"),
)


def tag_name_fault(name: str) -> str:
    """Why git would not take `name` as a tag's short name (git-check-ref-format), or an empty string."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not UTF-8"
    return next((why for pattern, why in _FAULTS if re.search(pattern, name)), "")


@frozen
class Listed:
    """One line of `git ls-tree -r -t`: `path` from the top, `/` between its parts (surrogateescape where not UTF-8)."""

    path: str
    mode: int
    id: str


def parse_listing(output: bytes) -> tuple[Listed, ...]:
    """`git ls-tree -r -t -z --full-tree`, sorted by the bytes of the paths. Raises ValueError."""
    found = []
    for line in output.split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        mode, _, oid = head.decode("ascii").split(" ")
        found.append(
            (path, Listed(path=path.decode("utf-8", "surrogateescape"), mode=_canonical(int(mode, 8)), id=oid))
        )
    return tuple(listed for _, listed in sorted(found, key=lambda pair: pair[0]))


def verified(
    commit: str, listing: Iterable[Listed], objects: Iterator[tuple[str, bytes]]
) -> Iterator[tuple[Listed, bytes]]:
    """Each listed member with its content (a submodule's is empty), all proven from the commit's id downwards.

    `objects` gives (type, content) of the commit, of its tree, then of each member but submodules, in the listing's
    order (parents before children). Raises ValueError where an object is not what its id says, or a tree is not what
    the listing says.
    """
    digits = len(commit)
    top = header(_proven(next(objects), "commit", commit), "tree")
    expected = _below("", _proven(next(objects), "tree", top), digits)
    for listed in listing:
        if expected.pop(listed.path, None) != (listed.mode, listed.id):
            raise ValueError(f"{listed.path} is not in the tree as listed")
        content = b""
        if listed.mode != MODULE:
            content = _proven(next(objects), "tree" if listed.mode == DIRECTORY else "blob", listed.id)
        if listed.mode == DIRECTORY:
            expected |= _below(f"{listed.path}/", content, digits)
        yield listed, content
    if expected:
        raise ValueError(f"{min(expected)} is in the tree and was not listed")


def _proven(found: tuple[str, bytes], kind: str, oid: str) -> bytes:
    if found[0] != kind or object_id(kind, found[1], len(oid)) != oid:
        raise ValueError(f"object {oid} is not the {kind} that its id says")
    return found[1]


def _below(prefix: str, tree: bytes, digits: int) -> dict[str, tuple[int, str]]:
    members = parse_tree(tree, digits)
    return {prefix + m.name.decode("utf-8", "surrogateescape"): (m.mode, m.id) for m in members}
