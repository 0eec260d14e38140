"""Roots are opened because somebody pinned them, and followed because the pinned ones' keys say so."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from tagtrail.formats import dsse
from tagtrail.formats.note import COSIGNATURE, Verifier
from tagtrail.formats.root import PAYLOAD_TYPE, Root, format_root
from tagtrail.model.errors import TamperError
from tagtrail.verify.roots import check_current, next_root, open_root, policy_of, root_digest, root_signers
from tests.verify.workshop import NOW, ORIGIN, Workshop, envelope, log_key, policy, root_key

R1, R2, R3, R4 = (root_key(name) for name in ("r1", "r2", "r3", "r4"))
ROOT = Workshop().root


def keyed(*signers, version: int = 1, threshold: int = 1, **changes) -> Root:
    keys = tuple(signer.verifier.vkey() for signer in signers)
    return replace(ROOT, keys=keys, version=version, threshold=threshold, **changes)


def refused(call: Callable[..., object], *args: object) -> str:
    with pytest.raises(TamperError) as caught:
        call(*args)
    assert caught.value.what.isprintable()
    return caught.value.code


def test_a_root_signed_by_its_own_keys_opens():
    assert open_root(envelope(ROOT)) == ROOT
    two = keyed(R1, R2, R3, threshold=2)
    assert open_root(envelope(two, R3, R1)) == two


@pytest.mark.parametrize(
    ("root", "signers", "code"),
    [
        (keyed(R1), (R2,), "root-signatures"),
        (keyed(R1, R2, threshold=2), (R1,), "root-signatures"),
        (keyed(R1, R2, threshold=2), (R1, R1), "root-signatures"),
        (keyed(R1, R2, threshold=2), (R1, R4), "root-signatures"),
        (keyed(log_key("r1", origin="other.example")), (R1,), "root-keys"),
        (replace(ROOT, policy=policy(log_key(origin="other.example")).encode().decode()), (R1,), "root-policy"),
        (replace(ROOT, policy="quorum none\n"), (R1,), "root-policy"),
        (replace(ROOT, policy="log nonsense\n"), (R1,), "root-policy"),
        (replace(ROOT, threshold=2), (R1,), "root-threshold"),
        (replace(ROOT, threshold=0), (R1,), "root-threshold"),
        (replace(ROOT, version=0), (R1,), "root-threshold"),
    ],
)
def test_a_root_that_contradicts_itself_is_refused(root, signers, code):
    assert refused(open_root, envelope(root, *signers)) == code


def test_an_envelope_of_something_else_is_no_root():
    other = dsse.sign(dsse.IN_TOTO, format_root(ROOT), [R1]).encode()
    assert refused(open_root, other) == "root-payload-type"
    assert refused(open_root, dsse.sign(PAYLOAD_TYPE, b"{}", [R1]).encode()) == "root-form"
    assert refused(open_root, dsse.sign(PAYLOAD_TYPE, b"[" * 20_000, [R1]).encode()).startswith("json-")
    assert refused(open_root, b"") == "json-syntax"


def test_a_small_order_key_signs_no_root():
    null = "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    key_id = sha256(ORIGIN.encode() + b"\n\x01\x01" + bytes(31)).hexdigest()[:8]
    root = replace(ROOT, keys=(f"{ORIGIN}+{key_id}+{null}",))
    assert refused(open_root, envelope(root)) == "key-small-order"


def test_a_next_root_is_signed_by_both():
    second = keyed(R2, R3, version=2, threshold=2)
    assert next_root(ROOT, envelope(second, R1, R2, R3), NOW) == second


@pytest.mark.parametrize(
    ("pinned", "new", "signers", "code"),
    [
        (ROOT, keyed(R2, version=2), (R2,), "root-old-signatures"),
        (ROOT, keyed(R2, version=2), (R1,), "root-signatures"),
        (ROOT, keyed(R1, R2, version=2, threshold=2), (R1,), "root-signatures"),
        (keyed(R1, R2, threshold=2), keyed(R3, version=2), (R1, R3), "root-old-signatures"),
        (ROOT, keyed(R1, version=3), (R1,), "root-version"),
        (ROOT, ROOT, (R1,), "root-version"),
        (keyed(R1, version=2), ROOT, (R1,), "root-version"),
        (ROOT, keyed(R1, version=2, expires=NOW), (R1,), "root-expired"),
        (replace(ROOT, origin="other.example"), keyed(R1, version=2), (R1,), "root-origin"),
    ],
)
def test_a_next_root_that_the_pinned_one_does_not_vouch_for_is_refused(pinned, new, signers, code):
    assert refused(next_root, pinned, envelope(new, *signers), NOW) == code


def test_one_key_in_two_spellings_is_one():
    again = Verifier(name=ORIGIN, kind=COSIGNATURE, key=R1.verifier.key)
    twice = replace(ROOT, keys=(R1.verifier.vkey(), again.vkey()))
    assert refused(open_root, envelope(twice)) == "root-keys"
    assert refused(open_root, envelope(replace(ROOT, keys=ROOT.keys * 2))) == "root-threshold"


def test_an_expired_root_may_be_followed_but_not_stopped_at():
    second = keyed(R1, version=2, expires=NOW)
    assert next_root(ROOT, envelope(second, R1), None) == second
    assert refused(check_current, second, NOW) == "root-expired"
    check_current(second, NOW - 1)


def test_a_fingerprint_is_of_the_payload_or_of_a_key_that_signed():
    root = keyed(R1, R2)
    assert root_digest(envelope(root, R1)) == root_digest(envelope(root, R2))
    assert root_digest(envelope(root)) == f"sha256:{sha256(format_root(root)).hexdigest()}"
    assert root_signers(envelope(root, R2)) == (R2.verifier.vkey(),)


def test_a_root_believes_logs_of_its_own_origin():
    assert policy_of(ROOT) == Workshop().policy
