"""Waves: which objects are written together, and after which others.

Namespaces and CRDs come first because nothing in them can exist before; then what workloads
read or run under, then workloads, then what stands in front of them. Webhooks and APIServices
come last, because they can refuse or answer for everything that is written after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kapply.meta import GroupKind
from kapply.planning.model import Desired

_WAVES: tuple[tuple[tuple[str, str], ...], ...] = (
    (("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")),
    (
        ("scheduling.k8s.io", "PriorityClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("storage.k8s.io", "StorageClass"),
        ("networking.k8s.io", "IngressClass"),
        ("", "ResourceQuota"),
        ("", "LimitRange"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("", "ServiceAccount"),
        ("", "Secret"),
        ("", "ConfigMap"),
        ("", "PersistentVolume"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "Role"),
    ),
    (
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("", "PersistentVolumeClaim"),
        ("", "Service"),
        ("policy", "PodDisruptionBudget"),
    ),
    # Every kind that is not named stands with the workloads: wave 3.
    (),
    (
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("networking.k8s.io", "Ingress"),
    ),
    (
        ("apiregistration.k8s.io", "APIService"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ),
)

_DEFAULT_WAVE = 3
_RANK = {GroupKind(*pair): rank for rank, wave in enumerate(_WAVES) for pair in wave}

#: What the wave after the first needs to exist: the engine waits for these.
GATES = frozenset(GroupKind(*pair) for pair in _WAVES[0])


def rank(group_kind: GroupKind) -> int:
    """The wave of a kind, from 0."""
    return _RANK.get(group_kind, _DEFAULT_WAVE)


def waves(desired: Iterable[Desired]) -> list[list[Desired]]:
    """The objects in the waves they are written in; within a wave in the order of the input."""
    ordered: dict[int, list[Desired]] = {}
    for item in desired:
        ordered.setdefault(rank(item.ref.gvk.group_kind), []).append(item)
    return [ordered[number] for number in sorted(ordered)]


def deletion_waves(desired: Sequence[Desired]) -> list[list[Desired]]:
    """The waves of a deletion: the reverse, and custom resources before their CRDs."""
    return [list(reversed(wave)) for wave in reversed(waves(desired))]
