"""Persistent volumes, the claims to them, their classes and drivers (core, storage)."""

from __future__ import annotations

from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import (
    TypeRule,
    between,
    choice,
    form,
    needs,
    no_backsteps,
)
from kapply.validation.rules.volumes import ACCESS_MODES, csi_driver
from kapply.values.quantity import Quantity

#: In the order in which the server looks at them.
_SOURCES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
)
_CSI_SECRETS = (
    "controllerExpandSecretRef",
    "controllerPublishSecretRef",
    "nodeExpandSecretRef",
    "nodePublishSecretRef",
)
_MAX_PARAMETERS = 512
_MAX_PARAMETER_BYTES = 256 * 1024


def check_access_modes(value: JsonObject, path: Path, report: Report) -> None:
    """The accessModes of a volume or a claim."""
    modes = texts(value, "accessModes")
    for index, mode in enumerate(modes):
        if mode not in ACCESS_MODES:
            report.add(
                (*path, "accessModes", index), f'"{mode}" is not one of {", ".join(ACCESS_MODES)}'
            )
    if "ReadWriteOncePod" in modes and len(set(modes)) > 1:
        report.add((*path, "accessModes"), "ReadWriteOncePod may not stand beside other modes")


def _volume(value: JsonObject, path: Path, report: Report) -> None:
    given = [source for source in _SOURCES if value.get(source) is not None]
    if not given:
        report.add(path, "needs a volume source, like csi, nfs or hostPath", at_value=False)
    for source in given[1:]:
        # The server lets flexVolume come after another.
        if source != "flexVolume":
            report.add(
                (*path, source), f"only one volume source may be given, {given[0]} is another"
            )
    check_access_modes(value, path, report)
    if path != ("spec",):
        _inline_volume(value, path, report)
        return
    capacity = mapping(value, "capacity")
    if "storage" not in capacity:
        report.missing((*path, "capacity", "storage"))
    for name, amount in capacity.items():
        if name != "storage":
            report.add((*path, "capacity", name), "a volume has only storage", at_value=False)
        if Quantity.from_json(amount).sign <= 0:
            report.add((*path, "capacity", name), f'"{amount}" must be more than 0')
    affinity = value.get("nodeAffinity")
    if affinity is not None and affinity.get("required") is None:
        report.missing((*path, "nodeAffinity", "required"))
    if affinity is None and value.get("local") is not None:
        report.missing((*path, "nodeAffinity"), "a local volume needs it")
    attributes = value.get("volumeAttributesClassName")
    if attributes is not None:
        if wrong := names.dns_subdomain(attributes):
            report.add((*path, "volumeAttributesClassName"), f'"{attributes}" {wrong}')
        if value.get("csi") is None:
            report.missing((*path, "csi"), "volumeAttributesClassName needs it")
    recycled = text(value, "persistentVolumeReclaimPolicy") == "Recycle"
    if recycled and value.get("hostPath") and not text(value["hostPath"], "path").strip("/"):
        report.add((*path, "persistentVolumeReclaimPolicy"), "may not recycle the root")


def _inline_volume(value: JsonObject, path: Path, report: Report) -> None:
    """The volume that a VolumeAttachment describes."""
    for field in ("claimRef", "capacity", "nodeAffinity", "storageClassName"):
        if value.get(field) not in (None, "", {}):
            report.add((*path, field), "may not be set for an inline volume", at_value=False)
    if value.get("csi") is None:
        report.missing((*path, "csi"), "an inline volume is one of a CSI driver")


def _claim_spec(value: JsonObject, path: Path, report: Report) -> None:
    check_access_modes(value, path, report)
    requests = mapping(mapping(value, "resources"), "requests")
    if "storage" not in requests:
        report.missing((*path, "resources", "requests", "storage"))
    elif Quantity.from_json(requests["storage"]).sign <= 0:
        report.add((*path, "resources", "requests", "storage"), "must be more than 0")
    _check_sources(value, path, report)


def _is_known(source: JsonObject | None) -> bool:
    if source is None:
        return False
    known = ("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")
    return (text(source, "apiGroup"), text(source, "kind")) in known


def _check_sources(value: JsonObject, path: Path, report: Report) -> None:
    source, reference = value.get("dataSource"), value.get("dataSourceRef")
    if path == ("spec",):
        # Of a claim itself, the server drops what it cannot use.
        if reference is not None and reference.get("namespace"):
            reference = None
        if reference is None and not _is_known(source):
            source = None
    for field, given in (("dataSource", source), ("dataSourceRef", reference)):
        if given is None:
            continue
        for name in ("kind", "name"):
            if not text(given, name):
                report.missing((*path, field, name))
        group = text(given, "apiGroup")
        if group and (wrong := names.dns_subdomain(group)):
            report.add((*path, field, "apiGroup"), f'"{group}" {wrong}')
        if not group and text(given, "kind") not in ("", "PersistentVolumeClaim"):
            report.add(
                (*path, field, "kind"), "must be PersistentVolumeClaim where apiGroup is empty"
            )
    if None not in (source, reference):
        same = [mapping(value, "dataSourceRef").get(key) for key in ("apiGroup", "kind", "name")]
        if [mapping(value, "dataSource").get(key) for key in ("apiGroup", "kind", "name")] != same:
            report.add((*path, "dataSource"), "must be the same as dataSourceRef")


def _csi(value: JsonObject, path: Path, report: Report) -> None:
    for field in _CSI_SECRETS:
        reference = value.get(field)
        if reference is None:
            continue
        for part, check in (("name", names.dns_subdomain), ("namespace", names.dns_label)):
            given = text(reference, part)
            if not given:
                report.missing((*path, field, part))
            elif wrong := check(given):
                report.add((*path, field, part), f'"{given}" {wrong}')


def storage_class(obj: JsonObject, report: Report) -> None:
    """A StorageClass has a provisioner; its parameters have a size limit."""
    needs("provisioner")(obj, (), report)
    form("provisioner", lambda name: names.qualified_name(name.lower()))(obj, (), report)
    for rule in _CLASS:
        rule(obj, (), report)
    _parameters(obj, report)
    terms: list[object] = []
    for index, term in enumerate(items(obj, "allowedTopologies")):
        path: Path = ("allowedTopologies", index, "matchLabelExpressions")
        expressions = items(term, "matchLabelExpressions")
        terms.append({text(each, "key"): set(texts(each, "values")) for each in expressions})
        # A term without expressions equals the zero values that the server compares with.
        if not expressions:
            report.missing(path)
        elif terms.index(terms[-1]) < index:
            report.add(path, "is there twice", at_value=False)
        for position, each in enumerate(expressions):
            if wrong := names.qualified_name(text(each, "key")):
                report.add((*path, position, "key"), f'"{text(each, "key")}" {wrong}')
            if not texts(each, "values"):
                report.missing((*path, position, "values"))


def _parameters(obj: JsonObject, report: Report) -> None:
    parameters = mapping(obj, "parameters")
    size = sum(len(key.encode()) + len((each or "").encode()) for key, each in parameters.items())
    if len(parameters) > _MAX_PARAMETERS or size > _MAX_PARAMETER_BYTES:
        report.add(
            ("parameters",),
            f"{len(parameters)} parameters of {size} bytes: at most {_MAX_PARAMETERS} "
            f"of {_MAX_PARAMETER_BYTES} bytes are allowed",
            at_value=False,
        )


def _driver(value: JsonObject, path: Path, report: Report) -> None:
    for index, mode in enumerate(texts(value, "volumeLifecycleModes")):
        if mode not in ("Persistent", "Ephemeral"):
            report.add(
                (*path, "volumeLifecycleModes", index),
                f'"{mode}" is not one of Persistent, Ephemeral',
            )
    audiences = [text(each, "audience") for each in items(value, "tokenRequests")]
    for index, audience in enumerate(audiences):
        if audience in audiences[:index]:
            report.add(
                (*path, "tokenRequests", index, "audience"),
                f'"{audience}" is there twice',
                at_value=False,
            )
    period = value.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        report.add((*path, "nodeAllocatableUpdatePeriodSeconds"), f"{period} must be at least 10")
    if value.get("serviceAccountTokenInSecrets") is True and not items(value, "tokenRequests"):
        report.missing((*path, "tokenRequests"), "serviceAccountTokenInSecrets needs it")


_CLASS = (
    choice("reclaimPolicy", "Delete", "Retain"),
    choice("volumeBindingMode", "Immediate", "WaitForFirstConsumer", empty=False),
)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.PersistentVolumeSpec": (
        needs("accessModes"),
        choice("persistentVolumeReclaimPolicy", "Retain", "Recycle", "Delete"),
        choice("volumeMode", "Filesystem", "Block", empty=False),
        form("storageClassName", names.dns_subdomain),
        _volume,
    ),
    "core.v1.PersistentVolumeClaimSpec": (
        needs("accessModes"),
        form("storageClassName", names.dns_subdomain),
        form("volumeAttributesClassName", names.dns_subdomain),
        choice("volumeMode", "Filesystem", "Block", empty=False),
        _claim_spec,
    ),
    "core.v1.LocalVolumeSource": (needs("path"), form("path", no_backsteps)),
    "core.v1.CSIPersistentVolumeSource": (
        needs("driver", "volumeHandle"),
        form("driver", csi_driver),
        _csi,
    ),
    "core.v1.FlexPersistentVolumeSource": (needs("driver"),),
    "core.v1.AzureFilePersistentVolumeSource": (needs("secretName", "shareName"),),
    "core.v1.CephFSPersistentVolumeSource": (needs("monitors"),),
    "core.v1.CinderPersistentVolumeSource": (needs("volumeID"),),
    "core.v1.GlusterfsPersistentVolumeSource": (needs("endpoints", "path"),),
    "core.v1.RBDPersistentVolumeSource": (needs("monitors", "image"),),
    "core.v1.ScaleIOPersistentVolumeSource": (needs("gateway", "system", "volumeName"),),
    "storage.v1.CSIDriverSpec": (
        choice("fsGroupPolicy", "ReadWriteOnceWithFSType", "File", "None", empty=False),
        _driver,
    ),
    "storage.v1.TokenRequest": (between("expirationSeconds", 600, 2**32),),
}
