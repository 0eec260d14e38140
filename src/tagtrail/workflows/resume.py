"""Everything unfinished, and going on with it: releases begun and not logged, entries logged and not carried to the
end."""

from tagtrail.formats.settings import project_of
from tagtrail.model.errors import Error
from tagtrail.model.facts import Entry, Row
from tagtrail.model.frozen import frozen
from tagtrail.model.steps import Step
from tagtrail.ports import Journal, Reading
from tagtrail.workflows.begun import LATER, TRAIL, WITHDRAWAL
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.release import Outcome, carried, release
from tagtrail.workflows.road import Road
from tagtrail.workflows.withdraw import withdraw

__all__ = ["Unfinished", "resume", "unfinished"]

CURSOR = "carried"
"""All entries below it have been carried to the end."""


@frozen
class Unfinished:
    """`begun` are rows of releases, files added later and withdrawals that are not in the trail; `entries` those with
    something left to do, with their rows."""

    begun: tuple[Row, ...]
    entries: tuple[tuple[Entry, tuple[Row, ...]], ...]


def unfinished(ledger: Reading, journal: Journal) -> Unfinished:
    """What is left to do, from the trail and the journal. Entries of which the journal knows nothing are unfinished."""
    open_rows = journal.rows()
    first = (r for r in open_rows if r.effect.target == TRAIL and not _is_logged(ledger, r))
    begun = (*first, *(r for r in open_rows if r.effect.target in (LATER, WITHDRAWAL)))
    waiting = {r.effect.entry for r in open_rows if r.effect.entry >= 0}  # below: rows of no entry
    below = tuple(e for i in sorted(waiting) if i < journal.cursor(CURSOR) for e in ledger.entries(i, i + 1))
    above = ledger.entries(journal.cursor(CURSOR))
    known = ((e, journal.rows(e.index)) for e in (*below, *above) if e.event in ("release", "withdraw"))
    return Unfinished(begun=begun, entries=tuple((e, rows) for e, rows in known if not rows or exit_code(rows)))


def _is_logged(ledger: Reading, begun: Row) -> bool:
    """Killed between the log and the journal, a row does not know what the trail knows."""
    history = ledger.entries(project=begun.effect.key.partition("/")[0])
    return any(entry.tag is not None and entry.tag.name == begun.effect.path for entry in history)


def resume(road: Road) -> tuple[Outcome, ...]:
    """Go on with everything unfinished; one release's failure does not keep the others. Returns what became of each.

    An error before the hinge is told (`refused`) and is an Outcome with its exit code.
    """
    left = unfinished(road.ledger, road.journal)
    size = (head := road.ledger.committed()) and head.size
    outcomes = [_go_on(road, row) for row in left.begun]
    gone_on = {outcome.entry.index for outcome in outcomes if outcome.entry}
    outcomes += [_carry(road, entry) for entry, _ in left.entries if entry.index not in gone_on]
    if size and not unfinished(road.ledger, road.journal).entries:
        road.journal.cursor(CURSOR, road.journal.cursor(CURSOR), size)
    return tuple(outcomes)


def _go_on(road: Road, row: Row) -> Outcome:
    name, _, tag = row.effect.key.partition("/")
    try:
        go_on = withdraw if row.effect.target == WITHDRAWAL else release
        return go_on(road, project_of(road.settings, name), tag)
    except Error as error:
        return _failed(road, error, name, tag)


def _carry(road: Road, entry: Entry) -> Outcome:
    try:
        return carried(road, entry)
    except Error as error:
        return _failed(road, error, entry.project, entry.version, entry)


def _failed(road: Road, error: Error, project: str, version: str, entry: Entry | None = None) -> Outcome:
    fields = {"code": error.code, "what": error.what, "why": error.why, "next": error.hint, "exit": error.exit_code}
    road.tell("refused", fields)
    reached: Step = "logged" if entry else "plan"
    return Outcome(exit=error.exit_code, project=project, version=version, reached=reached, entry=entry)
