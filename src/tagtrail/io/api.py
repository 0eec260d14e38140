"""One attempt at a JSON API over HTTP: a look, a change that may be refused or lost, the digest of a download."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tagtrail.io.http import UNPROXIED
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.ports import Refused, Unknown

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Api", "Body"]

TIMEOUT = 30.0
"""Seconds for a connection, and for each wait within an answer."""
PATIENCE = 300.0
"""Seconds that reading any answer may take."""
MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of JSON in one answer."""
LONGEST = 86_400
"""Seconds: the longest that a place may tell us to wait."""
_NO_ENTRY = 3_600
_BUSY = 60
_WAITS = {410: LONGEST, 429: _BUSY}
_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a change was answered: 2xx, or 400, 409, 422, of which only the caller can tell what they mean."""

    status: int
    value: Any

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """Bytes to be sent as they are: pieces, of `size` bytes in all. The last goes out when there are no more, so that
    what raises at its end is never sent whole."""

    chunks: Iterable[bytes]
    size: int
    media: str

    def pieces(self) -> Iterator[bytes]:
        """The pieces, one behind."""
        last = b""
        for chunk in self.chunks:
            if last:
                yield last
            last = chunk
        yield last


@dataclass(slots=True, kw_only=True)
class Api:
    """An API below `base`, spoken to with `authorization` (the header's value; looked up when first used)."""

    base: str
    authorization: Callable[[], str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = TIMEOUT

    def look(self, path: str, **query: str | int) -> Any:
        """The JSON at `path` (or an address); None where there is nothing (404).

        Raises RemoteError `api-unreachable`, `api-status`, `api-reply`; SetupError `url`.
        """
        try:
            status, headers, data = self._exchange("GET", path, query=query)
        except _Lost as lost:
            raise RemoteError(str(lost), code="api-unreachable", why=lost.why) from lost
        if status == 404:
            return None
        if status != 200:
            why = f"it says to wait {_after(headers, 0)} seconds" if _after(headers, 0) else ""
            raise RemoteError(f"{self._at(path)} answers {status}", code="api-status", why=why)
        return _parsed(self._at(path), data)

    def send(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        deaf: bool = False,
    ) -> Answer:
        """The answer to a change, tried once; `headers` are this one's own, `deaf`: what it says in words is not read.

        Raises Refused (401, 403, 404, 410, 429, a redirect, nobody listens), Unknown (5xx, a lost reply, a time-out),
        and what `body` raises.
        """
        try:
            status, about, data = self._exchange(method, path, value=value, body=body, own=headers)
        except _Lost as lost:
            if lost.before:
                raise Refused(f"{lost}: {lost.why}", _BUSY) from lost
            raise Unknown(f"{lost}: {lost.why}") from lost
        said = f"{self._at(path)} answers {status}"
        if status >= 500:
            raise Unknown(said)
        if why := _refusal(status):
            raise Refused(f"{said}{why}", _after(about, _WAITS.get(status, _NO_ENTRY)))
        if deaf:
            return Answer(status=status, value=None)
        try:
            return Answer(status=status, value=_parsed(self._at(path), data) if data.strip() else None)
        except RemoteError as error:
            if status < 300:
                raise Unknown(error.what) from error
            return Answer(status=status, value=None)

    def digest(self, url: str, limit: int, *, accept: str = "application/octet-stream") -> str | None:
        """SHA-256 (hex) of what is at `url`; None where there is nothing. Another host is followed to, and not told who
        we are.

        Raises RemoteError `api-unreachable`, `api-status`, `api-redirect`, `api-too-large` (more than `limit` bytes).
        """
        import httpx

        at, home = httpx.URL(self._at(url)), httpx.URL(self.base)
        for _ in range(_REDIRECTS):
            headers = {"Accept": accept, **(self._who() if at.netloc == home.netloc else {})}
            with _told(str(at)), _client(self.timeout).stream("GET", at, headers=headers) as reply:
                if reply.next_request is None:
                    return _digest(str(at), reply, limit)
                to = reply.next_request.url
            if (at.scheme, to.scheme) == ("https", "http"):
                raise RemoteError(f"{at} redirects to {to}", code="api-redirect", why="without TLS")
            at = to
        raise RemoteError(f"{url} redirects more than {_REDIRECTS} times", code="api-redirect")

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        value: Any = None,
        body: Body | None = None,
        own: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        headers = {"Accept": "application/json", **self.headers, **(own or {}), **self._who()}
        more: dict[str, Any] = {"params": dict(query)} if query else {}
        if body is not None:
            headers |= {"Content-Type": body.media, "Content-Length": str(body.size)}
            more["content"] = body.pieces()
        elif value is not None:
            more["json"] = value
        try:
            with _client(self.timeout).stream(method, self._at(path), headers=headers, **more) as reply:
                return reply.status_code, reply.headers, _read(reply)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise SetupError(f"{self._at(path)} is not an address", code="url", hint="https://HOST/") from error
        except httpx.HTTPError as error:
            early = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise _Lost(f"{self._at(path)} does not answer", error, before=early) from error

    def _who(self) -> dict[str, str]:
        return {"Authorization": self.authorization()} if self.authorization else {}

    def _at(self, path: str) -> str:
        return path if "://" in path else f"{self.base.rstrip('/')}/{path.lstrip('/')}"


@cache
def _client(timeout: float) -> "httpx.Client":
    """One for this process: a connection is used again, and the authorities are read once."""
    import httpx

    return httpx.Client(timeout=timeout, headers={"Accept-Encoding": "identity"}, mounts=dict.fromkeys(UNPROXIED))


class _Lost(Exception):  # noqa: N818  (it is what happened to a reply)
    """No answer, or a part of one; `before`: nobody was reached, so nothing was done."""

    def __init__(self, what: str, error: Exception, *, before: bool) -> None:
        super().__init__(what)
        self.why = str(error) or type(error).__name__
        self.before = before


@contextmanager
def _told(url: str) -> Iterator[None]:
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise RemoteError(f"{url} does not answer", code="api-unreachable", why=why) from error


def _digest(url: str, reply: "httpx.Response", limit: int) -> str | None:
    if reply.status_code in (404, 410):
        return None
    if reply.status_code != 200:
        raise RemoteError(f"{url} answers {reply.status_code}", code="api-status")
    body, size = sha256(), 0
    for chunk in _timed(reply):
        size += len(chunk)
        if size > limit:
            raise RemoteError(f"{url} has more than {limit} bytes", code="api-too-large")
        body.update(chunk)
    return body.hexdigest()


def _read(reply: "httpx.Response") -> bytes:
    import httpx

    data = bytearray()
    for chunk in _timed(reply):
        data += chunk
        if len(data) > MAX_ANSWER:
            raise httpx.ReadError(f"an answer of more than {MAX_ANSWER} bytes")
    return bytes(data)


def _timed(reply: "httpx.Response") -> Iterator[bytes]:
    import httpx

    begun = time.monotonic()
    for chunk in reply.iter_raw():
        if time.monotonic() - begun > PATIENCE:
            raise httpx.ReadTimeout(f"an answer that takes more than {PATIENCE:.0f} seconds")
        yield chunk


def _refusal(status: int) -> str:
    """What a status says that is a clear no; empty: it is none."""
    if status == 429:
        return ": too many requests"
    if status in (401, 403, 404):
        return ": is the name right, and may the token write there?"
    if status == 410:
        return ": it is not wanted there any more"
    return "" if status in (400, 409, 422) or 200 <= status < 300 else ", which is no answer to this"


def _parsed(url: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RemoteError(f"{url} does not answer with JSON", code="api-reply") from error


def _after(headers: Mapping[str, str], default: int) -> int:
    """The seconds that `Retry-After` says, as a number or a date, or until a limit that is used up is set back; by the
    answer's own clock, within bounds."""
    said, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
    if _is_number(said):
        return min(max(int(said), 1), LONGEST)
    if not said and headers.get("X-RateLimit-Remaining") == "0":
        said = reset
    try:
        wait = _moment(said) - parsedate_to_datetime(headers.get("Date", ""))
        return min(max(int(wait.total_seconds()), 1), LONGEST)
    except (TypeError, ValueError, OverflowError):
        return default


def _moment(said: str) -> datetime:
    """A time in Unix seconds (GitHub), as RFC 3339 (Mastodon), or as HTTP has it. Raises ValueError."""
    if _is_number(said):
        return datetime.fromtimestamp(int(said), UTC)
    if said[:4].isdigit():
        return datetime.fromisoformat(said)
    return parsedate_to_datetime(said)


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 12
