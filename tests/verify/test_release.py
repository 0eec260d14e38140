"""The chain from a file to a person: right in all its forms, and with one link broken at a time."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagtrail.formats import note
from tagtrail.formats.policy import Witness
from tagtrail.formats.proof import Proof
from tagtrail.formats.root import Allowed, Freeze
from tagtrail.model.errors import TamperError
from tests.verify.workshop import (
    COMMIT,
    CONTENT,
    NAME,
    NOW,
    ORIGIN,
    TIME,
    YEAR,
    Case,
    Person,
    Workshop,
    log_key,
    witness_key,
)  # fmt: skip

SHOP = Workshop()
W1, W2, W3 = (witness_key(name) for name in ("w1", "w2", "w3"))
WITNESSED = Workshop(witnesses=(W1, W2), needed=2)
OTHER = "f" * 64


def refused(case: Case, **options: bool) -> str:
    with pytest.raises(TamperError) as caught:
        case.verify(**options)
    assert caught.value.what.isprintable()
    return caught.value.code


def names(claims) -> list[str]:
    return [claim.name for claim in claims]


# What holds


def test_with_a_root_everything_but_the_operators_word_is_proven():
    verdict = SHOP.case.verify()
    assert (verdict.entry.index, verdict.size, verdict.origin, verdict.witnessed) == (7, 13, ORIGIN, None)
    assert verdict.signer == SHOP.jo.key.fingerprint
    assert [claim.text for claim in verdict.proven] == [
        f"tag 1.0.0 on cccccccc, signed by {verdict.signer} (allowed for nova since entry 3)",
        f"entry 7 of {ORIGIN}, unwitnessed",
    ]
    assert names(verdict.not_proven) == ["unwitnessed", "built-claimed", "withdrawals-unchecked"]


def test_with_a_policy_the_signer_is_claimed_and_no_tag_is_needed():
    verdict = SHOP.but(trust=SHOP.policy, tag=None).verify()
    assert verdict.signer == ""
    assert names(verdict.proven) == ["entry"]
    assert f"signer: claimed, not checked ({SHOP.jo.key.fingerprint})" in [c.text for c in verdict.not_proven]


def test_witnesses_prove_the_time():
    verdict = WITNESSED.case.verify(require_witnessed=True)
    assert verdict.witnessed == TIME + 5
    seen = f"witnessed 2 of 2 at 2026-04-01T15:02:05Z: {W1.name}, {W2.name}"
    assert verdict.proven[1].text == f"entry 7 of {ORIGIN}, {seen}"
    assert "unwitnessed" not in names(verdict.not_proven)


@settings(max_examples=30)
@given(st.integers(1, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_every_leaf_of_every_tree_is_proven(place):
    size, index = place
    allowed = (("nova", (Allowed(key=SHOP.jo.key.fingerprint),)),)
    assert Workshop(size=size, index=index, allowed=allowed).case.verify().size == size


def test_an_entry_says_of_what_a_file_is_made():
    shop = Workshop(
        of_file={"generated": [f"m{n}" for n in range(6)], "origin": {"how": "added", "by": "SHA256:x"}, "tar": OTHER},
        ours={"approvals": [{"key": "SHA256:y", "digest": OTHER}]},
    )
    texts = {claim.name: claim.text for claim in shop.case.verify().not_proven}
    assert texts["brought"] == "the build (brought by SHA256:x, not built here)"
    assert texts["generated"] == "6 generated members: m0, m1, m2, m3, ..."
    assert texts["approvals-claimed"] == "1 approval (the operator's word)"


def test_of_folded_members_nobody_says_how_many_they_are():
    texts = {c.name: c.text for c in Workshop(of_file={"generated": ["com/*.class", "x"]}).case.verify().not_proven}
    assert texts["generated"] == "generated members: com/*.class, x"


def test_an_entry_cannot_write_to_the_terminal():
    shop = Workshop(of_file={"generated": ["\x1b[2J"], "origin": {"how": "added", "by": "\x1b]0;x\x07"}})
    assert all(claim.text.isprintable() for claim in shop.case.verify().not_proven)


# The file


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": sha256(b"The artifact").hexdigest()}, "digest-mismatch"),
        ({"size": len(CONTENT) + 1}, "size-mismatch"),
        ({"name": "nova-1.0.1.tar.gz"}, "name-not-in-entry"),
        ({"name": "nova-1.0.0.TAR.GZ"}, "name-not-in-entry"),
        ({"name": ""}, "name-not-in-entry"),
    ],
)
def test_another_file_is_refused(change, code):
    assert refused(SHOP.but(file=replace(SHOP.case.file, **change))) == code


def test_an_event_that_is_no_release_proves_no_file():
    assert refused(Workshop(event="key").case) == "not-a-release"
    assert refused(Workshop(event="withdraw", ours={"project": "nova", "version": "1.0.0"}).case) == "not-a-release"


def test_an_imported_file_needs_to_be_allowed():
    shop = Workshop(of_file={"origin": {"how": "imported"}})
    assert refused(shop.case) == "imported"
    assert "imported" in names(shop.case.verify(allow_imported=True).not_proven)


def test_an_import_event_needs_to_be_allowed_and_may_know_no_tag():
    shop = Workshop(event="import", ours={"project": "nova", "version": "1.0.0"})
    assert refused(shop.case) == "imported"
    assert refused(shop.case, allow_imported=True) == "tag-not-in-entry"
    verdict = shop.but(trust=shop.policy).verify(allow_imported=True)
    assert names(verdict.not_proven) == ["unwitnessed", "imported", "withdrawals-unchecked"]


# The proof


def with_proof(change: Callable[[Proof], Proof]) -> Case:
    return SHOP.but(proof=change(SHOP.proof()).encode())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: replace(p, extra=None), "proof-no-entry"),
        (lambda p: replace(p, extra=Workshop(entry_time=TIME - 1).entry), "proof-mismatch"),
        (lambda p: replace(p, index=p.index + 1), "proof-mismatch"),
        (lambda p: replace(p, index=13), "index-range"),
        (lambda p: replace(p, hashes=p.hashes[:-1]), "proof-length"),
        (lambda p: replace(p, hashes=(*p.hashes, p.hashes[0])), "proof-length"),
        (lambda p: replace(p, hashes=p.hashes[::-1]), "proof-mismatch"),
        (lambda p: replace(p, hashes=(bytes(32), *p.hashes[1:])), "proof-mismatch"),
        (lambda p: replace(p, extra=b"{}"), "entry-shape"),
        (lambda p: replace(p, extra=p.extra + b" "), "json-not-canonical"),
        (lambda p: replace(p, checkpoint=p.checkpoint.replace(b"\n13\n", b"\n14\n")), "note-bad-signature"),
        (lambda p: replace(p, checkpoint=Workshop(size=12).proof().checkpoint), "proof-mismatch"),
    ],
)
def test_a_changed_proof_is_refused(change, code):
    assert refused(with_proof(change)) == code


def test_a_proof_of_another_leaf_is_refused():
    other = Workshop(index=8)
    assert refused(SHOP.but(proof=replace(other.proof(), index=7).encode())) == "proof-mismatch"


@settings(max_examples=50)
@given(st.data())
def test_no_byte_of_a_proof_can_be_flipped(data):
    raw = bytearray(SHOP.case.proof)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    refused(SHOP.but(proof=bytes(raw)))


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_code(proof):
    assert refused(SHOP.but(proof=proof)).startswith("proof-")


def test_a_time_after_it_was_witnessed_is_impossible():
    assert refused(replace(WITNESSED, entry_time=TIME + 606).case) == "time-impossible"
    assert replace(WITNESSED, entry_time=TIME + 605).case.verify().witnessed == TIME + 5


def test_a_time_in_the_future_is_impossible():
    assert refused(Workshop(entry_time=NOW + 601).case) == "time-impossible"


# The log and its witnesses


def checkpoint(text: str, shop: Workshop = SHOP) -> Case:
    return shop.but(proof=replace(shop.proof(), checkpoint=shop.signed(text)).encode())


def test_a_log_that_nobody_trusts_proves_nothing():
    stranger = Workshop(log=log_key("stranger"), believed=log_key())
    assert refused(stranger.case) == "note-no-known-key"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace(ORIGIN, "other.example/trail", 1), "checkpoint-origin-mismatch"),
        (lambda text: text.replace("\n13\n", "\n013\n"), "checkpoint-size"),
        (lambda text: text.replace("\n13\n", "\n1_3\n"), "checkpoint-size"),
        (lambda text: text.replace("\n13\n", "\n17\n"), "proof-length"),
        (lambda text: text.replace("\n13\n", "\n7\n"), "index-range"),
    ],
)
def test_a_checkpoint_that_the_log_should_not_have_signed_is_refused(change, code):
    assert refused(checkpoint(change(SHOP.checkpoint().text()))) == code


@pytest.mark.parametrize(
    ("cosigned", "code"),
    [
        ((W1,), "quorum-unmet"),
        ((W1, W3), "quorum-unmet"),
        ((W1, W1), "note-duplicate-signature"),
        ((W1, note.Signer(name="witness.example/again", kind=note.COSIGNATURE, seed=W1.seed)), "quorum-unmet"),
    ],
)
def test_a_quorum_is_not_stuffed(cosigned, code):
    signed = WITNESSED.signed(WITNESSED.checkpoint().text(), *cosigned)
    assert refused(WITNESSED.but(proof=replace(WITNESSED.proof(), checkpoint=signed).encode())) == code


def test_a_cosignature_from_the_future_is_refused():
    assert refused(replace(WITNESSED, witnessed_at=NOW + 601).case) == "cosignature-future"
    assert replace(WITNESSED, witnessed_at=NOW + 600).case.verify().witnessed == NOW + 600


def test_without_a_witness_the_entry_is_refused_where_one_is_asked_for():
    assert refused(SHOP.case, require_witnessed=True) == "not-witnessed"


OWN = note.Signer(name="releases.example.org/w", kind=note.COSIGNATURE, seed=b"o" * 32)


@pytest.mark.parametrize(
    ("witnesses", "needed", "cosigned", "witnessed", "seen"),
    [
        ((OWN,), 1, {OWN: 5}, None, "unwitnessed (only by the operator's own releases.example.org/w)"),
        ((OWN, W1), 1, {OWN: 5}, None, "unwitnessed (only by the operator's own releases.example.org/w)"),
        ((OWN, W1), 1, {OWN: 5, W1: 9}, 9, "witnessed 2 of 2 at {}: {own}, {w1}; {own} is the operator's own"),
        ((OWN, W1), 2, {OWN: 9, W1: 5}, 9, "witnessed 2 of 2 at {}: {w1}, {own}; {own} is the operator's own"),
        ((W1, W2, OWN), 2, {W1: 5, W2: 6}, 6, "witnessed 2 of 3 at {}: {w1}, {w2}"),
        ((W1, W2), 1, {W1: 7, W2: 6}, 6, "witnessed 2 of 2 at {}: {w2}, {w1}"),
        ((W1,), 0, {W1: 7}, None, "unwitnessed"),
    ],
)
def test_the_operators_own_witness_is_no_witness(witnesses, needed, cosigned, witnessed, seen):
    shop = Workshop(witnesses=witnesses, needed=needed)
    text = shop.checkpoint().text()
    lines: tuple[note.Signature, ...] = ()
    for signer, late in cosigned.items():
        lines = (*lines, *note.sign(text, [signer], time=TIME + late).signatures)
    proof = replace(shop.proof(), checkpoint=note.sign(text, [shop.log], others=lines).encode())
    case = shop.but(proof=proof.encode())
    verdict = case.verify()
    assert verdict.witnessed == (witnessed and TIME + witnessed)
    time = f"2026-04-01T15:02:{witnessed or 0:02}Z"
    told = seen.format(time, own=OWN.name, w1=W1.name, w2=W2.name)
    assert verdict.proven[1].text == f"entry 7 of {ORIGIN}, {told}"
    assert ("unwitnessed" in names(verdict.not_proven)) is (witnessed is None)
    assert {s.name for s in verdict.seen if s.own} == ({OWN.name} & {s.name for s in cosigned} if needed else set())
    if witnessed is None:
        assert refused(case, require_witnessed=True) == "not-witnessed"
    else:
        assert case.verify(require_witnessed=True).witnessed == TIME + witnessed


def test_a_witness_that_the_quorum_cannot_count_is_no_witness():
    own, other = Witness(name="own", verifier=OWN.verifier), Witness(name="w1", verifier=W1.verifier)
    shop = Workshop(witnesses=(OWN, W1), needed=1)
    trust = replace(shop.policy, witnesses=(own, other), groups=(), quorum="own")
    verdict = shop.but(trust=trust).verify()
    assert (verdict.witnessed, [seen.name for seen in verdict.seen]) == (None, [OWN.name])


def test_the_operators_own_witness_does_not_make_an_expired_signer_good():
    jo = Person("jo", valid_before=TIME + 3600)
    shop = Workshop(jo=jo, witnesses=(OWN,), needed=1)
    assert "signer-expired" in names(shop.case.verify().not_proven)


def test_what_is_known_of_later_entries_is_said():
    texts = {c.name: c.text for c in SHOP.case.verify(head=20).not_proven}
    assert (
        texts["withdrawals-unchecked"] == "that it was not withdrawn in entries 8 to 19 (`tagtrail audit` reads them)"
    )
    texts = {c.name: c.text for c in SHOP.case.verify(head=9).not_proven}
    assert texts["withdrawals-unchecked"] == "that it was not withdrawn in entry 8 (`tagtrail audit` reads it)"
    assert "withdrawals-unchecked" not in names(SHOP.case.verify(head=8).not_proven)
    assert "withdrawals-unchecked" in names(SHOP.case.verify().not_proven)


def test_a_frozen_tree_counts_and_no_other():
    head = SHOP.checkpoint()
    frozen = Workshop(root_fields={"freezes": (Freeze(size=13, root=head.root),)})
    assert frozen.case.verify().size == 13
    for size, index in ((12, 7), (14, 7)):
        forked = replace(frozen, size=size, index=index)
        assert refused(forked.case) == "frozen"
    forged = replace(frozen, entry_time=TIME - 1)
    assert refused(forged.case) == "frozen"
    later = replace(frozen, size=15, index=13)
    assert later.case.verify().entry.index == 13


# The tag and its signer


def test_a_missing_tag_is_said():
    with pytest.raises(TamperError, match=r"nova-1\.0\.0\.tag is missing") as caught:
        SHOP.but(tag=None).verify()
    assert caught.value.code == "tag-missing"


EVE = Person("eve")


@pytest.mark.parametrize(
    ("shop", "code"),
    [
        (Workshop(reference={"sha256": OTHER}), "tag-digest-mismatch"),
        (Workshop(ours={"sidecars": {"nova-1.0.0.tag": OTHER}}), "tag-sidecar-mismatch"),
        (Workshop(ours={"sidecars": {}}), "tag-sidecar-mismatch"),
        (Workshop(reference={"object": "a" * 40}), "tag-object-mismatch"),
        (Workshop(reference={"commit": "d" * 40}), "commit-mismatch"),
        (Workshop(raw=Person("jo").tag("0.9.0"), reference={"name": "0.9.0"}), "tag-version"),
        (Workshop(reference={"name": "1.0.1"}), "tag-name"),
        (Workshop(raw=Person("jo").tag(commit="d" * 40)), "commit-mismatch"),
        (Workshop(raw=Person("jo").tag(kind="tag")), "tag-of-tag"),
        (Workshop(raw=EVE.tag()), "tag-signer-unknown"),
        (Workshop(raw=EVE.tag(), people=(EVE,)), "signer-not-allowed"),
        (Workshop(reference={"signer": EVE.key.fingerprint}, people=(EVE,)), "signer-mismatch"),
        (Workshop(raw=Person("jo").tag().split(b"-----BEGIN")[0]), "tag-unsigned"),
    ],
)
def test_a_tag_that_the_entry_does_not_mean_is_refused(shop, code):
    assert refused(shop.case) == code


def test_the_entrys_tag_and_no_other_counts():
    assert refused(SHOP.but(tag=SHOP.tag + b"\n")) == "tag-digest-mismatch"
    assert refused(SHOP.but(tag=b"")) == "tag-digest-mismatch"


@pytest.mark.parametrize(
    ("project", "start", "until", "good"),
    [
        ("nova", 0, None, True),
        ("nova", 7, None, True),
        ("nova", 7, 8, True),
        ("nova", 8, None, False),
        ("nova", 0, 7, False),
        ("glance", 0, None, False),
        ("Nova", 0, None, False),
    ],
)
def test_who_may_sign_goes_by_project_and_index(project, start, until, good):
    jo = SHOP.jo.key.fingerprint
    case = Workshop(allowed=((project, (Allowed(key=jo, start=start, until=until),)),)).case
    if good:
        assert case.verify().signer == jo
    else:
        assert refused(case) == "signer-not-allowed"


def test_an_interrupted_allowance_names_the_right_beginning():
    jo = SHOP.jo.key.fingerprint
    spans = (Allowed(key=jo, start=0, until=2), Allowed(key=jo, start=5), Allowed(key=EVE.key.fingerprint, start=1))
    verdict = Workshop(allowed=(("nova", spans),), people=(EVE,)).case.verify()
    assert "since entry 5" in verdict.proven[0].text


def test_an_expired_signer_is_fine_if_witnesses_saw_the_entry_before():
    jo = Person("jo", valid_before=TIME + 3600)
    verdict = replace(WITNESSED, jo=jo).case.verify(require_witnessed=True)
    assert "signer-expired" not in names(verdict.not_proven)
    assert refused(replace(WITNESSED, jo=jo, witnessed_at=TIME + 3601).case) == "tag-key-expired"


def test_an_expired_signer_without_witness_is_accepted_at_the_claimed_time_and_said():
    shop = Workshop(jo=Person("jo", valid_before=TIME + 3600))
    assert "signer-expired" in names(shop.case.verify().not_proven)
    assert refused(shop.case, require_witnessed=True) == "not-witnessed"
    assert refused(replace(shop, entry_time=TIME + 3601).case) == "tag-key-expired"


def test_a_proof_issued_again_under_a_frozen_tree_leaves_the_signers_time_to_the_operator():
    jo = Person("jo", valid_before=TIME + 3600)
    shop = replace(WITNESSED, jo=jo, witnessed_at=TIME + 7200)
    frozen = replace(shop, root_fields={"freezes": (Freeze(size=13, root=shop.checkpoint().root),)})
    assert "signer-expired" in names(frozen.case.verify().not_proven)
    assert refused(frozen.case, require_witnessed=True) == "not-witnessed"


def test_an_expired_root_still_proves_and_says_so():
    verdict = Workshop(root_fields={"expires": NOW - YEAR}).case.verify()
    assert "root-expired" in names(verdict.not_proven)


def test_a_git_sha256_repository_is_proven():
    raw = Person("jo").tag(commit="e" * 64)
    ids = {"object": sha256(b"tag %d\0%s" % (len(raw), raw)).hexdigest(), "commit": "e" * 64}
    assert Workshop(raw=raw, reference=ids).case.verify().signer
    assert COMMIT not in ids.values()
    assert NAME in [file.name for file in Workshop(raw=raw, reference=ids).case.verify().entry.files]
