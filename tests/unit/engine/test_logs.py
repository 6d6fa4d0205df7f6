from __future__ import annotations

from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.health_facts import POD
from kapply.engine.logs import Failed, Line, LogOptions, pods_of, read_logs, sources_of
from kapply.engine.parallel import Stop
from kapply.errors import NotFoundError, UsageError
from kapply.meta import GroupVersionKind, Request, RESTMapping
from tests.unit.fake import Answer, FakeTransport, failure

DEPLOYMENT = RESTMapping(GroupVersionKind("apps", "v1", "Deployment"), "deployments", True)
SERVICE = RESTMapping(GroupVersionKind("", "v1", "Service"), "services", True)


def pod(name: str, *containers: str, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", **spec.pop("metadata", {})},
        "spec": {"containers": [{"name": one} for one in containers], **spec},
    }


def test_of_a_workload_are_the_pods_that_it_selects() -> None:
    def answer(request: Request) -> Answer:
        if request.path.endswith("/pods"):
            assert dict(request.query)["labelSelector"] == "app=web"
            return 200, {"items": [pod("b", "c"), pod("a", "c")]}
        if "services/bare" in request.path:
            return 200, {"kind": "Service", "spec": {"externalName": "x"}}
        if "services" in request.path:
            return 200, {"kind": "Service", "spec": {"selector": {"app": "web"}}}
        return 200, {"kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "web"}}}}

    client = Client(FakeTransport(answer))
    for mapping in (DEPLOYMENT, SERVICE):
        found = pods_of(client, mapping, "web", "shop")
        assert [one["metadata"]["name"] for one in found] == ["a", "b"]
    with pytest.raises(UsageError, match="selects no Pods"):
        pods_of(client, SERVICE, "bare", "shop")


def test_which_containers() -> None:
    one = pod("a", "main", "side", initContainers=[{"name": "setup"}])
    assert [s.container for s in sources_of(one, LogOptions())] == ["main"]
    assert [s.container for s in sources_of(one, LogOptions(all_containers=True))] == [
        "setup",
        "main",
        "side",
    ]
    assert sources_of(one, LogOptions(container="setup"))[0].container == "setup"
    noted = {"annotations": {"kubectl.kubernetes.io/default-container": "side"}}
    assert sources_of(pod("a", "main", "side", metadata=noted), LogOptions())[0].container == "side"
    with pytest.raises(UsageError, match="no container 'none'"):
        sources_of(one, LogOptions(container="none"))


def test_a_pod_that_is_not_there() -> None:
    client = Client(FakeTransport(lambda _: failure(404, "NotFound", 'pods "a" not found')))
    with pytest.raises(NotFoundError):
        pods_of(client, POD, "a", "shop")


def test_the_query_is_that_of_pod_log_options() -> None:
    options = LogOptions(
        follow=True, previous=True, tail=0, since_seconds=5, timestamps=True, limit_bytes=9
    )
    assert dict(options.query("main")) == {
        "container": "main",
        "follow": "true",
        "previous": "true",
        "tailLines": "0",
        "sinceSeconds": "5",
        "timestamps": "true",
        "limitBytes": "9",
    }
    assert LogOptions().query("main") == (("container", "main"),)


@pytest.mark.parametrize("follow", [False, True])
def test_one_log_that_fails_leaves_the_others(follow: bool) -> None:
    def answer(request: Request) -> Answer:
        if "/pods/a/" in request.path:
            return failure(500, "InternalError", "no preferred addresses found")
        return 200, "one line"

    client = Client(FakeTransport(answer))
    options = LogOptions(follow=follow)
    sources = [source for name in "ab" for source in sources_of(pod(name, "c"), options)]
    found = list(read_logs(client, sources, options, Stop()))
    (failed,) = (one for one in found if isinstance(one, Failed))
    assert failed.source.pod == "a" and "kubelet" in failed.error.hint
    assert [one.text for one in found if isinstance(one, Line)] == [b'"one line"']
