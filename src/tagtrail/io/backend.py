"""A project's build backend: one process of the build environment that runs its hooks (PEP 517), each as if alone."""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tagtrail.io import process
from tagtrail.io.sandbox import Cell
from tagtrail.io.session import Over, Session
from tagtrail.model.frozen import frozen

__all__ = ["PROGRAM", "Answers", "Backend", "backend"]

PROGRAM = Path(__file__).with_name("hooks.py")
"""What runs in the cell; whoever makes the cell shows it there."""

_MOST = 1 << 20
_FAULTS = frozenset({"", "checkout", "backend", "unsupported", "hook", "file", "command", "absent"})
_STATUS = range(256)
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,9}")


@frozen
class Answers:
    """What the hooks returned, one value per call made. Where one failed, `fault` says how: `checkout`, `backend` (it
    cannot be imported), `unsupported`, `hook` (it raised or died), `file`, `command` (one failed), `absent` (there is
    no such command), `late` (no end within the limit). `loaded` are the modules that backend and hooks imported, as
    they say; `ended` is the status of what ended and did not answer, or minus the number of the signal that ended it
    (None: it did answer, or nobody knows)."""

    values: tuple[Any, ...] = ()
    fault: str = ""
    loaded: tuple[str, ...] = ()
    ended: int | None = None


class Backend:
    """A running backend; `log` is the end of all that it said. Trees are laid out once for each name."""

    def __init__(self, cell: Cell, session: Session, limit: float) -> None:
        self._cell = cell
        self._session = session
        self._limit = limit
        self._open = 0
        self._trees: set[str] = set()

    @property
    def log(self) -> bytes:
        """What it said, at most the last MiB."""
        return self._session.said

    @property
    def waits(self) -> bool:
        """Whether one that has no order yet lives, and has said nothing."""
        return not self._session.answers()

    @property
    def full(self) -> bool:
        """Whether its cell has used up one of its places, as the kernel says; False too where that cannot be known."""
        root = self._session.root
        return root is not None and self._cell.full(root)

    @property
    def beyond(self) -> bool:
        """Whether it was ended because all that ran in its cell used more than `memory` bytes together."""
        return self._session.beyond

    @property
    def memory(self) -> int:
        """How many bytes its cell may use."""
        return self._cell.limits.memory

    def foresee(self, modules: Sequence[str]) -> None:
        """Begin to import modules of the standard library; nothing is answered."""
        self._session.order(json.dumps({"standard": list(modules)}), self._limit)

    def stop(self) -> None:
        """Kill it, for nothing more is asked of it; its end is waited for where its block is left."""
        self._session.stop()

    def lay_out(self, tree: str, **source: str) -> None:
        """Begin to make `tree`, from `git` (a checkout of its HEAD) or an `sdist`, unless it is there."""
        if tree not in self._trees:
            self._trees.add(tree)
            self._begin({**source, "tree": tree})

    def bring(
        self, name: str, path: Sequence[str], tree: str, along: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        """Begin to import the backend `name`; `path` is the project's backend-path, below `tree`; `along` are modules
        that its hooks will import, `env` is what its environment gets besides, before anything is imported."""
        order = {"backend": name, "path": list(path), "tree": tree, "with": list(along), "env": dict(env or {})}
        self._begin(order)

    def call(
        self, tree: str, calls: Sequence[Mapping[str, object]], meanwhile: Iterator[Callable[[], object]]
    ) -> Answers:
        """Run hooks in `tree`; the form of `calls` is in `hooks.py`. A fault of what was begun before is the answer.
        Until it comes, `meanwhile` is called step by step, the first step in any case."""
        self._begin({"calls": calls, "tree": tree})
        next(meanwhile, tuple)()
        return self._answer(meanwhile)

    def run(self, tree: str, argv: Sequence[str]) -> Answers:
        """Run a command in `tree`, a directory; where it fails, the value is its status."""
        self._begin({"run": argv, "tree": tree})
        return self._answer()

    def end(self) -> Answers:
        """Kill all that commands left running; when this returns without a fault, nothing of it is."""
        self._begin({"end": "all"})
        return self._answer()

    def find(self, tree: str, patterns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """For each pattern (of Python's `glob`), the paths below `tree` that fit it, as the process says."""
        self._begin({"find": patterns, "tree": tree})
        found = self._answer().values
        lists = found if len(found) == len(patterns) else ((),) * len(patterns)
        return tuple(_words(paths) for paths in lists)

    def take(self, path: str) -> Iterator[bytes]:
        """The bytes of a regular file that the project made. Raises ValueError: why there are none."""
        return self._stream({"take": path})

    def pack(self, directory: str) -> Iterator[bytes]:
        """All that is in a directory, as a tar for `unpack`; nobody else reads it. Raises ValueError: why it is not."""
        return self._stream({"pack": directory})

    def unpack(self, tar: str, directory: str) -> None:
        """Begin to lay out what `pack` gave."""
        self._begin({"unpack": tar, "tree": directory})

    def _stream(self, order: Mapping[str, object]) -> Iterator[bytes]:
        self._begin(order)
        found = self._answer()
        if found.fault:
            why = process.said(" ".join(map(str, found.values)).encode("utf-8", "replace"), 1)
            raise ValueError(why or found.fault)
        try:
            while piece := self._session.frame(_MOST):
                yield piece
        except Over:
            why = "it ends too early"
            raise ValueError(why) from None

    def _begin(self, order: Mapping[str, object]) -> None:
        self._open += 1
        self._session.order(json.dumps(order), self._limit)

    def _answer(self, meanwhile: Iterator[Callable[[], object]] | None = None) -> Answers:
        """Of all that was begun: the first fault, or the last answer."""
        last = Answers()
        while self._open:
            while not self._session.answers() and (step := next(meanwhile or iter(()), None)):
                step()
            self._open -= 1
            said = self._next()
            last = last if last.fault else said
        return last

    def _next(self) -> Answers:
        """What the process says; foreign code can speak with its voice."""
        try:
            found = json.loads(self._session.frame(_MOST))
            fault, loaded = found["fault"], filter(_MODULE.fullmatch, map(str, found.get("loaded", ())))
            return Answers(
                values=tuple(found["values"]),
                fault=fault if fault in _FAULTS else "hook",
                loaded=(*loaded,),
                ended=ended if type(ended := found.get("ended")) is int and abs(ended) in _STATUS else None,
            )
        except Over as over:
            return Answers(fault="late") if over.late else Answers(fault="hook", ended=self._ended())
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return Answers(fault="hook")

    def _ended(self) -> int | None:
        """How the process ended: what starts a cell says signals as a shell does."""
        code = self._session.ended()
        return 128 - code if code is not None and code > 128 and self._cell.kind != "none" else code


def _words(value: object) -> tuple[str, ...]:
    """A list as a process gives it; nothing, where it is none."""
    return tuple(map(str, value)) if isinstance(value, list) else ()


@contextmanager
def backend(
    cell: Cell, python: str, program: str, *, env: Mapping[str, str], limit: float
) -> Generator[Backend, None, None]:
    """A process of the environment of `python` in the cell; it and all it began end with the block.

    `python`, `program` (PROGRAM's bytes) and `env`, its whole environment, are in the cell's words; `limit` is the time
    for one order in seconds.
    """
    with cell.session([python, "-P", program], env, cap=_MOST) as session:
        yield Backend(cell, session, limit)
