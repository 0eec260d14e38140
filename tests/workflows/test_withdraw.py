"""Withdrawals: logged, shown, marked where a place can; what was withdrawn never comes back."""

import json
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Literal

import pytest
from _pytest.mark import ParameterSet

from tagtrail.model.errors import Error, SetupError
from tagtrail.model.facts import Artifact
from tagtrail.testing import memory, samples
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory.target import Fault
from tagtrail.trail.sequencer import append
from tagtrail.workflows.add import stage
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.render import check
from tagtrail.workflows.resume import resume, unfinished
from tagtrail.workflows.withdraw import reason_of, withdraw
from tests.workflows.world import LOG, PLACES, World

WHY = "loses data on upgrade; take 1.0.1"


def released(places: tuple[Literal["keyed", "searchable", "blind"], ...] = ()) -> World:
    """Each call a world of its own, where the same has happened."""
    return _released(places).twin()


@cache
def _released(places: tuple[Literal["keyed", "searchable", "blind"], ...]) -> World:
    world = World(places=places)
    release(world.road(), world.project(), "1.0.0")
    world.told.clear()
    return world


def run(world: World, at: int | None = None, version: str = "1.0.0", reason: str = WHY) -> Outcome | None:
    """One `tagtrail withdraw`, which dies at point `at`."""
    with suppress(Blown):
        return withdraw(world.road(Fuse(at)), world.project(), version, reason)
    return None


def is_withdrawn(world: World) -> None:
    """One entry says so, once; every page is as a whole rendering makes it, and nothing is unfinished."""
    *_, entry = world.ledger.entries()
    assert [e.event for e in world.ledger.entries()] == ["key", "release", "withdraw"]
    assert (entry.project, entry.version, entry.reason) == ("nova", "1.0.0", WHY)
    assert WHY in world.store.files["nova/1.0.0/index.html"].decode()
    index = json.loads(world.store.files["simple/nova/index.json"])
    assert {file["yanked"] for file in index["files"]} == {WHY}
    road = world.road()
    assert check(world.ledger, world.store, world.kept, tell=road.tell, clock=road.clock) == ()
    left = unfinished(world.ledger, world.journal)
    assert (left.begun, left.entries) == ((), ())


@pytest.mark.parametrize("spelled", ["1.0.0", "1.0", "v1", "1.0.0.0"])
def test_it_is_logged_and_shown(spelled: str) -> None:
    world = released(places=PLACES)
    outcome = run(world, version=spelled)
    assert outcome is not None
    assert (outcome.exit, outcome.reached) == (0, "announced")
    is_withdrawn(world)
    entry = world.ledger.entries()[-1]
    assert entry.tag == world.ledger.entries()[1].tag
    assert [f.name for f in entry.files] == [f.name for f in world.ledger.entries()[1].files]


def test_a_second_time_it_was_so_already() -> None:
    world = released()
    run(world)
    before = (world.ledger.entries(), dict(world.store.files), world.journal.rows(2))
    outcome = run(world, reason="another reason")
    assert outcome is not None
    assert outcome.exit == 0
    assert (world.ledger.entries(), dict(world.store.files), world.journal.rows(2)) == before
    assert [fields["what"] for name, fields in world.told if name == "already"] == [f"withdrawn: {WHY}"]


@pytest.mark.parametrize("version", ["2.0", "1.0.0rc1", "nonsense"])
def test_what_the_trail_does_not_have_is_not_withdrawn(version: str) -> None:
    world = released()
    with pytest.raises(Error) as refused:
        run(world, version=version)
    assert (refused.value.code, refused.value.exit_code) == ("version-unknown", 3)
    assert len(world.ledger.entries()) == 2


@pytest.mark.parametrize("text", ["", " x", "two\nlines", "x" * 501, "ask jo@example.org", "\x1b[31m"])
def test_a_reason_is_one_public_line(text: str) -> None:
    with pytest.raises(SetupError) as refused:
        reason_of(text)
    assert refused.value.code == "reason"


# --- what was withdrawn never comes back -----------------------------------------------------------------------------


def test_it_is_not_released_again() -> None:
    world = released()
    run(world)
    with pytest.raises(Error) as refused:
        release(world.road(), world.project(), "1.0.0")
    assert (refused.value.code, refused.value.exit_code) == ("version-withdrawn", 3)


@pytest.mark.parametrize("spelled", ["1.0.0", "1.0", "1"])
@pytest.mark.parametrize("project", ["nova", "Nova", "NOVA"])
def test_no_draft_of_it_enters_the_trail(project: str, spelled: str) -> None:
    world = released()
    run(world)
    with pytest.raises(Error) as refused:
        append(
            [samples.release(project, spelled)],
            after=world.ledger.committed(),
            ledger=world.ledger,
            log=LOG,
            clock=world.clock,
        )
    assert refused.value.code == "version-withdrawn"


def test_no_file_is_added_to_it() -> None:
    world = released()
    run(world)
    entry = world.ledger.entries()[1]
    assert entry.tag is not None
    wheel = Artifact(name="nova-1.0.0-cp312-cp312-linux_x86_64.whl", blob=samples.blob(b"x"))
    with pytest.raises(Error) as refused:
        stage(world.road(), world.project(), "1.0.0", entry.tag.sha256, wheel)
    assert refused.value.code == "version-withdrawn"


# --- half published --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["refused", "unknown", "conflict"])
def test_what_is_not_published_yet_stays_unpublished(fault: str) -> None:
    world = World(places=("searchable",))
    world.targets["searchable"].faults = [Fault(what=fault, after=60)] * 9  # type: ignore[arg-type]
    release(world.road(), world.project(), "1.0.0")
    world.targets["searchable"].faults = []
    world.told.clear()
    attempts = len(world.targets["searchable"].attempts)
    outcome = run(world)
    assert outcome is not None
    assert outcome.exit == 0
    assert len(world.targets["searchable"].attempts) == attempts, "nothing more is sent"
    dropped = [row for row in world.journal.rows(1) if row.effect.target == "searchable"]
    assert {row.state for row in dropped} == {"dropped"}
    assert all(row.why.startswith("withdrawn in entry 2") for row in dropped)
    assert {f["what"] for name, f in world.told if name == "skip"} == {row.effect.path for row in dropped}
    is_withdrawn(world)
    world.now += 3600
    assert resume(world.road()) == ()
    assert len(world.targets["searchable"].attempts) == attempts


def test_the_site_still_gets_what_the_trail_names() -> None:
    world = World(places=PLACES)
    release(world.road(), world.project(), "1.0.0", until="logged")
    assert "nova/nova-1.0.0.tar.gz" not in world.store.files
    run(world)
    assert [outcome.exit for outcome in resume(world.road())] == [0]
    assert "nova/nova-1.0.0.tar.gz" in world.store.files
    assert {name: target.attempts for name, target in world.targets.items()} == {name: [] for name in PLACES}
    is_withdrawn(world)


# --- it may die anywhere ---------------------------------------------------------------------------------------------


def points() -> list[str]:
    world, fuse = released(places=PLACES), Fuse()
    withdraw(world.road(fuse), world.project(), "1.0.0", WHY)
    return fuse.points


POINTS = points()


def table(first: int, quick: int) -> list[ParameterSet]:
    """A row for each death; every `quick`-th is in the quick suite."""
    return [
        pytest.param(at, id=f"{at} {POINTS[at]}", marks=() if at % quick == first else pytest.mark.slow)
        for at in range(len(POINTS))
    ]


@pytest.mark.parametrize("at", table(0, 4))
def test_it_dies_and_is_run_again(at: int) -> None:
    world = released(places=PLACES)
    assert run(world, at) is None
    outcome = run(world)
    assert outcome is not None
    assert outcome.exit == 0
    is_withdrawn(world)


@pytest.mark.parametrize("at", table(1, 6))
def test_it_dies_and_is_resumed(at: int) -> None:
    world = released(places=PLACES)
    run(world, at)
    resumed = resume(world.road())
    if not resumed and len(world.ledger.entries()) == 2:
        assert "after journal.move asked" not in POINTS[:at]  # nobody knows that it was begun
        return
    assert [outcome.exit for outcome in resumed] in ([0], [])
    is_withdrawn(world)


@pytest.mark.parametrize("at", table(2, 6))
def test_it_dies_and_loses_its_journal(at: int) -> None:
    world = released()
    run(world, at)
    world.journal = memory.Journal()
    outcome = run(world)
    assert outcome is not None
    assert outcome.exit == 0
    resume(world.road())
    is_withdrawn(world)


def test_it_is_resumed_with_the_reason_of_before() -> None:
    world = released()
    held = replace(world.road(), public=lambda: (b"nothing that parses",))
    with pytest.raises(Error):
        withdraw(held, world.project(), "1.0.0", WHY)
    assert len(world.ledger.entries()) == 2
    assert [outcome.exit for outcome in resume(world.road())] == [0]
    is_withdrawn(world)
