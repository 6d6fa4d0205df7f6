"""Volumes of a pod: their sources, names and projected paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object, items, mapping
from kapply.sandbox.checks.environment import check_field_ref, check_resource_field
from kapply.values.quantity import Quantity

__all__ = ["SOURCE_CHECKS", "SOURCE_NEEDS", "check_volumes"]

_FILE_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip
_HOST_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
)  # fmt: skip
_ONE_TYPE = "may not specify more than 1 volume type"
#: Sources in the order in which the server looks at them, and the name it gives in messages.
_SOURCES = {
    "emptyDir": "", "hostPath": "", "gitRepo": "", "gcePersistentDisk": "",
    "awsElasticBlockStore": "", "secret": "", "nfs": "", "iscsi": "", "glusterfs": "",
    "flocker": "", "persistentVolumeClaim": "", "rbd": "", "cinder": "", "cephfs": "cephFS",
    "quobyte": "", "downwardAPI": "downwarAPI", "fc": "", "flexVolume": "", "configMap": "",
    "azureFile": "", "vsphereVolume": "", "photonPersistentDisk": "", "portworxVolume": "",
    "azureDisk": "", "storageos": "", "projected": "", "scaleIO": "", "csi": "",
    "ephemeral": "", "image": "",
}  # fmt: skip
#: Fields that a source must have, where that is all there is to it.
SOURCE_NEEDS = {
    "gitRepo": ("repository",),
    "glusterfs": ("endpoints", "path"),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "azureDisk": ("diskName", "diskURI"),
    "persistentVolumeClaim": ("claimName",),
    "awsElasticBlockStore": ("volumeID",),
    "gcePersistentDisk": ("pdName",),
    "flexVolume": ("driver",),
    "scaleIO": ("gateway", "system", "volumeName"),
    "image": ("reference",),
}


def check_volumes(
    found: Found, path: str, volumes: Any, pod_name: str = ""
) -> Mapping[str, Object]:
    """Check the volumes; those that are right, by name."""
    created = {
        f"{pod_name}-{volume.get('name', '')}"
        for volume in volumes or ()
        if pod_name and volume.get("ephemeral") is not None
    }
    right: dict[str, Object] = {}
    for index, volume in enumerate(volumes or ()):
        where = f"{path}[{index}]"
        name = volume.get("name") or ""
        own = Found()
        _source(own, where, volume)
        if not name:
            own.required(f"{where}.name")
        else:
            own.label(f"{where}.name", name)
        if name in right:
            own.duplicate(f"{where}.name", name)
        if own:
            found.extend(own)
        else:
            right[name] = volume
        claim = mapping(volume, "persistentVolumeClaim").get("claimName")
        if claim and claim in created:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            found.invalid(f"{where}.persistentVolumeClaim.claimName", claim, text)
    return right


def _source(found: Found, path: str, volume: Object) -> None:
    given = [kind for kind in _SOURCES if volume.get(kind) is not None]
    for position, kind in enumerate(given):
        where = f"{path}.{kind}"
        if position:
            found.forbidden(f"{path}.{_SOURCES[kind] or kind}", _ONE_TYPE)
            continue
        source = volume[kind]
        for name in SOURCE_NEEDS.get(kind, ()):
            if not source.get(name):
                found.required(f"{where}.{name}")
        check = SOURCE_CHECKS.get(kind)
        if check is not None:
            check(found, where, source)
    if not given:
        found.required(path, "must specify a volume type")


def _empty_dir(found: Found, path: str, source: Object) -> None:
    limit = source.get("sizeLimit")
    if limit is not None and Quantity.parse(limit).sign < 0:
        found.forbidden(f"{path}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(found: Found, path: str, source: Object) -> None:
    place = source.get("path") or ""
    if not place:
        found.required(f"{path}.path")
        return
    found.no_backsteps(f"{path}.path", place)
    kind = source.get("type")
    if kind is not None:
        found.one_of(f"{path}.type", kind, _HOST_TYPES)


def _nfs(found: Found, path: str, source: Object) -> None:
    if not source.get("server"):
        found.required(f"{path}.server")
    place = source.get("path") or ""
    if not place:
        found.required(f"{path}.path")
    if not place.startswith("/"):
        found.invalid(f"{path}.path", place, "must be an absolute path")


def _key_paths(found: Found, path: str, keys: Any) -> None:
    for index, key in enumerate(keys):
        where = f"{path}[{index}]"
        for name in ("key", "path"):
            if not key.get(name):
                found.required(f"{where}.{name}")
        found.local_path(f"{where}.path", key.get("path") or "", reserved=True)
        found.mode(f"{where}.mode", key.get("mode"))


def _secret(found: Found, path: str, source: Object) -> None:
    _keyed(found, path, source, "secretName")


def _config_map(found: Found, path: str, source: Object) -> None:
    _keyed(found, path, source, "name")


def _keyed(found: Found, path: str, source: Object, name: str) -> None:
    if not source.get(name):
        found.required(f"{path}.{name}")
    found.mode(f"{path}.defaultMode", source.get("defaultMode"))
    _key_paths(found, f"{path}.items", items(source, "items"))


def _downward(found: Found, path: str, source: Object) -> None:
    found.mode(f"{path}.defaultMode", source.get("defaultMode"))
    for file in items(source, "items"):
        _downward_file(found, path, file)


def _downward_file(found: Found, path: str, file: Object) -> None:
    if not file.get("path"):
        found.required(f"{path}.path")
    found.local_path(f"{path}.path", file.get("path") or "", reserved=True)
    if file.get("fieldRef") is not None:
        check_field_ref(found, f"{path}.fieldRef", file["fieldRef"], _FILE_FIELDS)
        if file.get("resourceFieldRef") is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            found.invalid(path, "resource", text)
    elif file.get("resourceFieldRef") is not None:
        reference = file["resourceFieldRef"]
        check_resource_field(found, f"{path}.resourceFieldRef", reference, volume=True)
    else:
        found.required(path, "one of fieldRef and resourceFieldRef is required")
    found.mode(f"{path}.mode", file.get("mode"))


def _projected(found: Found, path: str, source: Object) -> None:
    found.mode(f"{path}.defaultMode", source.get("defaultMode"))
    paths: set[str] = set()

    def take(place: str, shown: str) -> None:
        if place in paths:
            found.invalid(path, shown, "conflicting duplicate paths")
        elif place:
            paths.add(place)

    for index, projection in enumerate(items(source, "sources")):
        where = f"{path}.sources[{index}]"
        count = 0
        for kind in ("secret", "configMap"):
            inner = projection.get(kind)
            if inner is None:
                continue
            count += 1
            name = inner.get("name") or ""
            if not name:
                found.required(f"{where}.{kind}.name")
            _key_paths(found, f"{where}.{kind}.items", items(inner, "items"))
            for key in items(inner, "items"):
                take(key.get("path") or "", name)
        inner = projection.get("downwardAPI")
        if inner is not None:
            count += 1
            for file in items(inner, "items"):
                _downward_file(found, f"{where}.downwardAPI", file)
                take(file.get("path") or "", file.get("path") or "")
        inner = projection.get("serviceAccountToken")
        if inner is not None:
            count += 1
            _token(found, path, f"{where}.serviceAccountToken", inner)
        count += sum(
            projection.get(kind) is not None for kind in ("clusterTrustBundle", "podCertificate")
        )
        if count > 1:
            found.forbidden(where, _ONE_TYPE)
        elif not count:
            found.required(where, "must specify a volume type")


def _token(found: Found, path: str, where: str, source: Object) -> None:
    seconds = source.get("expirationSeconds")
    if seconds is None:
        found.required(f"{where}.expirationSeconds")
    elif seconds < 600:
        text = "may not specify a duration less than 10 minutes"
        found.invalid(f"{where}.expirationSeconds", seconds, text)
    elif seconds > 1 << 32:
        text = "may not specify a duration larger than 2^32 seconds"
        found.invalid(f"{where}.expirationSeconds", seconds, text)
    if not source.get("path"):
        found.required(f"{path}.path")
    else:
        found.local_path(f"{path}.path", source["path"], reserved=True)


def _csi(found: Found, path: str, source: Object) -> None:
    driver = source.get("driver") or ""
    if not driver:
        found.required(f"{path}.driver")
    else:
        if len(driver) > 63:
            text = "may not be more than 63 bytes"
            found.invalid(f"{path}.driver", driver, text)
        found.invalid(f"{path}.driver", driver, *content.dns_subdomain(driver.lower()))
    secret = source.get("nodePublishSecretRef")
    if secret is not None and not secret.get("name"):
        found.required(f"{path}.nodePublishSecretRef.name")


def _ephemeral(found: Found, path: str, source: Object) -> None:
    template = source.get("volumeClaimTemplate")
    if template is None:
        found.required(f"{path}.volumeClaimTemplate")
        return
    from kapply.sandbox.checks.storage import check_claim_spec

    check_claim_spec(found, f"{path}.volumeClaimTemplate.spec", mapping(template, "spec"))


SOURCE_CHECKS = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "nfs": _nfs,
    "secret": _secret,
    "configMap": _config_map,
    "downwardAPI": _downward,
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
}
