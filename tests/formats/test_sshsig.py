"""SSH signatures and keys as ssh-keygen writes them, and in no other spelling."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.encoding import base64_decode, base64_encode
from tagtrail.formats.sshsig import BEGIN, END, join, parse_key, parse_key_line, parse_sshsig, strings
from tagtrail.model.errors import TamperError
from tests.formats.refusal import refused

VECTORS = Path(__file__).parent.parent / "verify" / "vectors"


def text(name: str) -> str:
    raw = (VECTORS / f"{name}.tag").read_text()
    return raw[raw.index(BEGIN) :].removesuffix("\n")


ED25519 = text("ssh-ed25519")
BLOB = base64_decode("".join(ED25519.split("\n")[1:-1]), "x")
KEY, NAMESPACE, _, HASH, SIGNATURE = strings(BLOB[10:], "x")


def armoured(blob: bytes) -> str:
    return f"{BEGIN}\n{base64_encode(blob)}\n{END}"


def with_fields(*fields: bytes) -> str:
    return armoured(b"SSHSIG\0\0\0\x01" + join(*fields))


@pytest.mark.parametrize(
    ("name", "kind", "scheme"),
    [
        ("ssh-ed25519", "ssh-ed25519", "ssh-ed25519"),
        ("ssh-rsa", "ssh-rsa", "rsa-sha2-512"),
        ("ssh-ecdsa", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ],
)
def test_what_ssh_keygen_wrote_is_read(name, kind, scheme):
    signature = parse_sshsig(text(name))
    assert (signature.key.type, signature.scheme, signature.namespace, signature.hash) == (
        kind,
        scheme,
        "git",
        "sha512",
    )
    line = (VECTORS / f"{name}.pub").read_text().strip()
    assert signature.key.line == line
    assert parse_key_line(f"{line} a comment") == signature.key
    assert parse_key(signature.key.blob) == signature.key


def test_a_fingerprint_is_the_one_that_ssh_keygen_prints():
    line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    assert parse_key_line(line).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ("", "sshsig-armor"),
        (ED25519 + "\n", "sshsig-armor"),
        (" " + ED25519, "sshsig-armor"),
        (ED25519.replace(END, ""), "sshsig-armor"),
        (f"{BEGIN}\n{END}", "sshsig-magic"),
        (armoured(bytes(70_000)), "sshsig-armor"),
        (ED25519.replace("\n", "\n\n", 1), "sshsig-armor"),
        (ED25519.replace("\n", "\r\n"), "sshsig-armor"),
        (ED25519.replace("\n", "\n ", 1), "sshsig-base64"),
        (armoured(BLOB[:-1] + b"\xff")[:-30] + "_" + END, "sshsig-armor"),
        (armoured(b"SSHSIG"), "sshsig-version"),
        (armoured(b"sshsig" + BLOB[6:]), "sshsig-magic"),
        (armoured(BLOB[:9] + b"\2" + BLOB[10:]), "sshsig-version"),
        (armoured(BLOB[:-1]), "sshsig-string"),
        (armoured(BLOB + b"\0"), "sshsig-string"),
        (armoured(BLOB + join(b"")), "sshsig-string"),
        (with_fields(KEY, NAMESPACE, b"x", HASH, SIGNATURE), "sshsig-reserved"),
        (with_fields(KEY, NAMESPACE, b"", b"sha1", SIGNATURE), "sshsig-hash"),
        (with_fields(KEY, NAMESPACE, b"", b"SHA512", SIGNATURE), "sshsig-hash"),
        (with_fields(KEY, b"", b"", HASH, SIGNATURE), "sshsig-text"),
        (with_fields(KEY, b"g\xc3\xa4t", b"", HASH, SIGNATURE), "sshsig-text"),
        (with_fields(KEY, b"git\n", b"", HASH, SIGNATURE), "sshsig-text"),
        (with_fields(KEY, NAMESPACE, b"", HASH, join(b"ssh-ed25519")), "sshsig-string"),
        (with_fields(KEY, NAMESPACE, b"", HASH, SIGNATURE + join(b"")), "sshsig-string"),
        (with_fields(b"", NAMESPACE, b"", HASH, SIGNATURE), "ssh-key-type"),
        (with_fields(join(b"ssh-dss", b"x"), NAMESPACE, b"", HASH, SIGNATURE), "ssh-key-type"),
        (with_fields(KEY + join(b""), NAMESPACE, b"", HASH, SIGNATURE), "ssh-key-string"),
        (with_fields(KEY[:-1], NAMESPACE, b"", HASH, SIGNATURE), "ssh-key-string"),
    ],
)
def test_another_spelling_is_refused(changed, code):
    assert refused(parse_sshsig, changed) == code


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_strings_read_what_join_wrote(parts):
    assert strings(join(*parts), "x") == tuple(parts)


@given(st.binary(max_size=60))
def test_bytes_are_strings_in_one_way_or_none(data):
    try:
        found = strings(data, "x")
    except TamperError:
        return
    assert join(*found) == data


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "ssh-key-line"),
        ("ssh-ed25519", "ssh-key-line"),
        ("ssh-ed25519 AAAA=", "ssh-key-base64"),
        ("ssh-ed25519 AAAB", "ssh-key-string"),
        (f"ssh-rsa {base64_encode(KEY)}", "ssh-key-type"),
    ],
)
def test_what_is_no_key_line_is_refused(line, code):
    assert refused(parse_key_line, line) == code
