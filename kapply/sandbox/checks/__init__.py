"""What the server refuses, kind by kind, in its words (k8s.io/kubernetes pkg/apis/*/validation).

found = Found()
checks_of("apps", "Deployment").create(found, obj)
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kapply.sandbox.checks.base import Checks, Found

__all__ = ["Checks", "Found", "checks_of"]

#: The module that has the checks of a group, or of a kind.
_MODULES = {
    "apps": "workloads",
    "autoscaling": "scaling",
    "batch": "batch",
    "coordination.k8s.io": "others",
    "discovery.k8s.io": "endpoints",
    "networking.k8s.io": "network",
    "node.k8s.io": "others",
    "policy": "scaling",
    "rbac.authorization.k8s.io": "rbac",
    "scheduling.k8s.io": "others",
    "storage.k8s.io": "storage",
}
_CORE = {
    "ConfigMap": "config",
    "Endpoints": "endpoints",
    "LimitRange": "quotas",
    "Namespace": "config",
    "PersistentVolume": "storage",
    "PersistentVolumeClaim": "storage",
    "Pod": "workloads",
    "PodTemplate": "workloads",
    "ReplicationController": "workloads",
    "ResourceQuota": "quotas",
    "Secret": "config",
    "Service": "services",
}


@cache
def checks_of(group: str, kind: str) -> Checks:
    """The checks of a built-in kind; those of a kind that has none find nothing."""
    module = _MODULES.get(group, "") if group else _CORE.get(kind, "")
    if not module:
        return Checks()
    found: dict[str, type[Checks]] = import_module(f"kapply.sandbox.checks.{module}").CHECKS
    return found.get(kind, Checks)()
