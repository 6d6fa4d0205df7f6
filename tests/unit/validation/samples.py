"""Objects that the API server takes, for tests to spoil."""

from __future__ import annotations

import copy
from typing import Any

from kapply.meta import GroupVersionKind
from kapply.validation import Finding, KindSchema, findings_of, offline_schemas

_DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}


def deployment(**spec: Any) -> dict[str, Any]:
    """A Deployment with `spec` on top."""
    obj = copy.deepcopy(_DEPLOYMENT)
    obj["spec"].update(spec)
    return obj


def pod_spec(obj: dict[str, Any]) -> Any:
    """The pod template's spec of a workload."""
    return obj["spec"]["template"]["spec"]


def container(**fields: Any) -> dict[str, Any]:
    """A Deployment whose one container has `fields`."""
    obj = deployment()
    pod_spec(obj)["containers"][0].update(fields)
    return obj


def kind_of(obj: dict[str, Any]) -> KindSchema:
    """The bundled schema of an object's kind."""
    found = offline_schemas().schema_for(GroupVersionKind.parse(obj["apiVersion"], obj["kind"]))
    assert found is not None
    return found


def found_in(obj: dict[str, Any]) -> list[Finding]:
    """What the bundled schemas and the rules find."""
    return findings_of(obj, offline_schemas())
