"""Embedded resources: where they stand, and whether they say what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from kapply.merge.errors import bounded
from kapply.merge.jsonvalue import Json
from kapply.merge.structural.keywords import EMBEDDED, Schema, field_schema, flag, schema_at
from kapply.merge.structural.violations import Violation, invalid, required

#: Checks the metadata of an embedded resource that stands at a path.
MetadataCheck: TypeAlias = Callable[[Json, str], list[Violation]]

_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_LABEL_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
    f"'abc-123', regex used for validation is '{_LABEL}')"
)


@bounded
def embedded_resources(value: Json, schema: Schema, path: str = "") -> list[tuple[str, Any]]:
    """Every embedded resource (an object) in `value`, with its path."""
    return list(_found(value, schema, path))


def _found(value: Json, schema: Schema | None, path: str) -> Iterator[tuple[str, Any]]:
    if schema is None:
        return
    if value.__class__ is dict:
        if flag(schema, EMBEDDED):
            yield path, value
        named = schema_at(schema, "properties") or {}
        for name, item in value.items():
            dot = "." if path else ""
            where = f"{path}{dot}{name}" if name in named else f"{path}[{name}]"
            yield from _found(item, field_schema(schema, name)[1], where)
    elif value.__class__ is list:
        items = schema_at(schema, "items")
        for at, item in enumerate(value):
            yield from _found(item, items, f"{path}[{at}]")


def identity_violations(
    value: Json, schema: Schema, *, metadata: MetadataCheck | None = None
) -> list[Violation]:
    """What is wrong with apiVersion, kind and metadata of embedded resources.

    Args:
        value: a whole object.
        schema: its structural schema.
        metadata: checks their metadata; None leaves it unchecked.
    """
    found: list[Violation] = []
    for path, resource in embedded_resources(value, schema):
        found += (
            required(_below(path, name)) for name in ("apiVersion", "kind") if name not in resource
        )
        if "apiVersion" in resource:
            found += _api_version(resource["apiVersion"], _below(path, "apiVersion"))
        if "kind" in resource:
            found += _kind(resource["kind"], _below(path, "kind"))
        if "metadata" in resource and metadata is not None:
            found += metadata(resource["metadata"], _below(path, "metadata"))
    return found


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _api_version(value: Json, path: str) -> list[Violation]:
    if not isinstance(value, str):
        return [invalid(path, value, "must be a string")]
    if not value:
        return [invalid(path, value, "must not be empty")]
    if value.count("/") > 1:
        return [invalid(path, value, f"unexpected GroupVersion string: {value}")]
    return []


def _kind(value: Json, path: str) -> list[Violation]:
    if not isinstance(value, str):
        return [invalid(path, value, "must be a string")]
    if not value:
        return [invalid(path, value, "must not be empty")]
    problems = []
    if len(value.encode(errors="replace")) > 63:
        problems.append("must be no more than 63 characters")
    if not re.fullmatch(_LABEL, value.lower()):
        problems.append(_LABEL_TEXT)
    if not problems:
        return []
    listed = ",".join(problems)
    return [invalid(path, value, f"may have mixed case, but should otherwise match: {listed}")]
