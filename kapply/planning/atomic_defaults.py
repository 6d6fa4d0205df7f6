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
_RBAC_GROUP = "rbac.authorization.k8s.io"


def _subject_group(subject: Mapping[str, Any]) -> str:
    return "" if subject.get("kind") == "ServiceAccount" else _RBAC_GROUP


#: (type, field) -> the value, or what makes it from the object that lacks it.
ATOMIC_DEFAULTS: Mapping[tuple[str, str], Default] = {
    (_CORE + "ObjectFieldSelector", "apiVersion"): "v1",
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
    ("io.k8s.api.networking.v1.NetworkPolicyPort", "protocol"): "TCP",
    ("io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern", "status"): "True",
}
