"""A bounded run of the fuzzer in every run of all tests; `make fuzz SECONDS=3600` looks longer."""

import importlib.util
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 20


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="there is no atheris: requirements/fuzz.txt")
def test_the_fuzzer_finds_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz.parsers", str(tmp_path / "corpus"), f"-max_total_time={SECONDS}"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=env,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=180,
        check=False,
    )
    broke = {path.name: b64encode(path.read_bytes()).decode() for path in tmp_path.iterdir() if path.is_file()}
    assert ran.returncode == 0, f"{ran.stderr[-6000:]}\nwhat broke it, for a case of its own (base64): {broke}"
    assert "Done " in ran.stderr
