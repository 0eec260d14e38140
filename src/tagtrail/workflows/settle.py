"""Row 9 of the carrying table: what a person who looked says of effects that wait; the journal keeps who, and why.

held           --done   -> seen      only where nobody but a person can look (blind)
held | refused --again  -> none      due now: the next `resume` asks once more
any open       --drop   -> dropped   but not a conflict: other bytes stay there whatever is said
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from tagtrail.formats.forms import plain_fault
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Entry, Row, State
from tagtrail.model.names import project_key, says_version
from tagtrail.workflows.road import Road

__all__ = ["How", "chosen", "settle"]

How = Literal["done", "again", "drop"]

_TO: dict[How, State] = {"done": "seen", "again": "none", "drop": "dropped"}
_FROM: dict[How, tuple[State, ...]] = {
    "done": ("held",),
    "again": ("held", "refused"),
    "drop": ("none", "asked", "sent", "refused", "held"),
}


def chosen(road: Road, what: str, project: str = "", version: str = "") -> tuple[Row, ...]:
    """The open rows of a place, or the one of a key or path there, of one release.

    Raises SetupError `settle-nothing`, `settle-several`.
    """
    found = [(row, _entry(road, row)) for row in road.journal.rows() if row.effect.entry >= 0 and _named(row, what)]
    found = [(row, entry) for row, entry in found if _asked(entry, project, version)]
    about = {entry.index: f"{entry.project} {entry.version}" for _, entry in found}
    places = {row.effect.target for row, _ in found}
    if not found:
        why = "a key or a place is what `tagtrail status` names; what is seen or dropped is not open"
        raise SetupError(f"nothing waits at {what}", code="settle-nothing", why=why, hint="tagtrail status")
    if len(about) > 1 or len(places) > 1:
        one = next(iter(about.values()))
        which = ", ".join(f"{text} at {place}" for text in about.values() for place in sorted(places))
        hint = f"tagtrail settle {min(places)} {one} ..."
        raise SetupError(f"{what} is {which}: which one?", code="settle-several", hint=hint)
    return tuple(row for row, _ in found)


def settle(road: Road, rows: Sequence[Row], how: How, *, by: str, because: str) -> None:
    """Move the rows, all or none of them. Raises SetupError `because`, `settle-state`, `settle-looked`."""
    if fault := plain_fault(because) if because.strip() else "says nothing":
        raise SetupError(f"the reason {fault}", code="because", hint=f'--{how} --because "what you saw there"')
    fit = [row for row in rows if row.state in _FROM[how]]
    if not fit:
        raise _unfit(rows[0], how)
    if how == "done":
        _check_blind(road, fit[0])
    for row in fit:
        why = f"{how} by {by}: {because}"
        if road.journal.move(row, replace(row, state=_TO[how], since=road.clock(), due=0, why=why)):
            told = {"target": row.effect.target, "path": row.effect.path, "how": how, "by": by, "because": because}
            road.tell("settled", told)


def _unfit(row: Row, how: How) -> SetupError:
    what = f"{row.effect.path} at {row.effect.target} is {row.state}: --{how} is for {', '.join(_FROM[how])}"
    if row.state == "conflict":
        why, hint = "other bytes are there, whatever anybody says", "tagtrail withdraw PROJECT VERSION --reason TEXT"
    else:
        why, hint = "nothing waits for a person there", "tagtrail resume"
    return SetupError(what, code="settle-state", why=why, hint=hint)


def _check_blind(road: Road, row: Row) -> None:
    place = row.effect.target
    if road.targets[place].retry != "blind":
        why = "tagtrail looks there itself, and believes what it sees"
        raise SetupError(f"--done is not for {place}", code="settle-looked", why=why, hint="--again, or --drop")


def _entry(road: Road, row: Row) -> Entry:
    (entry,) = road.ledger.entries(row.effect.entry, row.effect.entry + 1)
    return entry


def _named(row: Row, what: str) -> bool:
    effect = row.effect
    return what in (effect.target, effect.key, effect.path, f"{effect.target}/{effect.key}")


def _asked(entry: Entry, project: str, version: str) -> bool:
    named = not project or project_key(project) == project_key(entry.project)
    return named and (not version or says_version(version, entry.version) or says_version(entry.version, version))
