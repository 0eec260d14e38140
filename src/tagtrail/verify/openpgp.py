"""OpenPGP signatures judged: Sequoia says whether a signature is good, the packets say what it does not tell.

Sequoia checks the signature, the subkey's binding in both directions, revocations and algorithms, all as of the moment
at which the signature claims to be made. That claim never decides for us: so the times between which the key was valid
are read from the certificate, for the caller to compare with a time that somebody else vouches for.

Sequoia writes the statements about a key newest first, and those that do not verify behind them: once it has accepted
a signature by a subkey, the first binding is the newest good one. It satisfies itself with any certificate that it is
given, so it is given one at a time.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tagtrail.formats.times import format_time
from tagtrail.model.entry import Key
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen
from tagtrail.verify.statement import Statement

if TYPE_CHECKING:
    from datetime import datetime

    from pysequoia import Cert, Sig
    from pysequoia.packet import Packet

__all__ = ["judge_openpgp"]

_CERTIFICATIONS = ("Generic", "Persona", "Casual", "Positive")
_BINDINGS = frozenset({"SubkeyBinding", "DirectKey", *(f"{kind}Certification" for kind in _CERTIFICATIONS)})
_DIGESTS = ("SHA224", "SHA256", "SHA384", "SHA512", "SHA3_256", "SHA3_512")
_ANY = Exception
"""pysequoia has no error type of its own, and its properties raise as well."""
_REVOCATIONS = frozenset({"KeyRevocation", "SubkeyRevocation"})


@frozen
class _Part:
    """A primary key or a subkey, and the signatures about it, in the certificate's order."""

    key: "Packet"
    about: tuple["Packet", ...]

    def of(self, kinds: frozenset[str]) -> tuple["Packet", ...]:
        return tuple(packet for packet in self.about if _name(_get(packet, "signature_type")) in kinds)

    def expiry(self, statement: "Packet") -> int | None:
        """When the key expires according to one statement about it."""
        period, created = _get(statement, "key_validity_period"), _moment(self.key, "key_created")
        return None if period is None or created is None else created + int(period.total_seconds())


@frozen
class _Candidate:
    """An allowed key whose certificate holds the key that a signature names: `part`, perhaps the primary itself."""

    key: Key
    certificate: "Cert"
    primary: _Part
    part: _Part

    @property
    def revoked(self) -> int | None:
        """The earliest revocation of the primary or the part.

        None is looked at more closely: a forged one would harm nobody but who put it into the key file.
        """
        packets = (*self.primary.of(_REVOCATIONS), *self.part.of(_REVOCATIONS))
        return min((_made(packet) for packet in packets), default=None)

    @property
    def expires(self) -> int | None:
        """When the part can no longer sign, by the newest statements."""
        times = [self.certified_until]
        if self.part is not self.primary:
            times += [self.part.expiry(packet) for packet in self.part.of(_BINDINGS)[:1]]
        return min((time for time in times if time is not None), default=None)

    @property
    def certified_until(self) -> int | None:
        """When the primary key expires: by Sequoia, or by the newest statement where it finds none that is good now."""
        try:
            return _seconds(self.certificate.expiration)
        except _ANY:
            return next((self.primary.expiry(packet) for packet in self.primary.of(_BINDINGS)), None)


def judge_openpgp(block: bytes, message: bytes, keys: Sequence[Key]) -> Statement:
    """Who of `keys` made the armoured signature `block` over `message`.

    Raises TamperError tag-malformed, tag-two-signatures, tag-signature-weak, tag-signature-bad, tag-signer-unknown,
    and where that is why the signature is not good: tag-key-not-yet, tag-key-expired, tag-key-revoked.
    """
    packet = _packet(block)
    signature, first = _signature(packet), None
    for candidate in (c for key in keys if key.scheme == "openpgp" for c in _candidates(key, packet)):
        _refuse_weak(packet)
        if _verifies(candidate, signature, message):
            return _statement(candidate, signature)
        first = first or candidate
    raise _unknown(packet) if first is None else _why_not(first, signature)


def _statement(good: _Candidate, signature: "Sig") -> Statement:
    return Statement(
        signer=good.key,
        signed_at=_moment(signature, "created"),
        begins=_moment(good.part.key, "key_created"),
        expires=good.expires,
        revoked=good.revoked,
    )


def _packet(block: bytes) -> "Packet":
    from pysequoia.packet import PacketPile

    try:
        packets: list[Packet] = [*PacketPile.from_bytes(block)]
    except _ANY as error:
        raise _unreadable(error) from None
    if len(packets) > 1:
        what = f"there are {len(packets)} OpenPGP packets where one signature belongs"
        raise TamperError(what, code="tag-two-signatures")
    if not packets:
        raise TamperError("the OpenPGP block holds no signature", code="tag-malformed")
    return packets[0]


def _signature(packet: "Packet") -> "Sig":
    from pysequoia import Sig

    try:
        return Sig.from_bytes(bytes(packet))
    except _ANY as error:
        raise _unreadable(error) from None


def _refuse_weak(packet: "Packet") -> None:
    digest = _name(_get(packet, "hash_algorithm"))
    if digest not in _DIGESTS:
        raise TamperError(
            f"the signature is made over a {digest} digest",
            code="tag-signature-weak",
            why=f"accepted are {', '.join(_DIGESTS)}: with others, other bytes may have the same digest",
            hint="put `digest-algo SHA512` into gpg.conf and sign a new tag",
        )
    if _name(_get(packet, "signature_type")) != "Binary":
        why = f"it is of type {_name(_get(packet, 'signature_type'))}; git signs bytes"
        raise TamperError("the signature is not one over bytes", code="tag-signature-bad", why=why)


def _candidates(key: Key, packet: "Packet") -> Iterator[_Candidate]:
    from pysequoia import Cert

    try:
        certificate = Cert.from_bytes(key.material.encode())
        primary, *subkeys = _parts(bytes(certificate))
    except _ANY:
        return  # what cannot be read has signed nothing
    for part in (primary, *subkeys):
        # what the list calls the key is not believed: the certificate says who it is
        if certificate.fingerprint.upper() == key.fingerprint and _names(packet, part.key):
            yield _Candidate(key=key, certificate=certificate, primary=primary, part=part)


def _parts(certificate: bytes) -> Iterator[_Part]:
    from pysequoia.packet import PacketPile

    packets = [*PacketPile.from_bytes(certificate)]
    heads = [number for number, packet in enumerate(packets) if _get(packet, "fingerprint") is not None]
    for start, stop in zip(heads, [*heads[1:], len(packets)], strict=True):
        yield _Part(key=packets[start], about=tuple(packets[start + 1 : stop]))


def _names(packet: "Packet", key: "Packet") -> bool:
    named = _get(packet, "issuer_fingerprint")
    if named is not None:
        return bool(named == key.fingerprint)
    named = _get(packet, "issuer_key_id")
    return named is not None and bool(named == key.key_id)


def _verifies(candidate: _Candidate, signature: "Sig", message: bytes) -> bool:
    from pysequoia import verify

    try:
        result = verify(bytes=message, store=lambda _: [candidate.certificate], signature=signature)
    except _ANY:  # it says no word of why
        return False
    wanted = (candidate.certificate.fingerprint, candidate.part.key.fingerprint)
    return [(good.certificate, good.signing_key) for good in result.valid_sigs] == [wanted]


def _why_not(candidate: _Candidate, signature: "Sig") -> TamperError:
    """Why Sequoia refused, as well as the packets tell; they are not verified, which a refusal may rest on."""
    made, statements = _moment(signature, "created"), candidate.part.of(_BINDINGS)
    earlier = [packet for packet in statements if made is not None and _made(packet) <= made]
    if _get(candidate.certificate, "is_revoked") or candidate.revoked is not None:
        return _refusal("tag-key-revoked", candidate, "is revoked, as stolen or without a reason")
    if made is not None and statements and not earlier:
        since = format_time(min(map(_made, statements)))
        return _refusal(
            "tag-key-not-yet",
            candidate,
            f"speaks for itself since {since}, the signature says {format_time(made)}",
            "was the key's expiry changed since? then its file needs the older certificate beside the newer one",
        )
    ends = [
        candidate.certified_until,
        *(candidate.part.expiry(packet) for packet in earlier and [max(earlier, key=_made)]),
    ]
    if made is not None and any(end is not None and end <= made for end in ends):
        return _refusal("tag-key-expired", candidate, f"had expired when the signature was made, {format_time(made)}")
    return TamperError(
        f"the signature by {candidate.key.fingerprint} is not good",
        code="tag-signature-bad",
        why="the tag was changed, the signature is forged, or its subkey is not one that may sign",
    )


def _refusal(code: str, candidate: _Candidate, why: str, hint: str = "") -> TamperError:
    return TamperError(f"the signer's key {candidate.key.fingerprint} {why}", code=code, hint=hint)


def _unknown(packet: "Packet") -> TamperError:
    named = _get(packet, "issuer_fingerprint") or _get(packet, "issuer_key_id") or ""
    who = named.upper() or "a key that it does not name"
    return TamperError(
        f"the signature is by OpenPGP key {who}, not by one of the allowed signers",
        code="tag-signer-unknown",
        hint=f"if that person may sign: gpg --armor --export {who}, into a key file under [people]",
    )


def _unreadable(error: Exception) -> TamperError:
    why = str(error).split("\n", 1)[0].lower()
    return TamperError("the OpenPGP signature cannot be read", code="tag-malformed", why=why)


def _get(thing: object, name: str) -> Any:
    """A property, None where pysequoia raises because of what is in the packet."""
    try:
        return getattr(thing, name)
    except _ANY:
        return None


def _moment(thing: object, name: str) -> int | None:
    return _seconds(_get(thing, name))


def _made(packet: "Packet") -> int:
    return _moment(packet, "signature_created") or 0


def _seconds(moment: "datetime | None") -> int | None:
    return None if moment is None else int(moment.timestamp())


def _name(value: object) -> str:
    """`SignatureType.Binary` -> `Binary`: pysequoia's enumerations have no name of their own, and no hash."""
    return str(value).rpartition(".")[2]
