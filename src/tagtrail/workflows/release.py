"""The release road: Tag -> Plan -> Built -> Approved -> Signed -> Logged | Published -> Announced.

Run it again to resume: what was made is remembered, what is logged is carried, and nothing is ever made twice.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from shlex import quote

from tagtrail.formats import drafts
from tagtrail.formats.facts import digest
from tagtrail.formats.purl import purl
from tagtrail.formats.site import media, sums_name, tag_name
from tagtrail.formats.sums import format_sums
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError, TamperError
from tagtrail.model.facts import Approved, Artifact, Built, Entry, Override, Plan, Row, Sidecar, Signed, Tag, Tagged
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.settings import Project
from tagtrail.model.steps import Step
from tagtrail.ports import BuildOrder, Objects
from tagtrail.trail import sequencer
from tagtrail.workflows.add import asked_later, gathered, log_later
from tagtrail.workflows.ahead import built_key, order_of
from tagtrail.workflows.announce import announce, announced, counted, owe, wait_for
from tagtrail.workflows.approve import Asked, approve, asked_of
from tagtrail.workflows.attest import attest
from tagtrail.workflows.begun import TRAIL, Waiting, begun
from tagtrail.workflows.bill import bill
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.case import tools
from tagtrail.workflows.contents import after
from tagtrail.workflows.enter import enter
from tagtrail.workflows.examine import Ask, Examined, Known, gather, refuse, tell_examined
from tagtrail.workflows.examine import examined as judged
from tagtrail.workflows.hold import stop_if_held
from tagtrail.workflows.inspect import inspect
from tagtrail.workflows.notes import planned_notes, sized_notes
from tagtrail.workflows.overrides import joined, keep_case, remember, set_aside
from tagtrail.workflows.preview import preview
from tagtrail.workflows.publish import logged, publish, published
from tagtrail.workflows.remembered import remembered
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import outdated
from tagtrail.workflows.runbook import said_beside
from tagtrail.workflows.surveys import surveys
from tagtrail.workflows.witnessed import witnessed

__all__ = [
    "TRAIL",
    "Outcome",
    "Prepared",
    "already",
    "approve",
    "build",
    "built_before",
    "came",
    "carried",
    "look",
    "pending",
    "prepare",
    "release",
    "waiting",
]

_FOR = {"approval-missing": "approval", "files-missing": "files", "held": "hold"}


@frozen
class Outcome:
    """How far a release came. `exit` is the command's code; `entry` is None before the hinge.

    `waits` says for which approval or file it waits, and `next` the command that helps.
    """

    exit: int
    project: str
    version: str
    reached: Step
    entry: Entry | None = None
    rows: tuple[Row, ...] = ()
    waits: str = ""
    next: str = ""


@frozen
class Prepared:
    """A tag that was examined and found good: the plan, what a build of it depends on, and the raw tag object."""

    examined: Examined
    plan: Plan
    order: BuildOrder
    objects: Objects
    raw: bytes


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
            if until == "built":
                return _stopped(prepared, "built")
            signed = sign(road, approve(road, gathered(road, built)), prepared.raw)
            if until == "signed":
                return _stopped(prepared, "signed")
            files = after(road, project, prepared.plan.tag.version, signed.approved.built.artifacts)
            keep_case(road, replace(examined.case, after=files), signed)
            entry = log(road, project, signed)
    except (RemoteError, Waiting) as error:
        return waiting(road, error, project.name, examined.version)
    return carried(road, entry, until)


def _is_logged(road: Road, prepared: Prepared) -> bool:
    tag = prepared.plan.tag
    return sequencer.find_release(road.ledger, tag.project, tag.version) is not None


# --- Tag and Plan ---------------------------------------------------------------------------------------------------


def look(
    road: Road,
    project: Project,
    tag: str,
    overrides: Sequence[Override] = (),
    tagged: Tagged | None = None,
) -> Examined:
    """The tag, judged and examined against the history, with what sets rules aside; nothing is written.

    `tagged` is what was found under its name (None: it is read). Raises SetupError `tag-missing`.
    """
    history, keys = road.ledger.entries(project=project.name), road.signers(project)
    known = Known(history=history, keys=keys, now=road.clock(), ask=asking(road))
    case = gather(road.source, road.settings, project, tag, known, tagged=tagged)
    said = set_aside(road, project.name, case.before.sha256)
    examined = judged(case, joined((*said, *overrides)))
    if examined.tagged.kind == "absent" and not examined.taken:
        name = quote(examined.tagged.name)
        raise SetupError(
            f"{project.name} has no tag {examined.tagged.name}",
            code="tag-missing",
            why=f"{examined.tagged.repo} was asked for refs/tags/{examined.tagged.name}",
            hint=f"git tag -s {name} && git push origin {name}\ngit push origin {name}  # where you tagged it already",
        )
    return examined


def asking(road: Road) -> Ask:
    """How the places are asked that take a project's releases of a channel."""
    return lambda project, channel: surveys(road.targets, _takes(road, project.publish, channel), project.name)


def already(road: Road, examined: Examined, taken: Entry) -> Entry:
    """The entry of a version that is logged: the same tag, or an alarm. Raises TamperError `tag-moved`, `tag-gone`."""
    raw = examined.tagged.raw
    if taken.event == "import":
        raise ProjectError(
            f"{taken.project} {taken.version} was released before this trail began: entry {taken.index} imported it",
            code="version-imported",
            why="what is known is not released again, and nothing is announced for it",
            hint="tag the next version",
        )
    if taken.tag is None or raw is None:
        raise TamperError(
            f"{taken.project} {taken.version} is entry {taken.index}, but its tag is {examined.tagged.kind} now",
            code="tag-gone",
            hint="find out who removed it; nothing was changed",
        )
    if sha256(raw).hexdigest() != taken.tag.sha256:
        raise TamperError(
            f"{taken.project} {taken.version} was released from tag object {taken.tag.object[:12]}, "
            f"the tag is {(examined.tagged.object or '')[:12]} now",
            code="tag-moved",
            why="a released version means its bytes for ever",
            hint="tag the new commit as a new version",
        )
    road.tell("already", _where(taken) | {"what": "logged"})
    return taken


def prepare(road: Road, examined: Examined) -> Prepared:
    """The plan for an examined tag; nothing is written. Raises what `refuse` and `outdated` raise; SetupError."""
    refuse(examined)
    # a root that cannot be brought up to the settings, or a place that nobody can make, ends it before a build
    outdated(road)
    tag, project = examined.tag, examined.project
    if tag is None or examined.tagged.raw is None:
        raise ProjectError(
            f"{project.name} {examined.version}: the tag's signature does not count", code="tag-unsigned"
        )
    objects = road.source.objects(project.repo, tag.name, tag.commit)
    plan = _plan(road, examined, tag, objects)
    for name in (*plan.targets, *plan.announce):
        road.targets[name]
    preview(road, plan, 0)  # a template that cannot be filled is found before a build
    order = order_of(project, examined.tagged, tag.version, objects, road.isolation())
    return Prepared(examined=examined, plan=plan, order=order, objects=objects, raw=examined.tagged.raw)


def _plan(road: Road, examined: Examined, tag: Tag, objects: Objects) -> Plan:
    project = examined.project
    return Plan(
        tag=tag,
        kind=project.kind,
        channel=examined.channel,
        series=project.series,
        builds=project.build,
        subdirectory=project.subdirectory,
        targets=_takes(road, project.publish, examined.channel),
        announce=_takes(road, project.announce, examined.channel),
        policy=road.policy(project),
        purl=purl(project.name, tag.version, python=project.is_python, index=_index(road)),
        notes=planned_notes(road, examined, objects),
        overrides=examined.verdict.overrides,
    )


def _takes(road: Road, targets: tuple[str, ...], channel: str) -> tuple[str, ...]:
    return tuple(name for name in targets if channel in road.settings.target(name).on)


def _index(road: Road) -> str:
    return f"{road.site.url}simple/" if road.site.url else ""


# --- Built, Approved, Signed ----------------------------------------------------------------------------------------


def build(road: Road, prepared: Prepared) -> Built:
    """Build once; a build that is remembered is not done again. Raises what `Builder.build` raises."""
    order = prepared.order
    beside = _Beside(road, prepared)
    made = road.journal.once(built_key(order), Artifact, _build, beside)
    tree = road.journal.once(f"tree:{digest(order)}", str, beside.tree)
    artifacts = made if isinstance(made, tuple) else (made,)
    for artifact in artifacts:
        road.tell("built", _built_event(artifact))
    aside = prepared.examined.case.overrides
    overrides = inspect(road, prepared.examined.project, order.version, artifacts, aside)
    plan = replace(prepared.plan, overrides=(*prepared.plan.overrides, *overrides))
    provenance = attest(road, plan, order, artifacts, str(tree))
    return Built(plan=plan, artifacts=artifacts, tree=str(tree), provenance=provenance)


def built_before(road: Road, prepared: Prepared) -> Built | None:
    """What `build` gives where it built already; None: nothing is built."""
    known = remembered(road.journal, built_key(prepared.order), Artifact)
    return build(road, prepared) if known else None


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


class _Beside:
    """What can be done while foreign code is at work, step by step: the tree is read, what writes is made ready."""

    def __init__(self, road: Road, prepared: Prepared) -> None:
        self.road, self.order, self.objects = road, prepared.order, prepared.objects
        self.tagged = prepared.examined.tagged
        self._tree = ""

    def __iter__(self) -> Iterator[Callable[[], object]]:
        said = f"{self.tagged.pyproject} {self.tagged.setup_cfg}".lower()
        yield self.tree
        yield tools
        yield from self.road.ready("text/markdown" if ".md" in said or "markdown" in said else "text/x-rst")

    def tree(self) -> str:
        """The digest of the tag's tree."""
        self._tree = self._tree or self.road.builder.tree(self.order, self.objects)
        return self._tree


def _build(beside: _Beside) -> tuple[Artifact, ...]:
    road, order = beside.road, beside.order
    road.tell(
        "bytes",
        {"what": f"building {', '.join((*order.builds, *order.files))} of {order.project}", "done": 0, "total": 0},
    )
    began, steps = road.clock(), iter(beside)
    made = road.builder.build(order, beside.objects, road.kept, steps)
    ended = road.clock()
    for step in steps:  # what there was no time for
        step()
    return tuple(replace(artifact, began=began, ended=ended) for artifact in made)


def sign(road: Road, approved: Approved, raw: bytes) -> Signed:
    """Make and keep everything that lies beside the artifacts; once for these bytes and this key."""
    key = f"signed:{digest(approved)}:{road.signer.fingerprint}"
    made = road.journal.once(key, Sidecar, _sidecars, road, approved, raw)
    signed = Signed(approved=approved, sidecars=made if isinstance(made, tuple) else (made,))
    road.tell("signed", {"files": len(approved.built.artifacts)})
    return signed


def _sidecars(road: Road, approved: Approved, raw: bytes) -> tuple[Sidecar, ...]:
    built, tag = approved.built, approved.built.plan.tag
    sums = sums_name(tag.project, tag.version)
    listing = format_sums((a.name, a.blob.sha256) for a in built.artifacts)
    signatures = [(f"{a.name}.asc", road.signer.sign(road.kept.read(a.blob.sha256))) for a in built.artifacts]
    files = [
        *signatures,
        (sums, listing),
        (f"{sums}.asc", road.signer.sign(listing)),
        (tag_name(tag.project, tag.version), raw),
        (f"{tag.project}-{tag.version}.notes.md", sized_notes(road, built.plan, built.artifacts).encode()),
        *bill(road, built),
        *said_beside(road, tag.project, tag.version),
    ]
    made = (Sidecar(name=name, blob=road.kept.put([data], media(name))) for name, data in files)
    return (*made, *built.provenance)


# --- Logged ---------------------------------------------------------------------------------------------------------


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


# --- Published, Announced -------------------------------------------------------------------------------------------


def carried(road: Road, entry: Entry, until: Step = "announced") -> Outcome:
    """An entry of the trail witnessed, brought where it belongs, and announced. Raises what `publish` and `announce`
    raise."""
    try:
        witnessed(road, entry)
    except RemoteError as error:
        return waiting(road, error, entry.project, entry.version, entry)
    if until == "logged":
        return Outcome(exit=0, project=entry.project, version=entry.version, reached="logged", entry=entry)
    owe(road, entry)
    fact = logged(road, entry)
    rows = publish(road, fact)
    done = published(fact, rows)
    if done is None:
        wait_for(road, entry, rows)
        return came(entry, "logged", road.journal.rows(entry.index))
    if until == "published":
        return came(entry, "published", rows)
    rows = announce(road, done)
    return came(entry, "announced" if announced(done, rows) else "published", rows)


def came(entry: Entry, reached: Step, rows: tuple[Row, ...]) -> Outcome:
    """How far an entry came that is logged, by its rows; where only people are left to be told, it says who waits."""
    waits = "; ".join(f"{r.effect.target} {r.why}" for r in counted(rows) if r.due and r.state == "none" and r.why)
    return Outcome(
        exit=exit_code(rows),
        project=entry.project,
        version=entry.version,
        reached=reached,
        entry=entry,
        rows=rows,
        waits=f"{entry.project} {entry.version} {waits}" if waits and reached == "published" else "",
    )


def _further(road: Road, project: Project, first: Entry, until: Step) -> Outcome:
    """A version that the trail has: files that were added since enter it too; then it is carried."""
    standing = sequencer.find_release(road.ledger, first.project, first.version) or first
    try:
        entry = log_later(road, project, standing)
    except (RemoteError, Waiting) as error:
        return waiting(road, error, project.name, first.version, standing if isinstance(error, RemoteError) else None)
    return carried(road, entry, until)


def waiting(road: Road, error: Error, project: str, version: str, entry: Entry | None = None) -> Outcome:
    """Too few witnesses answer, so nobody is shown what is signed; or an approval or a file is missing.

    Any other error is raised again.
    """
    if isinstance(error, Waiting):
        road.tell("waiting", {"for": _FOR.get(error.code, ""), "what": error.what, "why": error.why})
        return Outcome(exit=4, project=project, version=version, reached="built", waits=error.what, next=error.hint)
    if error.code != "quorum-unmet":
        raise error
    road.tell("waiting", {"for": "witnesses", "what": error.what, "why": error.why})
    return Outcome(exit=4, project=project, version=version, reached="signed", entry=entry)


def _stopped(prepared: Prepared, reached: Step) -> Outcome:
    tag = prepared.plan.tag
    return Outcome(exit=0, project=tag.project, version=tag.version, reached=reached)


def _where(entry: Entry) -> dict[str, object]:
    return {"project": entry.project, "version": entry.version, "index": entry.index}


def _built_event(artifact: Artifact) -> dict[str, object]:
    return {
        "file": artifact.name,
        "size": artifact.blob.size,
        "sha256": artifact.blob.sha256,
        "as_built": artifact.as_built,
        "members": artifact.members,
        "generated": len(artifact.generated),
    }
