from __future__ import annotations

from typing import Any

import pytest

from kapply.errors import UsageError
from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument
from kapply.report.explain import explain_lines, wrap

GVK = GroupVersionKind("x.dev", "v1", "Lamp")


def document(**components: Any) -> SchemaDocument:
    kind = {
        "x-kubernetes-group-version-kind": [{"group": "x.dev", "version": "v1", "kind": "Lamp"}]
    }
    components["Lamp"] = {**components["Lamp"], **kind}
    return SchemaDocument({"components": {"schemas": components}})


LAMP = {
    "type": "object",
    "description": "A lamp.",
    "required": ["spec"],
    "properties": {
        "spec": {"allOf": [{"$ref": "#/components/schemas/a.b.Spec"}], "description": "What."},
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
SPEC = {
    "type": "object",
    "description": "The spec.",
    "properties": {
        "colour": {"type": "string", "enum": ["", "red", "blue", "green", "black"]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/a.b.Spec"}},
    },
}
DOCUMENT = document(Lamp=LAMP, **{"a.b.Spec": SPEC})


def text(*fields: str, recursive: bool = False) -> str:
    return "\n".join(explain_lines(DOCUMENT, GVK, fields, recursive=recursive))


def test_a_kind() -> None:
    assert text() == (
        "GROUP:      x.dev\nKIND:       Lamp\nVERSION:    v1\n\nDESCRIPTION:\n    A lamp.\n    \n"
        "FIELDS:\n  spec\t<Spec> -required-\n    What.\n\n"
        "  tags\t<map[string]string>\n    <no description>\n\n"
    )


def test_a_field_with_values() -> None:
    assert 'FIELD: colour <string>\nENUM:\n    ""\n    red\n    blue\n' in text("spec", "colour")
    assert '  colour\t<string>\n  enum: "", red, blue, green, ....\n' in text("spec")
    assert "    What.\n    The spec.\n" in text("spec")


def test_a_type_that_holds_itself_ends() -> None:
    assert text(recursive=True).endswith(
        "FIELDS:\n  spec\t<Spec> -required-\n    colour\t<string>\n"
        '    enum: "", red, blue, green, ....\n    parts\t<[]Spec>\n  tags\t<map[string]string>\n'
    )
    assert "FIELD: parts <[]Spec>" in text("spec", "parts", "parts", "parts")


def test_no_such_field() -> None:
    with pytest.raises(UsageError) as caught:
        text("spec", "size")
    assert "Lamp has no field spec.size" in str(caught.value)
    assert caught.value.hint == "There are: colour, parts."


def test_a_deep_schema_is_no_crash() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(400):
        schema = {"type": "array", "items": schema}
    deep = document(Lamp={"properties": {"a": schema}})
    assert "Object" in "\n".join(explain_lines(deep, GVK, (), recursive=True))


@pytest.mark.parametrize(
    ("given", "wrapped"),
    [
        ("one two three", "one two\nthree"),
        ("one\ntwo", "one\ntwo"),
        ("onelongword two", "onelongword\ntwo"),
        ("a  b", "a  b"),
        ("  a", "  a"),
        ("", ""),
    ],
)
def test_wrapping(given: str, wrapped: str) -> None:
    assert wrap(given, 8) == wrapped
