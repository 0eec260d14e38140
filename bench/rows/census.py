"""Row: what it takes to judge all 33,646 releases of the census, against reading their versions alone (goal: 30 s)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bench.race import Race, environment, seconds

ROOT = Path(__file__).parents[2]
JUDGE = "from bench.census import judged; assert sum(1 for _ in judged()) == 33646"
READ = """
from bench.census import rows
from tagtrail.rules.versions import parse
for row in rows("openstack_releases"):
    parse(row["version"])
"""


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """Every fact judged by every rule that can be asked, in one process; `packaging` reads the same versions."""
    env, log = environment() | {"PYTHONPATH": str(ROOT)}, scratch / "log"
    python = sys.executable
    yield Race(
        name="33,646 releases judged, versions read",
        ours=lambda: seconds([python, "-c", JUDGE], log=log, cwd=scratch, env=env),
        peer=lambda: seconds([python, "-c", READ], log=log, cwd=scratch, env=env),
        peer_version=f"packaging {version('packaging')}",
        goal=30.0,
        measure="difference",
        rounds=3,
        warm=False,
    )
