"""Carrying: the one driver that brings logged bytes to places and tells people, and the table of states it follows.

    1 none|refused|asked  find hit, same digest -> seen (adopted)
    2 none | refused   find miss, time is due -> asked (committed), then apply
    3 any but blind    find hit, other digest -> conflict
    4 asked            Receipt                -> sent (blind: seen)
    5 asked            Refused(after)         -> refused, again at now + after
    6 asked            Conflict               -> conflict
    7 asked            Unknown, or a crash    -> keyed: ask again; searchable: find, after its lag ask again;
                                                 blind: held
    8 sent             find hit -> seen; miss -> sent (not visible yet)
    9 held | refused   settle --done -> seen; --again -> asked; --drop --because -> dropped
   10 exit code        conflict 6 > refused or asked 5 > none (by ci, waiting), held, sent 4 > all seen or dropped 0
   11 seen             find miss              -> asked, then apply: a place that forgot (not blind; docs/adr/0006)
   12 by ci            find miss              -> none: somebody else applies (but sent stays, we did); 1 and 3 hold
   13 people are told  keyed, Receipt -> seen: nobody can look, the answer counts; and seen stays seen (not 11): who
                       removes a message does not ask for a second one
   14 held             the answer to that try comes after all (another process looked meanwhile): as 4 to 6

`looked` and `answered` are the table, pure; `drive` decides when. Nothing else calls `find` or `apply`.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Effect, Logged, Receipt, Row, Skip
from tagtrail.model.frozen import replace
from tagtrail.model.notice import Notice
from tagtrail.ports import Clock, Conflict, Journal, Refused, Target, Tell, Unknown

__all__ = ["answered", "bring", "drive", "exit_code", "looked"]

Answer = Receipt | Refused | Unknown | Conflict

AWAITED = "a workflow uploads it"
UNSEEN = "asked by a run that was cut off, or is still at it: nobody knows whether it arrived"

_EXITS = {"conflict": 6, "refused": 5, "asked": 5, "none": 4, "held": 4, "sent": 4, "seen": 0, "dropped": 0}


# --- the table ------------------------------------------------------------------------------------------------------


def looked(
    row: Row,
    found: Receipt | None,
    now: int,
    retry: Literal["keyed", "searchable", "blind"],
    lag: int,
    *,
    awaited: bool = False,
    told: bool = False,
) -> Row:
    """The row after a look at the place (blind: nobody looks). An `asked` row with one try more is to be applied.

    `awaited`: somebody else applies (`by = "ci"`). `told`: people are told something, no file is carried.
    """
    if told and row.state == "seen":
        return row
    if retry == "blind" and not awaited:
        return _unseen(row, now)
    if found and found.sha256 != row.effect.blob.sha256:
        there = found.note or f"there {found.sha256[:16]}..."
        why = f"{there}, ours {row.effect.blob.sha256[:16]}... ({row.effect.blob.size:,} B)"
        return _moved(row, "conflict", now, why=why, receipt=found)
    if found:
        settled = row.state in ("held", "conflict", "dropped")
        return row if settled else _moved(row, "seen", now, why=found.note, receipt=found)
    if awaited:
        return _moved(row, "none", now, why=AWAITED) if row.state in ("none", "refused", "asked", "seen") else row
    if row.state == "seen":
        return _asked(row, now)
    if row.state == "asked":
        return _asked(row, now) if retry == "keyed" or now >= row.since + lag else row
    return _due(row, now)


def answered(
    row: Row, answer: Answer, now: int, retry: Literal["keyed", "searchable", "blind"], *, told: bool = False
) -> Row:
    """The row after one attempt."""
    if isinstance(answer, Receipt):
        final = retry == "blind" or (told and retry == "keyed")
        return _moved(row, "seen" if final else "sent", now, receipt=answer)
    if isinstance(answer, Refused):
        return replace(_moved(row, "refused", now, why=answer.why), due=now + answer.after)
    if isinstance(answer, Conflict):
        return _moved(row, "conflict", now, why=str(answer))
    return _moved(
        row, "held" if retry == "blind" else "asked", now, why=str(answer) or "nobody knows whether it arrived"
    )


def exit_code(rows: Iterable[Row]) -> int:
    """What the worst row means for the command: 0 all there, 4 waiting, 5 run it again, 6 a person must look."""
    return max((_EXITS[row.state] for row in rows), default=0)


def _unseen(row: Row, now: int) -> Row:
    if row.state == "asked":
        return _moved(row, "held", now, why=UNSEEN)
    return _due(row, now)


def _due(row: Row, now: int) -> Row:
    return _asked(row, now) if row.state in ("none", "refused") and now >= row.due else row


def _asked(row: Row, now: int) -> Row:
    return replace(row, state="asked", since=now, tries=row.tries + 1, why="")


def _moved(row: Row, state: str, now: int, *, why: str = "", receipt: Receipt | None = None) -> Row:
    if state == row.state and why == row.why:
        return row
    since = row.since if state == row.state else now
    return replace(row, state=state, since=since, why=why, receipt=receipt or row.receipt)


# --- the driver -----------------------------------------------------------------------------------------------------


def drive(
    logged: Logged,
    target: Target,
    journal: Journal,
    *,
    notice: Notice | None,
    ours: bool,
    clock: Clock,
    tell: Tell,
    awaited: bool = False,
) -> tuple[Row, ...]:
    """One pass over all that `target` needs of an entry; returns its rows.

    `notice` is what is said of it, where people are told (None: files are carried), its bytes kept. `ours` says
    whether this journal logged the entry: if not, a blind effect may have happened and is held. `awaited`:
    somebody else applies, we only look.
    """
    held, items = target.retry == "blind" and not ours, target.plan(logged, notice)
    return bring(
        items,
        target,
        journal,
        clock=clock,
        tell=tell,
        held=held,
        awaited=awaited,
        told=notice is not None,
    )


def bring(
    items: Sequence[Effect | Skip],
    target: Target,
    journal: Journal,
    *,
    clock: Clock,
    tell: Tell,
    held: bool = False,
    awaited: bool = False,
    told: bool = False,
) -> tuple[Row, ...]:
    """One pass over these effects of one entry; what is new is `held` where it may have happened."""
    entry = next((item.entry for item in items if isinstance(item, Effect)), -1)
    standing = {r.effect.key: r for r in journal.rows(entry) if r.effect.target == target.name}
    rows = []
    for item in items:
        if isinstance(item, Skip):
            tell("skip", {"target": item.target, "what": item.what, "because": item.because})
        else:
            row = standing.get(item.key) or _new(item, journal, held=held, now=clock())
            rows.append(_step(row, target, journal, clock, tell, awaited=awaited, told=told))
    return tuple(rows)


def _new(effect: Effect, journal: Journal, *, held: bool, now: int) -> Row:
    why = "this journal did not log the entry: it may have happened" if held else ""
    row = Row(effect=effect, state="held" if held else "none", since=now, why=why)
    journal.move(None, row)
    return row


def _step(
    row: Row, target: Target, journal: Journal, clock: Clock, tell: Tell, *, awaited: bool, told: bool = False
) -> Row:
    """One look and at most one attempt. Whoever loses a compare-and-set leaves the effect to the winner.

    A place that cannot be looked at leaves the row as it is, with the reason: nothing is put where nobody can see.
    """
    try:
        found = None if told and row.state == "seen" else _find(row, target)
    except RemoteError as error:
        blind = replace(row, why=error.what)
        return blind if blind == row or _move(row, blind, journal, tell) else row
    after = looked(row, found, clock(), target.retry, target.lag, awaited=awaited, told=told)
    if after == row or not _move(row, after, journal, tell):
        return row
    if after.tries == row.tries:
        return after
    final = answered(after, _attempt(target, row.effect), clock(), target.retry, told=told)
    return final if _move(after, final, journal, tell) else _late(after, final, journal, tell)


def _late(asked: Row, final: Row, journal: Journal, tell: Tell) -> Row:
    """Somebody looked while we asked, and held what nobody could know then: of this very try, the answer counts."""
    mine = (asked.effect.target, asked.effect.key)
    rows = journal.rows(asked.effect.entry)
    stands = next((row for row in rows if (row.effect.target, row.effect.key) == mine), asked)
    if (stands.state, stands.tries) != ("held", asked.tries):
        return stands
    return final if _move(stands, final, journal, tell) else asked


def _find(row: Row, target: Target) -> Receipt | None:
    return None if target.retry == "blind" or row.state in ("dropped", "held") else target.find(row.effect)


def _attempt(target: Target, effect: Effect) -> Answer:
    try:
        return target.apply(effect)
    except (Refused, Unknown, Conflict) as answer:
        return answer
    except RemoteError as error:
        return Unknown(error.what)


def _move(before: Row, after: Row, journal: Journal, tell: Tell) -> bool:
    done = journal.move(before, after)
    if done and after.state != before.state:
        effect = after.effect
        where = after.receipt.where if after.receipt else ""
        fields = {
            "target": effect.target,
            "path": effect.path,
            "state": after.state,
            "why": after.why,
            "due": after.due,
        }
        tell("row", {**fields, "where": where})
    return done
