"""What stands in an archive of somebody else's making, unpacked within bounds: one stream of gzip, xz or bzip2, nothing
after it.

Raises ProjectError with the codes of `tagtrail.formats.archive`: `archive-damaged`, `archive-trailing`, `archive-size`.
Sources: RFC 1952; the .xz file format 1.2; the bzip2 manual.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import BinaryIO

from tagtrail.formats.archive import Limits, refusal

__all__ = ["PIECE", "XZ_MOST", "form_of", "gunzipped", "spooled", "unpacker_of"]

PIECE = 1 << 18
"""Bytes that are read at once, and the most that come out at once."""

XZ_MOST = 256 << 20
"""Bytes of memory to unpack xz: `xz -9` needs 65 MiB, and a header may ask for 4 GiB."""

Unpacker = Callable[[bytes, BinaryIO], Iterator[bytes]]
"""The pieces of what a file holds, which begins with some bytes and goes on in a source."""


def form_of(name: str) -> str:
    """What the file called `name` must be, or it is refused: `zip`, or a form of `unpacker_of`; empty: anything."""
    return next((form for suffixes, form in _NAMED.items() if name.endswith(suffixes)), "")


def unpacker_of(form: str) -> Unpacker:
    """How a tar is unpacked: `tar`, `tar.gz`, `tar.xz`, `tar.bz2`."""
    return _UNPACKERS[form]


def spooled(pieces: Iterable[bytes], spool: BinaryIO, limits: Limits) -> str:
    """Write the pieces to `spool` as long as they are within the limits; SHA-256 of them all."""
    digest, size = sha256(), 0
    for piece in pieces:
        size += len(piece)
        if size > limits.unpacked:
            raise refusal("size", f"the archive unpacks to more than {limits.unpacked} bytes")
        digest.update(piece)
        spool.write(piece)
    return digest.hexdigest()


def gunzipped(piece: bytes, source: BinaryIO) -> Iterator[bytes]:
    """One gzip member that begins with `piece`."""
    unpacker = zlib.decompressobj(31)
    while piece:
        try:
            yield unpacker.decompress(piece, PIECE)
        except zlib.error as error:
            raise refusal("damaged", "the archive is no gzip file", str(error)) from error
        piece = b"" if unpacker.eof else unpacker.unconsumed_tail or source.read(PIECE)
    if not unpacker.eof:
        raise refusal("damaged", "the archive is no gzip file, or is cut off")
    if unpacker.unused_data or source.read(1):
        raise refusal("trailing", "the archive has bytes after its gzip end")


def _unxzed(piece: bytes, source: BinaryIO) -> Iterator[bytes]:
    """One xz stream that begins with `piece`."""
    return _one_stream(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MOST), "xz", piece, source)


def _unbzipped(piece: bytes, source: BinaryIO) -> Iterator[bytes]:
    """One bzip2 stream that begins with `piece`."""
    return _one_stream(bz2.BZ2Decompressor(), "bzip2", piece, source)


def _one_stream(
    unpacker: lzma.LZMADecompressor | bz2.BZ2Decompressor, kind: str, piece: bytes, source: BinaryIO
) -> Iterator[bytes]:
    while not unpacker.eof:
        try:
            yield unpacker.decompress(piece, PIECE)
        except (lzma.LZMAError, OSError, MemoryError) as error:
            raise refusal("damaged", f"the archive is no {kind} file", str(error)) from error
        piece = source.read(PIECE) if unpacker.needs_input else b""
        if unpacker.needs_input and not piece and not unpacker.eof:
            raise refusal("damaged", "the archive is cut off")
    if unpacker.unused_data or source.read(1):
        raise refusal("trailing", f"the archive has bytes after its {kind} end")


def _as_it_is(piece: bytes, source: BinaryIO) -> Iterator[bytes]:
    """A tar that is not compressed."""
    while piece:
        yield piece
        piece = source.read(PIECE)


_UNPACKERS: dict[str, Unpacker] = {"tar": _as_it_is, "tar.gz": gunzipped, "tar.xz": _unxzed, "tar.bz2": _unbzipped}
_NAMED = {
    (".tar.gz", ".tgz"): "tar.gz", (".tar.xz", ".txz"): "tar.xz", (".tar",): "tar", (".zip", ".whl"): "zip",
}  # fmt: skip
"""Names of old: who releases such a file knows that it is read strictly, or refused."""
