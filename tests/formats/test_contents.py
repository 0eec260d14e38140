"""Secrets and litter: what is found, what is left alone, and that a look takes no longer for what an enemy wrote."""

import base64
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.contents import MOST, litter_in, missing_licenses, noticed, secret_in, secret_named

KEY = Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
OPENSSH = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
ARMOUR = b"-----BEGIN PGP " + b"PRIVATE KEY BLOCK-----\nVersion: X 1\nComment: mine\n\n" + b"lQHYBF" * 12 + b"\n=abcd\n"
RSA = b"-----BEGIN RSA " + b"PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,ABCD\n\n" + b"MIIE" * 16
LETTERS = b"q7Bz" * 40

SECRETS = [
    (PEM, "a private key"),
    (OPENSSH, "a private key"),
    (ARMOUR, "a private key"),
    (RSA, "a private key"),
    (PEM.replace(b"\n", b"\r\n"), "a private key"),
    (b'KEY = "' + PEM.replace(b"\n", b"\\n") + b'"', "a private key"),
    (b"KEY = (\n" + b"\n".join(b'    b"' + line + b'\\n"' for line in PEM.splitlines()) + b")", "a private key"),
    (b"password = pypi-" + b"AgEIcHlwaS5vcmcC" + LETTERS, "a token of a package index"),
    (b"x = 'ghp_" + LETTERS[:36] + b"'", "a GitHub token"),
    (b"github_pat_" + LETTERS[:22] + b"_" + LETTERS[:59], "a GitHub token"),
    (b"glpat-" + LETTERS[:20], "a GitLab token"),
    (b"id=AKIA" + b"QZ7B" * 4, "an AWS access key"),
    (b"xoxb-" + b"1234567891-" + LETTERS[:24], "a Slack token"),
    (b"https://hooks.slack.com/services/T" + b"ABCDEFGH/B" + b"ABCDEFGH/" + LETTERS[:24], "a Slack hook"),
]


@pytest.mark.parametrize(("data", "what"), SECRETS)
def test_a_secret_is_found(data: bytes, what: str) -> None:
    assert secret_in(data) == what
    assert secret_in(b"\xff\x00" + b"before " + data + b" after") == what


NONE = [
    b"",
    b"if line == '-----BEGIN PRIVATE KEY-----':\n    pass\n",  # a program that reads keys
    b'HEAD, TAIL = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"\n',
    b"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",  # a text about keys
    PEM.replace(b"PRIVATE", b"PUBLIC"),
    b"AKIAIOSFODNN7EXAMPLE",  # AWS's own example
    b"ghp_" + b"x" * 36,
    b"ghp_" + LETTERS[:35],
    b"mighp_" + LETTERS[:36],
    b"pypi-AgEIcHlwaS5vcmc",
    b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(LETTERS),
]


@pytest.mark.parametrize("data", NONE)
def test_what_is_no_secret_is_left_alone(data: bytes) -> None:
    assert secret_in(data) == ""


def test_what_is_too_large_is_not_looked_into() -> None:
    assert secret_in(PEM + b" " * MOST) == ""
    ((found),) = noticed([("big.pem", len(PEM) + MOST, (PEM, b" " * MOST)), ("id_rsa", 9, (b"nothing",))])
    assert (found.kind, found.member, found.what) == ("secret", "id_rsa", "credentials, by its name")


NAMES = [
    (".pypirc", "secret"), ("deploy/.netrc", "secret"), ("x/id_ed25519", "secret"), ("id_rsa.pub", ""),
    ("valid_rsa", ""), (".git/config", "litter"), ("a/.hg/store", "litter"), (".gitignore", ""), (".github/x.yml", ""),
    ("a/__pycache__/b.cpython-311.pyc", "litter"), ("b.pyc", "litter"), ("b.pycx", ""), (".DS_Store", "litter"),
    ("a/b.py.orig", "litter"), ("a/b~", "litter"), ("a~b", ""), (".tox/py/x", "litter"), ("tox.ini", ""),
    ("node_modules/x.js", "litter"), ("my_node_modules/x.js", ""), ("original", ""), (".coverage", "litter"),
    ("Cargo.toml.orig", ""), ("a/Cargo.toml.orig", "litter"), (".coveragerc", ""),
    ("tests/.pytest_cache/README.md", "litter"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), NAMES)
def test_names(name: str, kind: str) -> None:
    found = "secret" if secret_named(name) else "litter" if litter_in(name) else ""
    assert found == kind


def test_license_files_are_where_they_must_be() -> None:
    assert [*missing_licenses(["LICENSE", "a/COPYING"], ["LICENSE", "a/COPYING", "x"], wheel=False)] == []
    inside = ["m-1.dist-info/licenses/LICENSE", "m-1.dist-info/licenses/a/COPYING"]
    assert [*missing_licenses(["LICENSE", "a/COPYING"], inside, wheel=True)] == []
    assert [r.member for r in missing_licenses(["LICENSE"], ["m-1.dist-info/LICENSE", "LICENSE"], wheel=True)] == [
        "LICENSE"
    ]
    assert [r.member for r in missing_licenses(["LICENSE"], ["doc/LICENSE"], wheel=False)] == ["LICENSE"]


SLOW = [
    b"-----BEGIN PRIVATE KEY-----" + b"\n" * 999_000,
    b"-----BEGIN PRIVATE KEY-----\n" * 37_000,
    b"-----BEGIN PRIVATE KEY-----\n" + b"Abc: d\n" * 140_000,
    b"ghp_" * 250_000,
    b"xoxb-1" * 160_000,
    b"pypi-AgE" * 130_000,
]


@pytest.mark.parametrize("data", SLOW, ids=[data[:30].decode() for data in SLOW])
def test_a_look_is_linear(data: bytes) -> None:
    began = time.process_time()
    secret_in(data)
    assert time.process_time() - began < 0.5


@given(st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=50)), max_size=4))
def test_nothing_makes_it_fail(members: list[tuple[str, bytes]]) -> None:
    assert all(r.member in dict(members) for r in noticed((name, len(data), (data,)) for name, data in members))
