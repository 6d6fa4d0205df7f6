"""Laying a strategic merge patch over an object, or over another patch."""

from __future__ import annotations

from dataclasses import dataclass

from kapply.merge.errors import PatchError
from kapply.merge.gotext import go_v
from kapply.merge.jsonvalue import ABSENT, Json, identical
from kapply.merge.schema import Type
from kapply.merge.strategic.hints import (
    DELETE,
    DELETE_FROM_LIST,
    DIRECTIVE,
    ELEMENT_ORDER,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    Hints,
    bad_order,
    expect_list,
    expect_map,
    extract_key,
    list_hints,
    map_hints,
)
from kapply.merge.strategic.lists import (
    element_kind,
    in_order,
    mark,
    merge_value,
    no_merge_key,
    partition,
    split_deletions,
    without_duplicates,
)

_Map = dict[str, Json]


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """What a patch is laid over.

    Attributes:
        on_object: over an object, whose lists change; else over another patch, which keeps the
            directives.
        drop_nulls: nulls for keys that are not there are dropped.
    """

    on_object: bool
    drop_nulls: bool


def merge_map(original: Json, patch: _Map, type_: Type, options: MergeOptions) -> _Map:
    """`original` patched; both are changed on the way."""
    if DIRECTIVE in patch:
        return _directed(patch)
    merged: _Map = {} if original is None else original
    _retain_keys(merged, patch, options)
    _ordered_lists(merged, patch, type_, options)
    # Deletions first: what a patch both deletes and adds is there in the end.
    for key, value in sorted(patch.items(), key=lambda item: DELETE_FROM_LIST not in item[0]):
        name, deletion = key, False
        if key.startswith(DELETE_FROM_LIST):
            if not options.on_object:
                merged[key] = value
                continue
            name, deletion = extract_key(key, DELETE_FROM_LIST) or key, True
        if value is None:
            merged.pop(name, None)
            if options.drop_nulls:
                continue
        if name not in merged or merged[name].__class__ is not value.__class__:
            if not deletion:
                _take(merged, name, value, options)
        elif value.__class__ is dict:
            hints = map_hints(type_, name)
            merged[name] = (
                value
                if hints.strategy == REPLACE
                else merge_map(merged[name], value, hints.type, options)
            )
        elif value.__class__ is list:
            merged[name] = _merge_list(
                merged[name], value, list_hints(type_, name), options, deletion=deletion
            )
        else:
            merged[name] = value
    return merged


def _directed(patch: _Map) -> _Map:
    directive = patch[DIRECTIVE]
    if directive == REPLACE:
        del patch[DIRECTIVE]
        return patch
    if directive == DELETE:
        return {}
    raise PatchError(f"unknown patch type: {go_v(directive)} in map: {go_v(patch)}")


def _take(merged: _Map, name: str, value: Json, options: MergeOptions) -> None:
    """Put a value of the patch where the original has none of its kind."""
    if options.drop_nulls:
        _drop_nulls(value)
    kept = _without_directives(value)
    if kept is ABSENT:
        merged.pop(name, None)
    else:
        merged[name] = kept


def _drop_nulls(value: Json) -> None:
    if value.__class__ is dict:
        for name in [name for name, item in value.items() if item is None]:
            del value[name]
        for item in value.values():
            _drop_nulls(item)
    elif value.__class__ is list:
        for item in value:
            _drop_nulls(item)


def _without_directives(value: Json) -> Json:
    """`value` without the maps in it that are directives; ABSENT when it is one itself."""
    if value.__class__ is dict:
        if DIRECTIVE in value:
            return ABSENT
        for name, item in list(value.items()):
            kept = _without_directives(item)
            if kept is ABSENT:
                del value[name]
            else:
                value[name] = kept
        return value
    if value.__class__ is list:
        kept_items = map(_without_directives, value)
        return [item for item in kept_items if item is not ABSENT]
    return value


def _retain_keys(original: _Map, patch: _Map, options: MergeOptions) -> None:
    if RETAIN_KEYS not in patch:
        return
    retained = patch.pop(RETAIN_KEYS)
    if not options.on_object:
        known = original.setdefault(RETAIN_KEYS, retained)
        if not identical(known, retained):
            raise PatchError(f"{go_v(known)} and {go_v(retained)} are not deep equal")
        return
    if retained.__class__ is not list:
        raise PatchError("invalid patch format of retainKeys", code=400)
    names = {name for name in retained if name.__class__ is str}
    for name, value in patch.items():
        special = name.startswith((DELETE_FROM_LIST, ELEMENT_ORDER))
        if value is not None and not special and name not in names:
            raise PatchError("invalid patch format of retainKeys", code=400)
    for name in [name for name in original if name not in names]:
        del original[name]


def _ordered_lists(original: _Map, patch: _Map, type_: Type, options: MergeOptions) -> None:
    """Merge the lists whose order the patch says, and take them out of the patch."""
    for key in [key for key in patch if key.startswith(ELEMENT_ORDER)]:
        order = patch.pop(key)
        if not options.on_object and not identical(original.setdefault(key, order), order):
            raise bad_order()
        order = expect_list(order)
        name = extract_key(key, ELEMENT_ORDER)
        live = expect_list(original[name]) if name in original else None
        patched = expect_list(patch[name]) if name in patch else None
        hints = list_hints(type_, name)
        _check_order(patched or [], order, hints.merge_key)
        if live is None and patched is None:
            continue
        if live is None:
            merged = _without_directives(patched)
        elif patched is None:
            merged = live
        else:
            merged = _merge_list(live, patched, hints, options, deletion=False)
        inside, outside = partition(merged, order, hints.merge_key)
        kind = element_kind(live or [], patched or [])
        original[name] = in_order(inside, outside, order, live or [], hints.merge_key, kind)
        patch.pop(name, None)


def _check_order(patched: list[Json], order: list[Json], merge_key: str) -> None:
    """The items of the patch stand in the order list, in the same relative order."""
    if not order or not patched:
        return
    kept = split_deletions(patched)[0] if merge_key else patched
    at_item = at_order = 0
    while at_item < len(kept) and at_order < len(order):
        item, candidate = kept[at_item], order[at_order]
        if item.__class__ is dict and DIRECTIVE in item:
            at_item += 1
            continue
        if merge_key:
            item, candidate = merge_value(item, merge_key), merge_value(candidate, merge_key)
        at_item += mark(item) == mark(candidate)
        at_order += 1
    if at_item < len(kept):
        raise PatchError(
            f"The order in patch list:\n{go_v(patched)}\n doesn't match "
            f"{ELEMENT_ORDER} list:\n{go_v(order)}\n"
        )


def _merge_list(
    live: list[Json], patch: list[Json], hints: Hints, options: MergeOptions, *, deletion: bool
) -> list[Json]:
    if hints.strategy != MERGE and not deletion:
        return patch
    if not live and not patch:
        return live
    kind = element_kind(live, patch)
    if kind is not dict:
        if options.on_object and deletion:
            gone = {mark(item) for item in patch}
            return [item for item in live if mark(item) not in gone]
        merged = without_duplicates([*live, *patch])
        order = live
    else:
        if not hints.merge_key:
            raise PatchError("cannot merge lists without merge key for struct")
        order, patch = _special_items(live, patch, hints.merge_key)
        merged = _merge_items(live, order, patch, hints, options)
    inside, outside = partition(merged, patch, hints.merge_key)
    return in_order(inside, outside, patch, order, hints.merge_key, kind)


def _special_items(
    live: list[Json], patch: list[Json], merge_key: str
) -> tuple[list[Json], list[Json]]:
    """The live items that stay, and the items of the patch that are no directives.

    Items that follow a deleted one move up within `live` itself, whose tail stays as it was: the
    order of a list is looked up there afterwards.
    """
    kept = list(live)
    plain: list[Json] = []
    replaced = False
    for item in patch:
        if DIRECTIVE not in item:
            plain.append(item)
            continue
        directive = item[DIRECTIVE]
        if directive == DELETE:
            own = mark(merge_value(item, merge_key))
            kept = [other for other in kept if _name(other, merge_key) != own]
            live[: len(kept)] = kept
        elif directive == REPLACE:
            replaced = True
        elif directive == MERGE:
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise PatchError(f"unknown patch type: {go_v(directive)} in map: {go_v(item)}")
    return (plain, []) if replaced else (kept, plain)


def _name(item: Json, merge_key: str) -> object:
    return mark(item[merge_key]) if merge_key in item else ABSENT


def _merge_items(
    live: list[Json], kept: list[Json], patch: list[Json], hints: Hints, options: MergeOptions
) -> list[Json]:
    """The kept items with those of the patch merged in by name, or added at the end."""
    out = list(kept)
    places: dict[object, int] = {}
    for position, item in enumerate(out):
        places.setdefault(_name(item, hints.merge_key), position)
    for item in patch:
        if hints.merge_key not in item:
            raise no_merge_key(item, hints.merge_key)
        own = _name(item, hints.merge_key)
        position = places.get(own, len(out))
        if position < len(out):
            out[position] = merge_map(expect_map(out[position]), item, hints.type, options)
            if hints.merge_key not in out[position]:
                del places[own]  # the name was null
            continue
        # An item that is added takes the place a deleted one left, for those who look there.
        if position < len(live):
            live[position] = item
        places[own] = position
        out.append(item)
    return out
