"""What pages are made from: a tree of one size, its entries by project, and the kept bytes that they name."""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import cached_property
from operator import attrgetter
from typing import Protocol

from tagtrail.formats.purl import purl_type as type_of
from tagtrail.formats.site import Site, parse_site
from tagtrail.model.facts import Entry
from tagtrail.model.names import project_key

__all__ = ["ANNOUNCED", "ListView", "View", "latest", "site_of"]

ANNOUNCED = frozenset({"release", "withdraw"})
"""Events that belong on the front page and in feeds."""


class View(Protocol):
    """The trail at one size, as pages read it. Nothing that it returns may change while it lives."""

    @property
    def size(self) -> int:
        """The number of entries."""
        ...

    @property
    def site(self) -> Site:
        """The last logged `site.json`. LookupError before the first."""
        ...

    def entries(self, project: str) -> tuple[Entry, ...]:
        """All entries of a project (any spelling), oldest first."""
        ...

    def recent(self, count: int) -> tuple[Entry, ...]:
        """The newest `count` releases and withdrawals, newest first."""
        ...

    def announced(self, start: int, stop: int) -> tuple[Entry, ...]:
        """The releases and withdrawals whose index is at least `start` and less than `stop`, oldest first."""
        ...

    def projects(self, purl_type: str = "") -> tuple[str, ...]:
        """The projects with a release (of this purl type), as their newest one writes them, sorted by PEP 503 name."""
        ...

    def keys(self) -> tuple[Entry, ...]:
        """The `key` entries, oldest first."""
        ...

    def kept(self, sha256: str) -> bytes:
        """The bytes of notes, roots and certificates. Raises TamperError `kept-missing` or `kept-altered`."""
        ...


def latest(keys: Iterable[Entry], name: str) -> str | None:
    """The digest of the file `name` in the last key entry that names it."""
    found = [file.sha256 for entry in keys for file in entry.files if file.name == name]
    return found[-1] if found else None


def site_of(keys: Iterable[Entry], kept: Callable[[str], bytes]) -> Site:
    """The site as last logged. LookupError before the first key entry; TamperError `site-form`."""
    digest = latest(keys, "site.json")
    if digest is None:
        message = "no key entry names a site.json yet"
        raise LookupError(message)
    return parse_site(kept(digest))


class ListView:
    """A view over a whole trail in memory: what an auditor has read."""

    def __init__(self, entries: Iterable[Entry], kept: Callable[[str], bytes]) -> None:
        self._all = tuple(entries)
        self.kept = kept
        self._projects: dict[str, list[Entry]] = {}
        for entry in self._all:
            self._projects.setdefault(project_key(entry.project), []).append(entry)

    @property
    def size(self) -> int:
        """See `View`."""
        return len(self._all)

    @cached_property
    def site(self) -> Site:
        """See `View`."""
        return site_of(self.keys(), self.kept)

    def entries(self, project: str) -> tuple[Entry, ...]:
        """See `View`."""
        return tuple(self._projects.get(project_key(project), ()))

    def recent(self, count: int) -> tuple[Entry, ...]:
        """See `View`."""
        return tuple([e for e in reversed(self._all) if e.event in ANNOUNCED][:count])

    def announced(self, start: int, stop: int) -> tuple[Entry, ...]:
        """See `View`."""
        first, last = (bisect_left(self._all, index, key=attrgetter("index")) for index in (start, stop))
        return tuple(e for e in self._all[first:last] if e.event in ANNOUNCED)

    def projects(self, purl_type: str = "") -> tuple[str, ...]:
        """See `View`."""
        releases = [e for e in self._all if e.event == "release" and purl_type in ("", type_of(e.purl))]
        names = {project_key(e.project): e.project for e in releases}
        return tuple(names[key] for key in sorted(names))

    def keys(self) -> tuple[Entry, ...]:
        """See `View`."""
        return tuple(e for e in self._all if e.event == "key")
