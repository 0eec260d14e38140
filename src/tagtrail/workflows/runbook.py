"""What a project's runbook is made from, gathered of an instance; nothing is written and nobody is asked.

A release has it beside it, as it was then, and says where bugs go: both are the site's, so that pages need no settings.
"""

from tagtrail.formats.contacts import contacts_name, format_contacts
from tagtrail.formats.site import runbook_name
from tagtrail.model.settings import Project
from tagtrail.pages.runbook import Runbook, runbook
from tagtrail.rules.registry import AFTER, BEFORE, RULES
from tagtrail.workflows.announce import sayings
from tagtrail.workflows.road import Road

__all__ = ["runbook_of", "said_beside"]


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


def said_beside(road: Road, project: str, version: str) -> tuple[tuple[str, bytes], ...]:
    """(name, bytes) of what lies beside a release because the settings say it: its runbook, where bugs go."""
    own = next((p for p in road.settings.projects if p.name == project), None)
    if own is None:
        return ()
    contacts = format_contacts(sayings(road, project))
    text = runbook(runbook_of(road, own)).encode()
    return (
        (runbook_name(project, version), text),
        *([(contacts_name(project, version), contacts)] if contacts else []),
    )


def _public(repo: str) -> str:
    """The address without whose it is; a path of this machine is nobody's business."""
    scheme, mark, rest = repo.partition("://")
    if mark and scheme != "file":
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    there = not mark and ":" in repo and not repo.startswith(("/", "."))
    return repo.rpartition("@")[2] if there else "the project's repository"
