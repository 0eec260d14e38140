"""Kept bytes and the site's root in memory, and a consumer's late view of the latter."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from threading import Lock

from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Blob
from tagtrail.testing.fuse import Fuse

__all__ = ["Kept", "Store", "Web"]

MEBIBYTE = 1024 * 1024


class Kept:
    """Bytes by their SHA-256 in a dictionary; `blobs` may be altered by a test, and every exit notices."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.blobs: dict[str, bytes] = {}

    def put(self, chunks: Iterable[bytes], media: str) -> Blob:
        """Keep these bytes."""
        data = b"".join(chunks)
        digest = sha256(data).hexdigest()
        with self.fuse.around("kept.put"):
            self.blobs[digest] = data
        return Blob(sha256=digest, size=len(data), media=media)

    def put_all(self, bodies: Iterable[tuple[Iterable[bytes], str]]) -> tuple[Blob, ...]:
        """Keep these, one after the other."""
        whole = [(b"".join(chunks), media) for chunks, media in bodies]
        return tuple(self.put([data], media) for data, media in whole)

    def read(self, sha256: str) -> bytes:
        """All bytes, checked."""
        return b"".join(self.chunks(sha256))

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """The bytes in pieces; TamperError at the end if they were altered."""
        data = self.blobs.get(sha256)
        if data is None:
            raise TamperError(f"bytes {sha256} are not kept", code="kept-missing")
        return _checked(sha256, data)

    def blob(self, sha256: str, media: str) -> Blob | None:
        """The blob with its size, or None."""
        data = self.blobs.get(sha256)
        return None if data is None else Blob(sha256=sha256, size=len(data), media=media)


def _checked(digest: str, data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), MEBIBYTE):
        yield data[start : start + MEBIBYTE]
    found = sha256(data).hexdigest()
    if found != digest:
        raise TamperError(f"kept bytes {digest} now have the digest {found}", code="kept-altered")


class Store:
    """The site's root in a dictionary.

    `pushed` records every push, `public` is what pushes made public; phases in `refuses` fail with `upload-failed`.
    """

    lanes = 1

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.pushed: list[tuple[str, tuple[str, ...]]] = []
        self.public: dict[str, bytes | None] = {}
        self.refuses: set[str] = set()

    def read(self, path: str) -> bytes | None:
        """The bytes at `path`, or None."""
        return self.files.get(path)

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """All of it or nothing."""
        data = b"".join(chunks)
        with self.fuse.around(f"store.write {path}"):
            self.files[path] = data
            self.written.append(path)

    def remove(self, path: str) -> None:
        """Gone, also if it was not there."""
        with self.fuse.around(f"store.remove {path}"):
            self.files.pop(path, None)

    def paths(self, prefix: str = "") -> Iterator[str]:
        """Every path under `prefix`, sorted."""
        return iter(sorted(path for path in tuple(self.files) if path.startswith(prefix)))

    def push(self, phase: str, paths: Sequence[str]) -> None:
        """Recorded, or refused; what is not there cannot be pushed, as `rsync --files-from` says too."""
        missing = [path for path in paths if path not in self.files]
        if phase in self.refuses or missing:
            raise RemoteError(f"upload of phase {phase} was refused {missing}", code="upload-failed")
        with self.fuse.around(f"store.push {phase}"):
            self.pushed.append((phase, tuple(paths)))
            self.public |= {path: self.files.get(path) for path in paths}


class Web:
    """What a consumer sees of a store: every change of a path shows only after `late` looks at it.

    With `pushes`, only what was pushed can be seen, as it was then.
    """

    def __init__(self, store: Store, *, late: int = 0, pushes: bool = False) -> None:
        self.store = store
        self.late = late
        self.pushes = pushes
        self.looks: dict[str, int] = {}
        self._seen: dict[str, bytes | None] = {}
        self._waits: dict[tuple[str, bytes | None], int] = {}
        self._lock = Lock()

    def get(self, path: str) -> bytes | None:
        """The bytes that a GET of `path` would bring now, or None (404)."""
        with self._lock:
            self.looks[path] = self.looks.get(path, 0) + 1
            now = self.store.public.get(path) if self.pushes else self.store.read(path)
            if now == self._seen.get(path):
                return self._seen.get(path)
            waited = self._waits.setdefault((path, now), 0)
            if waited >= self.late:
                self._seen[path] = now
            self._waits[path, now] = waited + 1
            return self._seen.get(path)
