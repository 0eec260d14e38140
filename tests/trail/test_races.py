"""One trail, several who would write it: paused and continued, overtaken, an old copy, a forked one."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tagtrail.adapters.directory import DirectoryStore
from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import Error, TamperError
from tagtrail.model.facts import Draft
from tagtrail.ports import Committed
from tagtrail.testing import memory, samples
from tagtrail.trail import sequencer, witnessing
from tagtrail.trail.show import show
from tests.trail.writer import LOG, TRUST, WITNESSES, database, site

CHILDREN = get_context("spawn")
PATIENCE = 60


def append(home: Path, *drafts: Draft) -> Committed:
    """What a road does without witnesses: guard, append, record, show."""
    home.mkdir(exist_ok=True)
    ledger, journal, store = SqliteLedger(database(home)), SqliteJournal(database(home)), DirectoryStore(site(home))
    public = store.read(CHECKPOINT)
    sequencer.guard(ledger, LOG.verifier, [] if public is None else [public])
    sequencer.append(drafts, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: samples.TIME)
    head = ledger.committed()
    assert head
    ledger.cosign(head)
    show(ledger, store, journal)
    return head


def checkpoints(home: Path) -> dict[int, str]:
    with closing(sqlite3.connect(database(home))) as db:
        return dict(db.execute("SELECT size, note FROM checkpoints"))


def refused(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(Error) as refusal:
        act()
    return type(refusal.value).__name__, refusal.value.code


# --- paused and continued -------------------------------------------------------------------------------------------


class Slow(SqliteLedger):
    """Says when it is about to open its transaction, or to commit it, and goes on when it is told to."""

    def __init__(self, path: Path, at: str, said: Connection) -> None:
        super().__init__(path)
        self._at, self._said = at, said

    def _wait(self, where: str) -> None:
        if where == self._at:
            self._said.send(where)
            self._said.recv()

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self._wait("before the transaction")
        with super().writing() as trail:
            commit = trail.commit

            def slowly(before: Committed | None, after: Committed) -> None:
                self._wait("within it")
                self._said.send(after.note)
                commit(before, after)

            trail.commit = slowly  # type: ignore[method-assign]
            yield trail


def write_slowly(home: Path, at: str, said: Connection) -> None:
    ledger = Slow(database(home), at, said)
    try:
        sequencer.append(
            [samples.release("slow")], after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: samples.TIME
        )
        said.send("done")
    except Error as error:
        said.send(error.code)


@contextmanager
def paused(home: Path, at: str) -> Iterator[Connection]:
    """A writer that SIGSTOP holds at that place; it goes on after the block."""
    ours, theirs = CHILDREN.Pipe()
    process = CHILDREN.Process(target=write_slowly, args=(home, at, theirs), daemon=True)
    process.start()
    theirs.close()
    assert ours.poll(PATIENCE)
    assert ours.recv() == at
    assert process.pid
    os.kill(process.pid, signal.SIGSTOP)
    ours.send("go on")
    yield ours
    os.kill(process.pid, signal.SIGCONT)
    process.join(PATIENCE)


def test_a_writer_that_was_paused_before_its_transaction_has_lost(tmp_path: Path) -> None:
    append(tmp_path, samples.release("nova"))
    with paused(tmp_path, "before the transaction") as said:
        head = append(tmp_path, samples.release("quick"))
    assert said.recv() == "trail-moved", "and it has signed nothing, or it had said so before"
    assert checkpoints(tmp_path)[2] == head.note
    assert (site(tmp_path) / CHECKPOINT).read_text() == head.note


def test_a_writer_that_is_paused_within_its_transaction_keeps_others_out(tmp_path: Path) -> None:
    """Nobody can overtake it there: either it commits first, or it dies and leaves nothing."""
    append(tmp_path, samples.release("nova"))
    with paused(tmp_path, "within it") as said:
        other = sqlite3.connect(database(tmp_path), timeout=0.2, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert list(checkpoints(tmp_path)) == [1], "what it is about to commit is not seen"
    note = said.recv()
    assert said.recv() == "done"
    assert checkpoints(tmp_path)[2] == note
    assert append(tmp_path, samples.release("quick")).size == 3


# --- overtaken ------------------------------------------------------------------------------------------------------


class Overtaking:
    """A witness before whose answer another process of the same instance enters something and has it cosigned."""

    def __init__(self, witness: memory.Witness, first: Callable[[], object]) -> None:
        self._witness, self._first = witness, [first]

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        while self._first:
            self._first.pop()()
        return self._witness.add_checkpoint(old, proof, note)


def test_who_is_overtaken_by_its_own_instance_raises_no_alarm(tmp_path: Path) -> None:
    """A witness has seen more than the head that we asked about, and not more than we have by now."""
    known = {w.name: memory.Witness(w, (LOG.verifier,), lambda: samples.TIME) for w in WITNESSES}
    ledger = SqliteLedger(database(tmp_path))

    def enter(name: str) -> Committed:
        after = ledger.committed()
        sequencer.append([samples.release(name)], after=after, ledger=ledger, log=LOG, clock=lambda: samples.TIME)
        head = ledger.committed()
        assert head
        return head

    def other() -> None:
        witnessing.witness(ledger, enter("zun"), TRUST, known, lambda: samples.TIME)

    name = WITNESSES[0].name
    mine = enter("nova")
    met = witnessing.witness(ledger, mine, TRUST, known | {name: Overtaking(known[name], other)}, lambda: samples.TIME)
    assert met.committed.size == 2, "one of two covers both"
    witnessing.guard(ledger, LOG, TRUST, known | {name: Overtaking(known[name], other)}, lambda: samples.TIME)


# --- an old copy, a forked one --------------------------------------------------------------------------------------


def test_a_restored_back_up_signs_nothing(tmp_path: Path) -> None:
    home, backup = tmp_path / "home", tmp_path / "backup"
    append(home, samples.release("nova"))
    shutil.copytree(home, backup)
    head = append(home, samples.release("zun"))
    for file in backup.glob("trail.db*"):
        shutil.copy(file, home)
    assert refused(lambda: append(home, samples.release("glance"))) == ("TamperError", "trail-ahead")
    assert (site(home) / CHECKPOINT).read_text() == head.note
    assert list(checkpoints(home)) == [1]


def test_a_back_up_that_went_on_by_itself_signs_no_more(tmp_path: Path) -> None:
    """As many entries as the public has seen, and others."""
    home, backup = tmp_path / "home", tmp_path / "backup"
    append(home, samples.release("nova"))
    shutil.copytree(home, backup)
    append(home, samples.release("zun"))
    append(backup, samples.release("glance"))
    for file in backup.glob("trail.db*"):
        shutil.copy(file, home)
    before = checkpoints(home)
    assert refused(lambda: append(home, samples.release("aodh"))) == ("TamperError", "trail-forked")
    assert checkpoints(home) == before


def test_of_two_copies_one_is_witnessed(tmp_path: Path) -> None:
    """Both are used at once, each with a site of its own: the witnesses cosign one, the other is shown to nobody."""
    known = {w.name: memory.Witness(w, (LOG.verifier,), lambda: samples.TIME) for w in WITNESSES}

    def road(home: Path, *names: str) -> None:
        ledger, store = SqliteLedger(database(home)), DirectoryStore(site(home))
        witnessing.guard(ledger, LOG, TRUST, known, lambda: samples.TIME)
        drafts = [samples.release(name) for name in names]
        sequencer.append(drafts, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: samples.TIME)
        head = ledger.committed()
        assert head
        witnessing.witness(ledger, head, TRUST, known, lambda: samples.TIME)
        show(ledger, store, SqliteJournal(database(home)))

    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    road(home, "nova")
    shutil.copytree(home, copy)
    road(home, "zun")
    assert refused(lambda: road(copy, "glance")) == ("TamperError", "trail-ahead")
    assert list(checkpoints(copy)) == [1], "the guard stood before the pen"
    ledger = SqliteLedger(database(copy))  # and had both passed the guard at one moment
    sequencer.append([samples.release("aodh")], after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: 1)
    head = ledger.committed()
    assert head
    with pytest.raises(TamperError) as alarm:
        witnessing.witness(ledger, head, TRUST, known, lambda: samples.TIME)
    assert alarm.value.code == "witness-refused"
    show(ledger, DirectoryStore(site(copy)), SqliteJournal(database(copy)))
    assert "\n1\n" in (site(copy) / CHECKPOINT).read_text(), "what was not witnessed is not shown"
