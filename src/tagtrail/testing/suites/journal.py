"""The suite of the port Journal: a step is remembered once, a row moves by compare-and-set, a cursor too."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import get_ident
from typing import Any, get_args

from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Approval, Artifact, Blob, Effect, Origin, Receipt, Row, State
from tagtrail.ports import Journal
from tagtrail.testing import samples
from tagtrail.testing.suites.promise import equal, holds, race, race_processes

__all__ = ["CHECKS", "PROCESS_CHECKS", "Open"]

Open = Callable[[], Journal]


@dataclass(slots=True)
class Counted:
    """An effect that counts its runs; the first one raises `fails`, if given."""

    result: Any = None
    fails: BaseException | None = None
    runs: int = 0

    def __call__(self, *args: Any) -> Any:
        """The result, or the arguments where there is none."""
        self.runs += 1
        if self.fails and self.runs == 1:
            raise self.fails
        return self.result if self.result is not None else args[0]


def row(n: int = 1, target: str = "site", entry: int = 0) -> Row:
    """A new row of effect `n`."""
    effect = Effect(target=target, key=f"file-{n}", entry=entry, path=f"nova/file-{n}", blob=samples.blob(bytes([n])))
    return Row(effect=effect, since=samples.TIME)


# --- once -----------------------------------------------------------------------------------------------------------


def a_step_runs_once(open_: Open) -> None:
    """With its arguments; afterwards the result is remembered, by another handle as well."""
    effect = Counted()
    wanted = samples.blob(b"built")
    for journal in (open_(), open_()):
        for _ in range(2):
            equal(journal.once("build-1", Blob, effect, wanted), wanted, "the result of a step comes back")
    equal(effect.runs, 1, "a step runs once")


def results_come_back_as_they_were(open_: Open) -> None:
    """Facts within facts, optional ones, text of any script, tuples, the empty tuple, plain values."""
    full = samples.artifact("nova-1.0.0.tar.gz")
    bare = Artifact(name="nova-ü\u2028.zip", blob=samples.blob(b""), origin=Origin(how="added", by="SHA256:x"))
    results: tuple[tuple[type, object], ...] = (
        (Artifact, full),
        (Artifact, (full, bare)),
        (Artifact, (full,)),
        (Approval, ()),
        (str, 'quoted " and\nbroken \u2603'),
        (int, 2**53 - 1),
        (str, ("a", "")),
    )
    journal = open_()
    for n, (kind, wanted) in enumerate(results):
        for found in (journal.once(f"key-{n}", kind, Counted(wanted)), open_().once(f"key-{n}", kind, Counted("no"))):
            equal(found, wanted, "a result comes back equal")
            equal(type(found), type(wanted), "and of the same type")


def steps_are_told_apart_by_their_key(open_: Open) -> None:
    """The key alone counts, every character of it."""
    journal = open_()
    for n, key in enumerate(("build-1", "build-2", "Build-1", "build-1 ", "")):
        equal(journal.once(key, int, Counted(n)), n, f"{key!r} is a step of its own")


def an_exception_is_never_remembered(open_: Open) -> None:
    """It goes to the caller as it is, and the next call tries again."""
    journal = open_()
    for n, error in enumerate((ProjectError("no", code="build-failed"), KeyboardInterrupt(), ValueError("a bug"))):
        effect = Counted("built", fails=error)
        try:
            journal.once(f"build-{n}", str, effect)
        except BaseException as seen:  # noqa: BLE001  (also those that are no Exception)
            equal(seen, error, "the caller sees the exception itself")
        equal(open_().once(f"build-{n}", str, effect), "built", "the next call tries again")
        equal(effect.runs, 2, "an exception is not remembered")


def the_first_result_wins(open_: Open) -> None:
    """A step that runs again inside itself, and a race: everybody gets one and the same result, for ever."""
    journal = open_()

    def late() -> str:
        equal(open_().once("inner", str, Counted("first")), "first", "somebody else was faster")
        return "second"

    equal(journal.once("inner", str, late), "first", "the first result wins")
    found = race(*[lambda: open_().once("raced", str, Counted(str(get_ident())))] * 6)
    holds(len({*found, open_().once("raced", str, Counted("late"))}) == 1, f"racers get one result: {found}")


# --- rows -----------------------------------------------------------------------------------------------------------


def a_row_is_inserted_once(open_: Open) -> None:
    """`None` means absent; (target, key) names the row."""
    journal = open_()
    equal(journal.rows(), (), "a new journal has no rows")
    holds(journal.move(None, row()), "an absent row is inserted")
    holds(not journal.move(None, replace(row(), tries=7)), "but only once")
    equal(journal.rows(0), (row(),), "and stands as it was inserted first")
    holds(journal.move(None, row(1, "mail")), "another target has a row of its own")
    equal(open_().rows(0), (row(), row(1, "mail")), "another handle sees the rows")


def a_row_moves_by_compare_and_set(open_: Open) -> None:
    """`before` must be what stands there, in every field; absent is not what stands there."""
    journal = open_()
    holds(not journal.move(row(), replace(row(), state="asked")), "an absent row does not move")
    equal(journal.rows(0), (), "and is not inserted")
    journal.move(None, row())
    asked = replace(row(), state="asked", tries=1)
    for wrong in (replace(row(), due=1), replace(row(), why="x"), replace(row(), since=0), asked):
        holds(not journal.move(wrong, asked), "another `before` does not move the row")
        equal(journal.rows(0), (row(),), "and changes nothing")
    holds(journal.move(row(), asked), "what stands there moves")
    holds(not journal.move(row(), asked), "and has moved")
    equal(journal.rows(0), (asked,), "to where it was told")


def rows_come_back_as_they_were(open_: Open) -> None:
    """Every field, whatever the text."""
    receipt = Receipt(where="https://example.org/ü?a=\u2028", sha256="0" * 64, note="line\nbreak \u2603")
    full = Row(effect=row().effect, state="sent", since=1, due=2, tries=3, why='"why" \u2603', receipt=receipt)
    open_().move(None, full)
    equal(open_().rows(), (full,), "a row comes back equal")
    holds(open_().move(full, replace(full, state="seen")), "and is recognised as `before`")


def rows_in_order_of_insertion(open_: Open) -> None:
    """Of one entry all; without an entry, those that are neither seen nor dropped; moving does not re-order."""
    journal = open_()
    states: tuple[State, ...] = get_args(State)
    rows = [replace(row(9 - n, entry=n % 2), state=state) for n, state in enumerate(states)]
    for new in rows:
        journal.move(None, new)
    equal(journal.rows(0), tuple(rows[0::2]), "all rows of an entry, in order of insertion")
    equal(journal.rows(1), tuple(rows[1::2]), "also those that are done")
    equal(journal.rows(2), (), "of an entry without rows, none")
    equal([r.state for r in journal.rows()], [s for s in states if s not in ("seen", "dropped")], "all unfinished rows")
    moved = replace(rows[0], state="asked")
    journal.move(rows[0], moved)
    equal(journal.rows(0)[0], moved, "a row that moved keeps its place")


def one_of_many_moves_wins(open_: Open) -> None:
    """Inserting and moving, by threads."""
    before: Row | None = None
    for state in get_args(State)[:3]:
        racing = [replace(row(), state=state, tries=n) for n in range(6)]
        won = race(*(partial(_move, open_, before, after) for after in racing))
        equal(sum(won), 1, "exactly one of the racing moves wins")
        before = racing[won.index(True)]
        equal(open_().rows(0), (before,), "and it stands there")


def _move(open_: Open, before: Row | None, after: Row) -> bool:
    return open_().move(before, after)


# --- cursors --------------------------------------------------------------------------------------------------------


def a_cursor_moves_by_compare_and_set(open_: Open) -> None:
    """0 at first; it moves from what stands there only, and tells what stands now."""
    journal = open_()
    equal(journal.cursor("pages"), 0, "a cursor is 0 at first")
    equal(journal.cursor("pages", 0, 5), 5, "it moves from what stands there")
    equal(journal.cursor("pages", 0, 7), 5, "and from nothing else")
    equal(journal.cursor("pages", 5, 3), 3, "also back")
    equal(open_().cursor("pages"), 3, "another handle sees it")
    equal(journal.cursor("other"), 0, "other names are other cursors")


def one_of_many_cursors_wins(open_: Open) -> None:
    """Threads that move one cursor from 0: all see the winner's value or their own winning one."""
    found = race(*(partial(_cursor, open_, n) for n in range(1, 7)))
    equal(set(found), {open_().cursor("raced")}, "exactly one of the racing moves wins")


def _cursor(open_: Open, after: int) -> int:
    return open_().cursor("raced", 0, after)


# --- processes ------------------------------------------------------------------------------------------------------


def processes_agree(open_: Open) -> None:
    """One result of a step, one winner of a row, one value of a cursor."""
    found = race_processes(*(partial(_all_three, open_, n) for n in (1, 2)))
    equal(len({result for result, _, _ in found}), 1, "racing processes get one result")
    equal(sorted(won for _, won, _ in found), [False, True], "one of the racing processes inserts the row")
    equal(len({value for _, _, value in found}), 1, "racing processes see one cursor")


def _all_three(open_: Open, n: int) -> tuple[object, bool, int]:
    journal = open_()
    won = journal.move(None, replace(row(), tries=n))
    return journal.once("raced", int, Counted(n)), won, journal.cursor("raced", 0, n)


CHECKS: tuple[Callable[[Open], None], ...] = (
    a_step_runs_once,
    results_come_back_as_they_were,
    steps_are_told_apart_by_their_key,
    an_exception_is_never_remembered,
    the_first_result_wins,
    a_row_is_inserted_once,
    a_row_moves_by_compare_and_set,
    rows_come_back_as_they_were,
    rows_in_order_of_insertion,
    one_of_many_moves_wins,
    a_cursor_moves_by_compare_and_set,
    one_of_many_cursors_wins,
)
PROCESS_CHECKS: tuple[Callable[[Open], None], ...] = (processes_agree,)
