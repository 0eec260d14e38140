"""A tag's tree for foreign code: what of git's objects a cell is shown to check it out at an object id."""

import errno
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tagtrail.formats.gitobject import DIRECTORY, MODULE, Listed, parse_listing
from tagtrail.io import process
from tagtrail.io.backend import PROGRAM, Backend
from tagtrail.io.durable import setup_error
from tagtrail.io.git import Git, lay_out, objects_missing
from tagtrail.io.sandbox import other_user
from tagtrail.model.errors import SetupError
from tagtrail.model.frozen import replace
from tagtrail.ports import BuildOrder, Objects

__all__ = [
    "check_lent", "check_limits", "check_path", "check_subdirectory", "closed", "disk", "entrance", "files",
    "furnished", "how_ended", "listing_of", "memory_full", "no_subdirectory", "where_said",
]  # fmt: skip

_ALTERNATES = 20
_OBJECTS = re.compile(r"[0-9a-f]{2}|pack|info|tmp_.*|incoming-.*|.*\.(lock|lck)|bulk-fsync.*|\.nfs.*|\.DS_Store")
"""What git keeps among its objects, also while it works."""
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""As the kernel says it, and as a shell does."""
_NO_MEMORY = (b"MemoryError", os.strerror(errno.ENOMEM).encode(), b"out of memory", b"bad_alloc")
"""What Python, the C library and its callers, Go and cc1, C++ say."""


def files(git: Git, commit: str, below: str = "") -> Iterator[Listed]:
    """The commit's files; with `below`, those in that directory. Raises ProjectError `objects-missing`."""
    listing = (m for m in listing_of(git, commit) if m.mode not in {DIRECTORY, MODULE})
    return (m for m in listing if not below or m.path.startswith(f"{below}/"))


def check_subdirectory(git: Git, order: BuildOrder) -> None:
    """The directory that the settings name is one of the tag. Raises SetupError `subdirectory`; ProjectError
    `objects-missing`."""
    name = order.subdirectory
    check_path(name)
    (there,) = git.items((f"{order.commit}:{name}",))
    if there.kind != "tree":
        raise no_subdirectory(name) if name else objects_missing(order.commit)


def check_path(name: str) -> None:
    """The directory that the settings name, if any, is a plain path. Raises SetupError `subdirectory`."""
    if not name.isprintable() or {"", ".", ".."} & {*(name or "-").split("/")}:
        raise no_subdirectory(name)


def no_subdirectory(name: str) -> SetupError:
    """The settings name a directory that is not in the tag."""
    return SetupError(
        f"{name!r} is no directory of the tag", code="subdirectory", hint="correct subdirectory in tagtrail.toml"
    )


def entrance(room: Path) -> None:
    """Make `room/in`, which foreign code may read and never write; in it lies the program that serves us there."""
    seen = room / "in"
    seen.mkdir()
    program = seen / PROGRAM.name
    program.write_bytes(PROGRAM.read_bytes())
    program.chmod(0o644)
    seen.chmod(0o755)


def furnished(room: Path, order: BuildOrder, objects: Objects) -> tuple[Git, tuple[tuple[Path, Path], ...]]:
    """A repository that only we use; and in `room/in` (`entrance`) the tag's repository, to be checked out in a cell.
    With it, what of git's objects a cell has to show, as (path within, ours)."""
    git = lay_out(objects, room / "git", head=order.commit, bare=True)
    return git, _shown(order, objects, room / "in" / "layout")


def _shown(order: BuildOrder, objects: Objects, directory: Path) -> tuple[tuple[Path, Path], ...]:
    """Lay the tag's repository out in `directory`, to be checked out in a cell; what of git's objects that cell has to
    show, as (path within, ours). Where there is no isolation, those are the paths of ours."""
    ours = _borrowed(objects.directory)
    if order.isolation != "none":
        for path in ours:
            check_lent(path)
    within = ours if order.isolation == "none" else tuple(Path(f"/objects/{number}") for number in range(len(ours)))
    seen = replace(objects, refs=order.refs)
    lay_out(seen, directory, head=order.commit, borrowed=[str(path) for path in within])
    _open_up(directory)
    return tuple(zip(within, ours, strict=True))


def check_lent(path: Path) -> None:
    """A directory that a cell is to be shown holds git's objects and nothing else: a repository says itself whose it
    borrows, and whoever may write there could name any directory of ours. Raises SetupError `objects-odd`."""
    names = {found.name for found in path.iterdir()} if path.is_dir() else {path.name} if path.exists() else set()
    odd = sorted(name for name in names if not _OBJECTS.fullmatch(name))
    if names and (odd or not names & {"pack", "info"}):
        raise SetupError(
            f"{path} is not only a directory of git's objects", code="objects-odd",
            why=f"a build would see {odd[0]!a} in it" if odd else "it holds no packs and no info",
            hint=f"look at objects/info/alternates of the repository, and move what does not belong in {path}",
        )  # fmt: skip


def _open_up(root: Path) -> None:
    """Let everybody pass and read, whatever our umask: foreign code runs as another user where we are root."""
    for path, _, names in os.walk(root):
        for file in (Path(path), *(Path(path, name) for name in names)):
            if not file.is_symlink():
                file.chmod(file.stat().st_mode | (0o555 if file.is_dir() else 0o444))


def closed(objects: Objects) -> SetupError | None:
    """Why a cell that root starts, and that runs as another user, cannot read the objects."""
    for top in _borrowed(objects.directory) if other_user() else ():
        for path, _, names in os.walk(top):
            needed = [(path, 0o005), *((os.path.join(path, name), 0o004) for name in names)]  # noqa: PTH118
            if any(os.lstat(path).st_mode & bits != bits for path, bits in needed):
                return SetupError(
                    f"git's objects in {top} are closed to others", code="objects-closed",
                    why="what root builds is built as another user, who has to read them",
                    hint=f"chmod -R go+rX {top}; or run tagtrail as the user to whom they belong",
                )  # fmt: skip
    return None


def _borrowed(objects: Path) -> tuple[Path, ...]:
    """A directory of git's objects, and those from which it borrows in turn (`info/alternates`)."""
    found: list[Path] = []
    left = [objects]
    while left:
        path = left.pop().resolve()
        if path in found or len(found) > _ALTERNATES:
            continue
        found.append(path)
        with suppress(OSError):
            lines = (path / "info" / "alternates").read_text("utf-8", "surrogateescape").splitlines()
            left += [path / line for line in lines if line and not line.startswith(("#", '"'))]
    return tuple(found)


def check_limits(room: Path, running: Backend) -> None:
    """What failed there may have failed for want of space or memory: that is the operator's matter, not the project's.
    File systems and the kernel's counts tell, not the project's words. Raises SetupError `disk-full`, `memory-full`."""
    if running.beyond:
        raise memory_full("what was built", running.memory, process.said(running.log, 3))
    if os.statvfs(room).f_bavail == 0 or running.full:
        raise SetupError(
            f"no space to build in {room.parent}",
            code="disk-full",
            why=process.said(running.log, 3),
            hint=f"df -h {room.parent}; what one build may fill is `disk` in [build] of tagtrail.toml",
        )


def memory_full(what: str, most: int, why: str) -> SetupError:
    """All that ran in a cell used more than `most` bytes."""
    return SetupError(
        f"{what} used more than {most >> 20} MiB of memory and was ended",
        code="memory-full",
        why=why,
        hint="if it needs more: `memory` in [build] of tagtrail.toml",
    )


def how_ended(status: int) -> str:
    """An exit status, or minus the number of a signal, in words."""
    if status >= 0:
        return f"ended with {status}"
    names = {int(one): one.name for one in signal.Signals}
    return f"was ended by {names.get(-status, f'signal {-status}')}"


def where_said(log: Path, running: Backend, status: int | None = None) -> str:
    """A hint for who wants to know more of what failed; where it speaks of space or memory, or was killed (`status`),
    how to give it more."""
    spoken = os.strerror(errno.ENOSPC).encode() in running.log
    more = "; if space ran short, what one build may fill is `disk` in [build] of tagtrail.toml" * spoken
    if status in _KILLED:
        more += "; if nobody killed it, the machine ran out of memory: `dmesg` tells"
    if status in _KILLED or any(words in running.log for words in _NO_MEMORY):
        more += "; if memory ran short, what one build may use is `memory` in [build] of tagtrail.toml"
    return f"the whole log: {log}{more}"


@contextmanager
def disk(room: Path) -> Iterator[None]:
    """A full disk, or one that may not be written, is the operator's matter wherever it shows."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}:
            raise setup_error(room, error) from error
        raise


def listing_of(git: Git, commit: str) -> tuple[Listed, ...]:
    """All that is in the commit's tree. Raises ProjectError `objects-missing`."""
    done = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", commit)
    if not done.ok:
        raise objects_missing(commit, process.said(done.err, 5))
    return parse_listing(done.out)
