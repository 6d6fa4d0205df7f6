"""The store: one sequence, snapshots of the past, history, several processes."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from kapply.sandbox.store import CompactedError, Store, StoreError


def _object(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": f"uid-{name}"}, "spec": spec}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db", clock=lambda: 1000.0)


def _put(store: Store, name: str, **spec: Any) -> int:
    with store.write() as writer:
        return writer.put("things", "ns", name, _object(name, **spec)).version


def test_versions_start_at_two_and_only_grow(store: Store) -> None:
    versions = [_put(store, name) for name in ("a", "b", "a")]
    assert versions == [2, 3, 4]
    with store.read() as view:
        assert view.version == 4
        record = view.get("things", "ns", "a")
    assert record is not None
    assert record.version == 4
    assert record.load()["metadata"]["resourceVersion"] == "4"


def test_a_failed_write_leaves_nothing_and_reuses_no_version(store: Store) -> None:
    _put(store, "a")
    with pytest.raises(ZeroDivisionError), store.write() as writer:
        writer.put("things", "ns", "b", _object("b"))
        _ = 1 / 0
    with store.read() as view:
        assert view.get("things", "ns", "b") is None
        assert view.version == 2


def test_a_discarded_write_leaves_nothing(store: Store) -> None:
    with store.write() as writer:
        writer.put("things", "ns", "a", _object("a"))
        writer.discard()
    with store.read() as view:
        assert view.count("things") == 0
        assert view.version == 1


def test_select_is_in_the_order_of_keys_and_can_go_on(store: Store) -> None:
    with store.write() as writer:
        for namespace, name in (("a-b", "x"), ("a", "y"), ("a", "x"), ("b", "x")):
            writer.put("things", namespace, name, _object(name))
    with store.read() as view:
        keys = [record.key for record in view.select("things")]
        assert keys == ["a-b/x", "a/x", "a/y", "b/x"]  # "-" sorts before "/", as in etcd
        assert [r.key for r in view.select("things", "a")] == ["a/x", "a/y"]
        assert [r.key for r in view.select("things", after="a/x")] == ["a/y", "b/x"]
        assert view.count("things", after="a/x") == 2


def test_select_sees_the_past(store: Store) -> None:
    _put(store, "a", size=1)
    _put(store, "b")
    then = _put(store, "c")
    _put(store, "a", size=2)
    _put(store, "a", size=3)
    with store.write() as writer:
        writer.remove("things", "ns", "b")
    _put(store, "d")
    with store.read() as view:
        past = {r.key: r.load()["spec"] for r in view.select("things", at=then)}
        now = {r.key: r.load()["spec"] for r in view.select("things")}
    assert past == {"ns/a": {"size": 1}, "ns/b": {}, "ns/c": {}}
    assert now == {"ns/a": {"size": 3}, "ns/c": {}, "ns/d": {}}


def test_changes_hold_the_state_before_and_after(store: Store) -> None:
    _put(store, "a", size=1)
    _put(store, "a", size=2)
    with store.write() as writer:
        writer.remove("things", "ns", "a")
    _put(store, "a", size=3)
    with store.read() as view:
        changes = view.changes("things", 1)

    def size(data: bytes | None) -> Any:
        return json.loads(data)["spec"]["size"] if data else None

    told = [(c.kind, size(c.previous), size(c.data)) for c in changes]
    assert told == [
        ("ADDED", None, 1), ("MODIFIED", 1, 2), ("DELETED", 2, None), ("ADDED", None, 3),
    ]  # fmt: skip


def test_compaction_forgets_and_says_so(tmp_path: Path) -> None:
    clock = itertools.count(0, 100)
    store = Store(tmp_path / "s.db", clock=lambda: float(next(clock)), retention=1e9)
    for name in ("a", "b", "c"):
        _put(store, name)
    store.compact(before=150.0)
    with store.read() as view:
        assert view.compacted == 3
        assert [c.version for c in view.changes("things", 3)] == [4]
        with pytest.raises(CompactedError):
            view.changes("things", 2)
        with pytest.raises(CompactedError):
            list(view.select("things", at=2))
        assert view.count("things") == 3


def test_history_is_compacted_by_age(tmp_path: Path) -> None:
    now = [0.0]
    store = Store(tmp_path / "s.db", clock=lambda: now[0], retention=10.0)
    _put(store, "a")
    now[0] = 100.0
    _put(store, "b")
    with store.read() as view:
        assert view.compacted == 2


def test_owners_are_found(store: Store) -> None:
    owned = _object("child")
    owned["metadata"]["ownerReferences"] = [{"uid": "uid-a"}, {"uid": "uid-b"}]
    with store.write() as writer:
        writer.put("things", "ns", "child", owned)
        assert writer.owned_by("uid-a") == [("things", "ns/child")]
        owned["metadata"]["ownerReferences"] = [{"uid": "uid-b"}]
        writer.put("things", "ns", "child", owned)
        assert writer.owned_by("uid-a") == []
        assert writer.owned_by("uid-b") == [("things", "ns/child")]
        assert writer.has_uid("uid-child")


def _write_many(path: str, prefix: str, count: int) -> None:
    store = Store(path, clock=lambda: 0.0)
    for number in range(count):
        with store.write() as writer:
            writer.put("things", "ns", f"{prefix}{number}", _object(f"{prefix}{number}"))


def test_several_processes_share_one_sequence(tmp_path: Path) -> None:
    path = str(tmp_path / "s.db")
    Store(path, clock=lambda: 0.0).close()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(path, name, 25)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    with Store(path, clock=lambda: 0.0).read() as view:
        versions = [record.version for record in view.select("things")]
        assert sorted(versions) == list(range(2, 77))
        assert view.version == 76


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="format 99"):
        Store(path, clock=lambda: 0.0)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError):
        Store(path, clock=lambda: 0.0)
