"""The schema of a version of a CRD at work: what it keeps, fills in and refuses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from kapply.merge.structural import (
    TextChecks,
    Validator,
    Violation,
    apply_defaults,
    drop_nulls,
    embedded_resources,
    identity_violations,
    prune,
    prune_defaults,
    repeated_items,
)
from kapply.sandbox import content, objectmeta
from kapply.sandbox.bodies import Strict
from kapply.sandbox.fielderr import Errors, FieldError, invalid
from kapply.sandbox.wire import DecodeError, codec_of
from kapply.validation.formats import go_pattern, string_format

__all__ = ["CustomSchema"]

Object = dict[str, Any]
Schema = Mapping[str, Any]
_CHECKS = TextChecks(string_format, go_pattern)
_RULES = "x-kubernetes-validations"
#: Errors that keep the server from running a kind's rules.
_BLOCKING = (
    "FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany",
    "FieldValueTypeInvalid",
)  # fmt: skip
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing"
    " errors to complete validation"
)


class CustomSchema:
    """What openAPIV3Schema of a version of a CRD does.

    Args:
        schema: openAPIV3Schema; {} when there is none.
        preserve: spec.preserveUnknownFields.
    """

    def __init__(self, schema: Schema, *, preserve: bool = False) -> None:
        self._schema = prune_defaults(schema)
        self._preserve = preserve
        self._validator = Validator(self._schema, _CHECKS)

    @cached_property
    def _status(self) -> Validator:
        return Validator((self._schema.get("properties") or {}).get("status") or {}, _CHECKS)

    @cached_property
    def _has_rules(self) -> bool:
        return _mentions(self._schema, _RULES)

    def read(self, obj: Object, strict: Strict) -> Object:
        """An object as it is kept: pruned, defaulted, with embedded metadata as ObjectMeta.

        Strict errors are appended. Raises DecodeError.
        """
        metadata = obj["metadata"]
        kept: Object = obj
        dropped: list[str] = []
        if not self._preserve:
            kept, dropped = prune(obj, self._schema)
        kept = apply_defaults(drop_nulls(kept, self._schema), self._schema)
        for path, resource in embedded_resources(kept, self._schema):
            if isinstance(resource.get("metadata"), dict):
                found: Strict = []
                where = f"{path}.metadata" if path else "metadata"
                codec = codec_of("meta/v1.ObjectMeta")
                resource["metadata"] = codec.read(resource["metadata"], ((), where), found)
                dropped += [text.split('"')[1] for text in found if text.startswith("unknown")]
        strict.extend(f'unknown field "{path}"' for path in dropped)
        return {**kept, "metadata": metadata}

    def prune(self, obj: Object) -> Object:
        """An object without what the schema does not name."""
        kept: Object = obj if self._preserve else prune(obj, self._schema)[0]
        return kept

    def errors(self, obj: Object, old: Object | None = None) -> Errors:
        """What is wrong with an object; what `old` had wrong as well may stay."""
        found = (
            self._validator.violations(obj)
            if old is None
            else self._validator.violations(obj, old=old)
        )
        return [_error(violation) for violation in found]

    def status_errors(self, obj: Object, old: Object) -> Errors:
        """What is wrong with the status of an object."""
        if "status" not in obj:
            return []
        before = old.get("status")
        found = self._status.violations(obj["status"], old=before, path="status")
        return [_error(violation) for violation in found]

    def embedded_errors(self, obj: Object) -> Errors:
        """What is wrong with what embedded resources say they are."""
        found = identity_violations(obj, self._schema, metadata=_check_metadata)
        return [_error(violation) for violation in found]

    def list_errors(self, obj: Object, old: Object | None = None) -> Errors:
        """Items that a set or list-map has twice, unless it had some before."""
        found = repeated_items(obj, self._schema)
        if found and old is not None and repeated_items(old, self._schema):
            return []
        return [_error(violation) for violation in found]

    def rule_errors(self, errors: Errors, obj: Object, old: Object | None = None) -> Errors:
        """What breaks x-kubernetes-validations, as far as a CEL library is installed.

        Rules that cannot be evaluated here count as kept. With errors of certain kinds the
        server runs none, and says so.
        """
        if not self._has_rules:
            return []
        if any(error.cause()["reason"] in _BLOCKING for error in errors):
            return [invalid("<nil>", None, _UNCHECKED)]
        from kapply import cel

        found = cel.check(self._schema, obj, old)
        return [
            FieldError("", _place(self._schema, v.path), v.server_text, reason=v.reason)
            for v in found.violations
        ]


def _place(schema: Schema, path: tuple[str | int, ...]) -> str:
    """A path in the server's words: keys of maps and indexes in brackets, "<nil>" for the root."""
    text = ""
    node: Any = schema
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
            node = (node or {}).get("items")
            continue
        properties = (node or {}).get("properties") or {}
        inner = (node or {}).get("additionalProperties")
        if step not in properties and isinstance(inner, Mapping):
            text += f"[{step}]"
            node = inner
        else:
            text += f".{step}" if text else step
            node = properties.get(step)
    return text or "<nil>"


def _error(violation: Violation) -> FieldError:
    return FieldError("", violation.path, violation.message, reason=violation.reason)


def _check_metadata(metadata: Any, path: str) -> list[Violation]:
    if not isinstance(metadata, dict):
        return []
    named = {**metadata, "name": metadata.get("name") or "fakename"}
    errors = objectmeta.validate(
        named,
        namespaced=bool(metadata.get("namespace")),
        rule=content.path_segment,
        path=path,
    )
    return [
        Violation(error.field, "FieldValueInvalid", error.detail, error.value)
        for error in errors
        if error.kind == "Invalid value"
    ]


def _mentions(schema: Any, keyword: str) -> bool:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if keyword in node:
                return True
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return False


def read_metadata(value: Any, strict: Strict) -> Object:
    """Read metadata of a custom object as ObjectMeta. Raises DecodeError."""
    if value is not None and not isinstance(value, dict):
        raise DecodeError(f"json: cannot unmarshal {type(value).__name__} into Go value")
    found: Strict = []
    read: Object = codec_of("meta/v1.ObjectMeta").read(value or {}, ((), "metadata"), found)
    strict.extend(found)
    return read
