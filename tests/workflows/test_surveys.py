"""Places asked at once and for a limited time: who hangs, fails or has no credentials is silent, and nobody waits."""

from threading import Event

import pytest

from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.model.facts import Survey
from tagtrail.ports import Target
from tagtrail.testing import memory
from tagtrail.workflows.surveys import surveys
from tests.workflows.world import World


class Odd(memory.Target):
    """A place whose survey is what a test says."""

    def __init__(self, name: str, answer: Survey | Exception | Event) -> None:
        super().__init__(name)
        self.answer = answer

    def survey(self, project: str) -> Survey:
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, Event):
            self.answer.wait()
            return Survey(target=self.name)
        return self.answer


def test_all_are_asked_in_order() -> None:
    targets: dict[str, Target] = {name: memory.Target(name) for name in "abc"}
    assert [s.target for s in surveys(targets, ("c", "a", "b"), "nova")] == ["c", "a", "b"]
    assert surveys(targets, (), "nova") == ()


@pytest.mark.parametrize(
    ("error", "silent"),
    [
        (RemoteError("b does not answer", code="x", why="refused"), "b does not answer: refused"),
        (SetupError("no token", code="x"), "no token"),
        (ZeroDivisionError("odd"), "ZeroDivisionError: odd"),
    ],
)
def test_who_fails_is_silent(error: Exception, silent: str) -> None:
    targets: dict[str, Target] = {"a": memory.Target("a"), "b": Odd("b", error)}
    a, b = surveys(targets, ("a", "b"), "nova")
    assert (a.silent, b) == ("", Survey(target="b", silent=silent))


def test_who_is_not_there_is_silent() -> None:
    (found,) = surveys({}, ("a",), "nova")
    assert found.silent.startswith("KeyError")


def test_who_hangs_is_left_to_itself() -> None:
    over = Event()
    targets: dict[str, Target] = {"a": Odd("a", over), "b": memory.Target("b")}
    a, b = surveys(targets, ("a", "b"), "nova", 0.05)
    assert (a.silent, b.silent) == ("no answer within 0.05 s", "")
    over.set()


def test_a_place_that_is_silent_is_said_and_blocks_nothing() -> None:
    world = World(places=("keyed",))
    world.targets["keyed"] = Odd("keyed", RemoteError("keyed does not answer", code="x"))
    from tagtrail.workflows.release import release

    assert release(world.road(), world.project(), "1.0.0", until="built").exit == 0
    skips = [fields for name, fields in world.told if name == "skip"]
    assert {"target": "keyed", "what": "the place was not asked", "because": "keyed does not answer"} in skips


def test_a_place_that_does_not_say_is_said() -> None:
    world = World(places=("keyed",))
    world.targets["keyed"] = Odd("keyed", Survey(target="keyed", note="there is no way to ask"))
    from tagtrail.workflows.release import release

    release(world.road(), world.project(), "1.0.0", until="built")
    what = "not known: whose the name is, whether we may upload"
    assert ("skip", {"target": "keyed", "what": what, "because": "there is no way to ask"}) in world.told


def test_only_places_that_take_the_channel_are_asked() -> None:
    world = World(places=("keyed",))
    world.targets["keyed"] = Odd("keyed", Survey(target="keyed", may_upload=False, name="ours"))
    from tagtrail.model.errors import ProjectError
    from tagtrail.workflows.release import look, release

    with pytest.raises(ProjectError) as caught:
        release(world.road(), world.project(), "1.0.0")
    assert (caught.value.code, world.builder.built) == ("place-upload", [])
    assert [s.target for s in look(world.road(), world.project(), "1.0.0").case.before.surveys] == ["site", "keyed"]
