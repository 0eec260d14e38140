"""Schemes of versions all the way: what is no PEP 440 version is released, shown and found again like any other."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tagtrail.model.errors import ProjectError
from tagtrail.model.settings import Project
from tagtrail.workflows.release import Outcome, release
from tests.workflows.world import World


@dataclass
class Generic(World):
    """A world of projects that are no Python packages; `said` is what their settings say of their versions."""

    said: tuple[tuple[str, Any], ...] = ()

    def project(self, name: str = "nova") -> Project:
        return replace(super().project(name), build=("tar.gz",), tag="release-{version}", **dict(self.said))


def go(world: World, tag: str) -> Outcome:
    return release(world.road(), world.project(), tag)


def texts(world: World) -> dict[str, str]:
    return {path: data.decode("utf-8", "replace") for path, data in world.store.files.items() if path.endswith("html")}


WORDS = ("release-zebra", "release-apple", "release-20260401-r2")


def test_any_word_goes_all_the_road() -> None:
    world = Generic(versions=WORDS, said=(("versions", "any"),))
    assert [go(world, tag).exit for tag in WORDS] == [0, 0, 0]
    entries = [e for e in world.ledger.entries(project="nova") if e.event == "release"]
    assert [e.version for e in entries] == ["zebra", "apple", "20260401-r2"]
    assert {e.channel for e in entries} == {"final"}
    assert {"nova/zebra/index.html", "nova/apple/index.html", "nova/20260401-r2/index.html"} <= texts(world).keys()
    assert go(world, "zebra").exit == 0
    assert world.ledger.entries(project="nova") == tuple(entries), "a second run enters nothing"


def test_the_newest_of_any_words_is_the_one_logged_last() -> None:
    world = Generic(versions=WORDS[:2], said=(("versions", "any"),))
    for tag in WORDS[:2]:
        assert go(world, tag).exit == 0
    page = texts(world)["nova/index.html"]
    assert page.index("apple") < page.index("zebra")


def test_semver_goes_all_the_road() -> None:
    tags = ("release-1.2.0", "release-1.3.0-rc.1", "release-1.3.0-rc.2", "release-1.3.0")
    world = Generic(versions=tags, said=(("versions", "semver"),))
    assert [go(world, tag).exit for tag in tags] == [0, 0, 0, 0]
    entries = [e for e in world.ledger.entries(project="nova") if e.event == "release"]
    assert [(e.version, e.channel) for e in entries] == [
        ("1.2.0", "final"),
        ("1.3.0-rc.1", "rc"),
        ("1.3.0-rc.2", "rc"),
        ("1.3.0", "final"),
    ]


def test_a_candidate_below_its_final_is_refused_in_semver_too() -> None:
    world = Generic(versions=("release-1.3.0", "release-1.3.0-rc.1"), said=(("versions", "semver"),))
    assert go(world, "release-1.3.0").exit == 0
    with pytest.raises(ProjectError) as caught:
        go(world, "1.3.0-rc.1")
    assert caught.value.code == "version-lower"
