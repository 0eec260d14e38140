"""What begins ahead of the road, and what never does before it was judged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tagtrail.model.facts import Tagged
from tagtrail.ports import BuildOrder, Objects
from tagtrail.testing import memory
from tagtrail.workflows.ahead import Workshop, begun
from tagtrail.workflows.release import release
from tests.workflows.world import ADA, World


class Expectant(memory.Builder):
    """A builder that remembers what it was told to expect, and for how long."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[BuildOrder] = []
        self.open = 0

    @contextmanager
    def expecting(self, project: str) -> Iterator[Callable[[BuildOrder, Objects], None]]:
        self.open += 1
        yield lambda order, objects: self.expected.append(order)
        self.open -= 1


class Counting(memory.Source):
    """A source that counts how often tags are read."""

    reads = 0

    def read(self, repo: str, tag: str, at: str | None = None) -> Tagged:
        self.reads += 1
        return super().read(repo, tag, at)


@pytest.fixture
def world() -> World:
    world = World()
    world.builder, world.source = Expectant(), Counting(world.repositories)
    return world


def expected(world: World) -> list[BuildOrder]:
    assert isinstance(world.builder, Expectant)
    return world.builder.expected


def shop(world: World) -> Workshop:
    road = world.road()
    return Workshop(
        settings=road.settings,
        source=lambda: road.source,
        builder=lambda: road.builder,
        isolation=road.isolation,
        ledger=lambda: road.ledger,
        journal=lambda: road.journal,
    )


def test_the_very_order_of_the_release_is_begun_once_the_tag_was_read(world: World) -> None:
    with begun(shop(world), world.project(), "1.0.0") as tagged:
        assert isinstance(world.builder, Expectant)
        assert world.builder.open == 1
        assert release(world.road(), world.project(), "1.0.0", tagged=tagged).exit == 0
    assert world.builder.open == 0
    assert world.builder.built == expected(world)
    assert isinstance(world.source, Counting)
    assert world.source.reads == 2, "once to judge it, and once right before it is logged"


def light(world: World) -> None:
    repository = world.repositories["nova"]
    repository.light("1.0.0", repository.commits[-1].id)


def lifecycle(world: World) -> None:
    repository = world.repositories["nova"]
    repository.tag("1.0-eol", repository.commits[-1].id, ADA.sign)


def released(world: World) -> None:
    assert release(world.road(), world.project(), "1.0.0").exit == 0


def built(world: World) -> None:
    assert release(world.road(), world.project(), "1.0.0", until="built").exit == 0


@pytest.mark.parametrize(
    ("change", "tag"), [(light, "1.0.0"), (lifecycle, "1.0-eol"), (released, "1.0.0"), (built, "1.0.0")]
)
def test_nothing_is_begun_for_what_is_not_to_be_built(world: World, change: Callable[[World], None], tag: str) -> None:
    change(world)
    before = len(expected(world))
    with begun(shop(world), world.project(), tag) as tagged:
        assert tagged is not None
        assert len(expected(world)) == before
        assert isinstance(world.builder, Expectant)
        assert world.builder.open == 0, "nothing stands ready all the while"


def test_what_cannot_be_read_is_said_on_the_road(world: World) -> None:
    world.source.down.add("nova")
    with begun(shop(world), world.project(), "1.0.0") as tagged:
        assert tagged is None
    absent = replace(world.project(), repo="elsewhere")
    with begun(shop(world), absent, "1.0.0") as tagged:
        assert tagged is None
    assert expected(world) == []
