"""A bucket that speaks S3 (AWS, OpenStack Swift, Ceph, MinIO): where it is, who asks, and what its answers mean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from tagtrail.model.errors import Error, RemoteError, SetupError
from tagtrail.model.frozen import frozen

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

__all__ = ["Bucket", "connect", "outrun", "said"]


@frozen
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


def connect(bucket: Bucket) -> "S3Store":
    """A client of it; nothing is asked yet, but the credentials are looked up."""
    from obstore.store import S3Store

    silence = timedelta(seconds=bucket.patience)
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
def said(bucket: Bucket, doing: str) -> Iterator[None]:
    """What the storage answers, as an error of ours; an object that is not there stays a FileNotFoundError."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
            raise
        raise _error(bucket, doing, error) from error


def _error(bucket: Bucket, doing: str, error: Exception) -> Error:
    from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

    shown, why = bucket.shown, _answer(str(error))
    if "NoSuchBucket" in why:
        what = f"there is no bucket {bucket.name!r}: cannot {doing}"
        return SetupError(what, code="bucket-missing", why=why, hint=f"make it, or mend root = {shown!r}")
    denied = isinstance(error, PermissionDeniedError | UnauthenticatedError)
    if denied or "status code: 403" in why:  # a listing that is refused has no class of its own
        hint = "the key needs GetObject, PutObject, DeleteObject and ListBucket; docs/hosting.md"
        return SetupError(f"{shown} does not let us {doing}", code="bucket-denied", why=why, hint=hint)
    hint = "tagtrail resume, when the storage answers again"
    return RemoteError(f"{shown} does not answer: cannot {doing}", code="bucket-unreachable", why=why, hint=hint)


@contextmanager
def outrun() -> Iterator[None]:
    """Swift takes a write that a later one of the same name has outrun (202, without an ETag); reading back decides."""
    from obstore.exceptions import GenericError

    try:
        yield
    except GenericError as error:
        if "ETag Header missing" not in str(error):
            raise


def _answer(text: str) -> str:
    """The storage's own words in one line, without the client's inner state."""
    return " ".join(text.partition("\n\nDebug source")[0].split())[:500]
