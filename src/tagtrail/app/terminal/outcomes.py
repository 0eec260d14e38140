"""How a road's end is said: one outcome, in one line, with the next command."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from shlex import quote

from packaging.version import InvalidVersion, Version

from tagtrail.app.instance.storage import in_bucket, site_directory
from tagtrail.model.facts import Row
from tagtrail.model.names import version_key
from tagtrail.model.steps import STEPS
from tagtrail.ports import Reading
from tagtrail.workflows.announce import counted, tells
from tagtrail.workflows.outcome import Outcome
from tagtrail.workflows.road import Road

__all__ = ["following", "free_version", "outcome_event", "target_summary", "verdict_of"]

_LOOK = "a person must look there, when no other run is at it any more"
_WORDS = {0: "complete", 4: "waiting", 5: "partial", 6: "conflict"}


def outcome_event(road: Road, home: Path, outcome: Outcome) -> dict[str, object]:
    """The fields of the `outcome` event of one release."""
    state = (
        outcome.reached if outcome.exit == 0 and outcome.reached != STEPS[-1] else _WORDS.get(outcome.exit, "stopped")
    )
    if outcome.exit == 0 and outcome.entry and outcome.entry.event == "withdraw":
        state = "withdrawn"
    return {
        "exit": outcome.exit,
        "project": outcome.project,
        "version": outcome.version,
        "state": state,
        "text": _text(road, outcome),
        "next": _next(road, home, outcome),
    }


def verdict_of(rows: Sequence[Row]) -> tuple[bool, str]:
    """(burned, in words): whether the version's name means other bytes somewhere."""
    bad = [row for row in rows if row.state == "conflict"]
    if bad:
        return True, f"burned: other bytes at {', '.join(dict.fromkeys(row.effect.target for row in bad))}"
    return False, "not burned: safe to run again"


def following(version: str, taken: Iterable[str] = ()) -> str:
    """The version to release instead: `33.0.1` after `33.0.0`, the first that is none of those `taken`."""
    try:
        known = Version(version)
    except InvalidVersion:
        return "a new version"
    if known.pre:
        kind, number = known.pre
        head = f"{known.base_version}{kind}"
    else:
        *parts, number = (*known.release, 0, 0)[: max(3, len(known.release))]
        head = (f"{known.epoch}!" if known.epoch else "") + "".join(f"{part}." for part in parts)
    used = {version_key(one) for one in taken}
    return next(new for more in count(1) if version_key(new := f"{head}{number + more}") not in used)


def free_version(ledger: Reading, project: str, version: str) -> str:
    """What `following` says, of the versions that the trail has of the project."""
    return following(version, (entry.version for entry in ledger.entries(project=project)))


def target_summary(rows: Sequence[Row]) -> list[dict[str, object]]:
    """For each target how many of its effects are seen, and what the worst one waits for; people are told last."""
    summary, rows = [], sorted(counted(rows), key=tells)
    for target in dict.fromkeys(row.effect.target for row in rows):
        mine = [row for row in rows if row.effect.target == target]
        open_rows = [row for row in mine if row.state not in ("seen", "dropped")]
        worst = next(
            (
                r
                for state in ("conflict", "refused", "asked", "held", "sent", "none")
                for r in open_rows
                if r.state == state
            ),
            None,
        )
        summary.append(
            {
                "target": target,
                "seen": sum(row.state == "seen" for row in mine),
                "dropped": sum(row.state == "dropped" for row in mine),
                "of": len(mine),
                "state": worst.state if worst else "seen",
                "path": worst.effect.path if worst else "",
                "why": worst.why if worst else next((row.why for row in mine if row.state == "dropped"), ""),
                "due": worst.due if worst else 0,
                "since": worst.since if worst else 0,
                "tries": worst.tries if worst else 0,
            }
        )
    return summary


def _text(road: Road, outcome: Outcome) -> str:
    rows = counted(outcome.rows)
    counts, total = Counter(row.state for row in rows), len(rows)
    if outcome.exit == 6:
        instead = free_version(road.ledger, outcome.project, outcome.version)
        return f"nothing was overwritten, nothing announced.  {verdict_of(outcome.rows)[1]}; use {instead}"
    if outcome.waits:
        return outcome.waits
    if outcome.exit == 0 and outcome.entry and outcome.entry.event == "withdraw":
        entry = outcome.entry
        return f"{entry.project} {entry.version} since entry {entry.index}: {entry.reason or 'no reason given'}"
    if outcome.reached == "signed" and outcome.exit == 4:
        return f"{outcome.project} {outcome.version} waits for its witnesses; nobody is shown it yet"
    if held := _held(outcome):
        return f"{counts['seen']} of {total} seen; held at {', '.join(held)}: {_LOOK}"
    if outcome.exit:
        return f"{counts['seen']} of {total} seen; {_missing(road, outcome)}"
    if outcome.reached != STEPS[-1]:
        return f"{outcome.project} {outcome.version} stopped after `{outcome.reached}`, as asked"
    index = outcome.entry.index if outcome.entry else 0
    return f"{outcome.project} {outcome.version} is entry {index} of {road.site.origin}; {total} of {total} seen"


def _held(outcome: Outcome) -> list[str]:
    """The places where nothing but a person helps, where nothing is worse."""
    held = (row.effect.target for row in outcome.rows if row.state == "held")
    return list(dict.fromkeys(held)) if outcome.exit == 4 else []


def _missing(road: Road, outcome: Outcome) -> str:
    """Which places do not show everything and what one of them said, or who is not told yet."""
    left = [row for row in outcome.rows if row.state not in ("seen", "dropped")]
    if left and all(map(tells, left)):
        return f"{', '.join(dict.fromkeys(row.effect.target for row in left))} not told yet"
    names = _unseen(road, outcome)
    why = next((f": {row.why}" for row in left if row.why and not tells(row)), "")
    return f"{', '.join(names)} {'do' if len(names) > 1 else 'does'} not show the rest yet{why}"


def _unseen(road: Road, outcome: Outcome) -> list[str]:
    """The places that do not show everything."""
    unseen = [row.effect.target for row in outcome.rows if row.state not in ("seen", "dropped") and not tells(row)]
    site = road.site.url or "the site"
    return [site if name == road.site_target else name for name in dict.fromkeys(unseen)] or [site]


def _next(road: Road, home: Path, outcome: Outcome) -> str:
    command = f"tagtrail -C {home}"
    if outcome.exit == 6:
        new = free_version(road.ledger, outcome.project, outcome.version)
        return f'{command} withdraw {outcome.project} {quote(outcome.version)} --reason "..." and tag {new}'
    if outcome.next:
        return outcome.next.replace("tagtrail", command, 1)
    if outcome.reached == "signed" and outcome.exit == 4:
        return f"{command} resume"
    if _held(outcome):
        return f"{command} status"  # it names what can be said of each
    if outcome.exit:
        site = road.settings.site
        by_hand = (
            road.site.url
            and not site.option("upload")
            and not in_bucket(site)
            and road.site.url in _unseen(road, outcome)
        )
        carry = f"bring {site_directory(home, site)} to {road.site.url}, then " if by_hand else ""
        return f"{carry}{command} resume"
    if outcome.reached != STEPS[-1]:
        return f"{command} release {outcome.project} {quote(outcome.version)}"
    if outcome.entry and outcome.entry.event == "withdraw":
        return f"tag other bytes as {free_version(road.ledger, outcome.project, outcome.version)}"
    first = outcome.entry.files[0].name if outcome.entry else ""
    if in_bucket(road.settings.site):
        return f"{command} audit"
    root = site_directory(home, road.settings.site)
    return f"{command} verify {quote(str(root / road.site.file(outcome.project, first)))}"
