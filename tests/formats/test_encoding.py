import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import encoding
from tests.formats.refusal import refused


@pytest.mark.parametrize("number", [0, 1, 9, 10, 20852163, 2**63 - 1])
def test_decimal(number: int) -> None:
    assert encoding.decimal(str(number), "code") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "01",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "1.0",
        "1e3",
        "0x1",
        "٣",
        "\uff11",
        "²",
        str(2**63),
        "9" * 19,
        "9" * 5000,
    ],
)
def test_decimal_has_one_spelling(text: str) -> None:
    assert refused(encoding.decimal, text, "code") == "code"


@given(st.binary(max_size=80))
def test_base64_comes_back(data: bytes) -> None:
    assert encoding.base64_decode(encoding.base64_encode(data), "code") == data


@pytest.mark.parametrize(
    "text",
    [
        "AB==",
        "AAB=",
        "AA",
        "AA=",
        "AA===",
        "AAAA=",
        "AA==\n",
        " AA==",
        "A A==",
        "-_-_",
        "AAA=AAA=",
        "=",
        "\u0410" * 4,
        "AA==AA==",
    ],
)
def test_base64_has_one_spelling(text: str) -> None:
    assert refused(encoding.base64_decode, text, "code") == "code"


def test_hex_digest() -> None:
    assert encoding.hex_digest("0f" * 32, "code") == "0f" * 32


@pytest.mark.parametrize("text", ["", "0f" * 31, "0f" * 33, "0F" * 32, "0g" * 32, "0f" * 32 + "\n", "٣" * 64])
def test_hex_digest_has_one_spelling(text: str) -> None:
    assert refused(encoding.hex_digest, text, "code") == "code"


@pytest.mark.parametrize("value", ["a\x1b[31mb", b"\xff\n", "\u202eabc", "\ud800", "x" * 500])
def test_shown_is_harmless(value: str | bytes) -> None:
    shown = encoding.shown(value)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) < 100
