"""A real ssh-agent signs what a key file would sign, byte for byte; whoever does not sign is told apart."""

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagtrail.adapters.ssh_agent import agent_signer
from tagtrail.formats import dsse, note
from tagtrail.model.errors import SetupError

pytestmark = pytest.mark.client

NAME = "releases.example.org/trail"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An agent that holds one Ed25519 key, `key`; `other` it does not hold."""
    address = str(tmp_path / "agent")
    server = subprocess.Popen(["ssh-agent", "-D", "-a", address], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    server.stdout.readline()
    for name, kind in (("key", "ed25519"), ("other", "ed25519"), ("rsa", "rsa")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", tmp_path / name], check=True)
    env = {"SSH_AUTH_SOCK": address}
    subprocess.run(["ssh-add", "-q", tmp_path / "key"], env=os.environ | env, check=True)
    yield env
    server.terminate()
    server.communicate(timeout=10)


def public(tmp_path: Path, name: str) -> bytes:
    return (tmp_path / f"{name}.pub").read_bytes()


def test_it_signs_notes_and_envelopes(tmp_path: Path, agent: dict[str, str]) -> None:
    signer = agent_signer(NAME, public(tmp_path, "key"), agent)
    signed = note.sign("a\ntext\n", [signer]).encode()
    assert note.open_note(signed, [signer.verifier]).verified[0].verifier == signer.verifier
    envelope = dsse.sign("type", b"payload", [signer])
    assert dsse.verify(dsse.parse(envelope.encode()), [signer.verifier]) == (signer.verifier,)


def code(signer_of: object, *args: object) -> str:
    with pytest.raises(SetupError) as caught:
        signer_of(*args)  # type: ignore[operator]
    return caught.value.code


def test_a_key_that_it_does_not_hold(tmp_path: Path, agent: dict[str, str]) -> None:
    assert code(agent_signer(NAME, public(tmp_path, "other"), agent).sign, b"data") == "agent-refused"


def test_other_keys_and_no_agent(tmp_path: Path, agent: dict[str, str]) -> None:
    assert code(agent_signer, NAME, public(tmp_path, "rsa"), agent) == "agent-key"
    assert code(agent_signer, NAME, b"nonsense", agent) == "agent-key"
    assert code(agent_signer, NAME, public(tmp_path, "key"), {}) == "agent-unreachable"
    absent = agent_signer(NAME, public(tmp_path, "key"), {"SSH_AUTH_SOCK": str(tmp_path / "absent")})
    assert code(absent.sign, b"data") == "agent-unreachable"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (b"", "agent-unreachable"),
        (b"\0\0\0\1\5", "agent-refused"),
        (b"\0\0\0\x54\x0e" + b"\0\0\0\x4f" + b"\0\0\0\x0bssh-ed25519" + b"\0\0\0\x40" + bytes(64), "agent-refused"),
        (b"\xff\xff\xff\xff", "agent-unreachable"),
    ],
    ids=["silent", "failure", "a signature that is none", "endless"],
)
def test_an_agent_that_lies(tmp_path: Path, agent: dict[str, str], reply: bytes, expected: str) -> None:
    address = str(tmp_path / "liar")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        signer = agent_signer(NAME, public(tmp_path, "key"), {"SSH_AUTH_SOCK": address})
        assert code(signer.sign, b"data") == expected
        thread.join()
