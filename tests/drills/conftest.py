"""One world is made; each drill gets a copy of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.world import World
from tests.drills.scene import Scene


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An instance with one release, and a consumer, `ann`, who pinned its first root and never looks again."""
    world = World(tmp_path_factory.mktemp("base")).make()
    world.tag("1.0.0")
    assert world.tell("release", "toy", "1.0.0").code == 0
    scene = Scene.__new__(Scene)
    scene.__dict__.update(world.__dict__)
    scene.pin("ann")
    scene.pin("bob")
    yield world
    world.remove()


@pytest.fixture
def scene(base: World, tmp_path: Path) -> Scene:
    """A copy: `ann` keeps the first root, `bob` follows."""
    return Scene.of(base, tmp_path / "scene")
