"""Merge an applied configuration into a live object (structured-merge-diff's typed.Merge)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kapply.merge.errors import FieldError, TypedError, bounded
from kapply.merge.fieldpath import PathElement, format_element
from kapply.merge.jsonvalue import ABSENT, Json
from kapply.merge.schema import Atom, ListType, MapType, Type
from kapply.merge.typed.items import ItemError, namer_of
from kapply.merge.typed.validate import prefixed, scalar_mismatch

_Errors = list[FieldError]


@bounded
def merge(left: Json, right: Json, type_: Type) -> Json:
    """`left` with everything that `right` says laid over it.

    Maps merge key by key, list-maps and sets item by item, all else is replaced. Items of `right`
    keep their order, items only `left` has stay near their neighbours. Items that `left` has
    twice are replaced by the one of `right`, not merged with it.

    Args:
        left: the live object.
        right: the applied configuration.
        type_: the type of both.

    Returns:
        A new object that shares unchanged parts with its sources; None where nothing is left.

    Raises:
        TypedError: a value that does not fit its type.
    """
    errors: _Errors = []
    out = _merge(left, right, type_, errors)
    if errors:
        raise TypedError(errors)
    return None if out is ABSENT else out


def _merge(left: Json, right: Json, type_: Type, errors: _Errors) -> Json:
    atom = type_.atom
    if right is ABSENT:
        return _by_shape(atom.deduce(left), left, right, errors)
    right_shape = atom.deduce(right)
    if left is not ABSENT:
        left_shape = atom.deduce(left)
        if left_shape.shapes() != right_shape.shapes():
            # The value changed its shape: the left one is looked at for errors alone.
            _by_shape(left_shape, left, right, errors)
    return _by_shape(right_shape, left, right, errors)


def _by_shape(atom: Atom, left: Json, right: Json, errors: _Errors) -> Json:
    if atom.map is not None:
        return _merge_maps(atom.map, left, right, errors)
    if atom.scalar is not None:
        mismatches = scalar_errors(atom.scalar, left, right)
        if mismatches:
            errors += mismatches
            return ABSENT
        return _later(left, right)
    assert atom.list is not None
    return _merge_lists(atom.list, left, right, errors)


def scalar_errors(scalar: Any, left: Json, right: Json) -> _Errors:
    """Why neither side is a scalar of this kind; one good side is enough."""
    found = [
        FieldError("", f"{side}: {message}")
        for side, value in (("lhs", left), ("rhs", right))
        if value is not ABSENT and (message := scalar_mismatch(scalar, value))
    ]
    return found if len(found) == 2 else []


def _later(left: Json, right: Json) -> Json:
    return left if right is ABSENT else right


def _merge_maps(shape: MapType, left: Json, right: Json, errors: _Errors) -> Json:
    left_map: dict[str, Json] = left if left.__class__ is dict else {}
    right_map: dict[str, Json] = right if right.__class__ is dict else {}
    # Two empty sides are a leaf: it keeps null and {} apart.
    if shape.atomic or not (left_map or right_map):
        return _later(left, right)
    out: dict[str, Json] = {}
    for name in (*left_map, *(name for name in right_map if name not in left_map)):
        inner = shape.type_of(name)
        if inner is None:
            errors.append(FieldError(f".{name}", "schema error: invalid atom: inlined"))
            continue
        found: _Errors = []
        merged = _merge(left_map.get(name, ABSENT), right_map.get(name, ABSENT), inner, found)
        if found:
            errors += prefixed(found, f".{name}")
        if merged is not ABSENT:
            out[name] = merged
    return out or ABSENT


def _merge_lists(shape: ListType, left: Json, right: Json, errors: _Errors) -> Json:
    left_list: list[Json] = left if left.__class__ is list else []
    right_list: list[Json] = right if right.__class__ is list else []
    if shape.atomic or not (left_list or right_list):
        return _later(left, right)
    name = namer_of(shape)
    right_names, right_items = _index(name, right_list, errors, duplicates=False)
    left_names, left_items = _index(name, left_list, errors, duplicates=True)
    if errors:
        return ABSENT

    def merged(mine: Json, element: PathElement) -> Json:
        # Errors inside items are not reported: both sides were validated before.
        return _merge(mine, right_items.get(element, ABSENT), shape.element, [])

    out = [
        merged(left_list[position], element)
        if position is not None
        else merged(left_items.get(element, ABSENT), element)
        for position, element in _interleave(left_names, right_names, left_items, right_items)
    ]
    out = [item for item in out if item is not ABSENT]
    return out or ABSENT


def _index(
    name: Callable[[Json], PathElement], items: list[Json], errors: _Errors, *, duplicates: bool
) -> tuple[list[PathElement], dict[PathElement, Json]]:
    """The names of items in order, and the item of each; null where a name stands twice."""
    names: list[PathElement] = []
    found: dict[PathElement, Json] = {}
    for position, item in enumerate(items):
        try:
            element = name(item)
        except ItemError as error:
            errors.append(FieldError("", f"element {position}: {error.message}"))
            continue
        if element in found:
            if not duplicates:
                label = format_element(element)
                errors.append(FieldError("", f"duplicate entries for key {label}"))
                continue
            found[element] = None
        else:
            found[element] = item
        names.append(element)
    return names, found


def _interleave(
    left_names: list[PathElement],
    right_names: list[PathElement],
    left_items: dict[PathElement, Json],
    right_items: dict[PathElement, Json],
) -> list[tuple[int | None, PathElement]]:
    """The order of merged items: (position in left, name) for left's own, (None, name) else.

    Shared items stand in right's order. An item only left has stands where the walk over both
    lists meets it: the next shared item decides which side may go on.
    """
    out: list[tuple[int | None, PathElement]] = []
    shared = iter([element for element in right_names if element in left_items])
    awaited = next(shared, None)
    done: set[PathElement] = set()
    at_left = at_right = 0
    while at_left < len(left_names) or at_right < len(right_names):
        if at_left < len(left_names) and at_right < len(right_names):
            element = left_names[at_left]
            if element == right_names[at_right]:
                done.add(element)
                out.append((None, element))
                at_left += 1
                at_right += 1
                awaited = next(shared, None)
                continue
            if element in right_items and awaited is not None and awaited != element:
                # A shared item, but another one comes first.
                at_left += 1
                continue
        if at_left < len(left_names):
            element = left_names[at_left]
            if element not in right_items:
                out.append((at_left, element))
                at_left += 1
                continue
            if element in done:
                at_left += 1
        if at_right < len(right_names):
            element = right_names[at_right]
            done.add(element)
            out.append((None, element))
            at_right += 1
            if awaited == element:
                awaited = next(shared, None)
    return out
