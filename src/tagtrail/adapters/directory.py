"""A site's root and the kept bytes as directories on this disk, with the `upload` command that makes a root public."""

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tagtrail.io import durable
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Blob

__all__ = ["DirectoryKept", "DirectoryStore"]

CHUNK = 1024 * 1024
INCOMING = "incoming"
UPLOAD_LIMIT = 3600
"""Seconds that one `upload` may take."""


class DirectoryStore:
    """The port `Store`: files below `root`. With `upload` (argv with {root} and {list}), `push` runs it.

    `scratch` is where the list of a push is written. Half-written files lie in one directory that is never listed, and
    those of dead writers go when a store is opened.
    """

    def __init__(self, root: Path, *, upload: Sequence[str] = (), scratch: Path | None = None) -> None:
        self._root = root
        self._upload = tuple(upload)
        self._scratch = scratch or root.parent
        self._incoming = root / f".{INCOMING}"
        durable.sweep(self._incoming)

    def read(self, path: str) -> bytes | None:
        """See `tagtrail.ports.Store`."""
        try:
            return self._at(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            raise SetupError(f"{self._at(path)} cannot be read: {error.strerror}", code="not-readable") from error

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """See `tagtrail.ports.Store`."""
        durable.write(self._at(path), chunks, sync=False, via=self._incoming)

    def remove(self, path: str) -> None:
        """See `tagtrail.ports.Store`. Its directory stays: somebody may be about to write there."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            self._at(path).unlink()

    def paths(self, prefix: str = "") -> Iterator[str]:
        """See `tagtrail.ports.Store`."""
        found = []
        for directory, below_it, names in os.walk(self._root):
            below_it[:] = [name for name in below_it if name != self._incoming.name]
            below = os.path.relpath(directory, self._root).replace(os.sep, "/")
            found += [name if below == "." else f"{below}/{name}" for name in names]
        yield from sorted(path for path in found if path.startswith(prefix))

    def push(self, phase: str, paths: Sequence[str]) -> None:
        """See `tagtrail.ports.Store`."""
        if not self._upload or not paths:
            return
        listing = self._scratch / f"upload-{os.getpid()}-{phase}.list"
        durable.write(listing, ["".join(f"{path}\n" for path in paths).encode()], sync=False)
        try:
            self._run(phase, [part.format(root=self._root, list=listing) for part in self._upload])
        finally:
            listing.unlink(missing_ok=True)

    def _run(self, phase: str, argv: list[str]) -> None:
        import subprocess

        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=UPLOAD_LIMIT, check=False
            )
            said = done.stderr.decode(errors="replace").strip()
            code = done.returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            said, code = str(error), -1
        if code:
            raise RemoteError(
                f"the upload of {phase} ended with {code}: {argv[0]}",
                code="upload-failed",
                why=said[-500:],
                hint="tagtrail resume, when the place answers again",
            )

    def _at(self, path: str) -> Path:
        parts = path.split("/")
        if path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
            raise SetupError(f"{path!r} is no path below the site's root", code="site-path")
        return self._root.joinpath(*parts)


class DirectoryKept:
    """The port `Kept`: files named by their SHA-256, never changed; every exit hashes again."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def sweep(self) -> None:
        """Forget what was half kept by processes that are dead. Only for whoever is alone in the instance."""
        shutil.rmtree(self._root / INCOMING, ignore_errors=True)

    def put(self, chunks: Iterable[bytes], media: str) -> Blob:
        """See `tagtrail.ports.Kept`."""
        incoming = self._root / INCOMING / secrets.token_hex(8)
        digest = hashlib.sha256()
        sizes: list[int] = []
        durable.write(incoming, _hashed(chunks, digest, sizes), mode=0o444)
        blob = Blob(sha256=digest.hexdigest(), size=sum(sizes), media=media)
        path = self._at(blob.sha256)
        if self._stands(path):
            incoming.unlink()
        else:
            self._place(incoming, path)
        return blob

    def read(self, sha256: str) -> bytes:
        """See `tagtrail.ports.Kept`."""
        return b"".join(self.chunks(sha256))

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """See `tagtrail.ports.Kept`."""
        digest = hashlib.sha256()
        try:
            with self._at(sha256).open("rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
                    yield chunk
        except FileNotFoundError as error:
            raise TamperError(f"kept bytes {sha256[:16]}... are gone from {self._root}", code="kept-missing") from error
        if digest.hexdigest() != sha256:
            raise TamperError(
                f"kept bytes {sha256[:16]}... are {digest.hexdigest()[:16]}... now",
                code="kept-altered",
                why=f"something changed {self._at(sha256)} on this disk",
                hint="restore that file from a back-up; nothing was published from it",
            )

    def blob(self, sha256: str, media: str) -> Blob | None:
        """See `tagtrail.ports.Kept`."""
        try:
            return Blob(sha256=sha256, size=self._at(sha256).stat().st_size, media=media)
        except FileNotFoundError:
            return None

    def _at(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    @staticmethod
    def _place(incoming: Path, path: Path) -> None:
        try:
            path.parent.mkdir(exist_ok=True)
            incoming.replace(path)
            fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise durable.setup_error(path, error) from error

    @staticmethod
    def _stands(path: Path) -> bool:
        """Whether these bytes are there; a file of other content under their name is replaced by what was just
        hashed."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == path.name
        except FileNotFoundError:
            return False


def _hashed(chunks: Iterable[bytes], digest: "hashlib._Hash", sizes: list[int]) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        sizes.append(len(chunk))
        yield chunk
