"""A tag's files, and which members of archives are files of it: by their bytes, and by the place where they stand.

A file of the tag is one where the tag has it. Under another name, or in another directory, it is something else: what
was a broken archive for a test is a program when it is called `configure`. So a member is the tag's

    of a source archive   at its own path, counted from the project's directory, or from the top of the tag
    of any other          also with one directory taken off, the same for all (`src/x.py` as `x.py`)
    of a wheel, besides   in `*.data/` as it is installed (below `purelib` and `platlib` as any other; a script, a
                          header or data by its own name, but no data that Python would import), and in `*.dist-info/`
                          a text by its own name, for licences are gathered there

A link of the tag is as good as what it leads to: many builds put the file for it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from posixpath import join, normpath

from tagtrail.adapters.builder.checkout import files
from tagtrail.formats.contents import Glance
from tagtrail.formats.gitobject import LINK, Listed
from tagtrail.io.git import Git

__all__ = ["Blobs", "Holds"]

Holds = Callable[[str, str, bool], bool]
"""Whether a member of this name and content (a blob's id) is the tag's, as a link or not."""

_USUAL = ("src", "lib", "python")
"""Directories of that kind; others are believed only if none of these is one."""
_CANDIDATES = 16
_LINKS = 20
_DATA = re.compile(r"[^/]+\.data/(purelib|platlib|data|headers|scripts)/(.+)")
_INFO = re.compile(r"[^/]+\.dist-info/.+")
_IMPORTED = (".py", ".pyc", ".pth", ".so", ".pyd")


class Blobs:
    """A tag's files, their ids in the repository's object format (`digits` of an id), and what was noticed in what was
    read; the project lies in the directory `below`."""

    def __init__(self, *, digits: int, below: str = "") -> None:
        self.digits = digits
        self.glance = Glance()
        self._below = f"{below}/" if below else ""
        self._files: dict[str, Listed] = {}
        self._targets: Mapping[str, str] = {}
        self._named: dict[str, set[str]] = {}

    def read(self, git: Git, commit: str) -> None:
        """These are the tag's: those of its commit. Raises ProjectError `objects-missing`."""
        listed = tuple(files(git, commit))
        links = [file for file in listed if file.mode == LINK]
        found = git.items(file.id for file in links) if links else ()
        targets = {f.path: i.content.decode("utf-8", "surrogateescape") for f, i in zip(links, found, strict=True)}
        self.tell(listed, targets)

    def tell(self, listed: Iterable[Listed], targets: Mapping[str, str]) -> None:
        """These are the tag's; where each of the links leads."""
        self._files = {file.path: file for file in listed}
        self._targets = targets

    def of_source(self) -> Holds:
        """For a source archive, and for any that has the tag's own paths."""
        roots = tuple(dict.fromkeys((self._below, "")))
        return lambda name, content, link: self._at(roots, name, content, link=link)

    def of_others(self, names: Iterable[str]) -> Holds:
        """For an archive with members of these names, which may have lost the directory in which the tag has them."""
        shown = [match[2] if (match := _DATA.fullmatch(name)) else name for name in names if not _INFO.fullmatch(name)]
        roots = tuple(dict.fromkeys((self._below, "", self._lost(shown))))

        def holds(name: str, content: str, link: bool) -> bool:  # noqa: FBT001  (`Holds`)
            data = _DATA.fullmatch(name)
            if data and data[1] in {"purelib", "platlib"}:
                return self._at(roots, data[2], content, link=link)
            if data and self._at(roots, data[2], content, link=link):
                return True
            if _INFO.fullmatch(name) or (data and not (data[1] == "data" and name.endswith(_IMPORTED))):
                return content in self._of_name(name.rpartition("/")[2])
            return self._at(roots, name, content, link=link)

        return holds

    def _at(self, roots: tuple[str, ...], name: str, content: str, *, link: bool) -> bool:
        """Whether the first place that the tag has for that name holds that content."""
        for root in roots:
            if found := self._content(f"{root}{name}", link=link):
                return content == found
        return False

    def _content(self, path: str, *, link: bool, left: int = _LINKS) -> str:
        """The id of what the tag has at a path, through its links; for a link itself, of that. Empty: nothing."""
        file = self._files.get(path)
        if file and (file.mode == LINK) == link:
            return file.id
        if file and link:
            return ""
        above = (path[:at] for at in (*_slashes(path), len(path)))
        through = next((p for p in above if p in self._targets), None) if left and self._targets else None
        if through is None:
            return ""
        target = normpath(join(through.rpartition("/")[0], self._targets[through]))
        return self._content(f"{target}{path[len(through) :]}", link=link, left=left - 1)

    def _lost(self, names: Iterable[str]) -> str:
        """The directory, with its slash, that was taken off the names of most members that are not where they were."""
        here = (name for name in names if self._of_name(name.rpartition("/")[2]))
        moved = [name for name in here if f"{self._below}{name}" not in self._files and name not in self._files]
        tops = {name.partition("/")[0] for name in moved}
        roots = sorted({root for root, name in self._above() if name in tops} if tops else (), key=self._order)
        found = {root: sum(f"{root}{name}" in self._files for name in moved) for root in roots[:_CANDIDATES]}
        return max(found, key=lambda root: (self._is_usual(root) and found[root] > 0, found[root]), default="")

    def _above(self) -> Iterator[tuple[str, str]]:
        """Each directory that is not the top, and what stands in it."""
        seen = set[tuple[str, str]]()
        for path in self._files:
            for part in (*(path[:at] for at in _slashes(path)), path):
                directory, slash, name = part.rpartition("/")
                if slash and (directory, name) not in seen:
                    seen.add((directory, name))
                    yield f"{directory}/", name

    def _order(self, root: str) -> tuple[bool, bool, int, str]:
        """Inside the project first, then what is usual, then what lies high."""
        return not root.startswith(self._below), not self._is_usual(root), root.count("/"), root

    def _is_usual(self, root: str) -> bool:
        return root in {f"{self._below}{name}/" for name in _USUAL}

    def _of_name(self, name: str) -> set[str]:
        """The contents of all files of that last name."""
        if not self._named:
            for path, file in self._files.items():
                self._named.setdefault(path.rpartition("/")[2], set()).add(file.id)
        return self._named.get(name, set())


def _slashes(path: str) -> Iterator[int]:
    """Where they are."""
    return (at - 1 for at in accumulate(len(part) + 1 for part in path.split("/")[:-1]))
