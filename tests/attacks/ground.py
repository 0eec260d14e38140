"""What attackers bend: a whole site with real archives and signatures, as consumers hold it and auditors read it."""

import gzip
import io
import lzma
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.app.commands import verify as verify_command
from tagtrail.formats.root import Root
from tagtrail.model.facts import Artifact
from tagtrail.model.settings import Project
from tagtrail.ports import BuildOrder, Kept
from tagtrail.testing import memory
from tagtrail.verify.roots import open_root
from tagtrail.workflows.audit import Asked, look
from tagtrail.workflows.release import release
from tests.app.desk import said
from tests.workflows.world import World

NOW = int(time.time())  # noqa: TID251  (a real OpenPGP key is not older than today)
SDIST, XZ, WHEEL = "nova-1.0.0.tar.gz", "nova-1.0.0.tar.xz", "nova-1.0.0-py3-none-any.whl"
NEWER = "nova-2.0.0.tar.gz"
SUMS, TAG = "nova-1.0.0.SHA256SUMS", "nova-1.0.0.tag"
KINDS = ("sdist", "sdist.xz", "wheel")
SIGNER = OpenPGP(generate("<releases@example.org>").encode())

Files = dict[str, bytes]
Bend = Callable[[Files], object]
"""Changes the files of a site; paths as on the site."""


class Builder(memory.Builder):
    """Makes real archives of one text."""

    def _artifact(self, kind: str, order: BuildOrder, drift: str, kept: Kept) -> Artifact:
        made = super()._artifact({"sdist.xz": "sdist"}.get(kind, kind), order, drift, kept)
        text = f"{order.project} {order.version} at {order.commit}\n".encode()
        name = made.name.replace(".tar.gz", ".tar.xz") if kind == "sdist.xz" else made.name
        pack: dict[str, Callable[[bytes], bytes]] = {"sdist": gzip.compress, "sdist.xz": lzma.compress}
        data = pack[kind](tar(text)) if kind in pack else wheel(text)
        return replace(made, name=name, blob=kept.put([data], made.blob.media), tar="")


def tar(text: bytes) -> bytes:
    """A tar of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("nova/PKG-INFO")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return out.getvalue()


def wheel(text: bytes) -> bytes:
    """A zip of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("nova.py"), text)
    return out.getvalue()


class Ground(World):
    """An instance whose builds are archives and whose release key is real."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.now = NOW
        self.builder = Builder()
        vars(self).update(signer=SIGNER)

    def project(self, name: str = "nova") -> Project:
        """The project, with an xz beside the gz."""
        return replace(super().project(name), build=KINDS)


@cache
def ground() -> Ground:
    """Two releases of nova; whoever changes it makes his own."""
    world = Ground(versions=("1.0.0", "2.0.0"))
    for version in world.versions:
        world.now += 60
        release(world.road(), world.project(), version)
    return world


@dataclass
class Site:
    """A site in a dictionary, as an auditor reads it."""

    files: Files

    def paths(self) -> Iterator[str]:
        """Every path, sorted."""
        return iter(sorted(self.files))

    @contextmanager
    def opened(self, path: str) -> Iterator[Iterator[bytes] | None]:
        """The bytes at `path`."""
        data = self.files.get(path)
        yield None if data is None else iter([data])


def root(files: Files) -> Root:
    """The root as its operator shows it: pinned before anybody bent anything."""
    return open_root(files["trail/root.json"])


def audited(files: Files, trust: Root | None = None, after: int = 2 * 3600) -> set[tuple[str, str]]:
    """(code, path) of everything that an auditor finds, two hours after the newest release."""
    world = ground()
    trust = trust or root(world.store.files)
    seen = look(Site(files), trust, Asked(), tell=lambda *_: None, clock=lambda: world.now + after)
    return {(found.code, found.path) for found in seen.findings}


def consumer(directory: Path, files: Files, *names: str) -> Path:
    """A directory with the files of nova that a consumer downloaded (all, or those named) and his pinned root."""
    at = directory / "download"
    at.mkdir()
    for path, data in files.items():
        name = path.removeprefix("nova/")
        if path.startswith("nova/") and "/" not in name and (not names or name in names):
            (at / name).write_bytes(data)
    (directory / "root.json").write_bytes(ground().store.files["trail/root.json"])
    return at


def verified(at: Path, *words: object) -> list[tuple[str, str]]:
    """(name, code or "ok") of everything that `tagtrail verify` judges, and its exit code behind."""
    directory = at if at.is_dir() else at.parent
    result = said(verify_command, at, "--root", directory.parent / "root.json", *words)
    assert result.code == (7 if {code for _, code in result.verdicts} - {"ok"} else 0)
    return result.verdicts
