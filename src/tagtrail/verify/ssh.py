"""SSH signatures judged: whether a key made a signature over a message."""

from hashlib import sha256
from typing import TYPE_CHECKING

from tagtrail.formats import ed25519
from tagtrail.formats.sshsig import SshKey, SshSignature, strings
from tagtrail.model.errors import TamperError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

__all__ = ["check_ssh_key", "ssh_verifies"]

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16_384
_PRESENT = 0x01

_SCHEMES = {
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
    "sk-ssh-ed25519@openssh.com": ("sk-ssh-ed25519@openssh.com",),
}
"""How keys of a type may sign, where it is not the type's own name."""

_CURVES = {
    "nistp256": ("SECP256R1", "SHA256"),
    "nistp384": ("SECP384R1", "SHA384"),
    "nistp521": ("SECP521R1", "SHA512"),
}


def check_ssh_key(key: SshKey) -> None:
    """Refuse a key with which a signature proves nothing. Raises TamperError key-size, key-small-order, key-*."""
    if "ed25519" in key.type:
        ed25519.check_key(key.fields[0])
    elif key.type == "ssh-rsa":
        bits = _mpint(key.fields[1]).bit_length()
        if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
            what = f"the RSA key {key.fingerprint} has {bits} bits, from {MIN_RSA_BITS} on are accepted"
            raise TamperError(what, code="key-size")
        if _mpint(key.fields[0]) < 3 or _mpint(key.fields[0]) % 2 == 0:
            raise TamperError(f"the RSA key {key.fingerprint} has an exponent nobody uses", code="key-exponent")
    elif key.fields[0].decode("ascii", "replace") != _curve(key):
        raise TamperError(f"the key {key.fingerprint} is on another curve than its type", code="key-off-curve")
    else:
        _ecdsa_key(key)


def ssh_verifies(signature: SshSignature, message: bytes) -> bool:
    """Whether the key that the signature names made it over `message`, by a scheme of its type, with a person present.

    Raises TamperError as `check_ssh_key`.
    """
    from cryptography.exceptions import InvalidSignature

    key = signature.key
    check_ssh_key(key)
    data = signature.signed(message)
    if key.type.startswith("sk-"):
        if not signature.tail[0] & _PRESENT:
            return False
        data = sha256(key.fields[-1]).digest() + signature.tail + sha256(data).digest()
    if signature.scheme not in _SCHEMES.get(key.type, (key.type,)):
        return False
    try:
        _verify(signature, data)
    except (InvalidSignature, TamperError, ValueError):
        return False
    return True


def _verify(signature: SshSignature, data: bytes) -> None:
    key = signature.key
    if "ed25519" in key.type:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        Ed25519PublicKey.from_public_bytes(key.fields[0]).verify(signature.value, data)
    elif key.type == "ssh-rsa":
        _verify_rsa(key, signature.scheme, signature.value, data)
    else:
        _verify_ecdsa(key, signature.value, data)


def _verify_rsa(key: SshKey, scheme: str, value: bytes, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    exponent, modulus = (_mpint(field) for field in key.fields)
    digest = hashes.SHA512() if scheme == "rsa-sha2-512" else hashes.SHA256()
    RSAPublicNumbers(exponent, modulus).public_key().verify(value, data, PKCS1v15(), digest)


def _verify_ecdsa(key: SshKey, value: bytes, data: bytes) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    r, s = (_mpint(number) for number in strings(value, "ssh-number", 2))
    digest = getattr(hashes, _CURVES[_curve(key)][1])()
    _ecdsa_key(key).verify(encode_dss_signature(r, s), data, ECDSA(digest))


def _ecdsa_key(key: SshKey) -> "EllipticCurvePublicKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    curve = getattr(ec, _CURVES[_curve(key)][0])()
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, key.fields[1])
    except ValueError:
        raise TamperError(f"the key {key.fingerprint} is no point of its curve", code="key-off-curve") from None


def _curve(key: SshKey) -> str:
    return key.type.split("@", 1)[0].rsplit("-", 1)[1]


def _mpint(data: bytes) -> int:
    """RFC 4251, section 5: positive, no byte too many."""
    if not data or data[0] & 0x80 or (data[0] == 0 and (len(data) == 1 or not data[1] & 0x80)):
        raise TamperError("a number of an SSH key or signature is not in its one spelling", code="ssh-number")
    return int.from_bytes(data, "big")
