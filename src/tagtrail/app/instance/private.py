"""The secret keys in HOME/private: made new, laid aside until a root names them, and put in their place.

`FILE.next` is a key that no root names yet. As soon as one does it takes the place of FILE, so a crash in between is
healed by whoever opens the instance next; what was in FILE is gone then. A key that was lost or stolen makes room at
once: nothing may be signed with it meanwhile.
"""

import os
from collections.abc import Callable

from tagtrail.adapters.openpgp import OpenPGP, generate
from tagtrail.app.instance.home import Home
from tagtrail.formats.note import AnySigner, Signer, parse_skey
from tagtrail.formats.provenance import builder_name
from tagtrail.formats.root import Root
from tagtrail.io import durable
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.model.settings import Settings
from tagtrail.verify.roots import policy_of

__all__ = ["FILES", "install", "laid_aside", "make", "note_key", "pending", "public_half", "signer_of"]

FILES = {"log": "log.key", "root": "root.key", "builder": "builder.key", "release": "release-key.pgp"}
"""Role to the file of its secret key."""

_NEXT = ".next"


def note_key(at: Home, name: str) -> Signer:
    """The signer in a secret key's file. Raises SetupError `key-missing`, `key-mode`, `key-form`."""
    try:
        return parse_skey(at.secret(name).decode("ascii").strip())
    except (TamperError, UnicodeDecodeError) as error:
        what = f"private/{name} is no secret key: {error}"
        raise SetupError(what, code="key-form", hint="put it back from a back-up; else tagtrail keys rotate") from error


def signer_of(at: Home, settings: Settings, role: str) -> AnySigner:
    """Who signs in a role of the note family: a file in private/, or an agent where the settings say so.

    Raises SetupError as `note_key`, `agent-key`, `agent-unreachable`.
    """
    where = dict(settings.keys).get(role)
    if where is None:
        return note_key(at, FILES[role])
    from tagtrail.adapters.ssh_agent import agent_signer

    path = at.path / where.removeprefix("agent:")
    try:
        public = path.read_bytes()
    except OSError as error:
        what = f"keys.{role} names {path}, which cannot be read: {error.strerror}"
        raise SetupError(what, code="agent-key", hint=f"ssh-add -L, its line into {path}") from error
    origin = settings.org.origin
    return agent_signer(builder_name(origin) if role == "builder" else origin, public)


def make(at: Home, role: str, origin: str, *, at_once: bool) -> None:
    """A new secret key for a role: laid aside, or `at_once` in its place. One that is laid aside already stays."""
    name = FILES[role] if at_once else FILES[role] + _NEXT
    if not at_once and at.holds(name):
        return
    durable.write(at.path / "private" / name, _secret(role, origin), mode=0o600)


def laid_aside(at: Home, role: str) -> str:
    """The name of the file of a role's next key, or empty."""
    name = FILES[role] + _NEXT
    return name if at.holds(name) else ""


def pending(at: Home) -> tuple[str, ...]:
    """The roles whose next key waits for a root."""
    return tuple(role for role in FILES if laid_aside(at, role))


def install(at: Home, root: Root | None) -> tuple[str, ...]:
    """Put those laid aside into their place that `root` names; returns their roles."""
    private = at.path / "private"
    done = tuple(
        role
        for role in pending(at)
        if root is not None and public_half(at, role, FILES[role] + _NEXT) in _named(root, role)
    )
    for role in done:
        (private / f"{FILES[role]}{_NEXT}").replace(private / FILES[role])
    return done


def _secret(role: str, origin: str) -> bytes:
    if role == "release":
        return generate(f"{origin} release key").encode("ascii")
    name = builder_name(origin) if role == "builder" else origin
    return f"{Signer(name=name, seed=os.urandom(32)).skey()}\n".encode("ascii")


def public_half(at: Home, role: str, name: str) -> str:
    """The public key of the secret one in a file: a vkey, or an OpenPGP fingerprint. Raises as `note_key`."""
    return OpenPGP(at.secret(name)).fingerprint if role == "release" else note_key(at, name).verifier.vkey()


def _named(root: Root, role: str) -> tuple[str, ...]:
    known: dict[str, Callable[[], tuple[str, ...]]] = {
        "log": lambda: tuple(log.verifier.vkey() for log in policy_of(root).logs),
        "root": lambda: root.keys,
        "builder": lambda: root.builders,
        "release": lambda: tuple(key.fingerprint for key in root.release),
    }
    return known[role]()
