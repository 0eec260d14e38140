"""The orders in which build backends that sort pack an archive's files; any other may be a directory's own.

A file system lists a directory in an order of its own, another on each machine. Whoever sorts does it in one of these
ways, for the same names always alike:

    by the whole name                    a-b/x a/x b    (a directory's own member with its slash, or without)
    by the parts of the name             a/x a-b/x b
    walking: a directory's files first   b a/x a-b/x
    walking: its directories first       a/x a-b/x b

Beside that, files about the project may follow at the end of an sdist, sorted again, PKG-INFO last: hatchling, flit and
poetry add them by name. Of a wheel, what lies in NAME.data is sorted by itself, and NAME.dist-info may have any order:
backends write its few files one by one.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

__all__ = ["is_sorted_sdist", "is_sorted_wheel"]

_ABOUT = re.compile(
    r"pyproject\.toml|setup\.(py|cfg)|hatch(_build\.py|\.toml)|\.(git|hg)ignore"
    r"|(LICEN[CS]ES?|COPYING|NOTICE|AUTHORS|README)([-._/].*)?",
    re.IGNORECASE,
)


def is_sorted_sdist(names: Sequence[str]) -> bool:
    """Members in the archive's order, those of directories with a slash at their end."""
    return any(_with_end(names, key) for key in _KEYS)


def is_sorted_wheel(names: Iterable[str]) -> bool:
    """Members in the archive's order, those of directories with a slash at their end."""
    parts: dict[str, list[str]] = {}
    for name in names:
        kind = re.match(r"[^/]+\.(data|dist-info)(?=/)", name)
        parts.setdefault(kind[1] if kind else "", []).append(name)
    parts.pop("dist-info", None)
    return all(any(_is_sorted(part, key) for key in _KEYS) for part in parts.values())


def _with_end(names: Sequence[str], key: Callable[[str], Any]) -> bool:
    end = [name.partition("/")[2] for name in names[_descent(names, key) :]]
    last = end[:-1] if end[-1:] == ["PKG-INFO"] else end
    return _is_sorted(last, key) and all(map(_ABOUT.fullmatch, last))


def _is_sorted(names: Sequence[str], key: Callable[[str], Any]) -> bool:
    return _descent(names, key) == len(names)


def _descent(names: Sequence[str], key: Callable[[str], Any]) -> int:
    """Where the order breaks for the first time; their number, where it does not."""
    keys = [key(name) for name in names]
    return next((at for at, (one, two) in enumerate(pairwise(keys), 1) if two < one), len(keys))


def _walked(name: str, *, files: bool) -> list[tuple[bool, str]]:
    """A key by which files come before (or behind) the directories beside them."""
    *above, last = name.split("/")
    own = [(not files, last)] if last else []
    return [*((files, part) for part in above), *own]


_KEYS: tuple[Callable[[str], Any], ...] = (
    lambda name: _walked(name, files=True),
    lambda name: name.rstrip("/"),
    lambda name: name,
    lambda name: name.rstrip("/").split("/"),
    lambda name: _walked(name, files=False),
)
