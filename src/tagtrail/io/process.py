"""One command run once: an explicit environment, no terminal, a limit on time and output, and nothing left running."""

import contextlib
import io
import os
import re
import select
import subprocess
import time
import unicodedata
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from tagtrail.io.child import DRAIN, Apart, Child, Tail, pidfd, pipe, started
from tagtrail.model.frozen import frozen

__all__ = ["Finished", "asking", "begun", "reading", "run", "said"]


@frozen
class Finished:
    """How a command ended. `code` is its exit status, or minus the number of the signal that ended it.

    `late` says that it was killed at the time limit; `beyond` that it was because it used too much memory; `cut` that
    only the last bytes of its output were kept.
    """

    code: int
    out: bytes = b""
    err: bytes = b""
    late: bool = False
    beyond: bool = False
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Ended by itself with status 0, and nothing of its output was cut."""
        return self.code == 0 and not (self.late or self.beyond or self.cut)


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes = b"",
    limit: float = 600.0,
    cap: int = 1 << 26,
    merge: bool = False,
    apart: Apart | None = None,
) -> Finished:
    """Run `argv` in a session of its own and wait for it; when this returns, its process group is killed.

    `env` is the whole environment; `limit` is in seconds; of each output the last `cap` bytes are kept; with `merge`
    errors go into `out`. `apart` says that `argv` starts the first process of namespaces: all that ran there is dead
    then. Raises SetupError `command-missing`, and nothing
    else for whatever the command does.
    """
    with begun(argv, env=env, cwd=cwd, stdin=stdin, limit=limit, cap=cap, merge=merge, apart=apart) as ended:
        return ended()


@contextlib.contextmanager
def begun(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes = b"",
    limit: float = 600.0,
    cap: int = 1 << 26,
    merge: bool = False,
    apart: Apart | None = None,
) -> Generator[Callable[[], Finished], None, None]:
    """`run` in two steps: the command works while the block does, up to what fits a pipe; what is given, asked once,
    waits for its end. With the block it ends in any case."""
    errors = subprocess.STDOUT if merge else subprocess.PIPE
    with _input(stdin) as source, started(argv, env, cwd, source, errors, apart) as child:
        pipes = [Tail(pipe, cap) for pipe in child.pipes]
        deadline = time.monotonic() + limit

        def ended() -> Finished:
            late = not _wait(child, pipes, deadline)
            code = child.end()
            texts = [bytes(pipe.kept) for pipe in pipes] + [b""]
            cut = any(pipe.cut for pipe in pipes)
            return Finished(code=code, out=texts[0], err=texts[1], late=late, beyond=child.beyond, cut=cut)

        yield ended


@contextlib.contextmanager
def reading(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stdin: bytes = b"", limit: float = 600.0
) -> Generator[BinaryIO, None, None]:
    """The output of `argv` as a stream, for what is too big to hold; leaving the block ends the command.

    Reading past `limit` seconds raises TimeoutError; the exit status is not looked at, so the reader must know what
    is whole. Raises SetupError `command-missing`.
    """
    with _input(stdin) as source, started(argv, env, cwd, source, subprocess.DEVNULL) as child:
        yield io.BufferedReader(_Timed(child.out.fileno(), time.monotonic() + limit), 1 << 18)


@contextlib.contextmanager
def asking(
    argv: Sequence[str], *, env: Mapping[str, str], limit: float = 600.0
) -> Generator[tuple[int, BinaryIO], None, None]:
    """A command that is asked by the line: the descriptor that takes its input, and its output as a stream.

    Whoever asks for less at once than a pipe takes (4,096 bytes) never waits for itself. Leaving the block ends the
    command; reading past `limit` seconds raises TimeoutError. Raises SetupError `command-missing`.
    """
    with contextlib.ExitStack() as ours:
        with contextlib.ExitStack() as theirs:
            orders, near = pipe(theirs, ours)
            child = ours.enter_context(started(argv, env, None, orders, subprocess.DEVNULL))
        yield near, io.BufferedReader(_Timed(child.out.fileno(), time.monotonic() + limit), 1 << 18)


_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(\x07|\x1b\\|$)|[ -/]*[0-~]?)", re.MULTILINE)

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def said(output: bytes, lines: int = 20) -> str:
    """The last lines of an output as text that is safe to print: no escape sequences, controls or direction marks."""
    text = _ESCAPE.sub("", output[-(1 << 16) :].decode("utf-8", "replace"))
    kept = [_visible(line.rstrip("\r").rpartition("\r")[2]) for line in text.split("\n")]
    return "\n".join([line for line in kept if line][-lines:])


def _visible(line: str) -> str:
    return "".join(c for c in line.expandtabs(4) if unicodedata.category(c) not in _UNSEEN).rstrip()


@contextlib.contextmanager
def _input(data: bytes) -> Generator[int, None, None]:
    if not data:
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123  (a device, not a path)
            yield nothing.fileno()
        return
    with _memory() as file:
        file.write(data)
        file.flush()
        file.seek(0)
        yield file.fileno()


def _memory() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("stdin"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()


def _wait(child: Child, pipes: Sequence[Tail], deadline: float) -> bool:
    """Read until the command has ended and its pipes are empty; False if it had not ended at the deadline."""
    with contextlib.ExitStack() as stack:
        sources = {pipe.fd: pipe.read for pipe in pipes}
        end = pidfd(child.pid, stack)
        if end is not None:
            sources[end] = child.stop_group
        poll = select.poll()
        for fd in sources:
            poll.register(fd, select.POLLIN)
        while sources:
            ended = end is not None and end not in sources
            left = DRAIN if ended else deadline - time.monotonic()
            ready = poll.poll(int(left * 1000) + 1) if left > 0 else []
            if not ready:
                return ended
            for fd, _ in ready:
                if not sources[fd]():
                    poll.unregister(fd)
                    del sources[fd]
    return child.ended(deadline - time.monotonic())


class _Timed(io.RawIOBase):
    """A pipe that is read until a deadline."""

    def __init__(self, fd: int, deadline: float) -> None:
        self.fd = fd
        self.deadline = deadline
        self.poll = select.poll()
        self.poll.register(fd, select.POLLIN)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0 or not self.poll.poll(int(left * 1000) + 1):
            raise TimeoutError("the command's time is up")
        return os.readv(self.fd, [buffer])
