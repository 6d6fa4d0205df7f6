"""What a schema says about patching a field, and the names of the directives in a patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kapply.merge.errors import PatchError
from kapply.merge.gotext import go_type
from kapply.merge.jsonvalue import Json
from kapply.merge.schema import StructField, Type

#: In a map or list item: what to do with it instead of merging.
DIRECTIVE: Final = "$patch"
DELETE: Final = "delete"
REPLACE: Final = "replace"
MERGE: Final = "merge"

#: In a map: all keys that stay.
RETAIN_KEYS: Final = "$retainKeys"
#: Before "/" and the name of a list of scalars: its items that go.
DELETE_FROM_LIST: Final = "$deleteFromPrimitiveList"
#: Before "/" and the name of a merged list: the order of its items.
ELEMENT_ORDER: Final = "$setElementOrder"


@dataclass(frozen=True, slots=True)
class Hints:
    """How a field is patched.

    Attributes:
        type: the type of the field, or of the items of a list.
        strategy: "merge", "replace" or "".
        retain_keys: a patch says which keys stay.
        merge_key: the field that names items of a merged list; "" for scalars.
    """

    type: Type
    strategy: str
    retain_keys: bool
    merge_key: str


def _field(type_: Type, name: str) -> StructField:
    shape = type_.atom.map
    found = None if shape is None else shape.fields.get(name)
    if found is None:
        raise PatchError(f'unable to find api field "{name}"')
    return found


def _hints(field: StructField, type_: Type) -> Hints:
    strategies = [strategy for strategy in field.strategies if strategy != "retainKeys"]
    if len(strategies) > 1 or len(field.strategies) > 2:
        raise PatchError(f"unexpected patch strategy: [{' '.join(field.strategies)}]")
    return Hints(
        type_,
        strategies[0] if strategies else "",
        "retainKeys" in field.strategies,
        field.merge_key,
    )


def map_hints(type_: Type, name: str) -> Hints:
    """How the map in field `name` is patched; raises PatchError when there is no such field."""
    field = _field(type_, name)
    return _hints(field, field.type)


def list_hints(type_: Type, name: str) -> Hints:
    """How the list in field `name` is patched; raises PatchError when there is no such field."""
    field = _field(type_, name)
    shape = field.type.atom.list
    return _hints(field, field.type if shape is None else shape.element)


def extract_key(text: str, prefix: str) -> str:
    """The field that a key such as "$setElementOrder/ports" is about."""
    before, slash, name = text.partition("/")
    if not slash or before != prefix:
        what = "primitive" if prefix == DELETE_FROM_LIST else "setElementOrder"
        raise PatchError(f"invalid patch format of {what} list", code=400)
    return name


def bad_order() -> PatchError:
    """The error for an order list that cannot be followed."""
    return PatchError("invalid patch format of setElementOrder list", code=400)


def expect_map(value: Json) -> dict[str, Json]:
    """`value`, which has to be a map."""
    if value.__class__ is not dict:
        raise PatchError(f"expected a map[string]interface {{}}, but received a {go_type(value)}")
    found: dict[str, Json] = value
    return found


def expect_list(value: Json) -> list[Json]:
    """`value`, which has to be a list."""
    if value.__class__ is not list:
        raise PatchError(f"expected a []interface {{}}, but received a {go_type(value)}")
    found: list[Json] = value
    return found
