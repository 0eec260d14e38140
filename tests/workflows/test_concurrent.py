"""Several releases at one time: both on the page, one digest for a name, nothing doubled; and trails of full tiles."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from tagtrail.formats import merkle, note, proof, tiles
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import Error
from tagtrail.model.facts import Artifact, Draft
from tagtrail.ports import BuildOrder, Journal, Kept, Ledger, Objects
from tagtrail.testing import memory, samples
from tagtrail.testing.suites.appending import cosign
from tagtrail.testing.suites.promise import race
from tagtrail.trail import sequencer
from tagtrail.trail.show import prove, show
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.render import check
from tests.workflows.world import ADA, ORIGIN, PLACES, World

LOG = note.Signer(name=ORIGIN, seed=b"\7" * 32)


class MeetingBuilder(memory.Builder):
    """Nobody has built before everybody builds: all looked at the trail before anybody entered it."""

    def __init__(self, people: int) -> None:
        super().__init__(drifts=True)
        self.meeting = Barrier(people, timeout=30)

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        self.meeting.wait()
        return super().build(order, objects, kept, meanwhile)


def clean(world: World) -> None:
    road = world.road()
    assert check(world.ledger, world.store, world.kept, tell=road.tell, clock=road.clock) == ()
    head = world.ledger.committed()
    assert head is not None
    assert world.store.read(CHECKPOINT) == head.note.encode()
    assert len(world.ledger.entries()) == head.size


def go(world: World, name: str, version: str) -> Outcome | Error:
    try:
        return release(world.road(), world.project(name), version)
    except Error as error:
        return error


@pytest.fixture(params=["memory", "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where ledger and journal are: in memory, or as an operator with one directory has them."""
    return tmp_path / "tagtrail.db" if request.param == "sqlite" else None


@pytest.mark.parametrize("_round", range(5))
def test_two_releases_of_one_project(database: Path | None, _round: int) -> None:
    world = World(versions=("1.0.0", "1.1.0"), database=database)
    world.builder = MeetingBuilder(2)
    outcomes = race(*(partial(go, world, "nova", version) for version in ("1.0.0", "1.1.0")))
    assert [getattr(o, "exit", o) for o in outcomes] == [0, 0]
    events = [(e.event, e.version) for e in world.ledger.entries()]
    assert events[0] == ("key", "")
    assert sorted(events[1:]) == [("release", "1.0.0"), ("release", "1.1.0")]
    for page in ("nova/index.html", "nova/releases.json", "simple/nova/index.html", "feed.atom"):
        text = world.store.files[page].decode()
        assert "1.0.0" in text, page
        assert "1.1.0" in text, page
    clean(world)


def test_releases_of_many_projects(database: Path | None) -> None:
    names = ("aodh", "glance", "nova", "zun")
    world = World(names=names, database=database)
    world.builder = MeetingBuilder(4)
    outcomes = race(*(partial(go, world, name, "1.0.0") for name in names))
    assert [getattr(o, "exit", o) for o in outcomes] == [0] * 4
    assert world.ledger.projects() == names
    assert [e.event for e in world.ledger.entries()] == ["key", *["release"] * 4]
    assert all(f"{name}/" in world.store.files["simple/index.html"].decode() for name in names)
    clean(world)


def test_the_same_release_by_many(database: Path | None) -> None:
    """One journal, as of processes of one instance: one entry, and no place gets anything twice."""
    world = World(places=PLACES, database=database)
    world.targets["searchable"].lag = 60
    race(*[partial(go, world, "nova", "1.0.0")] * 4)
    outcome = go(world, "nova", "1.0.0")
    assert isinstance(outcome, Outcome)
    assert outcome.exit in (0, 4)
    assert {row.effect.target for row in outcome.rows if row.state != "seen"} <= {"blind"}
    key, entry = world.ledger.entries()
    for target in world.targets.values():
        assert sorted(target.arrived) == sorted(f.name for f in entry.files)
    assert key.event == "key"
    clean(world)


def test_one_release_with_different_bytes() -> None:
    """Two journals, as of two copies of work in flight: who comes second carries the bytes of who came first."""
    world = World()
    world.builder = MeetingBuilder(2)
    others: tuple[Journal, ...] = (memory.Journal(), memory.Journal())

    def alone(journal: Journal) -> Outcome:
        return release(replace(world.road(), journal=journal), world.project(), "1.0.0")

    first, second = race(*(partial(alone, journal) for journal in others))
    assert (first.exit, second.exit) == (0, 0)
    assert len(world.builder.built) == 2
    assert [e.event for e in world.ledger.entries()] == ["key", "release"]
    assert first.entry == second.entry
    clean(world)


def test_a_tag_that_moves_between_two_releases_of_it() -> None:
    """Exactly one wins, the other is an alarm, and nothing of it is logged."""
    world = World()
    repository = world.repositories["nova"]
    world.builder = MovingBuilder(lambda: repository.tag("1.0.0", repository.commit(1_775_000_000).id, ADA.sign))
    loser = go(world, "nova", "1.0.0")
    assert isinstance(loser, Error)
    assert (loser.code, loser.exit_code) == ("tag-moved", 6)
    assert (world.ledger.entries(), world.store.files) == ((), {})
    world.builder = memory.Builder(drifts=True)
    winner = go(world, "nova", "1.0.0")
    assert isinstance(winner, Outcome)
    assert winner.exit == 0
    clean(world)


class MovingBuilder(memory.Builder):
    """While it builds, somebody moves the tag."""

    def __init__(self, move: Callable[[], object]) -> None:
        super().__init__(drifts=True)
        self.move = move

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        built = super().build(order, objects, kept, meanwhile)
        self.move()
        return built


def test_one_name_with_different_bytes_at_one_time(database: Path | None) -> None:
    """Four appenders, four digests of one name: exactly one wins, the others are told that the version is taken."""
    world = World(database=database)

    def enter(data: bytes) -> str:
        ledger, _ = world.databases()
        while True:
            try:
                append(ledger, samples.release(data=data))
            except Error as error:
                if error.code != "trail-moved":
                    return error.code
            else:
                return "won"

    found = race(*(partial(enter, bytes([n])) for n in range(1, 5)))
    assert sorted(found) == ["version-taken", "version-taken", "version-taken", "won"]
    assert len(world.ledger.entries()) == 1


# --- checkpoints ----------------------------------------------------------------------------------------------------


def append(ledger: Ledger, *drafts: Draft) -> None:
    sequencer.append(drafts, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: samples.TIME)
    cosign(ledger)


class SlowStore(memory.Store):
    """Just before it writes its first checkpoint, somebody else enters the trail and shows a larger one."""

    def __init__(self, meanwhile: Callable[["SlowStore"], None]) -> None:
        super().__init__()
        self.meanwhile: Callable[[SlowStore], None] | None = meanwhile

    def write(self, path: str, chunks: Iterable[bytes]) -> None:
        if path == CHECKPOINT and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile(self)
        super().write(path, chunks)


def test_a_smaller_checkpoint_is_never_shown_last() -> None:
    ledger, journal = memory.Ledger(), memory.Journal()
    append(ledger, samples.release("nova"))

    def overtake(store: memory.Store) -> None:
        append(ledger, samples.release("glance"))
        show(ledger, store, journal)

    store = SlowStore(overtake)
    show(ledger, store, journal)
    head = ledger.committed()
    assert head is not None
    assert (head.size, store.read(CHECKPOINT)) == (2, head.note.encode())


# --- full tiles -----------------------------------------------------------------------------------------------------


DRAFTS = [samples.event("withdraw", f"project-{n}") for n in range(600)]


@pytest.fixture(scope="module")
def long() -> memory.Ledger:
    """600 entries, 25 in a transaction."""
    ledger = memory.Ledger()
    for start in range(0, 600, 25):
        append(ledger, *DRAFTS[start : start + 25])
    return ledger


def verified(ledger: Ledger, store: memory.Store) -> None:
    """As a stranger reads the site: the signed checkpoint, every tile and every entry under it."""
    shown = note.open_note(store.files[CHECKPOINT], [LOG.verifier]).note.text
    checkpoint = note.parse_checkpoint(shown)
    reader = tiles.TileReader(checkpoint.size, checkpoint.root, lambda path: store.read(f"trail/{path}"))
    found = [raw for n in range(-(-checkpoint.size // tiles.WIDTH)) for raw in reader.entries(n)]
    assert found == [e.raw for e in ledger.entries()]
    for level in range(checkpoint.size.bit_length()):
        for index in range(checkpoint.size >> level):
            assert reader.read(level, index) == ledger.node(level, index)


def test_more_than_two_full_tiles_at_once(long: memory.Ledger) -> None:
    store = memory.Store()
    assert show(long, store, memory.Journal()) == 600
    verified(long, store)
    assert sorted(p for p in store.files if p.startswith("trail/tile/")) == [
        "trail/tile/0/000",
        "trail/tile/0/001",
        "trail/tile/0/002.p/88",
        "trail/tile/1/000.p/2",
        "trail/tile/entries/000",
        "trail/tile/entries/001",
        "trail/tile/entries/002.p/88",
    ]


def test_every_proof_holds(long: memory.Ledger) -> None:
    for entry in long.entries():
        shown = proof.parse(prove(long, entry))
        checkpoint = note.parse_checkpoint(note.open_note(shown.checkpoint, [LOG.verifier]).note.text)
        assert (shown.index, shown.extra) == (entry.index, entry.raw)
        leaf = merkle.leaf_hash(entry.raw)
        merkle.verify_inclusion(entry.index, checkpoint.size, leaf, shown.hashes, checkpoint.root)


def test_every_checkpoint_is_a_prefix_of_the_last(long: memory.Ledger) -> None:
    sizes = [s for s in range(601) if long.committed(s)]
    assert sizes == list(range(25, 601, 25))
    last = long.committed()
    assert last is not None
    for size in sizes:
        before = long.committed(size)
        assert before is not None
        steps = merkle.consistency(size, last.size, long.node)
        merkle.verify_consistency(size, last.size, before.root, last.root, steps)


@pytest.mark.parametrize("steps", [(255, 256, 257), (1, 300, 600), (256, 512, 600), (600,)])
def test_a_site_that_grew_is_the_one_made_at_once(steps: tuple[int, ...]) -> None:
    ledger, store, journal = memory.Ledger(), memory.Store(), memory.Journal()
    size = 0
    for step in steps:
        append(ledger, *DRAFTS[size:step])
        size = show(ledger, store, journal)
        assert size == step
        verified(ledger, store)
        partial_and_full = {p for p in store.files if ".p/" in p and p.partition(".p/")[0] in store.files}
        assert partial_and_full == set()
    whole = memory.Store()
    show(ledger, whole, memory.Journal())
    needed = {p: data for p, data in store.files.items() if p in whole.files}
    assert needed == whole.files


def test_showing_costs_what_changed(long: memory.Ledger) -> None:
    store, journal = memory.Store(), memory.Journal()
    show(long, store, journal)
    before = len(store.written)
    show(long, store, journal)
    assert len(store.written) == before


def test_tiles_of_seventy_thousand() -> None:
    """Arithmetic only: three levels, one partial tile at each right edge."""
    paths = [tile.path for tile in tiles.grown(0, 70_000)]
    assert len(paths) == 2 * 274 + 2 + 1
    assert {"tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= {*paths}
    assert [tile.path for tile in tiles.grown(70_000, 70_001)] == ["tile/entries/273.p/113", "tile/0/273.p/113"]
