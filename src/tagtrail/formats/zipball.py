"""Wheels in normal form, read and written: a zip whose bytes depend on its members alone.

**Normal form.** Members are sorted by the bytes of their names, those of `NAME.dist-info/` after all others (PEP 427
asks for that); no directories of their own; deflate, zlib level 6; the time is SOURCE_DATE_EPOCH in UTC, not before
1980-01-01 and with even seconds, as zip has it; made by Unix, mode 0100644 or 0100755, no extra fields, no comments,
no data descriptors; names are ASCII or flagged as UTF-8. The file begins with the first local header and ends with the
end-of-central-directory record.

**A wheel** is left exactly as its backend made it if it is normal enough to be reproducible: every member has the time
of SOURCE_DATE_EPOCH and a mode of 0644 or 0755 (0755 for directories), members are in an order of those who sort
(`tagtrail.formats.ordered`), there are no comments, and nothing lies before, between or after the records. RECORD may
have 0664: the `wheel` library, of which setuptools has a copy, gives it that whatever the umask. Else it is
packed anew.

APPNOTE.TXT 6.3; https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from tagtrail.formats.archive import Limits, Member, check_members, refusal
from tagtrail.formats.ordered import is_sorted_wheel
from tagtrail.formats.ziplayout import check_layout

__all__ = ["Wheel", "zip_time"]

_PIECE = 1 << 18
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError, OverflowError, RuntimeError,
    ValueError,
)  # fmt: skip
"""What zipfile raises on bytes that are no zip file."""

_FIRST, _LAST = 315_532_800, 4_354_819_198
"""1980-01-01T00:00:00Z and 2107-12-31T23:59:58Z."""


def zip_time(epoch: int) -> tuple[int, int, int, int, int, int]:
    """What a zip says for a time in Unix seconds."""
    year, month, day, hour, minute, second = time.gmtime(min(max(epoch, _FIRST), _LAST))[:6]
    return year, month, day, hour, minute, second & ~1


class Wheel:
    """A wheel that was opened and judged: `members` are its files, sorted by name.

    Raises ProjectError with the codes of `tagtrail.formats.archive`.
    """

    def __init__(self, file: BinaryIO, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise refusal("damaged", "the wheel is no zip file", str(error)) from error
        infos = self._zip.infolist()
        if len(infos) > limits.members or sum(i.file_size for i in infos) > limits.unpacked:
            raise refusal("size", f"the wheel holds more than {limits.members} members or {limits.unpacked} bytes")
        found = [_member(info) for info in infos]
        check_members(found)
        self._infos = {member.name: info for member, info in zip(found, infos, strict=True)}
        files = [member for member in found if member.kind == "file"]
        self.members = tuple(sorted(files, key=lambda m: m.name.encode("utf-8")))

    def content(self, member: Member) -> Iterator[bytes]:
        """A file's bytes, in pieces, its checksum checked at the end."""
        try:
            with self._zip.open(self._infos[member.name]) as stream:
                while piece := stream.read(_PIECE):
                    yield piece
        except _BROKEN as error:
            raise refusal("damaged", f"{member.name!r} in the wheel cannot be read", str(error)) from error

    def check_layout(self) -> None:
        """No reader finds other members in it. Raises ProjectError (`tagtrail.formats.ziplayout`)."""
        check_layout(self._file, [*self._infos.values()], self._zip.start_dir)

    def is_normal(self, epoch: int) -> bool:
        """Nothing in it depends on where or when it was built."""
        infos = self._infos.values()
        return (
            self._is_tight()
            and is_sorted_wheel(info.orig_filename for info in infos)
            and all(
                info.date_time == zip_time(epoch)
                and info.create_system == 3
                and info.external_attr >> 16 in _modes(info)
                and not (info.extra or info.comment)
                for info in infos
            )
        )

    def _is_tight(self) -> bool:
        """The records follow each other without a gap, from the first byte to the last, as the directory lists them."""
        at = 0
        for info in self._infos.values():
            if info.header_offset != at or info.flag_bits & 0x8:  # it may be any number, also one below zero
                return False
            self._file.seek(at)
            head = self._file.read(30)
            if len(head) != 30:
                return False
            at += 30 + sum(struct.unpack("<HH", head[26:30])) + info.compress_size
        ends = sum(46 + len(_name(i)) for i in self._infos.values()) + 22
        return at == self._zip.start_dir and self._file.seek(0, 2) == at + ends

    def write(self, out: BinaryIO, epoch: int) -> None:
        """The same members in normal form, into the seekable `out`."""
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
            for member in sorted(self.members, key=_place):
                info = zipfile.ZipInfo(member.name, zip_time(epoch))
                info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
                info.external_attr = (stat.S_IFREG | (0o755 if member.executable else 0o644)) << 16
                info.file_size = member.size
                with packed.open(info, "w") as stream:
                    for piece in self.content(member):
                        stream.write(piece)


def _modes(info: zipfile.ZipInfo) -> set[int]:
    """Those that no umask chose."""
    if info.is_dir():
        return {0o040755, 0o755}
    top, _, name = info.filename.partition("/")
    record = {0o100664} if name == "RECORD" and top.endswith(".dist-info") else set()
    return {0o100644, 0o100755, 0o644, 0o755} | record


def _place(member: Member) -> tuple[bool, bytes]:
    return member.name.partition("/")[0].endswith(".dist-info"), member.name.encode("utf-8")


def _name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")


def _member(info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    name = info.orig_filename
    if stat.S_ISLNK(mode):
        raise refusal("link", f"{name!r} in the wheel is a link")
    wrong = stat.S_IFMT(mode) not in {0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG}
    if wrong or info.flag_bits & 0x1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise refusal("type", f"{name!r} in the wheel is no plain file (mode {mode:o}, method {info.compress_type})")
    if mode & 0o6000 and not name.endswith("/"):
        raise refusal("setuid", f"{name!r} in the wheel has mode {mode & 0o7777:04o}")
    if name.endswith("/"):
        return Member(name=name.rstrip("/"), kind="directory")
    return Member(name=name, executable=bool(mode & 0o111), size=info.file_size)
