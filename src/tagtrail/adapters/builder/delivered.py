"""A file that a project's own commands made: read strictly, held against the tag, never packed anew.

In a Python project a wheel, and what is named like an sdist, is what its name says, as if somebody had brought it
(`tagtrail.workflows.intake`): installers find it beside what the build backend made. Everything else is an archive by
its bytes (`tagtrail.formats.magic`), whose members are compared with the tag's files, or a file.

What must be an archive by its name (`tagtrail.formats.unpacking`) is read strictly, or refused. Of any other archive
that is not read, or not so strictly (a program with a zip behind it, a signed Android package), it is remarked that
nobody looked into it: who uses it has a reader of his own. In a gem, a tar of archives, the one with its files is read
too (RubyGems' `Gem::Package`: metadata.gz, data.tar.gz, checksums.yaml.gz).
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tagtrail.adapters.builder.blobs import Blobs
from tagtrail.adapters.builder.outputs import (
    Made,
    Sifted,
    identified,
    of_sdist,
    of_wheel,
    sifted,
    text_of,
    with_licenses,
)
from tagtrail.formats import tarball
from tagtrail.formats.archive import Limits, Member
from tagtrail.formats.magic import READ, Ends, recognized, unread
from tagtrail.formats.metadata import check_file_name
from tagtrail.formats.unpacking import form_of
from tagtrail.formats.wheel import check_wheel, metadata_in
from tagtrail.formats.zipball import Wheel
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Remark
from tagtrail.model.frozen import replace
from tagtrail.model.settings import PYTHON
from tagtrail.ports import BuildOrder

__all__ = ["delivered"]

_PIECE = 1 << 20
_DATA = "data.tar.gz"


def delivered(path: Path, order: BuildOrder, blobs: Blobs, limits: Limits) -> Made:
    """The file at `path`, judged. Raises ProjectError `output-invalid`, `name-mismatch`, `version-mismatch`,
    `metadata-invalid`, wheel-* and archive-*."""
    python = not PYTHON.isdisjoint(order.builds)
    with path.open("rb") as file, (path.parent / ".spool").open("w+b") as spool:
        if python and path.name.endswith(".whl"):
            return _wheel(path, file, order, blobs, limits)
        if python and _is_sdist(path.name):
            return _sdist(path, file, spool, order, blobs, limits)
        form = form_of(path.name)
        if form:
            return _archive(path, form, file, spool, blobs, limits)
        form = recognized(Ends.of(file))
        try:
            if form in READ:
                return _archive(path, form, file, spool, blobs, limits)
        except ProjectError as refused:
            return _opaque(path, unread(form, why=refused))
        return _opaque(path, *([unread(form)] if form else []))


def _is_sdist(name: str) -> bool:
    from packaging.utils import InvalidSdistFilename, parse_sdist_filename

    try:
        parse_sdist_filename(name)
    except InvalidSdistFilename:
        return False
    return name.endswith(".tar.gz")


def _wheel(path: Path, file: BinaryIO, order: BuildOrder, blobs: Blobs, limits: Limits) -> Made:
    check_file_name(path.name, "wheel", project=order.project, version=order.version)
    wheel = Wheel(file, limits)
    wheel.check_layout()
    check_wheel(wheel, path.name)
    names = [m.name for m in wheel.members]
    found = sifted(of_wheel(wheel), blobs, blobs.of_others(names))
    return _described(_made(path, found, len(names)), metadata_in(wheel, path.name), order, names)


def _sdist(path: Path, file: BinaryIO, spool: BinaryIO, order: BuildOrder, blobs: Blobs, limits: Limits) -> Made:
    sdist = tarball.normal_sdist(file, spool, lambda _: None, order.epoch, name=path.name, limits=limits)
    spool.seek(0)
    digest = hashlib.sha256()  # of the file as it is: nothing is packed anew
    while piece := spool.read(_PIECE):
        digest.update(piece)
    found = sifted(of_sdist(sdist, spool), blobs, blobs.of_source())
    names = [m.name.removeprefix(f"{sdist.top}/") for m in sdist.members if m.kind != "directory"]
    made = _made(path, found, len(names), tar=digest.hexdigest())
    info = text_of(sdist, spool, "PKG-INFO")
    return made if info is None else _described(made, info, order, names)


def _archive(path: Path, form: str, file: BinaryIO, spool: BinaryIO, blobs: Blobs, limits: Limits) -> Made:
    if form == "zip":
        packed = Wheel(file, limits)
        packed.check_layout()
        names = _below_top(packed.members)
        named = zip(names, packed.members, strict=True)
        found = sifted(((n, m, packed.content(m)) for n, m in named), blobs, blobs.of_others(names))
        return _made(path, found, len(packed.members))
    tar = tarball.read_tarball(file, spool, form=form, limits=limits)
    inner = _files(tar)
    names = _below_top(inner)
    named = zip(names, inner, strict=True)
    held = sifted(((n, m, _content(spool, m)) for n, m in named), blobs, blobs.of_others(names))
    made = _made(path, held, len(inner), tar=tar.tar)
    return _gem(made, inner, spool, blobs, limits) if form == "tar" else made


def _gem(made: Made, wrapped: Sequence[Member], spool: BinaryIO, blobs: Blobs, limits: Limits) -> Made:
    """The same, with the files in a gem as `data.tar.gz/NAME`."""
    data = {m.name: m for m in wrapped if m.kind == "file"}
    if not data.keys() >= {"metadata.gz", _DATA}:
        return made
    room = made.file.parent
    with (room / ".data").open("w+b") as packed, (room / ".inner").open("w+b") as unpacked:
        packed.writelines(tarball.content(spool, data[_DATA]))
        packed.seek(0)
        try:
            inner = _files(tarball.read_tarball(packed, unpacked, form="tar.gz", limits=limits))
            holds = blobs.of_others(m.name for m in inner)
            found = sifted(((m.name, m, _content(unpacked, m)) for m in inner), blobs, holds)
        except ProjectError:
            return made
    within = (replace(r, member=f"{_DATA}/{r.member}") for r in found.remarks)
    return replace(
        made,
        generated=(*made.generated, *(f"{_DATA}/{name}" for name in found.generated)),
        remarks=(*(r for r in made.remarks if (r.kind, r.member) != ("archive", _DATA)), *within),
        members=made.members + len(inner),
    )


def _files(found: tarball.Tarball) -> tuple[Member, ...]:
    return tuple(m for m in found.members if m.kind != "directory")


def _opaque(path: Path, *remarks: Remark) -> Made:
    return _made(path, Sifted(generated=(), remarks=remarks), 0)


def _made(path: Path, found: Sifted, members: int, tar: str = "") -> Made:
    return Made(
        kind="file", name=path.name, file=path, tar=tar, metadata=b"", requires_python="", as_built=False,
        generated=found.generated, remarks=found.remarks, members=members,
    )  # fmt: skip


def _described(made: Made, metadata: bytes, order: BuildOrder, names: Sequence[str]) -> Made:
    said = identified(metadata, made.name, order)
    held = Sifted(generated=made.generated, remarks=made.remarks)
    remarks = with_licenses(held, said, names, wheel=made.name.endswith(".whl"))
    return replace(made, metadata=metadata, requires_python=said.requires_python, remarks=remarks)


def _content(spool: BinaryIO, member: Member) -> Iterator[bytes]:
    if member.kind == "link":
        return iter((member.target.encode("utf-8", "surrogateescape"),))
    return tarball.content(spool, member)


def _below_top(members: Sequence[Member]) -> tuple[str, ...]:
    """Names without the one directory in which all members lie, as an archive of a tree has it."""
    tops = {m.name.partition("/")[0] if "/" in m.name else "" for m in members}
    top = f"{tops.pop()}/" if len(tops) == 1 else "/"
    return tuple(member.name.removeprefix(top) for member in members)
