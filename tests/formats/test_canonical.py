import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tagtrail.formats import canonical
from tagtrail.model.errors import TamperError
from tests.formats.laws import sparing
from tests.formats.refusal import refused

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(codec="ascii"), max_size=5)
INTEGERS = st.integers(1 - 2**53, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_comes_back(value: Any) -> None:
    data = canonical.dumps(value)
    assert canonical.loads(data) == value
    assert canonical.dumps(canonical.loads(data)) == data


@given(VALUES)
def test_another_implementation_writes_the_same_bytes(value: Any) -> None:
    assert canonical.dumps(value) == rfc8785.dumps(value)


@sparing
@given(VALUES.filter(lambda value: isinstance(value, dict | list) and value))
def test_every_other_spelling_is_refused(value: Any) -> None:
    data = json.dumps(value, ensure_ascii=False, indent=1).encode()
    assert canonical.loads_strict(data, canonical.MAX_SIZE) == value
    assert refused(canonical.loads, data) == "json-not-canonical"


@pytest.mark.parametrize(
    ("value", "data"),
    [
        # RFC 8785 section 3.2.2, the string of its example
        ('€$\x0f\nA\'B"\\\\"/', b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ({"b": 1, "a": (True, None, "")}, b'{"a":[true,null,""],"b":1}'),
        ({"\r": 1, "1": 2, "B": 3, "a": 4}, b'{"\\r":1,"1":2,"B":3,"a":4}'),
        ("\x7f\u2028😀", b'"\x7f\xe2\x80\xa8\xf0\x9f\x98\x80"'),
        (2**53 - 1, b"9007199254740991"),
        ({}, b"{}"),
    ],
)
def test_canonical_bytes(value: Any, data: bytes) -> None:
    assert canonical.dumps(value) == data


DEEP = canonical.MAX_DEPTH

BOTH = [
    (b"", "json-syntax"),
    (b"{", "json-syntax"),
    (b"{} {}", "json-syntax"),
    (b"{}\x00", "json-syntax"),
    (b"\xef\xbb\xbf{}", "json-syntax"),
    (b"'a'", "json-syntax"),
    (b'{"a":1,}', "json-syntax"),
    (b"// 1\n{}", "json-syntax"),
    (b'"\x01"', "json-syntax"),
    (b'"\\x41"', "json-syntax"),
    (b"01", "json-syntax"),
    (b'"\xff"', "json-utf8"),
    (b'"\xed\xa0\x80"', "json-utf8"),
    (b'{"a":1,"a":1}', "json-duplicate-key"),
    (b'[{"b":{"a":1,"\\u0061":2}}]', "json-duplicate-key"),
    (b"{" + b"".join(b'"%d":1,' % n for n in range(6_000)) + b'"5999":1}', "json-duplicate-key"),
    (b"NaN", "json-nan"),
    (b"[-Infinity]", "json-nan"),
    (b"1e999", "json-nan"),
    (b'"\\ud800"', "json-surrogate"),
    (b'{"\\udc00":1}', "json-surrogate"),
    (b"9007199254740992", "json-integer"),
    (b"-9007199254740992", "json-integer"),
    (b"1" * 5000, "json-integer"),
    (b"[" * (DEEP + 1) + b"]" * (DEEP + 1), "json-depth"),
    (b'{"a":' * (DEEP + 1) + b"1" + b"}" * (DEEP + 1), "json-depth"),
    (b"[" * 30_000 + b"]" * 30_000, "json-depth"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json-depth"),
    (b" " * canonical.MAX_SIZE + b"1", "json-size"),
]


@pytest.mark.parametrize(("data", "code"), BOTH)
def test_what_has_no_single_reading_is_refused(data: bytes, code: str) -> None:
    assert refused(canonical.loads, data) == code
    assert refused(canonical.loads_strict, data, canonical.MAX_SIZE) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"1.5", "json-float"),
        (b"1.0", "json-float"),
        (b"1e3", "json-float"),
        (b'{"\xc3\xa9":1}', "json-key"),
        (b"-0", "json-not-canonical"),
        (b"{} ", "json-not-canonical"),
        (b'{"b":1,"a":2}', "json-not-canonical"),
        (b'"\\u0041"', "json-not-canonical"),
        (b'"\\/"', "json-not-canonical"),
        (b'"\\u001F"', "json-not-canonical"),
        (b'"\\u00e9"', "json-not-canonical"),
    ],
)
def test_strict_reads_what_canonical_refuses(data: bytes, code: str) -> None:
    canonical.loads_strict(data, 100)
    assert refused(canonical.loads, data) == code


def test_the_limits_themselves_are_read() -> None:
    nested = b"[" * DEEP + b"]" * DEEP
    assert canonical.dumps(canonical.loads(nested)) == nested
    text = b'"' + b"a" * (canonical.MAX_SIZE - 2) + b'"'
    assert canonical.dumps(canonical.loads(text)) == text
    assert canonical.loads(b"-9007199254740991") == 1 - 2**53


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "json-float"),
        (float("nan"), "json-float"),
        (2**53, "json-integer"),
        (10**400, "json-integer"),
        (b"", "json-type"),
        ({1: 2}, "json-type"),
        ({"a": {1, 2}}, "json-type"),
        ({"é": 1}, "json-key"),
        ("\ud800", "json-surrogate"),
        ("a\udfff", "json-surrogate"),
    ],
)
def test_what_is_not_canonical_is_not_written(value: object, code: str) -> None:
    assert refused(canonical.dumps, value) == code


def test_a_cycle_is_not_written() -> None:
    value: list[object] = []
    value.append(value)
    assert refused(canonical.dumps, value) == "json-depth"


@sparing
@given(VALUES, st.data())
def test_every_mutation_refuses_or_is_another_value(value: Any, data: st.DataObject) -> None:
    text = bytearray(canonical.dumps(value))
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    try:
        read = canonical.loads(bytes(text))
    except TamperError:
        return
    assert canonical.dumps(read) == bytes(text)
    assert read != value
