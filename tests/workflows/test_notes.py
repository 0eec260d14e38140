"""Release notes on the road: from where is counted, and what is kept with the sizes of both releases."""

import re

from tagtrail.formats.notes import parse_notes
from tagtrail.model.notes import Notes
from tagtrail.workflows.release import look, prepare, release
from tests.workflows.world import World


def kept(world: World, version: str) -> Notes:
    """What the entry of a version names as its notes."""
    entry = next(e for e in world.ledger.entries() if e.event == "release" and e.version == version)
    digest = next(d for name, d in entry.sidecars if name == f"nova-{version}.notes.md")
    return parse_notes(world.kept.read(digest).decode())


def test_the_second_release_is_beside_the_first() -> None:
    world = World(versions=("1.0.0", "1.1.0"))
    release(world.road(), world.project(), "1.0.0")
    release(world.road(), world.project(), "1.1.0")
    first, second = kept(world, "1.0.0"), kept(world, "1.1.0")
    assert (first.since, second.since) == ("", "1.0.0")
    assert all(size.before is None and size.now for size in first.sizes)
    assert first.sizes
    assert [(s.kind, s.before) for s in second.sizes] == [(s.kind, s.now) for s in first.sizes]


def test_a_release_that_the_trail_does_not_know_is_found_by_its_tag() -> None:
    world = World(versions=("1.0.0", "1.1.0"))
    road = world.road()
    plan = prepare(road, look(road, world.project(), "1.1.0")).plan
    notes = parse_notes(plan.notes)
    assert notes.since == "1.0.0"
    assert re.search(r"since [0-9a-f]{12}", notes.sections[0].body)
    assert prepare(world.road(), look(world.road(), world.project(), "1.1.0")).plan.notes == plan.notes
