"""Which rules look at which kind as a whole; those of its types are found by the walk."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.meta import GroupKind, JsonObject
from kapply.validation.rules.access import cluster_role_binding, role, role_binding
from kapply.validation.rules.base import Report, Rule
from kapply.validation.rules.config import config_map, secret
from kapply.validation.rules.definitions import definition
from kapply.validation.rules.network import ingress, service
from kapply.validation.rules.pods import pod
from kapply.validation.rules.policies import endpoint_slice, ingress_class
from kapply.validation.rules.quotas import priority_class, runtime_class
from kapply.validation.rules.storage import storage_class
from kapply.validation.rules.webhooks import api_service, webhook_configuration
from kapply.validation.rules.workloads import cron_job


def _spec_with(*fields: str, at: str = "spec") -> Rule:
    """A kind that cannot do without its spec, as these fields of it must be there."""

    def rule(obj: JsonObject, report: Report) -> None:
        if obj.get(at) is None:
            for field in fields:
                report.missing((at, field))

    return rule


_RULES: Mapping[GroupKind, tuple[Rule, ...]] = {
    GroupKind("", "ConfigMap"): (config_map,),
    GroupKind("", "PersistentVolume"): (_spec_with("accessModes", "capacity"),),
    GroupKind("", "PersistentVolumeClaim"): (_spec_with("accessModes", "resources"),),
    GroupKind("", "Pod"): (_spec_with("containers"), pod),
    GroupKind("", "ReplicationController"): (_spec_with("selector", "template"),),
    GroupKind("", "Secret"): (secret,),
    GroupKind("", "Service"): (service,),
    GroupKind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (
        webhook_configuration,
    ),
    GroupKind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (
        webhook_configuration,
    ),
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): (definition,),
    GroupKind("apiregistration.k8s.io", "APIService"): (api_service,),
    GroupKind("autoscaling", "HorizontalPodAutoscaler"): (
        _spec_with("scaleTargetRef", "maxReplicas"),
    ),
    GroupKind("batch", "CronJob"): (cron_job,),
    GroupKind("batch", "Job"): (_spec_with("template"),),
    GroupKind("discovery.k8s.io", "EndpointSlice"): (endpoint_slice,),
    GroupKind("networking.k8s.io", "Ingress"): (ingress,),
    GroupKind("networking.k8s.io", "IngressClass"): (ingress_class,),
    GroupKind("node.k8s.io", "RuntimeClass"): (runtime_class,),
    GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"): (cluster_role_binding,),
    GroupKind("rbac.authorization.k8s.io", "Role"): (role,),
    GroupKind("rbac.authorization.k8s.io", "RoleBinding"): (role_binding,),
    GroupKind("scheduling.k8s.io", "PriorityClass"): (priority_class,),
    GroupKind("storage.k8s.io", "StorageClass"): (storage_class,),
}


def rules_for(kind: GroupKind) -> tuple[Rule, ...]:
    """The rules of a kind; none for kinds that only their schema describes."""
    return _RULES.get(kind, ())
