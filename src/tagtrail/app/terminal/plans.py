"""A plan as people read it: what would be built, where it would go, who would see it, what is not protected."""

from collections.abc import Sequence
from hashlib import sha256
from shlex import quote
from typing import Any

from tagtrail.app.terminal.console import Console
from tagtrail.formats.site import release_page
from tagtrail.model.facts import Entry, Override
from tagtrail.model.frozen import replace
from tagtrail.model.names import sdist_stem
from tagtrail.model.settings import TREES, Project
from tagtrail.workflows.approve import count, tell_asked
from tagtrail.workflows.begun import Waiting
from tagtrail.workflows.examine import Examined, tell_examined
from tagtrail.workflows.prepare import Prepared, already, look, prepare
from tagtrail.workflows.preview import preview
from tagtrail.workflows.publish import unseen
from tagtrail.workflows.release import pending
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import outdated
from tagtrail.workflows.staged import awaited, drafted, staged

__all__ = ["tell_plan"]

_SDISTS = {"sdist": ".tar.gz", "sdist.xz": ".tar.xz"}


def tell_plan(road: Road, project: Project, tag: str, console: Console, overrides: Sequence[Override] = ()) -> int:
    """Tell everything that `release` would do now, as one `plan` event; nothing is written. Raises what `release`
    raises."""
    examined = look(road, project, tag, overrides)
    if examined.taken:
        entry = already(road, examined, examined.taken)
        _tell_asked(road, project, tag, ())
        console.tell("outcome", _logged(entry, len(unseen(road, entry))))
        return 0
    tell_examined(examined, road.tell)
    console.tell("plan", _plan(road, examined, prepare(road, examined)))
    _tell_expected(road, examined)
    _tell_asked(road, project, tag, overrides)
    console.tell("outcome", _planned(project.name, examined.version))
    return 0


def _logged(entry: Entry, missing: int) -> dict[str, Any]:
    """What the `outcome` event tells of a version that the trail has: so many of its files are left to publish."""
    return {
        "exit": 0,
        "project": entry.project,
        "version": entry.version,
        "state": "logged",
        "text": f"{entry.project} {entry.version} is entry {entry.index}; {missing} of its files are not seen yet",
        "next": f"tagtrail release {entry.project} {quote(entry.version)}" if missing else "",
    }


def _plan(road: Road, examined: Examined, prepared: Prepared) -> dict[str, Any]:
    """What the `plan` event tells."""
    plan, order, keys = prepared.plan, prepared.order, outdated(road)
    index = (head.size if (head := road.ledger.committed()) else 0) + bool(keys)
    notice = preview(road, plan, index)
    return {
        "project": plan.tag.project,
        "version": plan.tag.version,
        "channel": plan.channel,
        "follows": examined.follows,
        "visible": examined.visible,
        "build": [*plan.builds, *order.files],
        "commit": plan.tag.commit,
        "refs": len(order.refs),
        "changed": list(prepared.changed),
        "isolation": order.isolation,
        "targets": list(plan.targets),
        "announce": list(plan.announce),
        "page": road.site.url + release_page(plan.tag.project, plan.tag.version).removesuffix("index.html"),
        "origin": road.site.origin,
        "index": index,
        "keys": sorted(keys),
        "policy": plan.policy,
        "notes": plan.notes,
        "subject": notice.subject if notice else "",
        "text": notice.text if notice else "",
        "short": notice.short if notice else "",
    }


def _planned(project: str, version: str) -> dict[str, object]:
    """What the `outcome` event tells of a plan."""
    following = f"tagtrail release {project} {quote(version)}"
    about = {"exit": 0, "project": project, "version": version, "state": "planned"}
    return about | {"text": "nothing was written", "next": following}


def _tell_expected(road: Road, examined: Examined) -> None:
    """Before there is a build: which patterns of `expect` have no file among those that were brought, or whose names
    are known."""
    project, raw = examined.project, examined.tagged.raw
    tag = sha256(raw or b"").hexdigest()
    if drafted(road, project.name, tag):
        return  # then all files are known: what is asked says it
    known = [_made_of(project, kind, examined.version) for kind in project.build]
    brought = [artifact.name for artifact in staged(road, project.name, tag)]
    if missing := awaited(project, [*known, *brought]):
        what = f"{project.name} {examined.tagged.name} has no file yet for {', '.join(missing)}"
        why = f"{len(brought)} brought; `release` logs nothing before each has one, built or brought"
        road.tell("waiting", {"for": "files", "what": what, "why": why})


def _made_of(project: Project, kind: str, version: str) -> str:
    """The name of what a build kind makes, where that is known before."""
    if kind in TREES:
        return f"{project.name}-{version}.{kind}"
    return f"{sdist_stem(project.name, version)}{_SDISTS.get(kind, '')}"


def _tell_asked(road: Road, project: Project, tag: str, overrides: Sequence[Override]) -> None:
    """What there is to approve: the digest and the text, once a build gave them; or which files are not there yet."""
    asks = road.settings.org.approve
    try:
        asked = pending(replace(road, tell=lambda *_: None), project, tag, overrides)
    except Waiting as error:
        road.tell("waiting", {"for": "files", "what": error.what, "why": error.why})
        return
    if asked and not asked.nothing:
        tell_asked(road, asked, count(road, asked))
    elif asks.need and asked is None:
        need = f"{asks.need} of {asks.group} must approve"
        road.tell("note", {"text": f"{need}: `tagtrail release` builds, then shows the digest to approve"})
