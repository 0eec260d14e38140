"""The crash table: a release that dies at any point, once or twice, with or without its journal, ends as if it had not;
so do a hold and a word to the release team.

Builder and release key never make the same bytes twice, so whatever was made again after it was logged would show.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Literal

import pytest
from _pytest.mark import ParameterSet

from tagtrail.formats import merkle, note, proof
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Entry
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.trail.show import prove
from tagtrail.workflows.hold import Hold, hold, holds, lift
from tagtrail.workflows.inventory import files_of
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.render import check
from tagtrail.workflows.resume import resume, unfinished
from tagtrail.workflows.settle import How, chosen, settle
from tagtrail.workflows.words import WORD, words
from tests.workflows.test_watch import Team, ready
from tests.workflows.world import PLACES, World


def run(world: World, at: int | None = None) -> Outcome | None:
    """One `tagtrail release`, which dies at point `at`."""
    with suppress(Blown):
        return release(world.road(Fuse(at)), world.project(), "1.0.0")
    return None


def points(world: World) -> list[str]:
    fuse = Fuse()
    release(world.road(fuse), world.project(), "1.0.0")
    return fuse.points


SITE = points(World())
POINTS = points(World(places=PLACES))


def deaths(names: list[str]) -> list[int]:
    """Between two effects nothing happens: to die after the one or before the next is the same."""
    return [n for n, name in enumerate(names) if not name.startswith("after ") or n == len(names) - 1]


def table(names: list[str], quick: int) -> list[ParameterSet]:
    """A row for each death; every `quick`-th is in the quick suite."""
    rows = enumerate(deaths(names))
    return [
        pytest.param(at, id=f"{at} {names[at]}", marks=() if n % quick == 0 else pytest.mark.slow) for n, at in rows
    ]


# --- what must hold afterwards --------------------------------------------------------------------------------------


def whole(world: World) -> Entry:
    """One key entry, one release entry; files with logged digests; checkpoint, pages and proofs as they should."""
    key, entry = world.ledger.entries()
    assert (key.event, entry.event) == ("key", "release")
    head = world.ledger.committed()
    assert head is not None
    assert (head.size, world.store.read(CHECKPOINT)) == (2, head.note.encode())
    assert head.root == merkle.root_of([merkle.leaf_hash(e.raw) for e in (key, entry)])
    for path, digest in files_of(entry, world.site):
        data = world.store.read(path)
        assert data is not None, path
        assert not digest or sha256(data).hexdigest() == digest
        if path.endswith(".tlog-proof"):
            assert data == prove(world.ledger, entry)
    road = world.road()
    assert check(world.ledger, world.store, world.kept, tell=road.tell, clock=road.clock) == ()
    return entry


def nothing_doubled(world: World, entry: Entry) -> None:
    """Every place has each file of the entry at most once, and nothing else."""
    for name, target in world.targets.items():
        assert set(target.arrived) <= {f.name for f in entry.files}
        assert len(set(target.arrived)) == len(target.arrived), name
        assert dict(target.survey("nova").files).items() <= {(f.name, f.sha256) for f in entry.files}


def settled(world: World, outcome: Outcome | None) -> None:
    """All seen, save what is blind and may have happened: that is held, and the command says 4."""
    assert outcome is not None
    rows = world.journal.rows(1)
    states = Counter((row.effect.target, row.state) for row in rows)
    held = {key for key in states if key[1] == "held"}
    assert held <= {("blind", "held")}
    assert {state for _, state in states} <= {"seen", "held"}
    assert outcome.exit == (4 if held else 0)
    left = unfinished(world.ledger, world.journal)
    assert (left.begun, len(left.entries)) == ((), bool(held)), "status says what is true"
    for name in {"site", "keyed", "searchable"} & {*world.places, "site"}:
        assert [state for target, state in states if target == name] == ["seen"]


# --- the table ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", table(POINTS, quick=4))
def test_it_dies_and_is_run_again(at: int) -> None:
    world = World(places=PLACES)
    assert run(world, at) is None
    entries_come_first(world)
    built = len(world.builder.built)
    outcome = run(world)
    nothing_doubled(world, whole(world))
    settled(world, outcome)
    assert len(world.builder.built) - built == ("after journal.once Artifact" not in POINTS[:at])


@pytest.mark.parametrize("at", table(POINTS, quick=8))
def test_it_dies_and_loses_its_journal(at: int) -> None:
    world = World(places=PLACES)
    assert run(world, at) is None
    world.journal = memory.Journal()
    built = len(world.builder.built)
    outcome = run(world)
    nothing_doubled(world, whole(world))
    settled(world, outcome)
    assert len(world.builder.built) - built == ("after ledger.commit" not in POINTS[:at])


@pytest.mark.parametrize("at", table(SITE, quick=8))
def test_it_dies_and_is_resumed(at: int) -> None:
    world = World()
    run(world, at)
    resumed = resume(world.road())
    if not resumed and not world.ledger.entries():
        assert "after journal.move asked" not in SITE[:at]  # nobody knows that it was begun
        assert (world.store.files, world.kept.blobs) == ({}, {})
        return
    assert [outcome.exit for outcome in resumed] in ([0], [])
    whole(world)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(5, len(SITE), 31))
@pytest.mark.parametrize("second", range(3, len(SITE), 37))
def test_it_dies_twice(first: int, second: int) -> None:
    world = World()
    run(world, first)
    run(world, second)
    outcome = run(world)
    whole(world)
    settled(world, outcome)


@pytest.mark.slow
def test_it_dies_at_every_point_one_after_the_other() -> None:
    world = World(places=PLACES)
    died = sum(run(world, at) is None for at in range(len(POINTS)))
    outcome = run(world)
    nothing_doubled(world, whole(world))
    settled(world, outcome)
    assert died > 20


def entries_come_first(world: World) -> None:
    """Tiles, checkpoint, files, pages: wherever it died, what is there is named by the shown trail."""
    there = set(world.store.files)
    if {path for path in there if path.startswith("nova/")} or any(target.arrived for target in world.targets.values()):
        assert world.store.files[CHECKPOINT] == getattr(world.ledger.committed(), "note", "").encode()
    if CHECKPOINT in there:
        assert {"trail/tile/0/000.p/2", "trail/tile/entries/000.p/2"} <= there
    if "index.html" in there:
        assert {"nova/nova-1.0.0.tar.gz", "nova/nova-1.0.0-py3-none-any.whl"} <= there


# --- holds ----------------------------------------------------------------------------------------------------------


def hold_at(world: World, at: int | None = None) -> Hold | None:
    with suppress(Blown):
        return hold(world.road(Fuse(at)), world.project(), "1.0.0", because="not today")
    return None


def lift_at(world: World, at: int | None = None) -> Hold | None:
    with suppress(Blown):
        return lift(world.road(Fuse(at)), world.project(), "1.0.0")
    return None


def counted(then: Callable[[Fuse], object]) -> range:
    fuse = Fuse()
    then(fuse)
    return range(len(fuse.points))


def nothing_public(world: World) -> None:
    assert (world.ledger.entries(), world.store.files) == ((), {})
    assert [name for name, target in world.targets.items() if target.arrived] == []


@pytest.mark.parametrize("at", table(POINTS, quick=8))
def test_it_dies_and_is_held_and_is_lifted(at: int) -> None:
    """Before the trail has it, a hold stops it for good; after that, it is too late, and what was begun is finished."""
    world = World(places=PLACES)
    assert run(world, at) is None
    if "after ledger.commit" in POINTS[:at]:
        with pytest.raises(ProjectError) as late:
            hold_at(world)
        assert late.value.code == "hold-late"
    else:
        built = len(world.builder.built)
        assert hold_at(world)
        outcomes = (run(world), *resume(world.road()))
        assert {outcome.exit for outcome in outcomes if outcome} == {4}
        nothing_public(world)
        assert len(world.builder.built) == built
        assert lift_at(world)
    settled(world, run(world))
    nothing_doubled(world, whole(world))


def test_a_hold_that_dies_stands_or_does_not_and_said_again_it_stands() -> None:
    def said(fuse: Fuse) -> None:
        world = World()
        hold(world.road(fuse), world.project(), "1.0.0")

    for at in counted(said):
        world = World()
        assert hold_at(world, at) is None
        stood = bool(holds(world.journal, world.now))
        assert hold_at(world)
        assert len(holds(world.journal, world.now)) == 1
        outcome = run(world)
        assert outcome is not None
        assert (outcome.exit, stood) in [(4, True), (4, False)]
        nothing_public(world)


def test_lifting_that_dies_lifts_or_does_not_and_said_again_it_is_lifted() -> None:
    def lifted(fuse: Fuse) -> None:
        world = World()
        hold_at(world)
        lift(world.road(fuse), world.project(), "1.0.0")

    for at in counted(lifted):
        world = World()
        hold_at(world)
        assert lift_at(world, at) is None
        stands = bool(holds(world.journal, world.now))
        outcome = run(world)
        assert outcome is not None
        assert outcome.exit == (4 if stands else 0)
        assert bool(lift_at(world)) == stands
        settled(world, run(world))
        whole(world)


def test_a_lost_journal_loses_the_hold_and_nothing_else() -> None:
    world = World()
    hold_at(world)
    assert getattr(run(world), "exit", None) == 4
    world.journal = memory.Journal()
    settled(world, run(world))
    whole(world)


# --- words to the release team --------------------------------------------------------------------------------------

TEMPERS: tuple[Literal["keyed", "searchable", "blind"], ...] = ("keyed", "searchable", "blind")


def said_of(world: Team) -> tuple[int, list[str]]:
    """How many words arrived, and what becomes of those that did not."""
    return len(world.team.arrived), [row.state for row in words(world.journal)]


def watched(world: Team, at: int) -> None:
    with suppress(Blown):
        world.look(Fuse(at))


@pytest.mark.parametrize("temper", TEMPERS)
def test_watch_dies_anywhere_and_resume_goes_on_with_its_word(temper: Literal["keyed", "searchable", "blind"]) -> None:
    """What watch wrote down is unfinished work like any other; what it did not, the next round finds."""
    for at in counted(lambda fuse: ready(temper).look(fuse)):
        world = ready(temper)
        watched(world, at)
        for _ in range(4):
            world.now += 10
            resume(world.road())
        begun = bool(world.journal.rows(WORD))
        told, left = said_of(world)
        assert (told, left) in ([(1, []), (1, ["held"]), (0, ["held"])] if begun else [(0, [])])
        assert temper == "blind" or left == []
        world.look()
        assert said_of(world) == ((told, left) if begun else (1, []))


@pytest.mark.parametrize("temper", TEMPERS)
def test_watch_dies_anywhere_and_loses_its_journal(temper: Literal["keyed", "searchable", "blind"]) -> None:
    """At first contact all is known: nobody is told twice, and what moved is seen against the trail."""
    for at in counted(lambda fuse: ready(temper).look(fuse)):
        world = ready(temper)
        watched(world, at)
        told = len(world.team.arrived)
        world.journal = memory.Journal()
        assert (world.look().exit, world.look().exit, said_of(world)) == (0, 0, (told, []))


@pytest.mark.parametrize(("how", "arrived"), [("done", 0), ("again", 1), ("drop", 0)])
def test_what_a_person_says_of_a_word_dies_anywhere_and_is_said_again(how: How, arrived: int) -> None:
    def held() -> Team:
        world = ready("blind", memory.Fault(what="unknown"))
        assert world.look().exit == 4
        return world

    def say(world: Team, fuse: Fuse | None = None) -> None:
        road = world.road(fuse)
        settle(road, chosen(road, "team", "nova", "1.1.0"), how, by="ada", because="looked")

    for at in counted(lambda fuse: say(held(), fuse)):
        world = held()
        with suppress(Blown):
            say(world, Fuse(at))
        if any(row.state == "held" for row in words(world.journal)):
            say(world)
        assert resume(world.road()) == ()
        assert said_of(world) == (arrived, [])


# --- what a run costs, and what it says -----------------------------------------------------------------------------


def test_a_second_run_changes_nothing() -> None:
    world = World(places=PLACES)
    run(world)
    before = (dict(world.store.files), world.ledger.entries(), world.journal.rows(1), len(world.builder.built))
    written = len(world.store.written)
    outcome = run(world)
    assert outcome is not None
    assert (outcome.exit, outcome.reached) == (0, "announced")
    assert (dict(world.store.files), world.ledger.entries(), world.journal.rows(1), len(world.builder.built)) == before
    assert len(world.store.written) == written
    assert ("already", "logged") in {(name, fields.get("what")) for name, fields in world.told}


def test_what_is_shown_is_under_our_key_and_its_proofs_hold() -> None:
    world = World()
    outcome = run(world)
    assert outcome is not None
    assert outcome.entry is not None
    log = world.road().log.verifier
    for file in outcome.entry.files:
        shown = proof.parse(world.store.files[f"nova/{file.name}.tlog-proof"])
        checkpoint = note.parse_checkpoint(note.open_note(shown.checkpoint, [log]).note.text)
        leaf = merkle.leaf_hash(outcome.entry.raw)
        merkle.verify_inclusion(shown.index, checkpoint.size, leaf, shown.hashes, checkpoint.root)


def test_a_world_that_drifts_would_show() -> None:
    """The table's own proof: built anew after it was logged, the bytes differ."""
    world = World()
    run(world)
    (order,) = world.builder.built
    again = world.builder.build(order, world.source.objects("nova", "1.0.0", order.commit), world.kept)
    entry = world.ledger.entries()[1]
    assert {a.blob.sha256 for a in again}.isdisjoint({f.sha256 for f in entry.files})
    assert replace(entry, files=()) != entry
