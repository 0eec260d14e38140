"""A release that is told to end while foreign code runs: nothing of it runs on, and nothing lies about."""

import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.app.world import BACKEND, World

pytestmark = pytest.mark.client


def lines(mark: str) -> list[bytes]:
    """The command lines, of all that run, with this in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        found += [line] if mark.encode() in line else []
    return found


@pytest.mark.parametrize("kind", ["bubblewrap", "namespaces"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_release_that_is_told_to_end_leaves_nothing(tmp_path: Path, kind: str, number: signal.Signals) -> None:
    world, mark = World(tmp_path).make(), f"600.{uuid4().int % 10**9}"
    sleeps = f'import subprocess\nsubprocess.run(["setsid", "sleep", "{mark}"])\n'
    (world.repo / "backend.py").write_text(sleeps + BACKEND)
    world.commit("it sleeps")
    world.tag("1.0.0")
    settings = world.home / "tagtrail.toml"
    settings.write_text(f'[build]\nisolation = "{kind}"\n\n{settings.read_text()}')
    if "isolation-unavailable" in world.tell("plan", "toy", "1.0.0").out:
        pytest.skip(f"NOT TESTED: {kind} does not run here")
    argv = world.argv("-C", str(world.home), "release", "toy", "1.0.0")
    with subprocess.Popen(argv, env=world.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        until = time.monotonic() + 60
        while not lines(mark) and time.monotonic() < until and running.poll() is None:
            time.sleep(0.02)
        assert lines(mark)
        assert list((world.home / "state" / "scratch").glob("tmp-*"))
        running.send_signal(number)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == (-signal.SIGTERM if number == signal.SIGTERM else 130)
    assert "run it again to go on" in said
    assert not lines(mark)
    assert not list((world.home / "state" / "scratch").glob("*tmp-*"))
