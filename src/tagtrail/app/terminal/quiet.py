"""What a timer says to people: nothing while nobody must act, and every trouble once, until it changes."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tagtrail.ports import Journal, Tell

__all__ = ["Told"]

CURSOR = "said quietly"
"""The journal's number for the trouble that people know of; 0: none."""
_CALM = (0, 4)
_ALIKE = ("project", "version", "exit", "code", "text")
_SAID = ("outcome", "refused")


class Told:
    """The ends of a run, gathered (ports.Tell). A run is told apart by what is wrong, not by when it is tried again."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, fields: Mapping[str, Any]) -> None:
        """Keep what a person must read."""
        if name in _SAID or (name == "row" and fields.get("state") in ("conflict", "refused", "held")):
            self.events.append((name, dict(fields)))

    def is_new(self, journal: Journal) -> bool:
        """Whether this trouble was not said before; it is remembered as said. What is over may be said again."""
        trouble = [fields for name, fields in self.events if name in _SAID and int(fields["exit"]) not in _CALM]
        seen = sorted(json.dumps([fields.get(key, "") for key in _ALIKE]) for fields in trouble)
        now = int(sha256("\n".join(seen).encode()).hexdigest()[:15], 16) if trouble else 0
        before = journal.cursor(CURSOR)
        if now != before:
            journal.cursor(CURSOR, before, now)
        return bool(now) and now != before

    def say(self, tell: Tell) -> None:
        """Tell what was gathered, without what only waits."""
        for name, fields in self.events:
            if name != "outcome" or int(fields["exit"]) not in _CALM:
                tell(name, fields)
