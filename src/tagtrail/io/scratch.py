"""Scratch directories that never survive their owner: each is held by a locked file, and a sweep removes the others."""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Generator
from pathlib import Path

from tagtrail.io.durable import setup_error

__all__ = ["locked", "remove", "scratch", "sweep"]

_LOCK = ".lock"
_TRIES = 20


@contextlib.contextmanager
def scratch(root: Path, name: str = "scratch") -> Generator[Path, None, None]:
    """A new empty directory of mode 0700 under `root`, removed when the block ends, however it ends.

    If this process is killed, `sweep(root)` removes it. Raises SetupError `disk-full` or `not-writable`.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        path, fd = _held(root, name)
        path.mkdir(mode=0o700)
    except OSError as error:
        raise setup_error(root, error) from error
    try:
        yield path
    finally:
        remove(path)
        _lock_of(path).unlink(missing_ok=True)
        os.close(fd)


@contextlib.contextmanager
def locked(path: Path) -> Generator[None, None, None]:
    """The block runs while no other process or thread is in a block with the same file; the file stays.

    Raises SetupError `disk-full` or `not-writable`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise setup_error(path, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def sweep(root: Path) -> None:
    """Remove what dead owners left under `root`; what living ones hold stays. Run at every start."""
    if not root.is_dir():
        return
    # directories first: a lock is made before its directory and goes after it, so one without lock is nobody's
    for path in [p for p in root.iterdir() if _is_ours(p)]:
        lock = _lock_of(path)
        fd = _taken(lock)
        if fd is not None or not lock.exists():
            remove(path)
            lock.unlink(missing_ok=True)
        if fd is not None:
            os.close(fd)
    for lock in root.glob(f".*{_LOCK}"):
        fd = _taken(lock)
        if fd is not None:
            lock.unlink(missing_ok=True)
            os.close(fd)


def remove(path: Path) -> None:
    """Delete a tree, also a read-only one, one that is deeper than a path can say, and one into which a dying process
    still writes; links are not followed."""
    from shutil import rmtree

    for _ in range(_TRIES):
        if not os.path.lexists(path):
            return
        with contextlib.suppress(RecursionError):
            rmtree(path, ignore_errors=True)
        if os.path.lexists(path):
            _flatten(path)
            time.sleep(0.01)
    with contextlib.suppress(RecursionError):
        rmtree(path, ignore_errors=True)


def _flatten(path: Path) -> None:
    """Delete what can be, one directory after the other, each moved to the top first: foreign code chose how deep it
    lies, and who may read it."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(OSError):
            path.unlink()
        return
    left = [path]
    while left:
        with contextlib.suppress(OSError):
            left += _cleared(left.pop(), path)


def _cleared(directory: Path, top: Path) -> list[Path]:
    """Its files are deleted, its directories moved to `top`: where they are now."""
    directory.chmod(stat.S_IRWXU)
    moved: list[Path] = []
    for child in list(directory.iterdir()):
        with contextlib.suppress(OSError):
            if child.is_symlink() or not child.is_dir():
                child.unlink()
                continue
            child.chmod(stat.S_IRWXU)
            moved.append(child if directory == top else child.rename(top / f"deep-{os.urandom(8).hex()}"))
    if directory != top:
        directory.rmdir()
    return moved


def _lock_of(path: Path) -> Path:
    return path.with_name(f".{path.name}{_LOCK}")


def _is_ours(path: Path) -> bool:
    return path.name.startswith("tmp-") and not path.is_symlink() and path.is_dir()


def _held(root: Path, name: str) -> tuple[Path, int]:
    while True:
        path = root / f"tmp-{name}-{os.urandom(6).hex()}"
        fd = os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink:
                return path, fd
        except BlockingIOError:
            pass
        os.close(fd)


def _taken(lock: Path) -> int | None:
    """The lock, if its owner is dead."""
    try:
        fd = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd
