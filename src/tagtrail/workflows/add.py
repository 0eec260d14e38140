"""Files from elsewhere: staged in the Draft of a tag, joining its release, or a later entry that lists the full set.

What is staged belongs to a tag object, so a moved tag begins with nothing. It is private until a signer has approved
its digests: nothing that is staged enters the trail by itself.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from shlex import quote

from tagtrail.formats import drafts
from tagtrail.formats.site import sums_name, tag_name
from tagtrail.formats.sums import format_sums
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Approval, Artifact, Built, Draft, Entry, Sidecar
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import name_key, project_key
from tagtrail.model.settings import Project
from tagtrail.trail import sequencer
from tagtrail.workflows.approve import Asked, approvals, ask
from tagtrail.workflows.begun import LATER, Waiting, begun, settled
from tagtrail.workflows.enter import enter
from tagtrail.workflows.inspect import inspect
from tagtrail.workflows.overrides import set_aside
from tagtrail.workflows.remembered import newest, remembered, renew
from tagtrail.workflows.road import Road
from tagtrail.workflows.sidecars import sidecars

__all__ = [
    "MOST_FILES",
    "asked_later",
    "awaited",
    "drafted",
    "drop",
    "gathered",
    "judged",
    "log_later",
    "stage",
    "staged",
]

MOST_FILES = 200
"""Files that one draft may hold of others: an entry holds no more."""


@frozen
class _Staged:
    """A line of what happened to a Draft: a file came, or (None) was dropped again."""

    name: str
    artifact: Artifact | None = None


@frozen
class _Drafted:
    """What was built for a draft."""

    artifacts: tuple[Artifact, ...]


# --- staging --------------------------------------------------------------------------------------------------------


def staged(road: Road, project: str, tag: str) -> tuple[Artifact, ...]:
    """What was added to the Draft of the tag object with SHA-256 `tag`, by name; the first of a name stands."""
    place, found = _place(project, tag), dict[str, Artifact]()
    for number in range(road.journal.cursor(place)):
        line = remembered(road.journal, f"{place}:{number}", _Staged)
        if line is not None and line.artifact is not None:
            found.setdefault(line.name, line.artifact)
        elif line is not None:
            found.pop(line.name, None)
    return tuple(found[name] for name in sorted(found))


def stage(road: Road, project: Project, version: str, tag: str, artifact: Artifact) -> bool:
    """Put a file into the Draft; False: it was there. Whatever is staged is not public. Raises as `judged` does."""
    if judged(road, project, version, tag, artifact):
        return False
    _write(road, _place(project.name, tag), _Staged(name=artifact.name, artifact=artifact))
    standing = {a.name: a for a in staged(road, project.name, tag)}
    _check_same(standing.get(artifact.name), artifact, project, version)  # somebody else may have been first
    return True


def judged(road: Road, project: Project, version: str, tag: str, artifact: Artifact) -> bool:
    """Whether the Draft or the trail has this very file already.

    Raises ProjectError `add-other-bytes`, `add-too-many`, `name-taken`, `version-withdrawn`, and what the rules on
    names raise: it can not be staged. Its bytes need not be kept yet.
    """
    sequencer.refuse_withdrawn(road.ledger, project.name, version)
    names = _logged_names(road, project.name)
    key = name_key(project.name, artifact.name)
    if names.get(key, artifact.blob.sha256) != artifact.blob.sha256:
        what = f"{artifact.name} is {names[key][:16]}... in the trail, this one is {artifact.blob.sha256[:16]}..."
        raise ProjectError(what, code="name-taken", why="one name has one digest for ever", hint="a new version")
    before = {a.name: a for a in staged(road, project.name, tag)}
    _check_same(before.get(artifact.name), artifact, project, version)
    inspect(road, project, version, [artifact], set_aside(road, project.name, tag))
    there = artifact.name in before or key in names
    if not there and len(before) >= MOST_FILES:
        what = f"the draft of {project.name} {version} has {MOST_FILES} files already"
        raise ProjectError(what, code="add-too-many", hint=f"tagtrail add {project.name} {version} --drop NAME")
    return there


def drop(road: Road, project: str, tag: str, name: str) -> None:
    """Take a file out of the Draft again. Raises ProjectError `add-not-staged`."""
    known = [a.name for a in staged(road, project, tag)]
    if name not in known:
        why = f"there are {', '.join(known)}" if known else "nothing is staged"
        raise ProjectError(f"{name} is not in the draft", code="add-not-staged", why=why)
    _write(road, _place(project, tag), _Staged(name=name))


def awaited(project: Project, names: Sequence[str]) -> tuple[str, ...]:
    """The patterns of `expect` for which no file is there."""
    return tuple(p for p in project.expect if not any(fnmatchcase(name, p) for name in names))


def _check_same(there: Artifact | None, ours: Artifact, project: Project, version: str) -> None:
    if there is not None and there.blob.sha256 != ours.blob.sha256:
        what = f"{ours.name} is in the draft as {there.blob.sha256[:16]}..., this one is {ours.blob.sha256[:16]}..."
        why = f"it was brought by {there.origin.by}"
        hint = f"tagtrail add {project.name} {quote(version)} --drop {quote(ours.name)}"
        raise ProjectError(what, code="add-other-bytes", why=why, hint=hint)


def _place(project: str, tag: str) -> str:
    return f"draft:{project_key(project)}:{tag}"


def _write(road: Road, place: str, line: _Staged) -> None:
    """Behind the lines that are there; who loses the place to another takes the next one."""
    while True:
        number = road.journal.cursor(place)
        won = road.journal.once(f"{place}:{number}", _Staged, lambda: line)
        road.journal.cursor(place, number, number + 1)
        if won == line:
            return


def _logged_names(road: Road, project: str) -> dict[str, str]:
    released = (e for e in road.ledger.entries(project=project) if e.event == "release")
    return {name_key(project, file.name): file.sha256 for entry in released for file in entry.files}


# --- part of the release --------------------------------------------------------------------------------------------


def gathered(road: Road, built: Built) -> Built:
    """What was built with what was brought, all names judged together.

    Raises Waiting `files-missing` where an expected file is not there; ProjectError `add-built`, and the rules' codes.
    """
    tag = built.plan.tag
    project = road.project(tag.project)
    brought = staged(road, tag.project, tag.sha256)
    both = {a.name for a in built.artifacts} & {a.name for a in brought}
    if both:
        name = min(both)
        hint = f"tagtrail add {tag.project} {quote(tag.name)} --drop {quote(name)}"
        raise ProjectError(f"{name} is built here, and was brought too", code="add-built", hint=hint)
    whole = tuple(sorted((*built.artifacts, *brought), key=lambda a: a.name)) if brought else built.artifacts
    if brought or project.expect or road.settings.org.approve.need:
        _remember_built(road, built)
    plan = built.plan
    if brought:
        names = [replace(a, generated=()) for a in whole]
        said = set_aside(road, tag.project, tag.sha256)
        aside = inspect(road, project, tag.version, names, said, told=built.artifacts)
        plan = replace(plan, overrides=tuple(dict.fromkeys((*plan.overrides, *aside))))
    _expect(project, tag.name, [a.name for a in whole])
    return replace(built, plan=plan, artifacts=whole)


def drafted(road: Road, project: str, tag: str) -> tuple[Artifact, ...]:
    """What was built for the tag object with SHA-256 `tag` when its release began to wait; nothing: it did not yet."""
    line = newest(road.journal, _built_place(project, tag), _Drafted)
    return line.artifacts if line else ()


def _remember_built(road: Road, built: Built) -> None:
    """For whoever looks at the draft without building: the staging index."""
    tag = built.plan.tag
    renew(road.journal, _built_place(tag.project, tag.sha256), _Drafted(artifacts=built.artifacts))


def _built_place(project: str, tag: str) -> str:
    return f"{_place(project, tag)}:built"


def _expect(project: Project, tag: str, names: Sequence[str]) -> None:
    if missing := awaited(project, names):
        here = len(project.expect) - len(missing)
        raise Waiting(
            f"{project.name} {tag} waits for {', '.join(missing)}",
            code="files-missing",
            why=f"{here} of {len(project.expect)} expected files are here; nothing is logged before all are",
            hint=f"tagtrail add {project.name} {quote(tag)} FILE...",
        )


# --- later ----------------------------------------------------------------------------------------------------------


def asked_later(road: Road, project: Project, standing: Entry) -> tuple[tuple[Artifact, ...], Asked] | None:
    """The files that were staged since a version was logged, and what they ask for; None where there are none."""
    if standing.tag is None:
        return None
    known = {file.name for file in standing.files}
    new = tuple(a for a in staged(road, project.name, standing.tag.sha256) if a.name not in known)
    if not new:
        return None
    policy = road.policy(project)
    draft = drafts.later_draft(standing, new, policy=policy)
    channel = standing.channel
    targets = [n for n in (*project.publish, *project.announce) if channel in road.settings.target(n).on]
    files = [(f.name, f.sha256) for f in standing.files] + [(a.name, a.blob.sha256) for a in new]
    names = tuple(a.name for a in new)
    return new, ask(road, project, draft, standing.tag, policy, targets, files, names)


def log_later(road: Road, project: Project, standing: Entry) -> Entry:
    """Enter what was added to a version since; the version's newest entry, `standing` itself where there is nothing.

    Raises Waiting `approval-missing`, and what `enter` raises.
    """
    tag, found = standing.tag, asked_later(road, project, standing)
    if tag is None:
        return standing
    if found is None:
        settled(road, project.name, tag.name, LATER)
        return standing
    new, asked = found
    with begun(
        road, project.name, tag.name, lambda: asked_later(road, project, _newest(road, standing)) is None, LATER
    ):
        inspect(road, project, standing.version, new)
        return _enter(road, standing, new, approvals(road, asked), asked)


def _newest(road: Road, entry: Entry) -> Entry:
    return sequencer.find_release(road.ledger, entry.project, entry.version) or entry


def _enter(road: Road, standing: Entry, new: Sequence[Artifact], approved: tuple[Approval, ...], asked: Asked) -> Entry:
    """One entry, whose list of digests is called after its index: made again where somebody else was first."""

    def made(index: int) -> Draft:
        beside = _beside(road, standing, new, index, asked.digest)
        return drafts.later_draft(standing, new, policy=asked.text.settings, sidecars=beside, approvals=approved)

    return enter(road, made)


def _beside(road: Road, standing: Entry, new: Sequence[Artifact], index: int, digest: str) -> tuple[Sidecar, ...]:
    key = f"signed:{digest}:{index}:{road.signer.fingerprint}"
    made = road.journal.once(key, Sidecar, _sidecars, road, standing, new, index)
    road.tell("signed", {"files": len(new)})
    return made if isinstance(made, tuple) else (made,)


def _sidecars(road: Road, standing: Entry, new: Sequence[Artifact], index: int) -> tuple[Sidecar, ...]:
    """Signatures of the new files, their list, and the tag, without which the entry could not be verified."""
    sums, raw = sums_name(standing.project, standing.version, index), tag_name(standing.project, standing.version)
    listing = format_sums((a.name, a.blob.sha256) for a in new)
    files = [
        *((f"{a.name}.asc", road.signer.sign(road.kept.read(a.blob.sha256))) for a in new),
        (sums, listing),
        (f"{sums}.asc", road.signer.sign(listing)),
        (raw, road.kept.read(dict(standing.sidecars)[raw])),
    ]
    return sidecars(road, files)
