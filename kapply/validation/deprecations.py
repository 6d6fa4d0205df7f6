"""apiVersions that went or will go: since when, until when, and what takes their place.

The years are those of Kubernetes' API lifecycle markers and its Deprecated API Migration Guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from kapply.errors import Problem
from kapply.meta import GroupVersionKind
from kapply.validation.documents import ManifestDocument, gvk_of, subject_of


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What is known of one kind's version.

    Attributes:
        gvk: the kind.
        deprecated: the minor of Kubernetes 1 that deprecated it.
        removed: the minor that no longer serves it; 0 when no removal is planned.
        replacement: the apiVersion to use; "" when there is none.
        note: what else to know.
    """

    gvk: GroupVersionKind
    deprecated: int
    removed: int
    replacement: str
    note: str = ""

    @property
    def message(self) -> str:
        """For a version that is gone."""
        return f"{self.gvk} is no longer served since Kubernetes 1.{self.removed}"

    @property
    def warning(self) -> str:
        """For a version that is still served."""
        until = f", no longer served from 1.{self.removed} on" if self.removed else ""
        return f"{self.gvk} is deprecated since Kubernetes 1.{self.deprecated}{until}"

    @property
    def hint(self) -> str:
        """What to use instead."""
        if self.replacement:
            return f"use {self.replacement}" + (f" ({self.note})" if self.note else "")
        return self.note or "there is no replacement"


# apiVersion: (deprecated, removed, replacement, kinds[, note])
_Row = tuple[int, int, str, str] | tuple[int, int, str, str, str]
_RBAC = "ClusterRole ClusterRoleBinding Role RoleBinding"
_REVIEWS = (
    "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview"
)
_DRA = "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice"
_PSP = "Pod Security Admission took the place of PodSecurityPolicy"
_ADMISSION = "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding"
_VALIDATING = "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
_TABLE: Mapping[str, tuple[_Row, ...]] = {
    "v1": (
        (19, 0, "", "ComponentStatus", "read the components' own /readyz"),
        (33, 0, "discovery.k8s.io/v1", "Endpoints", "as EndpointSlice"),
    ),
    "extensions/v1beta1": (
        (8, 16, "apps/v1", "DaemonSet Deployment ReplicaSet"),
        (9, 16, "networking.k8s.io/v1", "NetworkPolicy"),
        (14, 22, "networking.k8s.io/v1", "Ingress"),
        (11, 16, "", "PodSecurityPolicy", _PSP),
    ),
    "apps/v1beta1": ((8, 16, "apps/v1", "ControllerRevision Deployment StatefulSet"),),
    "apps/v1beta2": (
        (9, 16, "apps/v1", "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    ),
    "admissionregistration.k8s.io/v1alpha1": (
        (29, 32, "admissionregistration.k8s.io/v1", _VALIDATING),
        (35, 38, "admissionregistration.k8s.io/v1", _ADMISSION),
    ),
    "admissionregistration.k8s.io/v1beta1": (
        (
            16,
            22,
            "admissionregistration.k8s.io/v1",
            "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        ),
        (31, 34, "admissionregistration.k8s.io/v1", _VALIDATING),
        (37, 40, "admissionregistration.k8s.io/v1", _ADMISSION),
    ),
    "apiextensions.k8s.io/v1beta1": (
        (16, 22, "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ),
    "apiregistration.k8s.io/v1beta1": ((19, 22, "apiregistration.k8s.io/v1", "APIService"),),
    "auditregistration.k8s.io/v1alpha1": (
        (18, 19, "", "AuditSink", "configure audit webhooks on the API server"),
    ),
    "authentication.k8s.io/v1alpha1": ((29, 32, "authentication.k8s.io/v1", "SelfSubjectReview"),),
    "authentication.k8s.io/v1beta1": (
        (19, 22, "authentication.k8s.io/v1", "TokenReview"),
        (30, 33, "authentication.k8s.io/v1", "SelfSubjectReview"),
    ),
    "authorization.k8s.io/v1beta1": ((19, 22, "authorization.k8s.io/v1", _REVIEWS),),
    "autoscaling/v2beta1": ((22, 25, "autoscaling/v2", "HorizontalPodAutoscaler"),),
    "autoscaling/v2beta2": ((23, 26, "autoscaling/v2", "HorizontalPodAutoscaler"),),
    "batch/v1beta1": ((21, 25, "batch/v1", "CronJob"),),
    "batch/v2alpha1": ((8, 21, "batch/v1", "CronJob"),),
    "certificates.k8s.io/v1alpha1": (
        (34, 37, "certificates.k8s.io/v1beta1", "ClusterTrustBundle"),
    ),
    "certificates.k8s.io/v1beta1": (
        (19, 22, "certificates.k8s.io/v1", "CertificateSigningRequest"),
        (37, 40, "certificates.k8s.io/v1", "ClusterTrustBundle PodCertificateRequest"),
    ),
    "coordination.k8s.io/v1beta1": ((19, 22, "coordination.k8s.io/v1", "Lease"),),
    "coordination.k8s.io/v1alpha2": ((35, 38, "coordination.k8s.io/v1beta1", "LeaseCandidate"),),
    "discovery.k8s.io/v1beta1": ((21, 25, "discovery.k8s.io/v1", "EndpointSlice"),),
    "events.k8s.io/v1beta1": ((22, 25, "events.k8s.io/v1", "Event"),),
    "flowcontrol.apiserver.k8s.io/v1beta1": (
        (23, 26, "flowcontrol.apiserver.k8s.io/v1", "FlowSchema PriorityLevelConfiguration"),
    ),
    "flowcontrol.apiserver.k8s.io/v1beta2": (
        (26, 29, "flowcontrol.apiserver.k8s.io/v1", "FlowSchema PriorityLevelConfiguration"),
    ),
    "flowcontrol.apiserver.k8s.io/v1beta3": (
        (29, 32, "flowcontrol.apiserver.k8s.io/v1", "FlowSchema PriorityLevelConfiguration"),
    ),
    "networking.k8s.io/v1beta1": (
        (19, 22, "networking.k8s.io/v1", "Ingress IngressClass"),
        (34, 37, "networking.k8s.io/v1", "IPAddress ServiceCIDR"),
    ),
    "node.k8s.io/v1alpha1": ((20, 22, "node.k8s.io/v1", "RuntimeClass"),),
    "node.k8s.io/v1beta1": ((22, 25, "node.k8s.io/v1", "RuntimeClass"),),
    "policy/v1beta1": (
        (21, 25, "policy/v1", "PodDisruptionBudget"),
        (22, 25, "policy/v1", "Eviction"),
        (21, 25, "", "PodSecurityPolicy", _PSP),
    ),
    "rbac.authorization.k8s.io/v1alpha1": ((17, 22, "rbac.authorization.k8s.io/v1", _RBAC),),
    "rbac.authorization.k8s.io/v1beta1": ((17, 22, "rbac.authorization.k8s.io/v1", _RBAC),),
    "resource.k8s.io/v1alpha3": ((36, 39, "resource.k8s.io/v1beta2", "DeviceTaintRule"),),
    "resource.k8s.io/v1beta1": ((35, 38, "resource.k8s.io/v1", _DRA),),
    "resource.k8s.io/v1beta2": ((36, 39, "resource.k8s.io/v1", _DRA),),
    "scheduling.k8s.io/v1alpha1": ((14, 22, "scheduling.k8s.io/v1", "PriorityClass"),),
    "scheduling.k8s.io/v1beta1": ((14, 22, "scheduling.k8s.io/v1", "PriorityClass"),),
    "settings.k8s.io/v1alpha1": ((19, 20, "", "PodPreset", "use an admission webhook"),),
    "storage.k8s.io/v1alpha1": (
        (21, 24, "storage.k8s.io/v1", "CSIStorageCapacity VolumeAttachment"),
        (32, 35, "storage.k8s.io/v1", "VolumeAttributesClass"),
    ),
    "storage.k8s.io/v1beta1": (
        (19, 22, "storage.k8s.io/v1", "CSIDriver StorageClass VolumeAttachment"),
        (17, 22, "storage.k8s.io/v1", "CSINode"),
        (24, 27, "storage.k8s.io/v1", "CSIStorageCapacity"),
        (34, 37, "storage.k8s.io/v1", "VolumeAttributesClass"),
    ),
    "storagemigration.k8s.io/v1beta1": (
        (37, 40, "storagemigration.k8s.io/v1", "StorageVersionMigration"),
    ),
}


@cache
def lifecycles() -> Mapping[GroupVersionKind, Lifecycle]:
    """Every known lifecycle, by kind."""
    return {found.gvk: found for found in _rows()}


def _rows() -> Iterator[Lifecycle]:
    for api_version, rows in _TABLE.items():
        for deprecated, removed, replacement, kinds, *note in rows:
            for kind in kinds.split():
                gvk = GroupVersionKind.parse(api_version, kind)
                yield Lifecycle(gvk, deprecated, removed, replacement, *note)


def lifecycle_of(gvk: GroupVersionKind) -> Lifecycle | None:
    """What is known of a kind's version; None for one that is neither gone nor going."""
    return lifecycles().get(gvk)


def deprecations(documents: Sequence[ManifestDocument], minor: int) -> list[Problem]:
    """A warning for each document whose apiVersion is deprecated but served.

    Args:
        documents: what was read.
        minor: of the Kubernetes 1.x that will take them.
    """
    warnings = []
    for document in documents:
        gvk, _ = gvk_of(document.obj)
        known = lifecycle_of(gvk) if gvk is not None else None
        if known is None or known.deprecated > minor or 0 < known.removed <= minor:
            continue
        warnings.append(
            Problem(
                known.warning,
                document.locate(("apiVersion",), value=True),
                subject=subject_of(document.obj),
                field="apiVersion",
                hint=known.hint,
            )
        )
    return warnings
