"""Which fields differ between two objects (structured-merge-diff's typed.Compare)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kapply.merge.errors import FieldError, TypedError, bounded
from kapply.merge.fieldpath import Path, PathElement, format_element
from kapply.merge.fieldset import EMPTY, FieldSet
from kapply.merge.jsonvalue import ABSENT, Json, json_equal
from kapply.merge.schema import Atom, ListType, MapType, Type
from kapply.merge.typed.items import ItemError, namer_of
from kapply.merge.typed.merging import scalar_errors
from kapply.merge.typed.validate import prefixed


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fields only the left object has, both have with other values, only the right one has."""

    removed: FieldSet = EMPTY
    modified: FieldSet = EMPTY
    added: FieldSet = EMPTY

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.removed or self.modified or self.added)

    def filtered(self, keep: Callable[[FieldSet], FieldSet] | None) -> Comparison:
        """The comparison with each of its sets passed through `keep`."""
        if keep is None:
            return self
        return Comparison(keep(self.removed), keep(self.modified), keep(self.added))


@bounded
def compare(left: Json, right: Json, type_: Type) -> Comparison:
    """What `right` changed of `left`.

    Atomic lists and maps are compared as one value. Items that share a name within one list are
    compared as one, in their order.

    Raises:
        TypedError: a value that does not fit its type.
    """
    walk = _Walk()
    errors = walk.compare(left, right, type_, ())
    if errors:
        raise TypedError(errors)
    return Comparison(
        FieldSet.of(walk.removed), FieldSet.of(walk.modified), FieldSet.of(walk.added)
    )


class _Walk:
    """The paths found so far."""

    __slots__ = ("added", "modified", "removed")

    def __init__(self) -> None:
        self.removed: list[Path] = []
        self.modified: list[Path] = []
        self.added: list[Path] = []

    def compare(self, left: Json, right: Json, type_: Type, path: Path) -> list[FieldError]:
        atom = type_.atom
        if right is ABSENT:
            errors = self._by_shape(atom.deduce(left), left, right, path)
            self.removed.append(path)
            return errors
        right_shape = atom.deduce(right)
        if left is ABSENT:
            errors = self._by_shape(right_shape, left, right, path)
            self.added.append(path)
            return errors
        left_shape = atom.deduce(left)
        errors = []
        if left_shape.shapes() != right_shape.shapes():
            errors += self._by_shape(left_shape, left, right, path)
        return errors + self._by_shape(right_shape, left, right, path)

    def _by_shape(self, atom: Atom, left: Json, right: Json, path: Path) -> list[FieldError]:
        if atom.map is not None:
            return self._maps(atom.map, left, right, path)
        if atom.scalar is not None:
            errors = scalar_errors(atom.scalar, left, right)
            if not errors:
                self._leaf(left, right, path)
            return errors
        assert atom.list is not None
        return self._lists(atom.list, left, right, path)

    def _leaf(self, left: Json, right: Json, path: Path) -> None:
        # A leaf that one side lacks is recorded by compare().
        if left is not ABSENT and right is not ABSENT and not json_equal(left, right):
            self.modified.append(path)

    def _maps(self, shape: MapType, left: Json, right: Json, path: Path) -> list[FieldError]:
        left_map: dict[str, Json] = left if left.__class__ is dict else {}
        right_map: dict[str, Json] = right if right.__class__ is dict else {}
        if shape.atomic or not (left_map or right_map):
            self._leaf(left, right, path)
            return []
        errors: list[FieldError] = []
        for name in (*left_map, *(name for name in right_map if name not in left_map)):
            inner = shape.type_of(name)
            if inner is None:
                errors.append(FieldError(f".{name}", "schema error: invalid atom: inlined"))
                continue
            found = self.compare(
                left_map.get(name, ABSENT),
                right_map.get(name, ABSENT),
                inner,
                (*path, "f:" + name),
            )
            if found:
                errors += prefixed(found, f".{name}")
        return errors

    def _lists(self, shape: ListType, left: Json, right: Json, path: Path) -> list[FieldError]:
        left_list: list[Json] = left if left.__class__ is list else []
        right_list: list[Json] = right if right.__class__ is list else []
        if shape.atomic or not (left_list or right_list):
            self._leaf(left, right, path)
            return []
        errors: list[FieldError] = []
        left_items = _grouped(shape, left_list, errors)
        right_items = _grouped(shape, right_list, errors)
        for element in {**left_items, **right_items}:
            mine, theirs = left_items.get(element, []), right_items.get(element, [])
            inner_path = (*path, element)
            if len(mine) > 1 and len(theirs) > 1:
                if not json_equal(mine, theirs):
                    self.modified.append(inner_path)
                continue
            # A name that stands twice on one side counts as something else than the item.
            first = mine[0] if len(mine) == 1 else ABSENT
            second = theirs[0] if len(theirs) == 1 else ABSENT
            if first is not ABSENT or second is not ABSENT:
                found = self.compare(first, second, shape.element, inner_path)
                if found:
                    errors += prefixed(found, format_element(element))
            if len(mine) > 1:
                self.removed.append(inner_path)
            if len(theirs) > 1:
                self.added.append(inner_path)
        return errors


def _grouped(
    shape: ListType, items: list[Json], errors: list[FieldError]
) -> dict[PathElement, list[Json]]:
    name = namer_of(shape)
    grouped: dict[PathElement, list[Json]] = {}
    for position, item in enumerate(items):
        try:
            grouped.setdefault(name(item), []).append(item)
        except ItemError as error:
            errors.append(FieldError("", f"element {position}: {error.message}"))
    return grouped
