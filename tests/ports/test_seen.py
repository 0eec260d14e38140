"""The suite of the port Seen, for every adapter there is."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tagtrail.adapters.sqlite_witness import SqliteWitness
from tagtrail.formats.note import Signer
from tagtrail.formats.witness import checkpoint_path
from tagtrail.model.errors import SetupError
from tagtrail.testing.memory import Seen
from tagtrail.testing.suites import seen as suite

LOG = Signer(name="example.org/trail", seed=b"\x01" * 32).verifier
NEXT = Signer(name="example.org/trail", seed=b"\x02" * 32).verifier


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> suite.Open:
    if request.param == "sqlite":
        SqliteWitness.create(tmp_path / "witness.db")
        return partial(SqliteWitness, tmp_path / "witness.db", most=50)
    one = Seen(most=50)
    return lambda: one


@pytest.mark.parametrize("check", suite.CHECKS)
def test_seen(check: Callable[[suite.Open], None], opening: suite.Open) -> None:
    check(opening)


@pytest.mark.parametrize("check", suite.PROCESS_CHECKS)
def test_sqlite_between_processes(check: Callable[[suite.Open], None], tmp_path: Path) -> None:
    SqliteWitness.create(tmp_path / "witness.db")
    check(partial(SqliteWitness, tmp_path / "witness.db"))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(SetupError) as caught:
        call()
    return caught.value.code


def test_no_memory_begins_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "witness.db"
    assert refused(lambda: SqliteWitness(path)) == "witness-memory"
    assert not path.exists()


@pytest.mark.parametrize("name", ["witness.db", "full.db"])
def test_a_memory_is_not_made_twice(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    SqliteWitness.create(path).add(LOG)
    assert refused(lambda: SqliteWitness.create(path)) == "witness-memory"
    assert SqliteWitness(path).keys(LOG.name) == (LOG,)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"something else, longer than a header " * 9])
def test_another_file_is_no_memory(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "witness.db"
    path.write_bytes(content)
    assert refused(lambda: SqliteWitness(path)) == "witness-memory"


def test_the_database_itself_holds_one_root_for_a_size(tmp_path: Path) -> None:
    SqliteWitness.create(tmp_path / "witness.db")
    db = sqlite3.connect(tmp_path / "witness.db")
    db.execute("INSERT INTO cosigned VALUES ('a', 1, x'00', 1, '')")
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO cosigned VALUES ('a', 1, x'01', 1, '')")


def test_keys_come_and_go_and_what_was_cosigned_stays(tmp_path: Path) -> None:
    memory = SqliteWitness.create(tmp_path / "witness.db")
    assert (memory.keys(LOG.name), memory.origins()) == ((), ())
    assert [memory.add(LOG), memory.add(LOG), memory.add(NEXT)] == [True, False, True]
    assert set(memory.keys(LOG.name)) == {LOG, NEXT}
    first = suite._cosigned(3)
    assert memory.advance(None, first)
    assert memory.at(checkpoint_path(LOG.name)) == first
    assert memory.at(checkpoint_path("other")) is None
    assert [memory.remove(LOG), memory.remove(LOG), memory.remove(NEXT)] == [True, False, True]
    assert memory.keys(LOG.name) == ()
    memory.add(NEXT)
    assert (memory.origins(), memory.latest(LOG.name)) == ((LOG.name,), first)
