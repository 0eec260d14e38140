"""A file that somebody else built, looked at before it is taken: read as an enemy's, never re-packed.

Its name bears the project and the version; a wheel's metadata, tags and RECORD say what its name says; an archive holds
nothing that leads outside. Which of a project's files may come from elsewhere is nobody's rule: a signer approves each.

    .whl             for Python projects
    .tar.gz          read as an archive; one that installers take for a Python project's sdist is looked at as our own
    .zip             read as an archive; not for what installers take for an sdist
    .tar.* and the like are refused: nobody would look into them
    all else         its name is judged; an archive by its bytes (`tagtrail.formats.magic`) is read where that can be
                     done as strictly, else it is remarked that nobody looked into it (installers, packages of systems)
"""

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import BinaryIO

from tagtrail.formats import tarball
from tagtrail.formats.archive import Limits
from tagtrail.formats.contents import noticed
from tagtrail.formats.encoding import shown
from tagtrail.formats.magic import READ, Ends, recognized, unread
from tagtrail.formats.metadata import Metadata, check_file_name, check_identity, parse_metadata
from tagtrail.formats.site import media
from tagtrail.formats.wheel import check_wheel, metadata_in
from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Blob, Origin, Remark
from tagtrail.model.frozen import replace
from tagtrail.model.names import SUFFIXES, name_key, sdist_stem
from tagtrail.model.settings import Project
from tagtrail.ports import Kept

__all__ = ["LARGEST", "Judge", "take_in"]

Judge = Callable[[Artifact, Mapping[str, bytes]], object]
"""Raises what says against a file; its metadata, by SHA-256, is not kept yet."""
LARGEST = 2 << 30
"""Bytes of the largest file that is taken in."""

_PIECE = 1 << 20
_TEXT = "text/plain"
_READ = (".whl", ".tar.gz", ".zip")
_UNREAD = (".tar", ".tar.xz", ".tar.bz2", ".tar.zst", ".tar.lzma", ".tar.lz", ".7z", ".rar", *SUFFIXES)


def take_in(
    file: BinaryIO,
    name: str,
    *,
    project: Project,
    version: str,
    by: str,
    kept: Kept,
    spool: BinaryIO,
    judge: Judge = lambda *_: None,
) -> Artifact:
    """The file, kept as it is, with what it says of itself; `by` is who brought it, `spool` an empty file for reading.

    What `judge` raises is raised before anything is kept, its metadata too: what is kept stays for good.
    Raises ProjectError `add-kind`, `add-empty`, `output-invalid`, `name-mismatch`, `version-mismatch`,
    `metadata-invalid`, wheel-* and archive-*.
    """
    _check_kind(name, project, version)
    if not file.read(1):
        raise ProjectError(f"{name} is empty", code="add-empty", hint="look at how it was made")
    file.seek(0)
    tar, metadata, remarks = _looked(file, name, project, version, spool)
    said = _said(metadata, name, project.name, version)
    artifact = Artifact(
        name=name,
        blob=Blob(sha256=_digest(file), size=file.tell(), media=media(name)),
        tar=tar,
        metadata=Blob(sha256=sha256(metadata).hexdigest(), size=len(metadata), media=_TEXT) if metadata else None,
        requires_python=said.requires_python if said else "",
        origin=Origin(how="added", by=by),
        as_built=True,
        remarks=remarks,
    )
    judge(artifact, {artifact.metadata.sha256: metadata} if artifact.metadata else {})
    file.seek(0)
    beside = [([metadata], _TEXT)] if metadata else []
    blob, *said_blob = kept.put_all([(_pieces(file), artifact.blob.media), *beside])
    return replace(artifact, blob=blob, metadata=said_blob[0] if said_blob else None)


def _looked(
    file: BinaryIO, name: str, project: Project, version: str, spool: BinaryIO
) -> tuple[str, bytes, tuple[Remark, ...]]:
    """SHA-256 of the tar within, the metadata, and what is noticed: as far as a file of its kind has them."""
    if name.endswith(".whl"):
        check_file_name(name, "wheel", project=project.name, version=version)
        return "", *_wheel(file, name)
    if name.endswith(".tar.gz"):
        return _tar(file, "tar.gz", spool) if not project.is_python else _sdist(file, name, spool, project, version)
    if name.endswith(".zip"):
        return "", b"", _zip(Wheel(file, Limits()))
    form = recognized(Ends.of(file))
    try:
        if form == "zip":
            return "", b"", _zip(Wheel(file, Limits()))
        if form in READ:
            return _tar(file, form, spool)
    except ProjectError as refused:
        return "", b"", (unread(form, why=refused),)
    return "", b"", (unread(form),) if form else ()


def _check_kind(name: str, project: Project, version: str) -> None:
    meant = name.lower().rstrip(". ")
    if meant != name and meant.endswith(_READ) and not name.endswith(_READ):
        what = f"{name} would be read as another kind of file elsewhere"
        raise ProjectError(what, code="add-kind", why="not everybody minds case, or the end", hint="small letters")
    if name.endswith(".whl") and not project.is_python:
        what = f"{name} is a wheel, and the project is no Python project"
        raise ProjectError(what, code="add-kind", why="its settings build neither sdist nor wheel")
    if name.endswith(".zip") and project.is_python and _is_sdist(name, project, version):
        what = f"{name} would be taken for an sdist, and is a zip"
        raise ProjectError(what, code="add-kind", why="an sdist is a .tar.gz (PEP 625)", hint="pack a .tar.gz")
    if meant.endswith(_UNREAD):
        what = f"{name} is an archive of a kind that is not read here"
        raise ProjectError(
            what, code="add-kind", why="what nobody can look into is not taken in", hint="pack a .tar.gz"
        )


def _wheel(file: BinaryIO, name: str) -> tuple[bytes, tuple[Remark, ...]]:
    wheel = Wheel(file, Limits())
    remarks = _zip(wheel)
    check_wheel(wheel, name)
    return metadata_in(wheel, name), remarks


def _zip(packed: Wheel) -> tuple[Remark, ...]:
    """What is noticed in it; each checksum is looked at, and that no installer finds more than we did."""
    packed.check_layout()
    return noticed((m.name, m.size, packed.content(m)) for m in packed.members)


def _tar(file: BinaryIO, form: str, spool: BinaryIO) -> tuple[str, bytes, tuple[Remark, ...]]:
    """SHA-256 of the tar within, no metadata, and what is noticed in it; it has as many top directories as it likes."""
    found = tarball.read_tarball(file, spool, form=form)
    files = ((m.name, m.size, tarball.content(spool, m)) for m in found.members if m.kind == "file")
    return found.tar, b"", noticed(files)


def _is_sdist(name: str, project: Project, version: str) -> bool:
    """Whether some installer takes it for one, by its name: pip finds a version where `packaging` reads none."""
    from packaging.utils import InvalidSdistFilename, parse_sdist_filename

    stem = sdist_stem(project.name, version)
    if name_key(project.name, name) in {name_key(project.name, f"{stem}{suffix}") for suffix in (".tar.gz", ".zip")}:
        return True
    try:
        parse_sdist_filename(name)
    except InvalidSdistFilename:
        return False
    return True


def _sdist(
    file: BinaryIO, name: str, spool: BinaryIO, project: Project, version: str
) -> tuple[str, bytes, tuple[Remark, ...]]:
    """SHA-256 of the tar within, PKG-INFO, and what is noticed in it; what no installer takes for an sdist may have no
    PKG-INFO, and its top directory any name."""
    taken = _is_sdist(name, project, version)
    if taken:
        check_file_name(name, "sdist", project=project.name, version=version)
    found = tarball.normal_sdist(file, spool, lambda _: None, 0, name=name)
    if taken and name_key(project.name, f"{found.top}.tar.gz") != name_key(project.name, name):
        what = f"{name} has the top directory {shown(found.top)}"
        raise ProjectError(what, code="name-mismatch", why="an sdist's is called as the file is", hint="pack it anew")
    info = next((m for m in found.members if m.name == f"{found.top}/PKG-INFO" and m.kind == "file"), None)
    if taken and info is None:
        raise ProjectError(f"{name} has no PKG-INFO", code="metadata-invalid", hint="look at the build backend")
    if info is not None and info.size > _PIECE:
        raise ProjectError(f"{name} has a PKG-INFO of {info.size} bytes", code="metadata-invalid")
    files = (m for m in found.members if m.kind == "file")
    below = ((m.name.removeprefix(f"{found.top}/"), m.size, tarball.content(spool, m)) for m in files)
    return _digest(spool), b"".join(tarball.content(spool, info)) if info else b"", noticed(below)


def _digest(spool: BinaryIO) -> str:
    digest = sha256()
    spool.seek(0)
    for piece in _pieces(spool):
        digest.update(piece)
    return digest.hexdigest()


def _said(metadata: bytes, name: str, project: str, version: str) -> Metadata | None:
    if not metadata:
        return None
    said = parse_metadata(metadata, name)
    check_identity(said, project=project, version=version, where=name)
    return said


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
