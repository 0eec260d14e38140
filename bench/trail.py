"""Trails of any size for the rows of `trail`: filled in bulk, with every table as the sequencer would have left it.

Real entries are the bytes of one release with other names in them: they parse, and hash to their leaves. Synthetic
ones are 40 bytes each (but the last: the sequencer reads it), under nodes, names and marks of the same number, so ten
million fit on a disk within minutes.
"""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

from tagtrail.adapters.sqlite import SqliteLedger, connect
from tagtrail.formats import merkle, note
from tagtrail.formats.marks import marks_of
from tagtrail.model.facts import Draft
from tagtrail.model.names import name_key
from tagtrail.ports import Committed
from tagtrail.testing import samples
from tagtrail.trail import sequencer
from tagtrail.trail.show import prove

__all__ = ["APPENDS", "PROOFS", "Trail", "bare"]

LOG = note.Signer(name="bench.example/trail", seed=b"\1" * 32)
PROJECTS = 500
APPENDS, PROOFS = 40, 400
"""Of one run."""
BATCH = 1000
"""Entries under one checkpoint."""

_PROJECT, _VERSION = "p0000", "100000"
_MODEL = samples.entry(0, samples.release(_PROJECT, f"{_VERSION}.0"))
_NAMES = {name_key(_PROJECT, file.name): file.sha256 for file in _MODEL.files}
_MARK = next(mark for mark in marks_of(_MODEL) if mark.startswith("release"))
_UNUSED = count(10**9)
_STRIDE = 7_368_787
"""A prime: proofs are of entries all over the trail."""

Row = tuple[object, ...]


class Trail:
    """A trail of `size` entries at `path`, of which more can be entered and any be proven."""

    def __init__(self, path: Path, size: int, *, synthetic: bool = False) -> None:
        connect(path).close()
        _fill(path, size, synthetic=synthetic)
        self.ledger = SqliteLedger(path)
        self.size = size

    def append(self) -> float:
        """Seconds for entering releases one by one, each under a checkpoint of its own."""
        made = drafts(APPENDS)
        start = time.perf_counter()
        for draft in made:
            sequencer.append(
                [draft], after=self.ledger.committed(), ledger=self.ledger, log=LOG, clock=lambda: samples.TIME
            )
        return time.perf_counter() - start

    def prove(self) -> float:
        """Seconds for proofs of entries anywhere."""
        chosen = [replace(_MODEL, index=n * _STRIDE % self.size) for n in range(PROOFS)]
        start = time.perf_counter()
        for entry in chosen:
            prove(self.ledger, entry)
        return time.perf_counter() - start


def drafts(number: int) -> list[Draft]:
    """Releases that no trail has yet."""
    return [samples.release(_PROJECT, f"{version}.0") for version in islice(_UNUSED, number)]


def bare(path: Path) -> float:
    """Seconds for as many inserts of as many bytes into one table, each as durable as an append: the least there is."""
    made = [draft.statement for draft in drafts(APPENDS)]
    with closing(connect(path)) as db:
        db.execute("CREATE TABLE IF NOT EXISTS bare (idx INTEGER PRIMARY KEY, entry BLOB NOT NULL)")
        start = time.perf_counter()
        for statement in made:
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO bare (entry) VALUES (?)", (statement,))
            db.execute("COMMIT")
        return time.perf_counter() - start


def _fill(path: Path, size: int, *, synthetic: bool) -> None:
    entry = _synthetic if synthetic else _real
    with closing(connect(path)) as db:
        db.execute("PRAGMA journal_mode = OFF")  # whoever opens it next turns the write-ahead log on again
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        db.execute("BEGIN")
        hashes = bytearray()
        for start in range(0, size, BATCH):
            raws = [entry(n) if n + 1 < size else _real(n) for n in range(start, min(size, start + BATCH))]
            rows = [(start + n, f"p{(start + n) % PROJECTS:04}", "release", "", raw) for n, raw in enumerate(raws)]
            db.executemany("INSERT INTO leaves VALUES (?, ?, ?, ?, ?)", rows)
            for raw in raws:
                hashes += merkle.leaf_hash(raw)
        db.executemany("INSERT INTO nodes VALUES (?, ?, ?)", _nodes(hashes))
        db.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", _names(size))
        db.executemany("INSERT INTO marks VALUES (?, ?)", _marks(size))
        names = ((f"p{n:04}", "pypi", f"p{n:04}", n) for n in range(min(size, PROJECTS)))
        db.executemany("INSERT INTO projects VALUES (?, ?, ?, ?)", names)
        db.execute("COMMIT")
    ledger = SqliteLedger(path)
    with closing(connect(path)) as db:
        for head in _checkpoints(ledger, size):
            db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (head.size, head.root, head.note))
            db.execute("INSERT INTO cosigned VALUES (0, ?, ?, ?)", (head.size, head.note, head.note))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _real(n: int) -> bytes:
    project, version = f"p{n % PROJECTS:04}", str(100000 + n // PROJECTS)
    return _MODEL.raw.replace(_PROJECT.encode(), project.encode()).replace(_VERSION.encode(), version.encode())


def _synthetic(n: int) -> bytes:
    return b"%040d" % n


def _nodes(hashes: bytearray) -> Iterator[Row]:
    """All complete subtrees, level by level, as the table is ordered."""
    level = 0
    while hashes:
        above = bytearray()
        for n in range(len(hashes) // 32):
            value = bytes(hashes[n * 32 : n * 32 + 32])
            yield level, n, value
            if n % 2:
                above += sha256(b"\x01" + hashes[n * 32 - 32 : n * 32] + value).digest()
        level, hashes = level + 1, above


def _names(size: int) -> Iterator[Row]:
    """Sorted, so that the table is filled from end to end."""
    for project in range(min(size, PROJECTS)):
        for n in range(project, size, PROJECTS):
            for key, digest in _NAMES.items():
                name = key.replace(_PROJECT, f"p{project:04}").replace(_VERSION, f"{100000 + n // PROJECTS}")
                yield f"p{project:04}", name, digest, n


def _marks(size: int) -> Iterator[Row]:
    yield from ((f"draft {n:064x}", n) for n in range(size))
    for project in range(min(size, PROJECTS)):
        for n in range(project, size, PROJECTS):
            yield _MARK.replace(_PROJECT, f"p{project:04}").replace(_VERSION, f"{100000 + n // PROJECTS}"), n


def _checkpoints(ledger: SqliteLedger, size: int) -> Iterator[Committed]:
    for end in sorted({*range(BATCH, size + 1, BATCH), size}):
        root = merkle.root(end, ledger.node)
        text = note.Checkpoint(origin=LOG.name, size=end, root=root).text()
        yield Committed(size=end, root=root, note=note.sign(text, [LOG]).encode().decode())
