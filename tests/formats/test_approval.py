from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats.approval import MAX_SIZE, ApprovalText, format_approval, parse_approval
from tagtrail.model.errors import TamperError
from tests.formats.refusal import refused

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
TEXT = ApprovalText(
    origin="releases.example.org/trail",
    project="nova",
    version="33.0.0",
    repo="https://git.example.org/nova",
    tag=A,
    settings=B,
    expires=1775660520,
    targets=("pypi", "site"),
    files=(("nova-33.0.0-py3-none-any.whl", C), ("nova-33.0.0.tar.gz", D)),
)
BYTES = f"""tagtrail approval v1
origin releases.example.org/trail
project nova
version 33.0.0
repo https://git.example.org/nova
tag {A}
settings {B}
expires 2026-04-08T15:02:00Z
target pypi
target site
file {C} nova-33.0.0-py3-none-any.whl
file {D} nova-33.0.0.tar.gz
""".encode()

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,20}", fullmatch=True)
WORDS = st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
TEXTS = st.builds(
    ApprovalText,
    origin=WORDS,
    project=WORDS.filter(lambda word: word.lower() not in {"simple", "trail", "verify"}),
    version=NAMES,
    repo=st.text("a:/é é", min_size=1, max_size=20).filter(lambda text: text == text.strip() != ""),
    tag=DIGESTS,
    settings=DIGESTS,
    expires=st.integers(0, 2**36),
    withdraw=st.sampled_from(["", "loses data", "é: a target b", "file x"]),
    targets=st.sets(WORDS, max_size=3).map(lambda names: tuple(sorted(names))),
    files=st.dictionaries(NAMES, DIGESTS, min_size=1, max_size=4).map(lambda files: tuple(sorted(files.items()))),
)


def test_the_form_is_the_documented_one() -> None:
    assert format_approval(TEXT) == BYTES
    assert parse_approval(BYTES) == TEXT


@given(TEXTS)
def test_texts_come_back(text: ApprovalText) -> None:
    assert parse_approval(format_approval(text)) == text


def test_a_withdrawal_says_its_reason_after_the_expiry() -> None:
    gone = replace(TEXT, withdraw="loses data on upgrade")
    data = BYTES.replace(b"target pypi", b"withdraw loses data on upgrade\ntarget pypi")
    assert (format_approval(gone), parse_approval(data)) == (data, gone)
    for other in (data.replace(b"loses data on upgrade", b""), data + b"withdraw x\n"):
        assert refused(parse_approval, other) == "approval-form"


def test_no_targets_are_fine() -> None:
    text = replace(TEXT, targets=())
    assert parse_approval(format_approval(text)) == text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"origin": "https://releases.example.org"}, "approval-origin"),
        ({"origin": ""}, "approval-origin"),
        ({"project": "simple"}, "approval-project"),
        ({"project": "no va"}, "approval-project"),
        ({"version": "33.0.0\n"}, "approval-version"),
        ({"version": ""}, "approval-version"),
        ({"withdraw": " x"}, "approval-withdraw"),
        ({"withdraw": "two\nlines"}, "approval-withdraw"),
        ({"repo": ""}, "approval-repo"),
        ({"repo": " x"}, "approval-repo"),
        ({"repo": "x\ny"}, "approval-repo"),
        ({"repo": "x\u2028y"}, "approval-repo"),
        ({"repo": "\ud800"}, "approval-repo"),
        ({"tag": A.upper()}, "approval-digest"),
        ({"settings": "b" * 40}, "approval-digest"),
        ({"targets": ("py pi",)}, "approval-target"),
        ({"targets": ("site", "pypi")}, "approval-order"),
        ({"targets": ("site", "site")}, "approval-order"),
        ({"files": ()}, "approval-no-file"),
        ({"files": (("a b", C),)}, "approval-file"),
        ({"files": (("../a", C),)}, "approval-file"),
        ({"files": (("a", "c" * 63),)}, "approval-digest"),
        ({"files": (("b", C), ("a", D))}, "approval-order"),
        ({"files": (("a", C), ("a", D))}, "approval-order"),
    ],
)
def test_one_field_wrong(fields: dict[str, Any], code: str) -> None:
    assert refused(replace, TEXT, **fields) == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"v1\n", b"v2\n", "approval-form"),
        (b"tagtrail", b" tagtrail", "approval-form"),
        (b"origin r", b"origin  r", "approval-origin"),
        (b"origin r", b"0rigin r", "approval-form"),
        (b"project nova\n", b"", "approval-form"),
        (b"project nova\n", b"project nova \n", "approval-project"),
        (b"project nova\n", b"project nova\r\n", "approval-project"),
        (b"project nova\nversion 33.0.0\n", b"version 33.0.0\nproject nova\n", "approval-form"),
        (b"15:02:00Z", b"15:02:00z", "time-form"),
        (b"expires 2026-04-08T15:02:00Z\n", b"expires never\n", "time-form"),
        (b"target pypi\n", b"target pypi\ntarget pypi\n", "approval-order"),
        (b"target pypi\n", b"Target pypi\n", "approval-form"),
        (b"target pypi\n", b"target pypi\nnote well\n", "approval-form"),
        (b"target site\nfile", b"file", None),
        (b"nova-33.0.0.tar.gz\n", b"nova-33.0.0.tar.gz", "approval-form"),
        (b"nova-33.0.0.tar.gz\n", b"nova-33.0.0.tar.gz\n\n", "approval-form"),
        (b"nova-33.0.0.tar.gz\n", b"nova-33.0.0.tar.gz\ntarget zzz\n", "approval-form"),
        (b" nova-33.0.0.tar.gz", b"  nova-33.0.0.tar.gz", "approval-file"),
        (b"git.example", b"g\xfft.example", "approval-utf8"),
    ],
)
def test_one_byte_wrong(old: bytes, new: bytes, code: str | None) -> None:
    assert BYTES.count(old) >= 1
    data = BYTES.replace(old, new, 1)
    if code is None:
        assert parse_approval(data) != TEXT
    else:
        assert refused(parse_approval, data) == code


def test_too_long_a_text_is_neither_read_nor_written() -> None:
    assert refused(parse_approval, BYTES + b"x" * MAX_SIZE) == "approval-size"
    many = tuple((f"{number:05}" + "x" * 200, C) for number in range(600))
    assert refused(format_approval, replace(TEXT, files=many)) == "approval-size"


def test_every_bit_makes_another_text_or_none() -> None:
    for place in range(0, len(BYTES), 3):
        for bit in range(8):
            data = BYTES[:place] + bytes([BYTES[place] ^ 1 << bit]) + BYTES[place + 1 :]
            with suppress(TamperError):
                assert format_approval(parse_approval(data)) == data


def test_the_page_shows_a_text_that_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "format" / "approval.md").read_text()
    shown = page.split("```approval\n")[1].split("```")[0].encode()
    assert format_approval(parse_approval(shown)) == shown
