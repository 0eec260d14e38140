"""What is new, for feed readers: of all projects and of each, as Atom and as RSS, and all that was new before.

A feed is several documents (RFC 5005, section 4). `feed.atom` holds the newest 30 entries, and `prev-archive` leads to
the archives, which hold all that there ever was, 30 at most in each:

    /feed/K.atom            what the trail's entries 30(K-1) to 30K-1 announced; where they announced nothing, none
    /PROJECT/feed/K.atom    the K-th 30 of a project, as its first release writes the name

An archive is there when it is full, and then it stays, byte for byte, while site.json does: its entries are made of
what the trail said when they came into it, and it names the archive before it, but not the one after it, which is not
there yet. The newest 30 overlap with the newest archive, so that nothing is ever missing between them.
"""

import re
from collections.abc import Callable, Iterator

from tagtrail.formats.site import project_page
from tagtrail.model.facts import Entry
from tagtrail.model.frozen import frozen
from tagtrail.pages.feed_xml import FORMS, Document
from tagtrail.pages.history import releases
from tagtrail.pages.view import ANNOUNCED, View

__all__ = ["FEEDS", "NEWEST", "all_archives", "archived", "document", "own_archives"]

NEWEST = 30
"""Entries of a document, at most."""

FEEDS = ("feed.atom", "feed.rss")
"""The documents that people subscribe to."""

_PATH = re.compile(r"(?:(?P<project>[^/]+)/)?feed(?:/(?P<number>[1-9][0-9]{0,8}))?\.(?P<form>atom|rss)")


@frozen
class _Feed:
    """One feed: `folder` has its archives, 1 to `full`, of which `held` gives the entries, oldest first."""

    folder: str
    title: str
    page: str
    newest: tuple[Entry, ...]
    full: int
    held: Callable[[int], tuple[Entry, ...]]

    def before(self, number: int) -> int:
        """The archive before one; 0 for none."""
        return next((n for n in range(number - 1, 0, -1) if self.held(n)), 0)


def document(view: View, path: str) -> bytes:
    """One document of a feed. Raises KeyError for a path that is none, and what `View.kept` raises."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise KeyError(path)
    name, number, form = found["project"] or "", int(found["number"] or 0), found["form"]
    feed = _of_project(view, name) if name else _of_all(view)
    entries = feed.newest
    if number:
        entries = feed.held(number)[::-1] if number <= feed.full and path.startswith(f"{feed.folder}feed/") else ()
        if not entries:
            raise KeyError(path)
    before = feed.before(number or feed.full + 1)
    made = Document(
        path=path,
        current=f"{feed.folder}feed.{form}" if number else path,
        identity=f"{feed.folder}feed.atom",
        title=feed.title,
        page=feed.page,
        before=f"{feed.folder}feed/{before}.{form}" if before else "",
        entries=entries,
    )
    return FORMS[form](view, made)


def _of_all(view: View) -> _Feed:
    return _Feed(
        folder="",
        title=f"{view.site.name}: releases",
        page="index.html",
        newest=view.recent(NEWEST),
        full=view.size // NEWEST,
        held=lambda number: view.announced((number - 1) * NEWEST, number * NEWEST),
    )


def _of_project(view: View, name: str) -> _Feed:
    entries = view.entries(name)
    found = releases(entries)
    if not found or not any(e.project == name for e in entries):
        raise KeyError(name)
    announced = _announced(entries)
    return _Feed(
        folder=f"{found[0].project}/",
        title=f"{name}: releases",
        page=project_page(name),
        newest=announced[::-1][:NEWEST],
        full=len(announced) // NEWEST,
        held=lambda number: announced[(number - 1) * NEWEST : number * NEWEST],
    )


# --- which archives there are ---------------------------------------------------------------------------------------


def archived(entry: Entry, view: View) -> Iterator[str]:
    """The archives that are full with `entry`, and the documents of all projects that lead to them."""
    number, rest = divmod(entry.index + 1, NEWEST)
    if not rest:
        yield from FEEDS
        yield from _archives("", number) if view.announced(number * NEWEST - NEWEST, number * NEWEST) else ()
    if entry.event in ANNOUNCED:
        then = tuple(e for e in view.entries(entry.project) if e.index <= entry.index)
        before = {*own_archives(then[:-1])}
        yield from (path for path in own_archives(then) if path not in before)


def all_archives(view: View) -> Iterator[str]:
    """The archives of the feed of all projects."""
    feed = _of_all(view)
    for number in range(1, feed.full + 1):
        if feed.held(number):
            yield from _archives("", number)


def own_archives(entries: tuple[Entry, ...]) -> Iterator[str]:
    """The archives of a project with these entries; none before its first release."""
    first = next((e.project for e in entries if e.event == "release"), "")
    if first:
        for number in range(1, len(_announced(entries)) // NEWEST + 1):
            yield from _archives(f"{first}/", number)


def _archives(folder: str, number: int) -> Iterator[str]:
    return (f"{folder}feed/{number}.{form}" for form in FORMS)


def _announced(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return tuple(e for e in entries if e.event in ANNOUNCED)
