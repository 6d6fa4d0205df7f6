"""Custom resources: kapply's verdict by a CRD, by the server's document of it, and the server's.

One CRD with a field for each thing that a structural schema can say; each field gets values that
fit and values that do not.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from kapply.meta import GroupVersion, GroupVersionKind
from kapply.openapi import parse_index, slim
from kapply.validation import (
    CustomSource,
    OpenAPISource,
    SchemaSource,
    findings_of,
    is_valid,
    offline_schemas,
)
from tests.cluster.client import Client
from tests.cluster.cluster import TestCluster

Json = Any
WIDGET = GroupVersionKind("validation.example.com", "v1", "Widget")
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}

_NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
FIELDS: dict[str, Json] = {
    "text": {"type": "string", "minLength": 1, "maxLength": 3},
    "pattern": {"type": "string", "pattern": "^[a-z]+$"},
    "flags": {"type": "string", "pattern": "^(?i)(abort|warn)?$"},
    "enum": {"type": "string", "enum": ["A", "B"]},
    "nullableEnum": {"type": "string", "enum": ["A", None], "nullable": True},
    "defaulted": {"type": "string", "default": "a"},
    "nullable": {"type": "string", "nullable": True},
    "nullableDefault": {"type": "integer", "nullable": True, "default": 1},
    "count": {"type": "integer", "minimum": 0, "maximum": 10},
    "above": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
    "small": {"type": "integer", "format": "int32"},
    "ratio": {"type": "number", "maximum": 1, "exclusiveMaximum": True},
    "even": {"type": "integer", "multipleOf": 2},
    "flag": {"type": "boolean"},
    "port": {"x-kubernetes-int-or-string": True},
    "either": {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": "^[0-9]+%?$",
    },
    "anything": {"x-kubernetes-preserve-unknown-fields": True},
    "open": {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {"known": {"type": "string"}},
    },
    "closed": {"type": "object", "properties": {"known": {"type": "string"}}},
    "empty": {"type": "object"},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "free": {"type": "object", "additionalProperties": True},
    "sized": {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "minProperties": 1,
        "maxProperties": 2,
    },
    "list": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    "set": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
    "map": {
        "type": "array",
        "items": _NAMED,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
    },
    "required": {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "string"}, "b": {"type": "string", "default": "x"}},
    },
    "oneOf": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "not": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "not": {"required": ["a"]},
    },
    "embedded": {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    },
    **{
        f"{name.replace('-', '')}Format": {"type": "string", "format": name}
        for name in (
            "date",
            "date-time",
            "duration",
            "byte",
            "ipv4",
            "ipv6",
            "cidr",
            "mac",
            "uuid",
            "uri",
            "email",
            "hexcolor",
            "ssn",
            "k8s-short-name",
            "no-such-format",
        )
    },
}
VALUES: tuple[Json, ...] = (
    None,
    True,
    0,
    1,
    -1,
    11,
    2.0,
    0.5,
    1.5,
    2**31,
    2**63,
    "",
    "a",
    "A",
    "abcd",
    "ABORT",
    "10%",
    "2026-01-31",
    "2026-02-30",
    "2026-01-31T12:00:00Z",
    "1h30m",
    "3 days",
    "YQ==",
    "YQ",
    "10.0.0.1",
    "010.0.0.1",
    "::1",
    "10.0.0.0/8",
    "10.0.0.0",
    "00:11:22:33:44:55",
    "00-11-22-33-44",
    "12345678-1234-1234-1234-123456789abc",
    "https://example.com/a",
    "/path",
    "not a uri",
    "a@example.com",
    "#ffffff",
    "123-45-6789",
    [],
    ["a"],
    ["a", "b", "c"],
    [None],
    [1, 1],
    [1, 2],
    [{"name": "a"}, {"name": "b"}],
    [{"name": "a"}, {"name": "a"}],
    [{}],
    {},
    {"known": "a"},
    {"known": 1},
    {"unknown": 1},
    {"a": "x"},
    {"a": None},
    {"a": "x", "b": None},
    {"a": "x", "b": "y"},
    {"b": "y"},
    {"a": 1, "b": 2, "c": 3},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {}},
    {"apiVersion": "v1", "metadata": {"name": "a"}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 1}},
)


def definition() -> Json:
    plural = f"{WIDGET.kind.lower()}s"
    spec = {"type": "object", "properties": copy.deepcopy(FIELDS)}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{WIDGET.group}"},
        "spec": {
            "group": WIDGET.group,
            "names": {"kind": WIDGET.kind, "plural": plural},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": WIDGET.version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
                }
            ],
        },
    }


def widget(spec: Json) -> Json:
    return {
        "apiVersion": WIDGET.api_version,
        "kind": WIDGET.kind,
        "metadata": {"name": "a"},
        "spec": spec,
    }


@pytest.fixture
def served(apiserver: TestCluster) -> Iterator[Client]:
    """A client of a server that has the CRD."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crd = definition()
    with closing(apiserver.client(kept=True)) as client:
        client.request("POST", crds, crd).ok()
        path = f"/openapi/v3{WIDGET.group_version.path}"
        try:
            apiserver.wait_for(lambda: client.request("GET", path).code == 200, "the CRD's schema")
            yield client
        finally:
            client.request("DELETE", f"{crds}/{crd['metadata']['name']}")


def test_custom_resources(served: Client, api_namespace: str) -> None:
    index = parse_index(served.request("GET", "/openapi/v3").json())
    document = served.request("GET", index[WIDGET.group_version].url).json()
    sources: dict[str, SchemaSource] = {
        "the CRD": CustomSource([definition()], offline_schemas()),
        "the server's document": OpenAPISource.from_documents(
            {GroupVersion(WIDGET.group, WIDGET.version): slim(document)}
        ),
    }
    path = f"{WIDGET.group_version.path}/namespaces/{api_namespace}/widgets"
    wrong = []
    asked = 0
    for field in FIELDS:
        for value in VALUES:
            obj = widget({field: value})
            answer = served.request("POST", path, obj, query=STRICT)
            asked += 1
            for name, source in sources.items():
                if is_valid(obj, source) != (answer.code < 400):
                    found = [finding.message for finding in findings_of(obj, source)]
                    said = answer.json().get("message", "taken")[:160]
                    wrong.append(f"{name}: {field}={value!r}: {found or 'nothing'}, server: {said}")
    assert asked > 2000
    # kube-openapi takes a list for a string that has a format; kapply does not follow it there.
    wrong = [line for line in wrong if "expected a string, got a list" not in line]
    assert not wrong, "\n".join(wrong)
