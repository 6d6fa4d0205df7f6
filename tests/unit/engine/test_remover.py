"""Deletions of exactly what was meant: preconditions, and what changes under them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kapply.client import Client
from kapply.engine.events import ObjectDone, Outcome
from kapply.engine.parallel import Stop
from kapply.engine.remover import DeleteOptions, Doomed, Remover, in_waves
from kapply.meta import GroupVersionKind, JsonObject, ObjectRef, Request, RESTMapping
from kapply.planning.inventory_rules import deletion_rank
from tests.unit.fake import FakeTransport, failure

MAPS = RESTMapping(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", True)
NAMESPACES = RESTMapping(GroupVersionKind("", "v1", "Namespace"), "namespaces", False)


class Store:
    """ConfigMaps by name; a DELETE is held to its preconditions."""

    def __init__(self, **objects: JsonObject) -> None:
        self.objects = {
            name: {"metadata": {"name": name, "uid": "u1", "resourceVersion": "1", **metadata}}
            for name, metadata in objects.items()
        }
        self.before_delete: Callable[[], None] = lambda: None
        self.transport = FakeTransport(self.answer)

    def answer(self, request: Request) -> tuple[int, Any]:
        name = request.path.rpartition("/")[2]
        if request.method == "DELETE":
            self.before_delete()
        found = self.objects.get(name)
        if found is None:
            return failure(404, "NotFound", name=name)
        if request.method == "GET":
            return 200, found
        body = json.loads(request.body or b"{}")
        for key, value in (body.get("preconditions") or {}).items():
            if found["metadata"][key] != value:
                return failure(409, "Conflict", f"the {key} in the precondition is another")
        if not body.get("dryRun"):
            del self.objects[name]
        return 200, {"kind": "Status", "status": "Success"}

    def remove(self, *doomed: Doomed, **more: Any) -> dict[str, ObjectDone]:
        options = more.pop("options", DeleteOptions(timeout=0.0, concurrency=1))
        remover = Remover(Client(self.transport), options, more.pop("stop", Stop()), **more)
        list(remover.remove(in_waves(doomed, deletion_rank)))
        return {done.ref.name: done for done in remover.result.done}

    @property
    def deletions(self) -> int:
        return sum(line.startswith("DELETE") for line in self.transport.lines)


def doomed(name: str, uid: str = "u1", version: str = "1", **more: Any) -> Doomed:
    return Doomed(MAPS, ObjectRef(MAPS.gvk, "test", name), uid, version, **more)


def test_what_is_as_it_was_goes() -> None:
    store = Store(a={}, b={})
    done = store.remove(doomed("a"), outcome=Outcome.PRUNED)
    assert done["a"].outcome is Outcome.PRUNED
    assert set(store.objects) == {"b"}


def test_another_object_of_the_name_stays() -> None:
    store = Store(a={"uid": "u2"})
    assert store.remove(doomed("a"))["a"].outcome is Outcome.DELETED
    assert set(store.objects) == {"a"}


def test_what_changed_is_judged_anew() -> None:
    store = Store(a={"resourceVersion": "7"}, b={"resourceVersion": "7"})

    def recheck(item: Doomed, obj: JsonObject) -> str:
        assert obj["metadata"]["resourceVersion"] == "7"
        return "it belongs to others now" if item.ref.name == "b" else ""

    done = store.remove(doomed("a"), doomed("b"), recheck=recheck)
    assert done["a"].outcome is Outcome.DELETED
    assert (done["b"].outcome, done["b"].why) == (Outcome.KEPT, "it belongs to others now")
    assert set(store.objects) == {"b"}


def test_what_changes_all_the_time_is_given_up() -> None:
    store = Store(a={})

    def change() -> None:
        metadata = store.objects["a"]["metadata"]
        metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)

    store.before_delete = change
    done = store.remove(doomed("a"))["a"]
    assert (done.outcome, done.exit_code) == (Outcome.FAILED, 4)
    assert store.deletions == 5
    assert set(store.objects) == {"a"}


def test_what_is_leaving_is_not_deleted_again() -> None:
    store = Store(a={"finalizers": ["x/y"]})
    done = store.remove(doomed("a", leaving=True))["a"]
    assert store.deletions == 0
    assert (done.outcome, done.exit_code) == (Outcome.FAILED, 5)
    assert done.why.startswith("still there after 0 s")


def test_after_a_signal_nothing_more_goes_and_all_of_it_is_told() -> None:
    store = Store(a={}, b={}, c={})
    stop = Stop()
    store.before_delete = lambda: stop.set(2)
    last = Doomed(NAMESPACES, ObjectRef(NAMESPACES.gvk, "", "c"), "u1", "1")
    done = store.remove(doomed("a"), doomed("b"), last, stop=stop)
    assert store.deletions >= 1
    assert set(done) == {"a", "b", "c"}
    assert done["c"].outcome is Outcome.SKIPPED
    assert "c" in store.objects


def test_a_dry_run_deletes_nothing_and_waits_for_nothing() -> None:
    store = Store(a={})
    done = store.remove(doomed("a"), options=DeleteOptions(dry_run=True))["a"]
    assert (done.outcome, done.dry_run) == (Outcome.DELETED, True)
    assert set(store.objects) == {"a"}


def test_namespaces_go_last() -> None:
    last = Doomed(NAMESPACES, ObjectRef(NAMESPACES.gvk, "", "test"), "u1", "1")
    assert in_waves([last, doomed("a")], deletion_rank) == [[doomed("a")], [last]]
