"""A writer that can be killed anywhere: batches entered, witnessed and shown, each promise told before it is used."""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from tagtrail.adapters.directory import DirectoryStore
from tagtrail.adapters.sqlite import SqliteJournal, SqliteLedger
from tagtrail.formats import note
from tagtrail.formats.policy import Group, Log, Policy, Witness
from tagtrail.formats.schemes import COSIGNATURE
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import Error, RemoteError, SetupError, TamperError
from tagtrail.model.facts import Draft, Entry
from tagtrail.ports import Behind, Committed
from tagtrail.testing import samples
from tagtrail.trail import sequencer, witnessing
from tagtrail.trail.show import prove, show

__all__ = ["LOG", "TRUST", "WITNESSES", "database", "fill", "site", "write"]

LOG = note.Signer(name="example.org/trail", seed=b"\1" * 32)
WITNESSES = tuple(note.Signer(name=f"w{n}.example", kind=COSIGNATURE, seed=bytes([n]) * 32) for n in (2, 3, 4))
TRUST = Policy(
    logs=(Log(verifier=LOG.verifier),),
    witnesses=tuple(Witness(name=w.name, verifier=w.verifier, url=f"https://{w.name}") for w in WITNESSES),
    groups=(Group(name="two", threshold=2, members=tuple(w.name for w in WITNESSES)),),
    quorum="two",
)
EXPECTED = frozenset({"version-taken", "name-taken", "trail-moved", "quorum-unmet"})
"""Refusals that random batches, a second writer and a witness that is down earn by right."""

EFFECTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock", "sqlite3.connect"})
"""What Python audits before it does it; every SQL statement and every word to the auditor or a witness is one more."""


def database(home: Path) -> Path:
    return home / "trail.db"


def site(home: Path) -> Path:
    return home / "site"


class Fuse:
    """SIGKILL to this process before effect number `at` (0: never). A real one: no `finally` and no `except` runs."""

    def __init__(self, at: int, said: Connection) -> None:
        self._left, self._said = at, said

    def light(self) -> None:
        """From here on effects are counted, for as long as the process lives."""
        sys.addaudithook(self._audited)

    def point(self, name: str) -> None:
        """One effect is about to happen."""
        self._left -= 1
        if self._left == 0:
            self._said.send(("died", name))
            os.kill(os.getpid(), signal.SIGKILL)

    def _audited(self, event: str, _args: tuple[Any, ...]) -> None:
        if event in EFFECTS:
            self.point(event)

    def watch(self, db: sqlite3.Connection) -> None:
        """Every statement of this connection that changes something is an effect."""

        def traced(statement: str) -> None:
            if not statement.startswith("SELECT"):
                self.point(" ".join(statement.split()[:3]))

        db.set_trace_callback(traced)


class Telling(SqliteLedger):
    """The ledger, which says what it was given to commit before it does."""

    def __init__(self, path: Path, said: Connection, fuse: Fuse) -> None:
        super().__init__(path)
        self._said, self._fuse = said, fuse
        fuse.watch(self._db)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with super().writing() as trail:
            self._fuse.watch(trail._db)
            commit = trail.commit

            def told(before: Committed | None, after: Committed) -> None:
                self._said.send(("signed", after.size, after.root))
                commit(before, after)

            trail.commit = told  # type: ignore[method-assign]
            yield trail


class Asking:
    """The port Witness over a pipe to whoever outlives us."""

    def __init__(self, pipe: Connection, fuse: Fuse) -> None:
        self._pipe, self._fuse = pipe, fuse

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: bytes) -> bytes:
        self._fuse.point("before a witness is asked")
        self._pipe.send((old, tuple(proof), note))
        self._fuse.point("before it answers")
        kind, *values = self._pipe.recv()
        if kind == "behind":
            raise Behind(*values)
        if kind == "error":
            name, what, code = values
            raise {"TamperError": TamperError, "RemoteError": RemoteError, "SetupError": SetupError}[name](
                what, code=code
            )
        return bytes(values[0])


def drafts(rng: Random) -> list[Draft]:
    """A batch of one to five: mostly new releases, some said twice, some with other bytes, some key events."""
    return [_draft(rng) for _ in range(rng.randint(1, 5))]


def _draft(rng: Random) -> Draft:
    if rng.random() < 0.2:
        return samples.event(
            rng.choice(("key", "withdraw", "import")), rng.choice(("", "nova", f"p{rng.randrange(99)}"))
        )
    project = rng.choice(("nova", "Glance", "oslo.config", "zun"))
    return samples.release(project, f"{rng.randrange(400)}.0", b"other" if rng.random() < 0.02 else b"")


def write(home: Path, seed: int, at: int, said: Connection, *pipes: Connection) -> None:
    """Enter batch after batch until killed: before effect number `at`, or from outside."""
    rng = Random(seed)
    fuse = Fuse(at, said)
    fuse.light()
    try:
        asked = {w.name: Asking(pipe, fuse) for w, pipe in zip(WITNESSES, pipes, strict=True)}
        while True:
            try:
                enter(home, drafts(rng), rng.randint(1, 10**9), said, fuse, asked)
            except Error as error:
                said.send(("refused", error.code) if error.code in EXPECTED else ("bug", f"{error.code}: {error}"))
    except BaseException as error:
        said.send(("bug", repr(error)))
        raise


def fill(home: Path, size: int, said: Connection) -> None:
    """So many entries that nobody dies of."""
    ledger = Telling(database(home), said, Fuse(0, said))
    batch = [samples.event("import", f"p{n}") for n in range(size)]
    entries = sequencer.append(batch, after=None, ledger=ledger, log=LOG, clock=lambda: 1)
    said.send(("appended", [(e.index, e.raw) for e in entries]))


def enter(home: Path, batch: list[Draft], now: int, said: Connection, fuse: Fuse, asked: dict[str, Asking]) -> None:
    """The road's order: look at who has seen what, append, have it cosigned, show it."""
    ledger = Telling(database(home), said, fuse)
    journal, store = SqliteJournal(database(home)), DirectoryStore(site(home))
    fuse.watch(journal._db)
    public = store.read(CHECKPOINT)
    sequencer.guard(ledger, LOG.verifier, [] if public is None else [public])
    witnessing.guard(ledger, LOG, TRUST, asked, lambda: now)
    entries = sequencer.append(batch, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: now)
    said.send(("appended", [(e.index, e.raw) for e in entries]))
    _witness(ledger, entries, asked, now)
    said.send(("proven", [(e.index, prove(ledger, e)) for e in entries]))
    show(ledger, store, journal)
    said.send(("shown", store.read(CHECKPOINT)))


def _witness(ledger: SqliteLedger, entries: Sequence[Entry], asked: dict[str, Asking], now: int) -> None:
    head = ledger.committed()
    if head and not all(ledger.cosigned(covering=e.index) for e in entries):
        witnessing.witness(ledger, head, TRUST, asked, lambda: now)
