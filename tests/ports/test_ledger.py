"""The suite of the port Ledger, for every adapter there is."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.sqlite import SqliteLedger, connect
from tagtrail.formats import marks
from tagtrail.testing import samples
from tagtrail.testing.memory import Ledger
from tagtrail.testing.suites import ledger as suite
from tagtrail.testing.suites.appending import append
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


def test_a_database_from_before_there_were_marks_gets_them(tmp_path: Path) -> None:
    path = tmp_path / "trail.db"
    written = append(SqliteLedger(path), samples.event(), samples.release("Nova_x", "1.0"))
    db = connect(path)
    db.execute("DROP TABLE marks")
    db.close()
    ledger = SqliteLedger(path)
    assert ledger.marked(marks.release_mark("nova-x", "1")) == written[1]
    assert ledger.marked(marks.key_mark("root.json")) == written[0]


def plan_of(db: sqlite3.Connection, query: str, *values: object) -> str:
    return "; ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values))


def test_no_question_of_the_appender_reads_a_whole_table(tmp_path: Path) -> None:
    """Each query that `Reading` asks finds its row by an index: what SQLite itself says of each."""
    ledger = SqliteLedger(tmp_path / "trail.db")
    append(ledger, samples.event(), samples.release())
    asked: list[str] = []
    ledger._db.set_trace_callback(asked.append)
    ledger.committed(), ledger.committed(2), ledger.committed(covering=1)
    ledger.cosigned(), ledger.cosigned(covering=1)
    ledger.entries(1, 2), ledger.raws(0, 1), ledger.marked(marks.release_mark("nova", "1.0.0")), ledger.node(0, 1)
    ledger._db.set_trace_callback(None)
    assert len(asked) >= 8
    for query in asked:
        plan = plan_of(ledger._db, query)
        scans = [step for step in plan.split("; ") if step.startswith("SCAN") and "checkpoints" not in step]
        assert not scans, (query, plan)
        assert "TEMP B-TREE" not in plan, (query, plan)
