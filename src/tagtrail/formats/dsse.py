"""DSSE envelopes: a payload, its type, and signatures over both.

    {"payload":"...","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"530d903a","sig":"..."}]}

What is signed is the pre-authentication encoding (PAE), in which lengths are ASCII decimal numbers of bytes:

    "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload

The keys are Ed25519 keys of the note family (type 0x01); `keyid` is their key id in hexadecimal, a hint that proves
nothing. A threshold counts key *values*: one key under two ids, or signing twice, is one. Written is one line of
canonical JSON; read is any strict JSON with exactly these members and standard base64 in canonical form (`keyid` may
be missing). Sources: DSSE protocol and envelope 1.0.2 (secure-systems-lab/dsse), in-toto attestation, spec/v1/envelope.
Reason codes: dsse-members, dsse-type, dsse-payload-type, dsse-base64, dsse-no-signature, dsse-signature-count,
dsse-bad-signature, dsse-threshold; json-*.
"""

from collections.abc import Collection, Sequence
from typing import Any

from tagtrail.formats import canonical
from tagtrail.formats.encoding import base64_decode, base64_encode, shown
from tagtrail.formats.note import AnySigner, Verifier
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen

__all__ = ["IN_TOTO", "MAX_SIGNATURES", "MAX_SIZE", "Envelope", "Signature", "pae", "parse", "sign", "verify"]

IN_TOTO = "application/vnd.in-toto+json"
MAX_SIZE = 16 * 2**20
"""Bytes of an envelope."""

MAX_SIGNATURES = 64


@frozen
class Signature:
    """One signature; `keyid` is a hint, empty where it is missing."""

    keyid: str
    value: bytes


@frozen
class Envelope:
    """A payload and its signatures, nothing verified."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Canonical JSON in one line, without a newline; `parse` gives this envelope back."""
        signatures = [{"keyid": s.keyid, "sig": base64_encode(s.value)} for s in self.signatures]
        payload = base64_encode(self.payload)
        return canonical.dumps({"payload": payload, "payloadType": self.payload_type, "signatures": signatures})


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(
    payload_type: str, payload: bytes, signers: Sequence[AnySigner], *, others: Sequence[Signature] = ()
) -> Envelope:
    """The envelope with `others` (signatures over the same payload) first, then one signature per signer.

    Raises ValueError for a signer of a cosignature's type.
    """
    signatures = tuple(_sign(signer, pae(payload_type, payload)) for signer in signers)
    return Envelope(payload_type=payload_type, payload=payload, signatures=(*others, *signatures))


def parse(data: bytes, max_size: int = MAX_SIZE, *, least: int = 1) -> Envelope:
    """The envelope in a file or a line, without its newline; nothing is verified. With `least` 0 it may be unsigned.

    Raises TamperError dsse-members, dsse-type, dsse-payload-type, dsse-base64, dsse-no-signature, dsse-signature-count
    and json-*.
    """
    members = _members(canonical.loads_strict(data, max_size), ("payload", "payloadType", "signatures"))
    payload_type = _text(members, "payloadType")
    if not payload_type:
        raise TamperError("the envelope's payloadType is empty", code="dsse-payload-type")
    signatures = members["signatures"]
    if not isinstance(signatures, list):
        raise TamperError("the envelope's signatures are no array", code="dsse-type")
    if len(signatures) < least:
        raise TamperError("the envelope has no signatures", code="dsse-no-signature")
    if len(signatures) > MAX_SIGNATURES:
        what = f"the envelope has {len(signatures)} signatures, at most {MAX_SIGNATURES} are read"
        raise TamperError(what, code="dsse-signature-count")
    return Envelope(
        payload_type=payload_type,
        payload=base64_decode(_text(members, "payload"), "dsse-base64"),
        signatures=tuple(_signature(signature) for signature in signatures),
    )


def verify(envelope: Envelope, keys: Collection[Verifier], threshold: int = 1) -> tuple[Verifier, ...]:
    """Those of `keys` that signed, each key value once, at least `threshold` (else TamperError dsse-threshold).

    A signature that names one of `keys` by its key id must be of a key of that id: else TamperError dsse-bad-signature.
    Other signatures are tried with every key, for the id is a hint, and ignored where none fits. Raises ValueError for
    a threshold below 1.
    """
    if threshold < 1:
        message = f"a threshold of {threshold} would accept anything"
        raise ValueError(message)
    message_bytes = pae(envelope.payload_type, envelope.payload)
    signed: dict[bytes, Verifier] = {}
    for signature in envelope.signatures:
        named = [key for key in keys if key.key_id.hex() == signature.keyid]
        found = [key for key in named or keys if _is_by(key, message_bytes, signature.value)]
        if named and not found:
            what = f"the signature of {shown(named[0].name)} ({signature.keyid}) is not over this payload"
            raise TamperError(what, code="dsse-bad-signature", why="the payload was changed or the signature is forged")
        for key in found:
            signed.setdefault(key.key, key)
    if len(signed) < threshold:
        names = ", ".join(sorted({shown(key.name) for key in keys})) or "nobody"
        what = f"{len(signed)} of {threshold} needed keys signed the envelope, known are {names}"
        raise TamperError(what, code="dsse-threshold")
    return tuple(signed.values())


def _sign(signer: AnySigner, message: bytes) -> Signature:
    verifier = signer.verifier
    if verifier.scheme.timed:
        what = f"key {shown(signer.name)} of type 0x{verifier.kind:02x} signs no envelopes"
        raise ValueError(what)
    return Signature(keyid=verifier.key_id.hex(), value=signer.sign(message))


def _is_by(verifier: Verifier, message: bytes, signature: bytes) -> bool:
    scheme = verifier.scheme
    right = not scheme.timed and len(signature) == scheme.signature_size
    return right and scheme.verify(verifier.key, message, signature)


def _signature(value: object) -> Signature:
    members = _members(value, ("sig",), optional=("keyid",))
    keyid = _text(members, "keyid") if "keyid" in members else ""
    return Signature(keyid=keyid, value=base64_decode(_text(members, "sig"), "dsse-base64"))


def _members(value: object, wanted: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TamperError(f"{type(value).__name__} where a JSON object belongs", code="dsse-type")
    wrong = {*wanted} - {*value} or {*value} - {*wanted, *optional}
    if wrong:
        found = ", ".join(map(shown, sorted(value)))
        what = f"an object of members {found} instead of {', '.join(wanted)}"
        raise TamperError(what, code="dsse-members", why=f"{shown(min(wrong))} is missing or unknown")
    return value


def _text(members: dict[str, Any], name: str) -> str:
    text = members[name]
    if not isinstance(text, str):
        raise TamperError(f"{name} is {type(text).__name__} instead of a string", code="dsse-type")
    return text
