"""A repository's objects, asked for one after the other of one `git cat-file --batch`."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import BinaryIO

from tagtrail.io.git import Git, Item, answer, content

__all__ = ["MOST", "Reader", "reader"]

MOST = 1 << 26
"""Bytes of one object that are taken, where nobody says less."""

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
