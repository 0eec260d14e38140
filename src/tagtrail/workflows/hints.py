"""Hints: somebody says that a repository has changed. Nothing of it is believed; `watch` looks sooner, that is all.

A hint is a row of the journal, one for (project, ref, object), or for a body that does not say these: the same hint
again is no second one. It is open until a round of `watch` that began after it has looked.
"""

from collections.abc import Iterable

from tagtrail.model.facts import Effect, Row
from tagtrail.model.frozen import replace
from tagtrail.model.names import project_key
from tagtrail.ports import Journal
from tagtrail.workflows.begun import NOTHING

__all__ = ["answered", "hint", "waiting"]

HINT = "hint"
NO_ENTRY = -4


def hint(journal: Journal, project: str, about: str, now: int) -> bool:
    """Insert a hint, `about` what makes it another than the last; False where it is known already."""
    key = f"{project_key(project)}/{about}"
    effect = Effect(target=HINT, key=key, entry=NO_ENTRY, path=project, blob=NOTHING)
    return journal.move(None, Row(effect=effect, since=now))


def waiting(journal: Journal) -> tuple[Row, ...]:
    """The hints that nobody has looked after yet."""
    return tuple(row for row in journal.rows() if row.effect.target == HINT)


def answered(journal: Journal, rows: Iterable[Row]) -> None:
    """A round that began when these stood has looked."""
    for row in rows:
        journal.move(row, replace(row, state="seen"))
