"""The files of a release looked at after the build, before anything is signed: their names, and what is in them."""

from collections.abc import Sequence

from tagtrail.formats.facts import dump
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Override
from tagtrail.model.settings import Project
from tagtrail.rules.archives import excused
from tagtrail.rules.book import judge
from tagtrail.rules.facts import After
from tagtrail.rules.registry import AFTER
from tagtrail.workflows.road import Road

__all__ = ["after", "inspect"]


def inspect(
    road: Road, project: Project, version: str, artifacts: Sequence[Artifact], overrides: Sequence[Override] = ()
) -> tuple[Override, ...]:
    """What the rules say of the files is told; returns what the settings and `overrides` set aside, with the reasons.

    Raises ProjectError with the first error's code.
    """
    facts = after(project, version, artifacts)
    verdict = judge(AFTER, facts, (*road.settings.rules, *project.rules), overrides)
    for finding in verdict.findings:
        road.tell("finding", dump(finding))
    if verdict.errors:
        first, more = verdict.errors[0], len(verdict.errors) - 1
        why = f"and {more} more, above" if more else ""
        raise ProjectError(first.text, code=first.code, why=why, hint=first.fix)
    return (*verdict.overrides, *excused(facts))


def after(project: Project, version: str, artifacts: Sequence[Artifact]) -> After:
    """The facts of a release's files.

    Of what was brought or imported only the names are judged: nobody here knows what its build makes.
    """
    return After(
        project=project.name,
        version=version,
        files=tuple(a.name for a in artifacts),
        generated=tuple((a.name, a.generated) for a in artifacts if a.origin.how == "built"),
        reasons=project.generated,
        python=project.is_python,
    )
