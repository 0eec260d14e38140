"""Row: `tagtrail check . TAG` among 2,000 tags, with no instance, over bare Python (goal: at most 0.9 s more)."""

import compileall
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.race import Race, environment, seconds

BIN = Path(sys.executable).parent
SOURCE = Path(__file__).parents[2] / "src"
PYPROJECT = '[project]\nname = "mylib"\ndynamic = ["version"]\n[build-system]\nrequires = ["hatchling"]\n'


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """A patch release, which asks most: the files of the release before it are read too."""
    compileall.compile_dir(SOURCE, quiet=2)  # as an installed package is
    env, log, repo = environment(), scratch / "log", scratch / "mylib"
    git = ["git", "-C", str(repo), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "-q", repo], check=True)
    (repo / "pyproject.toml").write_text(PYPROJECT)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    refs = "".join(f"create refs/tags/{n // 40}.{n % 40}.0 {head}\n" for n in range(2000))
    subprocess.run([*git, "update-ref", "--stdin"], input=refs, check=True, text=True)
    yield Race(
        name="tagtrail check . TAG, 2,000 tags; python",
        ours=lambda: seconds([BIN / "tagtrail", "check", repo, "49.39.1"], log=log, cwd=scratch, env=env),
        peer=lambda: seconds([BIN / "python", "-c", "pass"], log=log, cwd=scratch, env=env),
        peer_version=f"python {platform.python_version()}",
        goal=0.9,
        measure="difference",
        rounds=11,
    )
