"""What a schema says about a kind and its fields, for people, in the layout of kubectl explain."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kapply.errors import UsageError
from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument, ref_name
from kapply.report.escape import escape

_WIDTH = 78
_MAX_DEPTH = 12


def explain_lines(
    document: SchemaDocument,
    gvk: GroupVersionKind,
    fields: Sequence[str],
    *,
    recursive: bool = False,
) -> Iterator[str]:
    """Lines about a kind, or about the field that `fields` leads to.

    Raises:
        UsageError: there is no such field; the message names those that there are.
    """
    name = document.kinds().get(gvk)
    if name is None:
        raise UsageError(f"the server describes no schema for {gvk}")
    walker = _Walker(document.components)
    schema: Mapping[str, Any] = document.components[name]
    required = False
    for position, field in enumerate(fields):
        children = walker.children(schema)
        if field not in children:
            raise UsageError(
                f"{gvk.kind} has no field {'.'.join(fields[: position + 1])}",
                hint=f"There are: {', '.join(children) or 'none'}.",
            )
        required = field in walker.required(schema)
        schema = children[field]
    if gvk.group:
        yield f"GROUP:      {gvk.group}"
    yield f"KIND:       {gvk.kind}"
    yield f"VERSION:    {gvk.version}"
    yield ""
    if fields:
        mark = " -required-" if required else ""
        yield f"FIELD: {fields[-1]} <{walker.type_of(schema)}>{mark}"
        yield from _facts(walker, schema)
        yield ""
    yield "DESCRIPTION:"
    yield from _wrapped(walker.description(schema) or "<empty>", 4)
    children = walker.children(schema)
    if children:
        yield ""
        yield "FIELDS:"
        yield from _fields(walker, schema, 2, recursive=recursive, seen=())


def _facts(walker: _Walker, schema: Mapping[str, Any]) -> Iterator[str]:
    resolved = walker.resolve(schema)
    if schema.get("default") not in (None, {}, ""):
        yield f"DEFAULT: {schema['default']}"
    if resolved.get("enum"):
        yield "ENUM: " + ", ".join(str(value) for value in resolved["enum"])


def _fields(
    walker: _Walker,
    schema: Mapping[str, Any],
    indent: int,
    *,
    recursive: bool,
    seen: tuple[str, ...],
) -> Iterator[str]:
    required = walker.required(schema)
    pad = " " * indent
    for name, child in sorted(walker.children(schema).items()):
        mark = " -required-" if name in required else ""
        yield f"{pad}{escape(name)}\t<{walker.type_of(child)}>{mark}"
        if not recursive:
            yield from _facts_indented(walker, child, indent + 2)
            yield from _wrapped(walker.description(child) or "<no description>", indent + 2)
            yield ""
            continue
        inner = walker.inner_name(child)
        # JSONSchemaProps holds itself.
        if (inner and inner in seen) or len(seen) > _MAX_DEPTH:
            continue
        yield from _fields(walker, child, indent + 2, recursive=True, seen=(*seen, inner))


def _facts_indented(walker: _Walker, schema: Mapping[str, Any], indent: int) -> Iterator[str]:
    for line in _facts(walker, schema):
        yield " " * indent + line


def _wrapped(text: str, indent: int) -> Iterator[str]:
    pad = " " * indent
    for paragraph in escape(text).split("\n"):
        yield from textwrap.wrap(
            paragraph, _WIDTH, initial_indent=pad, subsequent_indent=pad, break_long_words=False
        ) or [""]


class _Walker:
    """Follows references and the wrappers that OpenAPI puts around them."""

    def __init__(self, components: Mapping[str, Mapping[str, Any]]) -> None:
        self._components = components

    def resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_MAX_DEPTH):
            if len(schema.get("allOf") or ()) == 1:
                schema = schema["allOf"][0]
            elif "$ref" in schema:
                schema = self._components.get(ref_name(schema), {})
            else:
                break
        return schema

    def inner(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands inside lists and maps: the schema whose fields a path goes on with."""
        schema = self.resolve(schema)
        for _ in range(_MAX_DEPTH):
            if isinstance(schema.get("items"), Mapping):
                schema = self.resolve(schema["items"])
            elif not schema.get("properties") and isinstance(
                schema.get("additionalProperties"), Mapping
            ):
                schema = self.resolve(schema["additionalProperties"])
            else:
                break
        return schema

    def inner_name(self, schema: Mapping[str, Any]) -> str:
        """The name of the type that `inner` ends at, "" for one declared in place."""
        found = self.inner(schema)
        return next((name for name, s in self._components.items() if s is found), "")

    def children(self, schema: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
        properties = self.inner(schema).get("properties")
        return properties if isinstance(properties, Mapping) else {}

    def required(self, schema: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(self.inner(schema).get("required") or ())

    def description(self, schema: Mapping[str, Any]) -> str:
        """The field's own words first, then those of its type."""
        own = str(schema.get("description") or "")
        kind = str(self.inner(schema).get("description") or "") if self.children(schema) else ""
        if not own:
            return str(self.resolve(schema).get("description") or kind)
        return f"{own}\n{kind}" if kind and kind != own else own

    def type_of(self, schema: Mapping[str, Any]) -> str:
        """As kubectl names it: string, integer, []Container, map[string]string, ObjectMeta."""
        reference = schema
        if len(schema.get("allOf") or ()) == 1:
            reference = schema["allOf"][0]
        resolved = self.resolve(schema)
        if isinstance(resolved.get("items"), Mapping):
            return f"[]{self.type_of(resolved['items'])}"
        if resolved.get("properties"):
            return ref_name(reference).rpartition(".")[2] if "$ref" in reference else "Object"
        values = resolved.get("additionalProperties")
        if isinstance(values, Mapping):
            return f"map[string]{self.type_of(values)}"
        if resolved.get("x-kubernetes-int-or-string") or resolved.get("format") == "int-or-string":
            return "IntOrString"
        declared = resolved.get("type")
        if "$ref" in reference and declared in (None, "object", "string"):
            return ref_name(reference).rpartition(".")[2] or str(declared)
        return str(declared or "Object")
