"""The demo, as `make demo` runs it, twice: everything on the first run, nothing again on the second."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.client, pytest.mark.index, pytest.mark.slow]
ROOT = Path(__file__).parent.parent


def demo(directory: Path) -> str:
    command: list[str | Path] = [sys.executable, ROOT / "scripts" / "demo.py", directory]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def git(directory: Path, *arguments: str) -> None:
    named = ["-c", "user.name=Somebody Else", "-c", "user.email=else@example.org"]
    subprocess.run(["git", "-C", directory, *named, *arguments], check=True, timeout=60, capture_output=True)


def test_a_second_demo_proves_the_same_release_again(tmp_path: Path) -> None:
    git(tmp_path, "init")  # an instance may lie in somebody's checkout, as `make demo` does; its builds must not see it
    git(tmp_path, "commit", "--allow-empty", "-m", "not part of any release")

    first = demo(tmp_path / "demo")
    assert first.count("good signature by the release key") == 3
    assert "import oslo_config: 9.7.0" in first
    assert "already released" not in first
    assert b"Somebody Else" not in b"".join(files(tmp_path / "demo" / "installed").values())
    site = files(tmp_path / "demo" / "home" / "site")

    second = demo(tmp_path / "demo")
    assert "oslo.config 9.7.0 was already released and complete" in second
    assert files(tmp_path / "demo" / "home" / "site") == site
