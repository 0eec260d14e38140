"""Rendering by a cursor: only what changed is written, nothing is lost by a crash, a failed push or a lost journal."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from threading import Barrier, Lock, Thread
from time import sleep
from typing import Any

import pytest

from tagtrail.formats import merkle
from tagtrail.model.errors import RemoteError
from tagtrail.pages import all_paths, page
from tagtrail.ports import Committed
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory import Journal, Kept, Ledger, Store
from tagtrail.testing.suites.appending import cosign
from tagtrail.workflows.render import CURSOR, LedgerView, check, render
from tests.pages.trails import SITE, begun

AROUND = ("before", "after")


class Instance:
    """A toy trail in in-memory adapters."""

    def __init__(self) -> None:
        self.trail = begun()
        self.ledger, self.kept, self.journal, self.store = Ledger(), Kept(), Journal(), Store()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.now = 0

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        self.told.append((name, dict(fields)))

    def log(self) -> None:
        """Commit what the toy trail has more than the ledger."""
        self.kept.blobs |= self.trail.bytes
        with self.ledger.writing() as writing:
            before = writing.committed()
            for entry in self.trail.entries[before.size if before else 0 :]:
                writing.insert(entry, merkle.complete(entry.index, merkle.leaf_hash(entry.raw), writing.node), {})
            size = len(self.trail.entries)
            writing.commit(before, Committed(size=size, root=merkle.root(size, writing.node), note="toy\n"))
        cosign(self.ledger)

    def render(self, *, whole: bool = False, lock: AbstractContextManager[object] | None = None) -> int:
        ports = (self.ledger, self.store, self.kept, self.journal)
        return render(*ports, tell=self.tell, clock=lambda: self.now, whole=whole, lock=lock)

    def check(self) -> list[tuple[str, str]]:
        found = check(self.ledger, self.store, self.kept, tell=self.tell, clock=lambda: self.now)
        return [(finding.rule, finding.name) for finding in found]

    def wanted(self) -> dict[str, bytes]:
        view = self.trail.view
        return {path: page(path, view) for path in all_paths(view)}


@pytest.fixture
def instance() -> Instance:
    made = Instance()
    made.trail.release("nova", "1.0", notes="one")
    made.trail.release("blobs", "1.0", purl="pkg:generic/blobs@1.0")
    made.log()
    return made


def test_the_ledgers_view_is_the_trails(instance: Instance) -> None:
    for _ in range(80):
        instance.trail.event("reproduced", "nova", {"x": "0" * 64}, version="1.0")
    instance.trail.withdraw("nova", "1.0", "broken")
    instance.log()
    size = len(instance.trail.entries)
    ours, theirs = LedgerView(instance.ledger, instance.kept, size), instance.trail.view
    assert (ours.size, ours.site, ours.keys()) == (theirs.size, theirs.site, theirs.keys())
    assert ours.entries("NOVA") == theirs.entries("nova")
    assert [ours.projects(kind) for kind in ("", "pypi", "generic")] == [("blobs", "nova"), ("nova",), ("blobs",)]
    assert (ours.recent(2), ours.recent(99)) == (theirs.recent(2), theirs.recent(99))
    for start, stop in ((0, 1), (0, 30), (2, 3), (30, 60), (60, 90), (size, size + 9)):
        assert ours.announced(start, stop) == theirs.announced(start, stop)
    assert LedgerView(instance.ledger, instance.kept, 2).entries("blobs") == ()


def test_an_empty_trail_has_no_pages() -> None:
    empty = Instance()
    assert empty.render() == 0
    assert (empty.store.written, empty.check()) == ([], [])


def test_first_all_pages_then_only_what_changed(instance: Instance) -> None:
    assert instance.render() == len(instance.wanted())
    assert instance.store.files == instance.wanted()
    assert instance.told[-1] == ("rendered", {"pages": len(instance.wanted()), "size": 3})
    instance.store.written.clear()
    instance.trail.release("blobs", "2.0", purl="pkg:generic/blobs@2.0")
    instance.log()
    instance.render()
    assert instance.store.files == instance.wanted()
    assert sorted(instance.store.written) == [
        "blobs/2.0/index.html", "blobs/feed.atom", "blobs/feed.rss", "blobs/index.html", "blobs/releases.json",
        "feed.atom", "feed.rss", "index.html",
    ]  # fmt: skip
    assert instance.store.written[0] == "blobs/2.0/index.html", "first what others link to"
    assert instance.journal.cursor(CURSOR) == 4
    assert instance.render() == 0


def test_pages_are_public_before_the_cursor_moves(instance: Instance) -> None:
    instance.store.refuses.add("pages")
    with pytest.raises(RemoteError) as refused:
        instance.render()
    assert refused.value.code == "upload-failed"
    assert instance.journal.cursor(CURSOR) == 0
    instance.store.refuses.clear()
    assert instance.render() == 0, "they were written before"
    assert instance.store.public == instance.wanted()
    assert [phase for phase, _ in instance.store.pushed] == ["pages"]


def test_a_lost_journal_costs_a_look_at_every_page(instance: Instance) -> None:
    instance.render()
    instance.journal = Journal()
    assert instance.render() == 0
    assert instance.journal.cursor(CURSOR) == 3


def test_another_trails_journal_is_not_believed(instance: Instance) -> None:
    instance.journal.cursor(CURSOR, 0, 99)
    instance.render()
    assert instance.store.files == instance.wanted()
    assert instance.journal.cursor(CURSOR) == 3


def test_what_was_lost_or_changed_is_found_and_mended(instance: Instance) -> None:
    instance.render()
    assert instance.check() == []
    instance.store.files["nova/index.html"] += b" "
    del instance.store.files["feed.rss"]
    no_pages = ("robots.txt", "trail/tile/0/000.p/3", "trail/checkpoint")
    instance.store.files |= dict.fromkeys(["nova/2.0/index.html", *no_pages], b"")
    stray = ("page-surplus", "nova/2.0/index.html")
    assert instance.check() == [("page-missing", "feed.rss"), ("page-differs", "nova/index.html"), stray]
    assert instance.render() == 0, "the cursor knows of nothing new"
    assert instance.render(whole=True) == 2
    assert instance.check() == [stray]


def test_files_of_entries_are_no_surplus(instance: Instance) -> None:
    instance.render()
    entry = instance.trail.entries[1]
    names = [entry.files[0].name, f"{entry.files[0].name}.tlog-proof", *dict(entry.sidecars)]
    instance.store.files |= {SITE.file("nova", name): b"" for name in names}
    assert instance.check() == []
    instance.store.files[f"nova/{entry.files[0].name}.metadata"] = b""
    assert instance.check() == [("page-surplus", f"nova/{entry.files[0].name}.metadata")]


def test_a_crash_at_any_point_is_mended_by_the_next_run() -> None:
    fuse = Fuse()
    make(fuse).render()
    points = range(len(fuse.points))
    assert fuse.points[-4:] == [
        f"{when} {what}" for what in ("store.push pages", f"journal.cursor {CURSOR}") for when in AROUND
    ]
    for point in {*points[::5], *points[-6:]}:
        instance = make(Fuse(at=point))
        with pytest.raises(Blown):
            instance.render()
        revive(instance)
        instance.trail.release("nova", "2.0")
        instance.log()
        instance.render()
        assert instance.store.files == instance.store.public == instance.wanted()
        assert instance.journal.cursor(CURSOR) == 3


def make(fuse: Fuse) -> Instance:
    instance = Instance()
    instance.trail.release("nova", "1.0")
    instance.log()
    instance.store.fuse = instance.journal.fuse = fuse
    return instance


def revive(instance: Instance) -> None:
    instance.store.fuse = instance.journal.fuse = Fuse()


class Interrupted(Store):
    """A store that lets somebody else act before one of our writes."""

    def __init__(self, path: str, act: Callable[[], object]) -> None:
        super().__init__()
        self.path = path
        self.act: Callable[[], object] | None = act

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        act, self.act = (self.act, None) if path == self.path else (None, self.act)
        if act:
            act()
        super().write(path, chunks)


class Wide(Store):
    """A store with lanes, each of which takes its time; `begun` and `ended` are paths in the order of their writes."""

    lanes = 4

    def __init__(self, breaks: str = "") -> None:
        super().__init__()
        self.breaks = breaks
        self.lock = Lock()
        self.open, self.most = 0, 0
        self.order: list[tuple[str, str]] = []

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        with self.lock:
            self.order.append(("begun", path))
            self.open += 1
            self.most = max(self.most, self.open)
        sleep(0.002)
        try:
            if path == self.breaks:
                raise RemoteError("no answer", code="bucket-unreachable")
            super().write(path, chunks)
        finally:
            with self.lock:
                self.order.append(("ended", path))
                self.open -= 1


def test_lanes_are_used_and_a_page_is_begun_when_all_below_it_are_there(instance: Instance) -> None:
    instance.store = store = Wide()
    assert instance.render() == len(instance.wanted())
    assert store.files == instance.wanted()
    assert 1 < store.most <= Wide.lanes
    depths = [path.count("/") for _, path in store.order]
    assert depths == sorted(depths, reverse=True)
    assert len(set(depths)) > 2


def test_a_page_that_could_not_be_written_keeps_those_above_it_from_being(instance: Instance) -> None:
    instance.store = store = Wide(breaks="nova/index.html")
    with pytest.raises(RemoteError, match="no answer"):
        instance.render()
    assert min(path.count("/") for _, path in store.order) == 1
    assert (instance.journal.cursor(CURSOR), store.open, store.pushed) == (0, 0, [])
    store.breaks = ""
    instance.render()
    assert store.files == instance.wanted()


def test_a_slow_writer_does_not_leave_an_older_page_over_a_newer_one() -> None:
    """Somebody releases and renders while we are about to write the page that both change."""
    instance = Instance()
    instance.trail.release("nova", "1.0")
    instance.log()

    def other() -> None:
        instance.trail.release("nova", "2.0")
        instance.log()
        instance.render()

    instance.store = Interrupted("nova/index.html", other)
    instance.render()
    assert instance.store.files == instance.wanted()
    assert instance.journal.cursor(CURSOR) == 3


@pytest.mark.parametrize("lock", [None, Lock()], ids=["unlocked", "locked"])
def test_releases_at_one_time_are_all_on_the_page(lock: AbstractContextManager[object] | None) -> None:
    instance = Instance()
    instance.log()
    barrier, writing = Barrier(6), Lock()

    def releases(number: int) -> None:
        barrier.wait()
        with writing:
            instance.trail.release("nova", f"{number}.0")
            instance.log()
        instance.render(lock=lock)

    threads = [Thread(target=releases, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert instance.store.files == instance.wanted()
    assert all(f"{n}.0/" in instance.store.files["nova/index.html"].decode() for n in range(6))
    assert instance.journal.cursor(CURSOR) == 7


def test_long_work_says_how_far_it_is(instance: Instance) -> None:
    ticks = count()
    ports = (instance.ledger, instance.store, instance.kept, instance.journal)
    render(*ports, tell=instance.tell, clock=lambda: next(ticks))
    done = [fields for name, fields in instance.told if name == "bytes"]
    assert done[0] == {"what": "pages", "done": 0, "total": len(instance.wanted())}
    assert len(done) == len(instance.wanted())
