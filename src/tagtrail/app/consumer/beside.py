"""A file on this disk, opened once and hashed as it is read, and what lies beside it: evidence, never trust."""

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from tagtrail.formats import proof
from tagtrail.formats.site import tag_name
from tagtrail.model.entry import Entry
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.verify.release import Measured
from tagtrail.verify.tags import MAX_TAG

if TYPE_CHECKING:
    from pathlib import Path

    from tagtrail.ports import Tell

    Where = str | os.PathLike[str]

__all__ = ["PROOF", "OnDisk", "files_in", "measure", "proof_of", "read_small", "statements_beside", "tag_of"]

PROOF = ".tlog-proof"
_CHUNK = 1024 * 1024
_OFTEN = 64 * _CHUNK
"""Bytes between two words on the progress: some tenths of a second."""


class OnDisk:
    """A file on this disk, with its evidence beside it (a `Lying`)."""

    fetched: tuple[str, ...] = ()

    def __init__(self, path: "Where") -> None:
        self.path = self.shown = os.fspath(path)

    def proof(self, name: str) -> bytes:
        """See `lying.Lying`."""
        return proof_of(self.path, name)

    def tag(self, entry: Entry, origin: str) -> bytes | None:
        """See `lying.Lying`."""
        return tag_of(self.path, entry)

    def measure(self, name: str, entry: Entry, tell: "Tell") -> Measured:
        """See `lying.Lying`."""
        return measure(self.path, name, tell)


def measure(path: "Where", name: str, tell: "Tell") -> Measured:
    """The file at `path`, which must be called `name` in its entry; of a large one, `bytes` events say how far.

    Raises SetupError `file-missing`, `not-a-file`.
    """
    digest, size = sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
        if size % _OFTEN == 0:
            tell("bytes", {"what": os.path.basename(path), "done": size, "total": os.stat(path).st_size})
    return Measured(name=name, sha256=digest.hexdigest(), size=size)


def read_small(path: "Where", limit: int) -> bytes | None:
    """The bytes at `path`, one more than `limit` at most (who parses them refuses that); None: there is no such file.

    Raises SetupError `not-a-file`, `file-missing` (there, but unreadable).
    """
    if not os.path.lexists(path):
        return None
    data = b""
    for chunk in _chunks(path):
        data += chunk
        if len(data) > limit:
            break
    return data[: limit + 1]


def proof_of(path: "Where", name: str) -> bytes:
    """The proof beside a file: FILE.tlog-proof, or NAME.tlog-proof where the file was renamed.

    Raises TamperError `proof-missing`.
    """
    directory, own = os.path.split(path)
    for beside in (own, name):
        data = _evidence(os.path.join(directory, f"{beside}{PROOF}"), proof.MAX_SIZE)
        if data is not None:
            return data
    what = f"{own}{PROOF} is missing"
    hint = f"get it from where the file came from: the file's URL with {PROOF} behind it"
    raise TamperError(what, code="proof-missing", why="nothing says that this file was released", hint=hint)


def tag_of(path: "Where", entry: Entry) -> bytes | None:
    """The tag object beside a file of `entry`, under the name by which the entry knows it."""
    name = tag_name(entry.project, entry.version)
    # only names that the entry's own strict form allows are opened: a project called ../.. has no such sidecar
    beside = os.path.join(os.path.dirname(path), name)
    return _evidence(beside, MAX_TAG) if name in dict(entry.sidecars) else None


def _evidence(path: str, limit: int) -> bytes | None:
    """As `read_small`; what lies there and is no file is somebody's trick. Raises TamperError `evidence-unreadable`."""
    try:
        return read_small(path, limit)
    except SetupError as error:
        raise TamperError(error.what, code="evidence-unreadable", why=error.why, hint=error.hint) from None


def statements_beside(path: str, project: str, version: str) -> list[str]:
    """The files beside `path` that are called like reproducers' statements about this version, sorted."""
    directory, start = os.path.dirname(path), f"{project}-{version}.reproduced-"
    with os.scandir(directory or ".") as found:
        names = sorted(entry.name for entry in found if entry.name.startswith(start) and entry.name.endswith(".jsonl"))
    return [os.path.join(directory, name) for name in names]


def files_in(directory: "Path") -> "tuple[Path, ...]":
    """Every file below `directory`, sorted; links to directories are files that nobody knows."""
    from pathlib import Path

    found = []
    for at, below, names in os.walk(directory):
        below.sort()
        links = [name for name in below if (Path(at) / name).is_symlink()]
        found += [Path(at) / name for name in sorted((*names, *links))]
    return tuple(found)


def _chunks(path: "Where") -> Iterator[bytes]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        raise SetupError(what, code="file-missing", hint=f"ls -ld {os.path.dirname(path) or '.'}") from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise SetupError(
                f"{path} is not a file", code="not-a-file", hint="name a file, or the directory that holds it"
            )
        while chunk := os.read(fd, _CHUNK):
            yield chunk
    finally:
        os.close(fd)
