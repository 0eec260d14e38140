"""Row: the most memory that `tagtrail release` of a tree as big as nova's holds (5,000 files, a tar of 48 MB; goal: at
most 200 MB), and what `python -m build` of the same takes.

The project is made up: modules of words that nobody else says, so that it compresses as source does.
"""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import count
from pathlib import Path

from bench.race import Race, environment, peak, seconds

BIN = Path(sys.executable).parent
FILES, SIZE = 5_000, 8_800
"""With headers and padding a tar of 48 MB."""
PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "big"
version = "1.0"
[tool.hatch.build.targets.wheel]
packages = ["big"]
"""


@contextmanager
def race(scratch: Path) -> Iterator[Race]:
    """Each release is made on a new instance."""
    checkout, log, env = scratch / "big", scratch / "log", environment()
    _project(checkout, scratch / "key")
    homes = (scratch / f"home-{number}" for number in count())

    def ours() -> float:
        home = next(homes)
        seconds([BIN / "tagtrail", "init", home, "--origin", "bench.example/trail"], log=log, cwd=scratch, env=env)
        seconds([BIN / "tagtrail", "-C", home, "add-project", checkout], log=log, cwd=scratch, env=env)
        return peak([BIN / "tagtrail", "-C", home, "release", "big", "1.0"])

    yield Race(
        name="memory of a release, 5,000 files",
        ours=ours,
        peer=lambda: peak([BIN / "python", "-m", "build", "--outdir", scratch / "dist", checkout]),
        peer_version=f"build {version('build')}",
        goal=200.0,
        measure="peak",
        rounds=1,
        warm=False,
    )


def _project(root: Path, key: Path) -> None:
    (root / "big").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    some = random.Random(0)  # noqa: S311  (the same every time)
    words = ["".join(some.choices("etaoinshrdlu_", k=some.randint(3, 12))) for _ in range(3000)]
    for number in range(FILES):
        lines = (f"{' '.join(some.choices(words, k=9))} = {n}" for n in range(SIZE // 60))
        text = "\n# ".join(lines)[: SIZE - 3]
        (root / "big" / f"part_{number:04}.py").write_text(f"# {text}\n")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    settings = {
        "user.name": "Bench",
        "user.email": "bench@example.org",
        "gpg.format": "ssh",
        "user.signingkey": f"{key}.pub",
    }
    for command in (["init", "-q"], *(["config", *pair] for pair in settings.items()), ["add", "."]):
        subprocess.run(["git", "-C", root, *command], check=True)
    subprocess.run(["git", "-C", root, "commit", "-q", "-m", "big"], check=True)
    subprocess.run(["git", "-C", root, "tag", "-s", "-m", "big 1.0", "1.0"], check=True)
