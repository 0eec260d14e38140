"""A builder and a release key in memory: tiny artifacts and marked signatures that nobody can mistake for real."""

import base64
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from itertools import count

from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact
from tagtrail.model.names import sdist_stem
from tagtrail.ports import BuildOrder, Kept, Objects
from tagtrail.testing.fuse import Fuse

__all__ = ["Builder", "Signer"]

_METADATA = "Metadata-Version: 2.1\nName: {0.project}\nVersion: {0.version}\nRequires-Python: >=3.11\n"
_SUFFIXES = {"sdist": (".tar.gz", "application/gzip"), "wheel": ("-py3-none-any.whl", "application/zip")}


class Builder:
    """Builds by writing down the order. With `drifts`, no two builds give the same bytes, as the worst backends do.

    `fails` are commits whose build fails; `built` records every order.
    """

    def __init__(self, fuse: Fuse | None = None, *, drifts: bool = False) -> None:
        self.fuse = fuse or Fuse()
        self.fails: set[str] = set()
        self.built: list[BuildOrder] = []
        self._drift = count(1) if drifts else None

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """The artifacts of `order`, kept."""
        if order.commit in self.fails:
            raise ProjectError(f"the build of {order.project} {order.version} failed", code="build-failed")
        drift = f" (build {next(self._drift)})" if self._drift else ""
        self.built.append(order)
        with self.fuse.around("builder.build"):
            return tuple(self._artifact(kind, order, drift, kept) for kind in order.builds)

    def expecting(self, project: str) -> AbstractContextManager[Callable[[BuildOrder, Objects], None]]:
        """Nothing can begin early."""
        return nullcontext(lambda *_: None)

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """A digest of the commit's id: there are no files."""
        return sha256(f"{order.project}-{order.version}/ {order.commit}".encode()).hexdigest()

    def _artifact(self, kind: str, order: BuildOrder, drift: str, kept: Kept) -> Artifact:
        suffix, media = _SUFFIXES.get(kind, (f".{kind}", "application/octet-stream"))
        stem = sdist_stem(order.project, order.version)
        text = f"{kind} of {order.project} {order.version} at {order.commit}{drift}\n"
        return Artifact(
            name=stem + suffix,
            blob=kept.put([text.encode()], media),
            tar=sha256(text.encode()).hexdigest() if "tar" in suffix else "",
            metadata=kept.put([_METADATA.format(order).encode()], "text/plain"),
            requires_python=">=3.11",
            generated=("PKG-INFO",) if "tar" in suffix else (f"{stem}.dist-info/METADATA",),
        )


class Signer:
    """Signs by saying what it saw. With `drifts`, no two signatures are alike, as with every real OpenPGP key."""

    def __init__(self, fuse: Fuse | None = None, *, drifts: bool = False) -> None:
        self.fuse = fuse or Fuse()
        self.fingerprint = sha256(b"tagtrail.testing release key").hexdigest()[:40].upper()
        self.signed: list[str] = []
        self._drift = count(1) if drifts else None

    @property
    def certificate(self) -> str:
        """Armour around the fingerprint: no key."""
        return _armour("PGP PUBLIC KEY BLOCK", self.fingerprint.encode())

    def sign(self, data: bytes) -> bytes:
        """Armour around the digest of `data`: no signature."""
        digest = sha256(data).hexdigest()
        drift = f" {next(self._drift)}" if self._drift else ""
        with self.fuse.around("signer.sign"):
            self.signed.append(digest)
            return _armour("PGP SIGNATURE", f"{self.fingerprint} saw {digest}{drift}".encode()).encode()


def _armour(kind: str, content: bytes) -> str:
    text = base64.b64encode(content).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    head = [f"-----BEGIN {kind}-----", "Comment: tagtrail.testing, not a real one", ""]
    return "\n".join([*head, *lines, f"-----END {kind}-----", ""])
