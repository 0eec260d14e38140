"""A tar of somebody else's making, read strictly: its members in its order, and what would not be in normal form.

ustar, PAX and GNU headers are understood; of a PAX header those records that any archiver writes, and none that changes
a size or a character set. A header that cannot be read is a refusal, never an end, and nothing stands after the end.
Raises ProjectError with the codes of `tagtrail.formats.archive`. Source: POSIX.1-2017, pax, "ustar Interchange Format"
and "pax Extended Header"; the GNU tar manual, "Basic Tar Format", for `L` and `K`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from tagtrail.formats.archive import Kind, Limits, Member, refusal
from tagtrail.formats.unpacking import PIECE
from tagtrail.model.frozen import frozen

__all__ = ["Found", "found_in"]

_BLOCK = 512
_PAX_MOST = 1 << 20


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
    at, count = 0, 0
    while (block := _at(spool, at, _BLOCK)) != bytes(_BLOCK):
        kind, size = _checked(block, at)
        at += _BLOCK
        if kind in b"xgLK":
            extras |= _extras(kind, _at(spool, at, size) if size <= _PAX_MOST else b"")
        else:
            found = _found(block, kind, size, at, extras, files)
            count += 1
            if count > limits.members:
                raise refusal("size", f"the archive has more than {limits.members} members")
            files |= {found.member.name: found.member} if found.member.kind == "file" else {}
            extras = {}
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
    """(type, size) of a header whose checksum is right."""
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    if block[257:262] != b"ustar" or _octal(block[148:156], "checksum") != total:
        raise refusal("damaged", f"the tar has no header at byte {at}")
    size = _octal(block[124:136], "size")
    kind = block[156:157]
    return kind, 0 if kind in b"12345" and kind else size


def _octal(field: bytes, name: str) -> int:
    digits = field.split(b"\0")[0].strip(b" ")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise refusal("damaged", f"the tar has a {name} that is no octal number: {field!r}")
    return int(digits or b"0", 8)


def _extras(kind: bytes, data: bytes) -> dict[str, str]:
    """What a PAX or GNU header says of the next member."""
    if kind in b"LK":
        return {"path" if kind == b"L" else "linkpath": _text(data.rstrip(b"\0")), "gnu": ""}
    records, at = {}, 0
    while at < len(data):
        found = re.compile(rb"(\d{1,7}) ").match(data, at)
        end = at + int(found[1]) if found else 0
        if found is None or not found.end() < end <= len(data) or data[end - 1 : end] != b"\n":
            raise refusal("damaged", "the tar has a PAX record that cannot be read")
        key, mark, value = data[found.end() : end - 1].partition(b"=")
        if not mark or (kind == b"g" and key != b"comment") or key in {b"size", b"hdrcharset"} or b"sparse" in key:
            raise refusal("type", f"the tar has a PAX record {key!r}")
        records[_text(key)] = _text(value)
        at = end
    if not data:
        raise refusal("damaged", "the tar has an empty or oversized PAX header")
    return records


def _found(block: bytes, kind: bytes, size: int, at: int, extras: dict[str, str], files: dict[str, Member]) -> Found:
    prefix = _until(block[345:500]) if block[257:265] == b"ustar\x0000" else b""
    name = extras.get("path") or _text(_joined(prefix, _until(block[:100])))
    target = extras.get("linkpath") or _text(_until(block[157:257]))
    mode = _octal(block[100:108], "mode")
    member = _member(name, kind, mode, size, at, target)
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
    if sort == "file" and name.endswith("/"):
        sort = "directory"
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
