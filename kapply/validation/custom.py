"""The gate for custom resources: a CRD's structural schema in, valid or not out.

As apiextensions-apiserver does it for a create with fieldValidation=Strict: unknown fields are
refused where pruning would drop them, a null for a field that is not nullable is dropped,
defaults then fill what is missing, and what remains is validated (CRD documentation,
"Controlling pruning", "Defaulting and Nullable"; kube-openapi pkg/validation/validate). CEL
rules are not the gate's business.

Nearly no object has nulls, so the gate takes none where they are not allowed, and looks again
without them when it has said no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kapply.openapi import ref_name
from kapply.validation.formats import go_pattern, string_format
from kapply.validation.gate import (
    Check,
    check_anything,
    check_number,
    has_duplicates,
    is_int32,
    is_int64,
    list_key,
)

_ROOT_FIELDS = ("apiVersion", "kind", "metadata")


class CustomCompiler:
    """Compiles the schema of one custom kind.

    Args:
        object_meta: the check for metadata, of the object and of embedded resources.
        components: where $ref leads (the server's documents refer to ObjectMeta).
    """

    def __init__(
        self, object_meta: Check, components: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self._object_meta = object_meta
        self._components = components or {}

    def kind(self, schema: Mapping[str, Any]) -> Check:
        """The check for a whole object: openAPIV3Schema, with apiVersion, kind and metadata."""
        check = self._object(schema, prune=True, resource=True)

        def gate(value: Any) -> bool:
            if check(value):
                return True
            plain = self.drop_nulls(schema, value)
            return plain is not value and check(plain)

        return gate

    def drop_nulls(self, schema: Mapping[str, Any], value: Any) -> Any:
        """`value` without the nulls that the server drops; itself when there are none."""
        if isinstance(value, list):
            item = schema.get("items")
            if not isinstance(item, dict):
                return value
            parts = [self.drop_nulls(self._target(item), part) for part in value]
            return value if all(a is b for a, b in zip(parts, value, strict=True)) else parts
        if not isinstance(value, dict):
            return value
        properties, values = schema.get("properties") or {}, schema.get("additionalProperties")
        kept: dict[str, Any] = {}
        for name, part in value.items():
            below = properties.get(name, values)
            if not isinstance(below, dict):
                kept[name] = part
                continue
            below = self._target(below)
            if part is not None:
                kept[name] = self.drop_nulls(below, part)
            elif below.get("nullable") is True or not _is_typed(below):
                kept[name] = part
        same = len(kept) == len(value) and all(kept[name] is value[name] for name in kept)
        return value if same else kept

    def _target(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._components.get(ref_name(schema), schema)

    def compile(self, schema: Mapping[str, Any], *, prune: bool = True) -> Check:
        """The check for one schema.

        Args:
            schema: a node of a structural schema, or (not `prune`) of a value validation below
                allOf, anyOf, oneOf or not, where unknown fields do not count.
            prune: whether fields that are not specified are refused.
        """
        name = ref_name(schema)
        if name:
            if name.endswith(".meta.v1.ObjectMeta"):
                return self._object_meta
            target = self._components.get(name)
            return self.compile(target, prune=prune) if target else check_anything
        typed = self._typed(schema, prune=prune)
        extra = self._logic(schema)
        enum = schema.get("enum")
        if enum is not None:
            extra.append(_enum(enum))
        if not extra:
            return typed
        return lambda value: typed(value) and all(check(value) for check in extra)

    def _typed(self, schema: Mapping[str, Any], *, prune: bool) -> Check:
        if schema.get("x-kubernetes-int-or-string"):
            body = _by_type(string=_string(schema), number=_number(schema, whole=True))
        else:
            kind = schema.get("type")
            if kind == "object":
                body = self._object(schema, prune=prune)
            elif kind == "array":
                body = self._array(schema, prune=prune)
            elif kind == "string":
                body = _string(schema)
            elif kind == "integer":
                body = _number(schema, whole=True)
            elif kind == "number":
                body = _number(schema, whole=False)
            elif kind == "boolean":
                body = _boolean
            else:
                return self._untyped(schema, prune=prune)
        if schema.get("nullable"):
            return lambda value: value is None or body(value)
        return body

    def _untyped(self, schema: Mapping[str, Any], *, prune: bool) -> Check:
        # Without a type each keyword still speaks about values of its own type.
        if prune and not schema.get("x-kubernetes-preserve-unknown-fields"):
            mapping = self._object(schema, prune=True)
        else:
            mapping = self._object(schema, prune=False)
        return _by_type(
            string=_string(schema),
            number=_number(schema, whole=False),
            mapping=mapping,
            items=self._array(schema, prune=prune),
            otherwise=True,
        )

    def _logic(self, schema: Mapping[str, Any]) -> list[Check]:
        checks: list[Check] = []
        parts = [self.compile(part or {}, prune=False) for part in schema.get("allOf") or ()]
        checks.extend(parts)
        if schema.get("anyOf"):
            any_of = [self.compile(part or {}, prune=False) for part in schema["anyOf"]]
            checks.append(lambda value: any(check(value) for check in any_of))
        if schema.get("oneOf"):
            one_of = [self.compile(part or {}, prune=False) for part in schema["oneOf"]]
            checks.append(lambda value: sum(check(value) for check in one_of) == 1)
        if isinstance(schema.get("not"), dict):
            inner = self.compile(schema["not"], prune=False)
            checks.append(lambda value: not inner(value))
        return checks

    def _object(self, schema: Mapping[str, Any], *, prune: bool, resource: bool = False) -> Check:
        properties = schema.get("properties") or {}
        values = schema.get("additionalProperties")
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        whole = resource or embedded
        keep_unknown = not prune or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        values_check: Check | None = check_anything if keep_unknown else None
        if values is True and not keep_unknown:
            # Pruning has no schema for what is in the values, so nothing may be in them.
            values_check = _without_fields
        if isinstance(values, dict):
            values_check = _Lazy(lambda: self.compile(values, prune=prune))
        compiled: dict[str, Check] = {}
        # A missing field with a default is filled in before anything is required of it.
        required = tuple(
            name
            for name in schema.get("required") or ()
            if "default" not in properties.get(name, {})
        )
        if embedded:
            required += tuple(name for name in ("apiVersion", "kind") if name not in required)
        sizes = _bounds(schema, "minProperties", "maxProperties")
        logic = self._logic(schema) if resource else []

        def field_check(name: str) -> Check | None:
            field = properties.get(name)
            if whole and name in _ROOT_FIELDS:
                own = self.compile(field, prune=False) if field and name == "metadata" else None
                return self._root_field(name, own)
            if field is None:
                return values_check
            return self.compile(field, prune=prune)

        def check(value: Any) -> bool:
            if type(value) is not dict:
                return False
            for key, member in value.items():
                part = compiled.get(key)
                if part is None:
                    part = field_check(key)
                    if part is None:
                        return False
                    if part is not values_check:
                        compiled[key] = part
                if not part(member):
                    return False
            for key in required:
                if key not in value:
                    return False
            if sizes is not None and not sizes(len(value)):
                return False
            return all(part(value) for part in logic)

        return check

    def _root_field(self, name: str, own: Check | None) -> Check:
        if name != "metadata":
            return lambda value: type(value) is str
        meta = self._object_meta
        if own is None:
            return lambda value: value is None or meta(value)
        return lambda value: value is None or (meta(value) and own(value))

    def _array(self, schema: Mapping[str, Any], *, prune: bool) -> Check:
        items = schema.get("items")
        item = self.compile(items, prune=prune) if isinstance(items, dict) else check_anything
        sizes = _bounds(schema, "minItems", "maxItems")
        list_type = schema.get("x-kubernetes-list-type")
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
        unique = bool(schema.get("uniqueItems")) or list_type == "set"
        properties = (items or {}).get("properties") or {} if isinstance(items, dict) else {}
        defaults = {key: properties.get(key, {}).get("default") for key in keys}

        def check(value: Any) -> bool:
            if type(value) is not list:
                return False
            for member in value:
                if not item(member):
                    return False
            if sizes is not None and not sizes(len(value)):
                return False
            if len(value) > 1:
                if unique and has_duplicates(value):
                    return False
                if list_type == "map" and keys:
                    found = [
                        list_key(member, keys, defaults) for member in value if type(member) is dict
                    ]
                    return not has_duplicates(found)
            return True

        return check


class _Lazy:
    """A check that is compiled at its first use."""

    __slots__ = ("_check", "_make")

    def __init__(self, make: Callable[[], Check]) -> None:
        self._make = make
        self._check: Check | None = None

    def __call__(self, value: Any) -> bool:
        if self._check is None:
            self._check = self._make()
        return self._check(value)


def _is_typed(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("type") or schema.get("x-kubernetes-int-or-string"))


def _without_fields(value: Any) -> bool:
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict) and part:
            return False
        if isinstance(part, list):
            todo.extend(part)
    return True


def _boolean(value: Any) -> bool:
    return type(value) is bool


def _enum(values: Any) -> Check:
    # The server never finds a null in an enum.
    known = [value for value in values if value is not None] if isinstance(values, list) else []
    if all(type(value) is str for value in known):
        strings = frozenset(known)
        return lambda value: type(value) is str and value in strings
    return lambda value: any(
        value == one and (type(value) is bool) == (type(one) is bool) for one in known
    )


def _string(schema: Mapping[str, Any]) -> Check:
    sizes = _bounds(schema, "minLength", "maxLength")
    pattern = schema.get("pattern")
    compiled = go_pattern(pattern) if isinstance(pattern, str) and pattern else None
    form = schema.get("format")
    checker = string_format(form) if isinstance(form, str) else None
    if sizes is None and compiled is None and checker is None:
        return lambda value: type(value) is str

    def check(value: Any) -> bool:
        return (
            type(value) is str
            and (sizes is None or sizes(len(value)))
            and (compiled is None or compiled.search(value) is not None)
            and (checker is None or checker(value))
        )

    return check


def _number(schema: Mapping[str, Any], *, whole: bool) -> Check:
    if whole:
        typed: Check = is_int32 if schema.get("format") == "int32" else is_int64
    else:
        typed = check_number
    checks: list[Check] = []
    low, high, step = schema.get("minimum"), schema.get("maximum"), schema.get("multipleOf")
    if check_number(low):
        checks.append(
            (lambda value: value > low)
            if schema.get("exclusiveMinimum")
            else (lambda value: value >= low)
        )
    if check_number(high):
        checks.append(
            (lambda value: value < high)
            if schema.get("exclusiveMaximum")
            else (lambda value: value <= high)
        )
    if check_number(step) and step:
        checks.append(lambda value: is_multiple(value, step))
    if not checks:
        return typed
    return lambda value: typed(value) and all(check(value) for check in checks)


def is_multiple(value: Any, step: Any) -> bool:
    """Whether `value / step` is a whole number, in floats as the server reckons."""
    try:
        quotient = value / step
    except (OverflowError, ZeroDivisionError):
        return False
    return float(quotient).is_integer()


def _bounds(schema: Mapping[str, Any], low: str, high: str) -> Callable[[int], bool] | None:
    least, most = _size(schema.get(low)), _size(schema.get(high))
    if most is not None:
        limit = most
        return lambda size: (least or 0) <= size <= limit
    if least is not None:
        floor = least
        return lambda size: size >= floor
    return None


def _size(value: Any) -> int | None:
    return int(value) if is_int64(value) else None


def _by_type(
    *,
    string: Check,
    number: Check,
    mapping: Check | None = None,
    items: Check | None = None,
    otherwise: bool = False,
) -> Check:
    def check(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            return string(value)
        if kind is dict:
            return mapping is not None and mapping(value)
        if kind is list:
            return items is not None and items(value)
        if check_number(value):
            return number(value)
        return otherwise

    return check
