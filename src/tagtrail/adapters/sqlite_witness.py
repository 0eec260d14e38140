"""A witness's memory in one SQLite file of its own: the logs that it knows, what it cosigned, what speaks against them.

Nothing of it is ever deleted but the keys of logs. The primary key of `cosigned` is (origin, size): no transaction can
give a size a second root. Durable when a call returns (write-ahead log, `synchronous=FULL`: one fsync for each). The
file is made by `create` alone: a witness that lost its memory must not begin a new one by itself.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock

from tagtrail.formats.note import Verifier, parse_vkey
from tagtrail.formats.witness import checkpoint_path
from tagtrail.model.errors import RemoteError, SetupError
from tagtrail.ports import Cosigned, Evidence

__all__ = ["MAX_EVIDENCE", "SqliteWitness"]

WAIT = 30.0
"""Seconds to wait for another process's transaction."""

MAX_EVIDENCE = 1000
"""Pieces of evidence of each kind that are kept of one log: only its key can produce more, and these convict it."""

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE logs (origin TEXT, vkey TEXT, PRIMARY KEY (origin, vkey)) WITHOUT ROWID;
CREATE TABLE origins (path TEXT PRIMARY KEY, origin TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cosigned (
    origin TEXT, size INTEGER, root BLOB NOT NULL, time INTEGER NOT NULL, note BLOB NOT NULL,
    PRIMARY KEY (origin, size)) WITHOUT ROWID;
CREATE TABLE evidence (
    n INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL,
    note BLOB NOT NULL, against BLOB NOT NULL, fork INTEGER NOT NULL, UNIQUE (origin, size, root));
CREATE TABLE place (inode INTEGER NOT NULL);
COMMIT;
"""
_COSIGNED = "SELECT origin, size, root, time, note FROM cosigned WHERE origin = ?"


class SqliteWitness:
    """The port `Seen` over one file, and the logs' keys; usable from several threads."""

    def __init__(self, path: Path, most: int = MAX_EVIDENCE) -> None:
        """`most` pieces of evidence of each kind are kept of one log.

        Raises SetupError `witness-memory` where there is no such file, or it is of another make."""
        self._path = path
        self._most = most
        self._one = Lock()
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=WAIT,
                isolation_level=None,
                check_same_thread=False,
            )
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("SELECT 1 FROM cosigned, logs, origins, evidence, place LIMIT 1").fetchone()
        except sqlite3.Error as error:
            raise _lost(path, error) from error

    @classmethod
    def create(cls, path: Path) -> "SqliteWitness":
        """A new, empty memory. Raises SetupError `witness-memory` where there is a file already."""
        try:
            path.touch(mode=0o600, exist_ok=False)
            db = sqlite3.connect(path, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(_SCHEMA)
            db.execute("INSERT INTO place VALUES (?)", (path.stat().st_ino,))
            db.close()
        except (OSError, sqlite3.Error) as error:
            raise _lost(path, error) from error
        return cls(path)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def copied(self) -> bool:
        """Whether this is another file than the one that was made: a copy, which may be an old one."""
        with self._using():
            (inode,) = self._db.execute("SELECT inode FROM place").fetchone()
        return bool(inode != self._path.stat().st_ino)

    def settle(self) -> None:
        """This file is the one from now on."""
        with self._transaction():
            self._db.execute("UPDATE place SET inode = ?", (self._path.stat().st_ino,))

    # What it cosigned

    def latest(self, origin: str, size: int | None = None) -> Cosigned | None:
        """See `tagtrail.ports.Seen`."""
        with self._using():
            return self._latest(origin, size)

    def advance(self, before: Cosigned | None, after: Cosigned) -> bool:
        """See `tagtrail.ports.Seen`."""
        with self._transaction():
            if self._latest(after.origin) != before or (before and after.size < before.size):
                return False
            row = (after.origin, after.size, after.root, after.time, after.note)
            done = self._db.execute(
                "INSERT INTO cosigned VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET time = excluded.time, note = excluded.note WHERE root = excluded.root",
                row,
            )
            return done.rowcount == 1

    def _latest(self, origin: str, size: int | None = None) -> Cosigned | None:
        query, values = f"{_COSIGNED} ORDER BY size DESC LIMIT 1", (origin,)
        if size is not None:
            query, values = f"{_COSIGNED} AND size = ?", (origin, size)  # type: ignore[assignment]
        row = self._db.execute(query, values).fetchone()
        names = ("origin", "size", "root", "time", "note")
        return None if row is None else Cosigned(**dict(zip(names, row, strict=True)))

    # What speaks against logs

    def keep(self, evidence: Evidence) -> bool:
        """See `tagtrail.ports.Seen`."""
        with self._transaction():
            (count,) = self._db.execute(
                "SELECT count(*) FROM evidence WHERE origin = ? AND fork = ?", (evidence.origin, evidence.fork)
            ).fetchone()
            if count >= self._most:
                return False
            e = evidence
            row = (e.origin, e.size, e.root, e.time, e.note, e.against, e.fork)
            done = self._db.execute(
                "INSERT OR IGNORE INTO evidence (origin, size, root, time, note, against, fork) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            return done.rowcount == 1

    def evidence(self, origin: str) -> tuple[Evidence, ...]:
        """See `tagtrail.ports.Seen`."""
        names = ("origin", "size", "root", "time", "note", "against")
        query = f"SELECT {', '.join(names)}, fork FROM evidence WHERE origin = ? ORDER BY n"  # noqa: S608  (our names)
        with self._using():
            rows = self._db.execute(query, (origin,)).fetchall()
        return tuple(Evidence(**dict(zip(names, row[:-1], strict=True)), fork=bool(row[-1])) for row in rows)

    # The logs that it knows

    def keys(self, origin: str) -> tuple[Verifier, ...]:
        """The known keys of a log; none if it is unknown."""
        with self._using():
            rows = self._db.execute("SELECT vkey FROM logs WHERE origin = ?", (origin,)).fetchall()
        return tuple(_verifier(vkey) for (vkey,) in rows)

    def origins(self) -> tuple[str, ...]:
        """The logs that are known, or were and may be again."""
        with self._using():
            return tuple(origin for (origin,) in self._db.execute("SELECT origin FROM origins ORDER BY origin"))

    def at(self, path: str) -> Cosigned | None:
        """What was cosigned last of the log whose checkpoint is shown at `path` (formats.witness)."""
        with self._using():
            row = self._db.execute("SELECT origin FROM origins WHERE path = ?", (path,)).fetchone()
            return self._latest(row[0]) if row else None

    def add(self, key: Verifier) -> bool:
        """Know this key of the log that it names; False if it is known already."""
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO origins VALUES (?, ?)", (checkpoint_path(key.name), key.name))
            done = self._db.execute("INSERT OR IGNORE INTO logs VALUES (?, ?)", (key.name, key.vkey()))
            return done.rowcount == 1

    def remove(self, key: Verifier) -> bool:
        """Know this key no more; what was cosigned is not forgotten. False if it was not known."""
        with self._transaction():
            done = self._db.execute("DELETE FROM logs WHERE origin = ? AND vkey = ?", (key.name, key.vkey()))
            return done.rowcount == 1

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._one:
            try:
                yield
            except sqlite3.OperationalError as error:
                if "locked" in str(error) or "busy" in str(error):
                    what = f"another process has held {self._path} for {WAIT:.0f} s"
                    raise RemoteError(what, code="database-busy") from error
                raise _lost(self._path, error) from error
            except sqlite3.DatabaseError as error:
                raise _lost(self._path, error) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Whole or not at all; what an early return left unchanged is committed as well."""
        with self._using():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")


@lru_cache(maxsize=4096)
def _verifier(vkey: str) -> Verifier:
    return parse_vkey(vkey)


def _lost(path: Path, error: Exception) -> SetupError:
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or str(error).endswith("disk is full"):
        hint = "free some space; what was answered is safe"
        return SetupError(f"no space to write {path}: {error}", code="disk-full", hint=hint)
    return SetupError(
        f"the witness's memory {path} cannot be used: {error}",
        code="witness-memory",
        why="a witness without it could cosign a second tree",
        hint=f"ls -l {path.parent}; a new witness: tagtrail witness init NEW-DIRECTORY --name NAME",
    )
