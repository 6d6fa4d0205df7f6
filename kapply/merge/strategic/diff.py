"""What a strategic merge patch has to say to make one object of another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kapply.merge.errors import PatchError
from kapply.merge.gotext import go_v
from kapply.merge.jsonvalue import Json, identical
from kapply.merge.schema import Type
from kapply.merge.strategic.hints import (
    DELETE,
    DELETE_FROM_LIST,
    DIRECTIVE,
    ELEMENT_ORDER,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    list_hints,
    map_hints,
)
from kapply.merge.strategic.lists import (
    element_kind,
    mark,
    merge_value,
    sort_by_order,
    sort_by_text,
    sort_scalars,
    without_duplicates,
)

_Map = dict[str, Json]


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """Which half of a difference is wanted.

    Attributes:
        order: say the order of merged lists.
        changes: say what was changed or added.
        deletions: say what is gone.
        retain_keys: say which keys of this very map stay.
    """

    order: bool = False
    changes: bool = True
    deletions: bool = True
    retain_keys: bool = False


def diff_maps(original: _Map, modified: _Map, type_: Type, options: DiffOptions) -> _Map:
    """A patch that turns `original` into `modified`.

    Lists of scalars in `original` are sorted on the way, as in the reference: what is compared
    with them later is compared with the sorted lists.
    """
    patch: _Map = {}
    for name, after in modified.items():
        if name not in original:
            if options.changes:
                patch[name] = after
            continue
        before = original[name]
        if name == DIRECTIVE:
            if before.__class__ is not str or after.__class__ is not str:
                raise PatchError(f"invalid value for special key: {DIRECTIVE}")
            if after != before:
                patch[name] = after
        elif before.__class__ is dict and after.__class__ is dict:
            _diff_map(name, before, after, patch, type_, options)
        elif before.__class__ is list and after.__class__ is list:
            _diff_list(name, before, after, patch, type_, options)
        elif options.changes and not identical(before, after):
            patch[name] = after
    if options.deletions:
        patch.update(dict.fromkeys(name for name in original if name not in modified))
    if options.retain_keys:
        retained: list[Json] = [name for name, after in modified.items() if after is not None]
        gone = any(before is not None and name not in modified for name, before in original.items())
        if retained and (patch or gone):
            patch[RETAIN_KEYS] = sort_scalars(retained)
    return patch


def _diff_map(
    name: str, before: _Map, after: _Map, patch: _Map, type_: Type, options: DiffOptions
) -> None:
    try:
        hints = map_hints(type_, name)
    except PatchError:
        if identical(before, after):
            return
        raise
    if hints.strategy == REPLACE:
        if options.changes:
            patch[name] = after
        return
    found = diff_maps(before, after, hints.type, replace(options, retain_keys=hints.retain_keys))
    if found:
        patch[name] = found


def _diff_list(
    name: str,
    before: list[Json],
    after: list[Json],
    patch: _Map,
    type_: Type,
    options: DiffOptions,
) -> None:
    try:
        hints = list_hints(type_, name)
    except PatchError:
        if identical(before, after):
            return
        raise
    if hints.strategy != MERGE:
        if options.changes and not identical(before, after):
            patch[name] = after
        return
    options = replace(options, retain_keys=hints.retain_keys)
    if not before:
        if after and options.changes:
            patch[name] = after
        return
    kind = element_kind(before, after)
    if kind is dict:
        listed, order = _diff_lists_of_maps(before, after, hints.type, hints.merge_key, options)
        deleted: list[Json] = []
    else:
        listed, deleted = _diff_lists_of_scalars(before, after, options)
        listed = sort_by_order(listed, after, hints.merge_key, kind)
        changed = options.changes and not identical(before, after)
        order = after if options.order and (changed or (options.deletions and deleted)) else []
    if listed:
        patch[name] = listed
    if deleted:
        patch[f"{DELETE_FROM_LIST}/{name}"] = deleted
    if order:
        patch[f"{ELEMENT_ORDER}/{name}"] = order


def _diff_lists_of_scalars(
    before: list[Json], after: list[Json], options: DiffOptions
) -> tuple[list[Json], list[Json]]:
    """The scalars that were added, and those that are gone; sorts `before`."""
    left, right = sort_scalars(before), sort_scalars(list(after))
    added: list[Json] = []
    gone: list[Json] = []
    at_left = at_right = 0
    while at_left < len(left) or at_right < len(right):
        mine = go_v(left[at_left]) if at_left < len(left) else None
        theirs = go_v(right[at_right]) if at_right < len(right) else None
        if mine is not None and mine == theirs:
            at_left += 1
            at_right += 1
        elif mine is None or (theirs is not None and mine > theirs):
            if options.changes:
                added.append(right[at_right])
            at_right += 1
        else:
            if options.deletions:
                gone.append(left[at_left])
            at_left += 1
    return added, without_duplicates(gone)


def _diff_lists_of_maps(
    before: list[Json], after: list[Json], type_: Type, merge_key: str, options: DiffOptions
) -> tuple[list[Json], list[Json]]:
    """The items of a patch, with its deletions at the end, and the order list ([]: none)."""
    left, right = (_by_merge_key(listed, merge_key) for listed in (before, after))
    patched: list[Json] = []
    gone: list[Json] = []
    at_left = at_right = 0
    while at_left < len(left) or at_right < len(right):
        mine = left[at_left] if at_left < len(left) else None
        theirs = right[at_right] if at_right < len(right) else None
        mine_text = None if mine is None else go_v(merge_value(mine, merge_key))
        theirs_text = None if theirs is None else go_v(merge_value(theirs, merge_key))
        if mine is not None and theirs is not None and mine_text == theirs_text:
            found = diff_maps(mine, theirs, type_, options)
            if found:
                found[merge_key] = theirs[merge_key]
                patched.append(found)
            at_left += 1
            at_right += 1
        elif mine_text is None or (theirs_text is not None and mine_text > theirs_text):
            if options.changes:
                patched.append(theirs)
            at_right += 1
        else:
            if options.deletions:
                gone.append({merge_key: merge_value(mine, merge_key), DIRECTIVE: DELETE})
            at_left += 1
    patched = sort_by_order(patched, after, merge_key, dict)
    same_order = len(before) == len(after) and all(
        mark(merge_value(mine, merge_key)) == mark(merge_value(theirs, merge_key))
        for mine, theirs in zip(before, after, strict=True)
    )
    patched += gone
    wanted = (options.changes and (bool(patched) or not same_order)) or (
        options.deletions and bool(patched)
    )
    if not (options.order and wanted):
        return patched, []
    return patched, [{merge_key: item.get(merge_key)} for item in after]


def _by_merge_key(items: list[Json], merge_key: str) -> list[Json]:
    found = list(items)
    sort_by_text(found, lambda item: go_v(item.get(merge_key)))
    return found
