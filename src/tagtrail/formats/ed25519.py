"""Ed25519 (RFC 8032) with the keys that verify everything refused.

`cryptography` checks signatures well but loads any 32 bytes as a key; with one of small order a signature is good for
arbitrary messages. A public key is y (255 bits, little-endian) and the sign of x. Refused are

    y >= p             a second spelling of another key                  key-not-canonical
    y with no x        not a point of -x^2 + y^2 = 1 + d x^2 y^2         key-off-curve
    order 1, 2, 4, 8   y is 0, 1, -1 or one of the two of order eight    key-small-order

with p = 2**255 - 19, d = -121665/121666; a length other than 32 bytes is key-size.
`cryptography` is imported when first needed: it takes longer than all of this package.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from tagtrail.model.errors import TamperError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["KEY_SIZE", "SIGNATURE_SIZE", "check_key", "public_key", "sign", "verify"]

KEY_SIZE = 32
SIGNATURE_SIZE = 64

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_EIGHT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL = frozenset({0, 1, _P - 1, _EIGHT, _P - _EIGHT})


def check_key(key: bytes) -> None:
    """Raises TamperError key-size, key-not-canonical, key-small-order or key-off-curve."""
    if len(key) != KEY_SIZE:
        raise TamperError(f"an Ed25519 key has {KEY_SIZE} bytes, this one {len(key)}", code="key-size")
    y = int.from_bytes(key, "little") & (2**255 - 1)
    if y >= _P:
        raise TamperError(f"Ed25519 key {key.hex()} is not in canonical form", code="key-not-canonical")
    if y in _SMALL:
        why = "with it, one signature is good for any text"
        raise TamperError(f"Ed25519 key {key.hex()} is of small order", code="key-small-order", why=why)
    if not _has_x(y):
        raise TamperError(f"Ed25519 key {key.hex()} is no point of the curve", code="key-off-curve")


def public_key(seed: bytes) -> bytes:
    """The public key of a 32-byte secret seed."""
    return _private(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature, deterministic."""
    return _private(seed).sign(message)


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a key that passed `check_key` made `signature` over `message`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=1024)  # half a millisecond each, and asked again and again for the same few keys
def _has_x(y: int) -> bool:
    """Whether x^2 = u / v has a solution (RFC 8032 section 5.1.3, which needs no inverse)."""
    u, v = y * y - 1, _D * y * y + 1
    x = u * v**3 * pow(u * v**7, (_P - 5) // 8, _P)
    return (v * x * x - u) % _P == 0 or (v * x * x + u) % _P == 0


def _private(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)
