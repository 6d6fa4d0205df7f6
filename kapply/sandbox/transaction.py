"""What a transaction of the store sees and does: records, readings, writes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from kapply.errors import InputError

__all__ = ["Change", "CompactedError", "Record", "StoreError", "View", "Writer", "key_of"]

_FIRST = ("name", "generateName", "namespace", "selfLink", "uid")
_CHANGES = """
SELECT h.version, h.resource, h.key, h.kind, h.previous, CASE h.kind WHEN 'DELETED' THEN NULL ELSE
    COALESCE(
      (SELECT n.previous FROM history n WHERE n.resource = h.resource AND n.key = h.key
         AND n.version > h.version ORDER BY n.version LIMIT 1),
      (SELECT o.data FROM objects o WHERE o.resource = h.resource AND o.key = h.key)) END
FROM history h WHERE h.resource = ? AND h.version > ? ORDER BY h.version LIMIT ?
"""
# The state of a resource as it was at a version: what has not moved since, and for what has,
# the first `previous` after it.
_AT = """
SELECT key, version, data FROM (
  SELECT key, version, data FROM objects
   WHERE resource = :resource AND version <= :at
  UNION ALL
  SELECT key, version, previous FROM history h
   WHERE resource = :resource AND version > :at AND previous IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM history e WHERE e.resource = h.resource AND e.key = h.key
       AND e.version > :at AND e.version < h.version))
WHERE key > :after AND (:below = '' OR (key >= :low AND key < :below)) ORDER BY key
"""
_NOW = """
SELECT key, version, data FROM objects
WHERE resource = :resource AND key > :after AND (:below = '' OR (key >= :low AND key < :below))
ORDER BY key
"""


class StoreError(InputError):
    """The state file cannot be used; `full` when the disk has no room."""

    def __init__(self, message: str, *, full: bool = False) -> None:
        super().__init__(message)
        self.full = full


class CompactedError(Exception):
    """The history asked for is gone; `oldest` is the first version still there."""

    def __init__(self, oldest: int) -> None:
        super().__init__(str(oldest))
        self.oldest = oldest


class Record(NamedTuple):
    """A stored object: "namespace/name" or "name", its version, and its JSON."""

    key: str
    version: int
    data: bytes

    def load(self) -> dict[str, Any]:
        """The object."""
        value: dict[str, Any] = json.loads(self.data)
        return value


@dataclass(frozen=True, slots=True)
class Change:
    """One write: its version, what it did, the object before (None: created) and after."""

    version: int
    resource: str
    key: str
    kind: Literal["ADDED", "MODIFIED", "DELETED"]
    previous: bytes | None
    data: bytes | None


def key_of(namespace: str, name: str) -> str:
    """The key of an object below its resource."""
    return f"{namespace}/{name}" if namespace else name


def _make_room(metadata: dict[str, Any]) -> None:
    """Give metadata.resourceVersion its place: after the uid, as the Go type has it."""
    before = [name for name in _FIRST if name in metadata]
    rest = [(name, value) for name, value in metadata.items() if name not in before]
    first = [(name, metadata[name]) for name in before]
    metadata.clear()
    metadata.update([*first, ("resourceVersion", ""), *rest])


class View:
    """A consistent reading of the store; `version` is that of the newest write it sees."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def version(self) -> int:
        """The newest version handed out."""
        return int(self.fact("version"))

    @property
    def compacted(self) -> int:
        """The newest version whose history is gone."""
        return int(self.fact("compacted"))

    def fact(self, name: str) -> Any:
        """One of the store's own facts; None when it was never set."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def get(self, resource: str, namespace: str, name: str) -> Record | None:
        """One object."""
        return self.get_key(resource, key_of(namespace, name))

    def get_key(self, resource: str, key: str) -> Record | None:
        """One object by its key."""
        row = self._db.execute(
            "SELECT key, version, data FROM objects WHERE resource = ? AND key = ?",
            (resource, key),
        ).fetchone()
        return Record(*row) if row else None

    def select(
        self, resource: str, namespace: str = "", *, after: str = "", at: int | None = None
    ) -> Iterator[Record]:
        """Objects in the order of their keys, after a key, as of now or of a version.

        Raises CompactedError when `at` is older than the history.
        """
        arguments = {
            "resource": resource,
            "after": after,
            "low": f"{namespace}/",
            "below": f"{namespace}0" if namespace else "",  # "0" follows "/" in ASCII
        }
        if at is None or at >= self.version:
            cursor = self._db.execute(_NOW, arguments)
        else:
            if at < self.compacted:
                raise CompactedError(self.compacted)
            cursor = self._db.execute(_AT, arguments | {"at": at})
        for row in cursor:
            yield Record(*row)

    def count(self, resource: str, namespace: str = "", *, after: str = "") -> int:
        """How many objects follow `after`."""
        below = f"{namespace}0" if namespace else ""
        row = self._db.execute(
            "SELECT COUNT(*) FROM objects WHERE resource = ? AND key > ?"
            " AND (? = '' OR (key >= ? AND key < ?))",
            (resource, after, below, f"{namespace}/", below),
        ).fetchone()
        return int(row[0])

    def resources(self) -> list[str]:
        """Every resource that has objects."""
        rows = self._db.execute("SELECT DISTINCT resource FROM objects ORDER BY resource")
        return [row[0] for row in rows]

    def owned_by(self, uid: str) -> list[tuple[str, str]]:
        """(resource, key) of the objects whose ownerReferences name `uid`."""
        rows = self._db.execute(
            "SELECT resource, key FROM owners WHERE owner = ? ORDER BY resource, key", (uid,)
        )
        return [(row[0], row[1]) for row in rows]

    def in_namespace(self, namespace: str) -> list[tuple[str, str]]:
        """(resource, key) of every object in a namespace."""
        rows = self._db.execute(
            "SELECT resource, key FROM objects WHERE key >= ? AND key < ? ORDER BY resource, key",
            (f"{namespace}/", f"{namespace}0"),
        )
        return [(row[0], row[1]) for row in rows]

    def find_uid(self, uid: str) -> tuple[str, str] | None:
        """(resource, key) of the object with this uid; None when none lives."""
        row = self._db.execute(
            "SELECT resource, key FROM objects WHERE uid = ? LIMIT 1", (uid,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    def has_uid(self, uid: str) -> bool:
        """Whether an object with this uid lives."""
        return self.find_uid(uid) is not None

    def changes(self, resource: str, since: int, limit: int = 500) -> list[Change]:
        """Writes to a resource after version `since`, oldest first, at most `limit`.

        Raises CompactedError when some of them are gone.
        """
        if since < self.compacted:
            raise CompactedError(self.compacted)
        rows = self._db.execute(_CHANGES, (resource, since, limit)).fetchall()
        return [Change(*row) for row in rows]


class Writer(View):
    """A write transaction. What it did is there for others once it ends without an exception."""

    def __init__(self, db: sqlite3.Connection, now: float) -> None:
        super().__init__(db)
        self._now = now
        self.wrote = False
        self.discarded = False
        self.touched: set[str] = set()
        # What a deletion leaves for the garbage collector to look at before the end.
        self.marked: set[tuple[str, str]] = set()
        self.orphaned: list[str] = []
        self.doubtful: set[str] = set()
        self.emptied: set[str] = set()
        self.emptied_crds: set[str] = set()

    def discard(self) -> None:
        """Undo everything at the end: a dry run."""
        self.discarded = True

    def next_version(self) -> int:
        """Take the next version of the sequence."""
        self.wrote = True
        row = self._db.execute(
            "UPDATE facts SET value = value + 1 WHERE name = 'version' RETURNING value"
        ).fetchone()
        return int(row[0])

    def set_fact(self, name: str, value: str | int) -> None:
        """Set one of the store's own facts."""
        self.wrote = True
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def put(self, resource: str, namespace: str, name: str, obj: dict[str, Any]) -> Record:
        """Create or replace an object; its metadata.resourceVersion becomes the new version."""
        key = key_of(namespace, name)
        self.touched.add(resource)
        before = self.get_key(resource, key)
        version = self.next_version()
        metadata = obj["metadata"]
        if "resourceVersion" not in metadata:
            _make_room(metadata)
        metadata["resourceVersion"] = str(version)
        data = json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        self._db.execute(
            "INSERT OR REPLACE INTO objects (resource, key, version, uid, data)"
            " VALUES (?, ?, ?, ?, ?)",
            (resource, key, version, metadata.get("uid", ""), data),
        )
        self._log(version, resource, key, "MODIFIED" if before else "ADDED", before)
        if before:
            self._db.execute("DELETE FROM owners WHERE resource = ? AND key = ?", (resource, key))
        owners = {o["uid"] for o in metadata.get("ownerReferences") or () if o.get("uid")}
        self._db.executemany(
            "INSERT OR IGNORE INTO owners VALUES (?, ?, ?)", [(o, resource, key) for o in owners]
        )
        return Record(key, version, data)

    def remove(self, resource: str, namespace: str, name: str) -> Record | None:
        """Delete an object; the record it had, with the version of its deletion."""
        key = key_of(namespace, name)
        before = self.get_key(resource, key)
        if before is None:
            return None
        version = self.next_version()
        self.touched.add(resource)
        self._db.execute("DELETE FROM objects WHERE resource = ? AND key = ?", (resource, key))
        self._db.execute("DELETE FROM owners WHERE resource = ? AND key = ?", (resource, key))
        self._log(version, resource, key, "DELETED", before)
        return Record(key, version, before.data)

    def _log(self, version: int, resource: str, key: str, kind: str, before: Record | None) -> None:
        self._db.execute(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)",
            (version, self._now, resource, key, kind, before.data if before else None),
        )

    def clear(self) -> None:
        """Forget every object and the history: watches end with 410, the sequence goes on."""
        version = self.next_version()
        for table in ("objects", "owners", "history"):
            self._db.execute(f"DELETE FROM {table}")
        self._db.execute("DELETE FROM facts WHERE name NOT IN ('version', 'compacted')")
        self.set_fact("compacted", version)

    def compact(self, before: float) -> None:
        """Forget the history older than a time."""
        row = self._db.execute(
            "SELECT MAX(version) FROM history WHERE at < ?", (before,)
        ).fetchone()
        if row[0] is not None:
            self._db.execute("DELETE FROM history WHERE version <= ?", (row[0],))
            self.set_fact("compacted", row[0])
