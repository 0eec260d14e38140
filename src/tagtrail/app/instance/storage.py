"""Where the site of an instance lies: a directory below HOME or elsewhere, or a bucket."""

from pathlib import Path
from typing import TYPE_CHECKING

from tagtrail.adapters.directory import DirectoryStore
from tagtrail.app.instance.home import Home
from tagtrail.model.settings import TargetSettings

if TYPE_CHECKING:
    from tagtrail.adapters.objectstore.bucket import Bucket
    from tagtrail.adapters.objectstore.store import ObjectStore

__all__ = ["in_bucket", "open_bucket", "open_store", "site_directory"]


def in_bucket(target: TargetSettings) -> bool:
    """Whether the site lies in object storage."""
    return "://" in _root(target)


def site_directory(home: Path, target: TargetSettings) -> Path:
    """The directory of a site that is not in a bucket."""
    return home / _root(target)


def open_store(at: Home, target: TargetSettings) -> "DirectoryStore | ObjectStore":
    """The site's root. Raises what `open_bucket` raises."""
    if in_bucket(target):
        return open_bucket(at, target)
    root = site_directory(at.path, target)
    return DirectoryStore(root, upload=target.option("upload", ()), incoming=at.state("incoming"))


def open_bucket(at: Home, target: TargetSettings) -> "ObjectStore":
    """The site's bucket; nothing is asked of it yet. Raises SetupError `extra-missing`."""
    from tagtrail.adapters.objectstore.store import ObjectStore

    return ObjectStore(_bucket(at, target), spool=at.state("incoming"))


def _bucket(at: Home, target: TargetSettings) -> "Bucket":
    from tagtrail.adapters.objectstore.bucket import Bucket
    from tagtrail.app.instance.secrets import Secrets

    name, _, prefix = _root(target).removeprefix("s3://").partition("/")
    key, secret = target.option("access-key"), target.option("secret-key")
    secrets, endpoint = Secrets(home=at.path), target.option("endpoint", "")
    return Bucket(
        name=name,
        prefix=prefix,
        endpoint=endpoint,
        region=target.option("region", "us-east-1"),
        path_style=target.option("path-style", bool(endpoint)),
        credentials=(lambda: (secrets.value(key), secrets.value(secret))) if key and secret else None,
    )


def _root(target: TargetSettings) -> str:
    return str(target.option("root", "site"))
