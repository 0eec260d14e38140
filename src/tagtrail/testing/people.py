"""People for tests: Ed25519 keys that sign as `ssh-keygen -Y sign` does, with no process and no key file.

The signature is an SSHSIG (OpenSSH, PROTOCOL.sshsig): over the digest of the message, in a namespace, so that what was
signed as a git tag is never taken for an approval.
"""

import base64
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256, sha512

from tagtrail.formats import ed25519
from tagtrail.model.facts import Key

__all__ = ["Person"]

_MAGIC = b"SSHSIG"
_ALGORITHM = b"ssh-ed25519"
_COLUMNS = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a key: the same name has the same key on every machine, so it protects nothing."""

    name: str

    @property
    def seed(self) -> bytes:
        """The secret key: 32 bytes, made of the name."""
        return sha256(b"tagtrail.testing person " + self.name.encode()).digest()

    @property
    def key(self) -> Key:
        """The public key as settings and roots have it."""
        blob = self._blob()
        fingerprint = base64.b64encode(sha256(blob).digest()).decode().rstrip("=")
        material = f"ssh-ed25519 {base64.b64encode(blob).decode()}"
        return Key(fingerprint=f"SHA256:{fingerprint}", scheme="ssh", material=material, person=self.name)

    def sign(self, message: bytes, namespace: str = "git") -> bytes:
        """An armoured SSHSIG over `message`."""
        head = _string(namespace.encode()) + _string(b"") + _string(b"sha512")
        signature = ed25519.sign(self.seed, _MAGIC + head + _string(sha512(message).digest()))
        signed = _string(_string(_ALGORITHM) + _string(signature))
        blob = _MAGIC + (1).to_bytes(4, "big") + _string(self._blob()) + head + signed
        return _armour(base64.b64encode(blob).decode())

    def _blob(self) -> bytes:
        return _public(self.seed)


@lru_cache(maxsize=64)
def _public(seed: bytes) -> bytes:
    return _string(_ALGORITHM) + _string(ed25519.public_key(seed))


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _armour(text: str) -> bytes:
    lines = [text[i : i + _COLUMNS] for i in range(0, len(text), _COLUMNS)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]).encode()
