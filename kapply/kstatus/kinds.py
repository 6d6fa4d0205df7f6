"""Rules for kinds that are not workloads, and which rule belongs to which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kapply.kstatus import workloads
from kapply.kstatus.model import (
    Result,
    condition,
    conditions,
    current,
    dig,
    failed,
    in_progress,
    items,
    text,
)

Object = Mapping[str, Any]
Rule = Callable[[Object, datetime], Result]


def _always(obj: Object, now: datetime) -> Result:
    return current("nothing to wait for")


def service(obj: Object, now: datetime) -> Result:
    """Addresses of load balancers are noted, not waited for: a provider may never answer."""
    if text(obj, "spec", "type") != "LoadBalancer":
        return current("nothing to wait for")
    if not text(obj, "spec", "clusterIP"):
        return in_progress("no cluster IP yet")
    return _addressed(obj, "the load balancer")


def ingress(obj: Object, now: datetime) -> Result:
    """Current; a missing address is noted."""
    return _addressed(obj, "the ingress")


def _addressed(obj: Object, what: str) -> Result:
    if items(dig(obj, "status", "loadBalancer", "ingress")):
        return current("has an address")
    return current("nothing to wait for", f"{what} has no address yet")


def autoscaler(obj: Object, now: datetime) -> Result:
    """Current; metrics that cannot be read are noted."""
    for type_ in ("AbleToScale", "ScalingActive"):
        found = condition(obj, type_)
        if found and found.status == "False":
            return current("nothing to wait for", found.why(f"{type_} is False"))
    return current("nothing to wait for")


def volume_claim(obj: Object, now: datetime) -> Result:
    """Bound; a lost volume does not come back."""
    phase = text(obj, "status", "phase")
    if phase == "Bound":
        return current("bound")
    if phase == "Lost":
        return failed("its volume is lost")
    return in_progress(f"phase {phase}, not bound yet" if phase else "not bound yet")


def custom_resource_definition(obj: Object, now: datetime) -> Result:
    """Established, with its names accepted."""
    for found in conditions(obj):
        if found.type == "NamesAccepted" and found.status == "False":
            return failed(found.why("its names are not accepted"))
        if found.type == "Established":
            if found.status == "True":
                return current("established")
            if found.status == "False" and found.reason != "Installing":
                return failed(found.why("not established"))
    return in_progress("not established yet")


def api_service(obj: Object, now: datetime) -> Result:
    """Available (kstatus has no rule for it)."""
    found = condition(obj, "Available")
    if found and found.status == "True":
        return current("available")
    return in_progress(found.why("not available yet") if found else "not available yet")


#: By group and kind; the version does not matter.
RULES: Mapping[tuple[str, str], Rule] = {
    ("", "Secret"): _always,
    ("", "ConfigMap"): _always,
    ("batch", "CronJob"): _always,
    ("policy", "PodDisruptionBudget"): _always,
    ("", "Service"): service,
    ("", "PersistentVolumeClaim"): volume_claim,
    ("", "Pod"): workloads.pod,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("batch", "Job"): workloads.job,
    ("networking.k8s.io", "Ingress"): ingress,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaler,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): api_service,
}
