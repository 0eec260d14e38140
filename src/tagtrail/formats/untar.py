"""A tar of somebody else's making, read strictly: its members in its order, and what would not be in normal form.

ustar, PAX and GNU headers are understood; of a PAX header those records that any archiver writes, and none that changes
a size or a character set. A header that cannot be read is a refusal, never an end, and nothing stands after the end.
What Python's tarfile, GNU tar and libarchive read in different ways is refused as `archive-ambiguous`:

    bytes of what is no file    they are skipped, or read as the next headers: a link, a directory, also one that is
                                only a name with a slash at its end
    a name said twice           a PAX header beside an `L` or another PAX header, a record twice, an empty name; a
                                prefix where a GNU header has other fields; bytes behind the end of an extension
    a target of what is no link in an extension: it becomes one

Raises ProjectError with the codes of `tagtrail.formats.archive`. Source: POSIX.1-2017, pax, "ustar Interchange Format"
and "pax Extended Header"; the GNU tar manual, "Basic Tar Format", for `L` and `K`.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import BinaryIO

from tagtrail.formats.archive import Kind, Limits, Member, refusal
from tagtrail.formats.unpacking import PIECE
from tagtrail.model.frozen import frozen

__all__ = ["Found", "found_in"]

_BLOCK = 512
_PAX_MOST = 1 << 20
_RECORDS_MOST = 100
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
_EXTENSIONS = {b"g": b"g", b"x": b"g", b"L": b"gK", b"K": b"gL"}
"""Types of headers that say something of the next member, each with those that may stand before it."""

_NUMBER = re.compile(rb"\0*| *[0-7]+[ \0]*")
_OWNER = re.compile(rb"[ \0]*| *[0-7]+[ \0]*|[\x80\xff].*", re.DOTALL)
_LENGTH = re.compile(rb"(\d{1,7}) ")
_OBEYED = re.compile(
    rb"size|hdrcharset|.*sparse.*|(GNU|SUN)\..*"
    rb"|(SCHILY|LIBARCHIVE)\.(?!xattr\.|acl\.|(dev|ino|nlink|fflags|creationtime)$).*",
    re.DOTALL,
)
"""Keys of PAX records by which one reader or another takes other bytes for a member's, or a member for another kind."""


@frozen
class Found:
    """A member as it stands in somebody's tar."""

    member: Member
    mode: int
    mtime: int
    owner: bytes
    extras: frozenset[str]

    def is_normal(self, epoch: int) -> bool:
        """Whether nothing in its header depends on where or when it was made (`tagtrail.formats.tarball`)."""
        plain = self.member.kind == "link" or self.mode in {0o644, 0o755}
        return plain and self.mtime in {0, epoch} and not self.owner and self.extras <= {"path", "linkpath"}


def found_in(spool: BinaryIO, limits: Limits) -> Iterator[Found]:
    """The members in the order of the tar, strictly: a header that cannot be read is a refusal, never an end."""
    extras: dict[str, str] = {}
    files: dict[str, Member] = {}
    before = b""
    at, count = 0, 0
    while (block := _at(spool, at, _BLOCK)) != bytes(_BLOCK):
        kind, size = _checked(block, at)
        at += _BLOCK
        count += kind not in b"xLK"
        if count > limits.members:
            raise refusal("size", f"the archive has more than {limits.members} members")
        if kind in _EXTENSIONS:
            if before.strip(_EXTENSIONS[kind]):
                raise refusal("ambiguous", f"the tar says twice what the member at byte {at} is called")
            extras |= _extras(kind, _extension(spool, at, size))
            before += kind
        else:
            found = _found(block, kind, size, at, extras, files)
            files |= {found.member.name: found.member} if found.member.kind == "file" else {}
            extras, before = {}, b""
            yield found
        at += size + -size % _BLOCK
    _check_end(spool, at)


def _at(spool: BinaryIO, at: int, size: int) -> bytes:
    spool.seek(at)
    data = spool.read(size)
    if len(data) != size:
        raise refusal("damaged", "the tar is cut off")
    return data


def _check_end(spool: BinaryIO, at: int) -> None:
    spool.seek(at)
    size = 0
    while piece := spool.read(PIECE):
        size += len(piece)
        if piece.strip(b"\0"):
            raise refusal("trailing", "the tar has bytes after its end")
    if size < 2 * _BLOCK:
        raise refusal("damaged", "the tar has no end")


def _checked(block: bytes, at: int) -> tuple[bytes, int]:
    """(type, size) of a header whose checksum is right, and whose numbers are some."""
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    if block[257:265] not in {_POSIX, _GNU} or _octal(block[148:156], "checksum") != total:
        raise refusal("damaged", f"the tar has no header at byte {at}")
    if block[257:265] == _GNU and block[345:].strip(b"\0"):
        raise refusal("ambiguous", f"the GNU header at byte {at} of the tar has what others read as a prefix")
    _check_owner(block[108:124] + block[329:345])
    _octal(block[100:108], "mode")
    _octal(block[136:148], "mtime")
    return block[156:157], _octal(block[124:136], "size")


@lru_cache
def _check_owner(numbers: bytes) -> None:
    """Owner, group and device, 8 bytes each: most are like those before."""
    for at in range(0, len(numbers), 8):
        if not _OWNER.fullmatch(numbers[at : at + 8]):
            raise refusal("damaged", f"the tar has an owner or a device that is no number: {numbers[at : at + 8]!r}")


@lru_cache
def _octal(field: bytes, name: str) -> int:
    if not _NUMBER.fullmatch(field):
        raise refusal("damaged", f"the tar has a {name} that is no octal number: {field!r}")
    return int(field.strip(b" \0") or b"0", 8)


def _extension(spool: BinaryIO, at: int, size: int) -> bytes:
    """What an extension header holds: some readers go on until a zero byte, so zero bytes follow."""
    if not 0 < size <= _PAX_MOST:
        raise refusal("damaged", "the tar has an empty or oversized PAX or GNU header")
    data = _at(spool, at, size + -size % _BLOCK)
    if data[size:].strip(b"\0"):
        raise refusal("ambiguous", f"the tar has bytes behind the end of the PAX or GNU header at byte {at}")
    return data[:size]


def _extras(kind: bytes, data: bytes) -> dict[str, str]:
    """What a PAX or GNU header says of the next member."""
    extras = _records(kind, data) if kind in b"xg" else {"path" if kind == b"L" else "linkpath": data.rstrip(b"\0")}
    if b"" in {extras.get("path"), extras.get("linkpath")}:
        raise refusal("ambiguous", "the tar has an empty name or target in a PAX or GNU header")
    return {key: _text(value) for key, value in extras.items()} | ({} if kind in b"xg" else {"gnu": ""})


def _records(kind: bytes, data: bytes) -> dict[str, bytes]:
    """The records of a PAX header."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        found = _LENGTH.match(data, at)
        end = at + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise refusal("damaged", "the tar has a PAX record that cannot be read")
        key, mark, value = data[found.end() : end - 1].partition(b"=")
        if not key or not mark or (kind == b"g" and key != b"comment") or _OBEYED.fullmatch(key):
            raise refusal("type", f"the tar has a PAX record {key!r}")
        if _text(key) in records:
            raise refusal("ambiguous", f"the tar has two PAX records {key!r} for one member")
        records[_text(key)] = value
        if len(records) > _RECORDS_MOST:
            raise refusal("size", f"the tar has more than {_RECORDS_MOST} PAX records for one member")
        at = end
    return records


def _found(block: bytes, kind: bytes, size: int, at: int, extras: dict[str, str], files: dict[str, Member]) -> Found:
    prefix = _until(block[345:500]) if block[257:265] == _POSIX else b""
    own = _until(block[:100])
    name = extras.get("path") or _text(_joined(prefix, own))
    target = extras.get("linkpath") or _text(_until(block[157:257]))
    mode = _octal(block[100:108], "mode")
    member = _member(name, kind, mode, size, at, target)
    _check_alike(member, kind, size, extras, (name, _text(own) if kind == b"\0" else ""))
    if kind in b"12" and extras.keys() >= {"linkpath", "gnu"} and block[157:158] == b"\0":
        raise refusal("ambiguous", f"{name!r} in the tar is a link to nothing, and to {target!r} in a GNU header")
    if kind == b"1":
        member = _same_file(member, files.get(target))
    numbers = b"".join(field.strip(b"0 \0") for field in (block[108:116], block[116:124]))
    return Found(
        member=member,
        mode=mode & 0o7777,
        mtime=_octal(block[136:148], "mtime"),
        owner=numbers + block[265:329].strip(b"\0"),
        extras=frozenset(extras) | ({"hard link"} if kind == b"1" else set()),
    )


def _member(name: str, kind: bytes, mode: int, size: int, at: int, target: str) -> Member:
    sort: Kind | None = {b"0": "file", b"\0": "file", b"1": "file", b"5": "directory", b"2": "link"}.get(kind)  # type: ignore[assignment]
    if sort is None:
        raise refusal("type", f"{name!r} in the tar is no file, directory or link (type {kind!r})")
    if sort == "file" and mode & 0o6000:
        raise refusal("setuid", f"{name!r} in the tar has mode {mode:04o}")
    return Member(
        name=name.rstrip("/") if sort == "directory" else name,
        kind=sort,
        executable=sort == "file" and bool(mode & 0o111),
        size=size if sort == "file" else 0,
        target=target if sort == "link" else "",
        offset=at,
    )


def _check_alike(member: Member, kind: bytes, size: int, extras: dict[str, str], names: Iterable[str]) -> None:
    """Every reader takes it for the same kind of member, with the same bytes; `names` are those it goes by."""
    if kind not in b"\x000" and size:
        raise refusal("ambiguous", f"{member.name!r} in the tar is no file and has {size} bytes")
    if kind != b"5" and any(name.endswith("/") for name in names):
        raise refusal("ambiguous", f"{member.name!r} in the tar is a directory by its name, and none by its type")
    if kind not in b"12" and "linkpath" in extras:
        raise refusal("ambiguous", f"{member.name!r} in the tar is no link and has a target")


def _same_file(member: Member, first: Member | None) -> Member:
    """A hard link is one more file with the same bytes."""
    if first is None:
        raise refusal("link", f"{member.name!r} in the tar is a hard link to what is not there before it")
    return Member(name=member.name, executable=first.executable, size=first.size, offset=first.offset)


def _until(field: bytes) -> bytes:
    return field.split(b"\0")[0]


def _joined(prefix: bytes, name: bytes) -> bytes:
    return b"%s/%s" % (prefix, name) if prefix else name


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
