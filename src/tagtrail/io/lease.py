"""A lease on this machine: a locked file, free again when its holder is dead."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from tagtrail.io.durable import setup_error

__all__ = ["leased"]


@contextlib.contextmanager
def leased(path: Path) -> Generator[None, None, None]:
    """Hold the lease that `path` stands for; others wait. Raises SetupError `not-writable`."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise setup_error(path, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
