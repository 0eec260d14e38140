"""Entering the trail: a draft, made for the place that it gets, and made again where somebody else was first."""

from collections.abc import Callable, Sequence

from tagtrail.model.errors import RemoteError
from tagtrail.model.facts import Draft, Entry
from tagtrail.trail import sequencer
from tagtrail.workflows.publish import ours_key
from tagtrail.workflows.road import Road
from tagtrail.workflows.roots import root_draft
from tagtrail.workflows.witnessed import guard, witnessed

__all__ = ["RACES", "enter", "enter_all"]

RACES = 20
"""How often somebody else may enter the trail first."""


def enter(
    road: Road,
    made: Callable[[int], Draft],
    *,
    standing: Callable[[], Entry | None] = lambda: None,
    root: bool = True,
    last: Callable[[], None] = lambda: None,
) -> Entry:
    """Enter what `made` gives for an index; returns the entry, or the one that `standing` finds to say it already.

    With `root`, a root of trust that is behind the settings is brought up to them by a `key` entry before it; `last` is
    called in the transaction, to stop it by what it raises. Raises TamperError `trail-ahead`, `trail-forked`,
    `witness-refused`, `version-taken`, `name-taken`; RemoteError `quorum-unmet` (nothing was signed, or it is in the
    trail and nobody is shown it), `trail-moved`.
    """
    return enter_all(road, lambda index: (made(index),), standing=standing, root=root, last=last)[-1]


def enter_all(
    road: Road,
    made: Callable[[int], Sequence[Draft]],
    *,
    standing: Callable[[], Entry | None] = lambda: None,
    root: bool = True,
    last: Callable[[], None] = lambda: None,
) -> tuple[Entry, ...]:
    """Enter several drafts in one transaction and under one checkpoint, all of them or none; returns their entries.

    Everything else as in `enter`.
    """
    guard(road)
    for _ in range(RACES):
        head = road.ledger.committed()
        if found := standing():
            return (found,)
        key = root_draft(road) if root else None
        new = made((head.size if head else 0) + bool(key))
        for draft in new:
            road.journal.once(ours_key(draft.digest), bool, lambda: True)
        drafts = (key, *new) if key else (*new,)
        try:
            entered = sequencer.append(
                drafts, after=head, ledger=road.ledger, log=road.log, clock=road.clock, last=last
            )
        except RemoteError as error:
            if error.code != "trail-moved":
                raise
            continue
        witnessed(road, *entered)
        return entered[bool(key) :]
    raise RemoteError(f"{RACES} others entered the trail first", code="trail-moved", hint="run it again")
