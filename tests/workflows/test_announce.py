"""People are told once, of what every place shows: one release, or the many of a day, whatever is killed in between."""

from dataclasses import replace
from typing import Literal

import pytest

from tagtrail.formats.notice import parse_notice
from tagtrail.model.notice import Notice
from tagtrail.model.texts import Text
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.workflows.announce import announced, tell_together
from tagtrail.workflows.publish import logged, published
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.resume import resume
from tagtrail.workflows.settle import How, chosen, settle
from tagtrail.workflows.withdraw import withdraw
from tests.workflows.world import URL, World

Retry = Literal["keyed", "searchable", "blind"]
RETRIES: tuple[Retry, ...] = ("keyed", "searchable", "blind")
DAY = 86_400


def go(world: World, name: str = "nova", version: str = "1.0.0", fuse: Fuse | None = None) -> Outcome:
    return release(world.road(fuse), world.project(name), version)


def told(world: World, retry: Retry = "keyed") -> list[Notice]:
    """What arrived, in order."""
    target = world.targets[f"{retry}-channel"]
    rows = [r for index in range(300) for r in world.journal.rows(index) if r.effect.target == target.name]
    blobs = {r.effect.path: r.effect.blob.sha256 for r in rows if r.effect.path.startswith("notice-")}
    return [parse_notice(world.kept.read(blobs[path])) for path in target.arrived]


@pytest.mark.parametrize("retry", RETRIES)
def test_a_release_is_told_once(retry: Retry) -> None:
    world = World(channels=(retry,), public=True)
    outcome = go(world)
    while outcome.exit == 4:
        (outcome,) = resume(world.road())
    assert (outcome.exit, outcome.reached) == (0, "announced")
    (notice,) = told(world, retry)
    assert (notice.subject, notice.entries, notice.url) == ("nova 1.0.0", (1,), f"{URL}nova/1.0.0/")
    assert (go(world).exit, resume(world.road())) == (0, ())
    assert len(told(world, retry)) == 1


def test_it_waits_for_every_place_and_says_so() -> None:
    world = World(places=("searchable",), channels=("keyed",))
    world.targets["searchable"].late = 3
    outcome = go(world)
    assert (outcome.exit, outcome.reached, told(world)) == (4, "logged", [])
    (owed,) = (r for r in outcome.rows if r.effect.target == "keyed-channel")
    assert (owed.state, owed.why) == ("none", "waits for searchable")
    while outcome.exit:
        (outcome,) = resume(world.road())
    (notice,) = told(world)
    assert [place.name for place in notice.places] == ["searchable"]


def test_a_conflict_is_not_announced() -> None:
    world = World(places=("keyed",), channels=("keyed",))
    world.targets["keyed"].faults = [memory.Fault(what="conflict")]
    assert (go(world).exit, told(world)) == (6, [])


def test_a_place_that_a_person_dropped_is_not_named() -> None:
    world = World(places=("keyed",), channels=("searchable",))
    world.targets["keyed"].down = 1_000
    outcome = go(world)
    assert outcome.exit == 4
    for row in world.journal.rows():
        if row.effect.target == "keyed":
            world.journal.move(row, replace(row, state="dropped", why="down"))
    while outcome.exit:
        (outcome,) = resume(world.road())
    (notice,) = told(world, "searchable")
    assert notice.places == ()
    assert "keyed" not in notice.text


def test_stopped_after_publishing_it_is_not_told_until_somebody_goes_on() -> None:
    world = World(channels=("blind",))
    outcome = release(world.road(), world.project(), "1.0.0", until="published")
    assert (outcome.exit, outcome.reached, told(world, "blind")) == (0, "published", [])
    assert (go(world).exit, len(told(world, "blind"))) == (0, 1)


def test_who_was_added_since_is_not_told_of_the_past() -> None:
    world = World()
    assert go(world).exit == 0
    later = World(channels=("keyed",))
    later.journal, later.ledger, later.store = world.journal, world.ledger, world.store
    later.kept = later.targets["keyed-channel"].kept = world.kept
    assert go(later).exit == 0
    assert later.targets["keyed-channel"].arrived == []


def test_who_was_to_be_told_is_remembered_over_a_change_of_settings() -> None:
    """Killed while it is written down whom to tell: those are told who were meant then, all of them and nobody else."""
    begun, fuse = begin(World(channels=("keyed", "searchable")))
    for at in points(fuse)[:6]:
        world = begun.twin()
        with pytest.raises(Blown):
            go(world, fuse=Fuse(at))
        world.channels = ("keyed", "searchable", "blind")
        world.targets["blind-channel"] = memory.Target("blind-channel", "blind", carries="notice", kept=world.kept)
        for _ in range(4):
            if go(world).exit == 0:
                break
        arrived = {name: len(target.arrived) for name, target in world.targets.items()}
        meant = fuse.points[at] != "before journal.once str"
        assert arrived == {"keyed-channel": 1, "searchable-channel": 1, "blind-channel": int(not meant)}, fuse.points[
            at
        ]


def test_the_journal_lost_doubles_nothing() -> None:
    world = World(channels=RETRIES)
    outcome = go(world)
    while outcome.exit:
        (outcome,) = resume(world.road())
    world.journal = memory.Journal()
    outcome = go(world)
    assert outcome.exit == 4
    held = [r.effect.target for r in outcome.rows if r.state == "held"]
    assert held == ["blind-channel"]
    assert [len(world.targets[f"{retry}-channel"].arrived) for retry in RETRIES] == [1, 1, 1]


def begin(world: World) -> tuple[World, Fuse]:
    """The world with its release logged and nobody told, and the points that lie before whoever goes on."""
    release(world.road(), world.project(), "1.0.0", until="logged")
    fuse = Fuse()
    go(world.twin(), fuse=fuse)
    return world, fuse


def points(fuse: Fuse) -> list[int]:
    """Where telling people can be killed: what comes before has a crash table of its own."""
    first = next(n for n, name in enumerate(fuse.points) if name.endswith("once Notice"))
    own = ("once str", "move none")
    return [n for n, name in enumerate(fuse.points) if n >= first or name.endswith(own)]


@pytest.mark.slow
@pytest.mark.parametrize("together", ["", "day"])
@pytest.mark.parametrize("retry", ["searchable", "blind"])
def test_killed_anywhere_it_is_told_once_or_held(retry: Retry, together: str) -> None:
    begun, fuse = begin(World(channels=(retry,), together=together))
    for at in points(fuse):
        world = begun.twin()
        with pytest.raises(Blown):
            go(world, fuse=Fuse(at))
        for _ in range(4):
            if go(world).exit == 0:
                break
            world.now += DAY
        arrived = len(world.targets[f"{retry}-channel"].arrived)
        held = any(r.state == "held" for r in world.journal.rows())
        assert arrived == 1 or (held and retry == "blind" and arrived < 2), fuse.points[at]
        assert held or go(world).exit == 0, fuse.points[at]


# --- the releases of a day ------------------------------------------------------------------------------------------


def day(count: int, retry: Retry = "keyed") -> World:
    return World(names=tuple(f"lib{n}" for n in range(count)), channels=(retry,), together="day")


@pytest.mark.parametrize("count", [11, pytest.param(97, marks=pytest.mark.slow)])
def test_the_releases_of_a_day_are_one_mail(count: int) -> None:
    world = day(count)
    waiting = [go(world, name) for name in world.names]
    assert {(o.exit, o.reached) for o in waiting} == {(4, "published")}
    assert waiting[0].waits == (
        "lib0 1.0.0 keyed-channel is told with the day's others after 2026-04-02T00:00:00Z, or now by `resume --early`"
    )
    assert told(world) == []
    world.now += DAY
    assert {o.exit for o in resume(world.road())} == {0}
    (notice,) = told(world)
    assert notice.subject == f"Example Cloud: {count} releases, 2026-04-01"
    assert sorted(notice.entries) == list(notice.entries)
    assert len(set(notice.entries)) == count
    assert all(f"* {name} 1.0.0\n" in notice.text for name in world.names)
    assert resume(world.road()) == ()


def test_late_comers_go_with_the_next() -> None:
    world = day(3)
    go(world, "lib0")
    go(world, "lib1")
    world.now += DAY
    resume(world.road())
    go(world, "lib2")
    assert [len(n.entries) for n in told(world)] == [2]
    world.now += DAY
    resume(world.road())
    assert [n.subject for n in told(world)] == ["Example Cloud: 2 releases, 2026-04-01", "lib2 1.0.0"]


def test_all_that_waits_is_told_early_when_somebody_asks() -> None:
    world = day(2)
    for name in world.names:
        go(world, name)
    road = world.road()
    tell_together(road, road.settings.target("keyed-channel"), early=True)
    assert [len(n.entries) for n in told(world)] == [2]


def test_resume_early_publishes_what_it_can_and_tells_all_of_it_once() -> None:
    world = day(3)
    go(world, "lib0")
    for name in ("lib1", "lib2"):
        release(world.road(), world.project(name), "1.0.0", until="logged")
    outcomes = resume(world.road(), early=True)
    assert {(o.exit, o.reached, o.waits) for o in outcomes} == {(0, "announced", "")}
    assert [len(n.entries) for n in told(world)] == [3]
    assert resume(world.road(), early=True) == ()
    world.now += DAY
    assert (resume(world.road()), len(told(world))) == ((), 1)


def test_resume_early_has_nothing_to_tell_of_what_waits_for_a_place() -> None:
    world = World(names=("lib0", "lib1"), places=("keyed",), channels=("keyed",), together="day")
    go(world, "lib0")
    world.targets["keyed"].down = 1_000
    assert go(world, "lib1").exit == 4
    assert {o.project: o.exit for o in resume(world.road(), early=True)} == {"lib0": 0, "lib1": 4}
    assert [n.subject for n in told(world)] == ["lib0 1.0.0"]


@pytest.mark.parametrize(("retry", "exits"), [("blind", {4}), ("keyed", {5}), ("searchable", {5})])
def test_a_batch_that_is_refused_or_unclear_early_says_so_of_each(retry: Retry, exits: set[int]) -> None:
    world = day(2, retry)
    for name in world.names:
        go(world, name)
    world.targets[f"{retry}-channel"].faults = [
        memory.Fault(what="unknown" if retry == "blind" else "refused", after=9)
    ]
    assert {o.exit for o in resume(world.road(), early=True)} >= exits
    assert {row.state for row in world.journal.rows() if row.effect.path.startswith("notice-")} <= {"held", "refused"}


@pytest.mark.parametrize(("how", "state"), [("done", "seen"), ("drop", "dropped")])
def test_what_is_said_of_a_batch_holds_for_all_that_are_in_it(how: How, state: str) -> None:
    world = day(3, "blind")
    for name in world.names:
        go(world, name)
    world.targets["blind-channel"].faults = [memory.Fault(what="unknown")]
    first, second, newest = resume(world.road(), early=True)
    assert {o.exit for o in (first, second, newest)} == {4}
    assert first.waits.startswith("lib0 1.0.0 blind-channel is told together with lib2 1.0.0, which is held: ")
    assert newest.waits == ""
    assert newest.entry is not None
    road = world.road()
    settle(road, chosen(road, "blind-channel", "lib2"), how, by="ada", because="looked")
    assert {o.exit for o in resume(world.road())} == {0}
    rows = [row for index in range(1, newest.entry.index + 1) for row in world.journal.rows(index)]
    assert {row.state for row in rows if row.effect.target == "blind-channel"} == {state}


def test_a_channel_that_cannot_be_told_early_keeps_nobody_else_from_it() -> None:
    """The text of one is broken: its releases say so, those of the other are told."""
    world = day(2)
    for name in world.names:
        go(world, name)
    broken = Text(name="digest", file="digest.txt", source="{{ nothing }}")
    road = replace(world.road(), texts=(broken,))
    assert {o.exit for o in resume(road, early=True)} == {2}
    assert [fields["code"] for name, fields in world.told if name == "refused"] == ["text-template"]
    assert {o.exit for o in resume(world.road())} == {0}
    assert [len(n.entries) for n in told(world)] == [2]


def test_resume_early_killed_anywhere_tells_each_once() -> None:
    waiting = day(2)
    for name in waiting.names:
        go(waiting, name)
    fuse = Fuse()
    resume(waiting.twin().road(fuse), early=True)
    for at, name in [*enumerate(fuse.points)][::4]:
        world = waiting.twin()
        with pytest.raises(Blown):
            resume(world.road(Fuse(at)), early=True)
        resume(world.road(), early=True)
        assert [len(n.entries) for n in told(world)] == [2], name
        assert resume(world.road()) == ()


def test_a_withdrawal_is_told_at_once_and_what_is_withdrawn_is_not_told_with_the_others() -> None:
    world = day(2)
    for name in world.names:
        go(world, name)
    assert withdraw(world.road(), world.project("lib0"), "1.0.0", "loses data").exit == 0
    assert [n.subject for n in told(world)] == ["lib0 1.0.0 is withdrawn"]
    world.now += DAY
    resume(world.road())
    assert [n.subject for n in told(world)] == ["lib0 1.0.0 is withdrawn", "lib1 1.0.0"]


@pytest.mark.parametrize("retry", ["keyed", "blind"])
def test_a_batch_killed_anywhere_has_each_release_once_or_is_held(retry: Retry) -> None:
    waiting = day(2, retry)
    for name in waiting.names:
        go(waiting, name)
    waiting.now += DAY

    def send(world: World, fuse: Fuse) -> None:
        road = world.road(fuse)
        tell_together(road, road.settings.target(f"{retry}-channel"))

    fuse = Fuse()
    send(waiting.twin(), fuse)
    assert fuse.points
    for at, name in enumerate(fuse.points):
        world = waiting.twin()
        with pytest.raises(Blown):
            send(world, Fuse(at))
        for _ in range(2):
            send(world, Fuse())
            world.now += DAY
        arrived = world.targets[f"{retry}-channel"].arrived
        held = {r.effect.path for r in world.journal.rows() if r.state == "held"}
        assert len(arrived) == 1 or (len(held) == 1 and not arrived), name
        assert held or [len(n.entries) for n in told(world, retry)] == [2], name


def test_the_order_is_in_the_types() -> None:
    """Announced of Published, Published of Logged: nobody is told of what is not seen."""
    world = World(channels=("keyed",))
    outcome = go(world)
    assert outcome.entry is not None
    fact = logged(world.road(), outcome.entry)
    row = outcome.rows[0]
    assert published(fact, [replace(row, state="sent")]) is None
    done = published(fact, [row])
    assert done is not None
    assert announced(done, [replace(row, state="held")]) is None
