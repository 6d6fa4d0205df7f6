"""Kinds of the smaller groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox import content, objectmeta
from kapply.sandbox.fielderr import Errors
from kapply.sandbox.objectmeta import NameRule
from kapply.sandbox.strategy import Context, Object, Path, Strategy, at

__all__ = ["STRATEGIES"]

_NOT_RUN = (
    "the kapply sandbox stores this object and does not act on it: no webhook is called and no"
    " admission policy is evaluated"
)
_SPEC: tuple[Path, ...] = (("spec",),)


class Counted(Strategy):
    """A spec with a generation, and no status."""

    generation: ClassVar[tuple[Path, ...]] = _SPEC


class WithStatus(Strategy):
    """A spec and a status, without a generation."""

    has_status = True


class CountedWithStatus(Strategy):
    """A spec with a generation, and a status."""

    generation: ClassVar[tuple[Path, ...]] = _SPEC
    has_status = True


class Ingress(CountedWithStatus):
    """Ingresses."""

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"loadBalancer": {}}


class DisruptionBudget(CountedWithStatus):
    """PodDisruptionBudgets, whose metadata is looked at only when the rest is right."""

    unconditional_update = False

    def validate(self, obj: Object) -> Errors:
        return self.validate_spec(obj) or objectmeta.validate(
            obj["metadata"], namespaced=True, rule=content.path_segment
        )

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {
            "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
        }  # fmt: skip


class Autoscaler(CountedWithStatus):
    """HorizontalPodAutoscalers, in their storage version v2."""

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"desiredReplicas": 0, "currentMetrics": None}


class Rbac(Strategy):
    """Roles and bindings: any path segment is a name."""

    rule: ClassVar[NameRule] = content.path_segment
    create_on_update = True


class Stored(Strategy):
    """What is kept for reading alone: nothing here calls webhooks or runs policies."""

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        told = super().warnings(obj, old)
        return [*told, _NOT_RUN] if old is None else told


class Webhooks(Stored):
    """Webhook configurations."""

    generation: ClassVar[tuple[Path, ...]] = (("webhooks",),)
    unconditional_update = False


class AdmissionPolicy(Stored, Counted):
    """Admission policies and bindings."""

    unconditional_update = False


class ValidatingPolicy(Stored, CountedWithStatus):
    """ValidatingAdmissionPolicies."""

    unconditional_update = False


class PriorityClass(Strategy):
    """PriorityClasses: a generation that stays 1."""

    generation: ClassVar[tuple[Path, ...]] = (("metadata", "uid"),)


class EndpointSlice(Strategy):
    """EndpointSlices count changes of all but metadata, and of labels."""

    generation: ClassVar[tuple[Path, ...]] = (
        ("addressType",), ("endpoints",), ("ports",), ("metadata", "labels"),
    )  # fmt: skip


class Conditional(Strategy):
    """Kinds whose PUT needs a resourceVersion."""

    unconditional_update = False


class Lease(Conditional):
    """Leases."""

    create_on_update = True


class RuntimeClass(Conditional):
    """RuntimeClasses."""

    create_on_update = True


class ConditionalWithStatus(WithStatus):
    """Kinds with a status whose PUT needs a resourceVersion."""

    unconditional_update = False


class Attachment(ConditionalWithStatus):
    """VolumeAttachments."""

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"attached": False}


class SigningRequest(Strategy):
    """CertificateSigningRequests: the spec is who asked, and never changes."""

    has_status = True

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        obj["spec"]["username"] = ctx.env.user
        obj["spec"]["groups"] = list(ctx.env.groups)
        for name in ("uid", "extra"):
            obj["spec"].pop(name, None)
        if ctx.env.user_uid:
            obj["spec"]["uid"] = ctx.env.user_uid
        if ctx.env.extra:
            obj["spec"]["extra"] = {name: list(v) for name, v in ctx.env.extra.items()}

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_update(new, old, ctx)
        new["spec"] = old["spec"]

    def reset_fields(self, subresource: str) -> tuple[Path, ...]:
        if subresource == "status":
            return (("spec",), ("status", "conditions"))
        if subresource == "approval":
            return (("spec",), ("status", "certificate"))
        return (("spec",), ("status",))

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"spec.signerName": at(obj, ("spec", "signerName")) or ""}


STRATEGIES: Mapping[str, type[Strategy]] = {
    "CSIDriver": Conditional,
    "CSINode": ConditionalWithStatus,
    "CSIStorageCapacity": Conditional,
    "CertificateSigningRequest": SigningRequest,
    "ClusterRole": Rbac,
    "ClusterRoleBinding": Rbac,
    "ClusterTrustBundle": Conditional,
    "DeviceClass": Counted,
    "DeviceTaintRule": CountedWithStatus,
    "EndpointSlice": EndpointSlice,
    "FlowSchema": CountedWithStatus,
    "HorizontalPodAutoscaler": Autoscaler,
    "Ingress": Ingress,
    "IngressClass": Counted,
    "Lease": Lease,
    "MutatingAdmissionPolicy": AdmissionPolicy,
    "MutatingAdmissionPolicyBinding": AdmissionPolicy,
    "MutatingWebhookConfiguration": Webhooks,
    "NetworkPolicy": Counted,
    "PodCertificateRequest": ConditionalWithStatus,
    "PodDisruptionBudget": DisruptionBudget,
    "PriorityClass": PriorityClass,
    "PriorityLevelConfiguration": CountedWithStatus,
    "ResourceClaim": WithStatus,
    "ResourceSlice": Counted,
    "Role": Rbac,
    "RoleBinding": Rbac,
    "RuntimeClass": RuntimeClass,
    "ServiceCIDR": WithStatus,
    "StorageVersionMigration": ConditionalWithStatus,
    "ValidatingAdmissionPolicy": ValidatingPolicy,
    "ValidatingAdmissionPolicyBinding": AdmissionPolicy,
    "ValidatingWebhookConfiguration": Webhooks,
    "VolumeAttachment": Attachment,
}
