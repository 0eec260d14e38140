"""The suite of the port Journal, for every adapter there is."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.sqlite import SqliteJournal
from tagtrail.testing.memory import Journal
from tagtrail.testing.suites import journal as suite


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> suite.Open:
    if request.param == "sqlite":
        return partial(SqliteJournal, tmp_path / "journal.db")
    one = Journal()
    return lambda: one


@pytest.mark.parametrize("check", suite.CHECKS)
def test_journal(check: Callable[[suite.Open], None], opening: suite.Open) -> None:
    check(opening)


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_sqlite_journal_between_processes(check: Callable[[suite.Open], None], tmp_path: Path) -> None:
    check(partial(SqliteJournal, tmp_path / "journal.db"))
