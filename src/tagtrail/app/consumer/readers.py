"""Sites as an auditor reads them: a directory on this disk, or an address; nothing outside of either is ever opened."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import quote

from tagtrail.model.errors import SetupError, TamperError

__all__ = ["LocalSite", "WebSite"]

_CHUNK = 1024 * 1024
_LARGEST = 2**50
"""Bytes of an answer: who reads says himself when he has enough."""
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_UNUSUAL = {"", ".", ".."}


class LocalSite:
    """A site in a directory (`tagtrail.workflows.audit.SiteReader`). Links are followed as long as they stay in it."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._real = cache(os.path.realpath)

    def paths(self) -> Iterator[str]:
        """Every path; what is no UTF-8 is written with escapes, and so is unknown. Links to directories are files."""
        found, start = [], len(os.fsencode(self._root)) + 1
        for at, below, names in os.walk(os.fsencode(self._root)):
            links = [name for name in below if os.path.islink(b"%b/%b" % (at, name))]  # noqa: PTH114  (bytes)
            found += [b"%b/%b" % (at, name) for name in (*names, *links)]
        return iter(sorted(path[start:].decode("utf-8", "backslashreplace") for path in found))

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes at `path` in pieces. Raises TamperError `path-outside`, SetupError `file-missing` (unreadable)."""
        fd = self._descriptor(path)
        try:
            if fd is None or not stat.S_ISREG(os.fstat(fd).st_mode):
                yield None
            else:
                yield iter(lambda: os.read(fd, _CHUNK), b"")
        finally:
            if fd is not None:
                os.close(fd)

    def _descriptor(self, path: str) -> int | None:
        if _UNUSUAL & set(path.split("/")) or "\0" in path:
            raise _outside(path, "no path of a site")
        directory, _, name = path.rpartition("/")
        at = f"{self._real(f'{self._root}/{directory}')}/{name}"
        self._check_inside(path, at)
        try:
            return os.open(at, _FLAGS | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.ELOOP:
                what = f"{at} cannot be read: {error.strerror}"
                raise SetupError(what, code="file-missing", hint=f"ls -ld {directory or self._root}") from error
        real = os.path.realpath(at)
        self._check_inside(path, real)
        return os.open(real, _FLAGS | os.O_NOFOLLOW) if os.path.lexists(real) else None

    def _check_inside(self, path: str, real: str) -> None:
        if not real.startswith(f"{self._root}/"):
            raise _outside(path, f"a link to {real}")


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
