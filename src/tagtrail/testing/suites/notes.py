"""The suite of the port Notes: text that depends on what happened alone, and names no address of a person."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tagtrail.formats.notes import format_notes, parse_notes
from tagtrail.ports import Notes, NotesOrder, Objects
from tagtrail.testing.suites.promise import equal, holds

__all__ = ["CHECKS", "Case"]

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Objects with at least three commits in a row, and these commits, oldest first."""

    open: Callable[[], Notes]
    objects: Objects
    commits: tuple[str, str, str]


def _text(case: Case, commit: str, since: str | None) -> str:
    order = NotesOrder(version="2.0", commit=commit, follows="1.0" if since else "", since=since)
    return format_notes(case.open().read(case.objects, order))


def notes_are_text(case: Case) -> None:
    """CommonMark that ends with one line feed, for a first release and for a later one."""
    for since in (None, case.commits[0]):
        found = _text(case, case.commits[2], since)
        holds(found.strip() and found.endswith("\n") and not found.endswith("\n\n"), "notes are text")
        holds(not set(found) & {"\r", "\0", "\x1b"}, "without control characters")
        equal(format_notes(parse_notes(found)), found, "the text says the fact")


def notes_are_the_same_every_time(case: Case) -> None:
    """Their digest goes into the trail."""
    one, two = (_text(case, case.commits[2], case.commits[0]) for _ in range(2))
    equal(two, one, "notes are the same every time")


def notes_are_about_what_happened(case: Case) -> None:
    """Other ends, other notes."""
    first, second, third = case.commits
    ways = ((first, None), (third, None), (third, first), (third, second))
    found = [_text(case, *way) for way in ways]
    equal(len(set(found)), len(ways), "notes depend on both ends")


def notes_name_no_address(case: Case) -> None:
    """They are public for ever."""
    found = _text(case, case.commits[2], None)
    holds(not _ADDRESS.search(found), "no address of a person is in the notes")


CHECKS: tuple[Callable[[Case], None], ...] = (
    notes_are_text,
    notes_are_the_same_every_time,
    notes_are_about_what_happened,
    notes_name_no_address,
)
