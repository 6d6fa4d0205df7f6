"""What a verdict on health needs beside the object: its CRD, its StorageClass, its Pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kapply.client import Client
from kapply.errors import ApiError, KapplyError
from kapply.kstatus import CustomStatus, custom_status
from kapply.kstatus.model import dig, items
from kapply.kstatus.model import mapping as mapping_of
from kapply.meta import GroupVersionKind, JsonObject, RESTMapping
from kapply.query.selectors import Selector, SelectorError, label_selector

POD = RESTMapping(GroupVersionKind("", "v1", "Pod"), "pods", namespaced=True)
EVENT = RESTMapping(GroupVersionKind("", "v1", "Event"), "events", namespaced=True)
REPLICA_SET = RESTMapping(GroupVersionKind("apps", "v1", "ReplicaSet"), "replicasets", True)
STORAGE_CLASS = RESTMapping(
    GroupVersionKind("storage.k8s.io", "v1", "StorageClass"), "storageclasses", namespaced=False
)
CUSTOM_RESOURCES = RESTMapping(
    GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
    "customresourcedefinitions",
    namespaced=False,
)

# Groups that the server itself serves; objects of any other come from a CRD or an extension.
_BUILT_IN = frozenset(
    ("", "apps", "batch", "autoscaling", "policy", "resource.k8s.io", "internal.apiserver.k8s.io")
) | {
    f"{name}.k8s.io"
    for name in (
        "admissionregistration", "apiextensions", "apiregistration", "authentication",
        "authorization", "certificates", "coordination", "discovery", "events",
        "flowcontrol.apiserver", "networking", "node", "rbac.authorization", "scheduling",
        "storage", "storagemigration",
    )
}  # fmt: skip

#: How many objects of a kind are looked at to see whether a controller writes their status.
SAMPLE = 50


class Facts:
    """Reads each fact once; one that may not be read counts as not known.

    Args:
        client: the server.
        crds: CustomResourceDefinitions of the input, which need not be read.
    """

    def __init__(self, client: Client, crds: Iterable[Mapping[str, Any]] = ()) -> None:
        self._client = client
        self._crds: dict[str, Mapping[str, Any] | None] = {
            str((crd.get("metadata") or {}).get("name")): crd for crd in crds
        }
        self._custom: dict[GroupVersionKind, CustomStatus | None] = {}
        self._modes: dict[str, str | None] = {}

    def custom(self, mapping: RESTMapping, obj: JsonObject) -> CustomStatus | None:
        """What the CRD of a custom resource says of its status, where the verdict hangs on it.

        Raises UnreachableError and the like; so does `binding_mode`.
        """
        if mapping.gvk.group in _BUILT_IN or obj.get("status") or not obj.get("spec"):
            return None
        gvk = mapping.gvk
        if gvk not in self._custom:
            crd = self._crd(mapping.group_resource)
            found = custom_status(crd, gvk.version) if crd is not None else None
            if found is not None and found.declared:
                found = CustomStatus(declared=True, written=self._status_is_written(mapping, obj))
            self._custom[gvk] = found
        return self._custom[gvk]

    def status_seen(self, mapping: RESTMapping) -> None:
        """A controller has written the status of an object of this kind."""
        known = self._custom.get(mapping.gvk)
        if known is not None and known.declared:
            self._custom[mapping.gvk] = CustomStatus(declared=True, written=True)

    def binding_mode(self, claim: JsonObject) -> str | None:
        """The volumeBindingMode of the StorageClass of a claim; None where there is none."""
        name = dig(claim, "spec", "storageClassName")
        if not isinstance(name, str) or not name:
            return None
        if name not in self._modes:
            found = self._read(STORAGE_CLASS, name)
            mode = found.get("volumeBindingMode") if found else None
            self._modes[name] = mode if isinstance(mode, str) else None
        return self._modes[name]

    def _crd(self, name: str) -> Mapping[str, Any] | None:
        if name not in self._crds:
            self._crds[name] = self._read(CUSTOM_RESOURCES, name)
        return self._crds[name]

    def _read(self, mapping: RESTMapping, name: str) -> JsonObject | None:
        try:
            return self._client.get(mapping, name)
        except (ApiError, ValueError):
            return None

    def _status_is_written(self, mapping: RESTMapping, obj: JsonObject) -> bool:
        namespace = str((obj.get("metadata") or {}).get("namespace") or "")
        for where in dict.fromkeys(("", namespace)):
            try:
                page = next(self._client.pages(mapping, where, limit=SAMPLE))
            except KapplyError:
                continue
            return any(item.get("status") for item in page.items)
        return False


def selector_of(obj: Mapping[str, Any]) -> Selector:
    """What a workload's spec.selector selects; nothing where it has none or it is malformed."""
    try:
        return label_selector(dig(obj, "spec", "selector"))
    except SelectorError:
        return Selector(nothing=True)


def owner_uid(obj: Mapping[str, Any]) -> str:
    """The uid of the controller that owns an object; "" for none."""
    for owner in items(dig(obj, "metadata", "ownerReferences")):
        if owner.get("controller"):
            return str(owner.get("uid") or "")
    return ""


def current_pods(
    obj: JsonObject, pods: Iterable[JsonObject], replica_sets: Iterable[JsonObject]
) -> list[JsonObject]:
    """The Pods of a workload that its present template made: older ones say nothing of it.

    A Deployment's are those of the ReplicaSet with the same template, a StatefulSet's those of
    status.updateRevision; of every other controller all that it owns, of a Pod the Pod itself.
    """
    kind, uid = obj.get("kind"), str(dig(obj, "metadata", "uid") or "")
    mine = list(pods)
    if kind == "Pod":
        return [pod for pod in mine if pod["metadata"].get("uid") == uid]
    if kind == "Deployment":
        template = _template(obj)
        owners = {
            str(rs["metadata"].get("uid"))
            for rs in replica_sets
            if owner_uid(rs) == uid and _template(rs) == template
        }
        return [pod for pod in mine if owner_uid(pod) in owners]
    mine = [pod for pod in mine if owner_uid(pod) == uid]
    if kind == "StatefulSet":
        label = ("metadata", "labels", "controller-revision-hash")
        revision = dig(obj, "status", "updateRevision")
        mine = [pod for pod in mine if dig(pod, *label) == revision]
    return mine


def _template(obj: Mapping[str, Any]) -> Any:
    """spec.template without the label that the Deployment controller adds to a ReplicaSet's."""
    template = mapping_of(dig(obj, "spec", "template"))
    metadata = mapping_of(template.get("metadata"))
    labels = {
        key: value
        for key, value in mapping_of(metadata.get("labels")).items()
        if key != "pod-template-hash"
    }
    return {**template, "metadata": {**metadata, "labels": labels}}
