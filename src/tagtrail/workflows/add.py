"""Files from elsewhere: judged as they come into the Draft of a tag, joining its release, or a later entry that lists
the full set.

What is staged (`staged`) is private until a signer has approved its digests: nothing enters the trail by itself.
"""

from collections.abc import Mapping, Sequence
from shlex import quote

from tagtrail.formats import drafts
from tagtrail.formats.entry import MAX_ENTRY
from tagtrail.formats.site import sums_name, tag_name
from tagtrail.formats.sums import format_sums
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Approval, Artifact, Built, Draft, Entry, Sidecar
from tagtrail.model.frozen import replace
from tagtrail.model.names import name_key
from tagtrail.model.settings import Project
from tagtrail.trail import sequencer
from tagtrail.workflows.alongside import inspect_alongside, released
from tagtrail.workflows.approve import Asked, approvals, ask
from tagtrail.workflows.begun import LATER, Waiting, begun, owed, settled
from tagtrail.workflows.contents import KEPT
from tagtrail.workflows.enter import enter
from tagtrail.workflows.overrides import set_aside
from tagtrail.workflows.road import Road
from tagtrail.workflows.sidecars import sidecars
from tagtrail.workflows.staged import awaited, drafted, remember_brought, staged, tell_brought, tell_unfit

__all__ = ["added_since", "asked_later", "gathered", "judged", "log_later", "stage"]

_SLACK = 8192
"""Bytes of an entry that are left for what names no file: tag, lists of digests, approvals, rules set aside."""
_UNBUILT = 4096
"""Likewise for what will be built here, as long as nobody knows what that is."""


# --- into the Draft -------------------------------------------------------------------------------------------------


def stage(road: Road, project: Project, version: str, tag: str, artifact: Artifact) -> bool:
    """Put a file into the Draft; False: it was there. Whatever is staged is not public. Raises as `judged` does."""
    if judged(road, project, version, tag, artifact):
        return False
    standing = sequencer.find_release(road.ledger, project.name, version)
    if standing and standing.tag:
        why = f"{artifact.name} was brought behind the release, and nobody was asked for it yet"
        owed(road, project.name, standing.tag.name, LATER, why)
    else:
        names = [a.name for a in staged(road, project.name, tag)]
        tell_brought(road, project.name, version, [*names, artifact.name])
    remember_brought(road, project.name, version, tag, artifact)
    _check_draft(staged(road, project.name, tag), artifact, project, version)  # somebody else may have been first
    return True


def judged(
    road: Road,
    project: Project,
    version: str,
    tag: str,
    artifact: Artifact,
    *,
    beside: Sequence[Artifact] = (),
    unkept: Mapping[str, bytes] = KEPT,
) -> bool:
    """Whether the Draft or the trail has this very file already; `beside` comes with it, and nothing need be kept yet:
    its metadata may be among the `unkept`, by SHA-256.

    Raises ProjectError `add-other-bytes`, `add-built`, `add-too-many`, `file-names-alike`, `name-taken`,
    `version-withdrawn`, and what the rules say of it beside the files of the version: it can not be staged.
    """
    sequencer.refuse_withdrawn(road.ledger, project.name, version)
    known = _released(road, project.name, artifact)
    before = staged(road, project.name, tag)
    there = _check_draft((*before, *beside), artifact, project, version) or known
    standing = sequencer.find_release(road.ledger, project.name, version)
    built = () if standing else drafted(road, project.name, tag)
    if twin := _twin(built, artifact, project):
        raise _is_built(artifact.name, twin.name, hint=f"leave {artifact.name} out")
    has = (*(released(road, standing) if standing else built), *before, *beside)
    others = [a for a in has if a.name != artifact.name]
    aside = () if standing else set_aside(road, project.name, tag)
    inspect_alongside(road, project, version, [artifact], others, aside, staged=before, unkept=unkept)
    if not there:
        _check_room(project, version, standing, built, (*before, *beside), artifact)
    return there


def _check_room(
    project: Project,
    version: str,
    standing: Entry | None,
    built: Sequence[Artifact],
    others: Sequence[Artifact],
    ours: Artifact,
) -> None:
    """An entry lists every file of the version, whenever it came. Raises ProjectError `add-too-many`."""
    new = (*(_unreleased(project, standing, others) if standing else others), *built, ours)
    before = len(drafts.later_draft(standing, (), policy=standing.policy).statement) if standing else 0
    size = before + drafts.weight(new) + _SLACK + _UNBUILT * (not standing and not built)
    if size > MAX_ENTRY:
        raise ProjectError(
            f"there is no room for {ours.name} in the entry of {project.name} {version}, beside {len(others)} files",
            code="add-too-many",
            why=f"an entry lists every file of the version: it would have up to {size} bytes, and holds {MAX_ENTRY}",
            hint=f"leave out what nobody needs; tagtrail add {project.name} {quote(version)} --drop NAME",
        )


def _unreleased(project: Project, standing: Entry, files: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """The files of which the version has none yet, in any spelling."""
    known = {name_key(project.name, file.name) for file in standing.files}
    return tuple(a for a in files if name_key(project.name, a.name) not in known)


def _check_draft(draft: Sequence[Artifact], ours: Artifact, project: Project, version: str) -> bool:
    """Whether the draft has this very file; neither other bytes of its name nor another spelling of it."""
    there = _twin(draft, ours, project)
    if there is None:
        return False
    why = f"it was brought by {there.origin.by}"
    hint = f"tagtrail add {project.name} {quote(version)} --drop {quote(there.name)}"
    if there.name != ours.name:
        raise _alike(
            ours.name,
            f"{there.name}, which was brought too",
            why,
            f"leave it out, or, once that is in the draft:\n{hint}",
        )
    if there.blob.sha256 != ours.blob.sha256:
        what = f"{ours.name} is in the draft as {there.blob.sha256[:16]}..., this one is {ours.blob.sha256[:16]}..."
        raise ProjectError(what, code="add-other-bytes", why=why, hint=hint)
    return True


def _twin(among: Sequence[Artifact], ours: Artifact, project: Project) -> Artifact | None:
    """The one whose name means the same."""
    key = name_key(project.name, ours.name)
    return next((a for a in among if name_key(project.name, a.name) == key), None)


def _alike(name: str, other: str, why: str, hint: str) -> ProjectError:
    return ProjectError(f"{name} is one name with {other}", code="file-names-alike", why=why, hint=hint)


def _is_built(name: str, built: str, hint: str) -> ProjectError:
    why = "" if name == built else f"{built} is another spelling of that name"
    return ProjectError(f"{name} is built here, and was brought too", code="add-built", why=why, hint=hint)


def _released(road: Road, project: str, ours: Artifact) -> bool:
    """Whether the trail has this very file; neither other bytes of its name nor another spelling of it."""
    entries = (e for e in road.ledger.entries(project=project) if e.event == "release")
    key, sha256 = name_key(project, ours.name), ours.blob.sha256
    there = next((f for e in entries for f in e.files if name_key(project, f.name) == key), None)
    if there is None:
        return False
    if there.sha256 != sha256:
        what = f"{ours.name} is {there.sha256[:16]}... in the trail, this one is {sha256[:16]}..."
        raise ProjectError(what, code="name-taken", why="one name has one digest for ever", hint="a new version")
    if there.name != ours.name:
        raise _alike(ours.name, f"{there.name}, which is released", "the bytes are the same", f"leave {ours.name} out")
    return True


# --- part of the release --------------------------------------------------------------------------------------------


def gathered(road: Road, built: Built) -> Built:
    """What was built with what was brought, all names judged together.

    Raises Waiting `files-missing` where an expected file is not there; ProjectError `add-built`, and the rules' codes.
    """
    tag = built.plan.tag
    project = road.project(tag.project)
    tell_unfit(road, tag.project, tag)
    brought = staged(road, tag.project, tag.sha256)
    for artifact in brought:
        if twin := _twin(built.artifacts, artifact, project):
            hint = f"tagtrail add {tag.project} {quote(tag.name)} --drop {quote(artifact.name)}"
            raise _is_built(artifact.name, twin.name, hint)
    whole = tuple(sorted((*built.artifacts, *brought), key=lambda a: a.name)) if brought else built.artifacts
    plan = built.plan
    if brought:
        ours = [replace(a, generated=()) for a in built.artifacts]
        said = set_aside(road, tag.project, tag.sha256)
        aside = inspect_alongside(road, project, tag.version, brought, ours, said, staged=brought)
        plan = replace(plan, overrides=tuple(dict.fromkeys((*plan.overrides, *aside))))
    _expect(project, tag.name, [a.name for a in whole])
    return replace(built, plan=plan, artifacts=whole)


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


def added_since(road: Road, project: Project, standing: Entry) -> tuple[Artifact, ...]:
    """The files that were staged since a version was logged."""
    tag = standing.tag
    return _unreleased(project, standing, staged(road, project.name, tag.sha256)) if tag else ()


def asked_later(road: Road, project: Project, standing: Entry) -> tuple[tuple[Artifact, ...], Asked] | None:
    """The files that were staged since a version was logged, and what they ask for; None where there are none."""
    if standing.tag is None:
        return None
    new = added_since(road, project, standing)
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
    tell_unfit(road, project.name, tag)
    if found is None:
        settled(road, project.name, tag.name, LATER)
        return standing
    new, asked = found
    with begun(
        road, project.name, tag.name, lambda: asked_later(road, project, _newest(road, standing)) is None, LATER
    ):
        there = released(road, standing)
        inspect_alongside(road, project, standing.version, new, there, staged=new)
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
