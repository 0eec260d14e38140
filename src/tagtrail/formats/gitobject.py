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
from dataclasses import dataclass

__all__ = ["Member", "header", "object_id", "parse_tree", "tag_name_fault", "time_of"]

DIRECTORY, LINK, MODULE = 0o040000, 0o120000, 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One line of a tree. `mode` as git reads it: one of 100644, 100755, 120000, 040000, 160000 (octal)."""

    mode: int
    name: bytes
    id: str


def object_id(kind: str, content: bytes, digits: int = 40) -> str:
    """The id of an object, in as many hex digits (40: SHA-1, 64: SHA-256)."""
    data = b"%s %d\x00" % (kind.encode("ascii"), len(content))
    if digits == 64:
        return hashlib.sha256(data + content).hexdigest()
    digest = hashlib.sha1(data, usedforsecurity=False)
    digest.update(content)
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
