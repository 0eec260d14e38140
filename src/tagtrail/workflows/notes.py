"""Release notes on the road: what the project wrote is read, what can be counted is added, and one text is kept.

The text is a function of the tag and of what the trail had before it: the release that it follows, with its commit, its
requirements and the sizes of the files that its first entry names.
"""

from collections.abc import Iterable, Sequence

from tagtrail.formats.notes import format_notes, parse_notes
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Entry, Plan
from tagtrail.model.frozen import replace
from tagtrail.model.names import version_key
from tagtrail.model.notes import Changed, Sized
from tagtrail.ports import NotesOrder, Objects
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.rules.requirements import changed
from tagtrail.workflows.examine import Examined
from tagtrail.workflows.past import declared_at
from tagtrail.workflows.road import Road

__all__ = ["planned_notes", "sized_notes"]

_SUFFIXES = (".tar.gz", ".tar.xz", ".tar.bz2", ".whl", ".zip", ".tgz", ".deb", ".rpm", ".jar", ".json", ".txt")


def planned_notes(road: Road, examined: Examined, objects: Objects) -> str:
    """The text before anything is built: all but the sizes. Raises what `Notes.read` and `Source.peeled` raise."""
    project, commit = examined.project, examined.tagged.commit
    since = _since(road, examined)
    order = NotesOrder(
        version=examined.version,
        commit=commit,
        follows=examined.follows,
        since=since,
        how=project.notes,
        subdirectory=project.subdirectory,
    )
    notes = replace(road.notes.read(objects, order), since=examined.follows)
    if since:
        notes = replace(notes, requires=_requires(road, examined, since, commit))
    elif examined.follows:
        # it follows a release whose commit nobody knows: from where should be counted?
        notes = replace(notes, commits=None, authors=None)
    return format_notes(notes)


def sized_notes(road: Road, plan: Plan, artifacts: Sequence[Artifact]) -> str:
    """The text that is kept: the plan's, with the sizes of these files beside those of the release before."""
    notes = parse_notes(plan.notes)
    old = _first_entry(road, plan.tag.project, notes.since)
    before = _sums((file.name, file.size) for file in old.files) if old else {}
    now = _sums((artifact.name, artifact.blob.size) for artifact in artifacts)
    sizes = (Sized(kind=kind, before=before.get(kind), now=now.get(kind)) for kind in sorted({*before, *now}))
    return format_notes(replace(notes, sizes=tuple(sizes)))


def _first_entry(road: Road, project: str, version: str) -> Entry | None:
    key = version_key(version) if version else None
    known = road.ledger.entries(project=project) if key else ()
    return next((e for e in known if e.event == "release" and version_key(e.version) == key), None)


def _since(road: Road, examined: Examined) -> str | None:
    """The commit of the release before: the trail's, else that of its tag."""
    project, follows = examined.project, examined.follows
    if not follows:
        return None
    first = _first_entry(road, project.name, follows)
    if first and first.tag:
        return first.tag.commit
    grammar, key = grammar_of(project), version_key(follows)
    for tag, commit in road.source.peeled(project.repo):
        meaning = classify(grammar, tag)
        if meaning.kind == "release" and version_key(meaning.version) == key:
            return commit
    return None


def _requires(road: Road, examined: Examined, since: str, commit: str) -> tuple[Changed, ...]:
    """What changed in the requirements, where both commits say them statically."""
    if not examined.project.is_python:
        return ()
    try:
        before, now = (declared_at(road.source, examined.project, at).asks for at in (since, commit))
    except ProjectError:
        return ()
    return () if before is None or now is None else changed(before, now)


def _sums(files: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Bytes by kind of file."""
    found: dict[str, int] = {}
    for name, size in files:
        kind = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "other files")
        found[kind] = found.get(kind, 0) + size
    return found
