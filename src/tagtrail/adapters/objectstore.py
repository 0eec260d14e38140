"""A site's root in object storage that speaks S3 (AWS, OpenStack Swift, Ceph, MinIO): the same bytes, under a prefix.

An object appears whole or not at all. No request here is conditional: OpenStack Swift lets several writers of one name
win. What is written is read back when its phase is pushed, before anything is written that names it.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tagtrail.formats.forms import relative_fault
from tagtrail.formats.served import headers
from tagtrail.io import durable
from tagtrail.model.errors import Error, RemoteError, SetupError

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

__all__ = ["Bucket", "ObjectStore"]

CHUNK = 1024 * 1024
PART = 16 * 1024 * 1024
"""Bytes up to which an object is sent in one request, from memory; larger ones wait on this disk and go in parts."""
LANES = 16
"""Objects that are read back at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where a bucket is and who asks. `credentials` are looked up when the bucket is first used: key and secret.

    Without an endpoint it is AWS; without credentials, what AWS's own tools find (environment, role) is used.
    `attempts`, `patience` (seconds for all of them, and for the longest silence) and `pause` (seconds before the second
    attempt, twice that before the third) bound each request.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    path_style: bool = True
    credentials: Callable[[], tuple[str, str]] | None = None
    attempts: int = 4
    patience: float = 120.0
    pause: float = 0.2

    @property
    def shown(self) -> str:
        """As the settings write it."""
        return f"s3://{self.name}/{self.prefix}".rstrip("/")


class ObjectStore:
    """The port `Store` over a bucket, and `tagtrail.workflows.audit.SiteReader`. `spool` is where large files wait.

    Raises SetupError `extra-missing`, `bucket-missing`, `bucket-denied`; RemoteError `bucket-unreachable`.
    """

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
            with self._said(f"read {path}"):
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
            with self._said(f"remove {path}"):
                obstore.delete(self._client, path)
        except FileNotFoundError:
            return

    def paths(self, prefix: str = "") -> Iterator[str]:
        """See `tagtrail.ports.Store`. Storage lists by whole names of directories, and not always in order."""
        import obstore

        directory = prefix.rpartition("/")[0] or None
        with self._said("list"):
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
        with self._said(f"write {path}"), _outrun():
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
        with self._said(f"read {path}"):
            for piece in stream:
                yield bytes(piece)

    @cached_property
    def _client(self) -> "S3Store":
        from obstore.store import S3Store

        bucket, silence = self.bucket, timedelta(seconds=self.bucket.patience)
        config: S3Config = {
            "region": bucket.region,
            "virtual_hosted_style_request": not bucket.path_style,
            "disable_bulk_delete": True,  # it asks for a digest that Swift knows and obstore does not send
        }
        if bucket.endpoint:
            config["endpoint"] = bucket.endpoint
        if bucket.credentials:
            config["access_key_id"], config["secret_access_key"] = bucket.credentials()
        return S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            config=config,
            client_options={
                "allow_http": bucket.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=min(10.0, bucket.patience)),
                "read_timeout": silence,
                "timeout": timedelta(seconds=3600),
            },
            retry_config={
                "max_retries": bucket.attempts - 1,
                "retry_timeout": silence,
                "backoff": {"init_backoff": timedelta(seconds=bucket.pause), "max_backoff": silence, "base": 2},
            },
        )

    @contextmanager
    def _said(self, doing: str) -> Iterator[None]:
        """What the storage answers, as an error of ours; an object that is not there stays a FileNotFoundError."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
                raise
            raise self._error(doing, error) from error

    def _error(self, doing: str, error: Exception) -> Error:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

        shown, why = self.bucket.shown, _answer(str(error))
        if "NoSuchBucket" in why:
            what = f"there is no bucket {self.bucket.name!r}: cannot {doing}"
            return SetupError(what, code="bucket-missing", why=why, hint=f"make it, or mend root = {shown!r}")
        denied = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        if denied or "status code: 403" in why:  # a listing that is refused has no class of its own
            hint = "the key needs GetObject, PutObject, DeleteObject and ListBucket; docs/hosting.md"
            return SetupError(f"{shown} does not let us {doing}", code="bucket-denied", why=why, hint=hint)
        hint = "tagtrail resume, when the storage answers again"
        return RemoteError(f"{shown} does not answer: cannot {doing}", code="bucket-unreachable", why=why, hint=hint)


@contextmanager
def _outrun() -> Iterator[None]:
    """Swift takes a write that a later one of the same name has outrun (202, without an ETag); reading back decides."""
    from obstore.exceptions import GenericError

    try:
        yield
    except GenericError as error:
        if "ETag Header missing" not in str(error):
            raise


def _check(path: str) -> None:
    if relative_fault(path):
        raise SetupError(f"{path!r} is no path below the site's root", code="site-path")


def _answer(text: str) -> str:
    """The storage's own words in one line, without the client's inner state."""
    return " ".join(text.partition("\n\nDebug source")[0].split())[:500]
