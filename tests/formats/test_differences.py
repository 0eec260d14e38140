"""What differs between two archives: one difference each, and it is told."""

import gzip
import io
import lzma
import tarfile
import zipfile
from typing import Any

import pytest

from tagtrail.formats.differences import LINES, Difference, differences


def tar(*files: tuple[str, bytes], level: int = 6, **fields: Any) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            packed.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), level, mtime=0)


def wheel(*files: tuple[str, bytes], date: tuple[int, ...] = (2026, 1, 1, 0, 0, 0)) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files:
            packed.writestr(zipfile.ZipInfo(name, date), data)  # type: ignore[arg-type]
    return out.getvalue()


def told(name: str, one: bytes, other: bytes) -> list[tuple[str, str]]:
    return [(d.member, d.what) for d in differences(name, io.BytesIO(one), io.BytesIO(other))]


A, B = ("p-1/a", b"a\n"), ("p-1/b", b"b\n")
TAR = tar(A, B)
WHEEL = wheel(A, B)

CASES = {
    "a member less": ("p.tar.gz", TAR, tar(A), [("p-1/b", "only in the released file")]),
    "a member more": ("p.tar.gz", tar(A), TAR, [("p-1/b", "only in the rebuilt file")]),
    "content": ("p.tar.gz", TAR, tar(A, ("p-1/b", b"c\n")), [("p-1/b", "other content")]),
    "mode": ("p.tar.gz", tar(A), tar(A, mode=0o755), [("p-1/a", "mode 0644, rebuilt 0755")]),
    "time": ("p.tar.gz", tar(A), tar(A, mtime=5), [("p-1/a", "time 0, rebuilt 5")]),
    "owner": ("p.tar.gz", tar(A), tar(A, uid=7, uname="jo"), [("p-1/a", "owner 0:0 :, rebuilt 7:0 jo:")]),
    "whatever it is called": ("p.crate", TAR, tar(A), [("p-1/b", "only in the released file")]),
    "a jar": ("p.jar", WHEEL, wheel(A, ("p-1/b", b"c\n")), [("p-1/b", "other content")]),
    "link": (
        "p.tar", gzip.decompress(tar(("p-1/l", b""), type=tarfile.SYMTYPE, linkname="a")),
        gzip.decompress(tar(("p-1/l", b""), type=tarfile.SYMTYPE, linkname="b")), [("p-1/l", "other content")],
    ),
    "wheel content": ("p.whl", WHEEL, wheel(A, ("p-1/b", b"c\n")), [("p-1/b", "other content")]),
    "wheel time": (
        "p.whl", wheel(A), wheel(A, date=(2027, 1, 1, 0, 0, 0)),
        [("p-1/a", "time (2026, 1, 1, 0, 0, 0), rebuilt (2027, 1, 1, 0, 0, 0)")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_difference(name: str) -> None:
    file, one, other, expected = CASES[name]
    assert told(file, one, other) == expected


@pytest.mark.parametrize(("name", "data"), [("p.tar.gz", TAR), ("p.whl", WHEEL), ("p.bin", b"x")])
def test_none(name: str, data: bytes) -> None:
    assert told(name, data, data) == []


def test_order() -> None:
    assert told("p.tar.gz", TAR, tar(B, A))[0] == ("", "the same members in another order")


def test_another_compressor() -> None:
    big = ("p-1/big", bytes(range(256)) * 400)
    found = told("p.tar.gz", tar(big, level=1), tar(big, level=9))
    assert found[0] == ("", "the same members, packed otherwise: another compressor or another version of it")
    xz = told("p.tar.xz", lzma.compress(gzip.decompress(TAR), preset=6), lzma.compress(gzip.decompress(TAR), preset=1))
    assert xz[0] == found[0]


def test_lines_of_the_first_text_that_differs() -> None:
    old, new = (b"".join(b"%d %s\n" % (n, word) for n in range(40)) for word in (b"old", b"new"))
    one, other = differences(
        "p.tar.gz",
        io.BytesIO(tar(("p-1/a", old), ("p-1/b", b"1"))),
        io.BytesIO(tar(("p-1/a", new), ("p-1/b", b"2"))),
    )
    assert one.lines[:2] == ("@@ -1,40 +1,40 @@", "-0 old")
    assert len(one.lines) == LINES + 1
    assert one.lines[-1] == "... 69 more lines"
    assert other == Difference(member="p-1/b", what="other content")


@pytest.mark.parametrize("data", [b"\0\1", b"\xff\xfe"])
def test_no_lines_of_what_is_no_text(data: bytes) -> None:
    (found,) = differences("p.tar.gz", io.BytesIO(tar(("p-1/a", data))), io.BytesIO(tar(("p-1/a", data * 2))))
    assert found.lines == ()


def test_lines_are_harmless() -> None:
    (found,) = differences("p.tar.gz", io.BytesIO(tar(A)), io.BytesIO(tar(("p-1/a", b"\x1b[31mred\n"))))
    assert found.lines[-1] == "+\\x1b[31mred"


def test_a_record_is_not_what_explains() -> None:
    record = "p-1.dist-info/RECORD"
    found = differences(
        "p.whl",
        io.BytesIO(wheel((record, b"a,1\n"), ("x.py", b"1\n"))),
        io.BytesIO(wheel((record, b"a,2\n"), ("x.py", b"2\n"))),
    )
    assert [d.member for d in found if d.lines] == [record, "x.py"]


@pytest.mark.parametrize(("one", "other", "at"), [(b"abc", b"abd", 2), (b"abc", b"ab", 2), (b"", b"x", 0)])
def test_what_is_no_archive(one: bytes, other: bytes, at: int) -> None:
    expected = f"{len(one)} bytes, rebuilt {len(other)}; the first that differs is byte {at}"
    assert told("tool", one, other) == [("", expected)]


def test_far_behind() -> None:
    one = bytes(1 << 19)
    assert told("tool", one + b"a", one + b"b")[0][1].endswith("is byte 524288")


@pytest.mark.parametrize("name", ["p.tar.gz", "p.whl", "p.tar.xz"])
def test_what_is_broken(name: str) -> None:
    good = WHEEL if name == "p.whl" else TAR
    found = told(name, good, b"nothing of the kind")
    assert found[0][1].startswith("one of them cannot be read as an archive: ")
    assert found[1][1].endswith("is byte 0")
