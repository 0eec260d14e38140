"""What a project's runbook is made from, gathered of an instance; nothing is written and nobody is asked."""

from tagtrail.model.settings import Project
from tagtrail.pages.runbook import Runbook
from tagtrail.rules.registry import AFTER, BEFORE, RULES
from tagtrail.workflows.road import Road

__all__ = ["runbook_of"]


def runbook_of(road: Road, project: Project) -> Runbook:
    """The facts of a project's runbook."""
    groups = sorted({*project.signers, *filter(None, (road.settings.org.approve.group,))})
    switched = {switch.rule for switch in (*road.settings.rules, *project.rules)}
    return Runbook(
        settings=road.settings,
        project=project,
        repo=project.public or _public(project.repo),
        policy=road.policy(project),
        keys=tuple((group, tuple(sorted({key.fingerprint for key in road.people[group]}))) for group in groups),
        before=len(BEFORE),
        after=len(AFTER),
        titles=tuple((rule.id, rule.name) for rule in RULES if rule.id in switched),
        witnesses=", ".join(sorted(known.name for known in road.trust.witnesses)),
    )


def _public(repo: str) -> str:
    """The address without whose it is; a path of this machine is nobody's business."""
    scheme, mark, rest = repo.partition("://")
    if mark and scheme != "file":
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    there = not mark and ":" in repo and not repo.startswith(("/", "."))
    return repo.rpartition("@")[2] if there else "the project's repository"
