"""Whether two strategic merge patches want different things."""

from __future__ import annotations

from kapply.merge.errors import PatchError
from kapply.merge.gotext import go_v
from kapply.merge.jsonvalue import ABSENT, Json, identical
from kapply.merge.schema import Type
from kapply.merge.strategic.hints import (
    DIRECTIVE,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    list_hints,
    map_hints,
)
from kapply.merge.strategic.lists import element_kind, sort_scalars, without_duplicates


def have_conflicts(
    left: Json, right: Json, type_: Type, strategy: str = "", merge_key: str = ""
) -> bool:
    """Whether both change one key, each in its own way (MergingMapsHaveConflicts)."""
    if left.__class__ is dict:
        if right.__class__ is not dict:
            return True
        if (DIRECTIVE in left or DIRECTIVE in right) and not identical(
            left.get(DIRECTIVE, ABSENT), right.get(DIRECTIVE, ABSENT)
        ):
            return True
        return strategy != REPLACE and _maps_conflict(left, right, type_)
    if left.__class__ is list:
        if right.__class__ is not list:
            return True
        return _lists_conflict(left, right, type_, strategy, merge_key)
    return not identical(left, right)


def _maps_conflict(left: dict[str, Json], right: dict[str, Json], type_: Type) -> bool:
    for name, mine in left.items():
        if name in (DIRECTIVE, RETAIN_KEYS) or name not in right:
            continue
        inner, strategy, merge_key = type_, "", ""
        if mine.__class__ is list or mine.__class__ is dict:
            hints = (list_hints if mine.__class__ is list else map_hints)(type_, name)
            inner, strategy, merge_key = hints.type, hints.strategy, hints.merge_key
        if have_conflicts(mine, right[name], inner, strategy, merge_key):
            return True
    return False


def _lists_conflict(
    left: list[Json], right: list[Json], type_: Type, strategy: str, merge_key: str
) -> bool:
    kind = element_kind(left, right)
    if strategy == MERGE:
        # Lists of scalars that merge never get into each other's way.
        if kind is not dict:
            return False
        mine, theirs = _by_name(left, merge_key), _by_name(right, merge_key)
        return any(
            name in theirs and have_conflicts(item, theirs[name], type_)
            for name, item in mine.items()
        )
    if len(left) != len(right):
        return True
    if kind is not dict:
        left, right = (sort_scalars(without_duplicates(listed)) for listed in (left, right))
        if len(left) > len(right):
            return True
    return any(have_conflicts(mine, right[at], type_) for at, mine in enumerate(left))


def _by_name(items: list[Json], merge_key: str) -> dict[tuple[type, str], Json]:
    named: dict[tuple[type, str], Json] = {}
    for item in items:
        if merge_key not in item:
            raise PatchError(
                f"cannot find merge key `{merge_key}` in merging list element:{go_v(item)}"
            )
        named[item[merge_key].__class__, go_v(item[merge_key])] = item
    return named
