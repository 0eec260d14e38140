"""A repository's objects asked for one after the other of one `git cat-file --batch`; and the plain files of a commit.

Names that somebody wrote never become git's arguments: a path is walked from the commit's tree, by object ids alone,
and each object on the way has the bytes that its id says.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import BinaryIO

from tagtrail.formats.gitobject import DIRECTORY, Member, header, object_id, parse_tree
from tagtrail.io.git import Git, Item, answer, content, object_altered

__all__ = ["MOST", "Files", "Reader", "reader"]

MOST = 1 << 26
"""Bytes of one object that are taken, where nobody says less."""

_PLAIN = frozenset({0o100644, 0o100755})
_AT_ONCE = 50
"""Names written before the answers are read: what a pipe takes of ids, so that neither side waits for the other."""
_PAST = 1 << 23
"""What is too large is read past up to this size; beyond it the process is ended, and another one asked."""

Fits = Callable[[int], bool]
"""Whether an object of so many bytes is wanted; asked once for each, in order."""


class Reader:
    """One `git cat-file --batch`, started when it is first asked. Made by `reader`, which ends it."""

    def __init__(self, git: Git, until: contextlib.ExitStack) -> None:
        self._git = git
        self._until = until
        self._pipes: tuple[int, BinaryIO] | None = None

    def items(self, names: Iterable[str], fits: Fits = MOST.__ge__) -> tuple[Item, ...]:
        """The objects called `names` (ids, full ref names, `ID^{commit}`; printable ASCII or UTF-8), in this order.

        What is not there, or does not fit, has no `kind`. Raises ProjectError `objects-missing` where git breaks off.
        """
        left, found = list(names), list[Item]()
        while left:
            asked, left = left[:_AT_ONCE], left[_AT_ONCE:]
            answered = tuple(self._answers(asked, fits))
            found += answered
            left = asked[len(answered) :] + left
        return tuple(found)

    def item(self, name: str, fits: Fits = MOST.__ge__) -> Item:
        """The object called `name`, as `items` gives it."""
        return self.items((name,), fits)[0]

    def _answers(self, names: list[str], fits: Fits) -> Iterator[Item]:
        """The answers, up to one that is far too large: after it the process is another."""
        orders, stream = self._pipes = self._pipes or self._started()
        with contextlib.suppress(BrokenPipeError):
            os.write(orders, "".join(f"{name}\n" for name in names).encode())
        for name in names:
            item, size = answer(stream.readline(), name)
            wanted = bool(item.kind) and fits(size)
            if size > _PAST and not wanted:
                self._end()
                yield Item(id=item.id, kind="")
                return
            data = content(stream, size, name) if item.kind else b""
            yield Item(id=item.id, kind=item.kind, content=data) if wanted else Item(id=item.id, kind="")

    def _started(self) -> tuple[int, BinaryIO]:
        return self._until.enter_context(self._git.asking("cat-file", "--batch"))

    def _end(self) -> None:
        self._until.close()
        self._pipes = None


@contextlib.contextmanager
def reader(git: Git) -> Generator[Reader, None, None]:
    """A reader of that repository; its process is dead when the block is left."""
    with contextlib.ExitStack() as until:
        yield Reader(git, until)


class Files:
    """The plain files at a commit, by their paths from `top` (empty: the repository's own top)."""

    def __init__(self, reader: Reader, commit: str, top: str = "") -> None:
        self._reader = reader
        self._commit = commit
        self._trees: dict[str, Mapping[str, Member]] = {}
        self._top = top

    def names(self, directory: str = "") -> dict[str, str]:
        """What a directory holds: each plain file's path and its id, each directory's path and nothing; by name.

        Links, submodules, and names that cannot be printed are left out. Empty where there is no such directory.
        Raises ProjectError `objects-missing`, TamperError `object-altered`.
        """
        lead = f"{directory}/" if directory else ""
        found = self._tree("/".join(filter(None, (self._top, directory))))
        kinds = {f"{lead}{name}": member for name, member in found.items() if name.isprintable()}
        return {
            path: "" if member.mode == DIRECTORY else member.id
            for path, member in kinds.items()
            if member.mode in {DIRECTORY, *_PLAIN}
        }

    def id(self, path: str) -> str:
        """The id of a plain file's bytes; empty where there is none."""
        directory, _, name = path.rpartition("/")
        return self.names(directory).get(f"{directory}/{name}" if directory else name, "")

    def contents(self, ids: Iterable[str], fits: Fits) -> tuple[bytes | None, ...]:
        """The bytes of these blobs; None for one that is not there or does not fit. Raises as `names`."""
        found = self._reader.items(ids, fits)
        return tuple(_proven(item, "blob") if item.kind == "blob" else None for item in found)

    def _tree(self, path: str) -> Mapping[str, Member]:
        if path not in self._trees:
            self._trees[path] = self._look(path)
        return self._trees[path]

    def _look(self, path: str) -> Mapping[str, Member]:
        if path:
            above, _, name = path.rpartition("/")
            member = self._tree(above).get(name)
            oid = member.id if member and member.mode == DIRECTORY else ""
        else:
            commit = self._reader.item(self._commit)
            oid = header(_proven(commit, "commit"), "tree") if commit.kind == "commit" else ""
        tree = self._reader.item(oid) if oid else None
        return _members(_proven(tree, "tree"), len(oid)) if tree and tree.kind == "tree" else {}


def _members(content: bytes, digits: int) -> Mapping[str, Member]:
    try:
        return {m.name.decode(): m for m in parse_tree(content, digits) if _is_text(m.name)}
    except ValueError:
        return {}


def _is_text(name: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        name.decode()
        return True
    return False


def _proven(item: Item, kind: str) -> bytes:
    """Its bytes, which are those that its id says."""
    if object_id(kind, item.content, len(item.id)) != item.id:
        raise object_altered(item.id)
    return item.content
