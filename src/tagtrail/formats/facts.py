"""Facts as JSON and back, by their type hints: how the journal remembers a step, and how a fact gets a digest.

A dataclass is an object of its fields; a tuple is a list; bytes are base64; an error is an object of its class's name
and what it says; None, strings, integers and booleans are themselves. A field whose metadata say `sparse` is left out
while it is empty, so that a field that is new changes no digest. Reading is strict: other fields or types are a
TamperError (`fact-form`), for a journal that was written by another version.
"""

import types
from functools import cache
from hashlib import sha256
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from tagtrail.formats import canonical
from tagtrail.formats.encoding import base64_decode, base64_encode
from tagtrail.model.errors import Error, ProjectError, RemoteError, SetupError, TamperError
from tagtrail.model.frozen import fields_of

__all__ = ["digest", "dump", "load"]

T = TypeVar("T")

_ERRORS = {kind.__name__: kind for kind in (Error, ProjectError, RemoteError, SetupError, TamperError)}
_SAID = ("what", "code", "why", "hint")


def dump(fact: object) -> Any:
    """The fact as JSON values."""
    if isinstance(fact, tuple):
        return [dump(item) for item in fact]
    kind: Any = type(fact)
    if (names := _fields(kind)) is not None:
        said = ((name, thin, getattr(fact, name)) for name, thin in names)
        return {name: dump(value) for name, thin, value in said if value or not thin}
    if isinstance(fact, bytes):
        return base64_encode(fact)
    if isinstance(fact, Error):
        return {"error": type(fact).__name__, **{name: getattr(fact, name) for name in _SAID}}
    return fact


def digest(fact: object) -> str:
    """SHA-256 of the fact's canonical JSON, with its type's name in front: the key of what is made from it."""
    return sha256(type(fact).__name__.encode() + b"\n" + canonical.dumps(dump(fact))).hexdigest()


def load(kind: type[T], value: Any) -> T:
    """The fact of type `kind` from JSON values. Raises TamperError `fact-form`."""
    try:
        fact = _load(kind, value)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise TamperError(f"not a {kind.__name__}: {error}", code="fact-form") from error
    return fact  # type: ignore[no-any-return]  # built by the type hints of `kind`


def _load(kind: Any, value: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return None if value is None else _load(next(a for a in args if a is not type(None)), value)
    if origin is tuple:
        _plain(list, value)
        each = (args[0],) * len(value) if args[-1] is Ellipsis else args
        return tuple(_load(a, v) for a, v in zip(each, value, strict=True))
    if origin is Literal:
        return _one_of(args, value)
    if isinstance(kind, type) and _fields(kind) is not None:
        make: Any = kind
        hints = _hints(make)
        return make(**{name: _load(hints[name], v) for name, v in value.items()})
    if kind is bytes:
        return base64_decode(_plain(str, value), "fact-form")
    if kind is Error:
        said = {name: _plain(str, text) for name, text in value.items()}
        return _ERRORS[said.pop("error")](said.pop("what"), **said)
    return _plain(kind, value)


@cache
def _fields(kind: Any) -> tuple[tuple[str, bool], ...] | None:
    """(name, whether it is sparse) of a value's fields; None: it has none."""
    found = fields_of(kind)
    if found is None and hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields  # who has one loaded them

        return tuple((f.name, bool(f.metadata.get("sparse"))) for f in fields(kind))
    return found


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _one_of(choices: tuple[Any, ...], value: Any) -> Any:
    if value not in choices:
        message = f"{value!r} is none of {choices}"
        raise TypeError(message)
    return value


def _plain(kind: Any, value: Any) -> Any:
    if type(value) is not kind:
        message = f"{kind.__name__} expected, {value!r} found"
        raise TypeError(message)
    return value
