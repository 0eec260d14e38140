"""The port `Builder` for the tag's tree as an archive: PROJECT-VERSION.tar.gz and .tar.xz in normal form, nothing run.

Without a subdirectory the tar inside is the one whose SHA-256 is the entry's `tree`: whoever has the repository can
make it again with git and tar alone.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tagtrail.adapters.builder.checkout import check_subdirectory, disk, files
from tagtrail.adapters.builder.tarred import tree_digest, tree_tar
from tagtrail.formats import tarball
from tagtrail.formats.archive import Member, check_members
from tagtrail.formats.contents import Glance
from tagtrail.formats.site import media
from tagtrail.io.git import lay_out
from tagtrail.io.scratch import scratch
from tagtrail.model.errors import ProjectError
from tagtrail.model.facts import Artifact, Blob, Remark
from tagtrail.model.frozen import replace
from tagtrail.ports import BuildOrder, Kept, Objects

__all__ = ["PACKERS", "Tree"]

PACKERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {"tar.gz": tarball.deflated, "tar.xz": tarball.xzed}
_PIECE = 1 << 20


class Tree:
    """See `tagtrail.ports.Builder`. `scratch_root` is where the tar is written first (swept by the wiring).

    Besides the port's errors: SetupError `subdirectory`; ProjectError `archive-...`; TamperError `object-altered`.
    """

    def __init__(self, scratch_root: Path) -> None:
        self._scratch = scratch_root

    def build(
        self, order: BuildOrder, objects: Objects, kept: Kept, meanwhile: Iterable[Callable[[], object]] = ()
    ) -> tuple[Artifact, ...]:
        """See `tagtrail.ports.Builder`."""
        with scratch(self._scratch, "tree") as room, disk(room):
            git = lay_out(objects, room / "look", head=order.commit, bare=True)
            check_subdirectory(git, order)
            digest, tar = hashlib.sha256(), room / "tar"
            glance, remarks, members = Glance(), list[Remark](), list[Member]()

            def seen(member: Member, content: str, data: bytes) -> None:
                members.append(member)
                if member.kind == "file":
                    remarks.extend(glance.remarks(member.name.partition("/")[2], content, data))

            with tar.open("xb") as out:
                for piece in tree_tar(order, objects, room / "git", order.subdirectory, seen):
                    digest.update(piece)
                    out.write(piece)
            _judge(members)
            count = sum(1 for _ in files(git, order.commit, order.subdirectory))
            made = Artifact(
                name="", blob=Blob(sha256="", size=0), tar=digest.hexdigest(), members=count, remarks=tuple(remarks)
            )
            return tuple(_packed(made, kind, order, tar, kept) for kind in order.builds)

    def expecting(self, project: str) -> AbstractContextManager[Callable[[BuildOrder, Objects], None]]:
        """Nothing can begin early."""
        return nullcontext(lambda *_: None)

    def tree(self, order: BuildOrder, objects: Objects) -> str:
        """See `tagtrail.ports.Builder`."""
        with scratch(self._scratch, "tree") as room:
            return tree_digest(order, objects, room)


def _judge(members: Sequence[Member]) -> None:
    """The archive is one that we would take from others. Raises ProjectError `archive-...`."""
    try:
        check_members(members)
    except ProjectError as error:
        raise ProjectError(
            error.what, code=error.code, why="the archive of a tag's tree keeps the rules of every archive",
            hint="rename it, or let it lead elsewhere, and tag the commit that does",
        ) from None  # fmt: skip


def _packed(made: Artifact, kind: str, order: BuildOrder, tar: Path, kept: Kept) -> Artifact:
    name = f"{order.project}-{order.version}.{kind}"
    with tar.open("rb") as file:
        pieces = iter(lambda: file.read(_PIECE), b"")
        return replace(made, name=name, blob=kept.put(PACKERS[kind](pieces), media(name)))
