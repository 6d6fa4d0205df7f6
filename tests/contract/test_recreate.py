"""The table of immutable fields, held to a real API server: each row, and what is in none."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kapply.cli.options import ConnectFlags
from kapply.cli.wiring import open_session
from kapply.client import encode
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.errors import Origin
from kapply.meta import GroupVersionKind, ObjectRef
from kapply.planning.model import HOLDS_DATA, Action, Change, Desired
from kapply.planning.recreate import _ANY_KIND, _OF_KIND, _Row
from tests.cluster.cluster import TestCluster

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("recreate.yaml").read_text())
NUMBERS = itertools.count()


def name_of(case: dict[str, Any]) -> str:
    return f"{case['object']['kind']} {' '.join(case['set'])}"


class Bench:
    """Applies objects, and plans their edits."""

    def __init__(self, cluster: TestCluster, session: Any) -> None:
        self.cluster, self.session = cluster, session
        self.planner = Planner(session.client, ApplyOptions(force=True, concurrency=1))
        self.made: list[tuple[str, Desired]] = []

    def desired(self, obj: Any, namespace: str) -> Desired:
        gvk = GroupVersionKind.parse(obj["apiVersion"], obj["kind"])
        mapping = self.session.discovery.mapper.for_kind(gvk)
        namespace = namespace if mapping.namespaced else ""
        ref = ObjectRef(gvk, namespace, obj["metadata"]["name"])
        origin = Origin("test")
        return Desired(obj, encode(obj), mapping, ref, origin, lambda _: origin)

    def edited(self, case: dict[str, Any], namespace: str) -> Change:
        obj = copy.deepcopy(case["object"])
        obj["metadata"] = {"name": f"immutable-{next(NUMBERS)}"}
        item = self.desired(obj, namespace)
        self.planner.send(item, dry_run=False)
        try:
            edited = copy.deepcopy(obj)
            for pointer, value in case["set"].items():
                put(edited, pointer, value)
            (change,) = self.planner.plan([self.desired(edited, namespace)]).changes
            return change
        finally:
            if not namespace or not item.mapping.namespaced:
                path = item.mapping.path("", item.ref.name)
                self.cluster.request("DELETE", path)
                clear = {"metadata": {"finalizers": None}}
                self.cluster.request("PATCH", path, clear)


def put(obj: Any, pointer: str, value: Any) -> None:
    *above, last = pointer.split("/")[1:]
    for name in above:
        obj = obj[int(name)] if isinstance(obj, list) else obj.setdefault(name, {})
    if isinstance(obj, list):
        obj[int(last) :] = [value]
    else:
        obj[last] = value


@pytest.fixture(scope="module")
def bench(apiserver: TestCluster) -> Iterator[Bench]:
    with open_session(ConnectFlags(kubeconfig=str(apiserver.kubeconfig))) as session:
        yield Bench(apiserver, session)


@pytest.fixture(scope="module")
def shared(apiserver: TestCluster) -> Iterator[str]:
    name = apiserver.create_namespace()
    yield name
    apiserver.delete_namespace(name)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_the_server_says_of_an_edit(case: dict[str, Any], bench: Bench, shared: str) -> None:
    change = bench.edited(case, shared)
    assert change.status is not None and change.status.code == 422, change
    fields = case.get("fields")
    if fields is None:
        assert change.action is Action.INVALID
        assert case["says"] in change.status.message
        return
    assert change.action is Action.RECREATE
    assert sorted(cause.field for cause in change.causes) == sorted(fields)
    assert any(cause.message.endswith(case["says"]) for cause in change.causes)
    assert change.why == f"{', '.join(sorted(fields))} is immutable"
    assert change.destroys_data == (change.ref.gvk.group_kind in HOLDS_DATA)


def test_every_row_of_this_version_has_a_case() -> None:
    """Rows that older servers need stand behind a comment, and are counted here."""
    recorded = {
        (case["object"]["kind"], field, case["says"])
        for case in CASES
        for field in case.get("fields", ())
    }

    def is_recorded(kind: str | None, row: _Row) -> bool:
        return any(
            (kind in (None, theirs))
            and row.field.fullmatch(field)
            and (row.text.search(f"Forbidden: {says} ") or row.text.search(f"Invalid: {says}")
                 or row.text.search(f"Forbidden: {says}")
                 or row.text.search(f"Forbidden: {field} {says} ")
                 or row.text.search(f": {says}, except for updating from beta label to GA"))
            for theirs, field, says in recorded
        )  # fmt: skip

    rows = [(kind.kind, row) for kind, rows in _OF_KIND.items() for row in rows]
    older = [f"{kind} {row.field.pattern}" for kind, row in rows if not is_recorded(kind, row)]
    assert older == [
        r"Service spec\.clusterIP",
        "StatefulSet spec",
        "RoleBinding roleRef",
        "ClusterRoleBinding roleRef",
        "StorageClass parameters|provisioner|reclaimPolicy|volumeBindingMode",
    ]
    assert is_recorded(None, _ANY_KIND[0])
