"""One command started and ended: in a session of its own, without a terminal, and nothing of it is left running."""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tagtrail.io.memory import Watch
from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import frozen

__all__ = ["DRAIN", "PIECE", "Apart", "Child", "Tail", "pidfd", "pipe", "started"]

PIECE = 1 << 16
"""Bytes that are read at once."""
DRAIN = 1.0
"""Seconds in which what is already in the pipes is read after the command has ended."""


@frozen
class Apart:
    """Of a command that starts the first process of namespaces: the descriptors that it inherits, and how many bytes of
    memory all that runs there may use together."""

    told: tuple[int, ...]
    memory: int


class Child:
    """A command that was started."""

    def __init__(self, process: subprocess.Popen[bytes], apart: Apart | None) -> None:
        self.pid = process.pid
        self._process = process
        self._apart = apart
        self._watch: Watch | None = None

    @property
    def beyond(self) -> bool:
        """Whether it was ended because all that ran in its namespaces used too much memory together."""
        return self._watch is not None and self._watch.beyond

    @property
    def out(self) -> IO[bytes]:
        """What it says."""
        assert self._process.stdout is not None  # noqa: S101  (it was given a pipe)
        return self._process.stdout

    @property
    def pipes(self) -> tuple[IO[bytes], ...]:
        """Its output, and its errors if they are apart."""
        return tuple(pipe for pipe in (self._process.stdout, self._process.stderr) if pipe is not None)

    @property
    def root(self) -> Path | None:
        """What `/` is for the first process of its namespaces; None: it has none, or that has ended."""
        within = self._within()
        return Path(f"/proc/{within[0]}/root") if within else None

    def watch(self) -> None:
        """From here on, end it where all that runs in its namespaces uses too much memory together."""
        if self._apart:
            self._watch = Watch(lambda: self.root, self._apart.memory, self.stop)

    def stop(self) -> bool:
        """Kill the first process of its namespaces, if it has any: the kernel kills all others there, and takes its
        time; whoever started it ends when they are gone. Else the group is killed, and nothing is left to wait for."""
        within = self._within()
        for first in within:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(first, signal.SIGKILL)
        return bool(within) or self.stop_group()

    def stop_group(self) -> bool:
        """Kill what is left of the group; False. Once it is reaped, nothing: its number might be another's then."""
        if self._process.returncode is not None:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return False

    def _within(self) -> list[int]:
        """The first process of its namespaces. None, once it is reaped: its number might be another's then."""
        return _children(self.pid) if self._apart and self._process.returncode is None else []

    def ended(self, left: float) -> bool:
        """Whether it ends within so many seconds."""
        with contextlib.ExitStack() as stack:
            end = pidfd(self.pid, stack)
            if end is not None:  # `wait` would look in steps of up to 50 ms
                select.select([end], [], [], max(left, 0.0))
        try:
            self._process.wait(timeout=0.01 if end is not None else max(left, 0.01))
        except subprocess.TimeoutExpired:
            return False
        return True

    def code(self) -> int | None:
        """Its exit status, or minus the number of a signal, where it is about to end by itself; None: it does not, or
        that cannot be known before its group is killed."""
        with contextlib.ExitStack() as stack:
            end = pidfd(self.pid, stack) if self._process.returncode is None else None
            if end is not None and select.select([end], [], [], DRAIN)[0]:
                self.stop_group()
                self._process.wait()
        return self._process.returncode

    def end(self) -> int:
        """Kill it and wait; its exit status, or minus the number of the signal that ended it."""
        if self._watch:
            self._watch.close()
        if self._process.returncode is None:
            if self.stop():
                self.ended(DRAIN)
            self.stop_group()
        return self._process.wait()

    def close(self) -> None:
        """End it; its output is not read any more."""
        self.end()
        for pipe in self.pipes:
            pipe.close()


@contextlib.contextmanager
def started(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None,
    stdin: int,
    stderr: int,
    apart: Apart | None = None,
    fds: Sequence[int] = (),
) -> Generator[Child, None, None]:
    """`argv`, until the block is left. `apart` as in `process.run`. Raises SetupError `command-missing`."""
    try:
        process = subprocess.Popen(
            list(argv), env=dict(env), cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr,
            start_new_session=True, umask=0o022, pass_fds=(*fds, *(apart.told if apart else ())),
        )  # fmt: skip
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise SetupError(
            f"cannot run {argv[0]}: {error.strerror}", code="command-missing", hint=f"install {Path(argv[0]).name}"
        ) from error
    with contextlib.closing(Child(process, apart)) as child:
        child.watch()
        yield child


class Tail:
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
            piece = os.read(self.fd, PIECE)
        except BlockingIOError:
            return True
        self.kept += piece
        if len(self.kept) > self.cap:
            self.cut = True
            del self.kept[: len(self.kept) - self.cap]
        return bool(piece)


def pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe whose ends are closed with these two."""
    read, write = os.pipe()
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write


def pidfd(pid: int, stack: contextlib.ExitStack) -> int | None:
    """A descriptor that becomes readable when the process ends: no polling in steps (Linux 5.3)."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return None
    stack.callback(os.close, fd)
    return fd


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
