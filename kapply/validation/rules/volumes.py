"""Volumes: exactly one source each, and what every source asks for (core/validation)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text
from kapply.validation.rules.parts import (
    TypeRule,
    absolute_path,
    between,
    choice,
    domain_prefixed_path,
    form,
    form_if_given,
    local_path,
    needs,
    no_backsteps,
    one_of,
    relative_path,
)
from kapply.values.quantity import Quantity

SOURCES = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
)
_FIELDS_OF_POD = (
    "metadata.name",
    "metadata.namespace",
    "metadata.labels",
    "metadata.annotations",
    "metadata.uid",
)
_ISCSI = re.compile(
    r"iqn\.\d{4}-\d{2}\.([a-z0-9]([-a-z0-9]*[a-z0-9])?)([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:.*)?"
    r"|eui\.[0-9a-fA-F]{16}|naa\.(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32})",
    re.ASCII | re.DOTALL,
)
ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")

_file_mode = between
_default_mode = _file_mode("defaultMode", 0, 0o777)
_mode = _file_mode("mode", 0, 0o777)


def _iscsi_name(name: str) -> str:
    return "" if _ISCSI.fullmatch(name) else "must be an iqn, eui or naa name"


def csi_driver(name: str) -> str:
    """The name of a CSI driver."""
    if len(name) > 63:
        return "must be at most 63 characters"
    return names.dns_subdomain(name.lower())


def _secret_name(field: str) -> TypeRule:
    def rule(value: JsonObject, path: Path, report: Report) -> None:
        reference = value.get(field)
        if reference is None:
            return
        name = text(reference, "name")
        if not name:
            report.missing((*path, field, "name"))
        elif field == "nodePublishSecretRef" and (wrong := names.dns_subdomain(name)):
            report.add((*path, field, "name"), f'"{name}" {wrong}')

    return rule


def _volume(value: JsonObject, path: Path, report: Report) -> None:
    name = text(value, "name")
    if not name:
        report.missing((*path, "name"))
    elif wrong := names.dns_label(name):
        report.add((*path, "name"), f'"{name}" {wrong}')
    iscsi = mapping(value, "iscsi")
    portal = text(iscsi, "targetPortal")
    if iscsi.get("initiatorName") is not None and len(f"{name}:{portal}") > 64:
        report.add(
            (*path, "name"),
            "name and targetPortal together may have 63 characters when initiatorName is set",
        )


def _empty_dir(value: JsonObject, path: Path, report: Report) -> None:
    limit = value.get("sizeLimit")
    if limit is not None and Quantity.from_json(limit).sign < 0:
        report.add((*path, "sizeLimit"), f'"{limit}" must not be negative')


def _iscsi(value: JsonObject, path: Path, report: Report) -> None:
    chap = value.get("chapAuthDiscovery") or value.get("chapAuthSession")
    if chap and value.get("secretRef") is None:
        report.missing((*path, "secretRef"), "CHAP authentication uses it")


def _fibre_channel(value: JsonObject, path: Path, report: Report) -> None:
    targets, wwids = items(value, "targetWWNs"), items(value, "wwids")
    if bool(targets) == bool(wwids):
        report.add(path, "needs targetWWNs or wwids, and not both", at_value=False)
    lun = value.get("lun")
    if targets and lun is None:
        report.missing((*path, "lun"), "targetWWNs needs it")
    elif lun is not None and targets and not 0 <= lun <= 255:
        report.add((*path, "lun"), f"{lun} is out of range: must be between 0 and 255")


def _flocker(value: JsonObject, path: Path, report: Report) -> None:
    name, uuid = text(value, "datasetName"), text(value, "datasetUUID")
    if bool(name) == bool(uuid):
        report.add(path, "needs datasetName or datasetUUID, and not both", at_value=False)
    if "/" in name:
        report.add((*path, "datasetName"), f'"{name}" may not hold /')


def _flex_volume(value: JsonObject, path: Path, report: Report) -> None:
    for key in mapping(value, "options"):
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            report.add(
                (*path, "options", key),
                "kubernetes.io and k8s.io are kept for Kubernetes itself",
                at_value=False,
            )


def _azure_disk(value: JsonObject, path: Path, report: Report) -> None:
    kind, uri = value.get("kind") or "Shared", text(value, "diskURI")
    wanted = "/subscriptions/" if kind == "Managed" else "https://"
    if uri and not uri.startswith(wanted):
        report.add((*path, "diskURI"), f"must start with {wanted} for a disk of kind {kind}")


def _quobyte(value: JsonObject, path: Path, report: Report) -> None:
    registry = text(value, "registry")
    for pair in registry.split(",") if registry else ():
        host, colon, _ = pair.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or (not bracketed and any(mark in host for mark in ":[]")):
            report.add((*path, "registry"), f'"{registry}" must be HOST:PORT, or several with ,')
            break
    if len(text(value, "tenant")) >= 65:
        report.add((*path, "tenant"), "must be at most 64 characters")


def _token(value: JsonObject, path: Path, report: Report) -> None:
    seconds = value.get("expirationSeconds")
    if seconds is not None and not 600 <= seconds <= 2**32:
        report.add(
            (*path, "expirationSeconds"),
            f"{seconds} is out of range: must be between 600 (10 minutes) and {2**32}",
        )


def _trust_bundle(value: JsonObject, path: Path, report: Report) -> None:
    name, signer = value.get("name"), value.get("signerName")
    if (name is None) == (signer is None):
        report.add(path, "needs name or signerName, and not both", at_value=False)
    elif name is not None:
        if not name:
            report.missing((*path, "name"))
        elif ":" not in name and (wrong := names.dns_subdomain(name)):
            report.add((*path, "name"), f'"{name}" {wrong}')
        if value.get("labelSelector") is not None:
            report.add(
                (*path, "labelSelector"), "may not be set together with name", at_value=False
            )
    elif not signer:
        report.missing((*path, "signerName"))


def signer_name(name: str) -> str:
    """The name of a certificate signer: DOMAIN/PATH."""
    domain, slash, path = name.partition("/")
    if not slash or not path or "/" in path:
        return 'must be a domain and a path, like "example.com/my-signer"'
    if wrong := names.dns_subdomain(domain):
        return f"has a domain that {wrong}"
    if "." not in domain:
        return "must have a domain of two parts at least"
    wrong = names.dns_subdomain(path)
    return f"has a path that {wrong}" if wrong else ""


def _certificate(value: JsonObject, path: Path, report: Report) -> None:
    given = ("credentialBundlePath", "keyPath", "certificateChainPath")
    if not any(text(value, field) for field in given):
        report.add(path, f"needs a path: one of {', '.join(given)}", at_value=False)
    for key in mapping(value, "userAnnotations"):
        if wrong := domain_prefixed_path(key):
            report.add((*path, "userAnnotations", key), f'the key "{key}" {wrong}')


def _projected(value: JsonObject, path: Path, report: Report) -> None:
    seen: set[str] = set()
    for index, source in enumerate(items(value, "sources")):
        for name, field in _projected_paths(source):
            if field in seen:
                report.add((*path, "sources", index, name), f'"{field}" is projected twice')
            seen.add(field)


def _projected_paths(source: JsonObject) -> list[tuple[str, str]]:
    found = []
    for name in ("secret", "configMap", "downwardAPI"):
        found += [(name, text(item, "path")) for item in items(mapping(source, name), "items")]
    for name, fields in {
        "clusterTrustBundle": ("path",),
        "podCertificate": ("credentialBundlePath", "keyPath", "certificateChainPath"),
    }.items():
        found += [(name, text(mapping(source, name), field)) for field in fields]
    return [(name, value) for name, value in found if value]


def _downward_file(value: JsonObject, path: Path, report: Report) -> None:
    field = value.get("fieldRef")
    resource = value.get("resourceFieldRef")
    if (field is None) == (resource is None):
        report.add(path, "needs fieldRef or resourceFieldRef, and not both", at_value=False)
    if field is not None:
        check_field_ref(field, (*path, "fieldRef"), report, _FIELDS_OF_POD)
    if resource is not None and field is None and not text(resource, "containerName"):
        report.missing((*path, "resourceFieldRef", "containerName"))


def check_field_ref(value: JsonObject, path: Path, report: Report, known: tuple[str, ...]) -> None:
    """A reference to a field of the pod; labels and annotations also by one key."""
    field = text(value, "fieldPath")
    if not field:
        report.missing((*path, "fieldPath"))
        return
    version = text(value, "apiVersion")
    if version not in ("", "v1"):
        report.add((*path, "apiVersion"), f'"{version}" must be v1')
        return
    name, bracket, rest = field.partition("['")
    if bracket and rest.endswith("']") and len(rest) > 2:
        if name not in ("metadata.labels", "metadata.annotations"):
            report.add((*path, "fieldPath"), f'"{field}": {name} has no keys')
            return
        key = rest[:-2]
        check = names.qualified_name if name == "metadata.labels" else names.annotation_key
        if wrong := check(key):
            report.add((*path, "fieldPath"), f'the key "{key}" {wrong}')
    elif field not in known:
        report.add((*path, "fieldPath"), f'"{field}" is not one of {", ".join(known)}')


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.Volume": (_volume, one_of(*SOURCES, what="volume source", required=False)),
    "core.v1.EmptyDirVolumeSource": (_empty_dir,),
    "core.v1.HostPathVolumeSource": (needs("path"), form("path", no_backsteps)),
    "core.v1.GitRepoVolumeSource": (needs("repository"), form("directory", relative_path)),
    "core.v1.GCEPersistentDiskVolumeSource": (needs("pdName"), between("partition", 0, 255)),
    "core.v1.AWSElasticBlockStoreVolumeSource": (needs("volumeID"), between("partition", 0, 255)),
    "core.v1.SecretVolumeSource": (needs("secretName"), _default_mode),
    "core.v1.ConfigMapVolumeSource": (needs("name"), _default_mode),
    "core.v1.SecretProjection": (needs("name"),),
    "core.v1.ConfigMapProjection": (needs("name"),),
    "core.v1.KeyToPath": (needs("key", "path"), form("path", local_path), _mode),
    "core.v1.NFSVolumeSource": (needs("server", "path"), form("path", absolute_path)),
    "core.v1.ISCSIVolumeSource": (
        needs("targetPortal", "iqn"),
        form("iqn", _iscsi_name),
        form_if_given("initiatorName", _iscsi_name),
        between("lun", 0, 255),
        _iscsi,
    ),
    "core.v1.GlusterfsVolumeSource": (needs("endpoints", "path"),),
    "core.v1.FlockerVolumeSource": (_flocker,),
    "core.v1.PersistentVolumeClaimVolumeSource": (needs("claimName"),),
    "core.v1.RBDVolumeSource": (needs("monitors", "image"),),
    "core.v1.CinderVolumeSource": (needs("volumeID"), _secret_name("secretRef")),
    "core.v1.CephFSVolumeSource": (needs("monitors"),),
    "core.v1.QuobyteVolumeSource": (needs("registry", "volume"), _quobyte),
    "core.v1.DownwardAPIVolumeSource": (_default_mode,),
    "core.v1.DownwardAPIVolumeFile": (
        needs("path"),
        form("path", local_path),
        _mode,
        _downward_file,
    ),
    "core.v1.FCVolumeSource": (_fibre_channel,),
    "core.v1.FlexVolumeSource": (needs("driver"), _flex_volume),
    "core.v1.AzureFileVolumeSource": (needs("secretName", "shareName"),),
    "core.v1.VsphereVirtualDiskVolumeSource": (needs("volumePath"),),
    "core.v1.PhotonPersistentDiskVolumeSource": (needs("pdID"),),
    "core.v1.PortworxVolumeSource": (needs("volumeID"),),
    "core.v1.AzureDiskVolumeSource": (
        needs("diskName", "diskURI"),
        choice("cachingMode", "None", "ReadOnly", "ReadWrite", empty=False),
        choice("kind", "Shared", "Dedicated", "Managed", empty=False),
        _azure_disk,
    ),
    "core.v1.StorageOSVolumeSource": (
        needs("volumeName"),
        form("volumeName", names.dns_label),
        form("volumeNamespace", names.dns_label),
        _secret_name("secretRef"),
    ),
    "core.v1.ScaleIOVolumeSource": (needs("gateway", "system", "volumeName"),),
    "core.v1.CSIVolumeSource": (
        needs("driver"),
        form("driver", csi_driver),
        _secret_name("nodePublishSecretRef"),
    ),
    "core.v1.ImageVolumeSource": (needs("reference"),),
    "core.v1.EphemeralVolumeSource": (needs("volumeClaimTemplate"),),
    "core.v1.ProjectedVolumeSource": (_default_mode, _projected),
    "core.v1.VolumeProjection": (
        one_of(
            "secret",
            "configMap",
            "downwardAPI",
            "serviceAccountToken",
            "clusterTrustBundle",
            "podCertificate",
            what="volume source",
            required=False,
        ),
    ),
    "core.v1.ServiceAccountTokenProjection": (needs("path"), form("path", local_path), _token),
    "core.v1.ClusterTrustBundleProjection": (
        needs("path"),
        form("path", local_path),
        form("signerName", signer_name),
        _trust_bundle,
    ),
    "core.v1.PodCertificateProjection": (
        needs("signerName", "keyType"),
        form("signerName", signer_name),
        choice("keyType", "RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"),
        between("maxExpirationSeconds", 3600, 91 * 86400),
        form("credentialBundlePath", local_path),
        form("keyPath", local_path),
        form("certificateChainPath", local_path),
        _certificate,
    ),
}
