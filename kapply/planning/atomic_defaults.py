"""Defaults that the server fills in inside atomic values, and that OpenAPI does not declare.

Inside an atomic map or list "every field of the manifest is there" is not enough: an added field
would be a change. These are the fields that kube-apiserver adds on its own, by type and field;
the differential test of the proof asks a real server about each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Default = Any | Callable[[Mapping[str, Any]], Any]

_CORE = "io.k8s.api.core.v1."
_RBAC = "io.k8s.api.rbac.v1."
_ADMISSION = "io.k8s.api.admissionregistration.v1."
_DISCOVERY = "io.k8s.api.discovery.v1."
_RESOURCE = "io.k8s.api.resource.v1."
_RBAC_GROUP = "rbac.authorization.k8s.io"

#: What no live field equals: no default is filled in.
_NONE = object()


def _subject_group(subject: Mapping[str, Any]) -> Any:
    return _RBAC_GROUP if subject.get("kind") in ("User", "Group") else _NONE


def _device_count(request: Mapping[str, Any]) -> Any:
    return 1 if request.get("allocationMode", "ExactCount") == "ExactCount" else _NONE


#: (type, field) -> the value, or what makes it from the object that lacks it.
ATOMIC_DEFAULTS: Mapping[tuple[str, str], Default] = {
    (_CORE + "ObjectFieldSelector", "apiVersion"): "v1",
    (_CORE + "FileKeySelector", "optional"): False,
    (_CORE + "ResourceFieldSelector", "divisor"): "0",
    (_CORE + "ServiceAccountTokenProjection", "expirationSeconds"): 3600,
    (_CORE + "EndpointPort", "protocol"): "TCP",
    (_CORE + "PersistentVolumeClaim", "apiVersion"): "v1",
    (_CORE + "PersistentVolumeClaim", "kind"): "PersistentVolumeClaim",
    (_CORE + "PersistentVolumeClaim", "status"): {"phase": "Pending"},
    (_CORE + "PersistentVolumeClaimSpec", "volumeMode"): "Filesystem",
    (_RBAC + "Subject", "apiGroup"): _subject_group,
    (_RBAC + "RoleRef", "apiGroup"): _RBAC_GROUP,
    (_ADMISSION + "RuleWithOperations", "scope"): "*",
    (_ADMISSION + "NamedRuleWithOperations", "scope"): "*",
    (_ADMISSION + "MatchResources", "matchPolicy"): "Equivalent",
    (_ADMISSION + "MatchResources", "namespaceSelector"): {},
    (_ADMISSION + "MatchResources", "objectSelector"): {},
    (_DISCOVERY + "EndpointPort", "name"): "",
    (_DISCOVERY + "EndpointPort", "protocol"): "TCP",
    (_RESOURCE + "ExactDeviceRequest", "allocationMode"): "ExactCount",
    (_RESOURCE + "ExactDeviceRequest", "count"): _device_count,
    (_RESOURCE + "DeviceSubRequest", "allocationMode"): "ExactCount",
    (_RESOURCE + "DeviceSubRequest", "count"): _device_count,
    (_RESOURCE + "DeviceToleration", "operator"): "Equal",
    ("io.k8s.api.networking.v1.NetworkPolicyPort", "protocol"): "TCP",
    ("io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern", "status"): "True",
}


def is_atomic_default(type_name: str, name: str, value: Mapping[str, Any], live: Any) -> bool:
    """Whether the server fills `live` in at `name` of an object of this type that lacks it.

    Args:
        type_name: the definition's name in OpenAPI.
        name: the field that `value` does not have.
        value: the object as the manifest has it.
        live: what the server has there.
    """
    if (type_name, name) not in ATOMIC_DEFAULTS:
        return False
    default = ATOMIC_DEFAULTS[type_name, name]
    expected = default(value) if callable(default) else default
    return live.__class__ is expected.__class__ and bool(expected == live)
