"""Before the build: Tag -> Plan. The tag is looked at and judged, and what a release of it would be is planned.

Nothing is written.
"""

from collections.abc import Sequence
from hashlib import sha256
from shlex import quote

from tagtrail.formats.purl import purl
from tagtrail.model.errors import ProjectError, SetupError, TamperError
from tagtrail.model.facts import Entry, Override, Plan, Tag, Tagged
from tagtrail.model.frozen import frozen
from tagtrail.model.settings import Project
from tagtrail.ports import BuildOrder, Objects
from tagtrail.workflows.ahead import order_of
from tagtrail.workflows.examine import Ask, Examined, Known, gather, refuse
from tagtrail.workflows.examine import examined as judged
from tagtrail.workflows.notes import planned_notes
from tagtrail.workflows.overrides import joined, set_aside
from tagtrail.workflows.preview import preview
from tagtrail.workflows.refs import shown
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import outdated
from tagtrail.workflows.staged import refuse_left
from tagtrail.workflows.surveys import surveys

__all__ = ["Prepared", "already", "asking", "look", "prepare"]


@frozen
class Prepared:
    """A tag that was examined and found good: the plan, what a build of it depends on, and the raw tag object.
    `changed` are tags that came, went or moved since its first build: it goes on as it began."""

    examined: Examined
    plan: Plan
    order: BuildOrder
    objects: Objects
    raw: bytes
    changed: tuple[str, ...] = ()


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
    """The plan for an examined tag; nothing is written. Raises what `refuse`, `outdated` and
    `refuse_left` raise; SetupError."""
    refuse(examined)
    # a root that cannot be brought up to the settings, or a place that nobody can make, ends it before a build
    outdated(road)
    tag, project = examined.tag, examined.project
    if tag is None or examined.tagged.raw is None:
        raise ProjectError(
            f"{project.name} {examined.version}: the tag's signature does not count", code="tag-unsigned"
        )
    refuse_left(road, project.name, tag.version, tag)
    now = road.source.objects(project.repo, tag.name, tag.commit)
    objects = shown(road.journal, project.name, examined.tagged.raw, now)
    plan = _plan(road, examined, tag, objects)
    for name in (*plan.targets, *plan.announce):
        road.targets[name]
    preview(road, plan, 0)  # a template that cannot be filled is found before a build
    order = order_of(project, examined.tagged, tag.version, objects, road.isolation())
    changed = tuple(sorted({name.removeprefix("refs/tags/") for name, _ in {*now.refs} ^ {*objects.refs}}))
    return Prepared(
        examined=examined, plan=plan, order=order, objects=objects, raw=examined.tagged.raw, changed=changed
    )


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


def _where(entry: Entry) -> dict[str, object]:
    return {"project": entry.project, "version": entry.version, "index": entry.index}
