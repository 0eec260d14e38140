"""A thousand deaths by SIGKILL: never two roots of one size, nothing shown that is not committed, nothing lost.

Each shard is one trail. Its writers are killed before an effect (a file opened or renamed, an SQL statement, a witness
asked) or at a random moment, one or two at a time; after each death `tests.trail.auditor` looks at everything.
"""

import json
import subprocess
import sys

import pytest

KILLS = 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_writer_may_die_anywhere(seed: int) -> None:
    argv = [sys.executable, "-m", "tests.trail.auditor", str(seed), str(KILLS)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert sum(figures["died"].values()) >= KILLS
    assert len(figures["died"]) > 8, "of many causes"
    assert figures["proofs"] > KILLS / 2, "and work was done meanwhile"
