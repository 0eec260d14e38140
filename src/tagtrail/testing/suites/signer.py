"""The suite of the port Signer: the form of what it makes; whether it verifies, only an OpenPGP tool can say."""

import base64
import binascii
import re
from collections.abc import Callable

from tagtrail.ports import Signer
from tagtrail.testing.suites.promise import equal, holds

__all__ = ["CHECKS", "Case", "armoured"]

Case = Callable[[], Signer]
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")


def armoured(text: str, kind: str) -> bytes:
    """The bytes within OpenPGP armour (RFC 4880, 6.2) of this kind; Broken unless it is exactly one block."""
    first, *lines = text.rstrip("\n").split("\n")
    equal(first, f"-----BEGIN {kind}-----", "armour begins with its kind")
    equal(lines[-1:], [f"-----END {kind}-----"], "and ends with it")
    holds("" in lines, "armour has an empty line between headers and body")
    body = [line for line in lines[lines.index("") + 1 : -1] if not line.startswith("=")]
    try:
        return base64.b64decode("".join(body), validate=True)
    except binascii.Error:
        holds(condition=False, promise="the body of armour is base64")
        raise


def the_fingerprint_is_a_v4_one(open_: Case) -> None:
    """40 upper-case hex digits, the same by every handle."""
    found = open_().fingerprint
    holds(_FINGERPRINT.fullmatch(found), f"{found} is no fingerprint of 40 upper-case hex digits")
    equal(open_().fingerprint, found, "a key has one fingerprint")


def the_certificate_is_public(open_: Case) -> None:
    """One armoured public key block, and nothing secret."""
    certificate = open_().certificate
    holds(armoured(certificate, "PGP PUBLIC KEY BLOCK"), "the certificate has a body")
    holds("PRIVATE" not in certificate, "the certificate has no secret part")
    equal(open_().certificate, certificate, "the certificate is always the same bytes: its digest is in the trail")


def a_signature_is_armoured_and_of_its_data(open_: Case) -> None:
    """One block for any data, the empty one too; other data, another signature."""
    signer = open_()
    found = [armoured(signer.sign(data).decode("ascii"), "PGP SIGNATURE") for data in (b"", b"a", b"b", bytes(70_000))]
    equal(len(set(found)), len(found), "other data has another signature")
    holds(max(map(len, found)) < 1000, "a detached signature does not hold the data")


CHECKS: tuple[Callable[[Case], None], ...] = (
    the_fingerprint_is_a_v4_one,
    the_certificate_is_public,
    a_signature_is_armoured_and_of_its_data,
)
