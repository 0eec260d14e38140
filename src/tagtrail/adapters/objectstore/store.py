"""A site's root in object storage: the same bytes as in a directory, under a prefix of a bucket.

An object appears whole or not at all. No request here is conditional: OpenStack Swift lets several writers of one name
win. What is written is read back when its phase is pushed, before anything is written that names it.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tagtrail.adapters.objectstore.bucket import Bucket, connect, outrun, said
from tagtrail.formats.forms import relative_fault
from tagtrail.formats.served import headers
from tagtrail.io import durable
from tagtrail.model.errors import RemoteError, SetupError

if TYPE_CHECKING:
    from obstore.store import S3Store

__all__ = ["ObjectStore"]

CHUNK = 1024 * 1024
PART = 16 * 1024 * 1024
"""Bytes up to which an object is sent in one request, from memory; larger ones wait on this disk and go in parts."""
LANES = 16
"""Objects that are read back at one time."""


class ObjectStore:
    """The port `Store` over a bucket, and `tagtrail.workflows.audit.SiteReader`. `spool` is where large files wait.

    Raises SetupError `extra-missing`, `bucket-missing`, `bucket-denied`; RemoteError `bucket-unreachable`.
    """

    lanes = 8

    def __init__(self, bucket: Bucket, *, spool: Path, part: int = PART) -> None:
        if find_spec("obstore") is None:
            what = f"{bucket.shown} needs the package obstore, which is not installed"
            raise SetupError(what, code="extra-missing", hint="pip install 'tagtrail[s3]'")
        self.bucket = bucket
        self._spool = spool
        spool.mkdir(parents=True, exist_ok=True)
        self._part = part
        self._written: dict[str, str] = {}

    def read(self, path: str) -> bytes | None:
        """See `tagtrail.ports.Store`."""
        with self.opened(path) as pieces:
            return None if pieces is None else b"".join(pieces)

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes at `path` in pieces, as far as they are asked for; None where there is no object."""
        import obstore

        _check(path)
        try:
            with said(self.bucket, f"read {path}"):
                found = obstore.get(self._client, path)
        except FileNotFoundError:
            yield None
        else:
            yield self._pieces(path, found.stream(min_chunk_size=CHUNK))

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        """See `tagtrail.ports.Store`. Nothing is sent before all of it is here."""
        _check(path)
        digest = sha256()
        with tempfile.SpooledTemporaryFile(self._part, dir=str(self._spool)) as whole:
            for chunk in chunks:
                digest.update(chunk)
                self._keep(whole, chunk)
            self._put(path, whole)
        self._written[path] = digest.hexdigest()

    def remove(self, path: str) -> None:
        """See `tagtrail.ports.Store`."""
        import obstore

        _check(path)
        self._written.pop(path, None)
        try:
            with said(self.bucket, f"remove {path}"):
                obstore.delete(self._client, path)
        except FileNotFoundError:
            return

    def paths(self, prefix: str = "") -> Iterator[str]:
        """See `tagtrail.ports.Store`. Storage lists by whole names of directories, and not always in order."""
        import obstore

        directory = prefix.rpartition("/")[0] or None
        with said(self.bucket, "list"):
            pages = obstore.list(self._client, directory, chunk_size=1000)
            yield from sorted(one["path"] for page in pages for one in page if one["path"].startswith(prefix))

    def push(self, phase: str, paths: Sequence[str]) -> None:
        """Read back what was written here; RemoteError `upload-failed` where other bytes, or none, are read."""
        mine = {path: self._written[path] for path in paths if path in self._written}
        with ThreadPoolExecutor(LANES, thread_name_prefix="read-back") as pool:
            found = dict(zip(mine, pool.map(self._digest, mine), strict=True))
        if wrong := [path for path in mine if found[path] != mine[path]]:
            there, ours = found[wrong[0]] or "not there", mine[wrong[0]]
            raise RemoteError(
                f"{wrong[0]} reads back as {there}, ours is {ours}; so {len(wrong)} of {len(mine)} {phase}",
                code="upload-failed",
                why=f"somebody else writes to {self.bucket.shown}, or the storage shows an older state",
                hint="tagtrail resume",
            )
        for path in mine:
            self._written.pop(path, None)

    def _keep(self, whole: IO[bytes], chunk: bytes) -> None:
        try:
            whole.write(chunk)
        except OSError as error:
            raise durable.setup_error(self._spool / "upload", error) from error

    def _put(self, path: str, whole: IO[bytes]) -> None:
        import obstore

        large = whole.tell() > self._part
        whole.seek(0)
        with said(self.bucket, f"write {path}"), outrun():
            obstore.put(
                self._client,
                path,
                whole if large else whole.read(),
                attributes=headers(path),
                use_multipart=large,
                chunk_size=max(self._part // 2, 5 * CHUNK),
                max_concurrency=4,
            )

    def _digest(self, path: str) -> str:
        digest = sha256()
        with self.opened(path) as pieces:
            if pieces is None:
                return ""
            for piece in pieces:
                digest.update(piece)
        return digest.hexdigest()

    def _pieces(self, path: str, stream: Iterable[Any]) -> Iterator[bytes]:
        with said(self.bucket, f"read {path}"):
            for piece in stream:
                yield bytes(piece)

    @cached_property
    def _client(self) -> "S3Store":
        return connect(self.bucket)


def _check(path: str) -> None:
    if relative_fault(path):
        raise SetupError(f"{path!r} is no path below the site's root", code="site-path", hint="name/of/a/file")
