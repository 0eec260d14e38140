"""Approvals are judged one thing wrong at a time, each with its own code; persons are counted by all their keys."""

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.approval import NAMESPACE, ApprovalText, format_approval
from tagtrail.formats.times import format_time
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Key
from tagtrail.testing.people import Person
from tagtrail.verify.approvals import MAX_APPROVAL, judge_approval, parted
from tagtrail.verify.keys import read_keys
from tagtrail.verify.persons import names_in, persons

NOW = 1_775_055_720
JO, EVE = Person(name="jo"), Person(name="eve")
DRAFT = ApprovalText(
    origin="releases.example.org/trail",
    project="nova",
    version="33.0.0",
    repo="https://git.example.org/nova",
    tag="a" * 64,
    settings="b" * 64,
    expires=NOW + 100,
    targets=("pypi", "site"),
    files=(("nova-33.0.0-py3-none-any.whl", "c" * 64), ("nova-33.0.0.tar.gz", "d" * 64)),
)
TEXT = format_approval(DRAFT)
GOOD = JO.sign(TEXT, NAMESPACE)


def judge(data: bytes, keys: tuple[Key, ...] = (JO.key,), at: int = NOW) -> Key:
    text, signature = parted(data, TEXT)
    return judge_approval(text, signature, draft=DRAFT, keys=keys, at=at)


def refused(data: bytes, keys: tuple[Key, ...] = (JO.key,), at: int = NOW) -> str:
    with pytest.raises(TamperError) as caught:
        judge(data, keys, at)
    assert caught.value.what.isprintable()
    return caught.value.code


def test_a_good_one_alone_and_behind_its_text() -> None:
    assert judge(GOOD) == judge(TEXT + GOOD) == JO.key
    assert judge(GOOD, (EVE.key, JO.key)) == JO.key


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("origin", "evil.example.org/trail"),
        ("project", "cinder"),
        ("version", "33.0.1"),
        ("repo", "https://git.example.org/fork"),
        ("tag", "e" * 64),
        ("settings", "e" * 64),
        ("withdraw", "loses data"),
        ("targets", ("site",)),
        ("targets", ("launchpad", "pypi", "site")),
        ("files", DRAFT.files[:1]),
        ("files", (*DRAFT.files, ("nova-33.0.0.zip", "e" * 64))),
        ("files", (DRAFT.files[0], ("nova-33.0.0.tar.gz", "e" * 64))),
    ],
)
def test_an_approval_of_something_else(field: str, value: Any) -> None:
    changes: dict[str, Any] = {field: value}
    other = format_approval(replace(DRAFT, **changes))
    assert refused(other + JO.sign(other, NAMESPACE)) == f"approval-other-{field}"
    assert refused(JO.sign(other, NAMESPACE)) == "approval-signature-bad"  # alone it says not what it is of


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (JO.sign(TEXT, "git"), "approval-namespace"),
        (JO.sign(TEXT, "tagtrail-approval2"), "approval-namespace"),
        (EVE.sign(TEXT, NAMESPACE), "approval-signer-unknown"),
        (JO.sign(TEXT + b"\n", NAMESPACE), "approval-signature-bad"),
        (b"", "approval-signature-form"),
        (TEXT, "approval-signature-form"),
        (GOOD + GOOD, "approval-signature-form"),
        (b"hello\n" + GOOD, "approval-signature-form"),
        (GOOD.replace(b"U1NI", b"AAAA", 1), "approval-signature-form"),
        (b"x" * (MAX_APPROVAL + 1), "approval-signature-form"),
        (TEXT.replace(b"origin", b"Origin") + GOOD, "approval-form"),
        (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n", "approval-signature-form"),
    ],
)
def test_what_is_no_good_signature(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize(
    ("changes", "at", "code"),
    [
        ({}, DRAFT.expires, "approval-expired"),
        ({"namespaces": ("git",)}, NOW, "approval-key-namespace"),
        ({"valid_after": NOW + 1}, NOW, "approval-key-not-yet"),
        ({"valid_before": NOW - 1}, NOW, "approval-key-expired"),
    ],
)
def test_a_key_or_a_text_out_of_its_time(changes: dict[str, Any], at: int, code: str) -> None:
    assert refused(GOOD, (replace(JO.key, **changes),), at) == code
    bounds: dict[str, Any] = {"valid_after": NOW, "valid_before": NOW, "namespaces": ("git", NAMESPACE)}
    judge(GOOD, (replace(JO.key, **bounds),))


def test_an_old_text_has_expired_even_where_a_new_one_is_asked_for() -> None:
    old = format_approval(replace(DRAFT, expires=NOW - 1))
    assert refused(old + JO.sign(old, NAMESPACE)) == "approval-expired"
    longer = format_approval(replace(DRAFT, expires=NOW + 10_000))
    assert format_time(NOW + 10_000).encode() in longer
    judge(longer + JO.sign(longer, NAMESPACE))  # of these bytes, and still good


# who is one person


def one_person(*groups: str) -> list[set[str]]:
    """Keys by name, each `KEY=NAME+NAME`, as they fall together."""
    names = {key: frozenset(filter(None, known.split("+"))) for key, _, known in (g.partition("=") for g in groups)}
    found: dict[str, set[str]] = {}
    for key, person in persons(names).items():
        found.setdefault(person, set()).add(key)
    return sorted(found.values(), key=min)


def test_keys_that_share_a_name_are_one_persons() -> None:
    assert one_person("a=jo", "b=eve") == [{"a"}, {"b"}]
    assert one_person("a=jo", "b=jo") == [{"a", "b"}]
    assert one_person("a=jo", "b=eve", "c=jo+eve") == [{"a", "b", "c"}]
    assert one_person("a=jo", "b=jo+x", "c=x+y", "d=z") == [{"a", "b", "c"}, {"d"}]
    assert one_person("a=", "b=") == [{"a"}, {"b"}]


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.frozensets(st.sampled_from("jkl"), max_size=2)))
def test_a_name_more_never_makes_more_persons(names: dict[str, frozenset[str]]) -> None:
    before = len(set(persons(names).values()))
    for key, known in names.items():
        assert len(set(persons(names | {key: known | {"j"}}).values())) <= before


def test_names_are_principals_or_the_file() -> None:
    listed = f"jo@example.org,Jo ssh-ed25519 {JO.key.material.split()[1]}\n* {EVE.key.material}\n".encode()
    keys = read_keys(listed, "team")
    assert names_in(listed, keys, "keys/team") == {
        JO.key.fingerprint: frozenset({"jo@example.org", "jo"}),
        EVE.key.fingerprint: frozenset({"*"}),
    }
    bare = f"{JO.key.material}\n{EVE.key.material}\n".encode()
    assert {*names_in(bare, read_keys(bare, "jo"), "keys/jo.pub").values()} == {frozenset({"keys/jo.pub"})}


@pytest.mark.client
def test_gpg_and_ssh_keygen_approve(tmp_path: Path) -> None:
    home = tmp_path / "gpg"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-gen-key", "Jo Doe <Jo@example.org>", "ed25519", "sign", "never"], check=True)
    certificate = subprocess.run([*gpg, "--armor", "--export"], check=True, capture_output=True).stdout
    keys = read_keys(certificate, "team")
    assert names_in(certificate, keys, "f") == {keys[0].fingerprint: frozenset({"jo@example.org"})}
    signed = subprocess.run([*gpg, "--armor", "--detach-sign"], input=TEXT, check=True, capture_output=True).stdout
    now = int(Path(home).stat().st_mtime) + 60
    draft = replace(DRAFT, expires=now + 1)
    assert refused(signed, keys, now) == "approval-expired"
    text = format_approval(draft)
    signed = subprocess.run([*gpg, "--armor", "--detach-sign"], input=text, check=True, capture_output=True).stdout
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
    assert judge_approval(text, signed, draft=draft, keys=keys, at=now) == keys[0]
    with pytest.raises(TamperError) as caught:
        judge_approval(text, signed, draft=draft, keys=(JO.key,), at=now)
    assert caught.value.code == "approval-signer-unknown"
    later = format_approval(replace(draft, expires=now + 2))
    with pytest.raises(TamperError) as caught:
        judge_approval(later, signed, draft=draft, keys=keys, at=now)
    assert caught.value.code == "approval-signature-bad"
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    signed = subprocess.run(argv, input=text, check=True, capture_output=True).stdout
    mine = read_keys(key.with_suffix(".pub").read_bytes(), "jo")
    assert judge_approval(text, signed, draft=draft, keys=mine, at=now) == mine[0]


def test_an_approval_of_a_release_takes_nothing_back() -> None:
    gone = replace(DRAFT, withdraw="loses data")
    with pytest.raises(TamperError) as caught:
        judge_approval(TEXT, GOOD, draft=gone, keys=(JO.key,), at=NOW)
    assert caught.value.code == "approval-other-withdraw"
    text = format_approval(gone)
    assert judge_approval(text, JO.sign(text, NAMESPACE), draft=gone, keys=(JO.key,), at=NOW) == JO.key
