"""Forms as upload clients write them, however their bytes come; what is not one is refused."""

import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.multipart import Part, boundary_of, parts
from tagtrail.model.errors import ProjectError

FIELDS = st.lists(
    st.tuples(
        st.text("abc:_", min_size=1, max_size=8), st.none() | st.text("abc.-", max_size=8), st.binary(max_size=300)
    ),
    max_size=5,
)


class Dripping(io.RawIOBase):
    """A stream that gives as much as it likes."""

    def __init__(self, data: bytes, sizes: Iterable[int]) -> None:
        self._data, self._sizes = io.BytesIO(data), iter(sizes)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(next(self._sizes, 1 << 16), size))


def form(fields: Iterable[tuple[str, str | None, bytes]], boundary: bytes) -> bytes:
    out = b""
    for name, filename, data in fields:
        file = "" if filename is None else f'; filename="{filename}"'
        head = f'Content-Disposition: form-data; name="{name}"{file}\r\nContent-Type: x/y\r\n\r\n'.encode()
        out += b"--" + boundary + b"\r\n" + head + data + b"\r\n"
    return out + b"--" + boundary + b"--\r\n"


def read(data: bytes, boundary: bytes = b"b", sizes: Iterable[int] = ()) -> list[tuple[Part, bytes]]:
    stream = Dripping(data, sizes)
    return [(part, b"".join(pieces)) for part, pieces in parts(stream, boundary)]  # type: ignore[arg-type]


@given(FIELDS, st.lists(st.integers(1, 40)))
def test_what_was_written_is_read_however_it_comes(
    fields: list[tuple[str, str | None, bytes]], sizes: list[int]
) -> None:
    boundary = b"-----f00"
    if any(b"\r\n--" + boundary in data for _, _, data in fields):
        return
    expected = [(Part(name=name, filename=filename), data) for name, filename, data in fields]
    if expected:
        assert read(form(fields, boundary), boundary, sizes) == expected


@given(st.binary(max_size=200))
def test_anything_else_is_refused_by_code(data: bytes) -> None:
    with pytest.raises(ProjectError) as caught:
        read(b"x" + data)
    assert caught.value.code == "form-invalid"


GOOD = form([("a", None, b"1"), ("content", "x.whl", b"2\r\n--c")], b"b")


def test_parts_that_nobody_reads_are_passed_over() -> None:
    assert [part.name for part, _ in parts(io.BytesIO(GOOD), b"b")] == ["a", "content"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" + GOOD,
        GOOD[:-6],
        GOOD.replace(b"--b--", b"--b!!"),
        GOOD.replace(b"form-data", b"attachment", 1),
        GOOD.replace(b'name="a"', b"name=a"),
        GOOD.replace(b'name="a"', b'name="\xff"'),
        GOOD.replace(b"Content-Type: x/y", b"Content-Transfer-Encoding: base64", 1),
        GOOD.replace(b"Content-Type: x/y", b"X: " + b"y" * 9000, 1),
        GOOD.replace(b"Content-Type: x/y", b'Content-Disposition: form-data; name="content"; filename="y.whl"', 1),
        GOOD.replace(b"Content-Type: x/y", b" folded", 1),
        form([("a", None, b"")] * 1001, b"b"),
    ],
)
def test_what_is_no_form(data: bytes) -> None:
    assert len(read(GOOD)) == 2
    with pytest.raises(ProjectError) as caught:
        read(data)
    assert caught.value.code == "form-invalid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("multipart/form-data; boundary=13c4", b"13c4"),
        ('multipart/form-data; boundary="a b"', None),
        ('multipart/form-data; boundary="a-b"', b"a-b"),
        ("multipart/mixed; boundary=a", None),
        ("application/json", None),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=" + "a" * 71, None),
    ],
)
def test_boundaries(text: str, expected: bytes | None) -> None:
    if expected:
        assert boundary_of(text) == expected
        return
    with pytest.raises(ProjectError) as caught:
        boundary_of(text)
    assert caught.value.code == "form-invalid"
