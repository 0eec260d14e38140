"""Everything unfinished, and going on with it: releases begun and not logged, entries logged and not carried to the
end, and words to the release team."""

from collections.abc import Sequence

from tagtrail.formats.settings import project_of
from tagtrail.model.errors import Error
from tagtrail.model.facts import Entry, Row
from tagtrail.model.frozen import frozen, replace
from tagtrail.model.names import says_version
from tagtrail.model.steps import Step
from tagtrail.ports import Journal, Reading
from tagtrail.trail import sequencer
from tagtrail.workflows.announce import tell_together
from tagtrail.workflows.begun import BROUGHT, LATER, TRAIL, WITHDRAWAL
from tagtrail.workflows.carry import exit_code
from tagtrail.workflows.outcome import Outcome, came, carried
from tagtrail.workflows.release import release
from tagtrail.workflows.road import Road
from tagtrail.workflows.withdraw import withdraw
from tagtrail.workflows.words import tag_of, tell_words, words

__all__ = ["Unfinished", "resume", "unfinished"]

CURSOR = "carried"
"""All entries below it have been carried to the end."""


@frozen
class Unfinished:
    """`begun` are rows of releases, files added later and withdrawals that are not in the trail; `entries` those with
    something left to do, with their rows; `words` those to the release team. `drafts` are rows of versions that have
    files and no release under way: whoever begins one goes on with them, `resume` does not."""

    begun: tuple[Row, ...]
    entries: tuple[tuple[Entry, tuple[Row, ...]], ...]
    words: tuple[Row, ...] = ()
    drafts: tuple[Row, ...] = ()


def unfinished(ledger: Reading, journal: Journal) -> Unfinished:
    """What is left to do, from the trail and the journal. Entries of which the journal knows nothing are unfinished."""
    open_rows = journal.rows()
    first = [r for r in open_rows if r.effect.target == TRAIL and not _is_logged(ledger, r)]
    drafts = tuple(r for r in open_rows if r.effect.target == BROUGHT and not _is_under_way(ledger, r, first))
    begun = (*first, *(r for r in open_rows if r.effect.target in (LATER, WITHDRAWAL)))
    waiting = {r.effect.entry for r in open_rows if r.effect.entry >= 0}  # below: rows of no entry
    below = tuple(e for i in sorted(waiting) if i < journal.cursor(CURSOR) for e in ledger.entries(i, i + 1))
    above = ledger.entries(journal.cursor(CURSOR))
    known = ((e, journal.rows(e.index)) for e in (*below, *above) if e.event in ("release", "withdraw"))
    entries = tuple((e, rows) for e, rows in known if not rows or exit_code(rows))
    return Unfinished(begun=begun, entries=entries, words=words(journal), drafts=drafts)


def _is_logged(ledger: Reading, begun: Row) -> bool:
    """Killed between the log and the journal, a row does not know what the trail knows."""
    history = ledger.entries(project=begun.effect.key.partition("/")[0])
    return any(entry.tag is not None and entry.tag.name == begun.effect.path for entry in history)


def _is_under_way(ledger: Reading, brought: Row, begun: Sequence[Row]) -> bool:
    """Whether a version's files have a release that speaks for them, or are in the trail."""
    project, _, version = brought.effect.key.partition("/")
    others = (row.effect.key.partition("/") for row in begun)
    if any(other == project and says_version(tag, version) for other, _, tag in others):
        return True
    return sequencer.find_release(ledger, project, version) is not None


def resume(road: Road, *, early: bool = False) -> tuple[Outcome, ...]:
    """Go on with everything unfinished; one release's failure does not keep the others. Returns what became of each,
    and the words to the team that are not there yet.

    `early`: the releases that wait for the day's end are told now, together, when all that could be published is. An
    error is told (`refused`) and is an Outcome with its exit code.
    """
    left = unfinished(road.ledger, road.journal)
    size = (head := road.ledger.committed()) and head.size
    outcomes = [_go_on(road, row) for row in left.begun]
    gone_on = {outcome.entry.index for outcome in outcomes if outcome.entry}
    outcomes += [_carry(road, entry) for entry, _ in left.entries if entry.index not in gone_on]
    if early:
        outcomes = _told_early(road, outcomes)
    if size and not unfinished(road.ledger, road.journal).entries:
        road.journal.cursor(CURSOR, road.journal.cursor(CURSOR), size)
    return (*outcomes, *(_word(row) for row in tell_words(road)))


def _told_early(road: Road, outcomes: list[Outcome]) -> list[Outcome]:
    """Those who tell a day's releases together do it now; how far each release came is looked up again."""
    failed: dict[str, int] = {}
    for target in road.settings.targets:
        try:
            if target.together:
                tell_together(road, target, early=True)
        except Error as error:
            failed[target.name] = _said(road, error)
    return [_came_since(road, outcome, failed) for outcome in outcomes]


def _came_since(road: Road, outcome: Outcome, failed: dict[str, int]) -> Outcome:
    if outcome.entry is None or outcome.reached != "published":
        return outcome
    rows = road.journal.rows(outcome.entry.index)
    after = came(outcome.entry, "published" if exit_code(rows) else "announced", rows)
    code = max((failed.get(row.effect.target, 0) for row in rows if row.state == "none"), default=0)
    return replace(after, exit=code or after.exit)


def _word(row: Row) -> Outcome:
    project, tag = tag_of(row)
    waits = f"{row.effect.target} is not told of {project} {tag}: {row.why or row.state}"
    return Outcome(exit=exit_code((row,)), project=project, version=tag, reached="plan", rows=(row,), waits=waits)


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
    reached: Step = "logged" if entry else "plan"
    return Outcome(exit=_said(road, error), project=project, version=version, reached=reached, entry=entry)


def _said(road: Road, error: Error) -> int:
    """Tell of an error that ends one thing and not the others; its exit code."""
    fields = {"code": error.code, "what": error.what, "why": error.why, "next": error.hint, "exit": error.exit_code}
    road.tell("refused", fields)
    return error.exit_code
