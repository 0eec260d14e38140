"""A key that an SSH agent holds: the agent signs, its secret half is nowhere in our process (or machine).

OpenSSH's `ssh-agent`, and whatever speaks its protocol for a smart card or an HSM, signs with an Ed25519 key exactly
the bytes that it is given: what it returns is the signature that a note or an envelope holds. Source: the SSH agent
protocol (draft-ietf-sshm-ssh-agent, sections 3, 5.3 and 5.6): every message is `u32 length, byte type, contents`.

    request     13  string key blob, string data, u32 flags      reply   14  string (string "ssh-ed25519", string 64 B)
    anything else is a refusal: 5
"""

import os
import socket
from collections.abc import Mapping

from tagtrail.formats.note import Verifier
from tagtrail.formats.sshsig import parse_key_line
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.frozen import frozen

__all__ = ["AgentSigner", "agent_signer"]

_SIGN_REQUEST, _SIGN_RESPONSE = 13, 14
_LIMIT = 256 * 1024
_WAIT = 60.0
"""Seconds: a person may have to touch something."""

_KIND = b"ssh-ed25519"


@frozen
class AgentSigner:
    """The port `AnySigner` (formats/note.py). `address` is the agent's socket."""

    verifier: Verifier
    address: str

    @property
    def name(self) -> str:
        """See `AnySigner`."""
        return self.verifier.name

    def sign(self, message: bytes) -> bytes:
        """See `AnySigner`. Raises SetupError `agent-unreachable`, `agent-refused`."""
        key = _string(_KIND) + _string(self.verifier.key)
        reply = self._ask(bytes([_SIGN_REQUEST]) + _string(key) + _string(message) + bytes(4))
        signature = reply[-self.verifier.scheme.signature_size :]
        expected = bytes([_SIGN_RESPONSE]) + _string(_string(_KIND) + _string(signature))
        if reply != expected or not self.verifier.scheme.verify(self.verifier.key, message, signature):
            what = f"the SSH agent does not sign with {self.verifier.vkey()}"
            why = "it does not hold the key, or somebody declined"
            raise SetupError(what, code="agent-refused", why=why, hint="ssh-add -l shows what it holds")
        return signature

    def _ask(self, request: bytes) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as agent:
                agent.settimeout(_WAIT)
                agent.connect(self.address)
                agent.sendall(len(request).to_bytes(4, "big") + request)
                size = int.from_bytes(_read(agent, 4), "big")
                return _read(agent, min(size, _LIMIT))
        except OSError as error:
            what = f"the SSH agent at {self.address} does not answer: {error.strerror or error}"
            raise SetupError(what, code="agent-unreachable", hint="start it, and export SSH_AUTH_SOCK") from error


def agent_signer(name: str, public: bytes, environ: Mapping[str, str] = os.environ) -> AgentSigner:
    """The signer called `name` for the public key in a `.pub` file; the agent is the one of $SSH_AUTH_SOCK.

    Raises SetupError `agent-key` (no Ed25519 key), `agent-unreachable` (no agent).
    """
    try:
        key = parse_key_line(public.decode("ascii").strip())
    except (TamperError, UnicodeDecodeError) as error:
        raise SetupError(f"no SSH public key: {error}", code="agent-key", hint="ssh-keygen -t ed25519") from error
    if key.type.encode() != _KIND:
        what = f"an agent's key for {name} is {key.type}, it must be ssh-ed25519"
        raise SetupError(what, code="agent-key", hint="ssh-keygen -t ed25519")
    address = environ.get("SSH_AUTH_SOCK", "")
    if not address:
        what = "no SSH agent is known: SSH_AUTH_SOCK is not set"
        raise SetupError(what, code="agent-unreachable", hint="eval $(ssh-agent); ssh-add KEY")
    return AgentSigner(verifier=Verifier(name=name, key=key.fields[0]), address=address)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _read(agent: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = agent.recv(count - len(data))
        if not piece:
            raise ConnectionError("it hung up")
        data += piece
    return data
