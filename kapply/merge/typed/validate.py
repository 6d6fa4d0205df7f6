"""Whether a value fits its type (structured-merge-diff's AsTyped)."""

from __future__ import annotations

from kapply.merge.errors import FieldError, bounded
from kapply.merge.fieldpath import PathElement, format_element
from kapply.merge.gotext import go_sharp_v, go_type, go_v
from kapply.merge.jsonvalue import Json
from kapply.merge.schema import ListType, MapType, Scalar, Type
from kapply.merge.typed.items import ItemError, namer_of


@bounded
def validate(value: Json, type_: Type, *, allow_duplicates: bool = False) -> list[FieldError]:
    """Each place where `value` does not fit `type_`; [] when it fits.

    Args:
        value: an object, or part of one.
        type_: its type.
        allow_duplicates: items of a set or list-map may repeat, as live objects' may.
    """
    return _errors(value, type_, allow_duplicates)


def _errors(value: Json, type_: Type, allow_duplicates: bool) -> list[FieldError]:
    shape = type_.atom.deduce(value)
    kind = shape.shape()
    if kind == "scalar":
        assert shape.scalar is not None
        message = scalar_mismatch(shape.scalar, value)
        return [FieldError("", message)] if message else []
    if value is None:
        return []
    if kind == "map":
        assert shape.map is not None
        if value.__class__ is not dict:
            return [FieldError("", f"expected map, got &{{{go_v(value)}}}")]
        return _map_errors(value, shape.map, allow_duplicates)
    assert shape.list is not None
    if value.__class__ is not list:
        return [FieldError("", f"expected list, got &{{{go_v(value)}}}")]
    return _list_errors(value, shape.list, allow_duplicates)


def _map_errors(value: Json, shape: MapType, allow_duplicates: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, item in value.items():
        inner = shape.type_of(name)
        if inner is None:
            errors.append(FieldError(f".{name}", "field not declared in schema"))
            continue
        found = _errors(item, inner, allow_duplicates)
        if found:
            errors += prefixed(found, f".{name}")
    return errors


def _list_errors(value: Json, shape: ListType, allow_duplicates: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    name = None if shape.atomic else namer_of(shape)
    seen: set[PathElement] = set()
    for position, item in enumerate(value):
        if name is None:
            label = f"[{position}]"
        else:
            try:
                element = name(item)
            except ItemError as error:
                # Without a name nothing behind this item can be told apart.
                errors.append(FieldError("", f"element {position}: {error.message}"))
                return errors
            label = format_element(element)
            if element in seen and not allow_duplicates:
                errors.append(FieldError("", f"duplicate entries for key {label}"))
            seen.add(element)
        found = _errors(item, shape.element, allow_duplicates)
        if found:
            errors += prefixed(found, label)
    return errors


def prefixed(errors: list[FieldError], prefix: str) -> list[FieldError]:
    """The errors with `prefix` before their paths."""
    return [FieldError(prefix + error.path, error.message) for error in errors]


def scalar_mismatch(scalar: Scalar, value: Json) -> str:
    """Why `value` is no scalar of this kind; "" when it is one, or null."""
    if value is None:
        return ""
    kind = value.__class__
    if scalar == "numeric":
        if kind is int or kind is float:
            return ""
        return f"expected numeric (int or float), got {go_type(value)}"
    if scalar == "string":
        if kind is str:
            return ""
        return f"expected string, got &value.valueUnstructured{{Value:{go_sharp_v(value)}}}"
    if scalar == "boolean":
        return "" if kind is bool else f"expected boolean, got &{{{go_v(value)}}}"
    if kind is dict or kind is list:
        return f"expected any scalar, got &{{{go_v(value)}}}"
    return ""
