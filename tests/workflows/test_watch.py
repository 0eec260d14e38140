"""Watching: told once, before anything is built; a tag that moved or vanished is an alarm; nothing is told twice."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from tagtrail.formats.notice import parse_notice
from tagtrail.model.errors import ProjectError, RemoteError
from tagtrail.model.notes import Notes
from tagtrail.model.settings import Settings, TargetSettings, Watch
from tagtrail.model.sighting import Sighting
from tagtrail.pages.sighting import commands
from tagtrail.ports import NotesOrder, Objects
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.testing.memory.target import Fault
from tagtrail.workflows.hold import hold
from tagtrail.workflows.release import release
from tagtrail.workflows.road import Road
from tagtrail.workflows.watch import Round, due, go_on, known, listed, watch
from tests.workflows.world import ADA, START, World


class Team(World):
    """A world with a team that is told, by a target of a temperament."""

    temper: Literal["keyed", "searchable", "blind"] = "keyed"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.team = memory.Target("team", self.temper, carries="notice", kept=self.kept)

    @property
    def settings(self) -> Settings:
        usual = super().settings
        targets = (*usual.targets, TargetSettings(name="team", type="mail"))
        return replace(usual, targets=targets, watch=Watch(tell=("team",)))

    def road(self, fuse: Fuse | None = None) -> Road:
        road = super().road(fuse)
        self.team.fuse = fuse or Fuse()
        return replace(road, targets={**road.targets, "team": self.team})

    def look(self, fuse: Fuse | None = None) -> Round:
        """One round of `watch` over all projects."""
        road = self.road(fuse)
        projects = road.settings.projects
        return watch(road, projects, listed(sorted({p.repo for p in projects}), self.source.tags, lambda _: None))

    def tag(self, name: str, repo: str = "nova") -> None:
        repository = self.repositories[repo]
        repository.tag(name, repository.commit(START - 3600 + len(repository.commits)).id, ADA.sign)

    def sighted(self) -> list[dict[str, Any]]:
        return [fields for name, fields in self.told if name == "sighted"]


def about(found: Round) -> list[tuple[str, str, str]]:
    return [(seen.what, seen.project, seen.tag) for seen in found.sightings]


@dataclass(frozen=True)
class Unwritten:
    """Where the settings name a place for notes, and nobody wrote any."""

    def read(self, objects: Objects, order: NotesOrder) -> Notes:
        """See `tagtrail.ports.Notes`."""
        raise ProjectError(f"no notes of {order.version}", code="notes-missing", hint="write them")


def test_what_would_stop_the_road_before_a_build_is_told_too() -> None:
    world = Team()
    world.look()
    world.tag("1.1.0")
    road = replace(world.road(), notes=Unwritten())
    watch(road, road.settings.projects, listed(("nova",), world.source.tags, lambda _: None))
    (event,) = world.sighted()
    assert [(f["code"], f["level"], f["text"], f["fix"]) for f in event["findings"]] == [
        ("notes-missing", "error", "no notes of 1.1.0", "write them"),
    ]
    assert event["text"] == "nova 1.1.0: a tag appeared, 1 error"
    assert event["next"] == ["tagtrail plan nova 1.1.0", "tagtrail hold nova 1.1.0 --because TEXT"]


def test_at_first_contact_what_stands_there_is_known_and_nobody_is_told() -> None:
    world = Team(versions=("1.0.0", "1.1.0"))
    assert (world.look().exit, world.look().sightings, world.team.arrived) == (0, (), [])
    seen = known(world.journal, "nova")
    assert seen is not None
    assert sorted(seen) == ["1.0.0", "1.1.0"]


def test_a_new_tag_is_told_once_with_findings_plan_and_commands_and_nothing_is_built() -> None:
    world = Team()
    world.look()
    world.tag("1.1.0")
    assert about(world.look()) == [("new", "nova", "1.1.0")]
    assert about(world.look()) == []
    (event,) = world.sighted()
    assert (event["channel"], event["follows"], event["targets"], event["signer"]) == (
        "final", "1.0.0", ["site"], ADA.key.fingerprint,
    )  # fmt: skip
    assert event["next"][0] == "tagtrail hold nova 1.1.0 --because TEXT"
    assert event["next"][-1] == "tagtrail release nova 1.1.0"
    assert len(world.team.arrived) == 1
    assert (world.builder.built, world.ledger.entries()) == ([], ())


def test_the_note_has_what_check_says() -> None:
    world = Team()
    world.look()
    world.repositories["nova"].light("1.2.0", world.repositories["nova"].commits[-1].id)
    found = world.look()
    assert about(found) == [("new", "nova", "1.2.0")]
    (seen,) = found.sightings
    assert "tag-light" in {finding.code for finding in seen.findings}
    (row,) = world.journal.rows(-2)
    notice = parse_notice(world.kept.read(row.effect.blob.sha256))
    assert notice.subject == "nova 1.2.0: a tag appeared, 1 error"
    assert "is a lightweight tag" in notice.text
    assert "tagtrail check nova 1.2.0" in notice.text
    assert max(map(len, notice.text.splitlines())) <= 76


@pytest.mark.parametrize("released", [False, True], ids=["not released", "released"])
@pytest.mark.parametrize("what", ["moved", "gone"])
def test_a_tag_that_is_not_what_it_was_is_an_alarm(what: str, *, released: bool) -> None:
    world = Team()
    world.look()
    if released:
        assert release(world.road(), world.project(), "1.0.0").exit == 0
    before = world.repositories["nova"].refs["1.0.0"]
    if what == "moved":
        world.tag("1.0.0")
    else:
        del world.repositories["nova"].refs["1.0.0"]
    found = world.look()
    assert (about(found), found.exit) == ([(what, "nova", "1.0.0")], 6)
    (seen,) = found.sightings
    assert (seen.before, seen.entry) == (before, 1 if released else None)
    assert "ALARM" in world.sighted()[0]["text"]
    assert world.look().exit == (6 if released else 0), "of a release it stands until a person has looked"
    assert len(world.team.arrived) == 1


def test_a_lost_journal_hides_no_release_that_moved() -> None:
    world = Team()
    world.look()
    release(world.road(), world.project(), "1.0.0")
    world.tag("1.0.0")
    world.journal = memory.Journal()
    assert (about(world.look()), world.look().exit) == ([("moved", "nova", "1.0.0")], 6)


def test_tags_that_are_no_releases_are_not_told_but_the_end_of_a_series_that_moves_is() -> None:
    world = Team()
    world.look()
    for name in ("nova-eol", "backup", "1.x"):
        world.tag(name)
    assert about(world.look()) == []
    for name in ("nova-eol", "backup"):
        world.tag(name)
    assert about(world.look()) == [("moved", "nova", "nova-eol")]


def test_one_repository_is_looked_at_once_for_all_its_projects() -> None:
    looks: list[str] = []
    waited: list[float] = []

    def look(repo: str) -> tuple[tuple[str, str], ...]:
        looks.append(repo)
        return ()

    found = listed(["a", "b", "c"], look, waited.append, 3.0)
    assert (sorted(looks), sorted(found), waited) == (["a", "b", "c"], ["a", "b", "c"], [1.0, 1.0])


def test_a_repository_that_is_silent_does_not_keep_the_others() -> None:
    world = Team(names=("nova", "glance"))
    world.look()
    world.tag("1.1.0", "glance")
    world.source.down.add("nova")
    found = world.look()
    assert (about(found), found.exit) == ([("new", "glance", "1.1.0")], 5)
    world.source.down.clear()
    world.tag("1.1.0")
    assert (about(world.look()), world.look().exit) == ([("new", "nova", "1.1.0")], 0)


def test_a_tag_that_cannot_be_read_now_is_told_in_the_next_round() -> None:
    world = Team()
    world.look()
    world.tag("1.1.0")
    tags = world.source.tags("nova")
    world.source.down.add("nova")
    found = watch(world.road(), world.settings.projects, {"nova": tags})
    assert (about(found), found.exit, world.team.arrived) == ([], 5, [])
    world.source.down.clear()
    assert about(world.look()) == [("new", "nova", "1.1.0")]


def looks_after(world: Team, fuse: Fuse) -> None:
    with suppress(Blown):
        world.look(fuse)


def later(world: Team) -> Round:
    """Three rounds on."""
    for _ in range(2):
        world.now += 10
        world.look()
    world.now += 10
    return world.look()


def ready(temper: Literal["keyed", "searchable", "blind"], *faults: Fault) -> Team:
    kind = type("Tempered", (Team,), {"temper": temper})
    world: Team = kind()
    world.look()
    world.tag("1.1.0")
    world.team.faults = list(faults)
    return world


def points(temper: Literal["keyed", "searchable", "blind"]) -> int:
    world, fuse = ready(temper), Fuse()
    world.look(fuse)
    return len(fuse.points)


@pytest.mark.parametrize("temper", ["keyed", "searchable", "blind"])
def test_it_dies_anywhere_and_the_team_is_told_once(temper: Literal["keyed", "searchable", "blind"]) -> None:
    for at in range(points(temper)):
        world = ready(temper)
        looks_after(world, Fuse(at))
        found = later(world)
        held = [row.state for row in found.rows]
        unclear = [(1, ["held"]), (0, ["held"])] if temper == "blind" else []
        assert (len(world.team.arrived), held) in [(1, []), *unclear]
        assert found.exit == (4 if held else 0)


@pytest.mark.parametrize("fault", ["lost-reply", "unknown", "refused"])
@pytest.mark.parametrize("temper", ["keyed", "searchable", "blind"])
def test_faults_of_the_target(temper: Literal["keyed", "searchable", "blind"], fault: Any) -> None:
    world = ready(temper, Fault(what=fault, after=5))
    world.look()
    found = later(world)
    unclear = temper == "blind" and fault != "refused"
    assert [row.state for row in found.rows] == (["held"] if unclear else [])
    assert len(world.team.arrived) == (0 if (unclear and fault == "unknown") else 1)


def test_watch_goes_on_only_with_tags_that_rested_are_not_held_and_appeared_while_it_watched() -> None:
    world = Team()
    world.look()
    world.tag("1.1.0")
    world.look()
    road, projects = world.road(), world.settings.projects
    assert due(road, projects) == ()
    hold(road, world.project(), "1.1.0", until=world.now + 7200)
    world.now += 3600
    assert due(road, projects) == ()
    world.now += 3600
    assert [tag for _, tag in due(road, projects)] == ["1.1.0"]
    assert [outcome.exit for outcome in go_on(road, projects)] == [0]
    assert go_on(road, projects) == ()
    assert [entry.version for entry in world.ledger.entries() if entry.event == "release"] == ["1.1.0"]


def test_a_tag_that_moved_is_never_released_by_itself() -> None:
    world = Team()
    world.look()
    world.tag("1.1.0")
    world.look()
    world.tag("1.1.0")
    world.look()
    world.now += 10_000
    assert due(world.road(), world.settings.projects) == ()


def test_what_refuses_a_tag_is_said_once_and_what_is_silent_is_asked_again() -> None:
    world = Team()
    world.look()
    world.repositories["nova"].light("1.2.0", world.repositories["nova"].commits[-1].id)
    world.look()
    world.now += 10_000
    world.source.down.add("nova")
    assert [outcome.exit for outcome in go_on(world.road(), world.settings.projects)] == [5]
    world.source.down.clear()
    assert [outcome.exit for outcome in go_on(world.road(), world.settings.projects)] == [3]
    assert go_on(world.road(), world.settings.projects) == ()


def test_a_listing_that_fails_is_its_error() -> None:
    def down(repo: str) -> tuple[tuple[str, str], ...]:
        raise RemoteError(f"{repo} is down", code="repo-unreachable")

    answer = listed(["nova"], down, lambda _: None)["nova"]
    assert isinstance(answer, RemoteError)


@pytest.mark.parametrize("what", ["new", "moved", "gone"])
@pytest.mark.parametrize("entry", [None, 3])
def test_whoever_pushes_a_tag_writes_no_command(what: Literal["new", "moved", "gone"], entry: int | None) -> None:
    """git takes nearly anything as a tag's name, and the team pastes what the word to it says."""
    tag = "x;$(id)&-eol"
    seen = Sighting(what=what, project="nova", tag=tag, object="" if what == "gone" else "1" * 40, entry=entry)
    said = commands(seen)
    assert said
    assert all(command.startswith("tagtrail ") and f" nova '{tag}'" in command for command in said)
