"""A tag's tree, out of git's objects, as one tar in normal form."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from tagtrail.adapters.builder.checkout import listing_of
from tagtrail.formats import tarball
from tagtrail.formats.archive import Member
from tagtrail.formats.gitobject import DIRECTORY, LINK, MODULE, Listed, verified
from tagtrail.io.git import items, lay_out, objects_missing
from tagtrail.model.errors import TamperError
from tagtrail.ports import BuildOrder, Objects

__all__ = ["tree_digest", "tree_tar"]


def tree_digest(order: BuildOrder, objects: Objects, room: Path) -> str:
    """SHA-256 of the commit's tree as a tar in normal form. Raises as `tree_tar`."""
    digest = hashlib.sha256()
    for piece in tree_tar(order, objects, room):
        digest.update(piece)
    return digest.hexdigest()


Seen = Callable[[Member, str, bytes], object]
"""Is shown a member, the id of its bytes, its bytes."""


def _unseen(member: Member, content: str, data: bytes) -> None:
    """Nobody looks."""


def tree_tar(order: BuildOrder, objects: Objects, room: Path, below: str = "", seen: Seen = _unseen) -> Iterator[bytes]:
    """The commit's tree as a tar in normal form below PROJECT-VERSION/: links as links, submodules as empty
    directories. With `below`, only what lies in that directory. `seen` is shown each member on the way.

    Every object is hashed on the way, from the commit's id downwards; `room` is an empty directory. Raises ProjectError
    `objects-missing`; TamperError `object-altered`.
    """
    git = lay_out(objects, room, head=order.commit, bare=True)
    listing = listing_of(git, order.commit)
    ids = [order.commit, f"{order.commit}^{{tree}}", *(m.id for m in listing if m.mode != MODULE)]
    with git.reading("cat-file", "--batch", stdin="".join(f"{i}\n" for i in ids).encode()) as stream:
        try:
            yield from tarball.tar(_members(order, listing, _found(stream), below, seen), order.epoch)
        except (ValueError, StopIteration, RuntimeError) as error:
            raise _altered(order.commit, str(error)) from error


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
        member = _member(name, listed, content)
        seen(member, listed.id, content)
        yield member, (content,) if member.kind == "file" else ()


def _member(name: str, listed: Listed, content: bytes) -> Member:
    if listed.mode in {DIRECTORY, MODULE}:
        return Member(name=name, kind="directory")
    if listed.mode == LINK:
        return Member(name=name, kind="link", target=content.decode("utf-8", "surrogateescape"))
    return Member(name=name, executable=listed.mode == 0o100755, size=len(content))


def _altered(commit: str, why: str) -> TamperError:
    return TamperError(
        f"commit {commit} has other bytes than its id says", code="object-altered", why=why, hint="git fsck"
    )
