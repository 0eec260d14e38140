"""What archive a file is, by its bytes: archives by other writers, what ends as a zip, and what only looks like one."""

import bz2
import gzip
import io
import lzma
import random
import shutil
import struct
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.magic import HEAD, TAIL, Ends, recognized


def tar(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as packed:
        for name, data in members or (("a", b"x"),):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(*members: tuple[str, bytes], comment: bytes = b"", wide: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.comment = comment
        for name, data in members or (("a", b"x"),):
            with packed.open(zipfile.ZipInfo(name), "w", force_zip64=wide) as stream:
                stream.write(data)
    return out.getvalue()


def unmarked(data: bytes) -> bytes:
    """A tar's first header as before POSIX: no magic, the checksum right."""
    block = data[:257] + bytes(255)
    total = sum(block) - sum(block[148:156]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:] + data[512:]


TAR, ZIP = tar(), zipped()
NOISE = random.Random(1).randbytes(2 << 20)
CPIO = b"070701" + b"%08x" % 0 * 13 + b"a\0"

KNOWN = {
    "zip": [ZIP, zipped(comment=b"of nobody"), zipped(wide=True), zipped()[-22:]],
    "tar": [TAR, tar(form=tarfile.GNU_FORMAT), unmarked(TAR), TAR[:512], TAR[:148] + bytes(8) + TAR[156:]],
    "tar.gz": [gzip.compress(TAR), gzip.compress(b"") + gzip.compress(TAR), gzip.compress(TAR[:512])],
    "tar.xz": [lzma.compress(TAR), lzma.compress(b"") + bytes(4) + lzma.compress(TAR)],
    "tar.bz2": [bz2.compress(TAR), bz2.compress(TAR, 1), bz2.compress(tar(("noise", NOISE)))],
    "a zip archive in gzip": [gzip.compress(ZIP)],
    "a cpio archive in xz": [lzma.compress(CPIO)],
    "gzip data in bzip2": [bz2.compress(gzip.compress(TAR))],
    "gzip data that are not unpacked here": [gzip.compress(TAR)[:12], b"\x1f\x8b\x08" + NOISE, gzip.compress(b"") * 17],
    "lzma data": [lzma.compress(TAR, lzma.FORMAT_ALONE)],
    "zstd data": [b"\x28\xb5\x2f\xfd\x24\x00", b"\x50\x2a\x4d\x18\x04\0\0\0"],
    "a 7z archive": [b"7z\xbc\xaf\x27\x1c\0\4"],
    "a rar archive": [b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"],
    "an rpm package": [b"\xed\xab\xee\xdb\3\0"],
    "an ar archive": [b"!<arch>\ndebian-binary   ", b"!<thin>\n"],
    "a cpio archive": [CPIO, b"070707" + b"0" * 70, b"\xc7\x71" + bytes(18) + b"\2\0" + bytes(4) + b"a\0"],
    "a cab archive": [b"MSCF\0\0\0\0"],
    "a xar archive": [b"xar!\0\x1c"],
    "an lha archive": [b"\x16\x2b-lh5-"],
    "lz4 data": [b"\x04\x22\x4d\x18\x64"],
    "lzip data": [b"LZIP\1\x0c"],
    "lzop data": [b"\x89LZO\0\r\n\x1a\n\x10"],
    "compress data": [b"\x1f\x9d\x90a"],
    "a squashfs image": [b"hsqs\1\0"],
    "an ISO 9660 image": [bytes(32769) + b"CD001\1"],
    "an AppImage": [b"\x7fELF\2\1\1\0AI\2" + NOISE[:99]],
    "a DMG image": [NOISE[:999] + b"koly\0\0\0\4\0\0\2\0" + bytes(500)],
}


@pytest.mark.parametrize("what", KNOWN)
def test_what_is_known_by_its_bytes(what: str) -> None:
    for data in KNOWN[what]:
        assert recognized(Ends(data)) == what
        assert recognized(Ends.of(io.BytesIO(data))) == what


MADE_BY = {
    ("cpio", "-o", "--quiet"): "a cpio archive",
    ("cpio", "-o", "-H", "newc", "--quiet"): "a cpio archive",
    ("cpio", "-o", "-H", "odc", "--quiet"): "a cpio archive",
    ("zstd", "-q", "-c", "a"): "zstd data",
    ("xz", "--format=lzma", "-c", "a"): "lzma data",
    ("bzip2", "-c", "a"): "",
    ("zip", "-q", "-", "a"): "zip",
    ("tar", "--format=v7", "-cf", "-", "a"): "tar",
}


@pytest.mark.client
@pytest.mark.parametrize(("argv", "what"), MADE_BY.items(), ids=[" ".join(argv) for argv in MADE_BY])
def test_what_others_make(tmp_path: Path, argv: tuple[str, ...], what: str) -> None:
    if not shutil.which(argv[0]):
        pytest.skip(f"NOT TESTED: there is no {argv[0]}: apt-get install {argv[0]}")
    (tmp_path / "a").write_bytes(b"hello\n")
    made = subprocess.run(argv, cwd=tmp_path, input=b"a\n", capture_output=True, check=True).stdout
    assert recognized(Ends(made)) == what


ELF = b"\x7fELF\2\1\1" + bytes(9) + NOISE[: 3 << 16]


def told(size: int, offset: int, comment: int = 0) -> bytes:
    """The end record of a zip."""
    return struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, offset, comment)


LONG = zipped(*((f"directory/file-{number:05}", b"") for number in range(2000)))
AS_ZIP = [
    ELF + ZIP,
    b"#!/usr/bin/env python3\n" + ZIP,
    b"\xff\xd8\xff\xe0 a picture" + zipped(comment=b"c" * 65535),
    ELF + ZIP + b"bytes behind it",
    ELF + ZIP + NOISE[:60000],
    ELF + ZIP + told(1, 99),
    ELF + zipped(wide=True),
    ELF + LONG,
    gzip.compress(b"a text\n") + ZIP,
    NOISE[: 3 << 20] + ZIP,
]


@pytest.mark.parametrize("data", AS_ZIP, ids=range(len(AS_ZIP)))
def test_what_ends_as_a_zip_is_one(data: bytes) -> None:
    assert zipfile.is_zipfile(io.BytesIO(data)), "somebody reads it"
    assert recognized(Ends(data)) == "zip"
    assert recognized(Ends.of(io.BytesIO(data))) == "zip"


FILES = [
    b"",
    b"x",
    b"PK",
    b"P" * 21,
    ELF,
    ELF + b"PK\5\6" + NOISE[: 1 << 15],  # a program that reads zips
    ELF + b"PK\1\2" + b"PK\5\6" + b"PK\3\4" + NOISE[: 1 << 15],
    ELF + told(0, 0),
    ELF + told(46, 0xFFFFFFFF),
    ELF[:30000] + told(46, 99),
    ELF + ZIP + NOISE[: 1 << 17],  # a program with a zip among its data: no reader looks there
    gzip.compress(b"a text\n"),
    gzip.compress(NOISE),
    gzip.compress(b"") * 2,
    lzma.compress(NOISE),
    bz2.compress(NOISE),
    bytes(4096),
    b"\x7fELF\2\1\1" + bytes(2000),
    b"0707 is no cpio, and no cpio is 070701",
    b"]\0\0 a list in some language",
    b"\xca\xfe\xba\xbe\0\0\0\x37" + NOISE[:999],
    b"a text with ustar in it" + b" " * 234 + b"not here: ustar" + b" " * 300,
    TAR[:500],
]


@pytest.mark.parametrize("data", FILES, ids=range(len(FILES)))
def test_what_is_a_file(data: bytes) -> None:
    assert recognized(Ends(data)) == ""


def pieces(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


@given(st.sampled_from([*AS_ZIP, *FILES, KNOWN["tar.bz2"][2], TAR]), st.lists(st.integers(0, HEAD + TAIL), max_size=5))
def test_what_passes_by_is_looked_at_as_a_file_is(data: bytes, sizes: list[int]) -> None:
    passing, whole = Ends(), Ends.of(io.BytesIO(data))
    assert b"".join(passing.through(pieces(data, sizes))) == data
    for ends in (passing, Ends(data)):
        assert (ends.head, ends.tail, ends.size) == (whole.head, whole.tail, whole.size)


@given(
    st.sampled_from([ZIP, TAR, gzip.compress(TAR), bz2.compress(TAR), lzma.compress(TAR), *AS_ZIP[:2], CPIO]), st.data()
)
def test_whatever_it_is_it_is_said(data: bytes, draw: st.DataObject) -> None:
    found = bytearray(data[: draw.draw(st.integers(0, len(data)))])
    for at in draw.draw(st.lists(st.integers(0, max(0, len(found) - 1)), max_size=4)) if found else ():
        found[at] ^= draw.draw(st.integers(1, 255))
    assert isinstance(recognized(Ends(bytes(found))), str)
