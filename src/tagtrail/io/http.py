"""One attempt over HTTP, with limits: what a consumer would get from this URL now."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Seen", "get", "look"]

TIMEOUT = 20.0
"""Seconds for a connection, and for each wait within an answer."""
CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an address answered: the status (0: no answer, with `why`), and of a 200 the body's SHA-256 and size."""

    status: int
    sha256: str = ""
    size: int = 0
    why: str = ""


def look(url: str, limit: int) -> Seen:
    """GET `url` without keeping the body; at most `limit` bytes are read. Never raises."""
    digest = hashlib.sha256()
    size = 0
    try:
        for status, chunk in _stream(url):
            if status != 200:
                return Seen(status=status, why=f"answers {status}")
            digest.update(chunk)
            size += len(chunk)
            if size > limit:
                return Seen(status=200, size=size, why=f"is larger than {limit} bytes")
    except OSError as error:
        return Seen(status=0, why=str(error))
    return Seen(status=200, sha256=digest.hexdigest(), size=size)


def get(url: str, limit: int) -> tuple[int, bytes]:
    """(status, body) of `url`; (0, why) without an answer. The body is cut at `limit` bytes. Never raises."""
    body = b""
    last = 200
    try:
        for status, chunk in _stream(url):
            last = status
            body += chunk
            if len(body) >= limit:
                break
    except OSError as error:
        return 0, str(error).encode()
    return last, body[:limit]


def _stream(url: str) -> Iterator[tuple[int, bytes]]:
    """(status, chunk) pairs, at least one. Raises OSError with the reason."""
    import httpx

    headers = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}
    try:
        with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT, follow_redirects=True) as answer:
            yield answer.status_code, b""
            for chunk in answer.iter_bytes(CHUNK):
                yield answer.status_code, chunk
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error
