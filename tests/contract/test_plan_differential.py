"""Planned, really applied, read again: the live object is what the plan said.

Whole sets of other projects in namespaces and with CRDs that are not there yet (simulated), then
edits of them (dry-run). What the server allocates and status are apart, nothing else.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kapply.cli.options import ConnectFlags, PlanFlags
from kapply.cli.planned import planned_input
from kapply.cli.screen import text_report
from kapply.engine.parallel import Stop
from kapply.engine.reader import read_live
from kapply.manifests import sources
from kapply.planning.allocated import ALLOCATED
from kapply.planning.model import Action, Change, Plan
from kapply.report.diff import clean
from kapply.report.run.record import RunInfo
from kapply.report.run.sinks import RunReport
from tests.cli.tool import Tool, corpus, kapply_tool
from tests.cluster.cluster import TestCluster

Obj = dict[str, Any]
SEED = 20261122
#: Rounds of edits of each set; one of a large set edits as much as several of a small one.
ROUNDS = {"guestbook": 3, "online-boutique": 3, "ingress-nginx": 3, "kube-prometheus": 1}


class Bench:
    """Plans in this process, applies in another, and compares."""

    def __init__(self, cluster: TestCluster, kapply: Tool, namespace: str, folder: Path) -> None:
        self.cluster, self.kapply, self.namespace = cluster, kapply, namespace
        self.file = folder / "set.json"
        self.connect = ConnectFlags(kubeconfig=str(cluster.kubeconfig), namespace="")
        self.seen: dict[str, str] = {}

    def write(self, objects: list[Obj]) -> None:
        # JSON is YAML whose texts are never numbers.
        self.file.write_text("\n---\n".join(map(json.dumps, objects)))

    def plan(self) -> Plan:
        with planned_input(self.connect, self.flags, quiet_report()) as (_, _, plan):
            return plan

    @property
    def flags(self) -> PlanFlags:
        return PlanFlags(files=[str(self.file)], concurrency=4, validate="ignore")

    def apply_and_compare(self, plan: Plan) -> int:
        done = self.kapply("apply", "--validate=ignore", "-f", self.file)
        assert done.code == 0, done.screen[-3000:]
        with planned_input(self.connect, self.flags, quiet_report()) as (session, _, again):
            live = read_live(session.client, wanted(again), concurrency=4, stop=Stop())
        wrong = [c for c in again.changes if c.action is not Action.UNCHANGED]
        assert not wrong, [f"{c.ref}: {c.action} {c.why}" for c in wrong]
        compared = 0
        for change in plan.changes:
            if change.result is None:
                continue
            said, is_ = stated(change.result), stated(live[change.ref.key])
            assert agrees(said, is_), f"{change.ref}\nsaid {said}\nlive {is_}"
            compared += 1
        return compared


def quiet_report() -> Any:
    return RunReport(text_report("never", names_only=True), [], RunInfo("plan", datetime.now(UTC)))


def wanted(plan: Plan) -> Iterator[Any]:
    return (change.desired for change in plan.changes if change.desired is not None)


def stated(obj: Obj) -> Obj:
    kept = clean(obj)
    # Controllers and the server's own write these.
    kept["metadata"].pop("namespace", None)
    return json.loads(json.dumps(kept))  # type: ignore[no-any-return]


def agrees(said: Any, live: Any) -> bool:
    """Whether both are equal, where what was allocated may be anything."""
    if isinstance(said, str) and ALLOCATED in said:
        return live is not None
    if isinstance(said, dict) and isinstance(live, dict):
        return said.keys() == live.keys() and all(agrees(said[k], live[k]) for k in said)
    if isinstance(said, list) and isinstance(live, list):
        return len(said) == len(live) and all(map(agrees, said, live))
    return bool(said == live)


def edited(obj: Obj, rng: random.Random) -> Obj:
    """The manifest with one or two things about it changed."""
    obj = copy.deepcopy(obj)
    for _ in range(rng.randint(1, 2)):
        kind = rng.choice(("label", "annotation", "unlabel", "image", "replicas", "drop", "env"))
        metadata = obj["metadata"]
        pods = [p for p in walk(obj.get("spec")) if isinstance(p.get("containers"), list)]
        if kind == "label":
            metadata["labels"] = {**(metadata.get("labels") or {}), "edited": str(rng.random())}
        elif kind == "annotation":
            metadata["annotations"] = {**(metadata.get("annotations") or {}), "a/b": "c"}
        elif kind == "unlabel":
            metadata.pop("labels", None)
        elif kind == "replicas" and "replicas" in (obj.get("spec") or {}):
            obj["spec"]["replicas"] = rng.randint(0, 5)
        elif kind == "data" and isinstance(obj.get("data"), dict):
            obj["data"]["new"] = "bmV3"
        elif pods and obj["kind"] != "Job":
            container = rng.choice(rng.choice(pods)["containers"])
            if kind == "image":
                container["image"] = f"other:{rng.randint(1, 9)}"
            elif kind == "drop":
                names = ("resources", "env", "args", "livenessProbe", "readinessProbe")
                container.pop(rng.choice(names), None)
            elif kind == "env" and isinstance(container.get("env"), list):
                container["env"] = [{"name": "NEW", "value": "1"}, *container["env"][1:]]
    return obj


def walk(value: Any) -> Iterator[Obj]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


@pytest.mark.parametrize("name", list(ROUNDS))
def test_a_plan_says_what_comes_of_it(
    name: str, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    objects = [document.obj for document in sources.load([str(corpus(name))], recursive=True)]
    made = f"{api_namespace}-set"
    namespaces = {o["metadata"]["name"] for o in objects if o["kind"] == "Namespace"}
    # An APIService without its server would ail the discovery of everybody else.
    objects = [o for o in objects if o["kind"] not in ("Namespace", "APIService")]
    for obj in objects:
        here = obj["metadata"].get("namespace")
        if here in namespaces or here is None:
            obj["metadata"]["namespace"] = made
    bench = Bench(apiserver, kapply_tool(tmp_path, apiserver.kubeconfig), made, tmp_path)
    objects = scoped(objects, bench)
    head: Obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made}}
    changes: tuple[Change, ...] = ()
    try:
        bench.write([head, *objects])
        plan = bench.plan()
        changes = plan.changes
        assert not plan.blocked, [f"{c.ref}: {c.why}" for c in plan.blocked]
        simulated = sum(change.simulated for change in plan.changes)
        compared = bench.apply_and_compare(plan)
        assert simulated > len(objects) / 3
        assert compared > 0.9 * len(objects)
        rng = random.Random(SEED)
        for _ in range(ROUNDS[name]):
            wild = [o if o["kind"].endswith("Definition") else edited(o, rng) for o in objects]
            bench.write([head, *wild])
            plan = bench.plan()
            refused = {(c.ref.gvk.kind, c.ref.name) for c in plan.blocked}
            wild = [
                before if (after["kind"], after["metadata"]["name"]) in refused else after
                for before, after in zip(objects, wild, strict=True)
            ]
            if refused:
                bench.write([head, *wild])
                plan = bench.plan()
            assert not plan.blocked, [f"{c.ref}: {c.why}" for c in plan.blocked]
            assert plan.counts[Action.UPDATE] > 0
            bench.apply_and_compare(plan)
    finally:
        for change in reversed(changes):
            item = change.desired
            if item is not None and item.ref.gvk.kind != "Namespace":
                path = item.mapping.path(item.ref.namespace, item.ref.name)
                apiserver.request("DELETE", path)
        apiserver.delete_namespace(made)


def scoped(objects: list[Obj], bench: Bench) -> list[Obj]:
    """Without a namespace where the kind takes none."""
    cluster = {
        "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
        "IngressClass", "PriorityClass", "ValidatingWebhookConfiguration",
    }  # fmt: skip
    for obj in objects:
        if obj["kind"] in cluster:
            obj["metadata"].pop("namespace", None)
    return [o for o in objects if o["metadata"].get("namespace") in (None, bench.namespace)]
