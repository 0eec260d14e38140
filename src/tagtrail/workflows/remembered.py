"""What the journal remembers of a step that may never have been done, and of what is said anew again and again."""

from typing import TypeVar

from tagtrail.ports import Journal

__all__ = ["newest", "remembered", "renew"]

T = TypeVar("T")


class _Unknown(Exception):  # noqa: N818  (it is no error: nobody wrote it down yet)
    """Nothing is remembered."""


def remembered(journal: Journal, key: str, kind: type[T]) -> T | None:
    """What the journal remembers of one step, or None; nothing is done."""

    def nothing() -> T:
        raise _Unknown

    try:
        found = journal.once(key, kind, nothing)
    except _Unknown:
        return None
    return next(iter(found), None) if isinstance(found, tuple) else found


def newest(journal: Journal, place: str, kind: type[T]) -> T | None:
    """What was said last at a place (`renew`); None: nothing was."""
    return remembered(journal, f"{place}:{journal.cursor(place)}", kind)


def renew(journal: Journal, place: str, value: object) -> None:
    """Let `value` stand at a place instead of what was said there before; of two at once one stands."""
    if newest(journal, place, type(value)) != value:
        number = journal.cursor(place)
        journal.once(f"{place}:{number + 1}", type(value), lambda: value)
        journal.cursor(place, number, number + 1)
