"""A file written whole or not at all: a temporary name beside it, forced to disk, renamed, the directory forced too."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from tagtrail.model.errors import SetupError

__all__ = ["Draft", "drafted", "keep_all", "replacing", "setup_error", "sweep", "write"]

T = TypeVar("T")

_PREFIX = ".tagtrail-"
_SUFFIX = ".tmp"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write(
    path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644, sync: bool = True, via: Path | None = None
) -> None:
    """Put `data` (bytes, or pieces of them) at `path`, replacing what is there; missing directories are made.

    A reader sees the old file or the new one. With `sync` it is on disk when this returns; without (for what can be
    made again) a power cut may lose it. Whatever fails, and whatever `data` raises, no temporary file is left.
    `via` is the directory of the temporary file (on the same file system; by default the file's own), to be swept.
    Raises SetupError `disk-full` or `not-writable`.
    """
    with replacing(path, mode=mode, sync=sync, via=via) as file:
        for piece in (data,) if isinstance(data, bytes) else data:
            with _named(path):
                file.write(piece)


@contextlib.contextmanager
def replacing(
    path: Path, *, mode: int = 0o644, sync: bool = True, via: Path | None = None
) -> Generator[BinaryIO, None, None]:
    """A new file that takes the place of `path` when the block ends well, and vanishes when it does not.

    Raises SetupError as `write` does (an OSError of the block's own writing to the file stays an OSError).
    """
    with drafted(via or path.parent, mode=mode, sync=sync) as draft:
        yield draft.file
        draft.keep(path)


class Draft:
    """A file that has no name yet: `keep` gives it one, else it vanishes."""

    def __init__(self, temporary: Path, file: BinaryIO, *, sync: bool) -> None:
        self.file = file
        self.temporary = temporary
        self.sync = sync

    def keep(self, path: Path) -> None:
        """Put it at `path`, replacing what is there; directories are made. Raises SetupError as `write` does."""
        keep_all([(self, path)])


def keep_all(drafts: Sequence[tuple[Draft, Path]]) -> None:
    """Put each at its path, as `Draft.keep` does. The disk is told of all before any is waited for: what a journaling
    file system does once for all of them would else be done for each. Raises SetupError as `write` does."""
    for draft, path in drafts:
        with _named(path):
            draft.file.flush()
            if draft.sync and len(drafts) > 1 and hasattr(os, "posix_fadvise"):
                os.posix_fadvise(draft.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # begins to write, and returns
    for draft, path in drafts:
        with _named(path):
            if draft.sync:
                os.fsync(draft.file.fileno())
    for draft, path in drafts:
        with _named(path):
            _made(path.parent, partial(draft.temporary.replace, path))
    for directory in dict.fromkeys(path.parent for draft, path in drafts if draft.sync):
        with _named(directory):
            _force(directory)


@contextlib.contextmanager
def drafted(directory: Path, *, mode: int = 0o644, sync: bool = True) -> Generator[Draft, None, None]:
    """A new file in `directory` (on the file system where it will be kept), for content that decides its own name."""
    with _named(directory):
        temporary, fd = _made(directory, lambda: _temporary(directory, mode))
    file = open(fd, "wb")  # noqa: PTH123, SIM115  (a descriptor; closed below, where a full disk has been told already)
    try:
        yield Draft(temporary, file, sync=sync)
    finally:
        with contextlib.suppress(OSError):
            file.close()
        temporary.unlink(missing_ok=True)


def sweep(directory: Path) -> None:
    """Remove the temporary files in `directory` whose writers are dead (killed between writing and renaming).

    Who may not read the directory left nothing there.
    """
    found: list[Path] = []
    with contextlib.suppress(PermissionError):
        found = [*directory.glob(f"{_PREFIX}*{_SUFFIX}")]
    for path in found:
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(fd)


def setup_error(path: Path, error: OSError) -> SetupError:
    """What the operator must know about a write that failed: `disk-full` or `not-writable`, with the path."""
    if error.errno in _FULL:
        return SetupError(
            f"no space to write {path}", code="disk-full", why=error.strerror or "", hint=f"df -h {path.parent}"
        )
    return SetupError(
        f"cannot write {path}: {error.strerror}", code="not-writable", hint=f"ls -ld {path.parent}; id -un"
    )


@contextlib.contextmanager
def _named(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise setup_error(path, error) from error


def _temporary(directory: Path, mode: int) -> tuple[Path, int]:
    """A new file, locked as long as its writer lives; a sweeper that took it between the two makes us try again."""
    while True:
        path = directory / f"{_PREFIX}{os.urandom(8).hex()}{_SUFFIX}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink:
                os.fchmod(fd, mode)
                return path, fd
        except BlockingIOError:
            pass
        os.close(fd)


def _made(directory: Path, act: Callable[[], T]) -> T:
    """What `act` does in a directory, which is made if it is not there: nearly always it is."""
    try:
        return act()
    except FileNotFoundError:
        directory.mkdir(parents=True, exist_ok=True)
        return act()


def _force(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
