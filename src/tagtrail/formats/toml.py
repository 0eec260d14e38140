"""TOML read key by key, so that every problem is found at once and named by the path to its field; and strings written.

    tagtrail.toml: project.nova.signers: there is no group 'relase-team', did you mean 'release-team'?

Source: TOML 1.0.0. Keys that nobody asked for are problems too.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tagtrail.model.toml import loads

__all__ = ["Table", "meant", "quoted", "quoted_key", "read"]

T = TypeVar("T")


def read(name: str, data: bytes, problems: list[str]) -> "Table":
    """The table of a file called `name`; what cannot be read is an empty table and a problem."""
    try:
        values = loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        problems.append(f"{name}: not UTF-8 at byte {error.start}")
        values = {}
    except ValueError as error:
        problems.append(f"{name}: not TOML: {error}".removesuffix("."))
        values = {}
    return Table(values=values, file=name, problems=problems)


class Table:
    """A table that is asked for its keys; `close` names those that nobody asked for.

    `file` and `path` say where its `values` stand; `problems` is a list that many tables write to.
    """

    __slots__ = ("asked", "file", "path", "problems", "values")

    def __init__(self, *, values: Mapping[str, Any], file: str, problems: list[str], path: str = "") -> None:
        self.values = values
        self.file = file
        self.problems = problems
        self.path = path
        self.asked: set[str] = set()

    def problem(self, key: str, text: str) -> None:
        """Remember what is wrong with a key (empty: with the table)."""
        place = ".".join(filter(None, (self.path, key)))
        self.problems.append(": ".join(filter(None, (self.file, place, text))))

    def fault(self, key: str, fault: str) -> None:
        """Remember what a function of `tagtrail.formats.forms` found wrong with a key; empty: nothing."""
        if fault:
            self.problem(key, fault)

    def known(self, key: str, words: Iterable[str], known: Collection[str], what: str) -> None:
        """Each word must be one of those that are known."""
        for word in words:
            if word not in known:
                self.problem(key, f"there is no {what} {word!r}{meant(word, known)}")

    def formed(self, key: str, fault: Callable[[str], str], default: str | None = None) -> str:
        """A string with a form of its own, unless it is the default."""
        text = self.text(key, default)
        if text and text != default:
            self.fault(key, fault(text))
        return text

    def text(self, key: str, default: str | None = None) -> str:
        """A string, not empty; required where there is no default."""
        text = self._value(key, str, "a string", default) or ""
        if not text and self.values.get(key) == "":
            self.problem(key, "is empty")
        return text

    def number(self, key: str, default: int) -> int:
        """A whole number of at least 0."""
        value = self._value(key, int, "a whole number", default)
        if value is None or value < 0:
            self.problem(key, f"must be at least 0, not {value}")
            return default
        return value

    def flag(self, key: str) -> bool:
        """True or false, false by default."""
        return bool(self._value(key, bool, "true or false", default=False))

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of different strings."""
        values = self._value(key, list, "a list of strings", None if default is None else list(default)) or []
        if not all(type(value) is str for value in values):
            self.problem(key, "must be a list of strings")
            return ()
        if len(set(values)) != len(values):
            self.problem(key, f"names {max(values, key=values.count)!r} twice")
        return tuple(values)

    def words(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A command line as the list of its words."""
        words = self._value(key, list, "a list of words", None if default is None else list(default)) or []
        empty = self.values.get(key) == [] or words[:1] == [""]
        if empty or not all(type(word) is str and "\0" not in word for word in words):
            self.problem(key, 'must be a command line as a list of its words: ["scripts/upload", "{file}"]')
            return ()
        return tuple(words)

    def commands(self, key: str, default: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        """A list of command lines, each a list of its words."""
        lines = self._value(key, list, "a list of command lines", [list(line) for line in default]) or []
        if not all(isinstance(line, list) and line and all(type(word) is str for word in line) for line in lines):
            self.problem(key, 'must be a list of command lines, each a list of its words: [["make", "dist"]]')
            return ()
        if any("\0" in word for line in lines for word in line) or not all(line[0] for line in lines):
            self.problem(key, "has a command line that cannot be run")
        return tuple(tuple(line) for line in lines)

    def table(self, key: str) -> "Table":
        """A table within, empty where there is none."""
        value = self._value(key, dict, "a table", default={}) or {}
        place = ".".join(filter(None, (self.path, quoted_key(key))))
        return Table(values=value, file=self.file, problems=self.problems, path=place)

    def tables(self, key: str) -> Iterator[tuple[str, "Table"]]:
        """The tables by name within a table: `[people.NAME]`."""
        within = self.table(key)
        for name, value in within.values.items():
            table = within.table(name)
            if isinstance(value, dict):
                yield name, table

    def rest(self) -> tuple[tuple[str, Any], ...]:
        """All that was not asked for, frozen; nobody checks it."""
        left = {key: value for key, value in self.values.items() if key not in self.asked}
        self.asked |= set(left)
        return tuple((key, _frozen(value)) for key, value in left.items())

    def later(self, *keys: str) -> None:
        """Keys that mean something one day, but nothing yet."""
        for key in keys:
            if key in self.values:
                self.problem(quoted_key(key), "is not there yet; remove it")
            self.asked.add(key)

    def close(self, known: Collection[str] = ()) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.values:
            if key not in self.asked:
                self.problem(quoted_key(key), f"unknown key{meant(key, known or self.asked)}")

    def _value(self, key: str, kind: type[T], wanted: str, default: T | None) -> T | None:
        self.asked.add(key)
        if key not in self.values:
            if default is None:
                self.problem(key, "missing")
            return default
        value = self.values[key]
        if type(value) is not kind:
            self.problem(quoted_key(key), f"must be {wanted}, not {_kind(value)}")
            return default
        return value


def meant(word: str, known: Collection[str]) -> str:
    """`, did you mean 'x'?`, or which words there are."""
    from difflib import get_close_matches

    folded = {name.casefold(): name for name in sorted(known)}
    close = get_close_matches(word.casefold(), folded, n=1)
    if close:
        return f", did you mean {folded[close[0]]!r}?"
    return f" (there are {', '.join(sorted(known))})" if known else " (there are none)"


def _kind(value: object) -> str:
    names = {
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "true or false",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date")


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return tuple((k, _frozen(v)) for k, v in value.items()) if isinstance(value, dict) else value


def quoted(text: str) -> str:
    """A TOML basic string. JSON escapes what TOML does, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def quoted_key(key: str) -> str:
    """A key, bare where TOML allows it."""
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else quoted(key)
