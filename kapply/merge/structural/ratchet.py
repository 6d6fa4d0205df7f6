"""Which parts of an updated object are as they were (KEP-4008, CRD validation ratcheting).

What does not change may stay wrong: a rule that came later does not stop an update elsewhere.
"""

from __future__ import annotations

from typing import Any

from kapply.merge.jsonvalue import ABSENT, Json, identical
from kapply.merge.structural.keywords import Schema, field_schema, names_at, schema_at, text_at


class Correlated:
    """A value and what stood in its place before (apiserver's CorrelatedObject)."""

    __slots__ = ("_equal", "_items", "_keyed", "_keys", "new", "old", "schema")

    def __init__(self, new: Json, old: Json, schema: Schema) -> None:
        self.new = new
        self.old = old
        self.schema = schema
        self._equal: bool | None = None
        self._keys: dict[str, Correlated] = {}
        self._items: dict[int, Correlated] = {}
        self._keyed: dict[object, Json] | None = None

    def key(self, name: str) -> Correlated | None:
        """The value of a key that both objects have and the schema knows."""
        known = self._keys.get(name)
        if known is not None:
            return known
        if self.old.__class__ is not dict or self.new.__class__ is not dict:
            return None
        inner = field_schema(self.schema, name)[1]
        if inner is None or name not in self.old or name not in self.new:
            return None
        found = self._keys[name] = Correlated(self.new[name], self.old[name], inner)
        return found

    def item(self, position: int) -> Correlated | None:
        """The item of a list-map that has the same keys in both lists."""
        known = self._items.get(position)
        if known is not None:
            return known
        items = schema_at(self.schema, "items")
        if (
            self.old.__class__ is not list
            or text_at(self.schema, "x-kubernetes-list-type") != "map"
        ):
            return None
        name = self._name(self.new[position])
        before = None if name is None else self._old_items().get(name)
        if before is None or items is None:
            return None
        found = self._items[position] = Correlated(self.new[position], before, items)
        return found

    def equal(self) -> bool:
        """Whether nothing changed here; the order of a list-map does not count."""
        if self._equal is None:
            self._equal = self._compare()
        return self._equal

    def _compare(self) -> bool:
        old, new = self.old, self.new
        if old.__class__ is list and new.__class__ is list:
            if len(old) != len(new):
                return False
            if text_at(self.schema, "x-kubernetes-list-type") != "map":
                return identical(old, new)
            pairs = [self.item(position) for position in range(len(new))]
        elif old.__class__ is dict and new.__class__ is dict:
            if len(old) != len(new):
                return False
            pairs = [self.key(name) for name in new]
        else:
            return identical(old, new)
        return all(pair is not None and pair.equal() for pair in pairs)

    def _old_items(self) -> dict[object, Json]:
        if self._keyed is None:
            self._keyed = {}
            for item in self.old:
                name = self._name(item)
                if name is not None:
                    self._keyed.setdefault(name, item)
        return self._keyed

    def _name(self, item: Json) -> object | None:
        """What an item of a list-map is found by; None when a key is missing or no scalar."""
        keys = names_at(self.schema, "x-kubernetes-list-map-keys")
        if item.__class__ is not dict or not keys:
            return None
        marks: list[Any] = []
        for key in keys:
            value = item.get(key, ABSENT)
            if not isinstance(value, str | int | float):
                return None
            marks.append((value.__class__, value))
        return tuple(marks)
