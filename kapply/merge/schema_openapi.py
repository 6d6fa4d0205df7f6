"""Types from OpenAPI v3 documents, as kube-openapi's schemaconv reads them.

The API server publishes at /openapi/v3 the very definitions it builds its own typed values from,
built-in kinds and custom resources alike, so reading them the same way gives the same field sets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kapply.merge.errors import SchemaError
from kapply.merge.schema import (
    DEDUCED,
    UNTYPED,
    Atom,
    ListType,
    MapType,
    Scalar,
    StructField,
    Type,
    with_relationship,
)

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_RAW_EXTENSION = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"
_SCALARS: Mapping[str, Scalar] = {
    "integer": "numeric",
    "number": "numeric",
    "boolean": "boolean",
    "string": "string",
}


class Schema:
    """The definitions of one or more OpenAPI documents (components.schemas) as Types.

    Args:
        definitions: schemas by name; `$ref`s name them by their last segment.
        preserve_unknown: fields that no schema names may stand (a CRD's preserveUnknownFields).
    """

    def __init__(self, definitions: Mapping[str, Any], *, preserve_unknown: bool = False) -> None:
        self._definitions = definitions
        self._preserve = preserve_unknown
        self._types: dict[tuple[str, bool | None, bool], Type] = {}
        self._kinds: dict[tuple[str, str, str], str] | None = None

    @classmethod
    def from_documents(cls, documents: Iterable[Any]) -> Schema:
        """The definitions of OpenAPI v3 documents together; the first of a name wins.

        Raises:
            SchemaError: a document without components.schemas.
        """
        merged: dict[str, Any] = {}
        for document in documents:
            components = document.get("components") if isinstance(document, Mapping) else None
            schemas = components.get("schemas") if isinstance(components, Mapping) else None
            if not isinstance(schemas, Mapping):
                raise SchemaError("an OpenAPI v3 document has components.schemas")
            for name, definition in schemas.items():
                merged.setdefault(name, definition)
        return cls(merged)

    def named(self, name: str) -> Type:
        """The type of a definition by name; its atom raises SchemaError when there is none."""
        return self._reference(name, None, nullable=False)

    def kind(self, group: str, version: str, kind: str) -> Type | None:
        """The type of a kind, found by x-kubernetes-group-version-kind; None when unknown."""
        if self._kinds is None:
            self._kinds = dict(self._index())
        name = self._kinds.get((group, version, kind))
        return None if name is None else self.named(name)

    def _index(self) -> Iterable[tuple[tuple[str, str, str], str]]:
        for name, definition in self._definitions.items():
            listed = definition.get(_GROUP_VERSION_KIND) if isinstance(definition, dict) else None
            for entry in listed if isinstance(listed, list) else ():
                if isinstance(entry, dict):
                    names = tuple(entry.get(part) for part in ("group", "version", "kind"))
                    if all(isinstance(part, str) for part in names):
                        yield (str(names[0]), str(names[1]), str(names[2])), name

    def _reference(self, name: str, atomic: bool | None, *, nullable: bool) -> Type:
        known = self._types.get((name, atomic, nullable))
        if known is None:
            known = Type(lambda: self._definition(name, atomic), name, nullable)
            self._types[name, atomic, nullable] = known
        return known

    def _definition(self, name: str, atomic: bool | None) -> Atom:
        if atomic is not None:
            return with_relationship(self.named(name).atom, atomic=atomic)
        definition = self._definitions.get(name)
        if definition is None or "$ref" in _mapping(definition, name):
            raise SchemaError(f"schema error: no type found matching: {name}")
        if name == _QUANTITY:
            return Atom("untyped")
        if name == _RAW_EXTENSION:
            return UNTYPED.atom
        return self._atom(definition, self._preserve, name)

    def _atom(self, schema: Mapping[str, Any], preserve: bool, where: str) -> Atom:
        preserve = preserve or schema.get("x-kubernetes-preserve-unknown-fields") is True
        declared = schema.get("type") or ""
        if isinstance(declared, list):
            declared = declared[0] if declared else ""
        if declared == "object":
            return Atom(map=self._map(schema, preserve, where))
        if declared == "array":
            return Atom(list=self._list(schema, preserve, where, declared=True))
        if declared == "":
            return Atom(
                "untyped",
                self._list(schema, preserve, where, declared=False),
                self._map(schema, preserve, where),
            )
        scalar = _SCALARS.get(declared) if isinstance(declared, str) else None
        if scalar is None:
            raise SchemaError(f"{where}: unrecognized type: '{declared}'")
        if scalar == "string" and schema.get("format") not in (None, "", "byte"):
            # Formats such as int-or-string and date-time have values that are not strings.
            scalar = "untyped"
        return Atom(scalar)

    def _type(self, schema: Any, preserve: bool, where: str) -> Type:
        """The type a schema in place of a field, item or value stands for."""
        schema = _mapping(schema, where)
        nullable = schema.get("nullable") is True
        name = _referenced(schema)
        if name:
            return self._reference(name, _map_atomic(schema, where), nullable=nullable)
        return Type(lambda: self._atom(schema, preserve, where), nullable=nullable)

    def _map(self, schema: Mapping[str, Any], preserve: bool, where: str) -> MapType:
        properties = _mapping(schema.get("properties") or {}, where)
        fields = {
            name: self._field(property_, preserve, f"{where}.{name}")
            for name, property_ in properties.items()
        }
        others = schema.get("additionalProperties")
        element: Type | None = None
        if others is None:
            if preserve or not fields:
                element = DEDUCED
        elif others is True:
            element = DEDUCED
        elif others is not False:
            element = self._type(others, preserve, f"{where}.*")
        return MapType(fields, element, _map_atomic(schema, where) is True)

    def _field(self, schema: Any, preserve: bool, where: str) -> StructField:
        schema = _mapping(schema, where)
        return StructField(
            self._type(schema, preserve, where),
            schema.get("default"),
            strategies(schema),
            str(schema.get("x-kubernetes-patch-merge-key") or ""),
        )

    def _list(
        self, schema: Mapping[str, Any], preserve: bool, where: str, *, declared: bool
    ) -> ListType:
        atomic, keys = _relationship(schema, where)
        items = schema.get("items")
        if items is None:
            if declared:
                raise SchemaError(f"{where}: `items` must be specified on arrays")
            return ListType(UNTYPED, atomic, keys)
        return ListType(self._type(items, preserve, f"{where}[]"), atomic, keys)


def strategies(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The patch strategies a schema declares for strategic merge patch."""
    declared = schema.get("x-kubernetes-patch-strategy")
    return tuple(declared.split(",")) if isinstance(declared, str) and declared else ()


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SchemaError(f"{where}: a schema is an object")
    return value


def _referenced(schema: Mapping[str, Any]) -> str:
    reference = schema.get("$ref")
    if not reference:
        choices = schema.get("allOf")
        if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], Mapping):
            reference = choices[0].get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""


def _map_atomic(schema: Mapping[str, Any], where: str) -> bool | None:
    declared = schema.get("x-kubernetes-map-type")
    if declared is None:
        return None
    if declared not in ("atomic", "granular"):
        raise SchemaError(f"{where}: unknown map type {declared}")
    return bool(declared == "atomic")


def _relationship(schema: Mapping[str, Any], where: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a list is atomic, and the key fields of its items."""
    declared = schema.get("x-kubernetes-list-type")
    if declared is not None:
        if declared == "atomic":
            return True, ()
        if declared == "set":
            return False, ()
        if declared != "map":
            raise SchemaError(f"{where}: unknown list type {declared}")
        keys = schema.get("x-kubernetes-list-map-keys")
        if not isinstance(keys, list):
            raise SchemaError(f"{where}: missing map keys")
        return False, tuple(key for key in keys if isinstance(key, str))
    strategy = schema.get("x-kubernetes-patch-strategy")
    if strategy in ("merge", "merge,retainKeys"):
        key = schema.get("x-kubernetes-patch-merge-key")
        return False, (key,) if isinstance(key, str) else ()
    if strategy not in (None, "retainKeys"):
        raise SchemaError(f"{where}: unknown patch strategy {strategy}")
    return True, ()
