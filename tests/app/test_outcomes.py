"""How a road's end is said: the version that is proposed instead, what waits, and the next command."""

from pathlib import Path

import pytest

from tagtrail.app.terminal.outcomes import following, outcome_event
from tagtrail.model.facts import Blob, Effect, Row
from tagtrail.model.frozen import replace
from tagtrail.workflows.outcome import Outcome
from tests.workflows.world import World


@pytest.mark.parametrize(
    ("version", "taken", "proposed"),
    [
        ("33.0.0", (), "33.0.1"),
        ("1.0", (), "1.0.1"),
        ("1", (), "1.0.1"),
        ("2!1.0", (), "2!1.0.1"),
        ("1.0.0.post1", (), "1.0.1"),
        ("1.0.0", ("1.0.0", "1.0.1", "1.1.0"), "1.0.2"),
        ("1.0.0", ("1.0.0", "1.0.1", "1.0.3"), "1.0.2"),
        ("1.0.0", ("v1.0.1.0",), "1.0.2"),
        ("1.0.0", ("1.0.1rc1",), "1.0.1"),
        ("33.0.0.0rc1", ("33.0.0.0rc1", "33.0.0.0rc2"), "33.0.0.0rc3"),
        ("1.0a1.dev3", (), "1.0a2"),
        ("not a version", ("1.0",), "a new version"),
    ],
)
def test_the_version_to_take_instead_is_free(version: str, taken: tuple[str, ...], proposed: str) -> None:
    assert following(version, taken) == proposed


def test_a_run_that_finds_another_one_sending_does_not_call_a_person_at_once() -> None:
    world = World(channels=("blind",))
    road = world.road()
    effect = Effect(target="blind-channel", key="0/notice:x", entry=0, path="x", blob=Blob(sha256="0" * 64, size=1))
    rows = (Row(effect=effect, state="held"),)
    outcome = Outcome(exit=4, project="nova", version="1!1.0", reached="published", rows=rows)
    said = outcome_event(road, Path("/rel"), outcome)
    assert said["text"] == (
        "0 of 1 seen; held at blind-channel: a person must look there, when no other run is at it any more"
    )
    assert said["next"] == "tagtrail -C /rel status"
    stopped = outcome_event(road, Path("/rel"), replace(outcome, exit=0, reached="built", rows=()))
    assert stopped["next"] == "tagtrail -C /rel release nova '1!1.0'", "a shell takes ! for its history"
