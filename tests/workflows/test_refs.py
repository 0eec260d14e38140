"""A release that is begun keeps the refs that its first build was shown, whatever is tagged meanwhile."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import pytest

from tagtrail.model.errors import Error, SetupError
from tagtrail.model.facts import Artifact
from tagtrail.ports import BuildOrder, Kept, Objects
from tagtrail.testing import memory
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.workflows.prepare import look, prepare
from tagtrail.workflows.release import build, release
from tests.workflows.test_ahead import Expectant, shop
from tests.workflows.test_crash_table import deaths, settled, whole
from tests.workflows.world import ADA, World

BEFORE = ("refs/tags/0.9.0", "refs/tags/1.0.0")
AFTER = ("refs/tags/0.9-eol", *BEFORE)


def ancestor() -> World:
    """A world in which 1.0.0 has a commit below it."""
    return World(versions=("0.9.0", "1.0.0"))


def push(world: World) -> None:
    """Somebody tags the commit below."""
    repository = world.repositories["nova"]
    repository.light("0.9-eol", repository.commits[0].id)


def begun(world: World) -> None:
    assert release(world.road(), world.project(), "1.0.0", until="built").exit == 0


def names(order: BuildOrder) -> tuple[str, ...]:
    return tuple(name for name, _ in order.refs)


def removed(world: World) -> None:
    del world.repositories["nova"].refs["0.9.0"]


def retagged(world: World) -> None:
    repository = world.repositories["nova"]
    repository.light("0.9.0", repository.commits[0].id)


@pytest.mark.parametrize(("change", "changed"), [(push, "0.9-eol"), (removed, "0.9.0"), (retagged, "0.9.0")])
def test_what_is_tagged_behind_the_first_build_changes_nothing(change: Callable[[World], None], changed: str) -> None:
    world = ancestor()
    begun(world)
    change(world)
    prepared = prepare(world.road(), look(world.road(), world.project(), "1.0.0"))
    assert (names(prepared.order), prepared.objects.refs) == (BEFORE, prepared.order.refs)
    assert prepared.changed == (changed,)
    settled(world, release(world.road(), world.project(), "1.0.0"))
    whole(world)
    assert [names(order) for order in world.builder.built] == [BEFORE]


def test_what_is_not_built_yet_is_shown_what_there_is() -> None:
    world = ancestor()
    assert release(world.road(), world.project(), "1.0.0", until="plan").exit == 0
    push(world)
    prepared = prepare(world.road(), look(world.road(), world.project(), "1.0.0"))
    assert (names(prepared.order), prepared.changed) == (AFTER, ())


def test_a_build_that_failed_has_settled_nothing() -> None:
    world = ancestor()
    commit = world.repositories["nova"].commits[-1].id
    world.builder.fails.add(commit)
    with pytest.raises(Error, match="failed"):
        begun(world)
    world.builder.fails.clear()
    push(world)
    begun(world)
    assert [names(order) for order in world.builder.built] == [AFTER]


class Mistaken(memory.Builder):
    """The first wheel asks for another Python than its sdist."""

    def _artifact(self, kind: str, order: BuildOrder, drift: str, kept: Kept) -> Artifact:
        made = super()._artifact(kind, order, drift, kept)
        if (kind, len(self.built)) != ("wheel", 1) or made.metadata is None:
            return made
        text = kept.read(made.metadata.sha256).replace(b">=3.11", b">=3.12")
        return replace(made, metadata=kept.put([text], "text/plain"))


def test_a_build_that_the_rules_refuse_has_settled_nothing() -> None:
    world = ancestor()
    world.builder = Mistaken()
    with pytest.raises(Error):
        begun(world)
    push(world)
    begun(world)
    assert [names(order) for order in world.builder.built] == [BEFORE, AFTER]


class Many(memory.Builder):
    """The first build makes more files than an entry can name."""

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        made = super().build(order, objects, kept, meanwhile)
        wheels = (replace(made[-1], name=f"nova-1.0.0-py3-none-linux_{n}.whl") for n in range(400))
        return made if len(self.built) > 1 else tuple(wheels)


def test_what_no_entry_can_hold_ends_behind_the_build_and_has_settled_nothing() -> None:
    world = ancestor()
    world.builder = Many()
    with pytest.raises(Error) as refused:
        begun(world)
    assert refused.value.code == "entry-too-large"
    push(world)
    begun(world)
    assert [names(order) for order in world.builder.built] == [BEFORE, AFTER]


def test_a_tag_that_moved_begins_anew() -> None:
    world = ancestor()
    begun(world)
    push(world)
    repository = world.repositories["nova"]
    commit = repository.commit(world.now - 100)
    repository.tag("1.0.0", commit.id, ADA.sign)
    begun(world)
    assert [names(order) for order in world.builder.built] == [BEFORE, AFTER]


def test_other_settings_build_anew_from_the_first_refs() -> None:
    world = ancestor()
    begun(world)
    push(world)
    wheel = replace(world.project(), build=("wheel",))
    assert release(world.road(), wheel, "1.0.0", until="built").exit == 0
    assert [(order.builds, names(order)) for order in world.builder.built] == [
        (("sdist", "wheel"), BEFORE),
        (("wheel",), BEFORE),
    ]


def test_nothing_is_built_anew_where_what_the_first_build_read_is_gone() -> None:
    world = ancestor()
    begun(world)
    repository = world.repositories["nova"]
    del repository.refs["0.9.0"]
    repository.missing.add(repository.commits[0].id)
    begun(world)  # what is built is there
    wheel = replace(world.project(), build=("wheel",))
    with pytest.raises(SetupError) as refused:
        release(world.road(), wheel, "1.0.0", until="built")
    assert refused.value.code == "refs-missing"
    assert "0.9.0" in refused.value.what
    assert len(world.builder.built) == 1


def test_what_begins_ahead_is_the_order_of_the_first_refs() -> None:
    from tagtrail.workflows.ahead import begun as ahead

    world = ancestor()
    begun(world)
    push(world)
    world.builder = expectant = Expectant()
    wheel = replace(world.project(), build=("wheel",))
    with ahead(shop(world), wheel, "1.0.0") as tagged:
        release(world.road(), wheel, "1.0.0", tagged=tagged, until="built")
    assert [names(order) for order in expectant.built] == [BEFORE]
    assert expectant.built == expectant.expected


def test_of_two_at_once_both_go_on_with_what_the_first_was_shown() -> None:
    world = ancestor()
    late = prepare(world.road(), look(world.road(), world.project(), "1.0.0"))
    push(world)
    begun(world)
    made = build(world.road(), late)
    assert [names(order) for order in world.builder.built] == [AFTER, BEFORE]
    settled(world, release(world.road(), world.project(), "1.0.0"))
    entry = whole(world)
    assert {(a.name, a.blob.sha256) for a in made.artifacts} == {(f.name, f.sha256) for f in entry.files}


def points() -> list[str]:
    fuse, world = Fuse(), ancestor()
    release(world.road(fuse), world.project(), "1.0.0")
    return fuse.points[: fuse.points.index("after ledger.commit")]


POINTS = points()


@pytest.mark.parametrize("at", deaths(POINTS))
def test_it_dies_and_somebody_tags_before_it_is_run_again(at: int) -> None:
    world = ancestor()
    with suppress(Blown):
        release(world.road(Fuse(at)), world.project(), "1.0.0")
    before = len(world.builder.built)
    push(world)
    settled(world, release(world.road(), world.project(), "1.0.0"))
    whole(world)
    anew = "after journal.once _Seen" not in POINTS[:at]
    assert [names(order) for order in world.builder.built[before:]] == [AFTER] * anew
