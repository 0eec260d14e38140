"""The signature beside an artifact, FILE.asc: armoured, detached, one of version 4, by a release key of the root.

Codes are those of tags with another first word: asc-malformed, asc-two-signatures, asc-version, asc-signer-unknown,
asc-signature-bad, asc-signature-weak, asc-key-not-yet, asc-key-expired, asc-key-revoked.
"""

from collections.abc import Sequence

from tagtrail.formats.times import format_time
from tagtrail.model.entry import Key
from tagtrail.model.errors import TamperError
from tagtrail.verify.proofs import TOLERANCE
from tagtrail.verify.statement import Statement

__all__ = ["MAX_ASC", "judge_asc"]

MAX_ASC = 64 * 1024
"""Bytes of the largest signature that is read."""

_BEGIN, _END = b"-----BEGIN PGP SIGNATURE-----", b"-----END PGP SIGNATURE-----"


def judge_asc(block: bytes, data: bytes, keys: Sequence[Key], at: int) -> str:
    """The fingerprint of the release key that made `block` over `data`, valid at `at` (Unix seconds).

    Raises TamperError with the codes above.
    """
    from tagtrail.verify.openpgp import judge_openpgp

    _check_armour(block)
    try:
        statement = judge_openpgp(block, data, keys)
    except TamperError as error:
        what = error.what.removeprefix("the ").replace("the allowed signers", "the root's release keys")
        raise TamperError(what, code=error.code.replace("tag-", "asc-", 1), why=error.why) from None
    _check_time(statement, at)
    return statement.signer.fingerprint


def _check_armour(block: bytes) -> None:
    """One signature, nothing before it and nothing behind: what gpg, sq and we read is the same."""
    from pysequoia.packet import PacketPile

    if len(block) > MAX_ASC or not block.startswith(_BEGIN) or not block.rstrip(b"\n").endswith(b"\n" + _END):
        raise TamperError("it is not an armoured detached signature", code="asc-malformed")
    if block.count(_BEGIN) != 1 or block.count(_END) != 1:
        raise TamperError("it holds more than one signature", code="asc-two-signatures")
    try:
        versions = [packet.signature_version for packet in PacketPile.from_bytes(block)]
    except Exception as error:  # noqa: BLE001  (pysequoia has no error type of its own)
        why = str(error).split("\n", 1)[0].lower()
        raise TamperError("the signature cannot be read", code="asc-malformed", why=why) from None
    if any(version not in (None, 4) for version in versions):
        raise TamperError(f"the signature is of version {versions[0]}, not 4", code="asc-version")


def _check_time(statement: Statement, at: int) -> None:
    for code, moment, word in (
        ("asc-key-revoked", statement.revoked, "is revoked since"),
        ("asc-key-expired", statement.expires, "expired at"),
    ):
        if moment is not None and moment <= at:
            raise _untimely(statement, code, f"{word} {format_time(moment)}", at)
    if statement.begins is not None and at + TOLERANCE < statement.begins:
        raise _untimely(statement, "asc-key-not-yet", f"is valid from {format_time(statement.begins)} on", at)


def _untimely(statement: Statement, code: str, state: str, at: int) -> TamperError:
    what = f"the release key {statement.signer.fingerprint} {state}, the entry is of {format_time(at)}"
    return TamperError(what, code=code)
