"""What the journal remembers of a step that may never have been done."""

from typing import TypeVar

from tagtrail.ports import Journal

__all__ = ["remembered"]

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
