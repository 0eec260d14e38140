"""What a package index shows: a project's page, and the digest of a file on it."""

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from tagtrail.formats.index_page import ACCEPT, Listed, read_page
from tagtrail.io import http
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.names import project_key

__all__ = ["Login", "Shelf", "authorization"]

Login = Callable[[], tuple[str, str] | None]
"""Who we are at the index: name and password, looked up when it is asked for; None: nobody."""

MAX_PAGE = 64 << 20
"""Bytes of a project's page: those of projects with ten thousand files have a dozen million."""
_REDIRECTS = 5


def authorization(login: tuple[str, str] | None) -> dict[str, str]:
    """The header that says who we are."""
    if login is None:
        return {}
    return {"Authorization": "Basic " + b64encode(":".join(login).encode()).decode("ascii")}


class Shelf:
    """An index's pages below `simple`. Nobody is named to it unless it asks (401), and only at `login_at`'s host.

    `absent` is whether it had no page at all of the project that was asked for last.
    """

    def __init__(self, simple: str, *, login: Login, login_at: str) -> None:
        self.simple = simple if simple.endswith("/") else f"{simple}/"
        self._login = login
        self._trusted = _origin(simple) == _origin(login_at)
        self._named = False
        self.absent = False
        self._last: tuple[str, str, tuple[Listed, ...]] = ("", "", ())

    def page(self, project: str) -> str:
        """The address of a project's page."""
        return f"{self.simple}{project_key(project)}/"

    def files(self, project: str) -> tuple[Listed, ...]:
        """What the page lists; nothing where there is no page.

        Raises RemoteError `index-page`, `index-status`, `index-redirect`, and what `io.http.ask` raises.
        """
        url = at = self.page(project)
        for _ in range(_REDIRECTS):
            reply = self._ask(at)
            if reply.status not in (301, 302, 303, 307, 308):
                return self._read(url, at, reply)
            at = urljoin(at, reply.headers.get("location", ""))
            if _origin(at) != _origin(url):
                hint = f'simple = "{at}" in the settings, if that is the index that you mean'
                raise RemoteError(f"{url} redirects to {at}", code="index-redirect", why="another host", hint=hint)
        raise RemoteError(f"{url} redirects more than {_REDIRECTS} times", code="index-redirect")

    def digest(self, listed: Listed, size: int) -> str:
        """The SHA-256 that a consumer gets: of the page, or else of the file. Empty: it has more than `size` bytes, or
        is not there."""
        if listed.sha256:
            return listed.sha256
        try:
            return http.digest(listed.url, size) or ""
        except RemoteError as error:
            if error.code == "url-too-large":
                return ""
            raise

    def _ask(self, url: str) -> http.Reply:
        same = {"If-None-Match": self._last[1]} if self._last[0] == url and self._last[1] else {}
        headers = {"Accept": ACCEPT, **same}
        if not self._named:
            reply = http.ask("GET", url, headers=headers, limit=MAX_PAGE)
            if reply.status != 401 or not self._trusted:
                return reply
            self._named = True
        return http.ask("GET", url, headers={**headers, **authorization(self._whoever())}, limit=MAX_PAGE)

    def _whoever(self) -> tuple[str, str] | None:
        try:
            return self._login()
        except SetupError as error:
            raise RemoteError(error.what, code="index-login", why=error.why, hint=error.hint) from error

    def _read(self, url: str, at: str, reply: http.Reply) -> tuple[Listed, ...]:
        if reply.status == 304 and self._last[0] == at:
            return self._last[2]
        self.absent = reply.status in (404, 410)
        if self.absent:
            return ()
        if reply.status != 200:
            raise RemoteError(f"{url} answers {reply.status}", code="index-status")
        found = read_page(reply.body, reply.headers.get("content-type", ""), at)
        self._last = (at, reply.headers.get("etag", ""), found)
        return found


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
