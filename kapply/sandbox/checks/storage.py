"""Claims, volumes and classes of storage."""

from __future__ import annotations

import difflib
import json
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import IMMUTABLE, POSITIVE, Checks, Found, Object, items, mapping
from kapply.sandbox.checks.placement import check_node_selector
from kapply.sandbox.checks.volumes import SOURCE_CHECKS, SOURCE_NEEDS
from kapply.values.quantity import Quantity

__all__ = ["CHECKS", "check_claim_spec"]

_ACCESS = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
#: The sources of a volume in the order in which the server looks at them.
_SOURCES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd",
    "quobyte", "cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume",
    "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip


def _access_modes(found: Found, path: str, modes: Any) -> None:
    for mode in modes:
        found.one_of(path, mode, _ACCESS)
    if "ReadWriteOncePod" in modes and any(
        mode != "ReadWriteOncePod" and mode in _ACCESS for mode in modes
    ):
        found.forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _positive(found: Found, path: str, text: str) -> bool:
    quantity = Quantity.parse(text)
    if quantity.sign <= 0:
        found.invalid(path, quantity.canonical, POSITIVE)
        return False
    return True


def check_claim_spec(found: Found, path: str, spec: Object) -> None:
    """The spec of a claim, or of a template of claims."""
    modes = items(spec, "accessModes")
    if not modes:
        found.required(f"{path}.accessModes", "at least 1 access mode is required")
    found.selector(f"{path}.selector", spec.get("selector"))
    _access_modes(found, f"{path}.accessModes", modes)
    size = mapping(mapping(spec, "resources"), "requests").get("storage")
    if size is None:
        found.required(f"{path}.resources[storage]")
    else:
        _positive(found, f"{path}.resources[storage]", size)
    name = spec.get("storageClassName")
    if name:
        found.subdomain(f"{path}.storageClassName", name)
    if spec.get("volumeMode") is not None:
        found.one_of(f"{path}.volumeMode", spec["volumeMode"], _MODES)
    for kind in ("dataSource", "dataSourceRef"):
        source = spec.get(kind)
        if source is not None:
            _data_source(found, f"{path}.{kind}", source)
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is not None:
        wrong = ""
        if reference.get("namespace"):
            wrong = "may not be specified when dataSourceRef.namespace is specified"
        elif any(source.get(k) != reference.get(k) for k in ("apiGroup", "kind", "name")):
            wrong = "must match dataSourceRef"
        if wrong:
            found.invalid(path, f"{path}.dataSource", wrong)
    if spec.get("volumeAttributesClassName"):
        found.subdomain(f"{path}.volumeAttributesClassName", spec["volumeAttributesClassName"])


def _data_source(found: Found, path: str, source: Object) -> None:
    for name in ("name", "kind"):
        if not source.get(name):
            found.required(f"{path}.{name}")
    group = source.get("apiGroup") or ""
    if group:
        found.subdomain(f"{path}.apiGroup", group)
    elif source.get("kind") != "PersistentVolumeClaim":
        text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        found.invalid(path, source.get("kind") or "", text)
    if source.get("namespace"):
        found.label(f"{path}.namespace", source["namespace"])


#: The fields of a claim's spec as the server's own struct orders and names them.
_CLAIM_FIELDS = (
    "accessModes", "selector", "resources", "volumeName", "storageClassName", "volumeMode",
    "dataSource", "dataSourceRef", "volumeAttributesClassName",
)  # fmt: skip


def _go_claim(spec: Object) -> list[str]:
    """A claim's spec as the server prints it, in lines."""
    shown: dict[str, Any] = {}
    for name in _CLAIM_FIELDS:
        value = spec.get(name)
        if name == "resources":
            held = mapping(spec, "resources")
            value = {"Limits": held.get("limits"), "Requests": held.get("requests")}
        elif name == "selector" and value is not None:
            value = {k: value.get(k) for k in ("matchLabels", "matchExpressions") if value.get(k)}
        elif name in ("dataSource", "dataSourceRef") and value is not None:
            fields = {"APIGroup": value.get("apiGroup"), "Kind": value.get("kind", "")}
            value = fields | {"Name": value.get("name", "")}
            if name == "dataSourceRef":
                value["Namespace"] = spec[name].get("namespace")
        elif name == "volumeName":
            value = value or ""
        shown[name[0].upper() + name[1:]] = value
    return json.dumps(shown, indent=1, ensure_ascii=False).splitlines(keepends=True)


def _unified(old: list[str], new: list[str]) -> str:
    lines = difflib.unified_diff(old, [*new], "", "", n=3)
    # Go's library ends the last line of a text as the others, and leaves empty names out.
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for line in lines
        if line not in ("--- \n", "+++ \n")
    )


class ClaimChecks(Checks):
    """PersistentVolumeClaims."""

    def create(self, found: Found, obj: Object) -> None:
        check_claim_spec(found, "spec", obj["spec"])

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        spec, before = dict(new["spec"]), dict(old["spec"])
        if not before.get("volumeName") and spec.get("volumeName"):
            before["volumeName"] = spec["volumeName"]
        told, was = (mapping(o["metadata"], "annotations").get(_OLD_CLASS) for o in (new, old))
        if told != was:
            found.invalid(f"metadata.annotations.{_OLD_CLASS}", told or "", IMMUTABLE)
        name = spec.get("storageClassName")
        if name is not None and before.get("storageClassName") is None and was in (None, name):
            before["storageClassName"] = name
        asked, held = _storage(new["spec"]), _storage(old["spec"])
        if mapping(new, "status").get("phase") == "Bound":
            requests = mapping(mapping(before, "resources"), "requests")
            spec["resources"] = {
                **mapping(spec, "resources"),
                "requests": {
                    **mapping(mapping(spec, "resources"), "requests"),
                    "storage": requests.get("storage"),
                },
            }
            before["volumeAttributesClassName"] = spec.get("volumeAttributesClassName")
            if spec.get("volumeAttributesClassName") is None:
                del before["volumeAttributesClassName"]
        if spec != before:
            changes = _unified(_go_claim(before), _go_claim(spec))
            found.forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and"
                f" volumeAttributesClassName for bound claims\n{changes}",
            )
        if asked < held:
            capacity = mapping(mapping(old, "status"), "capacity").get("storage") or "0"
            if asked <= Quantity.parse(capacity):
                text = "field can not be less than status.capacity"
                found.forbidden("spec.resources.requests.storage", text)
        found.immutable("volumeMode", new["spec"].get("volumeMode"), old["spec"].get("volumeMode"))


def _storage(spec: Object) -> Quantity:
    return Quantity.parse(mapping(mapping(spec, "resources"), "requests").get("storage") or "0")


class VolumeChecks(Checks):
    """PersistentVolumes."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        modes = items(spec, "accessModes")
        if not modes:
            found.required("spec.accessModes")
        _access_modes(found, "spec.accessModes", modes)
        _capacity(found, mapping(spec, "capacity"))
        policy = spec.get("persistentVolumeReclaimPolicy")
        if policy:
            found.one_of("spec.persistentVolumeReclaimPolicy", policy, _RECLAIM)
        required = mapping(mapping(spec, "nodeAffinity"), "required")
        if spec.get("nodeAffinity") is not None:
            if not required:
                text = "must specify required node constraints"
                found.required("spec.nodeAffinity.required", text)
            else:
                check_node_selector(found, "spec.nodeAffinity.required", required)
        given = [kind for kind in _SOURCES if spec.get(kind) is not None]
        for position, kind in enumerate(given):
            if position:
                found.forbidden(f"spec.{kind}", "may not specify more than 1 volume type")
            else:
                _source(found, f"spec.{kind}", kind, spec[kind])
                if kind == "local" and not required:
                    found.required("spec.nodeAffinity", "Local volume requires node affinity")
        if not given:
            found.required("spec", "must specify a volume type")
        if spec.get("storageClassName"):
            found.subdomain("spec.storageClassName", spec["storageClassName"])
        if spec.get("volumeMode") is not None:
            found.one_of("spec.volumeMode", spec["volumeMode"], _MODES)

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        spec, before = new["spec"], old["spec"]
        if any(spec.get(kind) != before.get(kind) for kind in _SOURCES):
            text = "spec.persistentvolumesource is immutable after creation\n"
            found.forbidden("spec.persistentvolumesource", text)
        found.immutable("volumeMode", spec.get("volumeMode"), before.get("volumeMode"))
        was, now = before.get("nodeAffinity"), spec.get("nodeAffinity")
        if was is not None and now != was:
            found.invalid("nodeAffinity", now, IMMUTABLE)


def _capacity(found: Found, capacity: Object) -> None:
    if not capacity:
        found.required("spec.capacity")
    if set(capacity) != {"storage"}:
        found.unsupported("spec.capacity", dict(capacity) or None, ["storage"])
    for name, text in capacity.items():
        _positive(found, f"spec.capacity[{name}]", text)


def _source(found: Found, path: str, kind: str, source: Object) -> None:
    if kind == "csi":
        driver = source.get("driver") or ""
        if not driver:
            found.required(f"{path}.driver")
        else:
            found.invalid(f"{path}.driver", driver, *content.dns_subdomain(driver.lower()))
        if not source.get("volumeHandle"):
            found.required(f"{path}.volumeHandle")
        return
    if kind == "local":
        if not source.get("path"):
            found.required(f"{path}.path")
        else:
            found.no_backsteps(f"{path}.path", source["path"])
        return
    for name in SOURCE_NEEDS.get(kind, ()):
        if not source.get(name):
            found.required(f"{path}.{name}")
    check = SOURCE_CHECKS.get(kind)
    if check is not None:
        check(found, path, source)


class ClassChecks(Checks):
    """StorageClasses."""

    def create(self, found: Found, obj: Object) -> None:
        provisioner = obj.get("provisioner") or ""
        if not provisioner:
            found.required("provisioner")
        else:
            found.invalid(
                "provisioner", provisioner.lower(), *content.label_key(provisioner.lower())
            )
        for key in mapping(obj, "parameters"):
            if not key:
                found.invalid("parameters", key, "field can not be empty.")
        policy = obj.get("reclaimPolicy")
        if policy:
            found.one_of("reclaimPolicy", policy, ("Delete", "Retain"))
        mode = obj.get("volumeBindingMode")
        found.one_of("volumeBindingMode", mode, ("Immediate", "WaitForFirstConsumer"))

    def update(self, found: Found, new: Object, old: Object) -> None:
        for name in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"):
            if new.get(name) != old.get(name):
                found.declared.invalid(name, None, IMMUTABLE)


class DriverChecks(Checks):
    """CSIDrivers."""

    def create(self, found: Found, obj: Object) -> None:
        spec = mapping(obj, "spec")
        policy = spec.get("fsGroupPolicy")
        if policy is not None:
            allowed = ("File", "None", "ReadWriteOnceWithFSType")
            found.one_of("spec.fsGroupPolicy", policy, allowed)
        seen: set[str] = set()
        for index, request in enumerate(items(spec, "tokenRequests")):
            path = f"spec.tokenRequests[{index}]"
            audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
            if audience in seen:
                found.duplicate(f"{path}.audience", audience)
                continue
            seen.add(audience)
            if seconds is not None and seconds < 600:
                text = "may not specify a duration less than 10 minutes"
                found.invalid(f"{path}.expirationSeconds", seconds, text)
        for mode in items(spec, "volumeLifecycleModes"):
            found.one_of("spec.volumeLifecycleModes", mode, ("Persistent", "Ephemeral"))

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        now, was = mapping(new, "spec"), mapping(old, "spec")
        path = "spec.attachedRequired"
        found.immutable(path, now.get("attachRequired"), was.get("attachRequired"))
        name = "volumeLifecycleModes"
        if now.get(name) != was.get(name):
            found.declared.invalid(f"spec.{name}", None, IMMUTABLE)


CHECKS: dict[str, type[Checks]] = {
    "CSIDriver": DriverChecks,
    "PersistentVolume": VolumeChecks,
    "PersistentVolumeClaim": ClaimChecks,
    "StorageClass": ClassChecks,
}
