"""Kinds of the core group, apart from Service."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox import content, status
from kapply.sandbox.kinds.services import ServiceStrategy
from kapply.sandbox.objectmeta import NameRule
from kapply.sandbox.strategy import Context, Object, Path, Strategy, at
from kapply.values.quantity import Quantity

__all__ = ["STRATEGIES", "PodStrategy", "qos_class"]

_TOLERATIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class NamespaceStrategy(Strategy):
    """Namespaces carry a finalizer of their own in spec."""

    marks_grace = False
    rule: ClassVar[NameRule] = content.dns_label
    has_status = True

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"phase": "Active"}

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        finalizers = obj["spec"].setdefault("finalizers", [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_update(new, old, ctx)
        new["spec"] = old["spec"]

    def canonicalize(self, obj: Object) -> None:
        metadata = obj["metadata"]
        labels = metadata.setdefault("labels", {})
        labels["kubernetes.io/metadata.name"] = metadata["name"]

    def holds(self, obj: Object) -> bool:
        return bool(at(obj, ("spec", "finalizers")))

    def mark_deleting(self, obj: Object) -> None:
        obj.setdefault("status", {})["phase"] = "Terminating"

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        phase = at(obj, ("status", "phase")) or ""
        return {"status.phase": phase, "name": obj["metadata"].get("name", "")}


class PodStrategy(Strategy):
    """Pods: the default admission plugins, QoS, graceful deletion."""

    generation: ClassVar[tuple[Path, ...]] = (("spec",),)
    has_status = True
    status_resets = (("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))

    def prepare_subresource(self, name: str, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_subresource(name, new, old, ctx)
        if name == "status" and not new["status"].get("qosClass"):
            new["status"]["qosClass"] = at(old, ("status", "qosClass")) or ""

    def admit(self, obj: Object, old: Object | None, ctx: Context) -> None:
        spec = obj["spec"]
        if old is None:
            _set_priority(spec, ctx)
            _set_overhead(spec, obj["metadata"].get("name") or "", ctx)
        else:
            for name in ("priority", "preemptionPolicy"):
                if spec.get(name) is None and old["spec"].get(name) is not None:
                    spec[name] = old["spec"][name]
        found = spec.setdefault("tolerations", [])
        for key in _TOLERATIONS:
            if not any(_tolerates(toleration, key) for toleration in found):
                found.append(
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": 300,
                    }
                )

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending"}

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        if obj["spec"].get("schedulingGates"):
            obj["status"]["conditions"] = [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "lastProbeTime": None,
                    "lastTransitionTime": ctx.env.timestamp(),
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                }
            ]
        _default_pod_resources(obj["spec"])
        obj["status"]["qosClass"] = qos_class(obj["spec"])

    def graceful(self, obj: Object, grace: int | None) -> int | None:
        period = grace
        if period is None:
            period = obj["spec"].get("terminationGracePeriodSeconds")
            period = 30 if period is None else period
        if not obj["spec"].get("nodeName"):
            period = 0  # never scheduled: nobody has to stop it
        if at(obj, ("status", "phase")) in ("Failed", "Succeeded"):
            period = 0
        return 1 if period < 0 else period

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        spec, state = obj.get("spec") or {}, obj.get("status") or {}
        addresses = state.get("podIPs") or [{}]
        return {
            "spec.nodeName": spec.get("nodeName", ""),
            "spec.restartPolicy": spec.get("restartPolicy", ""),
            "spec.schedulerName": spec.get("schedulerName", ""),
            "spec.serviceAccountName": spec.get("serviceAccountName", ""),
            "spec.hostNetwork": "true" if spec.get("hostNetwork") else "false",
            "status.phase": state.get("phase", ""),
            "status.podIP": addresses[0].get("ip", ""),
            "status.podIPs": addresses[0].get("ip", ""),
            "status.nominatedNodeName": state.get("nominatedNodeName", ""),
        }


def _default_pod_resources(spec: Object) -> None:
    """What a pod as a whole asks for: what its containers do, or else what it is limited to."""
    resources = spec.get("resources") or {}
    if not resources.get("limits"):
        return
    requests = resources.get("requests") or {}
    for name, limit in resources["limits"].items():
        asked = [
            Quantity.parse(text)
            for container in spec.get("containers") or ()
            if (text := at(container, ("resources", "requests", name))) is not None
        ]
        total: Quantity | None = None
        for quantity in asked:
            total = _sum(total, quantity)
        if name in ("cpu", "memory") and name not in requests:
            requests[name] = limit if total is None else total.canonical
    resources["requests"] = dict(sorted(requests.items()))


def _set_overhead(spec: Object, pod: str, ctx: Context) -> None:
    """The RuntimeClass plugin: the class decides about the overhead and where its pods run."""
    name = spec.get("runtimeClassName") or ""
    wrong = ""
    found: Object = {}
    if name:
        record = ctx.view.get("runtimeclasses.node.k8s.io", "", name)
        if record is None:
            wrong = f'RuntimeClass "{name}" not found'
        else:
            found = record.load()
    overhead = at(found, ("overhead", "podFixed"))
    if not wrong and overhead:
        if spec.get("overhead") and spec["overhead"] != overhead:
            wrong = "Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        spec["overhead"] = overhead
    elif not wrong and spec.get("overhead"):
        wrong = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
    if wrong:
        raise status.forbidden(status.Resource("", "pods"), pod, f"pod rejected: {wrong}")
    scheduling = found.get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **scheduling["nodeSelector"]}
    for toleration in scheduling.get("tolerations") or ():
        if toleration not in spec.setdefault("tolerations", []):
            spec["tolerations"].append(toleration)


def _tolerates(toleration: Object, key: str) -> bool:
    effect = toleration.get("effect") or ""
    return effect in ("", "NoExecute") and (toleration.get("key") or "") in ("", key)


def _set_priority(spec: Object, ctx: Context) -> None:
    """The Priority plugin: the class decides, the client may not."""
    name = spec.get("priorityClassName") or ""
    value, policy = 0, "PreemptLowerPriority"
    if name:
        record = ctx.view.get("priorityclasses.scheduling.k8s.io", "", name)
        if record is None:
            named = status.Resource("", "pods")
            text = f"no PriorityClass with name {name} was found"
            raise status.forbidden(named, ctx.call.target.name or "", text)
        found = record.load()
        value, policy = found.get("value", 0), found.get("preemptionPolicy") or policy
    else:
        for record in ctx.view.select("priorityclasses.scheduling.k8s.io"):
            found = record.load()
            if found.get("globalDefault"):
                value, policy = found.get("value", 0), found.get("preemptionPolicy") or policy
                spec["priorityClassName"] = found["metadata"]["name"]
                break
    if spec.get("priority") is not None and spec["priority"] != value:
        raise status.forbidden(
            status.Resource("", "pods"),
            ctx.call.target.name or "",
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec;"
            f" priority admission controller computed {value} from the given PriorityClass name",
        )
    spec["priority"] = value
    spec.setdefault("preemptionPolicy", policy)


def qos_class(spec: Mapping[str, Any]) -> str:
    """The quality of service of a Pod: Guaranteed, Burstable or BestEffort."""
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}
    guaranteed = True
    pod_level = spec.get("resources") or {}
    holders = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    if pod_level:
        holders = [{"resources": pod_level}]
    for container in holders:
        resources = container.get("resources") or {}
        limited: set[str] = set()
        for kind, totals in (("requests", requests), ("limits", limits)):
            for name, text in (resources.get(kind) or {}).items():
                quantity = Quantity.parse(text)
                if name in ("cpu", "memory") and quantity.sign > 0:
                    before = totals.get(name)
                    totals[name] = _sum(before, quantity)
                    if kind == "limits":
                        limited.add(name)
        if limited != {"cpu", "memory"}:
            guaranteed = False
    if not requests and not limits:
        return "BestEffort"
    if guaranteed and requests == limits:
        return "Guaranteed"
    return "Burstable"


def _sum(left: Quantity | None, right: Quantity) -> Quantity:
    if left is None:
        return right
    return Quantity.parse(f"{left.scaled(-3) + right.scaled(-3)}m")


class SecretStrategy(Strategy):
    """Secrets: stringData goes into data and is not kept."""

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        self._merge(obj)

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        self._merge(new)
        if not new.get("type"):
            new["type"] = old.get("type", "")

    def default(self, obj: Object, version: str) -> None:
        self._merge(obj)

    def _merge(self, obj: Object) -> None:
        texts = obj.pop("stringData", None)
        if texts:
            found = obj.setdefault("data", {})
            for key, text in texts.items():
                raw = text.encode("utf-8", "surrogatepass")
                found[key] = base64.b64encode(raw).decode()
            obj["data"] = dict(sorted(found.items()))

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"type": obj.get("type", "")}


class Protected(Strategy):
    """Volumes and claims, whose finalizer goes when nobody uses them; here nobody ever does."""

    def finalizers_on_delete(self, finalizers: list[str]) -> list[str]:
        return [name for name in finalizers if name not in _PROTECTION]


_PROTECTION = ("kubernetes.io/pvc-protection", "kubernetes.io/pv-protection")


class ClaimStrategy(Protected):
    """PersistentVolumeClaims."""

    has_status = True
    status_resets = ()

    def admit(self, obj: Object, old: Object | None, ctx: Context) -> None:
        if old is None:
            _protect(obj, "kubernetes.io/pvc-protection")
            if obj["spec"].get("storageClassName") is None:
                name = _default_storage_class(ctx)
                if name:
                    obj["spec"]["storageClassName"] = name

    def admit_checked(self, obj: Object, old: Object, ctx: Context) -> None:
        if at(old, ("status", "phase")) == "Bound":
            _admit_resize(obj, old, ctx)

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending"}

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        source, reference = obj["spec"].get("dataSource"), obj["spec"].get("dataSourceRef")
        if source and not reference:
            obj["spec"]["dataSourceRef"] = dict(source)
        elif reference and not source and not reference.get("namespace"):
            obj["spec"]["dataSource"] = dict(reference)


class VolumeStrategy(Protected):
    """PersistentVolumes."""

    has_status = True

    def admit(self, obj: Object, old: Object | None, ctx: Context) -> None:
        if old is None:
            _protect(obj, "kubernetes.io/pv-protection")

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending"}

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        obj["status"]["lastPhaseTransitionTime"] = ctx.env.timestamp()


def _admit_resize(new: Object, old: Object, ctx: Context) -> None:
    """The PersistentVolumeClaimResize plugin: a bound claim grows where its class allows it."""
    path = ("spec", "resources", "requests", "storage")
    wanted, had = (Quantity.parse(at(obj, path) or "0") for obj in (new, old))
    if wanted <= had:
        return
    name = old["spec"].get("storageClassName") or ""
    record = ctx.view.get("storageclasses.storage.k8s.io", "", name) if name else None
    if record is None or not record.load().get("allowVolumeExpansion"):
        text = (
            "only dynamically provisioned pvc can be resized and the storageclass that provisions"
            " the pvc must support resize"
        )
        named = status.Resource("", "persistentvolumeclaims")
        raise status.forbidden(named, new["metadata"].get("name") or "", text)


def _protect(obj: Object, finalizer: str) -> None:
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _default_storage_class(ctx: Context) -> str:
    key = "storageclass.kubernetes.io/is-default-class"
    found = [
        obj["metadata"]
        for record in ctx.view.select("storageclasses.storage.k8s.io")
        for obj in (record.load(),)
        if (obj["metadata"].get("annotations") or {}).get(key) == "true"
    ]
    found.sort(key=lambda m: (m.get("creationTimestamp", ""), m["name"]), reverse=True)
    return str(found[0]["name"]) if found else ""


class NodeStrategy(Strategy):
    """Nodes keep the status they are created with."""

    def admit(self, obj: Object, old: Object | None, ctx: Context) -> None:
        taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
        taints = obj["spec"].get("taints") or []
        if old is None and taint not in taints:
            obj["spec"]["taints"] = [*taints, taint]

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        new["status"] = old.get("status", {})

    def reset_fields(self, subresource: str) -> tuple[Path, ...]:
        return (("spec",),) if subresource == "status" else (("status",),)

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"spec.unschedulable": str(bool(at(obj, ("spec", "unschedulable")))).lower()}


class ControllerStrategy(Strategy):
    """ReplicationControllers."""

    generation: ClassVar[tuple[Path, ...]] = (("spec",),)
    has_status = True

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"replicas": 0}

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"status.replicas": str(at(obj, ("status", "replicas")) or 0)}


class QuotaStrategy(Strategy):
    """ResourceQuotas."""

    has_status = True


class TemplateStrategy(Strategy):
    """PodTemplates."""

    generation: ClassVar[tuple[Path, ...]] = (("template",),)


class CreateOnUpdate(Strategy):
    """Kinds that a PUT may create."""

    create_on_update = True


class EventStrategy(CreateOnUpdate):
    """Events: their selectable fields."""

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        involved = obj.get("involvedObject") or {}
        source = (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or ""
        found = {
            f"involvedObject.{name}": involved.get(name, "")
            for name in (
                "kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath",
            )
        }  # fmt: skip
        return {
            **found,
            "reason": obj.get("reason", ""),
            "reportingComponent": obj.get("reportingComponent", ""),
            "source": source,
            "type": obj.get("type", ""),
        }


STRATEGIES: Mapping[str, type[Strategy]] = {
    "Endpoints": CreateOnUpdate,
    "Event": EventStrategy,
    "LimitRange": CreateOnUpdate,
    "Namespace": NamespaceStrategy,
    "Node": NodeStrategy,
    "PersistentVolume": VolumeStrategy,
    "PersistentVolumeClaim": ClaimStrategy,
    "Pod": PodStrategy,
    "PodTemplate": TemplateStrategy,
    "ReplicationController": ControllerStrategy,
    "ResourceQuota": QuotaStrategy,
    "Secret": SecretStrategy,
    "Service": ServiceStrategy,
}
