"""The roots that a person has pinned: $XDG_CONFIG_HOME/tagtrail/trust/ORIGIN.root.json, and where each came from.

ORIGIN is percent-encoded. The file is the signed envelope as published, so `verify --root` takes it too;
ORIGIN.url holds the address or directory to look at for newer ones. Only files that nobody else may write count.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote

from tagtrail.formats.root import Root
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.verify.roots import open_root

__all__ = ["TrustStore", "refuse_others", "safe_name"]

_OTHERS_WRITE = 0o022
_ROOT = ".root.json"


class TrustStore:
    """The pins in one directory, one root for each origin."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def standard(cls, env: Mapping[str, str] | None = None) -> "TrustStore":
        """This user's. An XDG_CONFIG_HOME that is not absolute is ignored (XDG base directory specification)."""
        named = Path((os.environ if env is None else env).get("XDG_CONFIG_HOME") or "")
        config = named if named.is_absolute() else Path.home() / ".config"
        return cls(config / "tagtrail" / "trust")

    def origins(self) -> tuple[str, ...]:
        """The origins of all pins, sorted."""
        return tuple(sorted(unquote(path.name.removesuffix(_ROOT)) for path in self.directory.glob(f"*{_ROOT}")))

    def envelope(self, origin: str) -> bytes | None:
        """The pinned root of `origin`, signed; None if there is none. Raises SetupError `pin-not-ours`."""
        path = self.path(origin)
        if not path.is_file():
            return None
        for at in (self.directory, path):
            refuse_others(at, "pin-not-ours", "whoever writes it says what you trust")
        return path.read_bytes()

    def root(self, origin: str) -> Root | None:
        """The pinned root of `origin`. Raises as `envelope`, and TamperError root-*, and `pin-origin` for another's."""
        envelope = self.envelope(origin)
        if envelope is None:
            return None
        root = open_root(envelope)
        if root.origin != origin:
            what = f"{self.path(origin)} holds the root of {root.origin!r}, not of {origin!r}"
            raise TamperError(what, code="pin-origin")
        return root

    def url(self, origin: str) -> str:
        """Where the pin came from, or an empty string."""
        path = self.path(origin).with_name(f"{safe_name(origin)}.url")
        return path.read_text("utf-8").strip() if path.is_file() else ""

    def pin(self, root: Root, envelope: bytes, url: str) -> Path:
        """Remember `root` and where it came from; the path. Raises SetupError `disk-full`, `not-writable`."""
        from tagtrail.io import durable

        path = self.path(root.origin)
        durable.write(path.with_name(f"{safe_name(root.origin)}.url"), f"{url}\n".encode())
        durable.write(path, envelope)
        return path

    def path(self, origin: str) -> Path:
        """Where the pin of `origin` is, or would be."""
        return self.directory / f"{safe_name(origin)}{_ROOT}"


def refuse_others(path: Path, code: str, why: str) -> None:
    """Refuse what others than this user and root can write. Raises SetupError `code`."""
    about = path.stat()
    if about.st_uid not in (os.geteuid(), 0) or about.st_mode & _OTHERS_WRITE:
        what = f"{path} can be written by others"
        raise SetupError(what, code=code, why=why, hint=f"read it, then chmod go-w {path}")


def safe_name(origin: str) -> str:
    """An origin as one file's name: percent-encoded."""
    return quote(origin, safe="").replace("~", "%7E")
