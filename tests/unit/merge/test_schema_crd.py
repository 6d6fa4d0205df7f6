from __future__ import annotations

from typing import Any

from kapply.merge.schema import DEDUCED
from kapply.merge.schema_crd import crd_definition, crd_type
from kapply.merge.typed import field_set_of, validate

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
        "spec": {
            "type": "object",
            "properties": {
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
                "templates": {
                    "type": "array",
                    "items": {"type": "object", "x-kubernetes-embedded-resource": True},
                },
                "byName": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "x-kubernetes-embedded-resource": True,
                        "properties": {"spec": {"type": "object"}},
                    },
                },
                "odd": 1,
            },
        },
    },
}


def test_the_definition_is_named_as_the_server_names_it() -> None:
    name, definition = crd_definition("stable.example.com", "v1", "CronTab", None)
    assert name == "com.example.stable.v1.CronTab"
    assert definition == {
        "type": "object",
        "x-kubernetes-group-version-kind": [
            {"group": "stable.example.com", "version": "v1", "kind": "CronTab"}
        ],
    }


def test_metadata_is_object_meta_everywhere() -> None:
    spec = SCHEMA["properties"]["spec"]["properties"]
    without_odd = {name: inner for name, inner in spec.items() if name != "odd"}
    schema = {"type": "object", "properties": {"spec": {"type": "object",
              "properties": without_odd}}}  # fmt: skip
    type_ = crd_type("g", "v1", "Kind", schema)
    meta = {"name": "x", "finalizers": ["a"], "ownerReferences": [{"uid": "u", "name": "o"}]}
    resource = {"apiVersion": "v1", "kind": "K", "metadata": meta}
    obj = {
        **resource,
        "spec": {"template": {**resource, "free": 1}, "byName": {"k": resource}},
    }
    assert validate(obj, type_) == []
    owned: dict[str, Any] = {
        "f:apiVersion": {},
        "f:kind": {},
        "f:metadata": {
            "f:finalizers": {'v:"a"': {}},
            "f:name": {},
            "f:ownerReferences": {'k:{"uid":"u"}': {}},
        },
    }
    assert field_set_of(obj, type_).fields_v1() == {
        **owned,
        "f:spec": {
            "f:byName": {"f:k": {".": {}, **owned}},
            "f:template": {**owned, "f:free": {}},
        },
    }
    unfit = {**resource, "metadata": {"labels": 1}, "spec": {"templates": [{"metadata": 1}]}}
    assert [error.path for error in validate(unfit, type_)] == [
        ".metadata.labels",
        ".spec.templates[0].metadata",
    ]


def test_a_kind_without_a_schema_is_free() -> None:
    atom = crd_type("g", "v1", "Kind", None).atom
    assert atom.map is not None and atom.map.element is DEDUCED
    preserved = crd_type("g", "v1", "Kind", {"type": "object"}, preserve_unknown=True).atom
    assert preserved.map is not None and preserved.map.element is DEDUCED


def test_odd_schemas_stay_as_they_are() -> None:
    _, definition = crd_definition("g", "v1", "Kind", SCHEMA)
    assert definition["properties"]["spec"]["properties"]["odd"] == 1
    odd = {"type": "object", "properties": 1, "x-kubernetes-embedded-resource": True}
    assert set(crd_definition("g", "v1", "K", odd)[1]["properties"]) == {
        "apiVersion", "kind", "metadata",
    }  # fmt: skip
