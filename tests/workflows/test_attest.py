"""The provenance of a release: what it says, and that it is made once."""

from dataclasses import replace

import pytest

from tagtrail.formats.note import Signer as NoteSigner
from tagtrail.formats.provenance import builder_id, builder_name, parse, provenance_name
from tagtrail.formats.root import Root
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Origin
from tagtrail.testing.fuse import Blown, Fuse
from tagtrail.trail.keys import current_root
from tagtrail.verify.provenance import judge_provenance
from tagtrail.workflows.attest import attest
from tagtrail.workflows.release import build, look, prepare, release
from tests.workflows.world import ORIGIN, START, World

NAME = provenance_name("nova", "1.0.0")


def root_of(world: World) -> Root:
    root = current_root(world.ledger, world.kept)
    assert root is not None
    return root


def test_a_release_has_one_that_holds() -> None:
    world = World()
    entry = release(world.road(), world.project(), "1.0.0").entry
    assert entry is not None
    data = world.store.files[f"nova/{NAME}"]
    said = judge_provenance(data, entry, root_of(world))
    assert said.files == tuple((f.name, f.sha256) for f in entry.files)
    assert said.byproducts == tuple((f"{f.name}.metadata", f.metadata) for f in entry.files)
    assert (said.builder, said.isolation) == (builder_id(builder_name(ORIGIN)), "none")
    assert (said.started, said.finished) == (START, START)
    (order,) = world.builder.built
    assert (said.refs, said.builds, said.epoch) == (order.refs, order.builds, order.epoch)


def test_times_are_those_of_the_build_not_of_the_run_that_logs_it() -> None:
    world = World()
    road = world.road()
    release(road, world.project(), "1.0.0", until="built")
    world.now += 3600
    release(world.road(), world.project(), "1.0.0")
    _, said = parse(world.store.files[f"nova/{NAME}"])
    assert (said.started, said.finished, len(world.builder.built)) == (START, START, 1)


@pytest.mark.slow
def test_whoever_dies_says_the_same_afterwards() -> None:
    begun, fuse = World(), Fuse()
    release(begun.road(), begun.project(), "1.0.0", until="built")
    whole = begun.twin()
    release(whole.road(fuse), whole.project(), "1.0.0")
    for at in range(0, fuse.points.index("after ledger.commit"), 2):
        world = begun.twin()
        with pytest.raises(Blown):
            release(world.road(Fuse(at)), world.project(), "1.0.0")
        world.now += 60
        release(world.road(), world.project(), "1.0.0")
        assert world.store.files[f"nova/{NAME}"] == whole.store.files[f"nova/{NAME}"], fuse.points[at]


def test_of_what_was_not_built_here_it_says_nothing() -> None:
    world = World()
    road = world.road()
    prepared = prepare(road, look(road, world.project(), "1.0.0"))
    built = build(road, prepared)
    brought = [replace(a, origin=Origin(how="added", by="SHA256:x")) for a in built.artifacts]

    def files(*artifacts: object) -> tuple[str, ...]:
        made = attest(road, built.plan, prepared.order, artifacts, built.tree)  # type: ignore[arg-type]
        return tuple(name for s in made for name, _ in parse(world.kept.read(s.blob.sha256))[1].files)

    assert files(*brought) == ()
    assert files(built.artifacts[0], brought[1]) == (built.artifacts[0].name,)


def test_a_builder_whom_the_root_does_not_name_releases_nothing() -> None:
    world = World(versions=("1.0.0", "2.0.0"))
    release(world.road(), world.project(), "1.0.0")
    stolen = NoteSigner(name=builder_name(ORIGIN), seed=bytes(32))
    with pytest.raises(ProjectError) as caught:
        release(replace(world.road(), builder_key=stolen), world.project(), "2.0.0")
    assert caught.value.code == "key-not-in-root"
    assert [e.version for e in world.ledger.entries()] == ["", "1.0.0"]
    assert release(world.road(), world.project(), "2.0.0").exit == 0


def test_one_that_nobody_would_read_is_not_made() -> None:
    """Thousands of requirements, say, that one of them only pretends to be: no entry could be reproduced or audited."""
    world = World()
    road = world.road()
    prepared = prepare(road, look(road, world.project(), "1.0.0"))
    built = build(road, prepared)
    name = "refs/tags/" + "v" * 4000
    for count, refused in ((900, False), (1100, True)):
        order = replace(prepared.order, refs=tuple((f"{name}{number:04}", "a" * 40) for number in range(count)))
        if not refused:
            assert attest(road, built.plan, order, built.artifacts, built.tree)
            continue
        with pytest.raises(ProjectError) as caught:
            attest(road, built.plan, order, built.artifacts, built.tree)
        assert caught.value.code == "provenance-size"
