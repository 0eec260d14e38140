"""A site's root and the kept bytes as directories on this disk, with the `upload` command that makes a root public."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    Half-written files lie in `incoming`, on the same file system, which is never listed (by default below the root);
    those of dead writers go when a store is opened. `environ` is what the command is given: the operator's own.
    """

    lanes = 1

    def __init__(
        self,
        root: Path,
        *,
        upload: Sequence[str] = (),
        incoming: Path | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._root = root
        self._environ = environ
        self._upload = tuple(upload)
        self._incoming = incoming or root / f".{INCOMING}"
        durable.sweep(self._incoming)

    def read(self, path: str) -> bytes | None:
        """See `tagtrail.ports.Store`."""
        try:
            return self._at(path).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            at = self._at(path)
            raise SetupError(
                f"{at} cannot be read: {error.strerror}", code="not-readable", hint=f"ls -ld {at}; id -un"
            ) from error

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
        for directory, below_it, names in os.walk(self._root / prefix.rpartition("/")[0]):
            below_it[:] = [name for name in below_it if name != f".{INCOMING}"]
            below = os.path.relpath(directory, self._root).replace(os.sep, "/")
            found += [name if below == "." else f"{below}/{name}" for name in names]
        yield from sorted(path for path in found if path.startswith(prefix))

    def push(self, phase: str, paths: Sequence[str]) -> None:
        """See `tagtrail.ports.Store`."""
        if not self._upload or not paths:
            return
        listing = self._incoming / f"upload-{os.getpid()}-{phase}.list"
        durable.write(listing, ["".join(f"{path}\n" for path in paths).encode()], sync=False)
        try:
            self._run(phase, [part.format(root=self._root, list=listing) for part in self._upload])
        finally:
            listing.unlink(missing_ok=True)

    def _run(self, phase: str, argv: list[str]) -> None:
        from tagtrail.io import process

        done = process.run(argv, env=self._environ, limit=UPLOAD_LIMIT, cap=1 << 16)
        if not done.ok:
            raise RemoteError(
                f"the upload of {phase} {'took too long' if done.late else f'ended with {done.code}'}: {argv[0]}",
                code="upload-failed",
                why=process.said(done.err),
                hint="tagtrail resume, when the place answers again",
            )

    def _at(self, path: str) -> Path:
        parts = path.split("/")
        if path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
            raise SetupError(f"{path!r} is no path below the site's root", code="site-path", hint="name/of/a/file")
        return self._root.joinpath(*parts)


class DirectoryKept:
    """The port `Kept`: files named by their SHA-256, never changed; every exit hashes again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / INCOMING
        durable.sweep(self._incoming)

    def put(self, chunks: Iterable[bytes], media: str) -> Blob:
        """See `tagtrail.ports.Kept`."""
        return self.put_all([(chunks, media)])[0]

    def put_all(self, bodies: Iterable[tuple[Iterable[bytes], str]]) -> tuple[Blob, ...]:
        """See `tagtrail.ports.Kept`."""
        blobs, new = list[Blob](), dict[Path, durable.Draft]()
        with contextlib.ExitStack() as drafts:
            for chunks, media in bodies:
                draft = drafts.enter_context(durable.drafted(self._incoming, mode=0o444))
                blob = self._drafted(draft, chunks, media)
                path = self._at(blob.sha256)
                if path not in new and not self._stands(path):
                    new[path] = draft
                blobs.append(blob)
            durable.keep_all([(draft, path) for path, draft in new.items()])
        return tuple(blobs)

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
        except PermissionError as error:
            what = f"kept bytes {sha256[:16]}... cannot be read: {error.strerror}"
            raise SetupError(what, code="not-readable", hint=f"ls -ld {self._root}; id -un") from error
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

    def _drafted(self, draft: durable.Draft, chunks: Iterable[bytes], media: str) -> Blob:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            self._write(draft, chunk)
        return Blob(sha256=digest.hexdigest(), size=size, media=media)

    def _write(self, draft: durable.Draft, chunk: bytes) -> None:
        try:
            draft.file.write(chunk)
        except OSError as error:
            raise durable.setup_error(self._root, error) from error

    @staticmethod
    def _stands(path: Path) -> bool:
        """Whether these bytes are there; a file of other content under their name is replaced by what was just
        hashed."""
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == path.name
        except FileNotFoundError:
            return False
