"""Holds: they stop the road at every step before the hinge, and come too late after it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tagtrail.model.errors import Error, ProjectError, SetupError
from tagtrail.model.facts import Entry
from tagtrail.testing.fuse import Fuse
from tagtrail.workflows.hold import Hold, hold, holds, lift, standing, stands_for
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.resume import resume, unfinished
from tests.workflows.world import START, World

HOUR = 3600


def logged(world: World) -> list[Entry]:
    return [entry for entry in world.ledger.entries() if entry.event == "release"]


def held(world: World, **said: object) -> Hold:
    return hold(world.road(), world.project(), "1.0.0", **said)  # type: ignore[arg-type]


def go(world: World) -> Outcome:
    return release(world.road(), world.project(), "1.0.0")


def test_a_held_tag_is_not_built_and_the_road_says_until_when_and_why() -> None:
    world = World()
    held(world, until=START + HOUR, because="waits for the security fix")
    outcome = go(world)
    assert (outcome.exit, outcome.next) == (4, "tagtrail hold nova 1.0.0 --lift")
    assert outcome.waits == "nova 1.0.0 is held until 2026-04-01T16:02:00Z: waits for the security fix"
    assert (logged(world), world.builder.built) == ([], [])
    assert ("waiting", "hold") in [(name, fields.get("for")) for name, fields in world.told]
    assert [row.why for row in unfinished(world.ledger, world.journal).begun] == [outcome.waits]


@pytest.mark.parametrize("ends", ["its time is over", "it is lifted"])
def test_resume_goes_on_when(ends: str) -> None:
    world = World()
    held(world, until=START + HOUR)
    assert [outcome.exit for outcome in (go(world), *resume(world.road()))] == [4, 4]
    if ends == "it is lifted":
        assert lift(world.road(), world.project(), "1.0.0") is not None
    else:
        world.now += HOUR
    assert [outcome.exit for outcome in resume(world.road())] == [0]
    assert len(logged(world)) == 1


class Stopper(Fuse):
    """Something else happens at one point of the road, once."""

    def __init__(self, when: int, then: Callable[[], object]) -> None:
        super().__init__()
        self.when, self.then, self.said = when, then, ""

    def point(self, name: str) -> None:
        """See `Fuse`."""
        super().point(name)
        if len(self.points) == self.when + 1:
            try:
                self.then()
            except Error as error:
                self.said = error.code


def points() -> list[str]:
    world, fuse = World(), Fuse()
    release(world.road(fuse), world.project(), "1.0.0")
    return fuse.points


POINTS = points()
HINGE = POINTS.index("before ledger.commit")
"""Here the trail's transaction has looked at holds, and a database lets nobody else write until it has committed."""
MOMENTS = [n for n in range(len(POINTS)) if n < HINGE or (n > HINGE and n % 9 == 0)]


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(at, id=f"{at} {POINTS[at]}", marks=() if n % 3 == 0 else pytest.mark.slow)
        for n, at in enumerate(MOMENTS)
    ],
)
def test_held_at_any_step_it_stops_before_the_hinge_or_is_told_that_it_is_too_late(at: int) -> None:
    world = World()
    quiet = replace(world.road(), tell=lambda *_: None)
    fuse = Stopper(at, lambda: hold(quiet, world.project(), "1.0.0"))
    outcome = release(world.road(fuse), world.project(), "1.0.0")
    if at < HINGE:
        assert (outcome.exit, logged(world), fuse.said) == (4, [], "")
        assert lift(world.road(), world.project(), "1.0.0")
        assert go(world).exit == 0
    else:
        assert (outcome.exit, len(logged(world))) == (0, 1)
        assert (fuse.said, holds(world.journal, world.now)) == ("hold-late", ())
    assert len(logged(world)) == len(world.builder.built) == 1


def test_what_is_in_the_trail_cannot_be_held_and_the_way_out_is_named() -> None:
    world = World()
    go(world)
    with pytest.raises(ProjectError) as refused:
        held(world)
    assert (refused.value.code, refused.value.exit_code) == ("hold-late", 3)
    assert refused.value.hint == "tagtrail withdraw nova 1.0.0 --reason TEXT"
    assert holds(world.journal, world.now) == ()


def test_who_loses_the_race_takes_the_hold_back() -> None:
    """Between the first look at the trail and the journal's row, the release is logged."""
    world = World()
    road, journal = world.road(), world.journal

    class Late:
        """The journal; before it takes a hold, somebody releases."""

        def __getattr__(self, name: str) -> object:
            if name == "move" and not logged(world):
                go(world)
            return getattr(journal, name)

    with pytest.raises(ProjectError) as refused:
        hold(replace(road, journal=Late()), world.project(), "1.0.0")  # type: ignore[arg-type]
    assert refused.value.code == "hold-late"
    assert holds(journal, world.now) == ()


def test_a_hold_is_of_a_tag_and_may_be_said_by_its_version_before_it_exists() -> None:
    world = World()
    project = replace(world.project(), tag="v{version}")
    assert hold(world.road(), project, "2.0.0").tag == "v2.0.0"
    assert standing(world.journal, "Nova", "v2.0.0", world.now)
    assert standing(world.journal, "nova", "v2.0.1", world.now) is None
    assert lift(world.road(), project, "v2.0.0")
    assert lift(world.road(), project, "v2.0.0") is None


def test_what_is_said_last_of_a_tag_holds() -> None:
    world = World()
    held(world, until=START + HOUR, because="first")
    held(world, because="second")
    assert [(one.until, one.because) for one in holds(world.journal, world.now)] == [(0, "second")]


@pytest.mark.parametrize(
    ("said", "code"), [({"until": START}, "hold-until"), ({"because": "two\nlines"}, "because")], ids=["over", "lines"]
)
def test_it_is_refused_for(said: dict[str, object], code: str) -> None:
    world = World()
    with pytest.raises(SetupError) as refused:
        held(world, **said)
    assert (refused.value.code, holds(world.journal, world.now)) == (code, ())


@pytest.mark.parametrize("ends", ["its time is over", "it is lifted"])
def test_a_hold_that_is_over_is_no_reason_any_more(ends: str) -> None:
    world = World()
    held(world, until=START + HOUR)
    waits = go(world).waits
    (row,) = unfinished(world.ledger, world.journal).begun
    assert stands_for(world.journal, row, world.now) == row.why == waits
    if ends == "it is lifted":
        lift(world.road(), world.project(), "1.0.0")
    else:
        world.now += HOUR
    assert stands_for(world.journal, row, world.now) == "it was held, and is not any more"
    other = replace(row, why="nova 1.0.0 waits for 1 of 1 approvals by release-team")
    assert stands_for(world.journal, other, world.now) == other.why
