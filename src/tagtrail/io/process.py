"""One command run once: an explicit environment, no terminal, a limit on time and output, and nothing left running."""

import contextlib
import functools
import io
import os
import re
import select
import signal
import subprocess
import time
import unicodedata
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import frozen

__all__ = ["Finished", "Over", "Session", "asking", "begun", "reading", "run", "said", "session"]

_PIECE = 1 << 16
_LENGTH = 8
_STEP = 0.05
"""Seconds after which what a command says is read that takes no order meanwhile."""
_DRAIN = 1.0
"""Seconds in which what is already in the pipes is read after the command has ended."""


@frozen
class Finished:
    """How a command ended. `code` is its exit status, or minus the number of the signal that ended it.

    `late` says that it was killed at the time limit; `cut` that only the last bytes of its output were kept.
    """

    code: int
    out: bytes = b""
    err: bytes = b""
    late: bool = False
    cut: bool = False

    @property
    def ok(self) -> bool:
        """Ended by itself with status 0, and nothing of its output was cut."""
        return self.code == 0 and not self.late and not self.cut


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    stdin: bytes = b"",
    limit: float = 600.0,
    cap: int = 1 << 26,
    merge: bool = False,
    apart: Sequence[int] | None = None,
) -> Finished:
    """Run `argv` in a session of its own and wait for it; when this returns, its process group is killed.

    `env` is the whole environment; `limit` is in seconds; of each output the last `cap` bytes are kept; with `merge`
    errors go into `out`. `apart`, even empty, says that `argv` starts the first process of namespaces (all that ran
    there is dead then), and which descriptors it inherits. Raises SetupError `command-missing`, and nothing
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
    apart: Sequence[int] | None = None,
) -> Generator[Callable[[], Finished], None, None]:
    """`run` in two steps: the command works while the block does, up to what fits a pipe; what is given, asked once,
    waits for its end. With the block it ends in any case."""
    errors = subprocess.STDOUT if merge else subprocess.PIPE
    with _input(stdin) as source, _started(argv, env, cwd, source, errors, apart) as child:
        pipes = [_Tail(pipe, cap) for pipe in (child.stdout, child.stderr) if pipe is not None]
        deadline = time.monotonic() + limit

        def ended() -> Finished:
            late = not _wait(child, pipes, deadline)
            _end(child, apart=apart is not None)
            texts = [bytes(pipe.kept) for pipe in pipes] + [b""]
            cut = any(pipe.cut for pipe in pipes)
            return Finished(code=child.wait(), out=texts[0], err=texts[1], late=late, cut=cut)

        yield ended


@contextlib.contextmanager
def reading(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, stdin: bytes = b"", limit: float = 600.0
) -> Generator[BinaryIO, None, None]:
    """The output of `argv` as a stream, for what is too big to hold; leaving the block ends the command.

    Reading past `limit` seconds raises TimeoutError; the exit status is not looked at, so the reader must know what
    is whole. Raises SetupError `command-missing`.
    """
    with _input(stdin) as source, _started(argv, env, cwd, source, subprocess.DEVNULL) as child:
        yield io.BufferedReader(_Timed(_stdout(child).fileno(), time.monotonic() + limit), 1 << 18)


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
            orders, near = _pipe(theirs, ours)
            child = ours.enter_context(_started(argv, env, None, orders, subprocess.DEVNULL))
        yield near, io.BufferedReader(_Timed(_stdout(child).fileno(), time.monotonic() + limit), 1 << 18)


class Over(Exception):  # noqa: N818  (an end, and not always an error)
    """A session has ended, or its time is up (`late`)."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "ended")
        self.late = late


class Session:
    """A command that stays, takes orders by the line, and answers with frames: eight bytes of length, and so many."""

    def __init__(
        self, orders: int, answers: int, tail: "_Tail", stop: Callable[[], object], root: Callable[[], Path | None]
    ) -> None:
        self.stop = stop
        """Kill it without waiting for its end; that comes before its block is left."""
        self.root = root
        """What `/` is for the first process of its namespaces; None: it has none, or that has ended."""
        self._orders = orders
        self._answers = answers
        self._tail = tail
        self._deadline = 0.0
        self._poll = select.poll()
        self._poll.register(answers, select.POLLIN)
        self._poll.register(tail.fd, select.POLLIN)
        self._room = select.poll()
        self._room.register(orders, select.POLLOUT)
        os.set_blocking(orders, False)

    @property
    def said(self) -> bytes:
        """The end of its output so far."""
        return bytes(self._tail.kept)

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
            piece = os.read(self._answers, min(size - len(data), _PIECE))  # memory for all of it at once takes longer
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
    apart: Sequence[int] | None = None,
) -> Generator[Session, None, None]:
    """A command whose input is lines, until it ends; `argv` gets one more word, the number of a descriptor to which it
    writes its answers.

    Of its output and errors the last `cap` bytes are kept; `apart` as in `run`. Its process group is killed
    when the block is left; if this process dies, its input ends. Raises SetupError `command-missing`.
    """
    with contextlib.ExitStack() as ours:
        with contextlib.ExitStack() as theirs:
            orders, near = _pipe(theirs, ours)
            answers, done = _pipe(ours, theirs)
            started = _started([*argv, str(done)], env, cwd, orders, subprocess.STDOUT, apart, (done,))
            child = ours.enter_context(started)
        stop = functools.partial(_stop, child, apart=apart is not None)
        yield Session(near, answers, _Tail(_stdout(child), cap), stop, lambda: None if apart is None else _root(child))


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
def _started(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: int,
    stderr: int,
    apart: Sequence[int] | None = None,
    fds: Sequence[int] = (),
) -> Generator[subprocess.Popen[bytes], None, None]:
    try:
        child = subprocess.Popen(
            list(argv), env=dict(env), cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            start_new_session=True, umask=0o022, pass_fds=(*fds, *(apart or ())),
        )  # fmt: skip
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise SetupError(
            f"cannot run {argv[0]}: {error.strerror}", code="command-missing", hint=f"install {Path(argv[0]).name}"
        ) from error
    try:
        yield child
    finally:
        _end(child, apart=apart is not None)


def _stdout(child: subprocess.Popen[bytes]) -> IO[bytes]:
    assert child.stdout is not None  # noqa: S101  (Popen was given a pipe)
    return child.stdout


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these two."""
    read, write = os.pipe()
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write


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


class _Tail:
    """A pipe's last bytes."""

    def __init__(self, pipe: IO[bytes], cap: int) -> None:
        self.fd = pipe.fileno()
        self.cap = cap
        self.cut = False
        self.kept = bytearray()
        os.set_blocking(self.fd, False)

    def read(self) -> bool:
        """Take what is there; False at the end of the pipe."""
        try:
            piece = os.read(self.fd, _PIECE)
        except BlockingIOError:
            return True
        self.kept += piece
        if len(self.kept) > self.cap:
            self.cut = True
            del self.kept[: len(self.kept) - self.cap]
        return bool(piece)


def _wait(child: subprocess.Popen[bytes], pipes: Sequence[_Tail], deadline: float) -> bool:
    """Read until the command has ended and its pipes are empty; False if it had not ended at the deadline."""
    with contextlib.ExitStack() as stack:
        sources = {pipe.fd: pipe.read for pipe in pipes}
        end = _pidfd(child.pid, stack)
        if end is not None:
            sources[end] = lambda: _end_group(child.pid)
        poll = select.poll()
        for fd in sources:
            poll.register(fd, select.POLLIN)
        while sources:
            ended = end is not None and end not in sources
            left = _DRAIN if ended else deadline - time.monotonic()
            ready = poll.poll(int(left * 1000) + 1) if left > 0 else []
            if not ready:
                return ended
            for fd, _ in ready:
                if not sources[fd]():
                    poll.unregister(fd)
                    del sources[fd]
    return _ended(child, deadline - time.monotonic())


def _pidfd(pid: int, stack: contextlib.ExitStack) -> int | None:
    """A descriptor that becomes readable when the process ends: no polling in steps (Linux 5.3)."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return None
    stack.callback(os.close, fd)
    return fd


def _end_group(pid: int) -> bool:
    """Kill what is left of the group; the leader must not be reaped yet, or its number might be another's by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return False


def _ended(child: subprocess.Popen[bytes], left: float) -> bool:
    with contextlib.ExitStack() as stack:
        end = _pidfd(child.pid, stack)
        if end is not None:  # `wait` would look in steps of up to 50 ms
            select.select([end], [], [], max(left, 0.0))
    try:
        child.wait(timeout=0.01 if end is not None else max(left, 0.01))
    except subprocess.TimeoutExpired:
        return False
    return True


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _root(child: subprocess.Popen[bytes]) -> Path | None:
    within = _children(child.pid)
    return Path(f"/proc/{within[0]}/root") if within else None


def _stop(child: subprocess.Popen[bytes], *, apart: bool) -> bool:
    """Kill the first process of its namespaces, if it has any: the kernel kills all others there, and takes its time;
    whoever started it ends when they are gone. Else the group is killed."""
    within = _children(child.pid) if apart else []
    for first in within:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(first, signal.SIGKILL)
    return bool(within) or _end_group(child.pid)


def _end(child: subprocess.Popen[bytes], *, apart: bool) -> None:
    if child.returncode is None:
        if _stop(child, apart=apart):
            _ended(child, _DRAIN)
        _end_group(child.pid)
    child.wait()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


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
