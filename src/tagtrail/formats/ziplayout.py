"""Whether every reader of a zip sees the same members: nothing stands in it but what its directory lists.

Some readers believe the directory at the end, others the header before each member, others search for either. So a zip
that is kept as somebody else made it says everything twice alike, and has no byte that belongs to nothing:

    header, name, extra, data [descriptor]    for each member, from byte 0, one after the other
    directory                                 one record for each of them
    [zip64 end, zip64 locator] end, comment   to the last byte; no record's signature in the comment

A member's deflated data ends where its size says. Raises ProjectError with the codes of `tagtrail.formats.archive`:
`archive-trailing` for bytes that belong to nothing, `archive-damaged` for what is said in two ways.
Source: APPNOTE.TXT 6.3, sections 4.3.7 to 4.3.16 and 4.6.9.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipInfo

from tagtrail.formats.archive import refusal
from tagtrail.model.errors import ProjectError

__all__ = ["check_layout"]

_PIECE = 1 << 18
_HEADER, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s4H2LH")
_END64, _LOCATOR = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_DESCRIBED, _UTF8 = 0x8, 0x800
_COUNTS = _DESCRIBED | _UTF8 | 1
"""The flags that change how a member is read."""
_ZIP64, _UNICODE_PATH, _MOST16, _MOST32 = 0x0001, 0x7075, 0xFFFF, 0xFFFFFFFF


def check_layout(file: BinaryIO, infos: Sequence[ZipInfo], start: int) -> None:
    """The zip in `file`, whose directory begins at byte `start` and lists `infos`."""
    at = 0
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered), start][1:]
    for info, end in zip(ordered, ends, strict=True):
        if info.header_offset != at:
            raise _stray(f"before {info.orig_filename!r}")
        _check_member(file, info, end)
        at = end
    if at != start:
        raise _stray("before the directory")
    _check_end(file, infos, start)


def _check_member(file: BinaryIO, info: ZipInfo, end: int) -> None:
    """From its header to `end`, where the next one begins."""
    head = _at(file, info.header_offset, _HEADER.size)
    _, _, flags, method, _, _, *numbers, named, more = _HEADER.unpack(head)
    name, extra = _at(file, info.header_offset + _HEADER.size, named), _at(file, file.tell(), more)
    here = (head[:4], name, method, flags & _COUNTS)
    there = (b"PK\3\4", _name(info), info.compress_type, info.flag_bits & _COUNTS)
    if here != there or not _same_numbers(numbers, extra, info):
        raise refusal("damaged", f"{info.orig_filename!r} is said in two ways: in the directory and before its bytes")
    if any(_other_name(fields, name) for fields in (extra, info.extra)):
        raise refusal("name", f"{info.orig_filename!r} has another name in an extra field")
    if info.is_dir() and info.file_size:
        raise refusal("type", f"{info.orig_filename!r} is a directory with bytes")
    data = file.tell()
    if _at(file, data + info.compress_size, end - data - info.compress_size) not in _descriptors(info):
        raise _stray(f"behind {info.orig_filename!r}")
    if info.compress_type == ZIP_DEFLATED and _inflated(file, data, info) != info.compress_size:
        raise _stray(f"within {info.orig_filename!r}, behind its data")


def _same_numbers(numbers: Sequence[int], extra: bytes, info: ZipInfo) -> bool:
    """Checksum, packed and plain size, which may be zero where a descriptor says them; long ones are in a field."""
    long = [value for kind, value in _fields(extra) if kind == _ZIP64]
    checksum, packed, plain = numbers
    if long and packed == plain == _MOST32 and len(long[0]) == 16:
        plain, packed = struct.unpack("<QQ", long[0])
    here, there = (checksum, packed, plain), (info.CRC, info.compress_size, info.file_size)
    once = all(sum(kind == _ZIP64 for kind, _ in _fields(fields)) < 2 for fields in (extra, info.extra))
    return once and (here == there or (bool(info.flag_bits & _DESCRIBED) and not any(here)))


def _inflated(file: BinaryIO, at: int, info: ZipInfo) -> int:
    """How many bytes the deflated data have, by themselves; no more is unpacked than the directory says."""
    stream, left, size = zlib.decompressobj(-zlib.MAX_WBITS), info.compress_size, 0
    file.seek(at)
    try:
        while left and not stream.eof:
            piece = file.read(min(left, _PIECE))
            left -= len(piece)
            while piece and not stream.eof:
                size += len(stream.decompress(piece, _PIECE))
                piece = stream.unconsumed_tail
                if size > info.file_size:
                    raise refusal("damaged", f"{info.orig_filename!r} has more bytes than it says")
    except zlib.error as error:
        raise refusal("damaged", f"{info.orig_filename!r} cannot be read", str(error)) from error
    if not stream.eof:
        raise refusal("damaged", f"{info.orig_filename!r} is cut off")
    return info.compress_size - left - len(stream.unused_data)


def _descriptors(info: ZipInfo) -> tuple[bytes, ...]:
    """What may stand behind a member's data: its checksum and sizes, with a signature or without, in 32 or 64 bits."""
    if not info.flag_bits & _DESCRIBED:
        return (b"",)
    long = struct.pack("<LQQ", info.CRC, info.compress_size, info.file_size)
    bodies = [long]
    if max(info.compress_size, info.file_size) <= _MOST32:
        bodies.append(struct.pack("<3L", info.CRC, info.compress_size, info.file_size))
    return tuple(mark + body for body in bodies for mark in (b"", b"PK\7\x08"))


def _check_end(file: BinaryIO, infos: Sequence[ZipInfo], start: int) -> None:
    """The directory, as long as its records, and the end, which says where it is."""
    size = sum(46 + len(_name(i)) + len(i.extra) + len(i.comment) for i in infos)
    wanted = (0, 0, len(infos), len(infos), size, start)
    rest = _at(file, start + size, file.seek(0, 2) - start - size)
    if rest[:4] == b"PK\6\6":
        rest = _past_end64(rest, wanted, start + size)
    if len(rest) < _END.size or rest[:4] != b"PK\5\6":
        raise _stray("between the directory and the end")
    _, *said, commented = _END.unpack_from(rest)
    most = (_MOST16,) * 4 + (_MOST32,) * 2
    if any(one not in {two, full} for one, two, full in zip(said, wanted, most, strict=True)):
        raise refusal("damaged", "the zip's end does not say where its directory is")
    comment = rest[_END.size :]
    if len(comment) != commented or b"PK" in comment:
        raise _stray("behind the end")


def _past_end64(rest: bytes, wanted: tuple[int, ...], at: int) -> bytes:
    if len(rest) < _END64.size + _LOCATOR.size:
        raise refusal("damaged", "the zip's end is cut off")
    _, size, _, _, *said = _END64.unpack_from(rest)
    locator = _LOCATOR.unpack_from(rest, _END64.size)
    if (size, *said) != (_END64.size - 12, *wanted) or locator != (b"PK\6\7", 0, at, 1):
        raise refusal("damaged", "the zip's 64-bit end does not say where its directory is")
    return rest[_END64.size + _LOCATOR.size :]


def _other_name(extra: bytes, name: bytes) -> bool:
    return any(kind == _UNICODE_PATH and value[5:] != name for kind, value in _fields(extra))


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        yield kind, extra[4 : 4 + size]
        extra = extra[4 + size :]


def _name(info: ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8 else "cp437")


def _at(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    data = file.read(size) if size >= 0 else b""
    if len(data) != size:
        raise refusal("damaged", "the zip's members overlap, or it is cut off")
    return data


def _stray(where: str) -> ProjectError:
    what = f"the zip has bytes {where} that belong to no member"
    return refusal("trailing", what, "some readers would find files there that others do not see")
