"""A site to read from: its address, or a copy of it in a directory. What is read there is evidence, never trust."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from tagtrail.app.consumer.beside import read_small
from tagtrail.model.errors import SetupError

__all__ = ["Place", "check_address", "is_address", "place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A site at `where`: an address that ends with a slash, or the absolute path of a directory.

    `stored` reads what nobody can fetch: a bucket. It takes a path and a limit, and gives one byte more at most.
    """

    where: str
    stored: Callable[[str, int], bytes | None] | None = None

    def read(self, path: str, limit: int) -> bytes | None:
        """The bytes at `path`, relative to the site's root; None where there are none.

        Of more than `limit` bytes, an address raises RemoteError `url-too-large` and a directory gives one more than
        that. Raises what `io.http.fetch` and `beside.read_small` raise.
        """
        if {"", ".", ".."} & set(path.split("/")):
            return None  # nothing of a site lies there, and nothing outside it is opened
        if self.stored:
            return self.stored(path, limit)
        if is_address(self.where):
            from tagtrail.io.http import fetch

            return fetch(self.shown(path), limit)
        return read_small(Path(self.where, path), limit)

    def shown(self, path: str) -> str:
        """The address or the file name of `path`, for people."""
        return f"{self.where}{quote(path)}" if is_address(self.where) else str(Path(self.where, path))

    def path(self, address: str, page: str) -> str | None:
        """Where on this site an address leads that stands on the page at `page`; None: somewhere else."""
        if is_address(address):
            inside = address.startswith(self.where)
            return unquote(urlsplit(address[len(self.where) :]).path) if inside else None
        parts = page.split("/")[:-1]
        for part in unquote(urlsplit(address).path).split("/"):
            if part == ".." and not parts:
                return None
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        return "/".join(parts)


def is_address(where: str) -> bool:
    """Whether this names something to be fetched."""
    return "://" in where


def check_address(url: str) -> str:
    """`url`, if it may be shown and remembered. Raises SetupError `url`."""
    at = urlsplit(url)
    if at.scheme not in ("http", "https") or not at.netloc or not url.isprintable():
        raise SetupError(f"{url} is not an address", code="url", hint="https://HOST/")
    if "@" in at.netloc:
        what = f"the address at {at.netloc.rpartition('@')[2]} holds a user or a password"
        raise SetupError(what, code="url", why="addresses are shown, and remembered with pins", hint="leave it out")
    return url


def place(where: str) -> Place:
    """The site at an address or in a directory. Raises SetupError `url`, `file-missing`."""
    if is_address(where):
        return Place(f"{check_address(where).rstrip('/')}/")
    directory = Path(where).absolute()
    if not directory.is_dir():
        raise SetupError(f"there is no directory {where}", code="file-missing", hint="https://HOST/ is an address")
    return Place(str(directory))
