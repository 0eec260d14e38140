"""A command that stays and takes orders by the line, until it ends."""

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from tagtrail.io.child import PIECE, Apart, Child, Tail, pipe, started

__all__ = ["Over", "Session", "session"]

_LENGTH = 8
_STEP = 0.05
"""Seconds after which what a command says is read that takes no order meanwhile."""


class Over(Exception):  # noqa: N818  (an end, and not always an error)
    """A session has ended, or its time is up (`late`)."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "ended")
        self.late = late


class Session:
    """A command that stays, takes orders by the line, and answers with frames: eight bytes of length, and so many."""

    def __init__(self, child: Child, orders: int, answers: int, cap: int) -> None:
        self._child = child
        self._orders = orders
        self._answers = answers
        self._tail = Tail(child.out, cap)
        self._deadline = 0.0
        self._poll = select.poll()
        self._poll.register(answers, select.POLLIN)
        self._poll.register(self._tail.fd, select.POLLIN)
        self._room = select.poll()
        self._room.register(orders, select.POLLOUT)
        os.set_blocking(orders, False)

    @property
    def said(self) -> bytes:
        """The end of its output so far."""
        return bytes(self._tail.kept)

    @property
    def root(self) -> Path | None:
        """What `/` is for the first process of its namespaces; None: it has none, or that has ended."""
        return self._child.root

    @property
    def beyond(self) -> bool:
        """Whether it was ended because all that ran in its namespaces used too much memory together."""
        return self._child.beyond

    def ended(self) -> int | None:
        """Its exit status where it has ended, or minus the number of the signal that did; None: it has not, or nobody
        can know before its block is left."""
        return self._child.code()

    def stop(self) -> None:
        """Kill it without waiting for its end; that comes before its block is left."""
        self._child.stop()

    def order(self, line: str, limit: float) -> None:
        """Give it a line; its answers are expected within `limit` seconds. What it does not take until then, or when it
        has ended, is left: its answer tells."""
        self._deadline = time.monotonic() + limit
        left = memoryview(os.fsencode(f"{line}\n"))
        with contextlib.suppress(BrokenPipeError):
            while left and self._takes():
                left = left[os.write(self._orders, left) :]

    def frame(self, most: int) -> bytes:
        """The next frame of its answer. Raises Over, also for a frame of more than `most` bytes."""
        size = int.from_bytes(self._read(_LENGTH), "big")
        if size > most:
            raise Over(late=False)
        return self._read(size)

    def answers(self) -> bool:
        """Whether a part of its answer is there; what it says meanwhile is kept."""
        return self._answers in self._heard(0)

    def _takes(self) -> bool:
        """Whether it takes more of an order in time; what it says meanwhile is kept."""
        while (left := self._deadline - time.monotonic()) > 0:
            if self._room.poll(min(left, _STEP) * 1000):
                return True
            self._heard(0)
        return False

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._wait()
            piece = os.read(self._answers, min(size - len(data), PIECE))  # memory for all of it at once takes longer
            if not piece:
                raise Over(late=False)
            data += piece
        return bytes(data)

    def _wait(self) -> None:
        """Until there is something to read; what it says meanwhile is kept."""
        while (left := self._deadline - time.monotonic()) > 0:
            if self._answers in self._heard(int(left * 1000) + 1):
                return
        raise Over(late=True)

    def _heard(self, limit: int) -> list[int]:
        """What can be read within `limit` ms; its output is, at once."""
        ready = [fd for fd, _ in self._poll.poll(limit)]
        if self._tail.fd in ready and not self._tail.read():
            self._poll.unregister(self._tail.fd)
        return ready


@contextlib.contextmanager
def session(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    cap: int = 1 << 20,
    apart: Apart | None = None,
) -> Generator[Session, None, None]:
    """A command whose input is lines, until it ends; `argv` gets one more word, the number of a descriptor to which it
    writes its answers.

    Of its output and errors the last `cap` bytes are kept; `apart` as in `run`. Its process group is killed
    when the block is left; if this process dies, its input ends. Raises SetupError `command-missing`.
    """
    with contextlib.ExitStack() as ours:
        with contextlib.ExitStack() as theirs:
            orders, near = pipe(theirs, ours)
            answers, done = pipe(ours, theirs)
            running = started([*argv, str(done)], env, cwd, orders, subprocess.STDOUT, apart, (done,))
            child = ours.enter_context(running)
        yield Session(child, near, answers, cap)
