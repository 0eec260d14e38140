"""Row 9 of the carrying table: what a person who looked says of effects that wait; the journal keeps who, and why.

held           --done   -> seen      only where nobody but a person can look (blind)
held | refused --again  -> none      due now: the next `resume` asks once more
any open       --drop   -> dropped   but not a conflict: other bytes stay there whatever is said
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from tagtrail.formats.forms import plain_fault
from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Row, State
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import project_key, says_version
from tagtrail.workflows.announce import counted
from tagtrail.workflows.road import Road
from tagtrail.workflows.words import address, is_word, name, tag_of, words

__all__ = ["How", "chosen", "settle"]

How = Literal["done", "again", "drop"]

_TO: dict[How, State] = {"done": "seen", "again": "none", "drop": "dropped"}
_FROM: dict[How, tuple[State, ...]] = {
    "done": ("held",),
    "again": ("held", "refused"),
    "drop": ("none", "asked", "sent", "refused", "held"),
}


def chosen(road: Road, what: str, project: str = "", version: str = "") -> tuple[Row, ...]:
    """The open rows of a place, or the one of a key or path there, of one release; or one word to the release team.

    Raises SetupError `settle-nothing`, `settle-several`.
    """
    of = (row for row in road.journal.rows() if row.effect.entry >= 0 or is_word(row))  # not what was begun, nor holds
    named = (row for row in of if _named(row, what))
    found = [one for one in map(partial(_open, road), named) if _asked(one, project, version)]
    if not found:
        why = "a key or a place is what `tagtrail status` names; what is seen or dropped is not open"
        raise SetupError(f"nothing waits at {what}", code="settle-nothing", why=why, hint="tagtrail status")
    if len(about := {one.about: one for one in found}) > 1:
        which = ", ".join(one.text for one in about.values())
        hint = f"tagtrail settle {min(about.values(), key=lambda one: one.about).address} ..."
        raise SetupError(f"{what} is {which}: which one?", code="settle-several", hint=hint)
    return tuple(one.row for one in found)


def settle(road: Road, rows: Sequence[Row], how: How, *, by: str, because: str) -> tuple[Row, ...]:
    """Move the rows, all or none of them; returns those that are moved, as people count them.

    Raises SetupError `because`, `settle-state`, `settle-looked`.
    """
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
    return counted(fit)


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


@frozen
class _Open:
    """A row that waits, and whose it is: `about` is its own, and the same for all files of a release at one place."""

    row: Row
    about: tuple[str, int, str]
    project: str
    version: str
    text: str
    address: str


def _open(road: Road, row: Row) -> _Open:
    place, index = row.effect.target, row.effect.entry
    if is_word(row):
        project, version = tag_of(row)
        text, known = f"the word {row.effect.path!r} to {place}", address(row, words(road.journal))
    else:
        (entry,) = road.ledger.entries(index, index + 1)
        project, version = entry.project, entry.version
        text, known = f"{project} {version} at {place}", f"{place} {project} {version}"
    about = (place, index, row.effect.key if is_word(row) else "")
    return _Open(row=row, about=about, project=project, version=version, text=text, address=known)


def _named(row: Row, what: str) -> bool:
    """A place, a key, a path, a place and a key; of words `watch/PROJECT/TAG` too."""
    effect = row.effect
    keys = (effect.key, name(row)) if is_word(row) else (effect.key,)
    return what in (effect.target, effect.path, *keys, *(f"{effect.target}/{key}" for key in keys))


def _asked(one: _Open, project: str, version: str) -> bool:
    named = not project or project_key(project) == project_key(one.project)
    return named and (not version or says_version(version, one.version) or says_version(one.version, version))
