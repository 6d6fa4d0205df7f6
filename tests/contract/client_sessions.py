"""Sessions of other people's clients with an API server.

`python -m tests.contract.client_sessions NAME KUBECONFIG` runs one in a process of its own: the
clients leave connections open, and threads. An AssertionError says what they saw otherwise.
"""

from __future__ import annotations

import sys
import threading
from importlib import import_module as _client
from typing import Any

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
        },
    },
}
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {"size": {"type": "integer", "default": 1}},
                            }
                        },
                    }
                },
            }
        ],
    },
}


def kubernetes(kubeconfig: str) -> None:
    package = _client("kubernetes")
    dynamic, watching = _client("kubernetes.dynamic"), _client("kubernetes.watch")
    with package.config.new_client_from_config(kubeconfig) as api:
        core, apps = package.client.CoreV1Api(api), package.client.AppsV1Api(api)
        names = {item.metadata.name for item in core.list_namespace().items}
        assert {"default", "kube-system"} <= names
        made = apps.create_namespaced_deployment("default", DEPLOYMENT)
        assert made.spec.strategy.type == "RollingUpdate"
        body = {"spec": {"replicas": 3}}
        assert apps.patch_namespaced_deployment("web", "default", body).spec.replicas == 3
        scale = apps.read_namespaced_deployment_scale("web", "default")
        assert scale.spec.replicas == 3
        try:
            core.create_namespaced_config_map("nowhere", {"metadata": {"name": "a"}})
        except package.client.exceptions.ApiException as error:
            assert error.status == 404
        else:
            raise AssertionError("a namespace that is not there")

        seen: list[str] = []
        ready = threading.Event()
        watch = watching.Watch()

        def follow() -> None:
            ready.set()
            for event in watch.stream(
                core.list_namespaced_config_map, "default", timeout_seconds=20
            ):
                seen.append(f"{event['type']} {event['object'].metadata.name}")
                if len(seen) == 3:
                    watch.stop()

        thread = threading.Thread(target=follow)
        thread.start()
        ready.wait(5)
        core.create_namespaced_config_map("default", {"metadata": {"name": "a"}})
        core.patch_namespaced_config_map("a", "default", {"data": {"k": "v"}})
        core.delete_namespaced_config_map("a", "default")
        core.create_namespaced_config_map("default", {"metadata": {"name": "b"}})
        core.delete_namespaced_config_map("b", "default")
        thread.join(30)
        assert len(seen) == 3, seen

        client = dynamic.DynamicClient(api)
        client.resources.get(api_version="apiextensions.k8s.io/v1", kind=CRD["kind"]).create(CRD)
        client.resources.invalidate_cache()
        widgets = client.resources.get(api_version="example.com/v1", kind="Widget")
        widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
        applied = widgets.server_side_apply(
            {**widget, "spec": {}}, namespace="default", field_manager="peer"
        )
        assert applied.spec.size == 1
        assert [w.metadata.name for w in widgets.get(namespace="default").items] == ["w"]
        widgets.delete("w", "default")
        apps.delete_namespaced_deployment("web", "default")
        assert apps.list_namespaced_deployment("default").items == []


def lightkube(kubeconfig: str) -> None:
    package = _client("lightkube")
    resources = _client("lightkube.resources.apps_v1")
    core = _client("lightkube.resources.core_v1")
    generic, types = _client("lightkube.generic_resource"), _client("lightkube.types")
    config = package.KubeConfig.from_file(kubeconfig)
    client = package.Client(config=config, namespace="default", field_manager="peer")
    made = client.create(resources.Deployment.from_dict(DEPLOYMENT))
    assert made.spec.strategy.type == "RollingUpdate"
    applied = client.apply(resources.Deployment.from_dict(DEPLOYMENT), force=True)
    assert applied.metadata.uid == made.metadata.uid
    patched = client.patch(resources.Deployment, "web", {"spec": {"replicas": 5}})
    assert patched.spec.replicas == 5
    listed = client.list(resources.Deployment, labels={"app": "web"})
    assert [item.metadata.name for item in listed] == ["web"]
    version = listed.resourceVersion
    client.patch(
        resources.Deployment,
        "web",
        [{"op": "replace", "path": "/spec/replicas", "value": 1}],
        patch_type=types.PatchType.JSON,
    )
    for kind, found in client.watch(resources.Deployment, resource_version=version):
        assert (kind, found.metadata.name, found.spec.replicas) == ("MODIFIED", "web", 1)
        break
    crd = _client("lightkube.resources.apiextensions_v1").CustomResourceDefinition
    client.create(crd.from_dict(CRD))
    widget = generic.create_namespaced_resource("example.com", "v1", "Widget", "widgets")
    body = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {}}
    assert client.apply(widget.from_dict(body)).spec["size"] == 1
    client.delete(widget, "w")
    client.delete(resources.Deployment, "web", cascade=types.CascadeType.FOREGROUND)
    try:
        client.get(core.Pod, "none")
    except package.ApiError as error:
        assert error.status.code == 404
    else:
        raise AssertionError("a Pod that is not there")
    assert list(client.list(resources.Deployment)) == []


def kr8s(kubeconfig: str) -> None:
    package = _client("kr8s")
    objects = _client("kr8s.objects")
    api = package.api(kubeconfig=kubeconfig)
    assert api.version()["gitVersion"].startswith("v1.37")
    assert {"default"} <= {namespace.name for namespace in api.get("namespaces")}
    deployment = objects.Deployment(DEPLOYMENT, api=api)
    deployment.create()
    assert deployment.exists()
    deployment.scale(4)
    deployment.refresh()
    assert deployment.replicas == 4
    deployment.label({"team": "a"})
    deployment.patch({"spec": {"paused": True}})
    found = list(api.get("deployments", label_selector={"team": "a"}, namespace="default"))
    assert [item.name for item in found] == ["web"]
    pod = {"spec": {"containers": [{"name": "a", "image": "b"}]}}
    made = objects.Pod({"metadata": {"name": "p", "namespace": "default"}, **pod}, api=api)
    made.create()
    for kind, seen in api.watch("pods", namespace="default"):
        assert (kind, seen.name) == ("ADDED", "p")
        break
    objects.CustomResourceDefinition(CRD, api=api).create()
    widget = objects.new_class("Widget", "example.com/v1", namespaced=True)
    body = {"metadata": {"name": "w", "namespace": "default"}, "spec": {}}
    each = widget(body, api=api)
    each.create()
    assert each.raw["spec"]["size"] == 1
    each.delete()
    made.delete()
    deployment.delete()
    assert list(api.get("deployments", namespace="default")) == []


SESSIONS = {"kubernetes": kubernetes, "lightkube": lightkube, "kr8s": kr8s}

if __name__ == "__main__":
    SESSIONS[sys.argv[1]](sys.argv[2])
