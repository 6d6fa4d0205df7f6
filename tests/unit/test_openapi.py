from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.errors import ProtocolError
from kapply.meta import GroupVersion, GroupVersionKind
from kapply.openapi import (
    INDEX,
    IndexEntry,
    SchemaDocument,
    SchemaSet,
    file_of,
    folder_of,
    parse_index,
    ref_name,
    slim,
)

WIDGET = GroupVersionKind("example.com", "v1", "Widget")


def operation(action: str, kind: str, **more: Any) -> dict[str, Any]:
    gvk = {"group": "example.com", "version": "v1", "kind": kind}
    return {
        "description": "prose",
        "parameters": [{"name": "pretty"}],
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk,
        **more,
    }


def document() -> dict[str, Any]:
    gvk = [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    base = "/apis/example.com/v1/namespaces/{namespace}/widgets"
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.2", "contact": "x"},
        "paths": {
            "/apis/example.com/v1/": {"get": {"description": "resources"}},
            "/apis/example.com/v1/widgets": {"get": operation("list", "Widget")},
            base: {"get": operation("list", "Widget"), "post": operation("post", "Widget")},
            base + "/{name}": {
                "get": operation("get", "Widget"),
                "put": operation("put", "Widget"),
                "patch": operation("patch", "Widget"),
                "delete": operation("delete", "Widget"),
                "parameters": [{"name": "name"}],
            },
            base + "/{name}/scale": {"get": operation("get", "Scale")},
            "/apis/example.com/v1/watch/widgets": {"get": operation("watchlist", "Widget")},
        },
        "components": {
            "schemas": {
                "com.example.v1.Widget": {
                    "description": "A widget.",
                    "type": "object",
                    "properties": {
                        # A field may be called like a keyword of prose.
                        "description": {"type": "string", "description": "prose"},
                        "spec": {
                            "allOf": [{"$ref": "#/components/schemas/com.example.v1.Spec"}],
                            "default": {"description": "a default is data"},
                        },
                    },
                    "x-kubernetes-group-version-kind": gvk,
                },
                "com.example.v1.WidgetList": {
                    "type": "object",
                    "x-kubernetes-group-version-kind": [{**gvk[0], "kind": "WidgetList"}],
                },
                "com.example.v1.Spec": {
                    "type": "object",
                    "properties": {"self": {"$ref": "#/components/schemas/com.example.v1.Spec"}},
                },
                "com.example.v1.Unused": {"type": "string"},
                "DeleteOptions": {
                    "x-kubernetes-group-version-kind": [*gvk, {**gvk[0], "kind": "Other"}]
                },
            }
        },
    }


def test_index_names_documents_by_group_version() -> None:
    index = parse_index(
        {
            "paths": {
                "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=AB"},
                "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1"},
                "apis/apps": {"serverRelativeURL": "/openapi/v3/apis/apps?hash=1"},
                "version": {"serverRelativeURL": "/openapi/v3/version?hash=2"},
                "apis/evil/v1": {"serverRelativeURL": "//evil.example/x"},
                "apis/odd/v1": {"serverRelativeURL": 5},
            }
        }
    )
    assert index == {
        GroupVersion("", "v1"): IndexEntry("/openapi/v3/api/v1?hash=AB", "AB"),
        GroupVersion("apps", "v1"): IndexEntry("/openapi/v3/apis/apps/v1", ""),
    }


@pytest.mark.parametrize("wrong", [None, [], {}, {"paths": []}, "x"])
def test_an_index_that_is_none_is_a_protocol_error(wrong: object) -> None:
    with pytest.raises(ProtocolError):
        parse_index(wrong)


def test_kinds_and_mappings() -> None:
    read = SchemaDocument(document())
    assert read.kinds()[WIDGET] == "com.example.v1.Widget"
    assert {gvk.kind for gvk in read.kinds()} == {"Widget", "WidgetList"}
    mapping = read.mappings()[WIDGET]
    assert (mapping.resource, mapping.namespaced) == ("widgets", True)
    assert mapping.verbs == {"list", "create", "get", "update", "patch", "delete"}
    assert mapping.subresources == (("scale", frozenset({"get"})),)


def test_a_set_answers_from_whichever_document_knows() -> None:
    found = SchemaSet([SchemaDocument({"paths": {}}), SchemaDocument(document())])
    schema = found.schema_for(WIDGET)
    assert schema is not None
    assert ref_name(schema["properties"]["spec"]) == "com.example.v1.Spec"
    assert found.schema_for(WIDGET._replace(version="v2")) is None
    mapping = found.mapping_for(WIDGET)
    assert mapping is not None
    assert mapping.resource == "widgets"


def test_slim_keeps_types_and_drops_prose() -> None:
    slimmed = slim(document())
    schemas = slimmed["components"]["schemas"]
    assert set(schemas) == {
        "com.example.v1.Widget",
        "com.example.v1.WidgetList",
        "com.example.v1.Spec",
    }
    widget = schemas["com.example.v1.Widget"]
    assert "description" not in widget
    assert widget["properties"]["description"] == {"type": "string"}
    assert widget["properties"]["spec"]["default"] == {"description": "a default is data"}
    assert slim(slimmed) == slimmed
    before, after = SchemaDocument(document()), SchemaDocument(slimmed)
    assert after.mappings() == before.mappings()
    assert after.kinds() == before.kinds()


def test_a_folder_reads_back() -> None:
    gv = GroupVersion("example.com", "v1")
    index = {gv: IndexEntry("/openapi/v3/apis/example.com/v1?hash=7", "7")}
    files = folder_of({gv: document()}, version="v1.37.2", index=index)
    assert set(files) == {INDEX, "apis/example.com/v1.json"}
    assert file_of(GroupVersion("", "v1")) == "api/v1.json"
    assert parse_index(json.loads(files[INDEX])) == index
    assert json.loads(files[INDEX])["info"]["version"] == "v1.37.2"
    assert WIDGET in SchemaDocument(json.loads(files[file_of(gv)])).kinds()


@pytest.mark.parametrize("wrong", [None, [], {}, {"components": 5}])
def test_a_document_that_is_none_is_a_protocol_error(wrong: object) -> None:
    with pytest.raises(ProtocolError):
        SchemaDocument(wrong)
