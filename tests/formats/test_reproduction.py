"""Reproducers' statements: written and read, each refusal with one thing wrong, the envelope by another reader."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical, dsse, ed25519
from tagtrail.formats.encoding import base64_decode, base64_encode
from tagtrail.formats.reproduction import (
    ISOLATIONS,
    Reproduction,
    is_statement,
    open_reproduction,
    reproducer,
    sign,
    statement_name,
)
from tagtrail.formats.sshsig import SshKey
from tagtrail.io.sandbox import KINDS
from tagtrail.model.errors import TamperError
from tagtrail.model.facts import Material

SEED = sha256(b"rebuilder").digest()
KEY = SshKey(type="ssh-ed25519", fields=(ed25519.public_key(SEED),))
SAID = Reproduction(
    origin="releases.example.org/trail", project="nova", version="33.0.0", index=7, entry="e" * 64, commit="c" * 40,
    provenance="b" * 64, files=(("nova-33.0.0-py3-none-any.whl", "2" * 64), ("nova-33.0.0.tar.gz", "1" * 64)),
    materials=(Material(uri="pkg:generic/cpython@3.11.2"), Material(uri="pkg:pypi/pbr@7.0.1", record="d" * 64)),
    isolation="bubblewrap", time=1_775_055_600, key=KEY.line,
)  # fmt: skip
FILE = sign(SAID, reproducer(SEED))


def refused(data: bytes) -> str:
    with pytest.raises(TamperError) as caught:
        open_reproduction(data)
    return caught.value.code


def again(change: Any, seed: bytes = SEED) -> bytes:
    """The statement with its payload changed, and signed anew."""
    value = json.loads(dsse.parse(FILE[:-1]).payload)
    change(value)
    return dsse.sign(dsse.IN_TOTO, canonical.dumps(value), [reproducer(seed)]).encode() + b"\n"


def test_read_back() -> None:
    found = open_reproduction(FILE)
    assert found == SAID
    assert found.fingerprint == KEY.fingerprint


def test_every_kind_of_isolation_can_be_said() -> None:
    assert ISOLATIONS == KINDS
    for kind in ISOLATIONS:
        assert open_reproduction(sign(replace(SAID, isolation=kind), reproducer(SEED))).isolation == kind


def test_names() -> None:
    name = statement_name("nova", "33.0.0", FILE)
    assert name == f"nova-33.0.0.reproduced-{sha256(FILE).hexdigest()[:8]}.jsonl"
    assert is_statement(name)
    assert not any(map(is_statement, ("nova-33.0.0.intoto.jsonl", "nova.reproduced-1234567x.jsonl", "nova-1.tar.gz")))


def test_another_reader_verifies_it() -> None:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    line = json.loads(FILE)
    public = SSlibKey(line["signatures"][0]["keyid"], "ed25519", "ed25519", {"public": KEY.fields[0].hex()})
    assert Envelope.from_dict(line).verify([public], threshold=1)


@given(st.text(max_size=40), st.integers(0, 2**40), st.lists(st.text(max_size=9), unique=True, min_size=1, max_size=4))
def test_whatever_it_says(text: str, number: int, names: list[str]) -> None:
    files = tuple(sorted((name, "1" * 64) for name in names))
    said = replace(SAID, origin=text, index=number, files=files, time=number % 2**32)
    assert open_reproduction(sign(said, reproducer(SEED))) == said


def _set(*path: str, to: Any) -> Any:
    def change(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to

    return change


WRONG = {
    "no end of line": (FILE[:-1], "reproduction-line"),
    "two lines": (FILE + b"\n", "reproduction-line"),
    "too much": (b" " * (1 << 20) + FILE, "reproduction-line"),
    "another spelling": (FILE.replace(b'":"', b'": "', 1), "reproduction-line"),
    "another payload type": (
        dsse.sign("text/plain", dsse.parse(FILE[:-1]).payload, [reproducer(SEED)]).encode() + b"\n",
        "reproduction-line",
    ),
    "another type": (again(_set("_type", to="https://in-toto.io/Statement/v2")), "reproduction-form"),
    "another predicate": (again(_set("predicateType", to="x")), "reproduction-form"),
    "a field more": (again(_set("predicate", "more", to="x")), "reproduction-form"),
    "a field less": (again(lambda v: v["predicate"].pop("commit")), "reproduction-form"),
    "a number for a text": (again(_set("predicate", "version", to=33)), "reproduction-form"),
    "a text for a number": (again(_set("predicate", "entry", "index", to="7")), "reproduction-form"),
    "no digest": (again(_set("predicate", "provenance", to="B" * 64)), "reproduction-form"),
    "no commit": (again(_set("predicate", "commit", to="hello world")), "reproduction-form"),
    "half a commit": (again(_set("predicate", "commit", to="c" * 39)), "reproduction-form"),
    "a kind of isolation that is none": (again(_set("predicate", "isolation", to="magic")), "reproduction-isolation"),
    "not said how": (again(_set("predicate", "isolation", to="auto")), "reproduction-isolation"),
    "a number for a material": (again(_set("predicate", "materials", to=[{"uri": 5}])), "reproduction-form"),
    "a record that is no digest": (
        again(_set("predicate", "materials", to=[{"uri": "pkg:pypi/pbr@7", "annotations": {"record": "x"}}])),
        "reproduction-form",
    ),
    "no files": (again(_set("subject", to=[])), "reproduction-form"),
    "a file twice": (
        again(lambda v: v["subject"].append({"name": v["subject"][1]["name"], "digest": {"sha256": "3" * 64}})),
        "reproduction-form",
    ),
    "another order": (again(lambda v: v["subject"].reverse()), "reproduction-form"),
    "no time": (again(_set("predicate", "time", to="yesterday")), "time-form"),
    "an RSA key": (
        again(_set("predicate", "key", to=SshKey(type="ssh-rsa", fields=(b"\1\0\1", b"\0" + b"\xff" * 256)).line)),
        "reproduction-key",
    ),
    "no key": (again(_set("predicate", "key", to="ssh-ed25519")), "ssh-key-line"),
    "signed by another": (again(lambda _: None, sha256(b"somebody").digest()), "dsse-threshold"),
    "nothing": (b"\n", "json-syntax"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str) -> None:
    data, code = WRONG[name]
    assert refused(data) == code


def test_one_bit_of_the_signature() -> None:
    line = json.loads(FILE)
    value = bytearray(base64_decode(line["signatures"][0]["sig"], "x"))
    value[3] ^= 1
    line["signatures"][0]["sig"] = base64_encode(bytes(value))
    assert refused(canonical.dumps(line) + b"\n") == "dsse-bad-signature"
