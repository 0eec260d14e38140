"""Row: what `tagtrail --help` takes over bare Python (goal: at most 40 ms more)."""

import compileall
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.race import Race, environment, seconds

BIN = Path(sys.executable).parent
SOURCE = Path(__file__).parents[2] / "src"


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """The console script against the interpreter that it runs on, doing nothing."""
    compileall.compile_dir(SOURCE, quiet=2)  # as an installed package is
    env, log = environment(), scratch / "log"
    yield Race(
        name="tagtrail --help, bare python",
        ours=lambda: seconds([BIN / "tagtrail", "--help"], log=log, cwd=scratch, env=env),
        peer=lambda: seconds([BIN / "python", "-c", "pass"], log=log, cwd=scratch, env=env),
        peer_version=f"python {platform.python_version()}",
        goal=0.040,
        measure="difference",
        rounds=21,
    )
