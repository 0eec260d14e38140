"""The suite of the port Builder for the in-memory one; that of PEP 517 has its own tests, and needs git."""

from collections.abc import Callable

import pytest

from tagtrail.ports import BuildOrder, NotesOrder
from tagtrail.testing.memory import Builder, Kept, Notes, Repository, Source
from tagtrail.testing.suites import builder as suite


def in_memory(*, drifts: bool = False) -> suite.Case:
    repository = Repository(name="oslo.config")
    commit = repository.commit(1_700_000_000)
    repository.tag("9.7.0", commit.id)
    objects = Source({"here": repository}).objects("here", "9.7.0", commit.id)
    order = BuildOrder(
        project="oslo.config",
        version="9.7.0",
        tag="9.7.0",
        commit=commit.id,
        epoch=commit.time,
        builds=("sdist", "wheel"),
        refs=objects.refs,
    )
    builder = Builder(drifts=drifts)
    return suite.Case(builder=builder, kept=Kept(), order=order, objects=objects, reproduces=not drifts)


@pytest.mark.parametrize("check", suite.CHECKS)
@pytest.mark.parametrize("drifts", [False, True])
def test_memory_builder(check: Callable[[suite.Case], None], drifts: bool) -> None:
    check(in_memory(drifts=drifts))


def test_a_builder_that_drifts_never_builds_the_same_twice() -> None:
    case = in_memory(drifts=True)
    first, second = (case.builder.build(case.order, case.objects, case.kept) for _ in range(2))
    assert {a.blob for a in first}.isdisjoint({a.blob for a in second})


def test_notes_say_what_they_were_asked_for() -> None:
    case = in_memory()
    first = NotesOrder(version="1.0", commit="a" * 40)
    later = NotesOrder(version="1.0", commit="a" * 40, follows="0.9", since="b" * 40)
    assert Notes().read(case.objects, first).sections[0].body == "Up to aaaaaaaaaaaa, the first release."
    assert Notes().read(case.objects, later).sections[0].body == "Up to aaaaaaaaaaaa since bbbbbbbbbbbb."
