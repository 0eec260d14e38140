"""TOML 1.0.0 of anybody's, read in bounded time and memory: at most 1 MiB, 1000 dots in a line, 32 levels."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

__all__ = ["loads"]

_SIZE, _DOTS, _DEPTH = 1 << 20, 1000, 32


@lru_cache(maxsize=4)
def loads(text: str) -> Mapping[str, Any]:
    """The values of a text, to be read and never changed: a pyproject.toml has many readers, and is parsed for one.

    Raises ValueError for what is no TOML, or is beyond what people write.
    """
    # a key of n dotted parts costs tomllib n * n steps
    if len(text) > _SIZE or any(line.count(".") > _DOTS for line in text.split("\n")):
        raise ValueError(f"more than {_SIZE} characters, or {_DOTS} dots in a line")
    try:
        values = tomllib.loads(text)
    except RecursionError:
        values = None
    if values is None or _deeper(values, _DEPTH):
        raise ValueError(f"nested deeper than {_DEPTH} levels")
    return values


def _deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_deeper(item, levels - 1) for item in inner)
