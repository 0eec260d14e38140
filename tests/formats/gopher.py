"""The programs in Go beside these tests: built when a test asks for them, skipped aloud where there is no Go."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIBRARY = Path("/usr/share/gocode")


def build(source: str, to: Path, *, needs: str = "") -> Path:
    """The program made of tests/formats/`source`, a single file; `needs` is a package below Debian's Go sources."""
    if not shutil.which("go"):
        pytest.skip("there is no Go: apt-get install golang-go golang-golang-x-mod-dev")
    if needs and not (LIBRARY / "src" / needs).is_dir():
        pytest.skip(f"there is no {needs}: apt-get install golang-golang-x-mod-dev")
    # GOPATH mode, as Debian packages its libraries; nothing is fetched
    env = os.environ | {"GO111MODULE": "off", "GOPATH": str(LIBRARY), "GOPROXY": "off", "GOCACHE": str(to / "cache")}
    program = to / Path(source).stem
    command = ["go", "build", "-o", str(program), str(HERE / source)]
    made = subprocess.run(command, env=env, cwd=to, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return program
