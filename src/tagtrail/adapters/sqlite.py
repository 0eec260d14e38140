"""The ledger and the journal in one SQLite file: the trail's leaves and checkpoints, and work in flight.

Leaves, nodes, checkpoints and names are the truth and are never updated, projects and marks follow from them; steps,
effects and cursors are the journal and may be lost. Write-ahead log, so readers never wait; the appender's transaction
is durable when it returns (`synchronous=FULL`), of the journal only what must survive a power cut is (the row of a
blind effect).
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from tagtrail.formats import entry as entries_format
from tagtrail.formats.facts import dump, load
from tagtrail.formats.marks import marks_of
from tagtrail.formats.purl import purl_type
from tagtrail.model.errors import RemoteError, SetupError, TamperError
from tagtrail.model.facts import Entry, Row
from tagtrail.model.names import project_key
from tagtrail.ports import Committed

__all__ = ["SqliteJournal", "SqliteLedger", "connect"]

T = TypeVar("T")
_parse = lru_cache(maxsize=4096)(entries_format.parse)
"""Reading an entry strictly takes longer than fetching it, and pages and rules read a project's history again and
again; what was parsed never changes."""
WAIT = 30.0
"""Seconds to wait for another process's transaction."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS leaves (
    idx INTEGER PRIMARY KEY, project TEXT NOT NULL, event TEXT NOT NULL, name TEXT NOT NULL, entry BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS leaves_of_project ON leaves (project, idx);
CREATE TABLE IF NOT EXISTS nodes (
    level INTEGER, idx INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS checkpoints (size INTEGER PRIMARY KEY, root BLOB NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cosigned (
    epoch INTEGER, size INTEGER, note TEXT NOT NULL, fresh TEXT NOT NULL, PRIMARY KEY (epoch, size)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names (
    project TEXT, name_key TEXT, sha256 TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (project, name_key)) WITHOUT
    ROWID;
CREATE TABLE IF NOT EXISTS projects (
    project TEXT, type TEXT, name TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (project, type)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (mark TEXT PRIMARY KEY, idx INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS steps (key TEXT PRIMARY KEY, result TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS effects (
    n INTEGER PRIMARY KEY, target TEXT NOT NULL, key TEXT NOT NULL, entry INTEGER NOT NULL, state TEXT NOT NULL,
    row TEXT NOT NULL, UNIQUE (target, key));
CREATE INDEX IF NOT EXISTS effects_of_entry ON effects (entry);
CREATE INDEX IF NOT EXISTS effects_open ON effects (state) WHERE state NOT IN ('seen', 'dropped');
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO cosigned SELECT 0, size, note, note FROM checkpoints;
"""
# The last line is for a database from before there were witnesses: every checkpoint met its policy.

_LAST_EPOCH = "FROM cosigned c JOIN checkpoints USING (size) WHERE epoch = (SELECT max(epoch) FROM cosigned)"


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """A connection in which every transaction is said aloud. Raises SetupError `database`."""
    try:
        db = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        _write_ahead(db)
        db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        with _said(path):
            if _is_new(db):
                _make_tables(db)
    except sqlite3.Error as error:
        raise _setup_error(path, error) from error
    return db


def _write_ahead(db: sqlite3.Connection) -> None:
    # The switch does not wait for somebody who switches the same new file at that moment; a transaction does.
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")
        else:
            return


def _is_new(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'marks'").fetchone() is None


def _make_tables(db: sqlite3.Connection) -> None:
    db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
    for row in db.execute("SELECT idx, entry FROM leaves ORDER BY idx"):  # of a database from before there were marks
        _mark(db, entries_format.parse(*row))
    db.execute("COMMIT")


def _mark(db: sqlite3.Connection, entry: Entry) -> None:
    rows = [(mark, entry.index) for mark in marks_of(entry)]
    db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", rows)


def _setup_error(path: Path, error: sqlite3.Error) -> SetupError:
    full = "full" in str(error)
    return SetupError(
        f"the database {path} cannot be used: {error}",
        code="disk-full" if full else "database",
        hint="free some space and run the same command again"
        if full
        else f"check who owns {path.parent}, and its modes",
    )


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise RemoteError(f"another process has held {path} for {WAIT:.0f} s", code="database-busy") from error
        raise _setup_error(path, error) from error


class _Reading:
    """What both sides of the ledger can read."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def committed(self, size: int | None = None, *, covering: int | None = None) -> Committed | None:
        """See `tagtrail.ports.Reading`."""
        query, values = "SELECT size, root, note FROM checkpoints ORDER BY size DESC LIMIT 1", ()
        if size is not None:
            query, values = "SELECT size, root, note FROM checkpoints WHERE size = ?", (size,)  # type: ignore[assignment]
        elif covering is not None:
            query = "SELECT size, root, note FROM checkpoints WHERE size > ? ORDER BY size LIMIT 1"
            values = (covering,)  # type: ignore[assignment]
        row = self._db.execute(query, values).fetchone()
        return None if row is None else Committed(size=row[0], root=row[1], note=row[2])

    def cosigned(self, *, covering: int | None = None) -> Committed | None:
        """See `tagtrail.ports.Reading`."""
        # Who met the policy is never smaller than who did before: the last epoch covers what any epoch covers.
        query, values = f"SELECT size, root, fresh {_LAST_EPOCH} ORDER BY size DESC LIMIT 1", ()
        if covering is not None:
            query = f"SELECT size, root, c.note {_LAST_EPOCH} AND size > ? ORDER BY size LIMIT 1"
            values = (covering,)  # type: ignore[assignment]
        row = self._db.execute(query, values).fetchone()
        return None if row is None else Committed(size=row[0], root=row[1], note=row[2])

    def entries(self, start: int = 0, stop: int | None = None, *, project: str | None = None) -> tuple[Entry, ...]:
        """See `tagtrail.ports.Reading`."""
        query = "SELECT idx, entry FROM leaves WHERE idx >= ? AND idx < ?"
        values: tuple[object, ...] = (start, 2**62 if stop is None else stop)
        if project is not None:
            query, values = query + " AND project = ?", (*values, project_key(project))
        return tuple(_parse(*row) for row in self._db.execute(query + " ORDER BY idx", values))

    def raws(self, start: int, stop: int) -> tuple[bytes, ...]:
        """See `tagtrail.ports.Reading`."""
        query = "SELECT entry FROM leaves WHERE idx >= ? AND idx < ? ORDER BY idx"
        return tuple(raw for (raw,) in self._db.execute(query, (start, stop)))

    def marked(self, mark: str) -> Entry | None:
        """See `tagtrail.ports.Reading`."""
        query = "SELECT idx, entry FROM leaves JOIN marks USING (idx) WHERE mark = ?"
        row = self._db.execute(query, (mark,)).fetchone()
        return None if row is None else _parse(*row)

    def projects(self, purl_type: str = "") -> tuple[str, ...]:
        """See `tagtrail.ports.Reading`."""
        # SQLite takes `name` from the row with the largest idx
        query = "SELECT name, max(idx) FROM projects WHERE ? IN ('', type) GROUP BY project ORDER BY project"
        return tuple(name for name, _ in self._db.execute(query, (purl_type,)))

    def node(self, level: int, index: int) -> bytes:
        """See `tagtrail.ports.Reading`."""
        row = self._db.execute("SELECT hash FROM nodes WHERE level = ? AND idx = ?", (level, index)).fetchone()
        if row is None:
            raise KeyError((level, index))
        return bytes(row[0])


class _Writing(_Reading):
    """The appender's one transaction."""

    def insert(self, entry: Entry, nodes: Mapping[tuple[int, int], bytes], names: Mapping[str, str]) -> None:
        """See `tagtrail.ports.Writing`."""
        (size,) = self._db.execute("SELECT coalesce(max(idx) + 1, 0) FROM leaves").fetchone()
        if entry.index != size:
            raise TamperError(f"entry {entry.index} does not follow the {size} that stand there", code="index-taken")
        key = project_key(entry.project)
        for name, sha256 in names.items():
            self._claim(entry, key, name, sha256)
        leaf = (entry.index, key, entry.event, entry.project, entry.raw)
        self._db.execute("INSERT INTO leaves VALUES (?, ?, ?, ?, ?)", leaf)
        rows = [(level, index, value) for (level, index), value in nodes.items()]
        self._db.executemany("INSERT INTO nodes VALUES (?, ?, ?)", rows)
        _mark(self._db, entry)
        if entry.event == "release":
            row = (key, purl_type(entry.purl), entry.project, entry.index)
            self._db.execute("INSERT OR REPLACE INTO projects VALUES (?, ?, ?, ?)", row)

    def _claim(self, entry: Entry, key: str, name: str, sha256: str) -> None:
        row = self._db.execute(
            "SELECT sha256, idx FROM names WHERE project = ? AND name_key = ?", (key, name)
        ).fetchone()
        if row is None:
            self._db.execute("INSERT INTO names VALUES (?, ?, ?, ?)", (key, name, sha256, entry.index))
        elif row[0] != sha256:
            raise TamperError(
                f"{entry.project}: {name} is {row[0][:16]}... since entry {row[1]}, now it would be {sha256[:16]}...",
                code="name-taken",
                why="one name has one digest for ever, also after a withdrawal",
                hint="release the new bytes under a new version",
            )

    def commit(self, before: Committed | None, after: Committed) -> None:
        """See `tagtrail.ports.Writing`."""
        if self.committed() != before:
            raise RemoteError("somebody else appended to the trail first", code="trail-moved", hint="run it again")
        if before and after.size <= before.size:
            raise TamperError(
                f"the trail has a checkpoint of {before.size} entries, this one would be of {after.size}",
                code="size-taken",
                why="a second root of one size is a second trail under one name",
            )
        with _said(self._path):
            row = (after.size, after.root, after.note)
            self._db.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", row)
            self._db.execute("COMMIT")

    def cosign(self, met: Committed, *, anew: bool) -> None:
        """Record what met the policy, and commit."""
        largest = self.cosigned()
        if largest is not None and met.size < largest.size:
            return
        (epoch,) = self._db.execute("SELECT coalesce(max(epoch), 0) FROM cosigned").fetchone()
        self._db.execute(
            "INSERT INTO cosigned VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET fresh = excluded.fresh",
            (epoch + anew, met.size, met.note, met.note),
        )
        self._db.execute("COMMIT")


class SqliteLedger(_Reading):
    """The port `Ledger` over one file."""

    def __init__(self, path: Path) -> None:
        super().__init__(connect(path), path)

    @contextmanager
    def writing(self) -> Iterator[_Writing]:
        """See `tagtrail.ports.Ledger`."""
        db = connect(self._path)
        try:
            with _said(self._path):
                db.execute("BEGIN IMMEDIATE")
                yield _Writing(db, self._path)
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
            db.close()

    def cosign(self, met: Committed, *, anew: bool = False) -> None:
        """See `tagtrail.ports.Ledger`."""
        with _said(self._path), self.writing() as trail:
            known = trail.committed(met.size)
            if known is None or known.root != met.root:
                what = f"no checkpoint of {met.size} entries and root {met.root.hex()[:16]}... is committed"
                raise TamperError(what, code="not-committed", why="only what is committed may be cosigned or shown")
            trail.cosign(met, anew=anew)


class SqliteJournal:
    """The port `Journal` over the same file."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, durable=False)
        self._path = path

    def once(
        self, key: str, kind: type[T], effect: Callable[..., T | tuple[T, ...]], *args: object
    ) -> T | tuple[T, ...]:
        """See `tagtrail.ports.Journal`."""
        known = self._step(key, kind)
        if known is not None:
            return known
        result = json.dumps(dump(effect(*args)))
        with _said(self._path):
            self._db.execute("INSERT OR IGNORE INTO steps VALUES (?, ?)", (key, result))
        first = self._step(key, kind)
        assert first is not None  # noqa: S101  (it was inserted above, and steps are never deleted while we run)
        return first

    def _step(self, key: str, kind: type[T]) -> T | tuple[T, ...] | None:
        row = self._db.execute("SELECT result FROM steps WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        value = json.loads(row[0])
        return tuple(load(kind, v) for v in value) if isinstance(value, list) else load(kind, value)

    def rows(self, entry: int | None = None) -> tuple[Row, ...]:
        """See `tagtrail.ports.Journal`."""
        query: tuple[Any, ...] = ("SELECT row FROM effects WHERE state NOT IN ('seen', 'dropped') ORDER BY n",)
        if entry is not None:
            query = ("SELECT row FROM effects WHERE entry = ? ORDER BY n", (entry,))
        return tuple(_row(row) for (row,) in self._db.execute(*query))

    def move(self, before: Row | None, after: Row) -> bool:
        """See `tagtrail.ports.Journal`."""
        effect, row = after.effect, json.dumps(dump(after))
        with _said(self._path):
            if before is None:
                values = (effect.target, effect.key, effect.entry, after.state, row)
                done = self._db.execute(
                    "INSERT OR IGNORE INTO effects (target, key, entry, state, row) VALUES (?, ?, ?, ?, ?)", values
                )
            else:
                swap = (after.state, row, effect.target, effect.key, json.dumps(dump(before)))
                done = self._db.execute(
                    "UPDATE effects SET state = ?, row = ? WHERE target = ? AND key = ? AND row = ?", swap
                )
        return done.rowcount == 1

    def cursor(self, name: str, before: int | None = None, after: int | None = None) -> int:
        """See `tagtrail.ports.Journal`."""
        if after is not None:
            with _said(self._path):
                self._db.execute("INSERT OR IGNORE INTO cursors VALUES (?, 0)", (name,))
                self._db.execute("UPDATE cursors SET value = ? WHERE name = ? AND value = ?", (after, name, before))
        row = self._db.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])


@lru_cache(maxsize=1 << 10)
def _row(text: str) -> Row:
    """Rows are read again after every step, and most of them stand as they were."""
    return load(Row, json.loads(text))
