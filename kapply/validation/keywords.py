"""The keywords of our JSON Schema dialect: what each finds, as jsonschema's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kapply.validation.custom import is_multiple
from kapply.validation.formats import (
    Check,
    go_pattern,
    is_base64,
    is_date_time,
    is_micro_time,
    is_quantity,
    string_format,
)
from kapply.validation.gate import has_duplicates, list_key

_CHECKS: dict[str, Check] = {
    "quantity": is_quantity,
    "byte": is_base64,
    "date-time": is_date_time,
    "micro-time": is_micro_time,
}


def _check_keyword(validator: Any, name: str, instance: Any, schema: Any) -> Iterator[Any]:
    check: Check | None = _CHECKS.get(name) or string_format(name)
    if isinstance(instance, str) and check is not None and not check(instance):
        yield _error(f"{instance!r} is no {name}")


def _pattern_keyword(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    compiled = go_pattern(pattern)
    if isinstance(instance, str) and compiled is not None and not compiled.search(instance):
        yield _error(f"{instance!r} does not match {pattern}")


def _unique_keys(
    validator: Any, defaults: Mapping[str, Any], instance: Any, schema: Any
) -> Iterator[Any]:
    if not isinstance(instance, list):
        return
    keys = tuple(defaults)
    seen: list[Any] = []
    for index, member in enumerate(instance):
        if not isinstance(member, dict):
            continue
        key = list_key(member, keys, defaults)
        if key in seen:
            error = _error("duplicate key")
            error.path.append(index)
            yield error
        seen.append(key)


def _keyed(validator: Any, keys: list[str], instance: Any, schema: Any) -> Iterator[Any]:
    for index, member in enumerate(instance if isinstance(instance, list) else ()):
        if isinstance(member, dict) and not any(key in member for key in keys):
            error = _error("no key")
            error.path.extend((index, keys[0]))
            yield error


def _unique_items(validator: Any, unique: bool, instance: Any, schema: Any) -> Iterator[Any]:
    if unique and isinstance(instance, list) and has_duplicates(instance):
        for index, member in enumerate(instance):
            if any(has_duplicates([member, other]) for other in instance[:index]):
                error = _error("duplicate item")
                error.path.append(index)
                yield error


def _required(validator: Any, names: list[str], instance: Any, schema: Any) -> Iterator[Any]:
    if isinstance(instance, dict):
        for name in names:
            if instance.get(name) is None:
                error = _error(f"{name!r} is a required property")
                error.path.append(name)
                yield error


def _multiple_of(validator: Any, step: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "number") and not is_multiple(instance, step):
        yield _error(f"{instance} is not a multiple of {step}")


def _enum(validator: Any, values: list[Any], instance: Any, schema: Any) -> Iterator[Any]:
    if not any(
        instance == value and isinstance(instance, bool) == isinstance(value, bool)
        for value in values
    ):
        yield _error(f"{instance!r} is not one of {values!r}")


def _error(message: str) -> Any:
    from jsonschema.exceptions import ValidationError

    return ValidationError(message)


KEYWORDS: Mapping[str, Callable[[Any, Any, Any, Any], Iterator[Any]]] = {
    "x-check": _check_keyword,
    "x-unique-keys": _unique_keys,
    "x-keyed": _keyed,
    "x-pattern": _pattern_keyword,
    "x-required": _required,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,
    "enum": _enum,
}
