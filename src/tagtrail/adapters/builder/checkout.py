"""A tag's tree, out of git's objects: checked out at an object id, or as one tar in normal form."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from tagtrail.adapters.builder.outputs import open_up
from tagtrail.formats import tarball
from tagtrail.formats.archive import Member
from tagtrail.formats.gitobject import DIRECTORY, LINK, MODULE, Listed, parse_listing, verified
from tagtrail.io import process
from tagtrail.io.backend import PROGRAM
from tagtrail.io.durable import setup_error
from tagtrail.io.git import Git, items, lay_out, objects_missing
from tagtrail.io.sandbox import other_user
from tagtrail.model.errors import SetupError, TamperError
from tagtrail.ports import BuildOrder, Objects

__all__ = [
    "check_space", "check_subdirectory", "closed", "disk", "files", "furnished", "no_subdirectory", "tree_digest",
    "tree_tar",
]  # fmt: skip

_SAID = 1 << 20
_ALTERNATES = 20


def tree_digest(order: BuildOrder, objects: Objects, room: Path) -> str:
    """SHA-256 of the commit's tree as a tar in normal form. Raises as `tree_tar`."""
    digest = hashlib.sha256()
    for piece in tree_tar(order, objects, room):
        digest.update(piece)
    return digest.hexdigest()


Seen = Callable[[str, str, bytes], object]
"""Is shown a file: its path below the top directory, the id of its bytes, its bytes."""


def _unseen(path: str, content: str, data: bytes) -> None:
    """Nobody looks."""


def tree_tar(order: BuildOrder, objects: Objects, room: Path, below: str = "", seen: Seen = _unseen) -> Iterator[bytes]:
    """The commit's tree as a tar in normal form below PROJECT-VERSION/: links as links, submodules as empty
    directories. With `below`, only what lies in that directory. `seen` is shown each file on the way.

    Every object is hashed on the way, from the commit's id downwards; `room` is an empty directory. Raises ProjectError
    `objects-missing`; TamperError `object-altered`.
    """
    git = lay_out(objects, room, head=order.commit, bare=True)
    listing = _listing(git, order.commit)
    ids = [order.commit, f"{order.commit}^{{tree}}", *(m.id for m in listing if m.mode != MODULE)]
    with git.reading("cat-file", "--batch", stdin="".join(f"{i}\n" for i in ids).encode()) as stream:
        try:
            yield from tarball.tar(_members(order, listing, _found(stream), below, seen), order.epoch)
        except (ValueError, StopIteration, RuntimeError) as error:
            raise _altered(order.commit, str(error)) from error


def files(git: Git, commit: str, below: str = "") -> Iterator[str]:
    """The ids of the commit's files; with `below`, those in that directory. Raises ProjectError `objects-missing`."""
    listing = (m for m in _listing(git, commit) if m.mode not in {DIRECTORY, MODULE})
    return (m.id for m in listing if not below or m.path.startswith(f"{below}/"))


def check_subdirectory(git: Git, order: BuildOrder) -> None:
    """The directory that the settings name is one of the tag. Raises SetupError `subdirectory`; ProjectError
    `objects-missing`."""
    name = order.subdirectory
    odd = bool(name) and any(part in {"", ".", ".."} for part in name.split("/"))
    (there,) = git.items((order.commit if odd else f"{order.commit}:{name}",))
    if there.kind != "tree":
        raise no_subdirectory(name) if name else objects_missing(order.commit)


def no_subdirectory(name: str) -> SetupError:
    """The settings name a directory that is not in the tag."""
    return SetupError(
        f"{name!r} is no directory of the tag", code="subdirectory", hint="correct subdirectory in tagtrail.toml"
    )


def furnished(room: Path, order: BuildOrder, objects: Objects) -> tuple[Git, tuple[tuple[Path, Path], ...]]:
    """A repository that only we use; and in `room/in`, for foreign code to read, the program that lays a checkout out
    and the tag's repository. With it, what of git's objects a cell has to show, as (path within, ours)."""
    seen = room / "in"
    seen.mkdir()
    program = seen / PROGRAM.name
    program.write_bytes(PROGRAM.read_bytes())
    program.chmod(0o644)
    seen.chmod(0o755)
    git = lay_out(objects, room / "git", head=order.commit, bare=True)
    return git, _shown(order, objects, seen / "layout")


def _shown(order: BuildOrder, objects: Objects, directory: Path) -> tuple[tuple[Path, Path], ...]:
    """Lay the tag's repository out in `directory`, to be checked out in a cell; what of git's objects that cell has to
    show, as (path within, ours). Where there is no isolation, those are the paths of ours."""
    ours = _borrowed(objects.directory)
    within = ours if order.isolation == "none" else tuple(Path(f"/objects/{number}") for number in range(len(ours)))
    seen = replace(objects, refs=order.refs)
    lay_out(seen, directory, head=order.commit, borrowed=[str(path) for path in within])
    open_up(directory)
    return tuple(zip(within, ours, strict=True))


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


def check_space(room: Path, said: bytes) -> None:
    """What failed there may have failed for want of space: that is the operator's matter, not the project's."""
    if os.statvfs(room).f_bavail == 0 or os.strerror(errno.ENOSPC).encode() in said[-_SAID:]:
        raise SetupError(
            f"no space to build in {room.parent}",
            code="disk-full",
            why=process.said(said, 3),
            hint=f"df -h {room.parent}; what one build may fill is `disk` in [build] of tagtrail.toml",
        )


@contextmanager
def disk(room: Path) -> Iterator[None]:
    """A full disk, or one that may not be written, is the operator's matter wherever it shows."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}:
            raise setup_error(room, error) from error
        raise


def _listing(git: Git, commit: str) -> tuple[Listed, ...]:
    done = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", commit)
    if not done.ok:
        raise objects_missing(commit, process.said(done.err, 5))
    return parse_listing(done.out)


def _found(stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
    for item in items(stream):
        if not item.kind:
            raise objects_missing(item.id)
        yield item.kind, item.content


def _members(
    order: BuildOrder, listing: Sequence[Listed], objects: Iterator[tuple[str, bytes]], below: str, seen: Seen
) -> Iterator[tuple[Member, tuple[bytes, ...]]]:
    """The tree's members as those of a tar: links as links, submodules as empty directories."""
    top = f"{order.project}-{order.version}"
    yield Member(name=top, kind="directory"), ()
    for listed, content in verified(order.commit, listing, objects):
        if below and not listed.path.startswith(f"{below}/"):
            continue
        name = f"{top}/{listed.path[len(below) :].lstrip('/')}"
        if listed.mode in {DIRECTORY, MODULE}:
            yield Member(name=name, kind="directory"), ()
        elif listed.mode == LINK:
            yield Member(name=name, kind="link", target=content.decode("utf-8", "surrogateescape")), ()
        else:
            seen(name.removeprefix(f"{top}/"), listed.id, content)
            yield Member(name=name, executable=listed.mode == 0o100755, size=len(content)), (content,)


def _altered(commit: str, why: str) -> TamperError:
    return TamperError(
        f"commit {commit} has other bytes than its id says", code="object-altered", why=why, hint="git fsck"
    )
