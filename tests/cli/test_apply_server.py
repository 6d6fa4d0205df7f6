"""Apply on a real API server: what moves between plan and write, order, failures half-way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Overrides
from kapply.client import Client, encode
from kapply.discovery import RESTMapper
from kapply.engine.applier import Applier, RunOptions
from kapply.engine.discover import Discovery
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult
from kapply.engine.parallel import Stop
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.manifests.documents import parse
from kapply.meta import JsonObject, Request, Response, Transport
from kapply.planning.model import Plan
from kapply.planning.resolve import Resolver
from kapply.transport.factory import open_transport
from tests.cli.tool import Tool, kapply_tool
from tests.cluster.cluster import TestCluster

MERGE = "application/merge-patch+json"


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path, apiserver.kubeconfig)


class Server:
    """Plans and applies texts on a server, with room for others to act in between."""

    def __init__(self, cluster: TestCluster, namespace: str) -> None:
        connection = load_connection(Overrides(kubeconfig=str(cluster.kubeconfig)), {})
        self.transport: Transport = open_transport(
            connection, open_credential(connection), concurrency=4, env={}
        )
        self.client = Client(self.transport)
        self.mapper: RESTMapper = Discovery(self.client).mapper
        self.namespace = namespace
        self.cluster = cluster

    def planner(self, transport: Transport | None = None, **options: Any) -> Planner:
        return Planner(Client(transport or self.transport), ApplyOptions(**options), Stop())

    def plan(self, text: str, planner: Planner | None = None) -> Plan:
        resolver = Resolver(self.mapper, self.namespace, enforce_namespace=False, encode=encode)
        desired, problems = resolver.resolve(parse(text.encode(), "x.yaml"))
        assert not problems
        return (planner or self.planner()).plan(desired)

    def apply(
        self, plan: Plan, planner: Planner | None = None, **options: Any
    ) -> tuple[RunResult, list[Event]]:
        planner = planner or self.planner()
        applier = Applier(planner, planner.stop, RunOptions(**options))
        events = list(applier.apply(plan))
        return applier.result, events

    def path(self, name: str, resource: str = "configmaps") -> str:
        return f"/api/v1/namespaces/{self.namespace}/{resource}/{name}"

    def get(self, name: str) -> JsonObject:
        found: JsonObject = self.cluster.request("GET", self.path(name)).ok()
        return found

    def edit(self, name: str, patch: Any) -> None:
        self.cluster.request("PATCH", self.path(name), patch, content_type=MERGE).ok()

    def delete(self, name: str) -> None:
        self.cluster.request("DELETE", self.path(name)).ok()

    def create(self, name: str, **data: str) -> None:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        path = f"/api/v1/namespaces/{self.namespace}/configmaps"
        self.cluster.request("POST", path, body).ok()


@pytest.fixture
def server(apiserver: TestCluster, api_namespace: str) -> Server:
    return Server(apiserver, api_namespace)


def config(name: str, **data: str) -> str:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return f"---\n{json.dumps(obj)}\n"


def only(result: RunResult) -> ObjectDone:
    (done,) = result.done
    return done


def test_a_change_elsewhere_in_the_object_does_not_stop_the_write(server: Server) -> None:
    server.apply(server.plan(config("a", k="1")))
    plan = server.plan(config("a", k="2"))
    server.edit("a", {"metadata": {"labels": {"theirs": "yes"}}})
    result, _ = server.apply(plan)
    assert only(result).outcome is Outcome.CONFIGURED
    live = server.get("a")
    assert live["data"] == {"k": "2"}
    assert live["metadata"]["labels"] == {"theirs": "yes"}


@pytest.mark.parametrize(
    ("name", "meanwhile"),
    [
        ("the same field", lambda s: s.edit("a", {"data": {"k": "3"}})),
        ("deleted", lambda s: s.delete("a")),
        ("made anew", lambda s: (s.delete("a"), s.create("a", k="1"))),
    ],
)
def test_another_diff_than_the_one_seen_is_not_written(
    name: str, meanwhile: Callable[[Server], Any], server: Server
) -> None:
    server.apply(server.plan(config("a", k="1")))
    plan = server.plan(config("a", k="2"))
    meanwhile(server)
    result, _ = server.apply(plan)
    assert (only(result).outcome, result.exit_code) == (Outcome.FAILED, 6), name
    assert "changed since the plan" in only(result).why
    if name != "deleted":
        assert server.get("a")["data"]["k"] in ("1", "3")


def test_an_object_that_appears_is_not_taken_for_a_create(server: Server) -> None:
    plan = server.plan(config("a", k="1"))
    server.create("a", other="x")
    result, _ = server.apply(plan)
    assert result.exit_code == 6
    assert server.get("a")["data"] == {"other": "x"}


def test_somebody_who_made_the_same_change_is_no_trouble(server: Server) -> None:
    plan = server.plan(config("a", k="1"))
    server.apply(server.plan(config("a", k="1")))
    result, _ = server.apply(plan)
    assert (only(result).outcome, result.exit_code) == (Outcome.UNCHANGED, 0)
    assert only(result).why == "somebody else made the same change"


class Meddler:
    """A transport during whose every write somebody else touches the object."""

    def __init__(self, server: Server, times: int) -> None:
        self._server = server
        self._left = times
        self.count = 0

    def send(self, request: Request) -> Response:
        if request.method == "PATCH" and ("dryRun", "All") not in request.query and self._left:
            self._left -= 1
            self.count += 1
            self._server.edit("a", {"metadata": {"labels": {"n": str(self._left)}}})
        return self._server.transport.send(request)

    def stream(self, request: Request) -> Any:
        return self._server.transport.stream(request)


@pytest.mark.parametrize(("times", "code"), [(3, 0), (100, 6)])
def test_an_object_that_keeps_changing_is_tried_again_and_not_for_ever(
    times: int, code: int, server: Server
) -> None:
    server.apply(server.plan(config("a", k="1")))
    meddler = Meddler(server, times)
    planner = server.planner(meddler)
    result, _ = server.apply(server.plan(config("a", k="2"), planner), planner)
    assert result.exit_code == code, result.done
    assert meddler.count == min(times, 6)
    assert server.get("a")["data"]["k"] == ("2" if code == 0 else "1")


def test_two_at_once_on_one_object_lose_no_update(server: Server) -> None:
    """Both saw the same; the second one's diff is another now."""
    server.apply(server.plan(config("a", k="1")))
    first, second = server.plan(config("a", k="2")), server.plan(config("a", k="3"))
    assert server.apply(first)[0].exit_code == 0
    assert server.apply(second)[0].exit_code == 6
    assert server.get("a")["data"] == {"k": "2"}


def test_without_a_preflight_nothing_is_dry_run_and_outcomes_are_true(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(config("a", k="1") + config("b", k="1"))
    words = ("apply", "--no-preflight", "-n", api_namespace, "-f", path, "-v6")
    first = kapply(*words)
    assert (first.code, first.out) == (0, "configmap/a created\nconfigmap/b created\n")
    assert "dryRun" not in first.err
    path.write_text(config("a", k="1") + config("b", k="2"))
    assert kapply(*words).out == "configmap/a unchanged\nconfigmap/b configured\n"
    again = kapply(*words, "--no-proof")
    assert again.out == "configmap/a unchanged\nconfigmap/b unchanged\n"
    # What is wrong by the schema never reaches the server.
    path.write_text(config("a", k="1").replace('"data"', '"datta"'))
    refused = kapply(*words)
    assert refused.code == 2
    assert '"PATCH"' not in refused.err


BAD_SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: bad}
spec: {clusterIP: 1.2.3.4, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: after
  annotations: {config.kubernetes.io/depends-on: /namespaces/NS/Service/bad}
"""


def test_keep_going_applies_what_can_be_and_says_what_failed(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(config("good", k="1") + BAD_SERVICE.replace("NS", api_namespace))
    refused = kapply("apply", "-n", api_namespace, "-f", path)
    assert (refused.code, refused.out) == (4, ""), refused.screen
    for flags in (["--keep-going"], ["--keep-going", "--no-preflight"]):
        done = kapply("apply", *flags, "-n", api_namespace, "-f", path)
        assert done.code == 4, done.screen
        assert "service/bad failed" in done.err
        assert "it depends on Service bad" in done.err
        assert done.out.splitlines()[1:] == ["configmap/after skipped"]
        assert "1 failed, 1 skipped" in done.err
    assert kapply("get", "cm", "good", "-n", api_namespace).code == 0


def test_without_keep_going_the_waves_after_a_failure_are_left_out(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(config("good", k="1") + BAD_SERVICE.replace("NS", api_namespace))
    done = kapply("apply", "--no-preflight", "-n", api_namespace, "-f", path)
    assert done.code == 4, done.screen
    assert done.out.splitlines() == ["configmap/good created", "configmap/after skipped"]


def test_a_circle_is_named_and_nothing_is_written(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    def needs(name: str, other: str) -> str:
        annotations = {
            "config.kubernetes.io/depends-on": f"/namespaces/{api_namespace}/ConfigMap/{other}"
        }
        metadata = {"name": name, "annotations": annotations}
        return f"---\n{json.dumps({'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': metadata})}"

    path = tmp_path / "a.yaml"
    path.write_text(f"{needs('a', 'b')}\n{needs('b', 'a')}\n{config('free')}")
    for command in ("apply", "diff"):
        refused = kapply(command, "-n", api_namespace, "-f", path)
        assert (refused.code, refused.out) == (2, ""), refused.screen
        circle = "ConfigMap a in {0} → ConfigMap b in {0} → ConfigMap a in {0}"
        assert circle.format(api_namespace) in refused.err
    assert kapply("get", "cm", "free", "-n", api_namespace).code == 4


def test_another_cluster_than_the_expected_one_is_refused(
    kapply: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(config("a", k="1"))
    uid = apiserver.request("GET", "/api/v1/namespaces/kube-system").ok()["metadata"]["uid"]
    shown = kapply("apply", "-n", api_namespace, "-f", path, "--expect-cluster=production")
    assert (shown.code, shown.out) == (2, ""), shown.screen
    assert "this is another cluster" in shown.err
    assert uid in shown.err
    good = kapply("apply", "-n", api_namespace, "-f", path, f"--expect-cluster={uid}")
    assert good.code == 0, good.screen
    kept = kapply("delete", "-n", api_namespace, "-f", path, "--expect-cluster=production")
    assert (kept.code, kept.out) == (2, ""), kept.screen
    assert kapply("get", "cm", "a", "-n", api_namespace).code == 0
    # The summary says where it wrote to.
    assert apiserver.server in good.err


def test_a_terminating_object_that_stays_is_not_written_to(server: Server) -> None:
    server.create("held", k="1")
    server.edit("held", {"metadata": {"finalizers": ["test.kapply.dev/hold"]}})
    server.delete("held")
    result, _ = server.apply(server.plan(config("held", k="2")), terminating_seconds=0.2)
    assert only(result).outcome is Outcome.FAILED
    assert "finalizer test.kapply.dev/hold" in only(result).why
    server.edit("held", {"metadata": {"finalizers": None}})


def test_kubectl_sees_what_was_written(
    apiserver: TestCluster, kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    """Preconditions leave no trace in the object or in its managedFields."""
    path = tmp_path / "a.yaml"
    path.write_text(config("a", k="1"))
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    path.write_text(config("a", k="2"))
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    live = apiserver.request("GET", f"/api/v1/namespaces/{api_namespace}/configmaps/a").ok()
    (entry,) = live["metadata"]["managedFields"]
    assert entry["fieldsV1"] == {"f:data": {"f:k": {}}}
