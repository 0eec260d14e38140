"""What becomes of thousands of releases that are told while everything goes wrong: none twice, none lost."""

import pytest

from tests.workflows.channels import Outcome, simulate


def promise(outcome: Outcome) -> None:
    assert (outcome.doubled, outcome.lost, outcome.unfinished) == (0, 0, 0)
    assert outcome.held == outcome.unknown
    assert outcome.held, "faults have happened"
    assert str(outcome).splitlines()[1] == f"doubled 0, lost 0, held {len(outcome.held)} = exactly the blind unknowns"


@pytest.mark.parametrize("seed", range(3))
def test_none_twice_none_lost(seed: int) -> None:
    promise(simulate(150, 0.05, seed))


@pytest.mark.slow
def test_three_thousand_releases() -> None:
    promise(simulate(3_000, 0.05))


def test_without_faults_nothing_is_held() -> None:
    outcome = simulate(20, 0.0)
    assert (outcome.doubled, outcome.lost, outcome.unfinished, outcome.held) == (0, 0, 0, frozenset())
