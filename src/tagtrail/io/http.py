"""One attempt over HTTP at an address that a person named: what is there now, its digest, or any request's answer."""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.frozen import frozen

if TYPE_CHECKING:
    import httpx

__all__ = ["Reply", "ask", "digest", "fetch", "post", "streamed"]

TIMEOUT = 20.0
"""Seconds for a connection, and for each wait within an answer."""
SLOWEST = 16 * 1024
"""Bytes per second below which an answer is given up, after PATIENCE."""
PATIENCE = 120.0
"""Seconds that any answer may take."""
UNPROXIED = ("all://localhost", "all://127.0.0.1", "all://[::1]")
"""What is said to this machine goes through no proxy of the environment: it would read it, and ask itself."""
_REDIRECTS = 5


def fetch(url: str, limit: int) -> bytes | None:
    """The body at `url`; None where there is none (404, 410).

    Redirects are followed on the same host, and never from https to http. Raises SetupError `url`; RemoteError
    `url-unreachable`, `url-status`, `url-redirect`, `url-too-large` (more than `limit` bytes), `url-slow`.
    """
    with _answer(url) as answer:
        return None if answer is None else b"".join(_chunks(url, answer, limit))


def digest(url: str, limit: int) -> str | None:
    """SHA-256 (hex) of the body at `url`, which is not kept; None where there is none. Raises as `fetch` does."""
    with _answer(url) as answer:
        if answer is None:
            return None
        body = hashlib.sha256()
        for chunk in _chunks(url, answer, limit):
            body.update(chunk)
        return body.hexdigest()


@contextmanager
def streamed(url: str, limit: int) -> Iterator[tuple[int, Iterator[bytes]] | None]:
    """The length that is announced for the body at `url` (0: none is) and its pieces; None where there is none.

    Raises as `fetch` does, also while the pieces are read.
    """
    with _answer(url) as answer:
        if answer is None:
            yield None
        else:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isascii() and length.isdigit() and len(length) < 19 else 0
            yield total, _chunks(url, answer, limit)


@frozen
class Reply:
    """What a request was answered. The names of `headers` are in lower case; `reason` stands after the status."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    reason: str = ""


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | Iterable[bytes] = b"",
    limit: int = 1 << 20,
    wait: float = TIMEOUT,
) -> Reply:
    """The answer to any request, whatever its status; a redirect is an answer and not followed.

    A `body` in pieces needs its length in `headers`; what it raises is raised. `wait` are the seconds for a connection
    and for each wait within the answer. Raises SetupError `url`; RemoteError `url-unreachable` (nothing was asked),
    `reply-lost` (nobody knows what became of it), `url-too-large` (more than `limit` bytes), `url-slow`.
    """
    import httpx

    try:
        with _client().stream(method, url, headers=headers, content=body or None, timeout=wait) as answer:
            data = b"".join(_chunks(url, answer, limit))
            said = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(status=answer.status_code, body=data, headers=said, reason=answer.reason_phrase)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.ConnectError, httpx.ConnectTimeout):
        with _said(url):
            raise
    except httpx.HTTPError as error:
        raise RemoteError(f"{url} did not answer to the end", code="reply-lost", why=_why(error)) from error


def post(url: str, body: bytes, limit: int) -> Reply:
    """The answer to `body` at `url`, whatever its status; a redirect is an answer and not followed.

    Raises SetupError `url`; RemoteError `url-unreachable`, `url-too-large` (more than `limit` bytes), `url-slow`.
    """
    headers = {"Content-Type": "application/octet-stream"}
    with _said(url), _client().stream("POST", url, content=body, headers=headers) as answer:
        return Reply(status=answer.status_code, body=b"".join(_chunks(url, answer, limit)))


@cache
def _client() -> "httpx.Client":
    """One for this process: a connection is used again, and the authorities are read once."""
    import httpx

    headers = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}
    return httpx.Client(timeout=TIMEOUT, headers=headers, mounts=dict.fromkeys(UNPROXIED))


@contextmanager
def _answer(url: str) -> Iterator["httpx.Response | None"]:
    import httpx

    with _said(url):
        at = httpx.URL(url)
        for _ in range(_REDIRECTS):
            with _client().stream("GET", at) as answer:
                if answer.next_request is None:
                    yield _found(url, answer)
                    return
                at = _elsewhere(at, answer.next_request.url)
    raise RemoteError(f"{url} redirects more than {_REDIRECTS} times", code="url-redirect")


@contextmanager
def _said(url: str) -> Iterator[None]:
    import httpx

    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SetupError(f"{url} is not an address: {error}", code="url", hint="https://HOST/") from error
    except httpx.HTTPError as error:
        raise RemoteError(f"{url} does not answer", code="url-unreachable", why=_why(error)) from error


def _why(error: Exception) -> str:
    """A header that cannot be sent is not shown: it may be who we are."""
    said = str(error) or type(error).__name__
    return "a header cannot be sent" if "header value" in said else said


def _found(url: str, answer: "httpx.Response") -> "httpx.Response | None":
    if answer.status_code in (404, 410):
        return None
    if answer.status_code != 200:
        raise RemoteError(f"{url} answers {answer.status_code}", code="url-status")
    return answer


def _chunks(url: str, answer: "httpx.Response", limit: int) -> Iterator[bytes]:
    size, begun = 0, time.monotonic()
    for chunk in answer.iter_raw():
        size += len(chunk)
        if size > limit:
            raise RemoteError(f"{url} has more than {limit} bytes", code="url-too-large")
        took = time.monotonic() - begun
        if took > PATIENCE + size / SLOWEST:
            raise RemoteError(f"{url} takes more than {took:.0f} seconds for {size} bytes", code="url-slow")
        yield chunk


def _elsewhere(at: "httpx.URL", to: "httpx.URL") -> "httpx.URL":
    if to.host != at.host or (at.scheme, to.scheme) == ("https", "http"):
        what = f"{at} redirects to {to}"
        raise RemoteError(
            what, code="url-redirect", why="another host, or without TLS", hint="name that address yourself"
        )
    return to
