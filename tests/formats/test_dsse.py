import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import CryptoSigner, Key, SSlibKey  # type: ignore[attr-defined]
from securesystemslib.signer import Signature as TheirSignature  # type: ignore[attr-defined]

from tagtrail.formats import dsse
from tagtrail.formats.dsse import Envelope, Signature
from tagtrail.formats.note import COSIGNATURE, Signer, Verifier
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

ONE = Signer(name="one", seed=b"\x01" * 32)
TWO = Signer(name="two", seed=b"\x02" * 32)
KEYS = [ONE.verifier, TWO.verifier]
BODY = b'{"_type":"https://in-toto.io/Statement/v1"}'
SIGNED = dsse.sign(dsse.IN_TOTO, BODY, [ONE, TWO])

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
ENVELOPES = st.builds(
    Envelope,
    payload_type=TEXTS,
    payload=st.binary(),
    signatures=st.lists(
        st.builds(Signature, keyid=st.text(st.characters(exclude_categories=["Cs"])), value=st.binary()),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


def test_the_example_of_the_protocol() -> None:
    # secure-systems-lab/dsse, protocol.md, "test vectors"
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@given(TEXTS, st.binary())
def test_pae_is_that_of_securesystemslib(payload_type: str, payload: bytes) -> None:
    theirs = TheirEnvelope(payload=payload, payload_type=payload_type, signatures={})
    assert dsse.pae(payload_type, payload) == theirs.pae()


def test_pae_counts_bytes() -> None:
    assert dsse.pae("é", b"") == b"DSSEv1 2 \xc3\xa9 0 "
    assert dsse.pae("a", b"1 b") != dsse.pae("a 1", b"b")


@sparing
@given(ENVELOPES)
def test_envelopes_come_back(envelope: Envelope) -> None:
    data = envelope.encode()
    assert dsse.parse(data) == envelope
    assert b"\n" not in data


def test_what_we_sign_securesystemslib_verifies() -> None:
    theirs = TheirEnvelope.from_dict(json.loads(SIGNED.encode()))
    keys: list[Key] = [
        SSlibKey(key.key_id.hex(), "ed25519", "ed25519", {"public": key.key.hex()})
        for key in (ONE.verifier, TWO.verifier)
    ]
    assert set(theirs.verify(keys, 2)) == {key.keyid for key in keys}


def test_what_securesystemslib_signs_we_verify() -> None:
    theirs = TheirEnvelope(payload=BODY, payload_type=dsse.IN_TOTO, signatures={})
    for signer in (ONE, TWO):
        theirs.sign(CryptoSigner(Ed25519PrivateKey.from_private_bytes(signer.seed)))
    read = dsse.parse(json.dumps(theirs.to_dict(), indent=1).encode())
    assert all(len(signature.keyid) == 64 for signature in read.signatures)
    assert dsse.verify(read, KEYS, 2) == tuple(KEYS)


def test_signers_come_in_the_order_of_signatures() -> None:
    assert dsse.verify(SIGNED, [TWO.verifier, ONE.verifier], 2) == (ONE.verifier, TWO.verifier)
    assert dsse.verify(SIGNED, [TWO.verifier]) == (TWO.verifier,)


def test_signatures_are_added_to_what_stands() -> None:
    first = dsse.sign(dsse.IN_TOTO, BODY, [ONE])
    assert dsse.sign(dsse.IN_TOTO, BODY, [TWO], others=first.signatures) == SIGNED


def with_signatures(*signatures: Signature) -> Envelope:
    return Envelope(payload_type=dsse.IN_TOTO, payload=BODY, signatures=signatures)


FIRST, SECOND = SIGNED.signatures
STRANGER = dsse.sign(dsse.IN_TOTO, BODY, [Signer(name="three", seed=b"\x03" * 32)]).signatures[0]
RENAMED = Verifier(name="one-again", key=ONE.verifier.key)


def test_a_threshold_counts_key_values() -> None:
    assert refused(dsse.verify, with_signatures(FIRST), KEYS, 2) == "dsse-threshold"
    assert refused(dsse.verify, with_signatures(FIRST, FIRST), KEYS, 2) == "dsse-threshold"
    assert refused(dsse.verify, with_signatures(FIRST, STRANGER), KEYS, 2) == "dsse-threshold"
    again = Signature(keyid=RENAMED.key_id.hex(), value=FIRST.value)
    keys = [ONE.verifier, RENAMED, TWO.verifier]
    assert refused(dsse.verify, with_signatures(FIRST, again), keys, 2) == "dsse-threshold"
    assert dsse.verify(with_signatures(FIRST, again, SECOND), keys, 2) == (ONE.verifier, TWO.verifier)


def test_where_securesystemslib_counts_one_key_twice() -> None:
    body = TheirEnvelope.from_dict(json.loads(with_signatures(FIRST).encode()))
    public = {"public": ONE.verifier.key.hex()}
    keys: list[Key] = [SSlibKey(keyid, "ed25519", "ed25519", public) for keyid in ("first", "second")]
    body.signatures = {key.keyid: TheirSignature(key.keyid, FIRST.value.hex()) for key in keys}
    assert set(body.verify(keys, 2)) == {"first", "second"}
    ours = dsse.parse(json.dumps(body.to_dict()).encode())
    assert refused(dsse.verify, ours, [ONE.verifier, RENAMED], 2) == "dsse-threshold"


def test_nobody_is_known() -> None:
    assert refused(dsse.verify, SIGNED, []) == "dsse-threshold"
    assert refused(dsse.verify, with_signatures(STRANGER), KEYS) == "dsse-threshold"


def test_the_key_id_is_a_hint() -> None:
    assert dsse.verify(with_signatures(Signature(keyid="", value=FIRST.value)), KEYS) == (ONE.verifier,)
    assert dsse.verify(with_signatures(Signature(keyid="whatever", value=FIRST.value)), KEYS) == (ONE.verifier,)
    swapped = Signature(keyid=SECOND.keyid, value=FIRST.value)
    assert refused(dsse.verify, with_signatures(swapped), KEYS) == "dsse-bad-signature"


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(payload_type=dsse.IN_TOTO, payload=BODY + b" ", signatures=SIGNED.signatures),
        Envelope(payload_type="text/plain", payload=BODY, signatures=SIGNED.signatures),
        with_signatures(Signature(keyid=FIRST.keyid, value=bytes(64)), SECOND),
        with_signatures(Signature(keyid=FIRST.keyid, value=FIRST.value + b"\x00"), SECOND),
        with_signatures(Signature(keyid=FIRST.keyid, value=b""), SECOND),
    ],
)
def test_a_bad_signature_of_a_known_key(envelope: Envelope) -> None:
    assert refused(dsse.verify, envelope, KEYS) == "dsse-bad-signature"


def test_a_signature_without_domain_is_none() -> None:
    from tagtrail.formats import ed25519

    bare = Signature(keyid="", value=ed25519.sign(ONE.seed, BODY))
    assert refused(dsse.verify, with_signatures(bare), KEYS) == "dsse-threshold"


def test_cosigners_sign_no_envelopes() -> None:
    witness = Signer(name="w", kind=COSIGNATURE, seed=ONE.seed)
    with pytest.raises(ValueError, match="0x04"):
        dsse.sign(dsse.IN_TOTO, BODY, [witness])
    assert refused(dsse.verify, SIGNED, [witness.verifier]) == "dsse-threshold"


@pytest.mark.parametrize("threshold", [0, -1])
def test_a_threshold_below_one_is_a_bug(threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        dsse.verify(SIGNED, KEYS, threshold)


GOOD: dict[str, Any] = json.loads(SIGNED.encode())


def changed(**members: Any) -> bytes:
    return json.dumps({**GOOD, **members}).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in GOOD.items() if key != name}).encode()


SIG = base64.b64encode(bytes(64)).decode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-syntax"),
        (SIGNED.encode()[:-1], "json-syntax"),
        (SIGNED.encode() + b"{}", "json-syntax"),
        (SIGNED.encode().replace(b'"payload"', b'"payload":"","payload"', 1), "json-duplicate-key"),
        (SIGNED.encode().replace(b'"keyid"', b'"sig":"","keyid"', 1), "json-duplicate-key"),
        (b" " * dsse.MAX_SIZE + b"{}", "json-size"),
        (b"[]", "dsse-type"),
        (b"null", "dsse-type"),
        (without("payload"), "dsse-members"),
        (without("payloadType"), "dsse-members"),
        (without("signatures"), "dsse-members"),
        (changed(more=1), "dsse-members"),
        (changed(payload=1), "dsse-type"),
        (changed(payload=None), "dsse-type"),
        (changed(payloadType=[]), "dsse-type"),
        (changed(payloadType=""), "dsse-payload-type"),
        (changed(payload="AB=="), "dsse-base64"),
        (changed(payload="-_-_"), "dsse-base64"),
        (changed(payload="AA==\n"), "dsse-base64"),
        (changed(signatures={}), "dsse-type"),
        (changed(signatures=[]), "dsse-no-signature"),
        (changed(signatures=[1]), "dsse-type"),
        (changed(signatures=[{"keyid": "a"}]), "dsse-members"),
        (changed(signatures=[{"sig": SIG, "cert": ""}]), "dsse-members"),
        (changed(signatures=[{"sig": SIG, "keyid": None}]), "dsse-type"),
        (changed(signatures=[{"sig": 1}]), "dsse-type"),
        (changed(signatures=[{"sig": SIG[:-1]}]), "dsse-base64"),
        (changed(signatures=[{"sig": SIG}] * 65), "dsse-signature-count"),
    ],
)
def test_malformed_envelopes(data: bytes, code: str) -> None:
    assert refused(dsse.parse, data) == code


def test_the_key_id_may_be_missing() -> None:
    read = dsse.parse(changed(signatures=[{"sig": SIG}] * 64))
    assert read.signatures == (Signature(keyid="", value=bytes(64)),) * 64


@given(st.data())
def test_no_mutation_verifies_as_something_else(data: st.DataObject) -> None:
    text = bytearray(SIGNED.encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    try:
        read = dsse.parse(bytes(text))
        signers = dsse.verify(read, KEYS, 2)
    except TamperError:
        return
    # only a key id, which proves nothing, may differ
    assert (read.payload_type, read.payload, signers) == (SIGNED.payload_type, SIGNED.payload, tuple(KEYS))
