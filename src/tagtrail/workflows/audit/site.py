"""A site as an auditor reads it: by paths, in pieces, never more than was asked for."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from typing import Protocol

from tagtrail.model.frozen import frozen

__all__ = ["LARGEST", "SiteReader", "Stored", "measure", "read", "stated"]

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest page or sidecar that is read."""


class SiteReader(Protocol):
    """A site as it lies there. Paths are relative, with `/`. It is read by several threads at once."""

    def paths(self) -> Iterator[str] | None:
        """Every path, sorted; None where nobody can list them (HTTP)."""
        ...

    def opened(self, path: str) -> AbstractContextManager[Iterator[bytes] | None]:
        """The bytes at `path` in pieces, as far as they are asked for; None where there is no file.

        One attempt: raises RemoteError where there is no answer, TamperError `path-outside` for a path or a link
        that leads out of the site.
        """
        ...


@frozen
class Stored:
    """What lies at a path: lower-case hex SHA-256 and size in bytes; the bytes, if they were to be kept.

    Of a file larger than asked for, `size` is what was read before it was left, and the digest is of that.
    """

    sha256: str
    size: int
    data: bytes | None = None


def read(site: SiteReader, path: str, limit: int = LARGEST) -> bytes | None:
    """The bytes at `path`, one more than `limit` at most (who parses them refuses that); None: there is no file."""
    with site.opened(path) as pieces:
        if pieces is None:
            return None
        data = bytearray()
        for piece in pieces:
            data += piece
            if len(data) > limit:
                break
        return bytes(data[: limit + 1])


def measure(site: SiteReader, path: str, limit: int, *, keep: bool = False) -> Stored | None:
    """Digest and size of what lies at `path`; reading ends with the piece in which it is larger than `limit`."""
    with site.opened(path) as pieces:
        if pieces is None:
            return None
        digest, size, kept = sha256(), 0, []
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            if keep:
                kept.append(piece)
            if size > limit:
                break
    return Stored(sha256=digest.hexdigest(), size=size, data=b"".join(kept) if keep else None)


def stated(data: bytes) -> str:
    """Bytes by their digest and size, for people."""
    return f"{sha256(data).hexdigest()} ({len(data):,} bytes)"
