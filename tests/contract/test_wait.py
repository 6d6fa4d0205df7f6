"""The wait of the engine on a real API server, whose statuses the test writes itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Overrides
from kapply.client import Client
from kapply.engine.diagnosis import Diagnosis
from kapply.engine.events import Event, HealthChanged, Warned
from kapply.engine.health import HealthWaiter
from kapply.engine.health_model import HealthResult, Target, WaitOptions
from kapply.engine.parallel import Stop
from kapply.kstatus import Status
from kapply.meta import GroupVersionKind, JsonObject, ObjectRef, RESTMapping
from kapply.transport.factory import open_transport
from tests.cluster.cluster import TestCluster
from tests.cluster.fixtures import ClusterFactory

DEPLOYMENTS = RESTMapping(GroupVersionKind("apps", "v1", "Deployment"), "deployments", True)
WIDGETS = RESTMapping(GroupVersionKind("wait.kapply.dev", "v1", "Widget"), "widgets", True)
MERGE = "application/merge-patch+json"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.wait.kapply.dev"},
    "spec": {
        "group": "wait.kapply.dev",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            },
                            "status": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                                "properties": {
                                    "conditions": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "x-kubernetes-preserve-unknown-fields": True,
                                        },
                                    }
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}


def client_of(cluster: TestCluster) -> Client:
    connection = load_connection(Overrides(kubeconfig=str(cluster.kubeconfig)), {})
    transport = open_transport(connection, open_credential(connection), concurrency=8, env={})
    return Client(transport)


class Wait:
    """A wait in a thread; `until` waits for one of its events."""

    def __init__(self, client: Client, targets: list[Target], **options: Any) -> None:
        self.stop = Stop()
        self._waiter = HealthWaiter(client, WaitOptions(**options), self.stop)
        self._targets = targets
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            for event in self._waiter.wait(self._targets):
                with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> Wait:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def until(self, condition: Callable[[Event], bool], what: str) -> Event:
        with self._news:
            assert self._news.wait_for(lambda: any(map(condition, self.events)), 30), (
                what,
                self.events,
                self._error,
            )
            return next(filter(condition, self.events))

    def end(self) -> HealthResult:
        self._thread.join(40)
        assert not self._thread.is_alive(), self.events
        if self._error is not None:
            raise self._error
        return self._waiter.result

    @property
    def statuses(self) -> list[Status]:
        return [event.status for event in self.events if isinstance(event, HealthChanged)]


def target(mapping: RESTMapping, obj: JsonObject, *, written: bool) -> Target:
    metadata = obj["metadata"]
    ref = ObjectRef(mapping.gvk, metadata["namespace"], metadata["name"])
    return Target(mapping, ref, obj=obj, written=written)


def deployment(name: str) -> JsonObject:
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": "i"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def ready_status(generation: int) -> JsonObject:
    kinds = (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    conditions = [{"type": kind, "status": "True", "reason": reason} for kind, reason in kinds]
    return {"status": {"observedGeneration": generation, "conditions": conditions, **counts}}


@contextmanager
def no_unexpected_end(wait: Wait) -> Iterator[None]:
    yield
    assert set(wait.statuses) <= {Status.IN_PROGRESS}, wait.events


def test_a_watch_outlives_the_api_server(cluster_factory: ClusterFactory) -> None:
    cluster = cluster_factory()
    path = "/apis/apps/v1/namespaces/default/deployments"
    cluster.request("POST", path, deployment("web")).ok()
    status = f"{path}/web/status"
    # The past: ready, at generation 1.
    cluster.request("PATCH", status, ready_status(1), content_type=MERGE).ok()
    written = cluster.request(
        "PATCH", f"{path}/web", {"spec": {"minReadySeconds": 1}}, content_type=MERGE
    ).ok()
    assert written["metadata"]["generation"] == 2
    targets = [target(DEPLOYMENTS, written, written=True)]
    with Wait(client_of(cluster), targets, timeout=60.0) as wait:
        wait.until(lambda e: isinstance(e, HealthChanged), "the first verdict")
        with no_unexpected_end(wait):
            cluster.kill_apiserver()
            wait.until(lambda e: isinstance(e, Warned), "the loss of the watch")
            cluster.start_apiserver()
            label = {"metadata": {"labels": {"touched": "yes"}}}
            cluster.request("PATCH", f"{path}/web", label, content_type=MERGE).ok()
        cluster.request("PATCH", status, ready_status(2), content_type=MERGE).ok()
        result = wait.end()
    assert result.exit_code == 0, wait.events
    assert wait.statuses[-1] is Status.CURRENT
    assert not any(isinstance(event, Diagnosis) for event in wait.events)


@pytest.fixture
def widgets(apiserver: TestCluster) -> Iterator[None]:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    apiserver.request("POST", path, CRD).ok()
    served = "/apis/wait.kapply.dev/v1/widgets"
    apiserver.wait_for(lambda: apiserver.request("GET", served).code == 200, "widgets")
    yield
    apiserver.request("DELETE", f"{path}/widgets.wait.kapply.dev").ok()


def widget(name: str) -> JsonObject:
    metadata = {"name": name}
    return {
        "apiVersion": "wait.kapply.dev/v1",
        "kind": "Widget",
        "metadata": metadata,
        "spec": {"size": 1},
    }


@pytest.mark.usefixtures("widgets")
def test_custom_resources_are_waited_for_once_a_controller_reports_on_their_kind(
    apiserver: TestCluster, api_namespace: str
) -> None:
    client = client_of(apiserver)
    path = f"/apis/wait.kapply.dev/v1/namespaces/{api_namespace}/widgets"

    def ready(name: str, status: str, generation: int, message: str = "") -> None:
        condition: JsonObject = {"type": "Ready", "status": status, "message": message}
        condition |= {"observedGeneration": generation}
        body = {"status": {"conditions": [condition]}}
        apiserver.request("PATCH", f"{path}/{name}/status", body, content_type=MERGE).ok()

    first = apiserver.request("POST", path, widget("first")).ok()
    with Wait(client, [target(WIDGETS, first, written=True)], timeout=20.0) as wait:
        assert wait.end().exit_code == 0
    assert isinstance(wait.events[0], HealthChanged)
    assert "no controller has reported" in wait.events[0].note
    ready("first", "True", 1)

    second = apiserver.request("POST", path, widget("second")).ok()
    with Wait(client, [target(WIDGETS, second, written=True)], timeout=30.0) as wait:
        wait.until(
            lambda e: isinstance(e, HealthChanged) and "not reported on it" in e.message,
            "the controller to be waited for",
        )
        ready("second", "False", 1, "pulling parts")
        wait.until(
            lambda e: isinstance(e, HealthChanged) and e.message == "pulling parts",
            "what the controller says",
        )
        ready("second", "True", 1)
        assert wait.end().exit_code == 0

    # Its condition says itself that it is about generation 1.
    changed = apiserver.request(
        "PATCH", f"{path}/second", {"spec": {"size": 2}}, content_type=MERGE
    ).ok()
    with Wait(client, [target(WIDGETS, changed, written=True)], timeout=30.0) as wait:
        wait.until(
            lambda e: isinstance(e, HealthChanged) and "earlier generation" in e.message,
            "the new generation to be observed",
        )
        ready("second", "True", 2)
        assert wait.end().exit_code == 0


def test_an_expired_resource_version_is_listed_anew(
    apiserver: TestCluster, api_namespace: str
) -> None:
    """A resourceVersion from before the server's memory is 410; the object itself still counts."""
    path = f"/apis/apps/v1/namespaces/{api_namespace}/deployments"
    created = apiserver.request("POST", path, deployment("web")).ok()
    old = {**created, "metadata": {**created["metadata"], "resourceVersion": "1"}}
    client = client_of(apiserver)
    with Wait(client, [target(DEPLOYMENTS, old, written=True)], timeout=30.0) as wait:
        wait.until(lambda e: isinstance(e, HealthChanged), "the first verdict")
        apiserver.request("PATCH", f"{path}/web/status", ready_status(1), content_type=MERGE).ok()
        assert wait.end().exit_code == 0


def test_who_may_not_watch_reads_one_by_one(apiserver: TestCluster, api_namespace: str) -> None:
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{api_namespace}"
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}]
    role = {"metadata": {"name": "reader"}, "rules": rules}
    apiserver.request("POST", f"{base}/roles", role).ok()
    subjects = [{"kind": "User", "name": TestCluster.USER, "apiGroup": "rbac.authorization.k8s.io"}]
    binding = {"metadata": {"name": "reader"}, "subjects": subjects}
    binding |= {
        "roleRef": {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    }
    apiserver.request("POST", f"{base}/rolebindings", binding).ok()
    path = f"/apis/apps/v1/namespaces/{api_namespace}/deployments"
    created = apiserver.request("POST", path, deployment("web")).ok()
    connection = load_connection(Overrides(kubeconfig=str(apiserver.kubeconfig_user)), {})
    client = Client(open_transport(connection, open_credential(connection), concurrency=8, env={}))
    apiserver.wait_for(
        lambda: (
            apiserver.client(token=apiserver.user_token).request("GET", f"{path}/web").code == 200
        ),
        "the role",
    )
    with Wait(client, [target(DEPLOYMENTS, created, written=True)], timeout=30.0) as wait:
        warned = wait.until(lambda e: isinstance(e, Warned), "the Pods that cannot be read")
        assert isinstance(warned, Warned)
        assert "failures of Pods are not seen" in warned.text
        apiserver.request("PATCH", f"{path}/web/status", ready_status(1), content_type=MERGE).ok()
        assert wait.end().exit_code == 0
