"""Objects of eight kinds with one mistake each, made from the schemas: one field at a time.

For each field of a kind an object is made that has it, as small as the API server takes it:
`TYPES` and `FIELDS` say what a schema does not (which fields go together, what a name looks
like). Then the field gets a wrong type, an unknown sibling, a value that is no enum value.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument, ref_name

Json = Any
Path = tuple[str | int, ...]

_POD = {"containers": [{"name": "c", "image": "i"}]}
_TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": _POD}
_SELECTOR = {"matchLabels": {"app": "a"}}
_JOB_POD = {**_POD, "restartPolicy": "Never"}

#: The smallest valid object of each kind.
BASES: dict[str, Json] = {
    "Deployment": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"selector": _SELECTOR, "template": _TEMPLATE},
    },
    "StatefulSet": {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "spec": {"selector": _SELECTOR, "template": _TEMPLATE},
    },
    "CronJob": {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": {"spec": _JOB_POD}}},
        },
    },
    "Service": {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}},
    "Ingress": {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}},
    },
    "ConfigMap": {"apiVersion": "v1", "kind": "ConfigMap"},
    "Secret": {"apiVersion": "v1", "kind": "Secret"},
    "CustomResourceDefinition": {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        },
    },
}

#: What an object of a type needs beside the field in question (by the type's last name).
TYPES: dict[str, Json] = {
    "Container": {"name": "d", "image": "i"},
    "EnvVar": {"name": "A"},
    "VolumeMount": {"name": "v", "mountPath": "/m"},
    "VolumeDevice": {"name": "v", "devicePath": "/d"},
    "ContainerPort": {"containerPort": 80},
    "Volume": {"name": "w"},
    "KeyToPath": {"key": "k", "path": "p"},
    "ConfigMapKeySelector": {"name": "n", "key": "k"},
    "SecretKeySelector": {"name": "n", "key": "k"},
    "HTTPGetAction": {"port": 80, "path": "/"},
    "HTTPHeader": {"name": "X-A", "value": "v"},
    "ExecAction": {"command": ["c"]},
    "NodeSelectorRequirement": {"key": "k", "operator": "Exists"},
    "NodeSelectorTerm": {"matchExpressions": [{"key": "k", "operator": "Exists"}]},
    "NodeSelector": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "k", "operator": "Exists"}]}]
    },
    "PreferredSchedulingTerm": {
        "weight": 1,
        "preference": {"matchExpressions": [{"key": "k", "operator": "Exists"}]},
    },
    "PodAffinityTerm": {"topologyKey": "t", "labelSelector": {}},
    "WeightedPodAffinityTerm": {
        "weight": 1,
        "podAffinityTerm": {"topologyKey": "t", "labelSelector": {}},
    },
    "LabelSelectorRequirement": {"key": "k", "operator": "Exists"},
    "Toleration": {"key": "k"},
    "TopologySpreadConstraint": {
        "maxSkew": 1,
        "topologyKey": "t",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {},
    },
    "HostAlias": {"ip": "1.2.3.4", "hostnames": ["h"]},
    "PodDNSConfigOption": {"name": "o"},
    "Sysctl": {"name": "kernel.a", "value": "v"},
    "PodReadinessGate": {"conditionType": "a"},
    "PodSchedulingGate": {"name": "a"},
    "PodResourceClaim": {"name": "a", "resourceClaimName": "b"},
    "SeccompProfile": {"type": "RuntimeDefault"},
    "AppArmorProfile": {"type": "RuntimeDefault"},
    "ContainerResizePolicy": {"resourceName": "cpu", "restartPolicy": "NotRequired"},
    "ContainerRestartRule": {
        "action": "Restart",
        "exitCodes": {"operator": "In", "values": [1]},
    },
    "ContainerRestartRuleOnExitCodes": {"operator": "In", "values": [1]},
    "FileKeySelector": {"volumeName": "v", "path": "p", "key": "K"},
    "ResourceFieldSelector": {"resource": "limits.cpu"},
    "ObjectFieldSelector": {"fieldPath": "metadata.name"},
    "AWSElasticBlockStoreVolumeSource": {"volumeID": "v"},
    "AzureDiskVolumeSource": {"diskName": "d", "diskURI": "/subscriptions/d"},
    "AzureFileVolumeSource": {"secretName": "s", "shareName": "h"},
    "CephFSVolumeSource": {"monitors": ["m"]},
    "CinderVolumeSource": {"volumeID": "v"},
    "ConfigMapVolumeSource": {"name": "n"},
    "SecretVolumeSource": {"secretName": "n"},
    "CSIVolumeSource": {"driver": "d.example.com"},
    "DownwardAPIVolumeFile": {"path": "p", "fieldRef": {"fieldPath": "metadata.name"}},
    "FCVolumeSource": {"targetWWNs": ["w"], "lun": 1},
    "FlexVolumeSource": {"driver": "d/e"},
    "FlockerVolumeSource": {"datasetName": "d"},
    "GCEPersistentDiskVolumeSource": {"pdName": "p"},
    "GitRepoVolumeSource": {"repository": "r"},
    "GlusterfsVolumeSource": {"endpoints": "e", "path": "p"},
    "HostPathVolumeSource": {"path": "/p"},
    "ISCSIVolumeSource": {"targetPortal": "t", "iqn": "iqn.2001-04.com.example:s", "lun": 1},
    "ImageVolumeSource": {"reference": "r"},
    "NFSVolumeSource": {"server": "s", "path": "/p"},
    "PersistentVolumeClaimVolumeSource": {"claimName": "c"},
    "PhotonPersistentDiskVolumeSource": {"pdID": "p"},
    "PortworxVolumeSource": {"volumeID": "v"},
    "QuobyteVolumeSource": {"registry": "r:80", "volume": "v"},
    "RBDVolumeSource": {"monitors": ["m"], "image": "i"},
    "ScaleIOVolumeSource": {
        "gateway": "g",
        "system": "s",
        "volumeName": "v",
        "secretRef": {"name": "n"},
    },
    "StorageOSVolumeSource": {"volumeName": "v"},
    "VsphereVirtualDiskVolumeSource": {"volumePath": "/p"},
    "ServiceAccountTokenProjection": {"path": "p"},
    "ClusterTrustBundleProjection": {"name": "n", "path": "p"},
    "PodCertificateProjection": {
        "signerName": "example.com/s",
        "keyType": "ED25519",
        "credentialBundlePath": "p",
    },
    "PersistentVolumeClaimSpec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
    "PersistentVolumeClaim": {
        "metadata": {"name": "p"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    },
    "TypedLocalObjectReference": {"kind": "PersistentVolumeClaim", "name": "n"},
    "TypedObjectReference": {"kind": "PersistentVolumeClaim", "name": "n"},
    "OwnerReference": {"apiVersion": "v1", "kind": "Pod", "name": "n", "uid": "u"},
    "ManagedFieldsEntry": {
        "operation": "Update",
        "apiVersion": "v1",
        "manager": "m",
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    },
    "ServicePort": {"name": "p", "port": 81},
    "IngressRule": {
        "http": {
            "paths": [
                {
                    "path": "/",
                    "pathType": "Prefix",
                    "backend": {"service": {"name": "s", "port": {"number": 80}}},
                }
            ]
        }
    },
    "HTTPIngressPath": {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": "s", "port": {"number": 80}}},
    },
    "HTTPIngressRuleValue": {
        "paths": [
            {
                "path": "/",
                "pathType": "Prefix",
                "backend": {"service": {"name": "s", "port": {"number": 80}}},
            }
        ]
    },
    "IngressServiceBackend": {"name": "s", "port": {"number": 80}},
    "IngressTLS": {"hosts": ["h.example.com"], "secretName": "s"},
    "PodFailurePolicyRule": {
        "action": "FailJob",
        "onExitCodes": {"operator": "In", "values": [1]},
    },
    "PodFailurePolicyOnExitCodesRequirement": {"operator": "In", "values": [1]},
    "PodFailurePolicyOnPodConditionsPattern": {"type": "a", "status": "True"},
    "SuccessPolicyRule": {"succeededCount": 1},
    "StatefulSetPersistentVolumeClaimRetentionPolicy": {},
    "CustomResourceDefinitionVersion": {
        "name": "v2",
        "served": True,
        "storage": False,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    },
    "CustomResourceColumnDefinition": {"name": "c", "type": "string", "jsonPath": ".spec.a"},
    "CustomResourceSubresourceScale": {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
    },
    "WebhookConversion": {
        "conversionReviewVersions": ["v1"],
        "clientConfig": {"url": "https://example.com"},
    },
    "apiextensions.v1.WebhookClientConfig": {},
    "apiextensions.v1.ServiceReference": {"name": "n", "namespace": "m"},
    "ValidationRule": {"rule": "true"},
    "SelectableField": {"jsonPath": ".spec.a"},
    "JSONSchemaProps": {"type": "object"},
}

#: Types of which exactly one of several fields may be given: the fields that are no choice, and
#: what to choose when the field in question is none of the choices either.
UNIONS: dict[str, tuple[frozenset[str], Json]] = {
    "Volume": (frozenset({"name"}), {"emptyDir": {}}),
    "VolumeProjection": (frozenset(), {"secret": {"name": "n"}}),
    "Probe": (
        frozenset(
            {
                "initialDelaySeconds",
                "timeoutSeconds",
                "periodSeconds",
                "successThreshold",
                "failureThreshold",
                "terminationGracePeriodSeconds",
            }
        ),
        {"exec": {"command": ["c"]}},
    ),
    "LifecycleHandler": (frozenset(), {"exec": {"command": ["c"]}}),
    "EnvVarSource": (frozenset(), {"fieldRef": {"fieldPath": "metadata.name"}}),
    "EnvFromSource": (frozenset({"prefix"}), {"secretRef": {"name": "n"}}),
    "IngressBackend": (frozenset(), {"service": {"name": "s", "port": {"number": 80}}}),
    "ServiceBackendPort": (frozenset(), {"number": 80}),
    "PodResourceClaim": (frozenset({"name"}), {"resourceClaimName": "b"}),
    "DownwardAPIVolumeFile": (
        frozenset({"path", "mode"}),
        {"fieldRef": {"fieldPath": "metadata.name"}},
    ),
    "PodFailurePolicyRule": (
        frozenset({"action"}),
        {"onExitCodes": {"operator": "In", "values": [1]}},
    ),
    "ClusterTrustBundleProjection": (
        frozenset({"path", "optional", "labelSelector"}),
        {"name": "n"},
    ),
    "apiextensions.v1.WebhookClientConfig": (
        frozenset({"caBundle"}),
        {"url": "https://example.com"},
    ),
}

#: A value that a field takes, where any text or number is not one.
FIELDS: dict[str, Json] = {
    "ContainerPort.hostIP": "1.2.3.4",
    "ContainerPort.hostPort": 80,
    "EnvVar.value": "v",
}


@dataclass(frozen=True)
class Field:
    """One field of a kind: where it is, its schema, and an object that has it."""

    kind: str
    path: Path
    schema: Mapping[str, Json]
    parent: str
    base: Json


@dataclass(frozen=True)
class Case:
    """One object to ask about."""

    gvk: GroupVersionKind
    path: Path
    what: str
    obj: Json

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.gvk.kind


def short(name: str) -> str:
    """The last name of a component, with its group where two types share it."""
    last = name.rpartition(".")[2]
    longer = ".".join(name.split(".")[-3:])
    return longer if longer in TYPES or longer in UNIONS else last


class Walker:
    """Fields of a kind, each with an object around it."""

    def __init__(self, document: SchemaDocument) -> None:
        self._components = document.components
        self._kinds = document.kinds()

    def fields(self, base: Json) -> Iterator[Field]:
        """Every field of the kind of `base`, an object that the server takes."""
        kind = base["kind"]
        gvk = GroupVersionKind.parse(base["apiVersion"], kind)
        yield from self._walk(kind, self._kinds[gvk], (), base, ())

    def _walk(
        self, kind: str, name: str, path: Path, base: Json, above: tuple[str, ...]
    ) -> Iterator[Field]:
        if above.count(name) > 1:
            return
        schema = self._components[name]
        for field, part in (schema.get("properties") or {}).items():
            here = (*path, field)
            holder = self._ensure(base, path, name, field)
            yield Field(kind, here, self._resolve(part), name, holder)
            yield from self._below(kind, part, here, holder, (*above, name))

    def _below(
        self, kind: str, part: Json, path: Path, base: Json, above: tuple[str, ...]
    ) -> Iterator[Field]:
        target = ref_name(part)
        if target:
            if "properties" in self._components.get(target, {}):
                yield from self._walk(kind, target, path, base, above)
            return
        items, values = part.get("items"), part.get("additionalProperties")
        if isinstance(items, dict):
            index = len(_get(base, path) or ())
            yield Field(kind, (*path, index), self._resolve(items), ref_name(items), base)
            yield from self._below(kind, items, (*path, index), base, above)
        elif isinstance(values, dict):
            yield Field(kind, (*path, "k"), self._resolve(values), ref_name(values), base)
            yield from self._below(kind, values, (*path, "k"), base, above)

    def _resolve(self, part: Json) -> Json:
        name = ref_name(part)
        return self._components.get(name, {}) if name else part

    def _ensure(self, base: Json, path: Path, name: str, field: str) -> Json:
        """A copy of `base` in which the object at `path` is there, ready for `field`."""
        obj = copy.deepcopy(base)
        there = _get(obj, path)
        fresh = there is None
        holder = _make(obj, path)
        key = short(name)
        if fresh:
            holder.update(copy.deepcopy(TYPES.get(key, {})))
            for needed in self._components[name].get("required", ()):
                if needed not in holder and needed != field:
                    holder[needed] = sample(
                        self._resolve(self._components[name]["properties"][needed])
                    )
        if key in UNIONS:
            free, default = UNIONS[key]
            if field in free:
                if not any(choice not in free for choice in holder):
                    holder.update(copy.deepcopy(default))
            else:
                for choice in [each for each in holder if each not in free and each != field]:
                    del holder[choice]
        return obj


def sample(schema: Mapping[str, Json]) -> Json:
    """A value of a schema's type."""
    if schema.get("enum"):
        return next(value for value in schema["enum"] if value)
    kind = schema.get("type")
    if kind == "string":
        return {"date-time": "2026-01-01T00:00:00Z", "byte": "YQ=="}.get(
            schema.get("format", ""), "a"
        )
    if kind == "object":
        return {}
    return {"integer": 1, "number": 1, "boolean": True, "array": []}.get(str(kind), 1)


def _get(obj: Json, path: Path) -> Json:
    for part in path:
        if isinstance(obj, dict):
            obj = obj.get(part)
        elif isinstance(obj, list) and isinstance(part, int) and part < len(obj):
            obj = obj[part]
        else:
            return None
    return obj


def _make(obj: Json, path: Path) -> Json:
    """The mapping at `path`, made with all above it."""
    for index, part in enumerate(path):
        after: Json = [] if index + 1 < len(path) and isinstance(path[index + 1], int) else {}
        if isinstance(obj, list):
            assert isinstance(part, int)
            while len(obj) <= part:
                obj.append(copy.deepcopy(after))
            obj = obj[part]
        else:
            if obj.get(part) is None:
                obj[part] = after
            obj = obj[part]
    return obj


def with_value(base: Json, path: Path, value: Json) -> Json:
    """A copy of `base` with `value` at `path`; a list item is added."""
    obj = copy.deepcopy(base)
    holder = _make_holder(obj, path)
    last = path[-1]
    if isinstance(holder, list):
        assert isinstance(last, int)
        if last < len(holder):
            holder[last] = value
        else:
            holder.append(value)
    else:
        holder[last] = value
    return obj


def _make_holder(obj: Json, path: Path) -> Json:
    if isinstance(path[-1], int):
        holder = _make_holder(obj, path[:-1])
        last = path[-2]
        if isinstance(holder, list):
            while len(holder) <= last:  # type: ignore[operator]
                holder.append([])
            return holder[last]  # type: ignore[index]
        if holder.get(last) is None:
            holder[last] = []
        return holder[last]
    return _make(obj, path[:-1])


_VALUES: tuple[tuple[str, Json], ...] = (
    ("a number", 5),
    ("a text", "text"),
    ("a boolean", True),
    ("a list", []),
    ("a list of texts", ["x"]),
    ("a mapping", {}),
    ("a mapping with a field", {"x": "y"}),
    ("a fraction", 1.5),
    ("null", None),
    ("a large number", 2**40),
    ("a negative number", -1),
    ("zero", 0),
    ("an empty text", ""),
    ("a wrong enum value", "Bogus"),
    ("odd text", "-no Such/Thing!"),
)


def values_for(field: Field) -> Iterator[tuple[str, Json]]:
    """Every value that is tried for a field, of its type or not."""
    yield from _VALUES
    for value in field.schema.get("enum") or ():
        yield f"the enum value {value}", value
        yield f"the enum value {value} in lower case", value.lower()


def base_of(kind: str) -> Json:
    """The smallest valid object of a kind of BASES."""
    base = copy.deepcopy(BASES[kind])
    base.setdefault("metadata", {}).setdefault("name", "a")
    return base


def mistakes(document: SchemaDocument, base: Json) -> Iterator[Case]:
    """Objects of one kind: the base of each field, then each value, then an unknown sibling."""
    seen: set[str] = set()
    gvk = GroupVersionKind.parse(base["apiVersion"], base["kind"])
    for field in Walker(document).fields(base):
        text = repr(field.base)
        if text not in seen:
            seen.add(text)
            yield Case(gvk, field.path[:-1], "nothing wrong", field.base)
        for what, value in values_for(field):
            yield Case(gvk, field.path, what, with_value(field.base, field.path, value))
        if isinstance(field.path[-1], str):
            sibling = (*field.path[:-1], f"{field.path[-1]}x")
            obj = with_value(field.base, sibling, 1)
            yield Case(gvk, sibling, "an unknown sibling", obj)
