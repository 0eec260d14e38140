"""Pages brought up to the trail: a projection with a cursor, not effects; what is lost is made again.

The cursor says up to which tree size all pages are right. A run renders what the entries beyond it touch, at the size
of the trail, and looks again: whoever wrote last has seen that nothing was added since, so of two releases at one time
both are on the page. `lock` keeps a second writer from being killed between an old page and that look.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import groupby, islice

from tagtrail import pages
from tagtrail.formats.site import Site
from tagtrail.model.facts import Entry, Finding
from tagtrail.pages.view import ANNOUNCED, site_of
from tagtrail.ports import Clock, Journal, Kept, Reading, Store, Tell
from tagtrail.workflows.inventory import files_of, is_ours

__all__ = ["CURSOR", "LedgerView", "check", "compare", "render"]

CURSOR = "pages"
"""The journal's name for the size up to which all pages are right."""

_FIX = {
    "page-missing": "tagtrail render",
    "page-differs": "tagtrail render",
    "page-surplus": "look at who put it there, and remove it",
}
_AT_ONCE = 64
"""Pages that are held in memory."""
_BLOCK = 64
"""Entries read at once when looking backwards."""


class LedgerView:
    """The view of pages over the ledger, at one size; what it read last it remembers."""

    def __init__(self, ledger: Reading, kept: Kept, size: int) -> None:
        self._ledger = ledger
        self.size = size
        self.kept = lru_cache(maxsize=64)(kept.read)
        self.entries = lru_cache(maxsize=16)(self._entries)
        self.recent = lru_cache(maxsize=4)(self._recent)
        self.announced = lru_cache(maxsize=64)(self._announced)
        self.projects = lru_cache(maxsize=4)(self._projects)

    @cached_property
    def site(self) -> Site:
        """See `tagtrail.pages.View`."""
        return site_of(self.keys(), self.kept)

    def keys(self) -> tuple[Entry, ...]:
        """See `tagtrail.pages.View`."""
        return self._keys

    @cached_property
    def _keys(self) -> tuple[Entry, ...]:
        return tuple(e for e in self._entries("") if e.event == "key")

    def _entries(self, project: str) -> tuple[Entry, ...]:
        return self._ledger.entries(0, self.size, project=project)

    def _projects(self, purl_type: str = "") -> tuple[str, ...]:
        return self._ledger.projects(purl_type)

    def _announced(self, start: int, stop: int) -> tuple[Entry, ...]:
        return tuple(e for e in self._ledger.entries(start, min(stop, self.size)) if e.event in ANNOUNCED)

    def _recent(self, count: int) -> tuple[Entry, ...]:
        found: list[Entry] = []
        stop = self.size
        while stop and len(found) < count:
            start = max(0, stop - _BLOCK)
            found += [e for e in reversed(self._ledger.entries(start, stop)) if e.event in ANNOUNCED]
            stop = start
        return tuple(found[:count])


def render(
    ledger: Reading,
    store: Store,
    kept: Kept,
    journal: Journal,
    *,
    tell: Tell,
    clock: Clock,
    whole: bool = False,
    lock: AbstractContextManager[object] | None = None,
) -> int:
    """Bring the pages up to the trail; returns how many had to be written. Says `rendered`, and `bytes` as it goes on.

    With `whole`, every page is made and looked at, whatever the cursor says. `lock` keeps other processes from
    rendering the same site meanwhile. The cursor moves when all is public, so a failed push is pushed again.
    Raises RemoteError `upload-failed`, TamperError `kept-altered`, `page-name`.
    """
    with lock or nullcontext():
        start = 0 if whole else _start(journal, _size(ledger))
        done, written = start, 0
        while done < (size := _size(ledger)):
            view = LedgerView(ledger, kept, size)
            paths = _touched(view, ledger, start)
            written += _write(view, store, paths, tell, clock)
            store.push("pages", paths)
            done = size
        while (stands := journal.cursor(CURSOR)) < done:
            journal.cursor(CURSOR, stands, done)
    tell("rendered", {"pages": written, "size": done})
    return written


def check(ledger: Reading, store: Store, kept: Kept, *, tell: Tell, clock: Clock) -> tuple[Finding, ...]:
    """Every page made anew and compared with the stored one, missing and surplus ones named; nothing is written."""
    view = LedgerView(ledger, kept, _size(ledger))
    paths = pages.all_paths(view)
    findings = [f for path in _telling(paths, tell, clock) if (f := compare(path, pages.page(path, view), store))]
    known = {*paths, *_files(view, ledger)}
    surplus = [path for path in store.paths() if path not in known and not is_ours(path)]
    return (*findings, *(_finding("page-surplus", path, "the trail knows nothing of it") for path in surplus))


def compare(path: str, wanted: bytes, store: Store) -> Finding | None:
    """What is wrong with a stored page, if anything."""
    there = store.read(path)
    if there is None:
        return _finding("page-missing", path, f"not there, ours is {_digest(wanted)}")
    if there != wanted:
        return _finding("page-differs", path, f"there {_digest(there)}, ours {_digest(wanted)}")
    return None


def _finding(code: str, path: str, text: str) -> Finding:
    return Finding(rule=code, name=path, level="error", text=f"{path}: {text}", fix=_FIX[code])


def _digest(data: bytes) -> str:
    return f"{sha256(data).hexdigest()} ({len(data):,} bytes)"


def _size(ledger: Reading) -> int:
    """Of what may be shown: entries beyond it wait for witnesses."""
    head = ledger.cosigned()
    return head.size if head else 0


def _start(journal: Journal, size: int) -> int:
    """Where to begin: the cursor, or 0 if it stands beyond the trail (then it is another trail's)."""
    start = journal.cursor(CURSOR)
    return start if start <= size else journal.cursor(CURSOR, start, 0)


def _touched(view: LedgerView, ledger: Reading, start: int) -> tuple[str, ...]:
    """The pages to make, those first that others link to."""
    if start == 0:
        paths = {*pages.all_paths(view)}
    else:
        paths = {path for entry in ledger.entries(start, view.size) for path in pages.touched(entry, view)}
    return tuple(sorted(paths, key=lambda path: (-_depth(path), path)))


def _write(view: LedgerView, store: Store, paths: Sequence[str], tell: Tell, clock: Clock) -> int:
    """Pages of one depth together, as many at a time as the store has lanes; those above them after all of these."""

    def put(page: tuple[str, bytes]) -> bool:
        path, data = page
        if store.read(path) == data:
            return False
        store.write(path, [data])
        return True

    written = 0
    with ThreadPoolExecutor(store.lanes, thread_name_prefix="page") as pool:
        spread = pool.map if store.lanes > 1 else map
        for _, rank in groupby(_telling(paths, tell, clock), key=_depth):
            made = ((path, pages.page(path, view)) for path in rank)
            while some := tuple(islice(made, _AT_ONCE)):
                written += sum(spread(put, some))
    return written


def _depth(path: str) -> int:
    return path.count("/")


def _telling(paths: Sequence[str], tell: Tell, clock: Clock) -> Iterator[str]:
    """The paths, saying at most once a second how far it got."""
    said = clock()
    for done, path in enumerate(paths):
        if clock() != said:
            said = clock()
            tell("bytes", {"what": "pages", "done": done, "total": len(paths)})
        yield path


def _files(view: LedgerView, ledger: Reading) -> Iterator[str]:
    if view.size:
        for entry in ledger.entries(0, view.size):
            yield from (path for path, _ in files_of(entry, view.site))
