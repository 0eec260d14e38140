"""Git by its command line: hardened, one attempt, with no configuration but what is named here."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from tagtrail.io import process
from tagtrail.io.durable import setup_error
from tagtrail.io.process import Finished
from tagtrail.model.errors import ProjectError, SetupError
from tagtrail.model.frozen import frozen
from tagtrail.ports import Objects

__all__ = ["LOCAL", "Git", "Item", "answer", "content", "items", "lay_out", "objects_missing"]

LOCAL: Mapping[str, str] = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    # no protocol at all: gits older than 2.44 do not know the line above and would fetch what a partial clone lacks
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}
"""The environment in which a repository is read: its own configuration and no other, no network, no questions."""

_SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never")


@frozen
class Item:
    """One answer of `git cat-file --batch`; `kind` is empty where there is no such object."""

    id: str
    kind: Literal["commit", "tree", "blob", "tag", ""]
    content: bytes = b""


@frozen
class Git:
    """A repository (`directory`: anything that `git -C` takes) read with its own configuration and no other.

    `options` go before the sub-command. Raises SetupError `command-missing` where there is no git.
    """

    directory: Path
    options: tuple[str, ...] = ()
    env: Mapping[str, str] | None = None

    def run(self, *args: str, stdin: bytes = b"", limit: float = 600.0) -> Finished:
        """`git ARGS` there; how it ended."""
        return process.run(self._argv(args), env=self.env or LOCAL, stdin=stdin, limit=limit)

    @contextmanager
    def begun(self, *args: str) -> Generator[Callable[[], Finished], None, None]:
        """`git ARGS` there, while the block does something else: `process.begun`."""
        with process.begun(self._argv(args), env=self.env or LOCAL) as ended:
            yield ended

    @contextmanager
    def reading(self, *args: str, stdin: bytes = b"") -> Generator[BinaryIO, None, None]:
        """The output of `git ARGS` as a stream."""
        with process.reading(self._argv(args), env=self.env or LOCAL, stdin=stdin) as stream:
            yield stream

    @contextmanager
    def asking(self, *args: str, limit: float = 600.0) -> Generator[tuple[int, BinaryIO], None, None]:
        """A `git ARGS` that is asked by the line: the descriptor that takes its input, and its output as a stream."""
        with process.asking(self._argv(args), env=self.env or LOCAL, limit=limit) as both:
            yield both

    def items(self, names: Iterable[str]) -> tuple[Item, ...]:
        """The objects called `names` (ids, full ref names, `ID:path`), in this order; all in memory.

        Raises ProjectError `objects-missing` where git breaks off; what is merely not there has no `kind`.
        """
        asked = list(names)
        with self.reading("cat-file", "--batch", stdin="".join(f"{n}\n" for n in asked).encode()) as stream:
            found = tuple(items(stream))
        if len(found) != len(asked):
            raise objects_missing(asked[len(found)])
        return found

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        return [executable(), "-C", str(self.directory), *_SAFE, *self.options, *args]


def executable() -> str:
    """Git's absolute path. Raises SetupError `command-missing`."""
    from shutil import which

    found = which("git")
    if found is None:
        raise SetupError("git is not on PATH", code="command-missing", hint="install git")
    return found


def items(stream: BinaryIO) -> Iterator[Item]:
    """The answers of `git cat-file --batch`, one by one. Raises ProjectError `objects-missing` where they break off."""
    while line := stream.readline():
        item, size = answer(line)
        yield Item(id=item.id, kind=item.kind, content=content(stream, size, item.id)) if item.kind else item


def answer(line: bytes, name: str = "") -> tuple[Item, int]:
    """The first line of an answer of `git cat-file --batch`: the object without its bytes, and how many they are.

    Raises ProjectError `objects-missing` where it is none; `name` is what was asked for.
    """
    text = line.decode("utf-8", "replace")
    if text.endswith(" missing\n"):
        return Item(id=text.split()[0], kind=""), 0
    found = re.fullmatch(r"([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)\n", text)
    if found is None:
        raise objects_missing(name or (text.split() or ["?"])[0])
    return Item(id=found[1], kind=found[2]), int(found[3])  # type: ignore[arg-type]


def content(stream: BinaryIO, size: int, name: str) -> bytes:
    """An object's bytes behind that line. Raises ProjectError `objects-missing` where there are fewer."""
    data = stream.read(size + 1)
    if len(data) != size + 1:
        raise objects_missing(name)
    return data[:-1]


def objects_missing(which: str, why: str = "") -> ProjectError:
    """The repository lacks objects, or they are damaged."""
    return ProjectError(
        f"the repository lacks or cannot read object {which}",
        code="objects-missing",
        why=why,
        hint="git fsck; a partial or shallow clone needs: git fetch --unshallow --refetch",
    )


def lay_out(
    objects: Objects, directory: Path, *, head: str, bare: bool = False, borrowed: Iterable[str] | None = None
) -> Git:
    """A repository of our own in `directory` over somebody's objects: nothing copied, no configuration of theirs.

    It sees `objects.refs` and a detached HEAD at `head`, nothing else; files are checked out byte for byte as the
    blobs are (no filters, no line ends changed). Borrowing is git's `objects/info/alternates`; `borrowed` says where
    it is used that the objects are, if elsewhere. Raises SetupError `disk-full` or `not-writable`.
    """
    place = directory if bare else directory / ".git"
    new = objects.object_format == "sha256"
    config = f"[core]\n\trepositoryformatversion = {int(new)}\n\tbare = {str(bare).lower()}\n{_CONFIG}"
    files = {
        "HEAD": f"{head}\n",
        "config": config + ("[extensions]\n\tobjectformat = sha256\n" if new else ""),
        "info/attributes": "* -text -ident -filter -working-tree-encoding\n",
        "objects/info/alternates": "".join(f"{path}\n" for path in borrowed or (objects.directory,)),
        "packed-refs": "".join(f"{oid} {ref}\n" for ref, oid in sorted(objects.refs)),
    }
    try:
        for below in ("objects/info", "refs", "info"):
            (place / below).mkdir(parents=True)
        for name, text in files.items():
            (place / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise setup_error(place, error) from error
    return Git(directory=directory)


_CONFIG = """\
\tfilemode = true
\tsymlinks = true
\tautocrlf = false
\tlogallrefupdates = false
\thooksPath = /dev/null
[gc]
\tauto = 0
"""
