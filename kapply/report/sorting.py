"""Rows and objects in the order of a field, as `--sort-by` orders them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from kapply.errors import UsageError
from kapply.meta import JsonObject
from kapply.query.jsonpath import JSONPath, relaxed
from kapply.values.quantity import Quantity, QuantityError

T = TypeVar("T")


class Sorter:
    """Orders by the first value that a JSONPath finds in each object.

    Numbers by size, text by code point, or by size where both are quantities ("500m" before "1").
    Objects without the field come first, the last of them foremost; equal ones keep their order.

    Args:
        field: `{.metadata.name}`, `.metadata.name` or `metadata.name`.

    Raises:
        JSONPathError: not a path.
    """

    def __init__(self, field: str) -> None:
        try:
            self._field = relaxed(field)
        except UsageError:
            # A template of another form, which may still find something.
            self._field = field
        self._path = JSONPath(self._field)

    def sort(self, items: Sequence[T], object_of: Callable[[T], JsonObject]) -> list[T]:
        """`items` in order; `object_of` gives the object of each.

        Raises:
            UsageError: none of several items has the field, or its values cannot be compared.
        """
        without: list[T] = []
        keyed: list[tuple[Any, T]] = []
        for item in items:
            found = self._path.find(object_of(item))
            if found and found[0]:
                keyed.append((_key(found[0][0]), item))
            else:
                without.append(item)
        if items and not keyed:
            raise UsageError(f"--sort-by: no object has a field {self._field}")
        keyed.sort(key=functools.cmp_to_key(self._compare))
        return [*reversed(without), *(item for _, item in keyed)]

    def _compare(self, left: tuple[Any, T], right: tuple[Any, T]) -> int:
        one, other = left[0], right[0]
        if one is None or other is None:
            return (one is not None) - (other is not None)
        if isinstance(one, _Text) and isinstance(other, _Text):
            if one.quantity is not None and other.quantity is not None:
                return _order(one.quantity, other.quantity)
            return _order(one.text, other.text)
        if isinstance(one, (int, float)) and isinstance(other, (int, float)):
            return _order(one, other)
        raise UsageError(
            f"--sort-by: values of {self._field} cannot be put in order",
            hint="They have to be all numbers or all text.",
        )


class _Text:
    """Text, and the quantity that it may be."""

    __slots__ = ("quantity", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.quantity: Quantity | None = Quantity.parse(text)
        except QuantityError:
            self.quantity = None


class _Unordered:
    """A value that has no place in an order: true, a map, a list."""


def _key(value: Any) -> Any:
    if isinstance(value, str):
        return _Text(value)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    return _Unordered()


def _order(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)
