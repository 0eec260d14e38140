"""A public site: seen means seen where the public looks; what is not public yet is waited for, and pushed again."""

import pytest

from tagtrail.model.errors import ProjectError, RemoteError
from tagtrail.model.facts import Override
from tagtrail.testing import memory
from tagtrail.workflows.release import Outcome, release
from tagtrail.workflows.resume import resume
from tests.workflows.world import World


def go(world: World) -> Outcome:
    return release(world.road(), world.project(), "1.0.0")


def states(world: World) -> set[str]:
    return {row.state for row in world.journal.rows(1)}


def public() -> World:
    return World(public=True)


def test_a_site_that_shows_at_once() -> None:
    world = public()
    outcome = go(world)
    assert (outcome.exit, outcome.reached, states(world)) == (0, "announced", {"seen"})
    assert all(row.receipt and row.receipt.where.startswith(world.site.url) for row in world.journal.rows(1))


def test_a_site_that_shows_late_is_waited_for() -> None:
    world = public()
    world.web.late = 2
    outcome = go(world)
    assert (outcome.exit, outcome.reached) == (4, "logged")
    assert states(world) <= {"sent", "seen"}
    written = list(world.store.written)
    assert [o.exit for o in resume(world.road())] == [0]
    assert world.store.written == written, "nothing is written again while it is waited for"
    assert (go(world).exit, states(world)) == (0, {"seen"})
    assert resume(world.road()) == ()


def test_everything_that_is_written_is_pushed_once_per_phase() -> None:
    world = public()
    world.web = memory.Web(world.store, pushes=True)
    assert go(world).exit == 0
    assert world.store.public == world.store.files
    assert [phase for phase, _ in world.store.pushed] == ["tiles", "checkpoint", "files", "pages"]
    assert sorted(path for _, paths in world.store.pushed for path in paths) == sorted(world.store.files)
    pushed = len(world.store.pushed)
    go(world)
    assert [paths for _, paths in world.store.pushed[pushed:] if paths] == [], "a second run has nothing to push"


@pytest.mark.parametrize("phase", ["tiles", "checkpoint", "files", "pages"])
@pytest.mark.parametrize("url", [True, False])
def test_a_push_that_fails_is_pushed_again(phase: str, url: bool) -> None:
    world = World(public=url)
    world.web = memory.Web(world.store, pushes=True)
    world.store.refuses = {phase}
    for _ in range(3):
        with pytest.raises(RemoteError) as caught:
            go(world)
        assert (caught.value.code, caught.value.exit_code) == ("upload-failed", 5)
    world.store.refuses = set()
    assert (go(world).exit, states(world)) == (0, {"seen"})
    assert world.store.public == world.store.files
    assert len(world.builder.built) == 1


@pytest.mark.parametrize("phase", ["tiles", "checkpoint", "files", "pages"])
@pytest.mark.parametrize("url", [True, False])
def test_a_push_that_fails_and_a_lost_journal(phase: str, url: bool) -> None:
    world = World(public=url)
    world.web = memory.Web(world.store, pushes=True)
    world.store.refuses = {phase}
    with pytest.raises(RemoteError):
        go(world)
    world.store.refuses, world.journal = set(), memory.Journal()
    assert (go(world).exit, states(world)) == (0, {"seen"})
    assert world.store.public == world.store.files


def test_other_bytes_at_a_public_address_are_a_conflict() -> None:
    world = public()
    go(world)
    world.store.files["nova/nova-1.0.0.tar.gz"] = b"other bytes"
    outcome = go(world)
    assert outcome.exit == 6
    (row,) = [row for row in world.journal.rows(1) if row.state != "seen"]
    assert (row.state, row.effect.path) == ("conflict", "nova/nova-1.0.0.tar.gz")
    assert world.store.files["nova/nova-1.0.0.tar.gz"] == b"other bytes", "nothing is overwritten"


def test_a_file_that_was_there_before_its_release_is_refused_before_anything_is_built() -> None:
    world = World()
    world.store.files["nova/nova-1.0.0.tar.gz"] = b"other bytes"
    with pytest.raises(ProjectError) as caught:
        go(world)
    assert caught.value.code == "place-version-taken"
    assert (world.builder.built, world.ledger.committed()) == ([], None)


def test_a_file_that_was_there_and_was_set_aside_is_a_conflict() -> None:
    world = World()
    world.store.files["nova/nova-1.0.0.tar.gz"] = b"other bytes"
    aside = Override(rule="PLACE004", because="a test")
    outcome = release(world.road(), world.project(), "1.0.0", overrides=[aside])
    assert (outcome.exit, outcome.entry and outcome.entry.overrides) == (6, (aside,))
    assert world.store.files["nova/nova-1.0.0.tar.gz"] == b"other bytes"


def test_what_vanished_from_the_site_is_brought_again() -> None:
    world = World()
    go(world)
    whole = dict(world.store.files)
    world.journal = memory.Journal()
    for path in [p for p in whole if p.startswith(("nova/", "trail/", "simple/"))]:
        del world.store.files[path]
    assert go(world).exit == 0
    assert world.store.files == whole
