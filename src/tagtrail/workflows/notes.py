"""Release notes on the road: what the project wrote is read, what can be counted is added, and one text is kept.

The text is a function of the tag and of what the trail had before it: the release that it follows, with its commit, its
requirements and the sizes of the files that its first entry names.
"""

from collections.abc import Iterable, Sequence

from tagtrail.formats.notes import format_notes, parse_notes
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Entry, Finding, Plan
from tagtrail.model.frozen import replace
from tagtrail.model.names import version_key
from tagtrail.model.notes import Changed, Sized
from tagtrail.ports import Notes, NotesOrder, Objects, Source
from tagtrail.rules.grammar import classify, grammar_of
from tagtrail.rules.requirements import changed
from tagtrail.workflows.examine import Examined
from tagtrail.workflows.past import declared_at
from tagtrail.workflows.road import Road

__all__ = ["planned_notes", "sized_notes", "unwritten"]

_SUFFIXES = (".tar.gz", ".tar.xz", ".tar.bz2", ".whl", ".zip", ".tgz", ".deb", ".rpm", ".jar", ".json", ".txt")


def planned_notes(road: Road, examined: Examined, objects: Objects) -> str:
    """The text before anything is built: all but the sizes. Raises what `Notes.read` and `Source.peeled` raise."""
    order = _order(road.source, examined)
    notes = replace(road.notes.read(objects, order), since=examined.follows)
    if order.since:
        notes = replace(notes, requires=_requires(road, examined, order.since, order.commit))
    elif examined.follows:
        # it follows a release whose commit nobody knows: from where should be counted?
        notes = replace(notes, commits=None, authors=None)
    return format_notes(notes)


def unwritten(notes: Notes, source: Source, examined: Examined) -> tuple[Finding, ...]:
    """What would stop a release that no rule refuses: its notes are not where the settings say.

    Nothing where the settings name no place. Raises what `Source.objects` and `Source.peeled` raise.
    """
    project, tagged = examined.project, examined.tagged
    if examined.errors or examined.taken or project.notes in ("", "auto"):
        return ()
    try:
        notes.read(source.objects(project.repo, tagged.name, tagged.commit), _order(source, examined))
    except ProjectError as error:
        said = {"rule": error.code, "name": error.code, "code": error.code, "text": error.what, "fix": error.hint}
        return (Finding(**said, level="error"),)
    return ()


def _order(source: Source, examined: Examined) -> NotesOrder:
    project = examined.project
    return NotesOrder(
        version=examined.version,
        commit=examined.tagged.commit,
        follows=examined.follows,
        since=_since(source, examined),
        how=project.notes,
        subdirectory=project.subdirectory,
    )


def sized_notes(road: Road, plan: Plan, artifacts: Sequence[Artifact]) -> str:
    """The text that is kept: the plan's, with the sizes of these files beside those of the release before."""
    notes = parse_notes(plan.notes)
    old = _first_entry(road.ledger.entries(project=plan.tag.project), notes.since)
    before = _sums((file.name, file.size) for file in old.files) if old else {}
    now = _sums((artifact.name, artifact.blob.size) for artifact in artifacts)
    sizes = (Sized(kind=kind, before=before.get(kind), now=now.get(kind)) for kind in sorted({*before, *now}))
    return format_notes(replace(notes, sizes=tuple(sizes)))


def _first_entry(history: Iterable[Entry], version: str) -> Entry | None:
    key = version_key(version) if version else None
    known = (e for e in history if e.event == "release") if key else ()
    return next((e for e in known if version_key(e.version) == key), None)


def _since(source: Source, examined: Examined) -> str | None:
    """The commit of the release before: the trail's, else that of its tag."""
    project, follows = examined.project, examined.follows
    if not follows:
        return None
    first = _first_entry(examined.case.before.history, follows)
    if first and first.tag:
        return first.tag.commit
    grammar, key = grammar_of(project), version_key(follows)
    for tag, commit in source.peeled(project.repo):
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
