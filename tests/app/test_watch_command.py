"""`watch`, `hold` and `runbook` as they are run, a repository behind a real git server, and a webhook that comes in."""

import hmac
import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tagtrail.adapters.git import GitSource
from tagtrail.model.errors import RemoteError
from tests.adapters.gitdaemon import git_daemon
from tests.app.test_serve import Place
from tests.app.world import World

pytestmark = pytest.mark.client

SECRET = "a-secret-of-webhooks"
TEAM = """
[watch]
tell   = ["team"]
secret = ["env:HOOK"]

[targets.team]
type  = "command"
retry = "blind"
apply = ["sh", "-c", "cat $0 >> said", "{file}"]

"""


class Watched(Place):
    """A served world whose team is told by a command."""

    def begin(self) -> "Watched":
        self.make(targets=TEAM)
        self.url = ""
        return self


@pytest.fixture
def world(tmp_path: Path) -> World:
    return Watched(tmp_path).begin()


def test_a_tag_is_told_held_released_and_its_end_is_an_alarm(world: World) -> None:
    assert world.tell("watch", "--once").code == 0
    world.tag("1.0.0")
    seen = world.tell("watch", "--once")
    assert (seen.code, seen.event("sighted")["tag"], seen.event("sighted")["findings"]) == (0, "1.0.0", [])
    assert (world.home / "said").read_text().startswith("toy 1.0.0: a tag appeared, no errors\n\nobject ")
    assert [e["event"] for e in world.tell("watch", "--once").events] == ["outcome"]
    assert world.tell("hold", "toy", "1.0.0", "--until", "1h", "--because", "not today").code == 0
    assert world.tell("release", "toy", "1.0.0").code == world.tell("status").code == 4
    assert "is held until" in world.tell("status").event("status")["why"]
    assert world.tell("hold", "toy", "1.0.0", "--lift").event("outcome")["state"] == "lifted"
    assert world.tell("status").event("status")["why"] == "it was held, and is not any more"
    assert world.tell("resume").code == 0
    late = world.tell("hold", "toy", "1.0.0")
    assert (late.code, late.event("refused")["code"]) == (3, "hold-late")
    world.git("tag", "-d", "1.0.0")
    assert [world.tell("watch", "--once").code for _ in range(2)] == [6, 6]
    assert (world.home / "said").read_text().count("ALARM") == 1


@pytest.mark.parametrize("until", ["tomorrow", "2026-13-01", "-1h", "1000-01-01"])
def test_no_time_to_hold_until(world: World, until: str) -> None:
    assert world.tell("hold", "toy", "1.0.0", f"--until={until}").code == 2


def test_the_runbook_is_the_same_twice_and_says_what_to_run(world: World) -> None:
    once, again = (world.run("-C", str(world.home), "runbook", "toy") for _ in range(2))
    assert (once.code, once.out) == (0, again.out)
    assert "`tagtrail check toy VERSION`" in once.out
    assert world.tell("runbook", "toy").event("runbook")["text"] == once.out


def test_a_webhook_wakes_it(tmp_path: Path) -> None:
    world = Watched(tmp_path).begin()
    world.env["HOOK"] = SECRET
    assert world.tell("watch", "--once").code == 0
    world.tag("0.9.0")
    argv = world.argv("-C", str(world.home), "--json", "watch", "--every", "3600")
    with world.served() as url, subprocess.Popen(argv, env=world.env, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        try:
            assert json.loads(watch.stdout.readline())["event"] == "note"
            assert json.loads(watch.stdout.readline())["tag"] == "0.9.0", "the first round has looked"
            world.tag("1.0.0")
            body = json.dumps({"ref": "refs/tags/1.0.0", "after": "a" * 40}).encode()
            signed = {"X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, sha256).hexdigest()}
            assert world.status("hint/toy", body=body)[0] == 403
            assert world.status("hint/toy", body=body, **signed)[0] == 202, url
            lines = iter(watch.stdout.readline, "")
            assert next(event for event in map(json.loads, lines) if event["event"] == "sighted")["tag"] == "1.0.0"
        finally:
            watch.terminate()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with git_daemon(tmp_path) as address:
        yield address


def test_a_remote_repository_says_what_a_path_says_and_nothing_is_fetched(world: World, server: str) -> None:
    world.tag("1.0.0")
    world.git("tag", "light")
    source = GitSource(world.root / "mirrors")
    assert source.listed(f"{server}/toy") == source.listed(str(world.repo))
    assert [name for name, _ in source.listed(f"{server}/toy")] == ["1.0.0", "light"]
    assert not (world.root / "mirrors").exists()
    with pytest.raises(RemoteError) as refused:
        source.listed("git://127.0.0.1:9/toy")
    assert refused.value.code == "repo-unreachable"
