"""The release road: Tag -> Plan -> Built -> Approved -> Signed -> Logged | Published -> Announced.

Run it again to resume: what was made is remembered, what is logged is carried, and nothing is ever made twice.
"""

from collections.abc import Sequence
from functools import partial

from tagtrail.formats import drafts
from tagtrail.model.errors import Error, RemoteError, TamperError
from tagtrail.model.facts import Built, Entry, Override, Signed, Tag, Tagged
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Project
from tagtrail.model.steps import Step
from tagtrail.trail import sequencer
from tagtrail.workflows.add import added_since, asked_later, gathered, log_later
from tagtrail.workflows.approve import Asked, approve, asked_of
from tagtrail.workflows.begun import Waiting, begun
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.contents import after as facts_after
from tagtrail.workflows.enter import enter
from tagtrail.workflows.examine import tell_examined
from tagtrail.workflows.hold import stop_if_held
from tagtrail.workflows.make import build, built_before, sign
from tagtrail.workflows.outcome import Outcome, carried, waiting
from tagtrail.workflows.overrides import keep_case, remember
from tagtrail.workflows.prepare import Prepared, already, look, prepare
from tagtrail.workflows.road import Road
from tagtrail.workflows.staged import remember_built, tell_brought

__all__ = ["Outcome", "Prepared", "approve", "build", "log", "look", "pending", "prepare", "release", "sign"]


def release(
    road: Road,
    project: Project,
    tag: str,
    *,
    until: Step = "announced",
    overrides: Sequence[Override] = (),
    tagged: Tagged | None = None,
) -> Outcome:
    """Bring `tag` (a tag or a version) of `project` all the way, or until a step has been done.

    `overrides` set rules aside for this tag; once its release has begun they hold until it is logged; `tagged` is what
    was found under its name, where somebody looked. It ends waiting where too few witnesses answer. Raises ProjectError
    (refused by policy, the build failed), SetupError, RemoteError (run it again), TamperError.
    """
    examined = look(road, project, tag, overrides, tagged)
    if examined.taken:
        standing = already(road, examined, examined.taken)
        sequencer.refuse_withdrawn(road.ledger, standing.project, standing.version)
        return _further(road, project, standing, until)
    tell_examined(examined, road.tell)
    return _released(road, prepare(road, examined), until, overrides)


def _released(road: Road, prepared: Prepared, until: Step, overrides: Sequence[Override]) -> Outcome:
    examined, project = prepared.examined, prepared.examined.project
    if until == "plan":
        return _stopped(prepared, "plan")
    remember(road, project.name, prepared.plan.tag.sha256, overrides)
    try:
        with begun(road, project.name, prepared.plan.tag.name, lambda: _is_logged(road, prepared)):
            stop_if_held(road, project.name, prepared.plan.tag.name)
            built = build(road, prepared)
            try:
                entry = _entered(road, prepared, built, until)
            except Error:
                remember_built(road, built)
                raise
            if entry is None:
                remember_built(road, built)
    except (RemoteError, Waiting) as error:
        return waiting(road, error, project.name, examined.version)
    return carried(road, entry, until) if entry else _stopped(prepared, until)


def _entered(road: Road, prepared: Prepared, built: Built, until: Step) -> Entry | None:
    """What was built, in the trail; None: it was stopped before, as asked."""
    examined, project = prepared.examined, prepared.examined.project
    if until == "built":
        return None
    signed = sign(road, approve(road, gathered(road, built)), prepared.raw)
    if until == "signed":
        return None
    files = facts_after(road, project, prepared.plan.tag.version, signed.approved.built.artifacts)
    keep_case(road, replace(examined.case, after=files), signed)
    entry = log(road, project, signed)
    if any(file.origin.how != "built" for file in entry.files):
        tell_brought(road, project.name, prepared.plan.tag.version, ())
    return entry


def _is_logged(road: Road, prepared: Prepared) -> bool:
    tag = prepared.plan.tag
    return sequencer.find_release(road.ledger, tag.project, tag.version) is not None


def _further(road: Road, project: Project, first: Entry, until: Step) -> Outcome:
    """A version that the trail has: files that were added since enter it too; then it is carried.

    Where more is left to do of the entry before, that is carried first, and the worse end of the two is told."""
    standing = sequencer.find_release(road.ledger, first.project, first.version) or first
    rows = road.journal.rows(standing.index)
    half = added_since(road, project, standing) and (not rows or exit_code(rows))
    before = carried(road, standing, until) if half else None  # what is logged does not wait for what is not
    try:
        after = carried(road, log_later(road, project, standing), until)
    except (RemoteError, Waiting) as error:
        there = standing if isinstance(error, RemoteError) else None
        after = waiting(road, error, project.name, first.version, there)
    return before if before and before.exit > after.exit else after


def _stopped(prepared: Prepared, reached: Step) -> Outcome:
    tag = prepared.plan.tag
    return Outcome(exit=0, project=tag.project, version=tag.version, reached=reached)


def pending(road: Road, project: Project, tag: str, overrides: Sequence[Override] = ()) -> Asked | None:
    """What the Draft of a tag asks for as things stand; None where nothing is built or added. Nothing is written.

    Raises Waiting `files-missing`, and what `prepare` raises.
    """
    examined = look(road, project, tag, overrides)
    if examined.taken:
        first = already(road, examined, examined.taken)
        found = asked_later(road, project, sequencer.find_release(road.ledger, first.project, first.version) or first)
        return found[1] if found else None
    built = built_before(road, prepare(road, examined))
    return asked_of(road, gathered(road, built)) if built else None


def log(road: Road, project: Project, signed: Signed) -> Entry:
    """Enter the trail: the root brought up to the settings in a `key` entry, then the release, in one transaction.

    Raises TamperError `tag-moved`, Waiting `held`, and what `enter` raises.
    """
    tag = signed.approved.built.plan.tag
    _still_there(road, project, tag)
    draft = drafts.draft(signed)

    def standing() -> Entry | None:
        found = sequencer.find_release(road.ledger, tag.project, tag.version)
        return found if found and found.tag and found.tag.sha256 == tag.sha256 else None

    return enter(road, lambda _: draft, standing=standing, last=partial(_last_look, road, tag))


def _last_look(road: Road, tag: Tag) -> None:
    """In the transaction that enters the trail: nobody can hold the tag from here until it is in."""
    stop_if_held(road, tag.project, tag.name)


def _still_there(road: Road, project: Project, tag: Tag) -> None:
    now = road.source.read(project.repo, tag.name)
    if now.object != tag.object:
        raise TamperError(
            f"tag {tag.name} was {tag.object[:12]} when the build began and is {(now.object or 'gone')[:12]} now",
            code="tag-moved",
            why="nothing was logged or published",
            hint="find out who moved it, then run the release again",
        )
