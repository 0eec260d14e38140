"""What is forced to disk: the sequencer a handful of times per release, and every kept file once with its directory."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.app.world import World

pytestmark = pytest.mark.client
CALLS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync"
APPEND = """
import sys
from pathlib import Path
from tagtrail.adapters.sqlite import SqliteLedger
from tagtrail.testing import samples
from tests.trail.writer import LOG
from tagtrail.trail import sequencer
ledger = SqliteLedger(Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[3])):
    drafts = [samples.release(f"p{n}", f"{m}.0") for m in range(5)]
    sequencer.append(drafts, after=ledger.committed(), ledger=ledger, log=LOG, clock=lambda: 1)
"""


def forced(argv: list[str], log: Path, env: Mapping[str, str] | None = None) -> Counter[str]:
    """The files that a command forces to disk, by their place and how often."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed: apt-get install strace")
    command = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={CALLS}", *argv]
    done = subprocess.run(command, env=env, cwd=log.parent, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    found = re.findall(r"(?:sync\w*)\(\d+<([^>]*)>", log.read_text())
    assert len(found) == len(re.findall(r"\b(?:f|fdata|m)?sync\w*\(", log.read_text())), (
        "each is by a file's descriptor"
    )
    return Counter(found)


def test_an_append_of_five_forces_the_write_ahead_log_once(tmp_path: Path) -> None:
    path = tmp_path / "trail.db"

    def append(start: int, stop: int) -> Counter[str]:
        argv = [sys.executable, "-c", APPEND, str(path), str(start), str(stop)]
        return forced(argv, tmp_path / f"{start}.log", {"PYTHONPATH": str(Path(__file__).parents[2])})

    append(0, 1)
    one, ten = append(1, 2), append(2, 12)
    assert (ten - one)[f"{path}-wal"] == 9, "nine more batches, nine more"
    assert sum(one.values()) <= 6, one


def test_a_release_forces_the_trail_twice_and_each_kept_file_once(tmp_path: Path) -> None:
    world = World(tmp_path).make()
    world.tag("1.0.0")
    release = world.argv("-C", str(world.home), "release", "toy")
    forced([*release, "1.0.0"], tmp_path / "first.log", world.env)
    before = {path.name for path in (world.home / "kept").rglob("*") if path.is_file()}
    world.commit("second")
    world.tag("1.1.0")
    found = forced([*release, "1.1.0"], tmp_path / "second.log", world.env)
    new = {path.name for path in (world.home / "kept").rglob("*") if path.is_file()} - before
    state, kept = str(world.home / "state"), str(world.home / "kept")
    files = sum(count for path, count in found.items() if path.startswith(f"{kept}/incoming/"))
    directories = sum(count for path, count in found.items() if re.fullmatch(f"{re.escape(kept)}/[0-9a-f]{{2}}", path))
    assert (files, directories) == (len(new), len(new)), "each new file, and the directory that names it"
    trail = {path: count for path, count in found.items() if path.startswith(state)}
    assert set(trail) <= {state, f"{state}/tagtrail.db-wal"}, "the sequencer's: the log of the database, and its name"
    assert sum(trail.values()) <= 6, trail
    assert sum(found.values()) == files + directories + sum(trail.values()), "and nothing else"
