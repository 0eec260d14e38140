"""Files that foreign code made: opened once, without following a link, regular files only."""

import errno
import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tagtrail.model.errors import ProjectError

__all__ = ["check_name", "plain", "take"]


@contextmanager
def plain(path: Path) -> Generator[BinaryIO, None, None]:
    """A regular file, open for reading. Raises FileNotFoundError; ProjectError `output-invalid` for anything else."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        why = "it is a link" if error.errno == errno.ELOOP else error.strerror or ""
        raise _invalid(path.name, why) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise _invalid(path.name, "it is no regular file")
    with os.fdopen(fd, "rb") as file:
        yield file


def take(name: str, pieces: Iterable[bytes], to: Path, most: int) -> Path:
    """Our own copy, in the new directory `to`, of a file that foreign code made and calls `name`.

    `pieces` may raise ValueError: why there are none. Raises ProjectError `output-invalid`: no plain name, no such
    file, a link, a device, nothing in it, more than `most` bytes.
    """
    to.mkdir()
    size = 0
    try:
        with (to / name).open("xb") as copy:
            for piece in pieces:
                size += len(piece)
                if size > most:
                    raise _invalid(name, f"it is bigger than {most} bytes")
                copy.write(piece)
    except ValueError as error:
        raise _invalid(name, str(error)) from error
    if not size:
        raise _invalid(name, "it is empty")
    return to / name


def check_name(name: str) -> None:
    """A plain file name, as foreign code gives it. Raises ProjectError `output-invalid`."""
    if name in {"", ".", ".."} or "/" in name or "\\" in name or not name.isprintable():
        raise _invalid(name, "that is no plain file name")


def _invalid(name: str, why: str) -> ProjectError:
    hint = "make it a regular file with a plain name and something in it; tagtrail status shows the log of a build"
    return ProjectError(f"{name!r} is no file that can be released", code="output-invalid", why=why, hint=hint)
