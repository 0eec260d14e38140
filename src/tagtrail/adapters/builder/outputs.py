"""What a build made: unpacked, compared with the tag's files, identified by its own metadata, and kept."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tagtrail.adapters.builder.blobs import Blobs, Holds
from tagtrail.formats import tarball
from tagtrail.formats.archive import Member
from tagtrail.formats.contents import MOST, missing_licenses
from tagtrail.formats.gitobject import blob_id
from tagtrail.formats.magic import Ends, recognized, unread
from tagtrail.formats.metadata import Metadata, check_identity, parse_metadata
from tagtrail.formats.site import media
from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError, TamperError
from tagtrail.model.facts import Artifact, Remark
from tagtrail.model.frozen import frozen, replace
from tagtrail.ports import BuildOrder, Kept

__all__ = [
    "Made", "Sifted", "identified", "keep", "metadata_of_sdist", "new", "of_sdist", "of_wheel", "pieces_of",
    "sifted", "text_of", "with_licenses", "xzed",
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
    remarks: tuple[Remark, ...]
    members: int
    as_built: bool
    tar: str = ""


@contextmanager
def new(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there, to be written and read."""
    path.parent.mkdir(exist_ok=True)
    with path.open("x+b") as file:
        yield file


@frozen
class Sifted:
    """An archive's members held against the tag: the names of those that are no file of it, and what was noticed in
    all."""

    generated: tuple[str, ...]
    remarks: tuple[Remark, ...]


def sifted(members: Iterable[tuple[str, Member, Iterable[bytes]]], blobs: Blobs, holds: Holds) -> Sifted:
    """Each member by the name to be shown, and its bytes, which are read once; `holds` says which are the tag's. An
    archive within is the tag's, or is remarked on: nobody looks into it."""
    generated: list[str] = []
    remarks: list[Remark] = []
    for name, member, pieces in members:
        size = len(_target(member)) if member.kind == "link" else member.size
        data = b"" if size > MOST else b"".join(pieces)
        ends = Ends(data)
        found = blob_id(ends.through(pieces) if size > MOST else (data,), size, blobs.digits)
        remarks += blobs.glance.remarks(name, found, data)
        if not holds(name, found, member.kind == "link"):
            generated.append(name)
            kind = recognized(ends) if member.kind == "file" else ""
            remarks += [unread(kind, name)] if kind else []
    return Sifted(generated=tuple(generated), remarks=tuple(remarks))


def of_sdist(sdist: tarball.Sdist, spool: BinaryIO) -> Iterator[tuple[str, Member, Iterable[bytes]]]:
    """The sdist's members, without the top directory."""
    for member in sdist.members:
        if member.kind != "directory":
            pieces = (_target(member),) if member.kind == "link" else tarball.content(spool, member)
            yield member.name.removeprefix(f"{sdist.top}/"), member, pieces


def of_wheel(wheel: Wheel) -> Iterator[tuple[str, Member, Iterable[bytes]]]:
    """The wheel's members."""
    return ((member.name, member, wheel.content(member)) for member in wheel.members)


def with_licenses(sifted: Sifted, said: Metadata, names: Iterable[str], *, wheel: bool) -> tuple[Remark, ...]:
    """What was noticed, and the licences that are named and not there."""
    return (*sifted.remarks, *missing_licenses(said.license_files, names, wheel=wheel))


def text_of(sdist: tarball.Sdist, spool: BinaryIO, name: str) -> bytes | None:
    """What a file of the sdist says, by its name below the top directory; None: there is no such file. Raises
    ProjectError `output-invalid` for one that nobody wrote."""
    found = next((m for m in sdist.members if m.name == f"{sdist.top}/{name}" and m.kind == "file"), None)
    if found and found.size > _PIECE:
        what = f"{name} in the sdist has {found.size} bytes, at most {_PIECE} are read"
        raise ProjectError(what, code="output-invalid", hint="look at the build backend")
    return b"".join(tarball.content(spool, found)) if found else None


def _target(member: Member) -> bytes:
    return member.target.encode("utf-8", "surrogateescape")


def metadata_of_sdist(sdist: tarball.Sdist, spool: BinaryIO, name: str) -> bytes:
    """Its PKG-INFO. Raises ProjectError `metadata-invalid`."""
    found = next((m for m in sdist.members if m.name == f"{sdist.top}/PKG-INFO" and m.kind == "file"), None)
    if found is None or found.size > _PIECE:
        raise ProjectError(f"{name} has no PKG-INFO", code="metadata-invalid", hint="look at the build backend")
    return b"".join(tarball.content(spool, found))


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


def keep(files: Sequence[Made], kept: Kept) -> tuple[Artifact, ...]:
    """The artifacts, with their bytes and their metadata kept."""
    described = [made for made in files if made.metadata]
    bodies = [(pieces_of(made.file), media(made.name)) for made in files]
    blobs = kept.put_all([*bodies, *(([made.metadata], "text/plain") for made in described)])
    metadata = dict(zip((made.name for made in described), blobs[len(files) :], strict=True))
    return tuple(
        Artifact(
            name=made.name, blob=blob, tar=made.tar, metadata=metadata.get(made.name),
            requires_python=made.requires_python, generated=made.generated, members=made.members,
            as_built=made.as_built, remarks=made.remarks,
        )
        for made, blob in zip(files, blobs, strict=False)
    )  # fmt: skip


def pieces_of(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
