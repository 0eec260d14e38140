"""The plain files of a commit by their paths, walked from its tree by object ids alone, each object proven by its id.

Names that somebody wrote never become anybody's arguments: what is asked for are ids. The commit names its tree, the
tree its members (`formats/gitobject.py`); links and submodules are not followed. Who reads the objects is an argument.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from tagtrail.formats.gitobject import DIRECTORY, Member, altered, header, object_id, parse_tree

__all__ = ["Files", "Object", "Reader"]

_PLAIN = frozenset({0o100644, 0o100755})


class Object(Protocol):
    """An object with its bytes; `kind` is empty where it is not there, or was not wanted."""

    @property
    def id(self) -> str:
        """Its id, in hex."""
        ...

    @property
    def kind(self) -> str:
        """`commit`, `tree`, `blob` or `tag`."""
        ...

    @property
    def content(self) -> bytes:
        """Its bytes, not yet compared with its id."""
        ...


class Reader(Protocol):
    """What gives objects by their ids, in the order asked; `fits` says which size is wanted."""

    def items(self, names: Iterable[str], fits: Callable[[int], bool] = ...) -> Sequence[Object]:
        """One for each name."""
        ...


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

    def contents(self, ids: Iterable[str], fits: Callable[[int], bool]) -> tuple[bytes | None, ...]:
        """The bytes of these blobs; None for one that is not there or does not fit. Raises as `names`."""
        asked = tuple(ids)
        pairs = zip(asked, self._reader.items(asked, fits), strict=True)
        return tuple(_proven(item, "blob", oid) if item.kind == "blob" else None for oid, item in pairs)

    def _item(self, oid: str) -> Object:
        return self._reader.items((oid,))[0]

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
            commit = self._item(self._commit)
            oid = header(_proven(commit, "commit", commit.id), "tree") if commit.kind == "commit" else ""
        tree = self._item(oid) if oid else None
        return _members(_proven(tree, "tree", oid), len(oid)) if tree and tree.kind == "tree" else {}


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


def _proven(found: Object, kind: str, oid: str) -> bytes:
    """Its bytes, which are those that the id says."""
    if object_id(kind, found.content, len(found.id)) != oid:
        raise altered(oid)
    return found.content
