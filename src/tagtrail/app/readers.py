"""Sites as an auditor reads them: a directory on this disk, or an address; nothing outside of either is ever opened."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tagtrail.app.beside import files_in
from tagtrail.model.errors import SetupError, TamperError

__all__ = ["LocalSite", "WebSite"]

_CHUNK = 1024 * 1024
_LARGEST = 2**50
"""Bytes of an answer: who reads says himself when he has enough."""
_UNUSUAL = {"", ".", ".."}


class LocalSite:
    """A site in a directory (`tagtrail.workflows.audit.SiteReader`). Links are followed as long as they stay in it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._real = cache(os.path.realpath)

    def paths(self) -> Iterator[str]:
        """Every path; what is no UTF-8 is written with escapes, and so is unknown."""
        root = Path(self._root)
        found = (os.fsencode(path.relative_to(root)) for path in files_in(root))
        return iter(sorted(name.decode("utf-8", "backslashreplace") for name in found))

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes at `path` in pieces. Raises TamperError `path-outside`, SetupError `file-missing` (unreadable)."""
        at = self._inside(path)
        if at is None or not at.is_file():
            yield None
            return
        try:
            file = at.open("rb", buffering=0)
        except OSError as error:
            what = f"{at} cannot be read: {error.strerror}"
            raise SetupError(what, code="file-missing", hint=f"ls -ld {at.parent}") from error
        with file:
            yield iter(lambda: file.read(_CHUNK), b"")

    def _inside(self, path: str) -> Path | None:
        if _UNUSUAL & set(path.split("/")) or "\0" in path:
            raise _outside(path, "no path of a site")
        directory, _, name = path.rpartition("/")
        parent = self._real(f"{self._root}/{directory}" if directory else self._root)
        at = f"{parent}/{name}"
        real = os.path.realpath(at) if Path(at).is_symlink() else at
        if not f"{real}/".startswith(f"{self._root}/"):
            raise _outside(path, f"a link to {real}")
        return Path(real)


class WebSite:
    """A site at an address (`tagtrail.workflows.audit.SiteReader`); one attempt for each path, connections kept."""

    def __init__(self, url: str) -> None:
        self._base = f"{url.rstrip('/')}/"

    def paths(self) -> None:
        """Nobody can list them."""

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes at `path` in pieces. Raises TamperError `path-outside`, and what `io.http.streamed` raises."""
        from tagtrail.io import http

        if _UNUSUAL & set(path.split("/")):
            raise _outside(path, "no path of a site")
        with http.streamed(self._base + quote(path, safe="/~+!"), _LARGEST) as answer:
            yield None if answer is None else answer[1]


def _outside(path: str, found: str) -> TamperError:
    return TamperError(f"{path} is {found}", code="path-outside", why="nothing outside of the site is read")
