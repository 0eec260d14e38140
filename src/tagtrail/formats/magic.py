r"""What archive a file is, by its magic numbers: not by its name, which anybody chooses.

    zip               PK\3\4 PK\5\6 PK\7\8 PK00 first                        APPNOTE.TXT 6.3, 4.3.6 to 4.3.16, 8.5
    tar               `ustar` at byte 257, or a header's checksum            POSIX.1-2017, pax
    gzip, xz, bzip2   1f 8b 08; fd `7zXZ` 00; `BZh1`...`BZh9` and pi         RFC 1952; the .xz file format 1.2; bzip2
    others            zstd (RFC 8878), lz4, lzip, lzop, lzma alone, compress, 7z, rar, rpm (its lead), ar (ar(5): .deb
                      and .a), cpio (cpio(5)), cab (MS-CAB), xar, lha, squashfs, ISO 9660, DMG, AppImage: as file(1)
                      and libarchive know them

What gzip, xz and bzip2 hold is looked at again: a tar in them is `tar.gz`, `tar.xz`, `tar.bz2`; a file that is only
compressed is a file. Where its beginning cannot be unpacked here, nobody knows what it is.

**What begins as something else may end as a zip**: a program, a script, a picture. Installers and `unzip` look for the
end of central directory in the last 64 KiB, whatever stands before the zip or behind it. One counts that says where
its directory is, and has one there; so a program in which the four bytes stand by chance is a program.
"""

import bz2
import lzma
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol

from tagtrail.formats.unpacking import XZ_MOST
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Remark

__all__ = ["READ", "Ends", "recognized", "unread"]

READ = frozenset({"zip", "tar", "tar.gz", "tar.xz", "tar.bz2"})
"""The archives that can be looked into; what else `recognized` says is a phrase for people."""

HEAD, TAIL = 1 << 20, (1 << 16) + 100
"""Bytes that are looked at: of the beginning, for a bzip2 block has up to 900,000; of the end, the longest comment of a
zip and all its end records."""

_ENOUGH, _BLOCK, _MOST_STREAMS = 1 << 16, 512, 16
_BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError)


class _Unpacker(Protocol):
    """What the three libraries have alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_PACKED: dict[str, tuple[bytes, Callable[[], _Unpacker]]] = {
    "gz": (rb"\x1f\x8b\x08", lambda: zlib.decompressobj(31)),
    "xz": (rb"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MOST)),
    "bz2": (rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)", bz2.BZ2Decompressor),
}
_CALLED = {"gz": "gzip", "xz": "xz", "bz2": "bzip2"}
_KINDS = (
    (rb"PK(?:\x03\x04|\x05\x06|\x07\x08|00PK)", "zip"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"Rar!\x1a\x07", "a rar archive"),
    (rb"\xed\xab\xee\xdb", "an rpm package"),
    (rb"!<(?:arch|thin)>\n", "an ar archive"),
    (rb"0707(?:0[12][0-9A-Fa-f]{104}|07[0-7]{70})", "a cpio archive"),
    (rb"\xc7\x71.{18}[^\x00][\x00-\x0f]|\x71\xc7.{18}[\x00-\x0f][^\x00]", "a cpio archive"),
    (rb"MSCF\x00{4}", "a cab archive"),
    (rb"xar!\x00", "a xar archive"),
    (rb"..-(?:lh[0-9a-z]|lz[0-9a-z]|pm[0-9])-", "an lha archive"),
    (rb"hsqs|sqsh", "a squashfs image"),
    (rb".{32769}(?:CD001|BEA01)", "an ISO 9660 image"),
    (rb"\x7fELF.{4}AI[\x01\x02]", "an AppImage"),
    (rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", "zstd data"),
    (rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18", "lz4 data"),
    (rb"LZIP[\x00\x01]", "lzip data"),
    (rb"\x89LZO\x00\r\n\x1a\n", "lzop data"),
    (rb"\x1f\x9d[\x09-\x10\x89-\x90]", "compress data"),
    (rb"]\x00\x00..(?:\xff{8}|.{5}\x00{3})\x00", "lzma data"),
)
_END, _DIRECTORY, _LOCATOR = b"PK\5\6", b"PK\1\2", b"PK\6\7"


class Ends:
    """The beginning and the end of some bytes, as far as `recognized` looks at them."""

    def __init__(self, data: bytes = b"") -> None:
        self.head, self.tail, self.size = data[:HEAD], data[-TAIL:], len(data)

    @classmethod
    def of(cls, file: BinaryIO) -> "Ends":
        """Those of a seekable file, which is left at its beginning."""
        ends = cls()
        file.seek(0)
        ends.head = file.read(HEAD)
        ends.size = file.seek(0, 2)
        file.seek(max(0, ends.size - TAIL))
        ends.tail = file.read()
        file.seek(0)
        return ends

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, as they are, while they are looked at."""
        for piece in pieces:
            self.size += len(piece)
            self.head += piece[: HEAD - len(self.head)]
            self.tail = (self.tail + piece)[-TAIL:]
            yield piece


def recognized(ends: Ends) -> str:
    """One of READ, or in words what else it is; empty for a file that is no archive."""
    found = _by_head(ends.head)
    if found in _PACKED:
        found = _packed(found, ends.head)
    if not found and ends.tail[-512:].startswith(b"koly\0\0\0\4\0\0\2\0"):
        return "a DMG image"
    return found or ("zip" if _ends_as_zip(ends) else "")


def unread(found: str, member: str = "", why: ProjectError | None = None) -> Remark:
    """What was noticed of an archive that nobody looked into: of the file itself, or of its `member`; of one of READ,
    `why` is what it was refused for."""
    what = f"a {found} archive" if found in READ else found
    return Remark(kind="archive", member=member, what=f"{what} ({why.what})" if why else what)


def _by_head(head: bytes) -> str:
    """One of READ or _PACKED, or in words what else it is."""
    if packed := next((name for name, (form, _) in _PACKED.items() if re.match(form, head)), ""):
        return packed
    if _is_tar(head[:_BLOCK]):
        return "tar"
    return next((what for form, what in _KINDS if re.match(form, head, re.DOTALL)), "")


def _is_tar(block: bytes) -> bool:
    if len(block) < _BLOCK:
        return False
    said = re.fullmatch(rb" *([0-7]{3,8})[ \0]*", block[148:156])
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    return block[257:262] == b"ustar" or (said is not None and int(said[1], 8) == total)


def _packed(name: str, head: bytes) -> str:
    """What compressed data are, by the beginning of what they hold."""
    inner = _begun(_PACKED[name][1], head)
    if inner is None:
        return f"{_CALLED[name]} data that are not unpacked here"
    found = _by_head(inner)
    if found == "tar":
        return f"tar.{name}"
    return f"{_kind(found)} in {_CALLED[name]}" if found else ""


def _kind(found: str) -> str:
    return f"{_CALLED[found]} data" if found in _CALLED else f"a {found} archive" if found in READ else found


def _begun(unpacker_of: Callable[[], _Unpacker], data: bytes) -> bytes | None:
    """The first bytes that are unpacked, also from some streams that are shorter; None where that is not known."""
    out = b""
    for _ in range(_MOST_STREAMS):
        unpacker = unpacker_of()
        try:
            out += unpacker.decompress(data, _ENOUGH)
        except _BROKEN:
            return out or None
        if len(out) >= _BLOCK:
            return out
        if not unpacker.eof:
            return None
        data = unpacker.unused_data.lstrip(b"\0")
        if not data:
            return out
    return None


def _ends_as_zip(ends: Ends) -> bool:
    """Whether some reader finds a zip's directory from the end."""
    tail, start = ends.tail, ends.size - len(ends.tail)
    at = tail.rfind(_END)
    while at >= 0:
        if len(tail) - at >= 22 and _has_directory(tail, at, start):
            return True
        at = tail.rfind(_END, 0, at)
    return False


def _has_directory(tail: bytes, at: int, start: int) -> bool:
    """Whether the end record at `at` of the tail, which begins at byte `start` of the file, has a directory."""
    size, offset = struct.unpack_from("<2L", tail, at + 12)
    if tail[max(0, at - 20) :].startswith(_LOCATOR):
        return True
    if size < 46 or size + offset > start + at:
        return False
    places = (at - size, offset - start)
    # what lies before the tail is not seen: a directory that long is none by chance
    return any(place < 0 or tail.startswith(_DIRECTORY, place) for place in places)
