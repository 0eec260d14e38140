"""SSH keys and signatures: those of devices, which ssh-keygen cannot make without one, and keys that prove nothing."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tagtrail.formats import ed25519
from tagtrail.formats.sshsig import SshKey, SshSignature, join
from tagtrail.model.errors import TamperError
from tagtrail.verify.ssh import check_ssh_key, ssh_verifies
from tests.verify.workshop import seed

MESSAGE = b"a tag"
APPLICATION = b"ssh:"
PRESENT = b"\x01\0\0\0\x07"
CURVE = ec.derive_private_key(12345, ec.SECP256R1())
POINT = CURVE.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SK_ED25519 = SshKey(type="sk-ssh-ed25519@openssh.com", fields=(ed25519.public_key(seed("device")), APPLICATION))
SK_ECDSA = SshKey(type="sk-ecdsa-sha2-nistp256@openssh.com", fields=(b"nistp256", POINT, APPLICATION))


def mpint(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def by_device(key: SshKey, tail: bytes = PRESENT, application: bytes = APPLICATION) -> SshSignature:
    empty = SshSignature(key=key, namespace="git", hash="sha512", scheme=key.type, value=b"", tail=tail)
    signed = hashlib.sha256(application).digest() + tail + hashlib.sha256(empty.signed(MESSAGE)).digest()
    if key is SK_ED25519:
        value = ed25519.sign(seed("device"), signed)
    else:
        value = join(*map(mpint, decode_dss_signature(CURVE.sign(signed, ec.ECDSA(hashes.SHA256())))))
    return SshSignature(key=key, namespace="git", hash="sha512", scheme=key.type, value=value, tail=tail)


@pytest.mark.parametrize("key", [SK_ED25519, SK_ECDSA], ids=["ed25519", "ecdsa"])
def test_a_device_signs_with_a_person_present(key):
    good = by_device(key)
    assert ssh_verifies(good, MESSAGE)
    assert not ssh_verifies(good, MESSAGE + b".")
    assert not ssh_verifies(by_device(key, tail=b"\0" + PRESENT[1:]), MESSAGE)
    assert not ssh_verifies(by_device(key, application=b"https://example.org"), MESSAGE)
    moved = SshSignature(
        key=key, namespace="git", hash="sha512", scheme=key.type, value=good.value, tail=b"\x01\0\0\0\x08"
    )
    assert not ssh_verifies(moved, MESSAGE)


@pytest.mark.parametrize(
    "scheme", ["ssh-rsa", "ssh-ed25519", "rsa-sha2-512", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"]
)
def test_a_scheme_of_another_type_is_no_signature(scheme):
    good = by_device(SK_ED25519)
    other = SshSignature(key=good.key, namespace="git", hash="sha512", scheme=scheme, value=good.value, tail=good.tail)
    assert not ssh_verifies(other, MESSAGE)


def rsa_key(bits: int, exponent: int = 65537) -> SshKey:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return SshKey(type="ssh-rsa", fields=(mpint(exponent), mpint(numbers.n)))


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (SshKey(type="ssh-ed25519", fields=(b"\x01" + bytes(31),)), "key-small-order"),
        (SshKey(type="ssh-ed25519", fields=(b"short",)), "key-size"),
        (SshKey(type="sk-ssh-ed25519@openssh.com", fields=(bytes(32), b"ssh:")), "key-small-order"),
        (rsa_key(1024), "key-size"),
        (rsa_key(2048, exponent=1), "key-exponent"),
        (rsa_key(2048, exponent=4), "key-exponent"),
        (SshKey(type="ssh-rsa", fields=(b"\x01\0\x01", b"\x80" * 256)), "ssh-number"),
        (SshKey(type="ssh-rsa", fields=(b"\x01\0\x01", b"\0\0" + b"\x80" * 256)), "ssh-number"),
        (SshKey(type="ssh-rsa", fields=(b"\x01\0\x01", b"")), "ssh-number"),
        (SshKey(type="ecdsa-sha2-nistp256", fields=(b"nistp384", POINT)), "key-off-curve"),
        (SshKey(type="ecdsa-sha2-nistp256", fields=(b"nistp256", POINT[:-1] + b"\0")), "key-off-curve"),
    ],
)
def test_a_key_with_which_a_signature_proves_nothing_is_refused(key, code):
    with pytest.raises(TamperError) as caught:
        check_ssh_key(key)
    assert caught.value.code == code


def test_a_key_that_proves_nothing_is_refused_before_its_signature_is_looked_at():
    null = SshKey(type="ssh-ed25519", fields=(b"\x01" + bytes(31),))
    made = SshSignature(key=null, namespace="git", hash="sha512", scheme="ssh-ed25519", value=b"\x01" + bytes(63))
    with pytest.raises(TamperError) as caught:
        ssh_verifies(made, MESSAGE)
    assert caught.value.code == "key-small-order"
