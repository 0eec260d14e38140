"""A release as its site records it, proven: its entry and the builder's word, for whoever builds it again."""

import json
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from tagtrail.app.consumer.sources import Source
from tagtrail.formats.encoding import shown
from tagtrail.formats.provenance import MAX_PROVENANCE, Provenance, provenance_name
from tagtrail.formats.root import Root
from tagtrail.model.entry import Entry, File
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.names import version_key
from tagtrail.verify.proofs import entry_of
from tagtrail.verify.provenance import judge_provenance
from tagtrail.verify.release import Measured, verify_file

__all__ = ["Recorded", "recorded"]

MAX_RECORD = 64 * 1024 * 1024
"""Bytes of a project's releases.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What was released and how it was built: both proven. `source` is the site that has it."""

    source: Source
    entry: Entry
    provenance: Provenance

    def original(self, name: str, size: int) -> BytesIO | None:
        """The released file, if its site has those very bytes."""
        path = self.source.layout().file(self.entry.project, name)
        wanted = next(file.sha256 for file in self.entry.files if file.name == name)
        data = self.source.site().read(path, size)
        return BytesIO(data) if data is not None and sha256(data).hexdigest() == wanted else None


def recorded(known: tuple[Source, ...], project: str, version: str, now: int) -> Recorded:
    """The version of a project of one of these sites; `now` in Unix seconds.

    Raises TamperError `unknown`, `not-listed`, `not-built-here`, `provenance-missing`, and what `verify_file` and
    `judge_provenance` raise; SetupError `root-needed`.
    """
    source, written = _source(known, project)
    if not isinstance(source.trust, Root):
        what = "a log policy does not say whose builders are believed"
        raise SetupError(what, code="root-needed", hint="--root FILE, or tagtrail trust URL")
    for name in _files(source, written, version):
        entry = _entry(source, written, name, now)
        if entry is None:
            continue
        _check_same(entry, written, version)
        return Recorded(source=source, entry=entry, provenance=_provenance(source, source.trust, entry))
    what = f"no file of {shown(written)[1:-1]} {shown(version)[1:-1]} was built by this instance"
    raise TamperError(what, code="not-built-here", why="what was brought or imported has no provenance here")


def _source(known: tuple[Source, ...], project: str) -> tuple[Source, str]:
    for source in known:
        if written := source.project(project):
            return source, written
    roots = ", ".join(source.origin for source in known)
    why = f"no such project is in the root of {roots}" if roots else "nothing is pinned"
    hint = "tagtrail trust URL; or --from URL|DIR --root FILE"
    raise TamperError(f"no pinned trail names {shown(project)[1:-1]}", code="unknown", why=why, hint=hint)


def _files(source: Source, project: str, version: str) -> tuple[str, ...]:
    """The names of a version's files, on the site's word: each is proven, or nothing comes of it."""
    path = f"{project}/releases.json"
    data = source.site().read(path, MAX_RECORD)
    try:
        releases: list[dict[str, Any]] = json.loads(data or b"")["releases"]
        found = [r for r in releases if version_key(str(r["version"])) == version_key(version)]
        names = tuple(str(f["name"]) for r in found for f in r["files"])
        there = ", ".join(str(r["version"]) for r in releases[:6])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{source.site().shown(path)} cannot be read"
        raise TamperError(what, code="not-listed", why=f"{type(error).__name__}: {error}") from None
    if not names:
        what = f"{source.site().shown(path)} lists no {shown(version)[1:-1]}"
        raise TamperError(what, code="not-listed", hint=f"there are {shown(there, 200)[1:-1]}")
    return names


def _entry(source: Source, project: str, name: str, now: int) -> Entry | None:
    """The proven entry in the proof beside a file, if the file was built by the instance that entered it."""
    found = source.proof_at(source.layout().file(project, name))
    if found is None:
        return None
    entry = entry_of(found[0])
    file = next((f for f in entry.files if f.name == name), File(name=name, sha256=""))
    tag = source.tag(entry)
    measured = Measured(name=name, sha256=file.sha256, size=file.size)
    verify_file(measured, found[0], source.trust, tag[0] if tag else None, now, allow_imported=True)
    return entry if file.origin.how == "built" else None


def _check_same(entry: Entry, project: str, version: str) -> None:
    if entry.project != project or version_key(entry.version) != version_key(version):
        what = f"the site lists entry {entry.index} as {shown(project)[1:-1]} {shown(version)[1:-1]}"
        raise TamperError(what, code="not-listed", why=f"it is of {entry.project} {entry.version}")


def _provenance(source: Source, root: Root, entry: Entry) -> Provenance:
    name = provenance_name(entry.project, entry.version)
    path = source.layout().file(entry.project, name)
    data = source.site().read(path, 2 * MAX_PROVENANCE) if name in dict(entry.sidecars) else None
    if data is None:
        what = f"{source.site().shown(path)} is not there"
        raise TamperError(what, code="provenance-missing", why="nobody knows what the files were built with")
    return judge_provenance(data, entry, root)
