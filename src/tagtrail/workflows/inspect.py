"""The files of a release looked at after the build, before anything is signed: their names, and what is in them."""

from collections.abc import Iterable, Mapping, Sequence

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Finding, Override
from tagtrail.model.frozen import replace
from tagtrail.model.settings import Project
from tagtrail.rules.archives import excused
from tagtrail.rules.book import Rule, Verdict, judge
from tagtrail.rules.facts import After
from tagtrail.rules.registry import AFTER
from tagtrail.workflows.contents import KEPT, after
from tagtrail.workflows.road import Road

__all__ = ["inspect"]

_ACROSS = tuple(rule for rule in AFTER if rule.across)
_ALONE = tuple(rule for rule in AFTER if not rule.across)


def inspect(
    road: Road,
    project: Project,
    version: str,
    artifacts: Sequence[Artifact],
    overrides: Sequence[Override] = (),
    *,
    beside: Sequence[Artifact] = (),
    unkept: Mapping[str, bytes] = KEPT,
) -> tuple[Override, ...]:
    """What the rules say of the files is told; returns what the settings and `overrides` set aside, with the reasons.

    Rules that hold files against each other are asked of those that are `beside` too. What is wrong with these alone
    was told before: it stops nothing, and is not told again. `unkept` is as for `after`.
    Raises ProjectError with the first error's code.
    """

    def asked(rules: Iterable[Rule[After]], facts: After) -> Verdict:
        return judge(rules, facts, (*road.settings.rules, *project.rules), overrides)

    own, said = after(road, project, version, artifacts, unkept), tuple[Finding, ...]()
    if beside:
        said = asked(AFTER, after(road, project, version, beside, unkept)).findings
        across = asked(_ACROSS, after(road, project, version, [*beside, *artifacts], unkept))
        new = tuple(finding for finding in across.findings if finding not in said)
        verdict = asked(_ALONE, own) + replace(across, findings=new)
    else:
        verdict = asked(AFTER, own)
    for finding in verdict.findings:
        if finding not in said:
            road.tell("finding", dump(finding))
    if verdict.errors:
        first, more = verdict.errors[0], len(verdict.errors) - 1
        why = f"and {more} more, above" if more else ""
        raise ProjectError(first.text, code=first.code, why=why, hint=first.fix)
    return (*verdict.overrides, *excused(own))
