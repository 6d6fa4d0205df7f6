"""The schemas inside a CRD's schema, one by one: where each stands, and what is above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import items, mapping

META = frozenset({"apiVersion", "kind", "metadata"})
INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_LOGIC = ("allOf", "anyOf", "oneOf")
EMBEDDED = "x-kubernetes-embedded-resource"
PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
RULES = "x-kubernetes-validations"
#: Keys of a leaf that nothing needs to be said about, where its type is a scalar.
_PLAIN = frozenset({"description", "type", "title", "format", "example", "enum", "nullable"})
_PLAIN |= {f"{end}{what}" for end in ("min", "max") for what in ("imum", "Length")}
_SCALARS = frozenset({"string", "integer", "number", "boolean"})


@dataclass(slots=True)
class Node:
    """One schema on its way: where it stands, and what is above it."""

    schema: JsonObject
    above: Node | None
    steps: Path
    level: str = "field"
    inside_meta: bool = False
    no_default: str = ""
    #: For a value validation: the structural node that it speaks about, None if there is none.
    nested: bool = False
    about: JsonObject | None = None
    skip_any_of: bool = False

    @property
    def path(self) -> Path:
        """Where it stands; put together when there is something to say."""
        parts: list[Path] = []
        node: Node | None = self
        while node is not None:
            parts.append(node.steps)
            node = node.above
        return tuple(step for steps in reversed(parts) for step in steps)


def _is_plain(schema: JsonObject) -> bool:
    """Whether a schema is a scalar without anything to check: most of them are."""
    return schema.keys() <= _PLAIN and schema.get("type") in _SCALARS


def children(node: Node) -> Iterator[Node]:
    """The schemas right below one, but for scalars that nothing needs to be said about."""
    schema = node.schema
    about = node.about if node.nested else schema
    embedded = node.level == "root" or schema.get(EMBEDDED) is True
    for name, part in mapping(schema, "properties").items():
        special = embedded and name in META and not node.nested
        if not special and not node.nested and part and _is_plain(part):
            continue
        yield Node(
            part or {},
            node,
            ("properties", name),
            inside_meta=special or node.inside_meta,
            no_default=f"in top-level {name}"
            if special and node.level == "root"
            else node.no_default,
            nested=node.nested,
            about=_property(about, name),
        )
    item = schema.get("items")
    if isinstance(item, dict) and (node.nested or not _is_plain(item)):
        below = about.get("items") if about is not None else None
        yield Node(
            item,
            node,
            ("items",),
            "item",
            node.inside_meta,
            node.no_default,
            node.nested,
            below if isinstance(below, dict) else None,
        )
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and not node.nested and not _is_plain(values):
        no_default = node.no_default
        if node.inside_meta:
            no_default = "inside additionalProperties of metadata"
        yield Node(
            values,
            node,
            ("additionalProperties",),
            inside_meta=node.inside_meta,
            no_default=no_default,
        )
    yield from _validations(node, about)


def _property(about: JsonObject | None, name: str) -> JsonObject | None:
    found = mapping(about, "properties").get(name) if about is not None else None
    return found if isinstance(found, dict) else None


def _validations(node: Node, about: JsonObject | None) -> Iterator[Node]:
    schema = node.schema
    for key in _LOGIC:
        parts = items(schema, key)
        # type: integer and type: string are fine in the one form that int-or-string takes.
        pattern = key == "anyOf" and parts == INT_OR_STRING
        exempt = pattern and (not node.nested or node.skip_any_of)
        for index, part in enumerate(parts):
            first = key == "allOf" and index == 0 and not node.nested
            yield Node(
                part,
                node,
                (key, index),
                "int or string" if exempt else "field",
                nested=True,
                about=about,
                skip_any_of=first and part.get("anyOf") == INT_OR_STRING,
            )
    inner = schema.get("not")
    if isinstance(inner, dict):
        yield Node(inner, node, ("not",), nested=True, about=about)
