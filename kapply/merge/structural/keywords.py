"""Reading the keywords of a structural schema, whatever stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

#: A node of a CRD's openAPIV3Schema, as it stands in the CRD.
Schema: TypeAlias = Mapping[str, Any]

EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
PRESERVE = "x-kubernetes-preserve-unknown-fields"

#: Fields that every object has, whatever its schema says.
META_FIELDS = frozenset(("apiVersion", "kind", "metadata"))


def schema_at(schema: Schema, keyword: str) -> Schema | None:
    """The schema a keyword holds; None when it holds none."""
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else None


def properties(schema: Schema) -> Mapping[str, Schema]:
    """The schemas of the named fields."""
    found = schema_at(schema, "properties") or {}
    return {name: item for name, item in found.items() if isinstance(item, Mapping)}


def schemas_at(schema: Schema, keyword: str) -> list[Schema]:
    """The schemas a keyword such as anyOf lists."""
    found = schema.get(keyword)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def names_at(schema: Schema, keyword: str) -> list[str]:
    """The texts a keyword such as required lists."""
    found = schema.get(keyword)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def integer_at(schema: Schema, keyword: str) -> int | None:
    """The whole number a keyword holds."""
    found = schema.get(keyword)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def number_at(schema: Schema, keyword: str) -> float | None:
    """The number a keyword holds, as the float the server makes of it."""
    found = schema.get(keyword)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        return float(found)
    except OverflowError:
        return None


def text_at(schema: Schema, keyword: str) -> str:
    """The text a keyword holds; "" when it holds none."""
    found = schema.get(keyword)
    return found if isinstance(found, str) else ""


def flag(schema: Schema, keyword: str) -> bool:
    """Whether a keyword says true."""
    return schema.get(keyword) is True


def field_schema(schema: Schema, name: str) -> tuple[bool, Schema | None]:
    """Whether the schema says anything about a key of a map, and the schema of its value.

    A key under `additionalProperties: true` is known, and its value has no schema.
    """
    named = schema_at(schema, "properties")
    if named is not None and isinstance(named.get(name), Mapping):
        return True, named[name]
    others = schema.get("additionalProperties")
    if others is None:
        return False, None
    return True, others if isinstance(others, Mapping) else None
