"""What was learned of projects: how each one's last build went, so that what the next one asks for is there at once."""

import json
import sys
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from tagtrail.adapters.builder.logs import plain_name
from tagtrail.formats.facts import dump, load
from tagtrail.io import durable
from tagtrail.model.errors import TamperError
from tagtrail.model.frozen import frozen, replace

__all__ = ["Learned", "Memory"]

_MODULES = 3000
_WITH, _FORESEEN = 1 << 15, 4000
"""Bytes of the names of modules that an order may have: a pipe takes them even if nobody reads (65,536 as a rule, and
4,096 where a user has many). Nobody waits for who has no order yet."""
_STANDARD = sys.stdlib_module_names - {"distutils"}
"""What is the interpreter's own in every environment; setuptools puts another distutils in the place of that one."""


@frozen
class Learned:
    """Of a project's last build: what its backend asked for, which modules it and its hooks imported, and how the
    process that ran them was started. What is there before it is asked for takes no time then.

    The project said it, of another tag perhaps: nothing is installed because of it for a tag whose own files `said`
    something else, and it is forgotten where a build fails. `extras` are what the tag's own requirements did not bring
    of what its hooks asked for."""

    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    said: str = ""
    modules: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    isolation: str = ""
    lent: tuple[tuple[str, str], ...] = ()

    @property
    def standard(self) -> tuple[str, ...]:
        """Its modules of the standard library: so many as whoever has no order yet may be told."""
        return _fitting([name for name in self.modules if name.partition(".")[0] in _STANDARD], _FORESEEN)


class Memory:
    """What was learned of projects, a file for each in `directory`; it may be thrown away at any time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, Learned] = {}

    def of(self, project: str) -> Learned:
        """What is known; nothing, where that cannot be read."""
        if project not in self._known:
            self._known[project] = self._read(project)
        return self._known[project]

    def learn(self, project: str, now: Learned) -> None:
        """Remember it. What a backend imports no more stays until what it asks for changes, or nothing is named."""
        before = self.of(project)
        known = before.modules if now.modules and before.requires == now.requires else ()
        after = replace(now, modules=tuple(dict.fromkeys((*known, *now.modules)))[:_MODULES])
        if after != before:
            self._known[project] = after
            durable.write(self._path(project), json.dumps(dump(after)).encode(), sync=False)

    def forget(self, project: str) -> None:
        """Nothing is known any more."""
        self._known[project] = Learned()
        self._path(project).unlink(missing_ok=True)

    def _read(self, project: str) -> Learned:
        try:
            found = load(Learned, json.loads(self._path(project).read_text()))
        except (FileNotFoundError, ValueError, TamperError):
            return Learned()
        return replace(found, modules=_fitting(found.modules, _WITH))

    def _path(self, project: str) -> Path:
        return self._directory / f"{plain_name(project)}.json"


def _fitting(modules: Sequence[str], most: int) -> tuple[str, ...]:
    """So many of them as have `most` bytes; none that is a program."""
    sizes = accumulate(len(name) + 4 for name in modules)
    return tuple(n for n, size in zip(modules, sizes, strict=True) if size <= most and not n.endswith("__main__"))
