"""A directory of release files that other hands filled: one on this machine, or one that a web server lists."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Protocol

from tagtrail.formats.listing import MOST, Listing, read_listing
from tagtrail.io import http
from tagtrail.model.errors import RemoteError, SetupError

__all__ = ["LARGEST", "LocalTarballs", "Tarballs", "WebTarballs"]

MAX_PAGE = 32 << 20
"""Bytes of a listing."""
LARGEST = 2 << 30
"""Bytes of the largest file that is hashed."""
_PIECE = 1 << 20


class Tarballs(Protocol):
    """What lies in one directory."""

    where: str

    def listing(self) -> Listing:
        """The names; nothing where there is no such directory. Raises RemoteError: it does not answer."""
        ...

    def digest(self, name: str) -> str:
        """SHA-256 (hex) of a listed file; empty: it is gone, or has more than LARGEST bytes. RemoteError."""
        ...


class WebTarballs:
    """A directory at an address, one request for its listing and one for each file that is hashed."""

    def __init__(self, url: str) -> None:
        self.where = url if url.endswith("/") else f"{url}/"

    def listing(self) -> Listing:
        """See `Tarballs`."""
        data = http.fetch(self.where, MAX_PAGE)
        return Listing(files=()) if data is None else read_listing(data, self.where)

    def digest(self, name: str) -> str:
        """See `Tarballs`."""
        try:
            return http.digest(self.where + name, LARGEST) or ""
        except RemoteError as error:
            if error.code == "url-too-large":
                return ""
            raise


class LocalTarballs:
    """A directory of this machine: plain files only, links are passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.where = f"{path}/"

    def listing(self) -> Listing:
        """See `Tarballs`. Raises SetupError `not-readable`."""
        files, folders, passed = list[str](), list[str](), list[str]()
        try:
            with os.scandir(self._path) as found:
                for item in found:
                    mode = item.stat(follow_symlinks=False).st_mode
                    (files if stat.S_ISREG(mode) else folders if stat.S_ISDIR(mode) else passed).append(item.name)
        except FileNotFoundError:
            return Listing(files=())
        except OSError as error:
            raise SetupError(
                f"{self._path} cannot be read: {error.strerror}",
                code="not-readable",
                hint=f"ls -ld {self._path}; id -un",
            ) from error
        if len(files) > MOST:
            raise SetupError(
                f"{self._path} has {len(files):,} files, {MOST:,} are read",
                code="listing-size",
                hint="name one project's directory, with {project} in its place",
            )
        return Listing(files=tuple(sorted(files)), folders=tuple(sorted(folders)), passed=tuple(sorted(passed)))

    def digest(self, name: str) -> str:
        """See `Tarballs`."""
        path, body = self._path / name, hashlib.sha256()
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                body.update(piece)
        return body.hexdigest()
