"""Tag objects are judged as gpg, git and ssh-keygen made them: one thing wrong at a time, each with its own code."""

import base64
from calendar import timegm
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import ArmorKind, Cert, armor
from pysequoia.packet import PacketPile

from tagtrail.formats.sshsig import BEGIN, END, join, strings
from tagtrail.model.errors import Error, TamperError
from tagtrail.model.facts import Key
from tagtrail.verify.keys import merge, read_keys
from tagtrail.verify.tags import JudgedTag, judge_tag, parse_tag
from tests.verify.vectors import keys, tag


def at(date: str) -> int:
    year, month, day = map(int, date.split("-"))
    return timegm((year, month, day, 0, 0, 0))


NOW = at("2026-11-22")
SIGNATURE = bytes(next(iter(PacketPile.from_bytes(tag("good")[tag("good").index(b"-----BEGIN") :]))))


def judge(raw: bytes, *names: str, name: str = "", when: int | None = NOW) -> JudgedTag:
    return judge_tag(raw, name=name or parse_tag(raw).name, keys=keys(*names), at=when)


def refused(raw: bytes, *names: str, name: str = "", when: int | None = NOW) -> str:
    with pytest.raises(TamperError) as caught:
        judge(raw, *names, name=name, when=when)
    assert caught.value.what.isprintable()
    return caught.value.code


def armoured(packets: bytes) -> Key:
    fingerprint = Cert.from_bytes(packets).fingerprint.upper()
    return Key(fingerprint=fingerprint, scheme="openpgp", material=armor(packets, ArmorKind.PublicKey))


# Good ones


@pytest.mark.parametrize(
    ("name", "file", "scheme"),
    [
        ("good", "jo.asc", "openpgp"),
        ("rsa", "eve.asc", "openpgp"),
        ("ssh-ed25519", "ssh-ed25519.pub", "ssh"),
        ("ssh-rsa", "ssh-rsa.pub", "ssh"),
        ("ssh-ecdsa", "ssh-ecdsa.pub", "ssh"),
    ],
)
def test_other_implementations_signatures_are_good(name, file, scheme):
    (key,) = keys(file)
    judged = judge(tag(name), file)
    assert (judged.name, judged.object, judged.type, judged.scheme) == (name, "1" * 40, "commit", scheme)
    assert (judged.signer, judged.person, judged.expires) == (key.fingerprint, file, None)


def test_the_signer_is_the_primary_key_of_the_one_that_matched_among_many():
    judged = judge(tag("good"), "eve.asc", "ssh-rsa.pub", "al-2020.asc", "jo.asc")
    assert judged.signer == keys("jo.asc")[0].fingerprint
    assert judged.signed_at == at("2020-06-01")


# Tag objects


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda raw: raw.replace(b"tag good", b"tag evil", 1), "tag-name"),
        (lambda raw: raw.replace(b"type commit", b"type tag", 1), "tag-of-tag"),
        (lambda raw: raw.replace(b"type commit", b"type tree", 1), "tag-type"),
        (lambda raw: raw.replace(b"1" * 40, b"2" * 40, 1), "tag-signature-bad"),
        (lambda raw: raw.replace(b"Jo <", b"Al <", 1), "tag-signature-bad"),
        (lambda raw: raw.replace(b"\n\nrelease", b"\n\nRelease", 1), "tag-signature-bad"),
        (lambda raw: raw[: raw.index(b"-----BEGIN")], "tag-unsigned"),
        (lambda raw: raw + raw[raw.index(b"-----BEGIN") :], "tag-two-signatures"),
        (lambda raw: raw.replace(b"PGP SIGNATURE", b"SIGNED MESSAGE"), "tag-x509"),
        (lambda raw: raw.replace(b"PGP SIGNATURE", b"PGP MESSAGE"), "tag-malformed"),
        (lambda raw: raw + b"more\n", "tag-malformed"),
        (lambda raw: raw.replace(b"-----END PGP", b"-----BAD PGP"), "tag-malformed"),
        (lambda raw: raw.replace(b"\ntype commit\ntag good", b"\ntag good\ntype commit", 1), "tag-malformed"),
        (lambda raw: b"object " + b"3" * 40 + b"\n" + raw, "tag-malformed"),
        (lambda raw: raw.replace(b"1" * 40, b"1" * 39, 1), "tag-malformed"),
        (lambda raw: raw.replace(b"1" * 40, b"A" * 40, 1), "tag-malformed"),
        (lambda raw: raw.replace(b"tagger", b"author", 1), "tag-malformed"),
        (lambda raw: raw.replace(b"tag good\n", b"tag good\ngpgsig-sha256 x\n", 1), "tag-malformed"),
        (lambda raw: raw.replace(b"tag good", b"tag go\xffd", 1), "tag-malformed"),
        (lambda raw: raw.replace(b"\n", b"\r\n"), "tag-malformed"),
        (lambda raw: raw[:150], "tag-unsigned"),
        (lambda raw: raw[:50], "tag-malformed"),
        (lambda _: b"", "tag-malformed"),
        (lambda raw: raw[: raw.index(b"-----BEGIN")] + b"\n" * 2**20, "tag-malformed"),
        (lambda raw: raw + b"-----END PGP SIGNATURE-----\n", "tag-malformed"),
    ],
)
def test_a_changed_tag_object_is_refused(change: Callable[[bytes], bytes], code: str):
    assert refused(change(tag("good")), "jo.asc", name="good") == code


def test_a_good_tag_under_another_name_is_refused():
    assert refused(tag("good"), "jo.asc", name="1.0.0") == "tag-name"


@given(st.data())
def test_no_byte_can_be_flipped(data):
    raw = bytearray(tag("ssh-ed25519"))
    place = data.draw(st.integers(0, len(raw) - 2))
    raw[place] ^= data.draw(st.integers(1, 255))
    assert refused(bytes(raw), "ssh-ed25519.pub", name="ssh-ed25519").startswith("tag-")


@given(st.binary(max_size=300), st.sampled_from(["PGP SIGNATURE", "SSH SIGNATURE"]))
def test_any_block_is_refused_with_a_code(blob, kind):
    body = base64.b64encode(blob).decode()
    head = tag("good").split(b"-----BEGIN")[0]
    raw = head + f"-----BEGIN {kind}-----\n\n{body}\n-----END {kind}-----\n".encode()
    assert refused(raw, "jo.asc", name="good") in {"tag-malformed", "tag-two-signatures", "tag-signer-unknown"}


# OpenPGP


@given(st.data())
def test_no_packet_brings_the_judge_down(data):
    """What pysequoia's properties raise on unknown algorithms, versions and lengths never leaves the judge."""
    certificate = data.draw(st.booleans())
    raw = bytes(Cert.from_bytes(keys("jo.asc")[0].material.encode())) if certificate else SIGNATURE
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(2, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        if certificate:
            judge_tag(tag("good"), name="good", keys=read_keys(bytes(changed), "jo"), at=NOW)
        else:
            block = armor(bytes(changed), ArmorKind.Signature).encode()
            judge_tag(tag("good").split(b"-----BEGIN")[0] + block, name="good", keys=keys("jo.asc"), at=NOW)
    except Error as error:
        assert error.what.isprintable()  # noqa: PT017  (what is unhashed may change and be good)


def test_an_unknown_signer_is_named():
    with pytest.raises(TamperError, match=r"by OpenPGP key [0-9A-F]{40}") as caught:
        judge(tag("good"), "eve.asc", "ssh-rsa.pub")
    assert caught.value.code == "tag-signer-unknown"


def test_nobody_is_known_among_no_keys():
    assert refused(tag("good")) == "tag-signer-unknown"
    assert refused(tag("ssh-rsa")) == "tag-signer-unknown"


@pytest.mark.parametrize(
    ("name", "files", "when", "code"),
    [
        ("sha1", ["jo.asc"], "2020-06-02", "tag-signature-weak"),
        ("text", ["jo.asc"], "2020-06-02", "tag-signature-bad"),
        ("two-packets", ["jo.asc", "eve.asc"], "2020-06-02", "tag-two-signatures"),
        ("good", ["jo.asc"], "2019-12-31", "tag-key-not-yet"),
        ("good", ["jo-stolen.asc"], "2020-06-02", "tag-key-revoked"),
        ("good", ["jo-stolen.asc"], None, "tag-key-revoked"),
        ("good", ["jo-retired.asc"], "2022-01-01", "tag-key-revoked"),
        ("good", ["jo-subkey-retired.asc"], "2022-01-01", "tag-key-revoked"),
        ("expiring", ["al-2020.asc"], "2021-01-01", "tag-key-expired"),
        ("extended", ["al-2020.asc"], "2020-06-02", "tag-key-expired"),
        ("extended", ["al-2020.asc"], None, "tag-key-expired"),
        ("expiring", ["al-2022.asc"], "2020-06-02", "tag-key-not-yet"),
    ],
)
def test_a_signature_of_the_wrong_time_or_kind_is_refused(name, files, when, code):
    assert refused(tag(name), *files, when=at(when) if when else None) == code


@pytest.mark.parametrize(
    ("name", "files", "when"),
    [
        ("good", ["jo-retired.asc"], "2021-12-31"),
        ("good", ["jo-retired.asc"], None),
        ("good", ["jo-subkey-retired.asc"], "2021-12-31"),
        ("expiring", ["al-2020.asc"], "2020-12-30"),
        ("expiring", ["al-2020.asc"], None),
        ("extended", ["al-2022.asc"], "2023-06-02"),
    ],
)
def test_a_key_that_was_valid_then_is_good_for_ever(name, files, when):
    assert judge(tag(name), *files, when=at(when) if when else None).name == name


def test_expiry_is_said_for_the_caller_to_compare():
    judged = judge(tag("expiring"), "al-2020.asc", when=at("2020-06-02"))
    assert judged.expires == at("2020-12-31")
    assert (judged.expired(at("2020-12-30")), judged.expired(at("2020-12-31"))) == (False, True)


def test_a_merged_certificate_keeps_what_it_said_before_and_goes_by_what_it_said_last():
    (older,), (newer,) = keys("al-2020.asc"), keys("al-2022.asc")
    for merged in (merge(older, newer), merge(newer, older)):
        for name in ("expiring", "extended"):
            judged = judge_tag(tag(name), name=name, keys=[merged], at=at("2023-06-02"))
            assert judged.expires is not None
            assert judged.expires > NOW


def test_a_binding_that_the_primary_did_not_make_extends_nothing():
    (older,), (newer,) = keys("al-2020.asc"), keys("al-2022.asc")
    forged = bytearray(bytes(Cert.from_bytes(newer.material.encode())))
    forged[-5] ^= 1
    merged = Cert.from_bytes(older.material.encode()).merge(Cert.from_bytes(bytes(forged)))
    (key,) = read_keys(bytes(merged), "al")
    assert judge_tag(tag("expiring"), name="expiring", keys=[key], at=at("2020-06-02")).expires == at("2020-12-31")


def test_a_subkey_without_back_signature_is_refused():
    (key,) = keys("jo.asc")
    *others, subkey, binding = [bytes(packet) for packet in PacketPile.from_bytes(key.material.encode())]
    # the embedded signature (subpacket 32, critical bit clear) is renamed to a private subpacket that nobody reads
    place = binding.index(b"\x20\x04\x19")
    bare = armoured(b"".join([*others, subkey, binding[:place] + b"\x64" + binding[place + 1 :]]))
    with pytest.raises(TamperError) as caught:
        judge_tag(tag("good"), name="good", keys=[bare], at=NOW)
    assert caught.value.code == "tag-signature-bad"


def test_a_certificate_that_adopts_anothers_subkey_is_refused():
    (jo,), (eve,) = keys("jo.asc"), keys("eve.asc")
    subkey = b"".join(bytes(p) for p in [*PacketPile.from_bytes(jo.material.encode())][-2:])
    thief = armoured(bytes(Cert.from_bytes(eve.material.encode())) + subkey)
    with pytest.raises(TamperError) as caught:
        judge_tag(tag("good"), name="good", keys=[thief], at=NOW)
    assert caught.value.code == "tag-signature-bad"
    assert judge_tag(tag("good"), name="good", keys=[thief, jo], at=NOW).signer == jo.fingerprint


def test_a_certificate_listed_under_anothers_fingerprint_counts_for_nobody():
    (jo,), (eve,) = keys("jo.asc"), keys("eve.asc")
    liar = Key(fingerprint=eve.fingerprint, scheme="openpgp", material=jo.material)
    with pytest.raises(TamperError) as caught:
        judge_tag(tag("good"), name="good", keys=[liar], at=NOW)
    assert caught.value.code == "tag-signer-unknown"


# SSH


def test_a_signature_for_something_else_is_refused():
    assert refused(tag("ssh-namespace"), "ssh-ed25519.pub") == "tag-namespace"


def test_an_rsa_signature_over_sha1_is_weak():
    head, _, armoured_ = tag("ssh-rsa").partition(b"-----BEGIN")
    blob = base64.b64decode(b"".join(armoured_.split(b"\n")[1:-2]))
    key, namespace, reserved, digest, signature = strings(blob[10:], "x")
    old = join(b"ssh-rsa", strings(signature, "x")[1])
    changed = base64.b64encode(blob[:10] + join(key, namespace, reserved, digest, old)).decode()
    raw = head + f"{BEGIN}\n{changed}\n{END}\n".encode()
    assert refused(raw, "ssh-rsa.pub", name="ssh-rsa") == "tag-signature-weak"


@pytest.mark.parametrize(
    ("options", "when", "code"),
    [
        ('namespaces="tagtrail-approval"', "2020-06-02", "tag-namespace"),
        ('valid-after="20200603Z"', "2020-06-02", "tag-key-not-yet"),
        ('valid-before="20200601Z"', "2020-06-02", "tag-key-expired"),
        ('valid-after="20200101Z",valid-before="20200601Z"', "2020-06-02", "tag-key-expired"),
    ],
)
def test_allowed_signers_options_are_kept(options, when, code):
    line = keys("ssh-ed25519.pub")[0].material
    allowed = read_keys(f"jo {options} {line}\n".encode(), "jo")
    with pytest.raises(TamperError) as caught:
        judge_tag(tag("ssh-ed25519"), name="ssh-ed25519", keys=allowed, at=at(when))
    assert caught.value.code == code


def test_allowed_signers_times_include_both_ends():
    line = keys("ssh-ed25519.pub")[0].material
    allowed = read_keys(f'* namespaces="git",valid-after="20200101Z",valid-before="20200601Z" {line}'.encode(), "jo")
    for when in ("2020-01-01", "2020-06-01"):
        judged = judge_tag(tag("ssh-ed25519"), name="ssh-ed25519", keys=allowed, at=at(when))
        assert judged.expires == at("2020-06-01") + 1


def test_an_ssh_key_listed_under_anothers_fingerprint_counts_for_nobody():
    (key,), (other,) = keys("ssh-ed25519.pub"), keys("ssh-rsa.pub")
    liar = Key(fingerprint=other.fingerprint, scheme="ssh", material=key.material)
    with pytest.raises(TamperError) as caught:
        judge_tag(tag("ssh-ed25519"), name="ssh-ed25519", keys=[liar], at=NOW)
    assert caught.value.code == "tag-signer-unknown"


@pytest.mark.parametrize(("name", "hint"), [("good", "git tag -s -f good 'good^{commit}'"), ("a;id", "'a;id'")])
def test_the_command_that_mends_a_tag_of_a_tag_can_be_pasted(name: str, hint: str) -> None:
    raw = tag("good").replace(b"type commit", b"type tag", 1).replace(b"tag good", f"tag {name}".encode(), 1)
    with pytest.raises(TamperError) as refused:
        judge_tag(raw, name=name, keys=(), at=None)
    assert (refused.value.code, hint in refused.value.hint) == ("tag-of-tag", True), refused.value.hint
