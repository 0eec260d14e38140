"""allowed_signers as ssh-keygen reads it, but for what would mean two things."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.allowed_signers import AllowedSigner, format_allowed_signers, parse_allowed_signers
from tagtrail.formats.sshsig import parse_key_line
from tagtrail.model.errors import SetupError

VECTORS = Path(__file__).parent.parent / "verify" / "vectors"
LINE = (VECTORS / "ssh-ed25519.pub").read_text().strip()
KEY = parse_key_line(LINE)
NEW_YEAR = 1704067200


def one(line: str) -> AllowedSigner:
    (signer,) = parse_allowed_signers(line.encode())
    return signer


def refused(line: str) -> str:
    with pytest.raises(SetupError) as caught:
        parse_allowed_signers(line.encode())
    assert caught.value.what.isprintable()
    assert caught.value.what.startswith("line 1: ")
    return caught.value.code


@pytest.mark.parametrize(
    ("line", "signer"),
    [
        (f"* {LINE}", AllowedSigner(principals="*", key=KEY)),
        (
            f"  jo@example.org,al@example.org\t{LINE} a comment\r",
            AllowedSigner(principals="jo@example.org,al@example.org", key=KEY),
        ),
        (f'"jo example" {LINE}', AllowedSigner(principals="jo example", key=KEY)),
        (f'* namespaces="git,file" {LINE}', AllowedSigner(principals="*", key=KEY, namespaces=("git", "file"))),
        (f'* NAMESPACES="git" {LINE}', AllowedSigner(principals="*", key=KEY, namespaces=("git",))),
        (
            f'* valid-after="20240101Z",valid-before="202401010001Z" {LINE}',
            AllowedSigner(principals="*", key=KEY, valid_after=NEW_YEAR, valid_before=NEW_YEAR + 60),
        ),
        (
            f'* valid-before="20240101000059Z" {LINE}',
            AllowedSigner(principals="*", key=KEY, valid_before=NEW_YEAR + 59),
        ),
        (f"# a comment\n\n* {LINE}\n", AllowedSigner(principals="*", key=KEY)),
    ],
)
def test_a_line_is_read(line, signer):
    assert one(line) == signer


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("jo", "allowed-signers-line"),
        (f"{LINE}", "allowed-signers-line"),
        (f'"jo {LINE}', "allowed-signers-line"),
        ('jo namespaces="git",', "allowed-signers-line"),
        ('jo namespaces="git"', "allowed-signers-line"),
        (f'jo namespaces="git", {LINE}', "allowed-signers-line"),
        (f"jo namespaces=git {LINE}", "allowed-signers-line"),
        (f'jo namespaces="git" valid-after="20240101Z" {LINE}', "ssh-key-base64"),
        (f"jo cert-authority {LINE}", "allowed-signers-authority"),
        (f'jo namespaces="git",cert-authority {LINE}', "allowed-signers-authority"),
        (f"jo namespaces {LINE}", "allowed-signers-option"),
        (f"jo no-touch-required {LINE}", "allowed-signers-option"),
        (f'jo verify-required="yes" {LINE}', "allowed-signers-option"),
        (f'jo valid-after="20240101Z",valid-after="20230101Z" {LINE}', "allowed-signers-option"),
        (f'jo valid-after="20240101" {LINE}', "allowed-signers-zone"),
        (f'jo valid-before="20240101120000" {LINE}', "allowed-signers-zone"),
        (f'jo valid-after="2024-01-01Z" {LINE}', "allowed-signers-time"),
        (f'jo valid-after="20241301Z" {LINE}', "allowed-signers-time"),
        (f'jo valid-after="20230229Z" {LINE}', "allowed-signers-time"),
        (f'jo valid-after="Z" {LINE}', "allowed-signers-time"),
        (f'jo valid-after="" {LINE}', "allowed-signers-time"),
        (f'jo valid-after="\uff12\uff10240101Z" {LINE}', "allowed-signers-time"),
        (f'jo namespaces="git*" {LINE}', "allowed-signers-namespace"),
        (f'jo namespaces="!file,*" {LINE}', "allowed-signers-namespace"),
        (f'jo namespaces="git, file" {LINE}', "allowed-signers-namespace"),
        (f'jo namespaces="" {LINE}', "allowed-signers-namespace"),
        ("jo ssh-dss AAAA", "allowed-signers-option"),
        ("jo ssh-ed25519", "ssh-key-line"),
        ("jo ssh-ed25519 AAAA=", "ssh-key-base64"),
    ],
)
def test_a_line_that_would_mean_two_things_is_refused(line, code):
    assert refused(line) == code


def test_a_line_that_is_not_text_is_refused():
    with pytest.raises(SetupError) as caught:
        parse_allowed_signers(b"jo\xff ssh-ed25519 AAAA")
    assert caught.value.code == "allowed-signers-utf8"


def test_a_refusal_says_what_to_write():
    with pytest.raises(SetupError) as caught:
        parse_allowed_signers(f'# x\njo valid-after="20240101" {LINE}'.encode())
    assert (caught.value.what, caught.value.hint) == ("line 2: '20240101' has no time zone", "write 20240101Z")


TIMES = st.none() | st.integers(0, 2**32)
NAMES = st.lists(st.sampled_from(["git", "file", "tagtrail-approval"]), unique=True).map(tuple)
SIGNERS = st.builds(
    AllowedSigner,
    principals=st.sampled_from(["*", "jo@example.org", "jo example"]),
    key=st.just(KEY),
    namespaces=NAMES,
    valid_after=TIMES,
    valid_before=TIMES,
)


@given(st.lists(SIGNERS, max_size=4).map(tuple))
def test_what_is_written_is_read(signers):
    assert parse_allowed_signers(format_allowed_signers(signers)) == signers


@pytest.mark.client
def test_ssh_keygen_reads_what_is_written(tmp_path):
    signer = AllowedSigner(principals="jo", key=KEY, namespaces=("git",), valid_after=86400, valid_before=NEW_YEAR)
    allowed = tmp_path / "allowed_signers"
    allowed.write_bytes(format_allowed_signers((signer,)))
    raw = (VECTORS / "ssh-ed25519.tag").read_bytes()
    cut = raw.index(b"-----BEGIN")
    (tmp_path / "sig").write_bytes(raw[cut:])
    verify = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "jo", "-n", "git", "-s", tmp_path / "sig"]
    for day, good in (("20231231Z", True), ("20240101Z", True), ("20240102Z", False)):
        made = subprocess.run([*verify, f"-Overify-time={day}"], input=raw[:cut], capture_output=True, check=False)
        assert (made.returncode == 0) is good, made.stderr
