r"""A form with files as upload clients send it, read as a stream: multipart/form-data.

    Content-Type: multipart/form-data; boundary=13c4

    --13c4\r\n
    Content-Disposition: form-data; name=":action"\r\n
    \r\n
    file_upload\r\n
    --13c4\r\n
    Content-Disposition: form-data; name="content"; filename="nova-33.0.0-py3-none-any.whl"\r\n
    Content-Type: application/octet-stream\r\n
    \r\n
    ...bytes...\r\n
    --13c4--\r\n

Stricter than the standard: nothing before the first boundary, no nested forms, no transfer encodings, names in ASCII
and in quotes, headers of at most 8 KiB, each once and in a line of its own, 1,000 parts. A name
may come several times (`classifiers`).
Source: RFC 7578, RFC 2046 section 5.1. Reason code (ProjectError): form-invalid.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from tagtrail.formats.encoding import shown
from tagtrail.model.errors import ProjectError
from tagtrail.model.frozen import frozen

__all__ = ["Part", "boundary_of", "parts"]

_PIECE = 1 << 16
_HEADERS = 8 * 1024
_PARTS = 1_000
_TYPE = re.compile(
    r'multipart/form-data *;(?: *charset=[A-Za-z0-9-]+ *;)? *boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?'
)
_DISPOSITION = re.compile(r'form-data; *name="([^"\r\n]{1,200})"(?:; *filename="([^"\r\n]*)")?')


@frozen
class Part:
    """One field: its name, and a file's name (None: it is a text)."""

    name: str
    filename: str | None = None


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names. Raises ProjectError form-invalid."""
    found = _TYPE.fullmatch(content_type.strip())
    if not found:
        raise _invalid(f"Content-Type {shown(content_type)} is not multipart/form-data with a boundary")
    return found[1].encode("ascii")


def parts(stream: BinaryIO, boundary: bytes) -> Iterator[tuple[Part, Iterator[bytes]]]:
    """The parts in their order, each with its bytes in pieces; what is not read of one is passed over.

    Raises ProjectError form-invalid, also while the pieces are read.
    """
    reader, mark = _Reader(stream), b"\r\n--" + boundary
    if any(True for _ in reader.until(mark)):
        raise _invalid("something stands before the first boundary")
    count = 0
    while (end := reader.take(2)) == b"\r\n":
        count += 1
        if count > _PARTS:
            raise _invalid(f"it has more than {_PARTS} parts")
        pieces = reader.until(mark)
        yield _part(b"".join(reader.until(b"\r\n\r\n", most=_HEADERS))), pieces
        for _ in pieces:
            pass
    if end != b"--":
        raise _invalid("a boundary is followed by something else")


def _part(headers: bytes) -> Part:
    try:
        lines = [line.partition(":") for line in headers.decode("ascii").split("\r\n")]
    except UnicodeDecodeError:
        raise _invalid("a part's headers are not ASCII") from None
    said = {name.strip().lower(): value.strip() for name, _, value in lines}
    found = _DISPOSITION.fullmatch(said.get("content-disposition", ""))
    odd = len(said) != len(lines) or any(not colon or name != name.strip() for name, colon, _ in lines)
    if not found or odd or "content-transfer-encoding" in said:
        raise _invalid("a part does not say what it is")
    return Part(name=found[1], filename=found[2])


class _Reader:
    """Bytes up to a mark, however they come."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b"\r\n"  # so that the first boundary looks like all others

    def until(self, mark: bytes, most: int = 0) -> Iterator[bytes]:
        """The bytes before `mark`, which is passed over; at most `most` of them (0: any number)."""
        size = 0
        while (at := self._held.find(mark)) < 0:
            ready = max(0, len(self._held) - len(mark) + 1)
            piece, self._held = self._held[:ready], self._held[ready:]
            size += len(piece)
            _refuse_more(size, most)
            if piece:
                yield piece
            self._more()
        _refuse_more(size + at, most)
        piece, self._held = self._held[:at], self._held[at + len(mark) :]
        if piece:
            yield piece

    def take(self, count: int) -> bytes:
        """So many bytes."""
        while len(self._held) < count:
            self._more()
        piece, self._held = self._held[:count], self._held[count:]
        return piece

    def _more(self) -> None:
        more = self._stream.read(_PIECE)
        if not more:
            raise _invalid("it ends before its last boundary")
        self._held += more


def _refuse_more(size: int, most: int) -> None:
    if most and size > most:
        raise _invalid(f"a part's headers have more than {most} bytes")


def _invalid(why: str) -> ProjectError:
    return ProjectError("this is no form that can be read", code="form-invalid", why=why)
