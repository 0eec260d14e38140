"""A row that says that something was begun that the trail does not have yet: `status` shows it, `resume` goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from tagtrail.model.errors import Error
from tagtrail.model.facts import Blob, Effect, Row, State
from tagtrail.model.frozen import replace
from tagtrail.workflows.road import Road

__all__ = ["BROUGHT", "LATER", "TRAIL", "WITHDRAWAL", "Waiting", "begun", "owed", "settled"]

TRAIL = "trail"
"""The target name of the row that says: this release was begun. It is seen when the trail has it."""
LATER = "later"
"""Likewise for files that are added to a version that the trail has."""
BROUGHT = "brought"
"""Likewise for files that were brought for a version (which stands where others have the tag) before its release."""
WITHDRAWAL = "withdraw"
"""Likewise for the withdrawal of a version."""
NOTHING = Blob(sha256=sha256().hexdigest(), size=0)


class Waiting(Error):  # noqa: N818  (it is no error: nothing is wrong)
    """Somebody must do something first: approve, bring a file. Nothing is wrong (exit 4)."""

    exit_code = 4


def settled(road: Road, project: str, tag: str, target: str) -> None:
    """What was begun is done, by whomever: killed between the trail and the journal, a row does not know it."""
    for row in road.journal.rows():
        if (row.effect.target, row.effect.key) == (target, f"{project}/{tag}"):
            road.journal.move(row, replace(row, state="seen", since=road.clock()))


def owed(road: Road, project: str, tag: str, target: str, why: str) -> None:
    """Let the row stand though nobody is at it yet; one that is at work, or was refused, stays as it is."""
    row = Row(effect=_effect(project, tag, target), state="held", since=road.clock(), why=why)
    if not road.journal.move(None, row):
        before = _standing(road, row.effect)
        if before.state in ("held", "seen", "dropped"):
            road.journal.move(before, replace(row, tries=before.tries))


@contextmanager
def begun(road: Road, project: str, tag: str, done: Callable[[], bool], target: str = TRAIL) -> Iterator[None]:
    """The row stands until the trail has what was begun (`done`).

    One that was stopped as asked is closed: only whoever stopped it goes on.
    """
    row = Row(effect=_effect(project, tag, target), state="asked", since=road.clock(), tries=1)
    if not road.journal.move(None, row):
        before = _standing(road, row.effect)
        row = replace(row, tries=before.tries + 1)
        road.journal.move(before, row)
    try:
        yield
    except Error as error:
        state: State = "held" if isinstance(error, Waiting) else "refused"
        road.journal.move(row, replace(row, state=state, why=error.what))
        raise
    road.journal.move(row, replace(row, state="seen" if done() else "dropped", since=road.clock()))


def _effect(project: str, tag: str, target: str) -> Effect:
    return Effect(target=target, key=f"{project}/{tag}", entry=-1, path=tag, blob=NOTHING)


def _standing(road: Road, effect: Effect) -> Row:
    rows = road.journal.rows(-1)
    return next(row for row in rows if (row.effect.target, row.effect.key) == (effect.target, effect.key))
