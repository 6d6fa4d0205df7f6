"""What the server asks of every object's metadata (apimachinery pkg/api/validation)."""

from __future__ import annotations

from kapply import names
from kapply.meta import GroupKind, GroupVersion, GroupVersionKind, JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, Rule, items, mapping, number, text, texts
from kapply.validation.sources import KindSchema

_METADATA: Path = ("metadata",)
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
# Groups and kinds whose finalizers may have a name without a domain.
_PLAIN_FINALIZERS = frozenset(
    {"admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"}
)
_PLAIN_FINALIZER_KINDS = frozenset(
    {
        GroupKind("", "Event"),
        GroupKind("coordination.k8s.io", "Lease"),
        GroupKind("node.k8s.io", "RuntimeClass"),
        GroupKind("policy", "PodDisruptionBudget"),
    }
)
# Kinds that keep the generation a manifest gives; of the others the server makes it 1.
_KEEP_GENERATION = frozenset(
    GroupKind(group, kind)
    for group, kinds in {
        "": (
            "ConfigMap", "Endpoints", "Event", "LimitRange", "Namespace", "Node",
            "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "Secret", "Service",
            "ServiceAccount",
        ),
        "apiregistration.k8s.io": ("APIService",),
        "apps": ("ControllerRevision",),
        "authorization.k8s.io": (
            "LocalSubjectAccessReview", "SelfSubjectAccessReview", "SubjectAccessReview",
        ),
        "coordination.k8s.io": ("Lease",),
        "events.k8s.io": ("Event",),
        "networking.k8s.io": ("IPAddress", "ServiceCIDR"),
        "node.k8s.io": ("RuntimeClass",),
        "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        "resource.k8s.io": ("ResourceClaim", "ResourceClaimTemplate"),
        "storage.k8s.io": (
            "CSIDriver", "CSINode", "CSIStorageCapacity", "StorageClass", "VolumeAttachment",
            "VolumeAttributesClass",
        ),
        "storagemigration.k8s.io": ("StorageVersionMigration",),
    }.items()
    for kind in kinds
)  # fmt: skip
# Reviews are answered, not stored, and need no name.
_NAMELESS = frozenset(
    GroupVersionKind(group, "v1", kind)
    for group, kinds in {
        "authentication.k8s.io": ("TokenReview", "SelfSubjectReview", "TokenRequest"),
        "authorization.k8s.io": (
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ),
        "": ("Binding",),
        "policy": ("Eviction",),
        "autoscaling": ("Scale",),
    }.items()
    for kind in kinds
)

# Reviews that are about the caller: their metadata is not looked at.
_UNCHECKED = frozenset(
    {
        GroupVersionKind("authentication.k8s.io", "v1", "SelfSubjectReview"),
        GroupVersionKind("authentication.k8s.io", "v1", "TokenReview"),
        GroupVersionKind("authorization.k8s.io", "v1", "SelfSubjectRulesReview"),
    }
)


def metadata_rule(kind: KindSchema) -> Rule | None:
    """Name, generateName, namespace, labels, annotations, finalizers, owners of a kind."""
    if kind.gvk in _UNCHECKED:
        return None
    group_kind = kind.gvk.group_kind
    nameless = kind.gvk in _NAMELESS
    plain = (
        kind.custom or group_kind.group in _PLAIN_FINALIZERS or group_kind in _PLAIN_FINALIZER_KINDS
    )
    keeps = group_kind in _KEEP_GENERATION
    name_rule = names.name_rule(group_kind)
    cluster_scoped = kind.namespaced is False

    def check(obj: JsonObject, report: Report) -> None:
        metadata = mapping(obj, "metadata")
        if not nameless and not text(metadata, "name") and not text(metadata, "generateName"):
            report.missing((*_METADATA, "name"))
        for field, value in metadata.items():
            # Most objects have the first four of these and nothing else.
            if not value and value != []:
                continue
            if field == "name":
                if wrong := name_rule(value) or names.path_segment(value):
                    report.add((*_METADATA, field), f'"{value}" {wrong}')
            elif field == "namespace":
                if cluster_scoped:
                    report.add(
                        (*_METADATA, field),
                        f"{kind.gvk.kind} is cluster-scoped: it has no namespace",
                        at_value=False,
                    )
                elif wrong := names.dns_label(value):
                    report.add((*_METADATA, field), f'"{value}" {wrong}')
            elif field == "labels":
                check_labels(metadata, _METADATA, report)
            elif field == "annotations":
                check_annotations(metadata, _METADATA, report)
            elif field == "generateName":
                if wrong := names.name_problem(group_kind, value, generate=True):
                    report.add((*_METADATA, field), f'"{value}" {wrong}')
            else:
                _check_rare(field, metadata, report, plain=plain, keeps=keeps)

    return check


def _check_rare(
    field: str, metadata: JsonObject, report: Report, *, plain: bool, keeps: bool
) -> None:
    if field == "finalizers":
        _check_finalizers(metadata, report, plain=plain)
    elif field == "ownerReferences":
        _check_owners(metadata, report)
    elif field in ("managedFields", "resourceVersion"):
        _check_kept(metadata, report)
    elif field == "generation" and keeps and number(metadata, field) < 0:
        report.add((*_METADATA, field), "must not be negative", "take it out")


def _check_finalizers(metadata: JsonObject, report: Report, *, plain: bool) -> None:
    for index, finalizer in enumerate(texts(metadata, "finalizers")):
        where = (*_METADATA, "finalizers", index)
        if wrong := names.qualified_name(finalizer):
            report.add(where, f'"{finalizer}" {wrong}')
        if not plain and finalizer and "/" not in finalizer and finalizer not in _FINALIZERS:
            report.add(
                where, f'"{finalizer}" must be DOMAIN/NAME, or one of {", ".join(_FINALIZERS)}'
            )


def _check_kept(metadata: JsonObject, report: Report) -> None:
    managed = metadata.get("managedFields")
    if managed is not None and managed != [None]:
        report.add(
            (*_METADATA, "managedFields"),
            "is kept by the server, which refuses it in a server-side apply",
            "take it out of the manifest",
            at_value=False,
        )
    version = text(metadata, "resourceVersion")
    if version and not (version.isascii() and version.isdigit()):
        report.add((*_METADATA, "resourceVersion"), f'"{version}" is no resource version')


def check_labels(metadata: JsonObject, path: Path, report: Report) -> None:
    """metadata.labels, of an object or of a template."""
    labels = metadata.get("labels")
    if labels:
        check_label_map(labels, (*path, "labels"), report)


def check_label_map(labels: JsonObject, path: Path, report: Report) -> None:
    """Label keys and values: labels, matchLabels, nodeSelector."""
    for key, value in labels.items():
        if key not in _FINE and (wrong := names.qualified_name(key)):
            report.add((*path, key), f'the key "{key}" {wrong}', at_value=False)
        if value and (wrong := names.label_value(value)):
            report.add((*path, key), f'"{value}" {wrong}')


def check_annotations(metadata: JsonObject, path: Path, report: Report) -> None:
    """metadata.annotations, of an object or of a template."""
    annotations = metadata.get("annotations")
    if not annotations:
        return
    where = (*path, "annotations")
    for key in annotations:
        if wrong := names.annotation_key(key):
            report.add((*where, key), f'the key "{key}" {wrong}', at_value=False)
    size = names.annotations_size(annotations)
    if size > names.ANNOTATIONS_LIMIT:
        report.add(
            where,
            f"together {size} bytes, the limit is {names.ANNOTATIONS_LIMIT} bytes",
            at_value=False,
        )


def _check_owners(metadata: JsonObject, report: Report) -> None:
    controllers = 0
    for index, owner in enumerate(items(metadata, "ownerReferences")):
        path = (*_METADATA, "ownerReferences", index)
        for field in ("apiVersion", "kind", "name", "uid"):
            if not text(owner, field):
                report.missing((*path, field))
        try:
            GroupVersion.parse(text(owner, "apiVersion") or "v1")
        except ValueError as error:
            report.add((*path, "apiVersion"), str(error))
        controllers += owner.get("controller") is True
        if controllers > 1:
            report.add((*path, "controller"), "only one owner can be the controller")
            break


# The keys that nearly every manifest has.
_FINE = frozenset(
    {
        "app",
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/component",
        "app.kubernetes.io/part-of",
        "app.kubernetes.io/version",
        "app.kubernetes.io/managed-by",
    }
)
