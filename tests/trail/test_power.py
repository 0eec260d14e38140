"""A power cut: whatever of the write-ahead log reached the disk, the trail is one that was committed, and whole."""

import shutil
from pathlib import Path
from random import Random

import pytest

from tagtrail.adapters.sqlite import SqliteLedger
from tagtrail.formats import merkle
from tagtrail.model.errors import TamperError
from tagtrail.testing import samples
from tagtrail.trail import sequencer
from tests.trail.writer import LOG, database

BATCHES = 6


def filled(home: Path) -> SqliteLedger:
    """A trail whose log was never folded into the database: the handle that is returned keeps it."""
    ledger = SqliteLedger(database(home))
    for n in range(BATCHES):
        batch = [samples.release("nova", f"{n}.{m}") for m in range(1 + n % 3)]
        sequencer.append(batch, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: samples.TIME)
    return ledger


def test_every_transaction_waits_for_the_disk(tmp_path: Path) -> None:
    ledger = SqliteLedger(database(tmp_path))
    with ledger.writing() as trail:
        assert trail._db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL"
        assert trail._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("seed", range(24))
def test_a_torn_log_gives_a_trail_that_was_committed(tmp_path: Path, seed: int) -> None:
    """Cut short anywhere, or with a page that was never written: some whole batches are gone, none is half there."""
    home, torn = tmp_path / "home", tmp_path / "torn"
    home.mkdir()
    torn.mkdir()
    ledger, rng = filled(home), Random(seed)
    shutil.copy(database(home), torn)
    log = bytearray(Path(f"{database(home)}-wal").read_bytes())
    at = rng.randrange(len(log))
    if seed % 2:
        del log[at:]
    else:
        log[at : at + 4096] = bytes(len(log[at : at + 4096]))
    Path(f"{database(torn)}-wal").write_bytes(log)
    left = SqliteLedger(database(torn))
    head, newest = left.committed(), ledger.committed()
    assert newest
    size = head.size if head else 0
    assert left.entries() == ledger.entries(0, size)
    assert head == (ledger.committed(size) if size else None)
    assert size == 0 or merkle.root(size, left.node) == head.root  # type: ignore[union-attr]
    if size < newest.size:
        with pytest.raises(TamperError) as refusal:
            sequencer.guard(left, LOG.verifier, [newest.note.encode()])
        assert refusal.value.code == "trail-ahead", "what was shown is known to be lost"
