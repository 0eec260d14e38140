"""Rules set aside for one release: public in its entry, remembered from the moment it begins, lost by no death."""

from contextlib import suppress
from typing import Any

import pytest

from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.facts import Override
from tagtrail.model.settings import RuleSwitch
from tagtrail.rules.book import judge
from tagtrail.rules.places import PLACES
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.workflows.case import read_case, verdict
from tagtrail.workflows.overrides import kept_case, override, set_aside
from tagtrail.workflows.release import look, release
from tagtrail.workflows.resume import resume
from tests.rules.test_places import WRONG, facts
from tests.workflows.world import World

ASIDE = Override(rule="PLACE004", because="the file there is the same, reviewed")
OTHER = Override(rule="PLACE004", because="nobody can have fetched it")


def refused() -> World:
    """PLACE004 has something to say of its site."""
    world = World()
    world.store.files["nova/nova-1.0.0.zip"] = b"nobody knows"
    return world


def go(world: World, *overrides: Override, at: int | None = None, **options: Any) -> Any:
    with suppress(Blown):
        return release(world.road(Fuse(at)), world.project(), "1.0.0", overrides=overrides, **options)
    return None


def entered(world: World) -> tuple[Override, ...]:
    (entry,) = [e for e in world.ledger.entries() if e.event == "release"]
    return entry.overrides


def points() -> list[str]:
    fuse = Fuse()
    release(refused().road(fuse), refused().project(), "1.0.0", overrides=[ASIDE])
    return fuse.points


POINTS = points()
HINGE = POINTS.index("ledger.insert")
DEATHS = (*range(0, HINGE + 3, 6), *range(HINGE + 3, len(POINTS), 60))


def test_it_is_in_the_entry_and_told() -> None:
    world = refused()
    with pytest.raises(ProjectError) as caught:
        go(world)
    assert caught.value.code == "place-version-taken"
    assert go(world, ASIDE).exit == 0
    assert entered(world) == (ASIDE,)
    assert ("override", {"rule": "PLACE004", "because": ASIDE.because}) in world.told
    assert [f["level"] for name, f in world.told if name == "finding"][-1] == "warning"


@pytest.mark.parametrize("at", DEATHS, ids=lambda at: f"{at} {POINTS[at]}")
def test_no_death_loses_it_or_changes_it(at: int) -> None:
    world = refused()
    assert go(world, ASIDE, at=at) is None
    begun = set_aside(world.road(), "nova", look(world.road(), world.project(), "1.0.0").case.before.sha256)
    for outcome in resume(world.road()):
        assert outcome.exit == 0
    if not world.ledger.entries():
        if begun:
            go(world)
        else:  # nothing had begun: it is asked about anew
            with pytest.raises(ProjectError):
                go(world)
            go(world, ASIDE)
    assert entered(world) == (ASIDE,)


def test_stopped_and_gone_on_without_saying_it_again() -> None:
    world = refused()
    assert go(world, ASIDE, until="built").reached == "built"
    assert go(world).exit == 0
    assert entered(world) == (ASIDE,)


def test_another_reason_takes_its_place() -> None:
    world = refused()
    go(world, ASIDE, until="built")
    go(world, OTHER, until="built")
    assert go(world).exit == 0
    assert entered(world) == (OTHER,)


def test_the_first_reason_may_come_back() -> None:
    world = refused()
    for aside in (ASIDE, OTHER, ASIDE):
        go(world, aside, until="built")
    go(world)
    assert entered(world) == (ASIDE,)


def test_a_plan_remembers_nothing() -> None:
    world = refused()
    go(world, ASIDE, until="plan")
    with pytest.raises(ProjectError):
        go(world)


def test_a_moved_tag_begins_with_none() -> None:
    from tests.workflows.world import ADA, START

    world = refused()
    go(world, ASIDE, until="built")
    repository = world.repositories["nova"]
    repository.tag("1.0.0", repository.commit(START - 1).id, ADA.sign)
    with pytest.raises(ProjectError):
        go(world)


def test_what_sets_nothing_aside_is_not_in_the_entry() -> None:
    world = World()
    assert go(world, ASIDE).exit == 0
    assert entered(world) == ()


def test_it_wins_over_the_settings_and_is_shown() -> None:
    wrong, said = WRONG["an sdist"]
    strict = RuleSwitch(rule="PLACE004", level="error", because="we are strict")
    verdict = judge(PLACES, facts(wrong), [strict], [ASIDE])
    assert [(f.rule, f.level) for f in verdict.findings] == [(said[0], "warning")]
    assert verdict.overrides == (ASIDE,)


@pytest.mark.parametrize(
    ("rule", "because", "code"),
    [
        ("TAG001", "we know him", "rule-firm"),
        ("TAG099", "x", "rule-unknown"),
        ("PLACE004", "", "because"),
        ("PLACE004", "two\nlines", "because"),
        ("PLACE004", "\x1b[2Jhidden", "because"),
        ("PLACE004", " space", "because"),
        ("PLACE004", "x" * 201, "because"),
        ("PLACE004", "ask jo@example.org", "because"),
        ("PLACE004", "see https://jo:secret@example.org/", "because"),
    ],
)
def test_refused(rule: str, because: str, code: str) -> None:
    with pytest.raises(SetupError) as caught:
        override(rule, because)
    assert (caught.value.code, bool(caught.value.hint)) == (code, True)


def test_by_id_or_by_name() -> None:
    assert override("place-files", "x") == override("place004", "x") == Override(rule="PLACE004", because="x")


# --- what it was judged by ------------------------------------------------------------------------------------------


def test_what_a_release_was_judged_by_is_kept() -> None:
    world = refused()
    entry = go(world, ASIDE).entry
    data = kept_case(world.road(), entry.raw)
    assert data is not None
    recorded = read_case(data)
    assert recorded.case.overrides == (ASIDE,)
    assert recorded.case.before.sha256 == entry.tag.sha256
    assert recorded.case.after is not None
    assert sorted(recorded.case.after.files) == sorted(file.name for file in entry.files)
    assert recorded.verdict == verdict(recorded.case)
    assert "PLACE004" in [f.rule for f in recorded.verdict.findings]
    assert kept_case(world.road(), go(World()).entry.raw) is None
