"""Who outlives the writers: their witnesses, and an auditor that remembers all that was ever signed, seen or shown.

By hand, for longer than the tests do: `python -m tests.trail.auditor SEED KILLS`.
"""

import json
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from tagtrail.formats import entry as entries_format
from tagtrail.formats import merkle, note, policy, proof, tiles
from tagtrail.formats.checkpoint import parse_checkpoint
from tagtrail.formats.site import CHECKPOINT
from tagtrail.model.errors import Error
from tagtrail.model.names import name_key, project_key
from tagtrail.ports import Behind
from tagtrail.testing import memory
from tests.trail.writer import LOG, TRUST, WITNESSES, database, fill, site, write

PREFIX = CHECKPOINT.removesuffix("checkpoint")
PATIENCE = 30.0
"""Seconds after which a writer that does not die counts as hung."""
POINTS, SECONDS = 120, 0.1
"""Effects and seconds within which a writer dies: more than a batch takes, so that what follows one is met as well."""

FORKS = get_context("fork")
"""This process has one thread, its imports done and no database open, so a writer starts well within milliseconds."""


@dataclass
class Running:
    """A writer, what it says, what it asks of whom, and when it is killed from outside (monotonic seconds)."""

    process: Any
    said: Connection
    pipes: dict[Connection, memory.Witness]
    deadline: float


@dataclass
class Auditor:
    """One trail at `home` through many deaths; what it saw once must stand for ever.

    `committed` is size -> (root, note), `signed` all (size, root) that a writer was about to commit, `seen` all that a
    witness was sent or the public was shown; `raws` and `hashes` are the leaves.
    """

    home: Path
    rng: Random
    committed: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    signed: set[tuple[int, bytes]] = field(default_factory=set)
    seen: set[tuple[int, bytes]] = field(default_factory=set)
    raws: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    acknowledged: dict[int, bytes] = field(default_factory=dict)
    proofs: dict[int, bytes] = field(default_factory=dict)
    proven: set[int] = field(default_factory=set)
    died: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    shown: int = 0
    time: int = 0

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.witnesses = [memory.Witness(w, (LOG.verifier,), lambda: 1_000_000) for w in WITNESSES]

    def begin(self, size: int) -> None:
        """So many entries that nobody dies of, so that tiles are about to be full."""
        ours, theirs = FORKS.Pipe()
        process = FORKS.Process(target=fill, args=(self.home, size, theirs))
        process.start()
        theirs.close()
        with suppress(EOFError):
            while True:
                self._note(*ours.recv())
        process.join()

    # --- one death --------------------------------------------------------------------------------------------------

    def kill(self, *, writers: int, points: int, seconds: float) -> None:
        """Writers on the same files, each killed at a random point or at a random time; then look at everything."""
        self.witnesses[self.rng.randrange(3)].down = self.rng.random() < 0.2
        running = [self._start(points, seconds) for _ in range(writers)]
        self._serve(running)
        for one in running:
            one.process.join(PATIENCE)
            assert one.process.exitcode == -signal.SIGKILL, "it was killed, and nothing else ended it"
        for witness in self.witnesses:
            witness.down = False
        self.look(alone=writers == 1)

    def _start(self, points: int, seconds: float) -> Running:
        fused = self.rng.random() < 0.6
        at = self.rng.randint(1, points) if fused else 0
        ours, theirs = zip(*(FORKS.Pipe() for _ in range(1 + len(self.witnesses))), strict=True)
        process = FORKS.Process(target=write, args=(self.home, self.rng.getrandbits(64), at, *theirs), daemon=True)
        process.start()
        for end in theirs:
            end.close()
        deadline = monotonic() + (PATIENCE if fused else self.rng.uniform(0, seconds))
        if not fused:
            self.died["from outside"] += 1
        return Running(process, ours[0], dict(zip(ours[1:], self.witnesses, strict=True)), deadline)

    def _serve(self, running: list[Running]) -> None:
        """Answer as witnesses and note what is said until all are dead."""
        owners = {pipe: one for one in running for pipe in (one.said, *one.pipes)}
        while owners:
            patience = min(one.deadline for one in owners.values()) - monotonic()
            for pipe in wait([*owners], max(0, patience)):
                assert isinstance(pipe, Connection)
                try:
                    message = pipe.recv()
                except (EOFError, ConnectionResetError):
                    del owners[pipe]
                    continue
                one = owners[pipe]
                if pipe is one.said:
                    self._note(*message)
                else:
                    with suppress(BrokenPipeError):
                        pipe.send(self._answer(one.pipes[pipe], *message))
            for one in running:
                if monotonic() >= one.deadline:
                    one.process.kill()
                    one.deadline = monotonic() + PATIENCE

    def _answer(self, witness: memory.Witness, old: int, hashes: tuple[bytes, ...], data: bytes) -> tuple[Any, ...]:
        """A witness's answer; what it is sent must be committed at that moment."""
        sent = parse_checkpoint(note.open_note(data, [LOG.verifier]).note.text)
        if sent.size:
            with closing(sqlite3.connect(database(self.home))) as db:
                rows = db.execute("SELECT root FROM checkpoints WHERE size = ?", (sent.size,)).fetchall()
            assert rows == [(sent.root,)], f"a witness was sent size {sent.size}, which is not committed"
            self.seen.add((sent.size, sent.root))
        try:
            return "lines", witness.add_checkpoint(old, hashes, data)
        except Behind as behind:
            return "behind", behind.size
        except Error as error:
            return "error", type(error).__name__, error.what, error.code

    def _note(self, what: str, *values: Any) -> None:
        match what:
            case "died":
                self.died[values[0]] += 1
            case "refused":
                self.refused[values[0]] += 1
            case "signed":
                self.signed.add(values)
            case "appended":
                self.acknowledged |= dict(values[0])
            case "proven":
                for index, data in values[0]:
                    assert self.proofs.setdefault(index, data) == data, f"the proof of {index} is for ever the same"
            case "shown":
                self._public(values[0])
            case _:
                raise AssertionError(values)

    # --- what is there ----------------------------------------------------------------------------------------------

    def look(self, *, alone: bool = True) -> None:
        """Everything on the disk against everything that is remembered. `alone`: one writer at a time since the last
        look."""
        with TemporaryDirectory(dir=self.home) as copy:  # the dead writer's files are left for the next writer
            for path in self.home.glob("trail.db*"):
                shutil.copy(path, copy)
            with closing(sqlite3.connect(Path(copy) / "trail.db")) as db:
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'cosigned'").fetchone():
                    assert not self.committed
                    return
                self._leaves(db)
                self._checkpoints(db)
        for index, raw in self.acknowledged.items():
            assert self.raws[index] == raw, f"entry {index} was acknowledged and is lost"
        roots = {(size, root) for size, (root, _) in self.committed.items()}
        assert self.seen <= roots, "seen by somebody and not committed"
        for index in self.proofs.keys() - self.proven:
            self._proof(index, self.proofs[index])
        self.proven |= self.proofs.keys()
        self._site(alone=alone)

    def _leaves(self, db: sqlite3.Connection) -> None:
        known = len(self.raws)
        old = [raw for (raw,) in db.execute("SELECT entry FROM leaves WHERE idx < ? ORDER BY idx", (known,))]
        assert old == self.raws, "what was committed stays"
        for index, raw in db.execute("SELECT idx, entry FROM leaves WHERE idx >= ? ORDER BY idx", (known,)):
            assert index == len(self.raws), "no gaps"
            entry = entries_format.parse(index, raw)
            assert entry.time >= self.time, "time never decreases"
            self.time = entry.time
            for file in entry.files if entry.event == "release" else ():
                name = (project_key(entry.project), name_key(entry.project, file.name))
                assert self.names.setdefault(name, file.sha256) == file.sha256, f"{name} has two digests"
            self.raws.append(raw)
            self.hashes.append(merkle.leaf_hash(raw))
        assert db.execute("SELECT count(*) FROM nodes WHERE level = 0").fetchone() == (len(self.raws),)

    def _checkpoints(self, db: sqlite3.Connection) -> None:
        rows = {size: (root, text) for size, root, text in db.execute("SELECT size, root, note FROM checkpoints")}
        assert self.committed.items() <= rows.items(), "a checkpoint that was committed stays, to the byte"
        for size in rows.keys() - self.committed.keys():
            root, text = rows[size]
            signed = parse_checkpoint(note.open_note(text.encode(), [LOG.verifier]).note.text)
            assert (signed.size, signed.root) == (size, root)
            assert root == merkle.root_of(self.hashes[:size]), f"the root of {size} is that of its leaves"
            assert (size, root) in self.signed, "it was said before it was committed"
        self.committed = rows
        assert max(rows, default=0) == len(self.raws), "every leaf is under a checkpoint"

    def _public(self, data: bytes) -> int:
        """A shown checkpoint: committed, with a quorum's cosignatures. Its size."""
        shown = policy.check(TRUST, data).checkpoint
        self.seen.add((shown.size, shown.root))
        return shown.size

    def _proof(self, index: int, data: bytes) -> None:
        proven = proof.parse(data)
        under = policy.check(TRUST, proven.checkpoint).checkpoint
        assert proven.extra == self.raws[index]
        assert self.committed[under.size][0] == under.root
        merkle.verify_inclusion(index, under.size, self.hashes[index], proven.hashes, under.root)

    def _site(self, *, alone: bool) -> None:
        """The shown checkpoint and its tiles, as a stranger reads them."""
        path = site(self.home) / CHECKPOINT
        if not path.exists():
            assert not self.shown
            return
        size = self._public(path.read_bytes())
        root = self.committed[size][0]
        assert (size, root) in self.seen
        assert size >= self.shown or not alone, "what is shown does not shrink"
        self.shown = size
        reader = tiles.TileReader(size, root, self._fetch)
        for number in range(-(-size // tiles.WIDTH)):
            start = number * tiles.WIDTH
            assert reader.entries(number) == tuple(self.raws[start : min(size, start + tiles.WIDTH)])

    def _fetch(self, path: str) -> bytes | None:
        file = site(self.home) / PREFIX / path
        return file.read_bytes() if file.exists() else None


def main(seed: int, kills: int) -> None:
    """So many deaths of writers of one trail; says how they died."""
    with TemporaryDirectory() as directory:
        auditor = Auditor(Path(directory) / "home", Random(seed))
        if seed % 2:
            auditor.begin(tiles.WIDTH - 10)
        for _ in range(kills):
            auditor.kill(writers=2 if auditor.rng.random() < 0.2 else 1, points=POINTS, seconds=SECONDS)
    unused = auditor.signed - {(size, root) for size, (root, _) in auditor.committed.items()}
    figures = {"entries": len(auditor.raws), "checkpoints": len(auditor.committed), "proofs": len(auditor.proofs)}
    figures |= {"shown": auditor.shown, "signed and never committed": len(unused)}
    print(json.dumps(figures | {"refused": auditor.refused, "died": auditor.died}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
