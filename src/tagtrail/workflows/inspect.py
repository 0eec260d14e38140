"""The files of a release looked at after the build, before anything is signed: their names, and what is in them."""

from collections.abc import Mapping, Sequence

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Override
from tagtrail.model.settings import Project
from tagtrail.rules.archives import excused
from tagtrail.rules.book import judge
from tagtrail.rules.registry import AFTER
from tagtrail.workflows.contents import KEPT, after
from tagtrail.workflows.road import Road

__all__ = ["inspect"]


def inspect(
    road: Road,
    project: Project,
    version: str,
    artifacts: Sequence[Artifact],
    overrides: Sequence[Override] = (),
    *,
    told: Sequence[Artifact] = (),
    unkept: Mapping[str, bytes] = KEPT,
) -> tuple[Override, ...]:
    """What the rules say of the files is told; returns what the settings and `overrides` set aside, with the reasons.

    Of the files `told` it was told already, and is not again; `unkept` is as for `after`.
    Raises ProjectError with the first error's code.
    """
    facts, switches = after(road, project, version, artifacts, unkept), (*road.settings.rules, *project.rules)
    verdict = judge(AFTER, facts, switches, overrides)
    said = judge(AFTER, after(road, project, version, told), switches, overrides).findings if told else ()
    for finding in verdict.findings:
        if finding not in said:
            road.tell("finding", dump(finding))
    if verdict.errors:
        first, more = verdict.errors[0], len(verdict.errors) - 1
        why = f"and {more} more, above" if more else ""
        raise ProjectError(first.text, code=first.code, why=why, hint=first.fix)
    return (*verdict.overrides, *excused(facts))
