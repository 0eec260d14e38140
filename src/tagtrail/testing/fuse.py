"""A fuse: counts the points at which a process can die, and lets it die at one of them.

Every in-memory adapter passes a point before and after each effect. A test first runs with a fuse that never blows,
reads how many points there are, and then runs once for each: that is the crash table.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["Blown", "Fuse"]


class Blown(BaseException):
    """The process died here: no `except Exception` may go on."""


class Fuse:
    """Blows at point number `at` (from 0; None: never). Once blown, every further point raises: the dead do nothing.

    `points` are the names passed so far, the fatal one included; usable from several threads.
    """

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.points: list[str] = []
        self.blown = False
        self._lock = Lock()

    def point(self, name: str) -> None:
        """Raises Blown if the process dies here."""
        with self._lock:
            if not self.blown:
                self.points.append(name)
                self.blown = len(self.points) - 1 == self.at
            if self.blown:
                raise Blown(name)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """A point before and a point after the effect within."""
        self.point(f"before {name}")
        yield
        self.point(f"after {name}")
