"""Checkpoints fetched apart, and what this machine remembers of them: a log that forgets or forks is caught by it.

Remembered are signed notes, one file for each size, in $XDG_STATE_HOME/tagtrail/checkpoints/ORIGIN/ (percent-encoded).
A note goes when the tree of a larger one is proven to contain its own; until then it stays and is compared (of these,
the newest hundred). Of two trees that contradict each other both notes are kept, in the directory `evidence` there.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tagtrail.app.consumer.beside import read_small
from tagtrail.app.consumer.places import Place, check_address, is_address
from tagtrail.app.consumer.trust_store import refuse_others, safe_name
from tagtrail.formats import note
from tagtrail.formats.note import Checkpoint
from tagtrail.formats.policy import Policy
from tagtrail.formats.root import Root
from tagtrail.formats.tiles import TileReader
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.verify.heads import Head, check_grown, judge_head

__all__ = ["Fetched", "Memory", "checkpoint_at"]

_MAX_TILE = 256 * 65_537
"""Bytes of the largest file of a log's tiles, a full bundle of entries."""

_LOOSE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A checkpoint as it was found. `tiles` is where the log's other files would lie, relative to it."""

    shown: str
    data: bytes
    tiles: Place

    def checkpoint(self) -> Checkpoint:
        """What it says, nothing verified. Raises TamperError note-*, checkpoint-*."""
        return note.parse_checkpoint(note.parse(self.data).text)

    def reader(self) -> TileReader:
        """Its tree, proven tile by tile."""
        at = self.checkpoint()
        return TileReader(at.size, at.root, self._tile)

    def _tile(self, path: str) -> bytes | None:
        try:
            return self.tiles.read(path, _MAX_TILE)
        except RemoteError:
            return None  # tiles that are not to be had prove nothing; it is said that they did not


def checkpoint_at(where: str) -> Fetched:
    """The checkpoint in a file or at an address; of an address that ends with a slash, that of the site there.

    Raises SetupError `file-missing`, `url`, `not-a-file`; RemoteError as `io.http.fetch`.
    """
    if is_address(where):
        address = check_address(f"{where}trail/checkpoint" if where.endswith("/") else where)
        directory, _, name = address.rpartition("/")
        tiles = Place(f"{directory}/")
    else:
        path = Path(where).absolute()
        address, tiles, name = where, Place(str(path.parent)), path.name
    data = tiles.read(name, note.MAX_SIZE)
    if data is None:
        raise SetupError(
            f"there is no checkpoint at {address}", code="file-missing", hint="a site's: URL/trail/checkpoint"
        )
    return Fetched(shown=address, data=data, tiles=tiles)


class Memory:
    """What was seen of one log before."""

    def __init__(self, directory: Path, origin: str) -> None:
        self.directory = directory / safe_name(origin)
        self.origin = origin

    @classmethod
    def standard(cls, origin: str, env: Mapping[str, str] | None = None) -> "Memory":
        """This user's. An XDG_STATE_HOME that is not absolute is ignored (XDG base directory specification)."""
        named = Path((os.environ if env is None else env).get("XDG_STATE_HOME") or "")
        state = named if named.is_absolute() else Path.home() / ".local" / "state"
        return cls(state / "tagtrail" / "checkpoints", origin)

    def accept(
        self, fetched: Fetched, tree: TileReader, trust: Root | Policy, now: int, max_age: int | None
    ) -> tuple[Head, tuple[int, ...], tuple[int, ...]]:
        """The head, if it is believed, of that age, and lost nothing; it is remembered from now on. `tree` reads it.

        With it, the remembered sizes that its tree is proven to contain, and those of which that could not be proven.
        Raises TamperError as `judge_head` and `check_grown`; SetupError `memory-form`, `memory-not-ours`,
        `not-writable`, `disk-full`.
        """
        head = judge_head(fetched.data, trust, now, max_age)
        with self._alone():
            before = self.remembered()
            contained: list[int] = []
            loose: list[int] = []
            for size in sorted(before, reverse=True):  # the largest first: a rollback is said before anything else
                (contained if self._grown(fetched, size, before[size], tree) else loose).append(size)
            self._write(f"{head.checkpoint.size}", fetched.data)
            for size in {*contained, *loose[_LOOSE:]} - {head.checkpoint.size}:
                (self.directory / f"{size}").unlink(missing_ok=True)
        return head, tuple(sorted(contained)), tuple(sorted(loose))

    def compare(self, fetched: Fetched, before: bytes, tree: TileReader) -> bool:
        """Whether the fetched tree is proven to contain that of a note seen before.

        Raises TamperError as `check_grown`; of a fork both notes are kept, and the error says where.
        """
        earlier = note.parse_checkpoint(note.parse(before).text)
        try:
            return check_grown(earlier, fetched.checkpoint(), tree.read)
        except TamperError as error:
            if error.code not in ("split-view", "consistency-old-root"):
                raise
            kept = [self._evidence(data) for data in (before, fetched.data)]
            hint = f"both are kept, for the log's people and its witnesses: {' '.join(map(str, kept))}"
            raise TamperError(error.what, code=error.code, why=error.why, hint=hint) from None

    def _grown(self, fetched: Fetched, size: int, before: bytes, tree: TileReader) -> bool:
        try:
            return self.compare(fetched, before, tree)
        except TamperError as error:
            hint = error.hint or f"what was seen before: {self.directory / str(size)}"
            raise TamperError(error.what, code=error.code, why=error.why, hint=hint) from None

    def remembered(self) -> dict[int, bytes]:
        """The notes seen before, by size. Raises SetupError `memory-form`, `memory-not-ours`."""
        found: dict[int, bytes] = {}
        if not self.directory.is_dir():
            return found
        why = "whoever writes it says what the log once was"
        refuse_others(self.directory, "memory-not-ours", why)
        for path in self.directory.iterdir():
            if path.name.isascii() and path.name.isdigit():
                refuse_others(path, "memory-not-ours", why)
                found[int(path.name)] = self._read(path)
        return found

    def _read(self, path: Path) -> bytes:
        data = read_small(path, note.MAX_SIZE) or b""
        try:
            at = note.parse_checkpoint(note.parse(data).text)
        except TamperError as error:
            what = f"{path} is not the checkpoint that was remembered: {error.what}"
            raise SetupError(what, code="memory-form", hint=f"look at it; then rm {path}") from None
        if (at.origin, str(at.size)) != (self.origin, path.name):
            what = f"{path} holds a checkpoint of {at.origin} at size {at.size}"
            raise SetupError(what, code="memory-form", hint=f"look at it; then rm {path}")
        return data

    def _evidence(self, data: bytes) -> Path:
        at = note.parse_checkpoint(note.parse(data).text)
        return self._write(f"evidence/{at.size}-{at.root.hex()[:16]}", data)

    def _write(self, name: str, data: bytes) -> Path:
        from tagtrail.io import durable

        durable.write(self.directory / name, data)
        return self.directory / name

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time reads, compares and writes. Raises SetupError `not-writable`."""
        lock = self.directory / "lock"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            what = f"{lock} cannot be written: {error.strerror}"
            hint = "XDG_STATE_HOME names another place; what was seen must be remembered"
            raise SetupError(what, code="not-writable", hint=hint) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)
