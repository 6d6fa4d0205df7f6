"""A minimal valid object of every kind: what its schema requires, and what only the server says."""

from __future__ import annotations

import copy
from typing import Any

from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument, ref_name
from tests.contract.validation_mistakes import BASES, TYPES, sample, short

Json = Any

_POD = {"containers": [{"name": "c", "image": "i"}]}
_JOB = {**_POD, "restartPolicy": "Never"}
_LABELS = {"app": "a"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _POD}
_SELECTOR = {"matchLabels": _LABELS}
_RULES = {
    "resourceRules": [
        {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["pods"],
        }
    ]
}
_ATTRIBUTES = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
_SCALED = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}}
_VOLUME = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/a"},
}
_MUTATING = {
    "failurePolicy": "Fail",
    "matchConstraints": _RULES,
    "reinvocationPolicy": "Never",
    "mutations": [
        {
            "patchType": "ApplyConfiguration",
            "applyConfiguration": {"expression": "Object{metadata: Object.metadata{labels: {}}}"},
        }
    ],
}

#: Fields that the schema does not require and the server does, or whose values have a form.
SPECS: dict[str, Json] = {
    "APIService": {
        "metadata": {"name": "v1.example.com"},
        "spec": {
            "group": "example.com",
            "version": "v1",
            "groupPriorityMinimum": 1,
            "versionPriority": 1,
            "service": {"name": "a", "namespace": "b"},
            "insecureSkipTLSVerify": True,
        },
    },
    "Binding": {"target": {"kind": "Node", "name": "n"}},
    "ClusterRoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "a"}
    },
    "DaemonSet": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "Event": {
        "involvedObject": {"namespace": "default"},
        "metadata": {"name": "a", "namespace": "default"},
    },
    "HorizontalPodAutoscaler": {"spec": {**_SCALED, "maxReplicas": 1}},
    "IPAddress": {
        "metadata": {"name": "10.0.0.9"},
        "spec": {"parentRef": {"group": "", "resource": "services", "name": "a", "namespace": "b"}},
    },
    "IngressClass": {"spec": {"controller": "example.com/a"}},
    "Job": {"spec": {"template": {"spec": _JOB}}},
    "LeaseCandidate": {
        "spec": {
            "leaseName": "a",
            "binaryVersion": "1.37.0",
            "strategy": "OldestEmulationVersion",
            "emulationVersion": "1.37.0",
        }
    },
    "LocalSubjectAccessReview": {
        "metadata": {"namespace": "default"},
        "spec": {
            "user": "u",
            "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"},
        },
    },
    "MutatingAdmissionPolicy": {"spec": _MUTATING},
    "MutatingAdmissionPolicyBinding": {"spec": {"policyName": "a"}},
    "PersistentVolume": {"spec": _VOLUME},
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
    },
    "Pod": {"spec": _POD},
    "PodTemplate": {"template": _TEMPLATE},
    "PriorityLevelConfiguration": {
        "spec": {
            "type": "Limited",
            "limited": {"limitResponse": {"type": "Reject"}},
        }
    },
    "ReplicaSet": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "ReplicationController": {"spec": {"selector": _LABELS, "template": _TEMPLATE}},
    "ResourceSlice": {
        "spec": {
            "driver": "d.example.com",
            "nodeName": "n",
            "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
        }
    },
    "RoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"}
    },
    "SelfSubjectAccessReview": {"metadata": {}, "spec": _ATTRIBUTES},
    "SelfSubjectRulesReview": {"metadata": {}, "spec": {"namespace": "default"}},
    "ServiceCIDR": {"spec": {"cidrs": ["10.1.0.0/24"]}},
    "StorageVersion": {"metadata": {"name": "apps.deployments"}},
    "StorageVersionMigration": {"spec": {"resource": {"group": "apps", "resource": "deployments"}}},
    "SubjectAccessReview": {"metadata": {}, "spec": {**_ATTRIBUTES, "user": "u"}},
    "TokenReview": {"spec": {"token": "t"}},
    "ValidatingAdmissionPolicy": {
        "spec": {"matchConstraints": _RULES, "validations": [{"expression": "true"}]}
    },
    "ValidatingAdmissionPolicyBinding": {
        "spec": {"policyName": "a", "validationActions": ["Deny"]}
    },
    "VolumeAttachment": {
        "spec": {
            "attacher": "a",
            "nodeName": "n",
            "source": {"persistentVolumeName": "p"},
        }
    },
    "VolumeAttributesClass": {"parameters": {"a": "b"}},
}
#: Kinds that only the server can say are valid: certificates, bundles.
OPAQUE = frozenset({"CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"})


def minimal(document: SchemaDocument, gvk: GroupVersionKind) -> Json:
    """An object of `gvk`: what its schema in `document` requires, with SPECS on top."""
    base = BASES.get(gvk.kind)
    if base is not None and base["apiVersion"] == gvk.api_version:
        obj = copy.deepcopy(base)
    else:
        obj = _required(document, document.kinds()[gvk])
        if gvk.kind == "Event" and gvk.group:
            obj.update(
                eventTime="2026-01-01T00:00:00.000000Z",
                reportingController="example.com/a",
                reportingInstance="a",
                action="a",
                reason="a",
                type="Normal",
                metadata={"name": "a", "namespace": "default"},
                regarding={"namespace": "default"},
            )
        else:
            obj.update(copy.deepcopy(SPECS.get(gvk.kind, {})))
        obj.update(apiVersion=gvk.api_version, kind=gvk.kind)
    if gvk.kind.endswith("List") and "items" in obj:
        obj.setdefault("metadata", {})
    elif "metadata" not in SPECS.get(gvk.kind, {}):
        obj.setdefault("metadata", {}).setdefault("name", "a")
    return obj


def _required(document: SchemaDocument, name: str) -> Json:
    schema = document.components[name]
    obj: dict[str, Json] = copy.deepcopy(TYPES.get(short(name), {}))
    for field in schema.get("required", ()):
        if field in obj:
            continue
        part = schema["properties"][field]
        target = ref_name(part)
        if target and "properties" in document.components[target]:
            obj[field] = _required(document, target)
        elif part.get("type") == "array":
            obj[field] = [] if field == "items" else [_item(document, part["items"])]
        else:
            obj[field] = sample(document.components[target] if target else part)
    return obj


def _item(document: SchemaDocument, items: Json) -> Json:
    target = ref_name(items)
    if target and "properties" in document.components[target]:
        return _required(document, target)
    return sample(document.components[target] if target else items)
