"""The withdrawal of a release: Draft -> Approved -> Logged | marked wherever a place can. A short road, run it again.

Nothing is removed and no name becomes free: the entry tells everybody, the site marks the files, and places that can
mark theirs do. What was not published yet is not published any more.
"""

import re

from tagtrail.formats.drafts import withdraw_draft
from tagtrail.formats.entry import reason_fault
from tagtrail.model.errors import ProjectError, RemoteError, SetupError
from tagtrail.model.facts import Draft, Entry
from tagtrail.model.frozen import replace
from tagtrail.model.names import project_key, says_version, version_key
from tagtrail.model.settings import Project
from tagtrail.trail import sequencer
from tagtrail.workflows.approve import Asked, approvals, ask
from tagtrail.workflows.begun import LATER, WITHDRAWAL, Waiting, begun, settled
from tagtrail.workflows.enter import enter
from tagtrail.workflows.outcome import Outcome, carried, waiting
from tagtrail.workflows.remembered import newest, renew
from tagtrail.workflows.road import Road

__all__ = ["pending", "reason_of", "withdraw"]

_PRIVATE = re.compile(r"\S@\S")
"""An address of a person, or a user in a URL: an entry is public, and for ever."""


def reason_of(text: str) -> str:
    """The reason as it will stand in the entry. Raises SetupError `reason`."""
    fault = "names an address, and the entry is public, for ever" if _PRIVATE.search(text) else reason_fault(text)
    if fault:
        hint = '--reason "loses data on upgrade; take 33.0.1"'
        raise SetupError(f"the reason {text[:60]!r} {fault}", code="reason", hint=hint)
    return text


def withdraw(road: Road, project: Project, version: str, reason: str = "") -> Outcome:
    """Take back a version (or tag) that the trail has; without `reason`, for the one that was said before.

    It ends waiting where approvals or witnesses are missing. Raises ProjectError `version-unknown`,
    SetupError, RemoteError (run it again), TamperError.
    """
    standing = _standing(road, project, version)
    if gone := _gone(road, standing):
        settled(road, project.name, standing.version, WITHDRAWAL)
        where = {"project": gone.project, "version": gone.version, "index": gone.index}
        road.tell("already", where | {"what": f"withdrawn: {gone.reason}" if gone.reason else "withdrawn"})
        return carried(road, gone)
    _remember(road, standing, reason)
    try:
        with begun(road, project.name, standing.version, lambda: _gone(road, standing) is not None, WITHDRAWAL):
            entry = _log(road, project, standing)
    except (RemoteError, Waiting) as error:
        return waiting(road, error, project.name, standing.version, _gone(road, standing))
    return carried(road, entry)


def pending(road: Road, project: Project, version: str) -> Asked | None:
    """What a withdrawal that was begun asks for; None where none was, or the trail has it. Nothing is written."""
    standing = _found(road, project, version)
    if standing is None or not _said(road, standing) or _gone(road, standing):
        return None
    return _asked(road, project, standing)


def _standing(road: Road, project: Project, version: str) -> Entry:
    found = _found(road, project, version)
    if found is None:
        _refuse_imported(road, project, version)
        raise ProjectError(
            f"the trail has no {project.name} {version}",
            code="version-unknown",
            why="what was never logged is not public, so there is nothing to take back",
            hint=f"tagtrail status {project.name}",
        )
    return found


def _refuse_imported(road: Road, project: Project, version: str) -> None:
    for entry in road.ledger.entries(project=project.name):
        if entry.event == "import" and says_version(version, entry.version):
            raise ProjectError(
                f"{project.name} {entry.version} was released before this trail began: entry {entry.index} imported it",
                code="version-imported",
                why="what was not released here has no tag that people could approve its withdrawal of",
                hint="yank or mark it by hand where it is: tagtrail audit --places names the places",
            )


def _found(road: Road, project: Project, version: str) -> Entry | None:
    """The newest entry of a version, by its tag too."""
    if found := sequencer.find_release(road.ledger, project.name, version):
        return found
    history = road.ledger.entries(project=project.name)
    return next((e for e in reversed(history) if e.event == "release" and e.tag and e.tag.name == version), None)


def _gone(road: Road, standing: Entry) -> Entry | None:
    return sequencer.find_withdrawal(road.ledger, standing.project, standing.version)


# --- the reason, which is part of what people approve ----------------------------------------------------------------


def _remember(road: Road, standing: Entry, reason: str) -> None:
    """Another reason takes the place of the one before: whoever approved that, approves again."""
    if reason:
        renew(road.journal, _place(standing), reason)


def _said(road: Road, standing: Entry) -> str:
    return newest(road.journal, _place(standing), str) or ""


def _place(standing: Entry) -> str:
    return f"withdraw:{project_key(standing.project)}:{version_key(standing.version)}"


# --- approved, logged -------------------------------------------------------------------------------------------------


def _asked(road: Road, project: Project, standing: Entry) -> Asked:
    reason, policy, tag = _said(road, standing), road.policy(project), standing.tag
    if tag is None:
        raise ProjectError(f"entry {standing.index} names no tag", code="tag-not-in-entry")
    draft = withdraw_draft(standing, reason, policy=policy)
    targets = [name for name in project.publish if standing.channel in road.settings.target(name).on]
    files = [(file.name, file.sha256) for file in standing.files]
    whole = replace(draft, version=standing.version)
    asked = ask(road, project, whole, tag, policy, targets, files, ())
    # who asks for it is no author: the tag's signer may approve
    return replace(asked, author="", text=replace(asked.text, withdraw=reason))


def _log(road: Road, project: Project, standing: Entry) -> Entry:
    """Raises Waiting `approval-missing`, and what `enter` raises."""
    asked = _asked(road, project, standing)
    given, reason = approvals(road, asked), asked.text.withdraw

    def made(_: int) -> Draft:
        return withdraw_draft(standing, reason, policy=asked.text.settings, approvals=given)

    entry = enter(road, made, standing=lambda: _gone(road, standing), root=False)
    if standing.tag is not None:
        settled(road, project.name, standing.tag.name, LATER)
    return entry
