"""A zip that is kept as it came: what one reader sees and another does not is refused."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError

TEXT = b"print('hello')\n" * 40


class Pipe(io.BytesIO):
    """Where nobody can go back: zipfile then writes descriptors behind the data."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def made(
    *, to: io.BytesIO | None = None, method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"", zip64: bool = False
) -> bytes:
    out = to or io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in (("p/a.py", TEXT), ("p/\u00e4.py", b""), ("p/b.py", TEXT[::-1])):
            with packed.open(
                zipfile.ZipInfo(name) if method == zipfile.ZIP_STORED else name, "w", force_zip64=zip64
            ) as file:
                file.write(data)
        packed.writestr(zipfile.ZipInfo("p/d/"), b"")
        packed.comment = comment
    return out.getvalue()


GOOD = made()


def refused(data: bytes) -> str:
    with pytest.raises(ProjectError) as raised:
        Wheel(io.BytesIO(data)).check_layout()
    return raised.value.code


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        made(method=zipfile.ZIP_STORED),
        made(to=Pipe()),
        made(zip64=True),
        made(to=Pipe(), zip64=True),
        made(comment=b"6f1c0de5b0a7d3c1"),
    ],
)
def test_as_tools_write_them(data: bytes) -> None:
    Wheel(io.BytesIO(data)).check_layout()


@pytest.mark.slow
def test_more_members_than_the_short_end_can_count() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for number in range(0x10000):
            packed.writestr(zipfile.ZipInfo(f"p/{number}"), b"")
    data = out.getvalue()
    Wheel(io.BytesIO(data)).check_layout()
    end = data.rindex(b"PK\6\6")
    assert refused(data[: end + 24] + struct.pack("<Q", 9) + data[end + 32 :]) == "archive-damaged"


def at_end(data: bytes, place: int, form: str, value: int) -> bytes:
    """A field of the end changed."""
    changed = bytearray(data)
    struct.pack_into(form, changed, data.rindex(b"PK\5\6") + place, value)
    return bytes(changed)


def shifted(data: bytes, at: int, more: bytes) -> bytes:
    """`more` put in at `at`, all that the directory says of places behind it corrected."""
    start = data.index(b"PK\1\2")
    new = bytearray(data[:at] + more + data[at:])
    where = start + len(more)
    while new[where : where + 4] == b"PK\1\2":
        (offset,) = struct.unpack_from("<L", new, where + 42)
        struct.pack_into("<L", new, where + 42, offset + len(more) * (offset >= at))
        where += 46 + sum(struct.unpack_from("<3H", new, where + 28))
    return at_end(bytes(new), 16, "<L", start + len(more))


def local(name: bytes, data: bytes) -> bytes:
    return (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0)
        + name
        + data
    )


HIDDEN = local(b"p/evil.py", b"import os\n")
EMPTY = b"PK\5\6" + bytes(18)
SECOND, START = GOOD.index(b"PK\3\4", 4), GOOD.index(b"PK\1\2")


def in_first(place: int, value: bytes) -> bytes:
    return GOOD[:place] + value + GOOD[place + len(value) :]


def behind_deflated() -> bytes:
    """The first member's data end, and a whole member follows within what its size covers."""
    new = bytearray(shifted(GOOD, SECOND, HIDDEN))
    start = new.index(b"PK\1\2")
    (size,) = struct.unpack_from("<L", new, start + 20)
    for at in (18, start + 20):
        struct.pack_into("<L", new, at, size + len(HIDDEN))
    return bytes(new)


def named_otherwise() -> bytes:
    out = io.BytesIO()
    field = struct.pack("<HHBL", 0x7075, 5 + 9, 1, zlib.crc32(b"p/a.py")) + b"p/evil.py"
    with zipfile.ZipFile(out, "w") as packed:
        info = zipfile.ZipInfo("p/a.py")
        info.extra = field
        packed.writestr(info, TEXT)
    return out.getvalue()


def with_bytes_in_a_directory() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(zipfile.ZipInfo("p/d/"), HIDDEN)
    return out.getvalue()


def with_more_than_it_says() -> bytes:
    """The deflated data go on behind what checksum and size are of, in both places."""
    new, start = bytearray(GOOD), START
    shorter = struct.pack("<L", zlib.crc32(TEXT[:-9])), struct.pack("<L", len(TEXT) - 9)
    for at in (14, start + 16):
        new[at : at + 4], new[at + 8 : at + 12] = shorter
    return bytes(new)


def with_two_long_sizes() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        info = zipfile.ZipInfo("p/a.py")
        info.extra = struct.pack("<HHQQHHQQ", 1, 16, len(TEXT), len(TEXT), 1, 16, 9, 9)
        packed.writestr(info, TEXT)
    return out.getvalue()


LIES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a member before the first": ("archive-trailing", lambda: HIDDEN + GOOD),
    "the same, its places corrected": ("archive-trailing", lambda: shifted(GOOD, 0, HIDDEN)),
    "a member between two": ("archive-trailing", lambda: shifted(GOOD, SECOND, HIDDEN)),
    "a member before the directory": ("archive-trailing", lambda: shifted(GOOD, START, HIDDEN)),
    "a member within another's data": ("archive-trailing", behind_deflated),
    "a member before an empty directory": ("archive-trailing", lambda: HIDDEN + EMPTY),
    "more data than is said": ("archive-damaged", with_more_than_it_says),
    "two fields for long sizes": ("archive-damaged", with_two_long_sizes),
    "bytes behind the end": ("archive-trailing", lambda: GOOD + b"x"),
    "an end within a comment": ("archive-damaged", lambda: made(comment=GOOD[-22:])),
    "a record within a comment": ("archive-trailing", lambda: made(comment=HIDDEN)),
    "bytes before the end": ("archive-damaged", lambda: GOOD[:-22] + b"stray" + GOOD[-22:]),
    "another name before the bytes": ("archive-damaged", lambda: in_first(30, b"p/e.py")),
    "another size before the bytes": ("archive-damaged", lambda: in_first(22, b"\1")),
    "another packed size before the bytes": ("archive-damaged", lambda: in_first(18, b"\1")),
    "another method before the bytes": ("archive-damaged", lambda: in_first(8, b"\0")),
    "a descriptor that only one of two says": ("archive-damaged", lambda: in_first(6, b"\x08")),
    "a count that is another": ("archive-damaged", lambda: at_end(GOOD, 10, "<H", 3)),
    "a place that is another": ("archive-trailing", lambda: at_end(GOOD, 16, "<L", START + 1)),
    "another name in an extra field": ("archive-name", named_otherwise),
    "a directory with bytes": ("archive-type", with_bytes_in_a_directory),
}


@pytest.mark.parametrize(("code", "lie"), LIES.values(), ids=LIES)
def test_what_readers_would_understand_differently(code: str, lie: Callable[[], bytes]) -> None:
    assert refused(lie()) == code
