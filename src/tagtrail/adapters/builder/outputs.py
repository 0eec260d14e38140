"""What a build made: unpacked, compared with the tag's files, identified by its own metadata, and kept."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from tagtrail.formats import tarball
from tagtrail.formats.archive import Member
from tagtrail.formats.gitobject import blob_id
from tagtrail.formats.metadata import Metadata, check_identity, parse_metadata
from tagtrail.formats.site import media
from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Artifact
from tagtrail.model.frozen import frozen
from tagtrail.ports import BuildOrder, Kept

__all__ = [
    "Blobs", "Made", "generated", "identified", "keep", "metadata_of_sdist", "metadata_of_wheel", "new", "open_up",
    "pieces_of",    "text_of", "xzed",
]  # fmt: skip

_PIECE = 1 << 20


@frozen
class Made:
    """A file that is ready to be kept."""

    kind: str
    name: str
    file: Path
    metadata: bytes
    requires_python: str
    generated: tuple[str, ...]
    members: int
    as_built: bool
    tar: str = ""


@contextmanager
def new(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there, to be written and read."""
    path.parent.mkdir(exist_ok=True)
    with path.open("x+b") as file:
        yield file


@dataclass(frozen=True, slots=True, kw_only=True)
class Blobs:
    """The ids of a tag's files, in the repository's object format (`digits` of an id)."""

    digits: int
    ids: set[str] = field(default_factory=set)

    def has(self, member: Member, pieces: Iterable[bytes]) -> bool:
        """Whether this content is that of some file of the tag, whatever its name there."""
        size = len(_target(member)) if member.kind == "link" else member.size
        return blob_id(pieces, size, self.digits) in self.ids


def generated(sdist: tarball.Sdist, spool: BinaryIO, blobs: Blobs) -> Iterator[str]:
    """The sdist's members that are no file of the tag, without the top directory."""
    for member in sdist.members:
        if member.kind == "directory":
            continue
        pieces = (_target(member),) if member.kind == "link" else tarball.content(spool, member)
        if not blobs.has(member, pieces):
            yield member.name.removeprefix(f"{sdist.top}/")


def text_of(sdist: tarball.Sdist, spool: BinaryIO, name: str) -> bytes | None:
    """What a file of the sdist says, by its name below the top directory; None: there is no such file."""
    found = next((m for m in sdist.members if m.name == f"{sdist.top}/{name}" and m.kind == "file"), None)
    return b"".join(tarball.content(spool, found)) if found else None


def open_up(root: Path) -> None:
    """Let everybody pass and read, whatever our umask: foreign code runs as another user where we are root."""
    for path, _, names in os.walk(root):
        for file in (Path(path), *(Path(path, name) for name in names)):
            if not file.is_symlink():
                file.chmod(file.stat().st_mode | (0o555 if file.is_dir() else 0o444))


def _target(member: Member) -> bytes:
    return member.target.encode("utf-8", "surrogateescape")


def metadata_of_sdist(sdist: tarball.Sdist, spool: BinaryIO, name: str) -> bytes:
    """Its PKG-INFO. Raises ProjectError `metadata-invalid`."""
    found = next((m for m in sdist.members if m.name == f"{sdist.top}/PKG-INFO" and m.kind == "file"), None)
    if found is None or found.size > _PIECE:
        raise ProjectError(f"{name} has no PKG-INFO", code="metadata-invalid", hint="look at the build backend")
    return b"".join(tarball.content(spool, found))


def metadata_of_wheel(wheel: Wheel, name: str) -> bytes:
    """Its METADATA. Raises ProjectError `metadata-invalid`."""
    found = [m for m in wheel.members if re.fullmatch(r"[^/]+\.dist-info/METADATA", m.name)]
    if len(found) != 1 or found[0].size > _PIECE:
        raise ProjectError(f"{name} has no METADATA", code="metadata-invalid", hint="look at the build backend")
    return b"".join(wheel.content(found[0]))


def identified(data: bytes, name: str, order: BuildOrder) -> Metadata:
    """The metadata of file `name`, which says the project and version that were ordered. Raises ProjectError."""
    metadata = parse_metadata(data, name)
    check_identity(metadata, project=order.project, version=order.version, where=name)
    return metadata


def xzed(sdist: Made, room: Path) -> Made:
    """The same sdist as .tar.xz in the directory `room`, its tar equal to the last byte. It is for people, not for
    installers: what an index says of files (metadata, Requires-Python) it has not."""
    name = sdist.name.removesuffix(".tar.gz") + ".tar.xz"
    digest = hashlib.sha256()

    def hashed(pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            digest.update(piece)
            yield piece

    with sdist.file.open("rb") as source, new(room / name) as out:
        for piece in tarball.xzed(hashed(tarball.inflated(source))):
            out.write(piece)
    if digest.hexdigest() != sdist.tar:
        raise TamperError(f"{sdist.name} changed while it was read", code="kept-altered", hint="run it again")
    return replace(sdist, kind="sdist.xz", name=name, file=room / name, metadata=b"", requires_python="")


def keep(made: Made, kept: Kept) -> Artifact:
    """The artifact, with its bytes and its metadata kept."""
    metadata = kept.put((made.metadata,), "text/plain") if made.metadata else None
    return Artifact(
        name=made.name, blob=kept.put(pieces_of(made.file), media(made.name)), tar=made.tar,
        metadata=metadata, requires_python=made.requires_python,
        generated=made.generated, members=made.members, as_built=made.as_built,
    )  # fmt: skip


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
