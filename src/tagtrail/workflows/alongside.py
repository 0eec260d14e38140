"""Files that come, judged together with those that a version has: released, built here, or staged before."""

import re
from collections.abc import Iterable, Mapping, Sequence
from shlex import quote

from tagtrail.formats.facts import dump
from tagtrail.formats.metadata import parse_metadata
from tagtrail.formats.site import media
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Blob, Entry, Finding, Override
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Project
from tagtrail.workflows.contents import KEPT
from tagtrail.workflows.inspect import inspect
from tagtrail.workflows.road import Road

__all__ = ["inspect_alongside", "released"]

_TEXT = "text/plain"


def inspect_alongside(
    road: Road,
    project: Project,
    version: str,
    new: Sequence[Artifact],
    there: Sequence[Artifact],
    aside: Sequence[Override] = (),
    *,
    staged: Sequence[Artifact] = (),
    unkept: Mapping[str, bytes] = KEPT,
) -> tuple[Override, ...]:
    """`inspect` for `new` files beside those that are `there`.

    Raises ProjectError with the first error's code; where it is about files that are `staged`, with how to drop them.
    """
    try:
        return inspect(road, project, version, new, aside, beside=_speakers(there), unkept=unkept)
    except ProjectError as error:
        raise _with_drops(error, project, version, new, staged) from error


def released(road: Road, entry: Entry) -> tuple[Artifact, ...]:
    """Files of an entry, as far as others are held against them. Whose metadata nobody can read here is told."""
    files = (
        Artifact(
            name=file.name,
            blob=Blob(sha256=file.sha256, size=file.size, media=media(file.name)),
            metadata=Blob(sha256=file.metadata, size=0, media=_TEXT) if file.metadata else None,
            origin=file.origin,
        )
        for file in entry.files
    )
    return tuple(_read(road, entry, file) for file in _speakers(files))


def _speakers(files: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Of wheels that say the same of themselves the first, and all else."""
    found: dict[str, Artifact] = {}
    for file in files:
        alike = file.name.endswith(".whl") and file.metadata is not None
        found.setdefault(file.metadata.sha256 if alike and file.metadata else file.name, file)
    return tuple(found.values())


def _read(road: Road, entry: Entry, file: Artifact) -> Artifact:
    if file.metadata is None:
        return file
    if road.kept.blob(file.metadata.sha256, _TEXT) is None:
        return _unread(road, entry, file, "are not kept any more")
    try:
        parse_metadata(road.kept.read(file.metadata.sha256), file.name)
    except ProjectError as error:
        return _unread(road, entry, file, f"cannot be read: {error.what}")
    return file


def _unread(road: Road, entry: Entry, file: Artifact, why: str) -> Artifact:
    said = Finding(
        rule="META011",
        name="files-agree",
        level="warning",
        text=f"nothing is held against {file.name} of entry {entry.index}: its metadata {why}",
        fix="compare what is added with it by hand, before anybody approves",
        code="metadata-unread",
    )
    road.tell("finding", dump(said))
    return replace(file, metadata=None)


def _with_drops(
    error: ProjectError, project: Project, version: str, new: Sequence[Artifact], staged: Sequence[Artifact]
) -> ProjectError:
    names = [a.name for a in staged]
    words = set(re.split(r"[\s,:;]+", error.what))
    named = [n for n in names if n in words] or [n for n in names if n in {a.name for a in new}]
    if not named:
        return error
    drops = "\n".join(f"tagtrail add {project.name} {quote(version)} --drop {quote(name)}" for name in named)
    ways = [error.hint, f"take out what is in the draft:\n{drops}"]
    return ProjectError(error.what, code=error.code, why=error.why, hint="; or ".join(filter(None, ways)))
