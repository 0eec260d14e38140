"""Rows: what an append and a proof cost on a long trail, against a short one, and against the least there is.

Both sides of the growth rows are ours, on the same machine in the same run: 100,000 entries against 1,000, and with
`make bench-full` ten million synthetic ones. Goal: no more than the logarithm grew, log(long) / log(short). An append
is a release entered by the sequencer under a checkpoint of its own, in a transaction that is on disk when it returns;
the floor beside it is SQLite alone: as many transactions of as many bytes into one table.
"""

import atexit
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path

from bench.race import Race
from bench.trail import APPENDS, PROOFS, Trail, bare

SHORT, LONG, HUGE = 10**3, 10**5, 10**7
LEEWAY = 0.01
"""Seconds by which one append may exceed SQLite's own transaction."""


@cache
def trail(size: int) -> Trail:
    """The trail of that size: filled once for all rows, gone when this process ends."""
    directory = tempfile.mkdtemp(prefix="tagtrail-bench-trail-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Trail(Path(directory) / "trail.db", size, synthetic=size >= HUGE)


@contextmanager
def growth(scratch: Path, *, what: str, size: int) -> Iterator[Race]:  # noqa: ARG001  (trails outlive a row)
    """An append or a proof on a trail of `size`, against the same on the short one."""
    short, long = trail(SHORT), trail(size)
    ours, peer = (long.append, short.append) if what == "appends" else (long.prove, short.prove)
    yield Race(
        name=f"{APPENDS if what == 'appends' else PROOFS} {what} on {size:,} entries",
        ours=ours,
        peer=peer,
        peer_version=f"the same on {SHORT:,} entries",
        goal=round(math.log(size) / math.log(SHORT), 2),
        rounds=9,
    )


@contextmanager
def floor(scratch: Path) -> Iterator[Race]:
    """An append against the least that a durable write can be."""
    yield Race(
        name=f"{APPENDS} appends, SQLite alone",
        ours=trail(LONG).append,
        peer=lambda: bare(scratch / "bare.db"),
        peer_version=f"sqlite {sqlite3.sqlite_version}: inserts of the same bytes, synchronous=FULL",
        goal=APPENDS * LEEWAY,
        measure="difference",
        rounds=9,
    )


def _growth(what: str, size: int) -> Callable[[Path], AbstractContextManager[Race]]:
    return partial(growth, what=what, size=size)


RACES = (_growth("appends", LONG), _growth("proofs", LONG), floor)
FULL = (_growth("appends", HUGE), _growth("proofs", HUGE))
"""Rows that take minutes and gigabytes: `make bench-full`."""
