"""Take the fields of a set out of an object, or leave only them (RemoveItems, ExtractItems)."""

from __future__ import annotations

from kapply.merge.errors import TypedError, bounded
from kapply.merge.fieldpath import Path, parse_element
from kapply.merge.fieldset import FieldSet
from kapply.merge.jsonvalue import Json
from kapply.merge.schema import ListType, MapType, Type
from kapply.merge.typed.fieldset import field_set_of
from kapply.merge.typed.items import ItemError, namer_of


@bounded
def remove_items(value: Json, type_: Type, fields: FieldSet) -> Json:
    """`value` without the fields, and without what is below them.

    Atomic lists and maps below a removed path go as a whole. A map or list that loses its last
    part becomes null, as in structured-merge-diff.
    """
    return _walk(value, type_, fields, extract=False)


@bounded
def extract_items(value: Json, type_: Type, fields: FieldSet, *, with_keys: bool = False) -> Json:
    """`value` with nothing but the fields.

    Args:
        value: an object that fits its type.
        type_: its type.
        fields: what to keep.
        with_keys: keep the key fields of list-map items too, so that items stay items.
    """
    if with_keys:
        try:
            present = field_set_of(value, type_)
        except TypedError:
            pass
        else:
            fields |= FieldSet.of(_key_paths(fields, present))
    return _walk(value, type_, fields, extract=True)


def _key_paths(fields: FieldSet, present: FieldSet) -> list[Path]:
    paths: list[Path] = []
    for path in fields:
        if path not in present:
            continue
        for depth, element in enumerate(path, 1):
            if element.startswith("k:"):
                names = (name for name, _ in parse_element(element).keys)
                paths += ((*path[:depth], "f:" + name) for name in names)
    return paths


def _walk(value: Json, type_: Type, fields: FieldSet, *, extract: bool) -> Json:
    atom = type_.atom.deduce(value)
    shape = atom.shape()
    if shape == "scalar":
        return value
    if shape == "map":
        assert atom.map is not None
        if value.__class__ is not dict:
            return None
        if not value or atom.map.atomic:
            return value if extract else None
        return _walk_map(value, atom.map, fields, extract=extract)
    assert atom.list is not None
    if value.__class__ is not list:
        return None
    if not value or atom.list.atomic:
        return value if extract else None
    return _walk_list(value, atom.list, fields, extract=extract)


def _walk_map(value: Json, shape: MapType, fields: FieldSet, *, extract: bool) -> Json:
    out: dict[str, Json] = {}
    for name, item in value.items():
        element = "f:" + name
        inner = shape.type_of(name)
        if fields.has_child(element):
            if extract and inner is not None:
                # The paths of this level, as the reference has it: parts of an owned map or
                # list-map stay by their own paths alone.
                out[name] = _walk(item, inner, fields, extract=True)
            continue
        below = fields.below(element)
        if below and inner is not None:
            out[name] = _walk(item, inner, below, extract=extract)
        elif not extract:
            out[name] = item
    return out or None


def _walk_list(value: Json, shape: ListType, fields: FieldSet, *, extract: bool) -> Json:
    name = namer_of(shape)
    out: list[Json] = []
    for item in value:
        try:
            element = name(item)
        except ItemError:
            # Nobody can own an item without a name.
            if not extract:
                out.append(item)
            continue
        owned = fields.has_child(element)
        if owned and not extract:
            continue
        below = fields.below(element)
        if below:
            out.append(_walk(item, shape.element, below, extract=extract))
        elif owned or not extract:
            out.append(item)
    return out or None
