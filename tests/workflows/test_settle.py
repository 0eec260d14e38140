"""Row 9: what a person says of effects that wait, and what nobody can say."""

import pytest

from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Row
from tagtrail.testing.memory.target import Fault
from tagtrail.workflows.release import release
from tagtrail.workflows.resume import resume
from tagtrail.workflows.settle import How, chosen, settle
from tests.workflows.world import PLACES, World


def troubled(fault: str, place: str = "blind", versions: tuple[str, ...] = ("1.0.0",)) -> World:
    world = World(places=PLACES, versions=versions)
    world.targets[place].faults = [Fault(what=fault, after=60)] * 20  # type: ignore[arg-type]
    for version in versions:
        release(world.road(), world.project(), version)
    world.targets[place].faults = []
    return world


def rows(world: World, place: str) -> list[Row]:
    return [row for row in world.journal.rows(1) if row.effect.target == place]


def say(world: World, what: str, how: How, because: str = "looked") -> None:
    road = world.road()
    settle(road, chosen(road, what), how, by="ada", because=because)


def code(world: World, what: str, how: How, because: str = "looked") -> str:
    before = world.journal.rows(1)
    with pytest.raises(SetupError) as refused:
        say(world, what, how, because)
    assert world.journal.rows(1) == before
    return refused.value.code


def test_done_is_seen_and_nothing_is_sent() -> None:
    world = troubled("unknown")
    sent = len(world.targets["blind"].attempts)
    say(world, "blind", "done")
    assert {(row.state, row.why) for row in rows(world, "blind")} == {("seen", "done by ada: looked")}
    assert resume(world.road()) == ()
    assert len(world.targets["blind"].attempts) == sent
    assert {f["how"] for name, f in world.told if name == "settled"} == {"done"}


def test_again_is_asked_once_more() -> None:
    world = troubled("unknown")
    sent = len(world.targets["blind"].attempts)
    say(world, "blind", "again")
    assert [outcome.exit for outcome in resume(world.road())] == [0]
    assert len(world.targets["blind"].attempts) == sent + 2


def test_again_does_not_wait_for_its_time() -> None:
    world = troubled("refused", "keyed")
    assert {row.due > world.now for row in rows(world, "keyed")} == {True}
    say(world, "keyed", "again")
    assert [outcome.exit for outcome in resume(world.road())] == [0]


@pytest.mark.parametrize(("fault", "place"), [("unknown", "blind"), ("refused", "keyed"), ("unknown", "searchable")])
def test_what_is_dropped_is_never_sent(fault: str, place: str) -> None:
    world = troubled(fault, place)
    sent = len(world.targets[place].attempts)
    say(world, place, "drop", "it is down")
    world.now += 3600
    resume(world.road())
    assert {(row.state, row.why) for row in rows(world, place)} == {("dropped", "drop by ada: it is down")}
    assert len(world.targets[place].attempts) == sent


def test_one_file_alone() -> None:
    world = troubled("unknown")
    first, other = rows(world, "blind")
    say(world, first.effect.key, "drop")
    assert [row.state for row in rows(world, "blind")] == ["dropped", "held"]
    say(world, f"blind/{other.effect.key}", "drop")
    assert [row.state for row in rows(world, "blind")] == ["dropped", "dropped"]


@pytest.mark.parametrize(
    ("fault", "place", "how", "expected"),
    [
        ("unknown", "blind", "done", None),
        ("refused", "keyed", "done", "settle-state"),
        ("unknown", "searchable", "again", "settle-state"),
        ("conflict", "keyed", "drop", "settle-state"),
        ("conflict", "keyed", "again", "settle-state"),
        ("fine", "keyed", "drop", "settle-nothing"),
    ],
)
def test_what_cannot_be_said(fault: str, place: str, how: How, expected: str | None) -> None:
    world = troubled(fault, place)
    if expected is None:
        say(world, place, how)
        return
    assert code(world, place, how) == expected


def test_done_is_for_places_where_nobody_can_look() -> None:
    world = troubled("unknown")
    world.targets["blind"].retry = "searchable"
    assert code(world, "blind", "done") == "settle-looked"


@pytest.mark.parametrize("because", ["", "  ", "two\nlines", "x" * 201])
def test_a_reason_is_one_line(because: str) -> None:
    assert code(troubled("unknown"), "blind", "drop", because) == "because"


def test_a_place_of_two_releases_is_asked_back() -> None:
    world = troubled("unknown", versions=("1.0.0", "1.1.0"))
    assert code(world, "blind", "drop") == "settle-several"
    road = world.road()
    found = chosen(road, "blind", "Nova", "v1.1.0")
    assert {row.effect.entry for row in found} == {2}
    settle(road, found, "drop", by="ada", because="down")
    assert {row.state for row in rows(world, "blind")} == {"held"}
