"""A project's build backend: one process of the build environment that runs its hooks (PEP 517), each as if alone."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagtrail.io import process
from tagtrail.io.foreign import plain
from tagtrail.model.errors import ProjectError

__all__ = ["Answers", "Backend", "backend"]

_HOOKS = Path(__file__).with_name("hooks.py")
_MOST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the hooks returned, one value per call made. Where one failed, `fault` says how: `backend` (it cannot be
    imported), `unsupported`, `hook` (it raised or died), `late` (no end within the limit)."""

    values: tuple[Any, ...] = ()
    fault: str = ""


class Backend:
    """A running backend; `log` is the end of all that it said."""

    def __init__(self, session: process.Session, room: Path, limit: float) -> None:
        self._session = session
        self._room = room
        self._limit = limit

    @property
    def log(self) -> bytes:
        """What it said, at most the last MiB."""
        return self._session.said

    def call(self, tree: Path, calls: Sequence[Mapping[str, object]]) -> Answers:
        """Run hooks in `tree`; the form of `calls` is in `hooks.py`."""
        answers = self._room / "answers.json"
        order = {"tree": str(tree), "answers": str(answers), "calls": calls}
        (self._room / "order.json").write_text(json.dumps(order))
        state = self._session.ask(str(self._room / "order.json"), self._limit)
        return Answers(fault="late" if state == "late" else "hook") if state != "done" else _read(answers)


@contextmanager
def backend(
    python: Path, name: str, path: Sequence[str], *, env: Mapping[str, str], room: Path, tree: Path, limit: float
) -> Generator[Backend, None, None]:
    """The backend `name` in the environment of `python`, imported at once; it and all it began end with the block.

    `path` is the project's backend-path, below `tree`. `room` is a directory for what is said to and fro; `limit` is
    the time for one call in seconds. `env` is the whole environment.
    """
    argv = [str(python), "-P", str(_HOOKS), name, json.dumps(list(path))]
    with process.session(argv, env=env, cwd=tree if path else room, cap=_MOST) as session:
        yield Backend(session, room, limit)


def _read(answers: Path) -> Answers:
    """What the process wrote; foreign code can write there too."""
    try:
        with plain(answers) as file:
            found = json.loads(file.read(_MOST))
        return Answers(values=tuple(found["values"]), fault=str(found["fault"]))
    except (FileNotFoundError, ProjectError, ValueError, TypeError, KeyError, RecursionError):
        return Answers(fault="hook")
