"""What the processes of a cell use of memory together, looked at from outside, and their end where that is too much.

The kernel limits what one process has for itself (RLIMIT_DATA); nothing of what processes share, and no sum. Counted
is, of every process in the `/proc` of the cell, as the kernel tells it (proc(5)):

    anonymous and shared memory      Pss_Anon, Pss_Shmem of smaps_rollup: a page of n processes counts 1/n for each
    the same in swap                 SwapPss
    page tables, huge pages          VmPTE, HugetlbPages of status

Files in memory (tmpfs) count while they are mapped; their places have limits of their own. Not counted is what the
kernel keeps for processes: buffers of pipes and sockets.
"""

import os
import re
import threading
import time
from _thread import start_new_thread
from collections.abc import Callable, Mapping
from pathlib import Path

__all__ = ["Watch", "used"]

_STEP = 0.1
"""Seconds between two looks."""
_SHARE = 10
"""A look may take this part of the time between two."""
_STATUS = re.compile(rb"^(State|PPid|RssAnon|RssShmem|VmSwap|VmPTE|HugetlbPages):\s+(\w+)", re.MULTILINE)
_OWN = (b"VmPTE", b"HugetlbPages")
_OF_ALL = (b"RssAnon", b"RssShmem", b"VmSwap", *_OWN)
_ROLLUP = re.compile(rb"^(?:Pss_Anon|Pss_Shmem|SwapPss):\s+(\d+)", re.MULTILINE)

_Status = Mapping[bytes, bytes]


class Watch:
    """Looks ten times a second, until it is closed. `root` is the cell's `/` while it runs; where what runs there uses
    more than `most` bytes, `stop` is called, once.

    A look that takes long, for there are a thousand processes, is not followed by the next at once.
    """

    def __init__(self, root: Callable[[], Path | None], most: int, stop: Callable[[], object]) -> None:
        self.beyond = False
        """Whether it was too much."""
        self._root = root
        self._most = most
        self._stop = stop
        self._closed = threading.Event()
        self._ending = threading.Lock()
        # `Thread.start` would wait until it runs: milliseconds, where what was started has all processors
        start_new_thread(self._look, ())

    def close(self) -> None:
        """Look no more: when this returns, nothing is stopped any more."""
        with self._ending:
            self._closed.set()

    def _look(self) -> None:
        pause = _STEP
        while not self._closed.wait(pause):
            begun = time.monotonic()
            # twice: one may be seen before and another after memory went from the one to the other
            if all(used(self._root(), self._most) > self._most for _ in range(2)):
                self._end()
                return
            pause = max(_STEP, _SHARE * (time.monotonic() - begun))

    def _end(self) -> None:
        with self._ending:
            if not self._closed.is_set():
                self.beyond = True
                self._stop()


def used(root: Path | None, most: int) -> int:
    """Bytes; exact only where they may be more than `most`: to know it takes the kernel a walk through all pages.

    `root` is the cell's `/`. What has not moved there yet, and still sees our processes, uses nothing.
    """
    if root is None:
        return 0
    proc = f"{root}/proc"
    try:
        if os.stat(proc).st_dev == os.stat("/proc").st_dev:  # noqa: PTH116  (paths take time, ten times a second)
            return 0
        statuses = {pid: dict(_STATUS.findall(_read(f"{proc}/{pid}/status"))) for pid in _processes(proc)}
    except OSError:
        return 0
    upper = sum(_kibibytes(status, _OF_ALL) for status in statuses.values()) << 10
    return upper if upper <= most else _exact(proc, statuses) << 10


def _exact(proc: str, statuses: Mapping[str, _Status]) -> int:
    """Of a process that waits for a child to begin another program (vfork(2)), all memory is the child's too: once."""
    shares = {pid: _share(f"{proc}/{pid}", status) for pid, status in statuses.items()}
    lent = {(status.get(b"PPid", b"").decode(), shares[pid]) for pid, status in statuses.items()}
    waits = {pid for pid, status in statuses.items() if status.get(b"State") == b"D" and (pid, shares[pid]) in lent}
    return sum(share for pid, share in shares.items() if pid not in waits)


def _share(directory: str, status: _Status) -> int:
    """KiB of one process; an upper bound where the kernel does not tell its part of what is shared."""
    found = [int(number) for number in _ROLLUP.findall(_read(f"{directory}/smaps_rollup"))]
    return _kibibytes(status, _OWN) + sum(found) if len(found) > 1 else _kibibytes(status, _OF_ALL)


def _kibibytes(status: _Status, names: tuple[bytes, ...]) -> int:
    return sum(int(status.get(name, 0)) for name in names)


def _processes(proc: str) -> list[str]:
    return [name for name in os.listdir(proc) if name.isdecimal()]  # noqa: PTH208


def _read(path: str) -> bytes:
    """Nothing, where it has ended."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""
