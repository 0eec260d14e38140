"""The suite of the port Ledger, for every adapter there is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.sqlite import SqliteLedger, connect
from tagtrail.testing.memory import Ledger
from tagtrail.testing.suites import ledger as suite
from tagtrail.testing.suites.promise import race


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> suite.Open:
    if request.param == "sqlite":
        return partial(SqliteLedger, tmp_path / "trail.db")
    one = Ledger()
    return lambda: one


@pytest.mark.parametrize("check", suite.CHECKS)
def test_ledger(check: Callable[[suite.Open], None], opening: suite.Open) -> None:
    check(opening)


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_sqlite_ledger_between_processes(check: Callable[[suite.Open], None], tmp_path: Path) -> None:
    check(partial(SqliteLedger, tmp_path / "trail.db"))


def test_many_open_a_new_sqlite_file_at_once(tmp_path: Path) -> None:
    for n in range(10):
        for db in race(*[partial(connect, tmp_path / f"{n}.db")] * 8):
            db.close()
