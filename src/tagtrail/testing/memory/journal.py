"""The journal in memory: remembered steps as JSON, rows by (target, key), cursors."""

import json
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from tagtrail.formats import facts
from tagtrail.model.facts import Row
from tagtrail.testing.fuse import Fuse

__all__ = ["Journal"]

T = TypeVar("T")


class Journal:
    """Remembers as an adapter on disk would: what comes back went through JSON."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self._steps: dict[str, str] = {}
        self._rows: dict[tuple[str, str], Row] = {}
        self._cursors: dict[str, int] = {}
        self._lock = Lock()

    def once(
        self, key: str, kind: type[T], effect: Callable[..., T | tuple[T, ...]], *args: object
    ) -> T | tuple[T, ...]:
        """The remembered result of `key`, else that of `effect(*args)`; the first result wins."""
        if key not in self._steps:
            result = json.dumps(facts.dump(effect(*args)))
            with self.fuse.around(f"journal.once {kind.__name__}"), self._lock:
                self._steps.setdefault(key, result)
        value: Any = json.loads(self._steps[key])
        return tuple(facts.load(kind, item) for item in value) if isinstance(value, list) else facts.load(kind, value)

    def rows(self, entry: int | None = None) -> tuple[Row, ...]:
        """The rows of one entry, or all that are not seen or dropped."""
        rows = tuple(self._rows.values())
        if entry is not None:
            return tuple(row for row in rows if row.effect.entry == entry)
        return tuple(row for row in rows if row.state not in ("seen", "dropped"))

    def move(self, before: Row | None, after: Row) -> bool:
        """Compare-and-set by (target, key)."""
        key = (after.effect.target, after.effect.key)
        with self.fuse.around(f"journal.move {after.state}"), self._lock:
            if self._rows.get(key) != before:
                return False
            self._rows[key] = after
            return True

    def cursor(self, name: str, before: int | None = None, after: int | None = None) -> int:
        """A named number; with `after`, set if it equals `before`."""
        if after is None:
            return self._cursors.get(name, 0)
        with self.fuse.around(f"journal.cursor {name}"), self._lock:
            if self._cursors.get(name, 0) == before:
                self._cursors[name] = after
            return self._cursors.get(name, 0)
