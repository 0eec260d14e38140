"""What a file of the project says its version is, where the settings name the place: `declares = "FILE:KEY"`.

JSON, TOML and setup.cfg's form are read as such. Of YAML only `KEY: value` at the top is read, a plain or quoted word
on one line: that is all there is in galaxy.yml, Chart.yaml and their like. A file of another kind holds the version
and nothing else. Nothing is run, and nothing is guessed: what is not there in this form is not there.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tagtrail.model.toml import loads

__all__ = ["written"]

_SCALAR = r"""(?:"([^"\\]*)"|'([^']*)'|([^\s"'#&*!|>%@`{\[][^\s#]*))"""
"""Of YAML: one word, plain or in quotes, without escapes."""


def written(place: str, data: bytes) -> str | None:
    """The version at FILE:KEY in the file's bytes; None where there is no text of that form."""
    path, _, key = place.partition(":")
    read = next((read for suffix, read in _READERS.items() if path.endswith(suffix)), _whole)
    try:
        found = read(data.decode("utf-8"), key)
    except (ValueError, RecursionError):
        return None
    return found.strip() if isinstance(found, str) else None


def _at(table: Any, key: str) -> object:
    for part in key.split("."):
        table = table.get(part) if isinstance(table, Mapping) else None
    return table


def _json(text: str, key: str) -> object:
    return _at(json.loads(text, object_pairs_hook=_once), key)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of a key that is there twice, readers take one or the other."""
    if len(table := dict(pairs)) < len(pairs):
        raise ValueError
    return table


def _toml(text: str, key: str) -> object:
    return _at(loads(text), key)


def _ini(text: str, key: str) -> object:
    from configparser import ConfigParser, Error

    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except Error as error:
        raise ValueError from error
    section, _, option = key.rpartition(".")
    return parser.get(section, option, fallback=None)


def _yaml(text: str, key: str) -> object:
    name = re.escape(key)
    lines = re.findall(rf"^[\"']?{name}[\"']?[ \t]*:.*", text, re.MULTILINE)
    found = re.fullmatch(rf"{name}:[ \t]+{_SCALAR}[ \t]*([ \t]#.*)?\r?", lines[0]) if len(lines) == 1 else None
    return next(filter(None, found.groups()), None) if found else None


def _whole(text: str, key: str) -> object:  # noqa: ARG001  (a reader like the others; there is no key)
    return text


_READERS: dict[str, Callable[[str, str], object]] = {
    ".json": _json,
    ".toml": _toml,
    ".cfg": _ini,
    ".ini": _ini,
    ".yml": _yaml,
    ".yaml": _yaml,
}
