"""An instance whose log, root and builder keys are with a real SSH agent: not one of them is a file."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.drills.scene import Scene

pytestmark = [pytest.mark.client, pytest.mark.slow]


@pytest.fixture
def held(scene: Scene) -> Iterator[Scene]:
    """The scene with an agent that holds three keys of its own making."""
    address = str(scene.root / "agent")
    server = subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    scene.env["SSH_AUTH_SOCK"] = address
    for role in ("log", "root", "builder", "second"):
        key = scene.root / f"{role}-in-agent"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
        subprocess.run(["ssh-add", "-q", key], env=os.environ | {"SSH_AUTH_SOCK": address}, check=True)
        key.with_suffix(".pub").rename(scene.home / "keys" / f"{role}.pub")
        key.unlink()
    yield scene
    server.terminate()
    server.communicate(timeout=10)


def name(scene: Scene, *roles: str, **files: str) -> None:
    """The settings name the agent's keys."""
    settings = scene.home / "tagtrail.toml"
    text = settings.read_text().partition("\n[keys]\n")[0]
    lines = "".join(f'{role} = "agent:keys/{files.get(role, role)}.pub"\n' for role in roles)
    settings.write_text(f"{text}\n[keys]\n{lines}")


def test_keys_move_to_an_agent_and_are_rotated_there(held: Scene) -> None:
    for role in ("builder", "log", "root"):
        name(held, *{"builder": ("builder",), "log": ("builder", "log"), "root": ("builder", "log")}[role])
        if role != "root":
            held.keys("rotate", role)
            held.private(f"{role}.key").unlink()
    new = held.release("1.1.0")
    held.pin("bob")
    assert [held.verify("bob", file) for file in (held.file, new)] == ["ok", "ok"]
    assert {e["here"] for e in held.keys("show").events if e["event"] == "key" and e["role"] in ("log", "builder")} == {
        "with the SSH agent",
        "",
    }
    assert held.keys("rotate", "log", exit=2).event("refused")["code"] == "key-elsewhere"
    name(held, "builder", "log", log="second")
    held.keys("rotate", "log")
    held.pin("bob")
    assert held.verify("bob", held.release("1.2.0")) == "ok"
    held.done("audit")


def test_an_agent_that_went_away_is_said_before_anything_is_done(held: Scene) -> None:
    name(held, "log")
    held.keys("rotate", "log")
    held.env["SSH_AUTH_SOCK"] = str(held.root / "absent")
    held.commit("next")
    held.tag("1.1.0")
    assert held.done("release", "toy", "1.1.0", exit=2).event("refused")["code"] == "agent-unreachable"
    assert len(held.leaves()) == 3
