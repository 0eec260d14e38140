r"""Canonical JSON: one value has one spelling, and only that spelling is read.

RFC 8785 (JCS) for a subset on which it needs no number formatting: objects with ASCII keys sorted, arrays, strings,
integers of magnitude below 2**53, true, false, null; no white space; UTF-8; only `"`, `\` and control characters
escaped. Nothing is deeper than 32 levels.

    {"predicate":{"event":"release","time":1775055600},"subject":[]}

`loads` reads that and nothing else. `loads_strict` reads foreign JSON within RFC 7493 (I-JSON): any white space and key
order, finite doubles, other keys; still no duplicate keys, no NaN, no lone surrogates, no integer beyond 2**53.
Reason codes: json-size, json-utf8, json-syntax, json-duplicate-key, json-nan, json-float, json-integer,
json-surrogate, json-key, json-depth, json-type, json-not-canonical.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from tagtrail.formats.encoding import shown
from tagtrail.model.errors import TamperError

__all__ = ["MAX_DEPTH", "MAX_SIZE", "dumps", "loads", "loads_strict"]

MAX_SIZE = 65_535
"""Bytes of a trail entry, which is what canonical JSON is for."""

MAX_DEPTH = 32
_LIMIT = 2**53
_LONGEST_INTEGER = len(str(-_LIMIT))
_NESTED = (dict, list, tuple)
_SPELL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def dumps(value: object) -> bytes:
    """The canonical bytes of `value` (dict, list or tuple, str, int, bool, None). Raises TamperError json-*."""
    _check(value, canonical=True)
    return _spelled(value)


def loads(data: bytes, max_size: int = MAX_SIZE) -> Any:
    """The value of canonical bytes. Raises TamperError json-*."""
    value = _read(data, max_size)
    _check(value, canonical=True)
    spelled = _spelled(value)
    if spelled != data:
        what = f"JSON of {len(data)} bytes is not in canonical form, which has {len(spelled)}"
        raise TamperError(what, code="json-not-canonical", why="sorted keys, no white space, shortest escapes")
    return value


def loads_strict(data: bytes, max_size: int) -> Any:
    """The value of JSON that has only one reading. Raises TamperError json-*."""
    value = _read(data, max_size)
    _check(value, canonical=False)
    return value


def _spelled(value: object) -> bytes:
    return _SPELL(value).encode("utf-8")


def _read(data: bytes, max_size: int) -> Any:
    if len(data) > max_size:
        raise TamperError(f"JSON has {len(data)} bytes, at most {max_size} are read", code="json-size")
    try:
        text = data.decode("utf-8")
        return json.loads(
            text,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as error:
        raise TamperError(f"JSON is not UTF-8 at byte {error.start}", code="json-utf8") from None
    except json.JSONDecodeError as error:
        if _depth(data) > MAX_DEPTH:
            raise _too_deep() from None
        raise TamperError(f"not JSON at character {error.pos}: {error.msg.lower()}", code="json-syntax") from None
    except RecursionError:
        raise _too_deep() from None


def _depth(data: bytes) -> int:
    """How deep brackets are nested, of what is no JSON: where the stack is high, Python reads far below the bottom."""
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"?', b"", data)
    depth = deepest = 0
    for bracket in re.findall(rb"[\[\]{}]", bare):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _integer(digits: str) -> int:
    # int() of ten thousand digits is an exception of its own; _check compares the value.
    if len(digits) > _LONGEST_INTEGER:
        raise TamperError(f"integer {shown(digits)} is not below 2**53", code="json-integer")
    return int(digits)


def _double(digits: str) -> float:
    if not math.isfinite(float(digits)):
        raise TamperError(f"number {shown(digits)} is beyond a double", code="json-nan")
    return float(digits)


def _constant(name: str) -> None:
    raise TamperError(f"{name} is no JSON number", code="json-nan")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise TamperError(f"key {shown(key)} stands twice in one JSON object", code="json-duplicate-key")
        result[key] = value
    return result


def _check(value: object, *, canonical: bool, depth: int = 0) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, _NESTED):
        _check_nested(value, canonical=canonical, depth=depth)
    elif isinstance(value, int):
        if abs(value) >= _LIMIT:
            raise TamperError(f"an integer of {value.bit_length()} bits is not below 2**53", code="json-integer")
    elif isinstance(value, float) and canonical:
        raise TamperError(f"number {value} is not an integer", code="json-float")
    elif value is not None and not isinstance(value, float):
        raise TamperError(f"{type(value).__name__} is no JSON value", code="json-type")


def _check_nested(value: Iterable[object], *, canonical: bool, depth: int) -> None:
    """Texts in ASCII, which most are, have nothing to be judged and cost no call."""
    if depth >= MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        for key in value:
            if not (isinstance(key, str) and key.isascii()):
                _check_key(key, canonical=canonical)
        value = value.values()
    for item in value:
        if not (isinstance(item, str) and item.isascii()):
            _check(item, canonical=canonical, depth=depth + 1)


def _check_key(key: object, *, canonical: bool) -> None:
    if not isinstance(key, str):
        raise TamperError(f"{type(key).__name__} is no JSON key", code="json-type")
    _check_text(key)
    if canonical and not key.isascii():
        raise TamperError(f"key {shown(key)} is not ASCII", code="json-key")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        what = f"{shown(text)} holds a lone surrogate"
        raise TamperError(what, code="json-surrogate", why="it has no UTF-8") from None


def _too_deep() -> TamperError:
    return TamperError(f"JSON is nested deeper than {MAX_DEPTH} levels", code="json-depth")
