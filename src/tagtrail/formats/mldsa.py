"""ML-DSA-44 (FIPS 204) with an empty context: signatures that a quantum computer does not forge.

A public key has 1312 bytes, every value of which is a key; a signature 2420; a secret is the seed of 32 bytes. Signing
is hedged: two signatures over one message differ. `cryptography` brings it where its OpenSSL does; it is imported when
first needed, and a machine that has an older one says so (`mldsa-missing`) rather than call a signature bad.
"""

from typing import Any

from tagtrail.model.errors import SetupError, TamperError

__all__ = ["KEY_SIZE", "SEED_SIZE", "SIGNATURE_SIZE", "check_key", "public_key", "sign", "verify"]

SEED_SIZE = 32
KEY_SIZE = 1312
SIGNATURE_SIZE = 2420


def check_key(key: bytes) -> None:
    """Raises TamperError key-size."""
    if len(key) != KEY_SIZE:
        raise TamperError(f"an ML-DSA-44 key has {KEY_SIZE} bytes, this one {len(key)}", code="key-size")


def public_key(seed: bytes) -> bytes:
    """The public key of a 32-byte secret seed. Raises SetupError mldsa-missing."""
    found: bytes = _keys().MLDSA44PrivateKey.from_seed_bytes(seed).public_key().public_bytes_raw()
    return found


def sign(seed: bytes, message: bytes) -> bytes:
    """A signature, another one each time. Raises SetupError mldsa-missing."""
    signature: bytes = _keys().MLDSA44PrivateKey.from_seed_bytes(seed).sign(message)
    return signature


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a key that passed `check_key` made `signature` over `message`. Raises SetupError mldsa-missing."""
    from cryptography.exceptions import InvalidSignature

    try:
        _keys().MLDSA44PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _keys() -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        mldsa.MLDSA44PublicKey.from_public_bytes(bytes(KEY_SIZE))
    except (ImportError, UnsupportedAlgorithm) as error:
        raise SetupError(
            "ML-DSA-44 signatures cannot be read here",
            code="mldsa-missing",
            why="the `cryptography` of this machine, or the OpenSSL within, is too old",
            hint="pip install --upgrade cryptography",
        ) from error
    return mldsa
