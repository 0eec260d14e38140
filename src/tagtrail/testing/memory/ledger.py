"""The ledger in memory: a book that a transaction copies, changes and puts in the place of the old one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import RLock

from tagtrail.formats.marks import marks_of
from tagtrail.formats.purl import purl_type as type_of
from tagtrail.model.errors import RemoteError, TamperError
from tagtrail.model.facts import Entry
from tagtrail.model.names import project_key
from tagtrail.ports import Committed
from tagtrail.testing.fuse import Fuse

__all__ = ["Ledger", "Writing"]


@dataclass
class Book:
    """Leaves with their projects' keys, checkpoints by size, complete subtrees, (project key, name key) ->
    sha256, mark -> newest entry."""

    entries: tuple[Entry, ...] = ()
    projects: tuple[str, ...] = ()
    checkpoints: dict[int, Committed] = field(default_factory=dict)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    marks: dict[str, Entry] = field(default_factory=dict)
    cosigned: tuple[dict[int, Committed], ...] = ({},)
    fresh: Committed | None = None

    def copy(self) -> "Book":
        """A book that can be changed without this one changing."""
        return replace(
            self,
            checkpoints=dict(self.checkpoints),
            nodes=dict(self.nodes),
            names=dict(self.names),
            marks=dict(self.marks),
        )


class _Reader:
    """Reads the book that `_book` holds at the moment."""

    _book: Book

    def committed(self, size: int | None = None, *, covering: int | None = None) -> Committed | None:
        """The checkpoint of `size`, the smallest that covers an index, or the largest."""
        known = self._book.checkpoints
        if size is not None:
            return known.get(size)
        if covering is not None:
            return known.get(min((s for s in known if s > covering), default=-1))
        return known.get(max(known, default=-1))

    def cosigned(self, *, covering: int | None = None) -> Committed | None:
        """What proofs of an index stand on, or what is shown."""
        book = self._book
        if covering is None:
            return book.fresh
        for met in reversed(book.cosigned):
            if any(size > covering for size in met):
                return met[min(size for size in met if size > covering)]
        return None

    def entries(self, start: int = 0, stop: int | None = None, *, project: str | None = None) -> tuple[Entry, ...]:
        """Entries by index range, of one project if named."""
        book = self._book
        found = book.entries[start:stop]
        if project is None:
            return found
        wanted = project_key(project)
        return tuple(e for e, key in zip(found, book.projects[start:stop], strict=True) if key == wanted)

    def raws(self, start: int, stop: int) -> tuple[bytes, ...]:
        """The bytes of entries by index range."""
        return tuple(entry.raw for entry in self._book.entries[start:stop])

    def marked(self, mark: str) -> Entry | None:
        """The newest entry with this mark."""
        return self._book.marks.get(mark)

    def projects(self, purl_type: str = "") -> tuple[str, ...]:
        """The projects with a release (of that purl type), as their newest one writes them."""
        releases = [e for e in self._book.entries if e.event == "release" and purl_type in ("", type_of(e.purl))]
        newest = {project_key(e.project): e.project for e in releases}
        return tuple(newest[key] for key in sorted(newest))

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree."""
        return self._book.nodes[level, index]


class Ledger(_Reader):
    """One book; one writer at a time, other threads wait."""

    def __init__(self, fuse: Fuse | None = None) -> None:
        self.fuse = fuse or Fuse()
        self._book = Book()
        self._writer = RLock()

    @contextmanager
    def writing(self) -> Iterator["Writing"]:
        """The one transaction; leaving without `commit` undoes it."""
        with self._writer:
            yield Writing(self)

    def cosign(self, met: Committed, *, anew: bool = False) -> None:
        """Record what met the policy."""
        with self._writer:
            book = self._book.copy()
            known = book.checkpoints.get(met.size)
            if known is None or known.root != met.root:
                raise TamperError(f"no checkpoint of {met.size} entries and this root", code="not-committed")
            if book.fresh is not None and met.size < book.fresh.size:
                return
            *older, newest = book.cosigned
            book.fresh = met
            book.cosigned = (*older, newest, {met.size: met}) if anew else (*older, {met.size: met} | newest)
            self.replace(book)

    def replace(self, book: Book) -> None:
        """The new book stands from here on: one assignment, so a reader sees the old one or the new one."""
        with self.fuse.around("ledger.commit"):
            self._book = book


class Writing(_Reader):
    """A copy of the book, until it is committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._book = ledger._book.copy()  # noqa: SLF001  (two halves of one adapter)

    def insert(self, entry: Entry, nodes: Mapping[tuple[int, int], bytes], names: Mapping[str, str]) -> None:
        """One leaf, the subtrees it completes, and the names of its files."""
        self._ledger.fuse.point("ledger.insert")
        if entry.index != len(self._book.entries):
            raise TamperError(f"entry {entry.index} does not follow {len(self._book.entries)}", code="index-taken")
        project = project_key(entry.project)
        for name, digest in names.items():
            taken = self._book.names.get((project, name), digest)
            if taken != digest:
                raise TamperError(f"{name} of {entry.project} is {taken} for ever, not {digest}", code="name-taken")
        self._book.names |= {(project, name): digest for name, digest in names.items()}
        self._book.nodes |= nodes
        self._book.marks |= dict.fromkeys(marks_of(entry), entry)
        self._book.entries += (entry,)
        self._book.projects += (project,)

    def commit(self, before: Committed | None, after: Committed) -> None:
        """Compare-and-swap of the largest checkpoint."""
        largest = self._ledger.committed()
        if largest != before:
            sizes = [c.size if c else 0 for c in (largest, before)]
            raise RemoteError(f"the trail has {sizes[0]} entries, {sizes[1]} were expected", code="trail-moved")
        if before and after.size <= before.size:
            raise TamperError(f"the trail has {before.size} entries, not {after.size}", code="size-taken")
        self._book.checkpoints[after.size] = after
        self._ledger.replace(self._book)
