"""What a schema says about a kind and its fields, in the words and the layout of kubectl explain.

Descriptions are wrapped at white space, in the server's own line breaks; a field's type is that
of its schema ("[]Container", "map[string]string"), an object type's name where it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kapply.errors import UsageError
from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument, ref_name
from kapply.report.escape import escape

_WIDTH = 78
#: Types may hold themselves (JSONSchemaProps), and schemas may be made to be deep.
_MAX_DEPTH = 40
#: Values of an enum that are shown in a list of fields.
_SHOWN_VALUES = 4

Schema = Mapping[str, Any]


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
    schema: Schema = document.components[name]
    for position, field in enumerate(fields):
        children = walker.children(schema)
        if field not in children:
            raise UsageError(
                f"{gvk.kind} has no field {'.'.join(fields[: position + 1])}",
                hint=f"There are: {', '.join(sorted(children)) or 'none'}.",
            )
        schema = children[field]
    if gvk.group:
        yield f"GROUP:      {gvk.group}"
    yield f"KIND:       {gvk.kind}"
    yield f"VERSION:    {gvk.version}"
    yield ""
    if fields:
        yield f"FIELD: {escape(fields[-1])} <{walker.type_of(schema)}>"
        if values := schema.get("enum"):
            yield "ENUM:"
            yield from (f"    {_value(value)}" for value in values)
        else:
            yield ""
        yield ""
    yield "DESCRIPTION:"
    text = "".join(f"{part}\n" for part in walker.descriptions(schema)) or "<empty>"
    yield from _block(text, 76, 4)
    yield from _external(walker.resolve(schema))
    listed = list(_fields(walker, schema, 1, recursive=recursive, seen=frozenset()))
    if listed:
        yield "FIELDS:"
        yield from listed
    yield ""


def _fields(
    walker: _Walker, schema: Schema, level: int, *, recursive: bool, seen: frozenset[str]
) -> Iterator[str]:
    """The fields of a schema, of all that it is made of, and below them where asked."""
    name = walker.reference(schema)
    if (name and name in seen) or level > _MAX_DEPTH:
        return
    seen |= {name}
    resolved = walker.resolve_once(schema)
    properties = _mapping(resolved.get("properties"))
    required = resolved.get("required") or ()
    for field in sorted(properties):
        child = _mapping(properties[field])
        yield from _field(walker, field, child, level, short=recursive, needed=field in required)
        if recursive:
            yield from _fields(walker, child, level + 1, recursive=True, seen=seen)
    for inner in walker.parts(resolved):
        yield from _fields(walker, inner, level, recursive=recursive, seen=seen)


def _field(
    walker: _Walker, name: str, schema: Schema, level: int, *, short: bool, needed: bool
) -> Iterator[str]:
    pad = " " * (2 * level)
    yield f"{pad}{escape(name)}\t<{walker.type_of(schema)}>{' -required-' if needed else ''}"
    if values := schema.get("enum"):
        shown = ", ".join(_value(value) for value in values[:_SHOWN_VALUES])
        yield f"{pad}enum: {shown}{', ....' if len(values) > _SHOWN_VALUES else ''}"
    if short:
        return
    text = str(schema.get("description") or "<no description>")
    yield from _block(text, _WIDTH - 2 * level, 2 * level + 2)
    yield ""


def _external(schema: Schema) -> Iterator[str]:
    found = _mapping(schema.get("externalDocs"))
    if found:
        yield ""
        yield "EXTERNAL DOCS:"
        if found.get("description"):
            yield from _block(str(found["description"]), 76, 4)
        if found.get("url"):
            yield f"    URL: {escape(str(found['url']))}"


def _value(value: Any) -> str:
    return '""' if value == "" else escape(str(value))


def _block(text: str, width: int, indent: int) -> Iterator[str]:
    """Wrapped text; a line that ends the text leaves an indented empty one, as in kubectl."""
    for line in wrap(escape(text), width).split("\n"):
        yield " " * indent + line


def wrap(text: str, width: int) -> str:
    """Break lines at white space, so that they have at most `width` characters where they can.

    Line breaks of the text stay, and so does white space inside a line; a word longer than the
    width stands on a line that is as long as it has to be.
    """
    lines = []
    for line in text.split("\n"):
        done, current, space, word = [""], 0, "", ""
        for char in line:
            if char.isspace() and char != "\xa0":
                if not space or word:
                    current += len(space) + len(word)
                    done.append(space + word)
                    space = word = ""
                space += char
                continue
            word += char
            if current + len(word) + len(space) > width and len(word) < width:
                done.append("\n")
                current, space = 0, ""
        if word or current + len(space) <= width:
            done.append(space + word)
        lines.append("".join(done))
    return "\n".join(lines)


class _Walker:
    """Follows references and the wrappers that OpenAPI puts around them."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def reference(self, schema: Schema) -> str:
        """The name of the type that a schema refers to itself, "" for none."""
        return ref_name(schema) if "$ref" in schema else ""

    def resolve_once(self, schema: Schema) -> Schema:
        """What a reference stands for; a schema without one is itself."""
        name = self.reference(schema)
        return (self._components.get(name) if name else None) or schema

    def resolve(self, schema: Schema) -> Schema:
        """Behind all references, and wrappers that hold a single one."""
        for _ in range(_MAX_DEPTH):
            if "$ref" in schema:
                schema = self._components.get(ref_name(schema), {})
            elif len(schema.get("allOf") or ()) == 1 and not schema.get("properties"):
                schema = schema["allOf"][0]
            else:
                break
        return schema

    def parts(self, schema: Schema) -> Iterator[Schema]:
        """The schemas whose fields count as those of `schema`: wrapped ones, items, values."""
        yield from (_mapping(part) for part in schema.get("allOf") or ())
        for key in ("items", "additionalProperties"):
            # additionalProperties may be true or false.
            if isinstance(schema.get(key), Mapping) and schema[key]:
                yield schema[key]

    def children(self, schema: Schema) -> Mapping[str, Schema]:
        """The fields that a path goes on with: its own, or else those of its first part."""
        pending, seen = [schema], 0
        while pending and seen < 10 * _MAX_DEPTH:
            seen += 1
            resolved = self.resolve_once(pending.pop())
            properties = _mapping(resolved.get("properties"))
            if properties:
                return properties
            pending += reversed(list(self.parts(resolved)))
        return {}

    def descriptions(self, schema: Schema, depth: int = 0) -> Iterator[str]:
        """The field's own words, then those of the types that it is made of."""
        resolved = self.resolve_once(schema)
        if resolved.get("description"):
            yield str(resolved["description"])
        if depth < _MAX_DEPTH:
            for part in self.parts(resolved):
                yield from self.descriptions(part, depth + 1)

    def type_of(self, schema: Schema, depth: int = 0) -> str:
        """As kubectl names it: string, integer, []Container, map[string]string, ObjectMeta."""
        if depth > _MAX_DEPTH:
            return "Object"
        if isinstance(schema.get("items"), Mapping):
            return f"[]{self.type_of(schema['items'], depth + 1)}"
        values = schema.get("additionalProperties")
        if isinstance(values, Mapping) and values:
            return f"map[string]{self.type_of(values, depth + 1)}"
        wrapped = list(schema.get("allOf") or ())
        if len(wrapped) == 1 and not schema.get("properties"):
            return self.type_of(_mapping(wrapped[0]), depth + 1)
        name = self.reference(schema)
        declared = str(schema.get("type") or "Object")
        if name:
            found = self._components.get(name, {}).get("type")
            return str(found) if found not in (None, "object") else name.rpartition(".")[2]
        return "Object" if declared == "object" else declared


def _mapping(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}
