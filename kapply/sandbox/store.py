"""The sandbox's state: one SQLite file, one sequence of resource versions, a history for watches.

What etcd is to kube-apiserver. One write request is one transaction (BEGIN IMMEDIATE), committed
with synchronous=FULL before it is answered, so a killed process loses nothing it acknowledged.
The sequence lives in the same transaction: a resource version is never handed out twice, even
after a crash, and 1 is never handed out at all (a client may send resourceVersion "1" to mean
"only if absent"). Several processes may use one file: SQLite's locks order their writes.

Objects are stored as the bytes that a GET answers, in their storage version. `history` has one
row for each write, holding the object as it was *before*; the state after it is the next row's
`previous`, or the live object. That is enough to replay a watch and to list at an older version.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kapply.sandbox.transaction import (
    Change,
    CompactedError,
    Record,
    StoreError,
    View,
    Writer,
    key_of,
)

__all__ = [
    "MEMORY",
    "Change",
    "CompactedError",
    "Record",
    "Store",
    "StoreError",
    "View",
    "Writer",
    "key_of",
]

MEMORY = ":memory:"
#: Seconds of history kept for watches; etcd is compacted every five minutes.
RETENTION = 300.0
_FORMAT = 1
_CACHED = 32  # connections kept for reuse: about as many as a server has threads
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    resource TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, uid TEXT NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (resource, key));
CREATE INDEX IF NOT EXISTS objects_by_key ON objects (key);
CREATE INDEX IF NOT EXISTS objects_by_uid ON objects (uid);
CREATE TABLE IF NOT EXISTS owners (
    owner TEXT NOT NULL, resource TEXT NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (owner, resource, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    version INTEGER PRIMARY KEY, at REAL NOT NULL, resource TEXT NOT NULL, key TEXT NOT NULL,
    kind TEXT NOT NULL, previous BLOB);
CREATE INDEX IF NOT EXISTS history_by_key ON history (resource, key, version);
CREATE INDEX IF NOT EXISTS history_by_resource ON history (resource, version);
"""


class Store:
    """A state file, or ":memory:" for one that ends with the process.

    Args:
        path: the file; its folder must exist.
        clock: seconds since the epoch, for the age of history.
        retention: seconds of history to keep.
        max_pages: the most pages of 4 KiB that the file may have; 0 for no limit.
        read_only: refuse every write.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        clock: Callable[[], float],
        retention: float = RETENTION,
        max_pages: int = 0,
        read_only: bool = False,
    ) -> None:
        self.path = str(path)
        self._clock = clock
        self._retention = retention
        self._max_pages = max_pages
        self._read_only = read_only
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._shared: sqlite3.Connection | None = None
        self._compacted_at = 0.0
        self._closed = False
        #: Called after each write of this process, in its thread.
        self.written: Callable[[], None] | None = None
        try:
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"cannot open the sandbox's state {self.path}: {error}") from error

    def _prepare(self) -> None:
        if self.path == MEMORY:
            self._shared = self._connect()
        else:
            # Secrets end up in it: nobody else may read it, nor the files SQLite puts beside it.
            os.close(os.open(self.path, os.O_RDONLY | os.O_CREAT, 0o600))
        with self._connection() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == _FORMAT:
                return
            if version:
                raise StoreError(
                    f"{self.path} was written by another version of kapply (format {version})"
                )
            with self._lock:
                db.executescript("BEGIN IMMEDIATE;" + _SCHEMA)
                # The first version handed out is 2: 1 means "only if absent" to clients.
                db.execute("INSERT OR IGNORE INTO facts VALUES ('version', 1)")
                db.execute("INSERT OR IGNORE INTO facts VALUES ('compacted', 1)")
                db.execute(f"PRAGMA user_version = {_FORMAT}")
                db.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, check_same_thread=False)
        if self.path != MEMORY:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA busy_timeout = 30000")
        if self._max_pages:
            db.execute(f"PRAGMA max_page_count = {self._max_pages}")
        if self._read_only:
            db.execute("PRAGMA query_only = ON")
        return db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._shared is not None:
            with self._lock:
                yield self._shared
            return
        try:
            db = self._idle.pop()
        except IndexError:
            db = self._connect()
        try:
            yield db
        finally:
            if self._closed or len(self._idle) >= _CACHED:
                db.close()
            else:
                self._idle.append(db)

    @contextmanager
    def read(self) -> Iterator[View]:
        """A consistent reading; raises StoreError when the file cannot be read."""
        with self._connection() as db, _translated(self.path):
            nested = db.in_transaction
            if not nested:
                db.execute("BEGIN")
            try:
                yield View(db)
            finally:
                if not nested and db.in_transaction:
                    db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """A write transaction: committed and on disk when it ends, undone by an exception."""
        with self._lock, self._connection() as db, _translated(self.path):
            db.execute("BEGIN IMMEDIATE")
            now = self._clock()
            writer = Writer(db, now)
            try:
                yield writer
                keeping = writer.wrote and not writer.discarded
                if keeping and now - self._compacted_at > self._retention / 5:
                    writer.compact(now - self._retention)
                    self._compacted_at = now
                db.execute("COMMIT" if keeping else "ROLLBACK")
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")
        if keeping and self.written is not None:
            self.written()

    def compact(self, before: float | None = None) -> None:
        """Forget the history older than `before` (default: the retention)."""
        with self.write() as writer:
            writer.compact(self._clock() - self._retention if before is None else before)

    def close(self) -> None:
        """Close every connection; the file stays."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        if self._shared is not None:
            self._shared.close()


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        raise StoreError(f"the sandbox's state {path}: {error}", full=full) from error
