"""Release notes as a fact: what the project wrote, and what can be counted, with nothing invented."""

from typing import Literal

from tagtrail.model.frozen import frozen

__all__ = ["Changed", "Notes", "Section", "Sized", "Wrote"]

Wrote = Literal["", "reno", "towncrier", "scriv", "changelog", "commits"]
"""Where notes were read: by the rules of a tool, in a changelog, or else the list of commits (empty: not said)."""


@frozen
class Section:
    """What stands under one heading: `body` is CommonMark without headings of level 1 and 2. `title` is plain text,
    empty for what stands before all headings."""

    title: str
    body: str


@frozen
class Changed:
    """A requirement that is not what it was: `before` and `now` are PEP 508 texts, empty where there is none."""

    name: str
    before: str = ""
    now: str = ""


@frozen
class Sized:
    """The bytes of all files of one kind (`sdist`, `wheel`, `.tar.xz`); None where a release has none of them."""

    kind: str
    before: int | None = None
    now: int | None = None


@frozen
class Notes:
    """What changed in a release. `since` is the version before it (empty: this is the first); `commits` are counted
    without merges, `authors` are how many people wrote them, never who they are (None: not counted).

    `where` is the file or directory that was read. `formats/notes.py` has the one text that is kept and shown.
    """

    source: Wrote = ""
    where: str = ""
    sections: tuple[Section, ...] = ()
    since: str = ""
    commits: int | None = None
    authors: int | None = None
    requires: tuple[Changed, ...] = ()
    sizes: tuple[Sized, ...] = ()
