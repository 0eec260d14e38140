"""Row 9: what a person says of effects that wait, and what nobody can say."""

from dataclasses import replace

import pytest

from tagtrail.model.errors import SetupError
from tagtrail.model.facts import Row
from tagtrail.model.settings import Project
from tagtrail.testing.memory.target import Fault
from tagtrail.workflows.hold import hold
from tagtrail.workflows.release import release
from tagtrail.workflows.resume import resume
from tagtrail.workflows.settle import How, chosen, settle
from tagtrail.workflows.words import address, is_word, tag_of, words
from tests.workflows.test_watch import Team
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


# --- words to the release team --------------------------------------------------------------------------------------


class Told(Team):
    """A team that is told of tags, and of releases too, by one blind target."""

    temper = "blind"

    def project(self, name: str = "nova") -> Project:
        return replace(super().project(name), announce=("team",))


def held(*, released: bool = False, moved: bool = False) -> Told:
    """1.1.0 appeared, and nobody knows whether the team was told; likewise what came after it."""
    world = Told()
    world.team.faults = [Fault(what="unknown")] * 3
    world.look()
    world.tag("1.1.0")
    world.look()
    if released:
        assert release(world.road(), world.project(), "1.1.0").exit == 4
    if moved:
        world.tag("1.1.0")
        world.look()
    world.team.faults = []
    return world


@pytest.mark.parametrize(
    "what", ["team", "watch/nova/1.1.0", "team/watch/nova/1.1.0", "nova 1.1.0: a tag appeared, no errors"]
)
def test_a_word_is_named_by_its_place_its_tag_or_its_line(what: str) -> None:
    world = held()
    (row,) = chosen(world.road(), what)
    assert (is_word(row), tag_of(row), row.state) == (True, ("nova", "1.1.0"), "held")
    assert chosen(world.road(), "team", "Nova", "v1.1.0") == (row,)


@pytest.mark.parametrize("what", ["watch/nova/1.1", "watch/nova", "other/watch/nova/1.1.0", "nova/1.1.0"])
def test_what_is_no_word(what: str) -> None:
    assert code(held(), what, "drop") == "settle-nothing"


@pytest.mark.parametrize(("how", "arrived"), [("done", 0), ("again", 1), ("drop", 0)])
def test_what_a_person_says_of_a_word(how: How, arrived: int) -> None:
    world = held()
    assert [outcome.exit for outcome in resume(world.road())] == [4]
    say(world, "watch/nova/1.1.0", how)
    assert resume(world.road()) == ()
    assert (len(world.team.arrived), words(world.journal), world.look().rows) == (arrived, (), ())


def test_a_release_and_a_word_of_it_at_one_place_are_told_apart() -> None:
    world = held(released=True)
    with pytest.raises(SetupError) as several:
        chosen(world.road(), "team", "nova", "1.1.0")
    assert several.value.code == "settle-several"
    assert several.value.hint == "tagtrail settle team/watch/nova/1.1.0 ..."
    (word,) = chosen(world.road(), "team/watch/nova/1.1.0")
    assert is_word(word)
    say(world, "watch/nova/1.1.0", "done")
    assert {row.effect.entry for row in chosen(world.road(), "team", "nova", "1.1.0")} == {1}


def test_two_words_of_one_tag_are_told_apart() -> None:
    world = held(moved=True)
    first, second = words(world.journal)
    assert code(world, "watch/nova/1.1.0", "drop") == "settle-several"
    assert [address(row, (first, second)) for row in (first, second)] == [
        f"team/{first.effect.key}", f"team/{second.effect.key}",
    ]  # fmt: skip
    say(world, address(second, (first, second)), "done")
    assert words(world.journal) == (first,)
    assert address(first, words(world.journal)) == "team/watch/nova/1.1.0"


def test_a_word_to_a_target_that_is_no_more_waits_for_a_person() -> None:
    world = held()
    (row,) = words(world.journal)
    gone = replace(row, effect=replace(row.effect, target="old"), state="refused", due=0)
    world.journal.move(None, gone)
    say(world, "team", "done")
    assert [outcome.exit for outcome in resume(world.road())] == [5]
    say(world, "old", "drop")
    assert resume(world.road()) == ()


def test_holds_and_what_was_begun_are_nothing_that_settle_knows() -> None:
    world = World()
    hold(world.road(), world.project(), "1.0.0")
    assert release(world.road(), world.project(), "1.0.0").exit == 4
    for what in ("hold", "trail"):
        with pytest.raises(SetupError) as refused:
            chosen(world.road(), what)
        assert refused.value.code == "settle-nothing"
