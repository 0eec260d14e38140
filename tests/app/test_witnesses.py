"""Real witnesses on loopback: a log that is witnessed, waits for them, and is stopped by them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tagtrail.formats import note, policy
from tagtrail.formats.site import CHECKPOINT
from tests.app.world import Ended, World

pytestmark = pytest.mark.client


@dataclass
class Circle:
    """A toy log with three witnesses of whom two must agree; `names` are theirs."""

    world: World
    names: tuple[str, ...] = ("w1.example.net/w", "w2.example.org/w", "example.org/own")
    up: dict[str, ExitStack] = field(default_factory=dict)

    def begin(self) -> "Circle":
        self.world.make()
        self.world.tag("1.0.0")
        lines = [f"{self._init(name)}\n" for name in self.names]
        lines += [f"group two 2 {' '.join(self.names)}\n", "quorum two\n"]
        (self.world.home / "keys" / "witnesses.policy").write_text("".join(lines))
        settings = self.world.home / "tagtrail.toml"
        line = '\n[org]\nwitnesses = "keys/witnesses.policy"\n'
        settings.write_text(settings.read_text().replace("\n[org]\n", line, 1))
        return self

    def directory(self, name: str) -> Path:
        return self.world.root / name.replace("/", "-")

    def _init(self, name: str) -> str:
        """The policy line of a new witness that knows the log; its address is known when it serves."""
        directory = str(self.directory(name))
        made = self.world.run("--json", "witness", "init", directory, "--name", name)
        assert made.code == 0, made.out
        log = note.parse_skey((self.world.home / "private" / "log.key").read_text().strip()).verifier
        assert self.world.run("witness", "add", directory, log.vkey()).code == 0
        self.serve(name)
        return f"witness {name} {made.event('witness')['vkey']} {self.address}"

    def serve(self, name: str, listen: str = "127.0.0.1:0") -> None:
        stack = ExitStack()
        self.address = stack.enter_context(serving(self.world, self.directory(name), listen))
        self.up[name] = stack

    def stop(self, *names: str) -> None:
        for name in names or tuple(self.up):
            self.up.pop(name).close()


@contextmanager
def serving(world: World, directory: Path, listen: str) -> Iterator[str]:
    """A witness's server; its address."""
    argv = world.argv("--json", "witness", "serve", str(directory), "--listen", listen)
    with subprocess.Popen(argv, env=world.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()
            server.wait(20)


@pytest.fixture
def circle(tmp_path: Path) -> Iterator[Circle]:
    made = Circle(World(tmp_path))
    try:
        yield made.begin()
    finally:
        made.stop()


def release(circle: Circle, version: str = "1.0.0") -> Ended:
    return circle.world.tell("release", "toy", version)


def test_a_release_that_three_have_seen(circle: Circle) -> None:
    done = release(circle)
    assert done.code == 0, done.out
    assert [e["witnessed"] for e in done.events if e["event"] == "logged"] == ["3 of 3", "3 of 3"]
    world = circle.world
    file = str(world.site / "toy" / "toy-1.0.0.tar.gz")
    verified = world.tell("verify", file, "--require-witnessed").event("verified")
    assert verified["ok"], verified
    assert verified["witnessed"]
    said = world.run("-C", str(world.home), "verify", file).out
    assert "example.org/own" in said, "the operator's own witness is named as such"
    shown = policy.parse((world.site / "trail" / "policy").read_bytes())
    assert [w.name for w in shown.witnesses] == list(circle.names)
    assert policy.check(shown, (world.site / CHECKPOINT).read_bytes()).cosigned == 3
    assert world.tell("audit").code == 0


def test_the_operators_own_witness_is_nobody_to_verify(circle: Circle) -> None:
    """One stranger and our own meet the log's policy; without the stranger nothing is witnessed."""
    circle.stop(circle.names[0])
    assert release(circle).code == 0
    world = circle.world
    file = str(world.site / "toy" / "toy-1.0.0.tar.gz")
    assert world.tell("verify", file, "--require-witnessed").code == 0
    lines = (world.home / "keys" / "witnesses.policy").read_text().replace("group two 2", "group two 1")
    (world.home / "keys" / "witnesses.policy").write_text(lines)
    circle.stop(circle.names[1])
    world.commit("more")
    world.tag("2.0.0")
    assert release(circle, "2.0.0").code == 0
    lone = world.tell("verify", str(world.site / "toy" / "toy-2.0.0.tar.gz"), "--require-witnessed")
    assert (lone.code, lone.event("verified")["code"]) == (7, "not-witnessed")


def test_too_few_answer_and_later_enough_do(circle: Circle) -> None:
    circle.stop(*circle.names[:2])
    waiting = release(circle)
    assert waiting.code == 4
    assert "witness" in waiting.event("waiting")["what"]
    assert circle.world.leaves() == [], "nothing was signed"
    assert not (circle.world.site / CHECKPOINT).exists()
    status = circle.world.tell("status")
    assert status.code != 0
    lines = (circle.world.home / "keys" / "witnesses.policy").read_text()
    port = lines.split(circle.names[0], 1)[1].split("127.0.0.1:")[1].split("/")[0].split()[0]
    circle.serve(circle.names[0], f"127.0.0.1:{port}")
    assert circle.world.tell("resume").code == 0
    assert (
        policy.check(
            policy.parse((circle.world.site / "trail" / "policy").read_bytes()),
            (circle.world.site / CHECKPOINT).read_bytes(),
        ).cosigned
        == 2
    )
    assert circle.world.tell("status").code == 0


def test_a_restored_back_up_is_stopped_by_the_witnesses_alone(circle: Circle) -> None:
    """Also where the site was restored with it, so that nothing else remembers."""
    world = circle.world
    assert release(circle).code == 0
    shutil.copytree(world.home, world.root / "back-up", symlinks=True)
    world.commit("more")
    world.tag("2.0.0")
    assert release(circle, "2.0.0").code == 0
    shutil.rmtree(world.home)
    shutil.copytree(world.root / "back-up", world.home, symlinks=True)
    world.commit("other")
    world.tag("3.0.0")
    stopped = release(circle, "3.0.0")
    assert (stopped.code, stopped.event("refused")["code"]) == (6, "trail-ahead")
    assert len(world.leaves()) == 2


def test_a_copied_instance_is_stopped_when_the_first_goes_on(circle: Circle) -> None:
    world = circle.world
    assert release(circle).code == 0
    copy = world.root / "copy"
    shutil.copytree(world.home, copy, symlinks=True)
    for version in ("2.0.0", "2.1.0"):
        world.commit(version)
        world.tag(version)
    assert world.run("-C", str(copy), "--json", "release", "toy", "2.1.0").code == 0, "the copy is quicker"
    stopped = release(circle, "2.0.0")
    assert (stopped.code, stopped.event("refused")["code"]) in {(6, "trail-ahead"), (6, "witness-refused")}
    for name in circle.names:
        assert world.run("witness", "status", str(circle.directory(name))).code == 0, "nobody signed a fork"
