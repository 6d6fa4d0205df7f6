"""Lists in strategic merge patch: kinds of items, names, orders, duplicates."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from kapply.merge.errors import PatchError
from kapply.merge.gotext import go_v
from kapply.merge.jsonvalue import Json
from kapply.merge.strategic.hints import DELETE, DIRECTIVE, expect_map

#: A value that tells scalars apart as Go does: 1, 1.0, "1" and true are four.
Mark: TypeAlias = tuple[type, Any]


def mark(value: Json) -> Mark:
    """A hashable stand-in of a scalar. A map or list names nothing and equals only itself."""
    kind = value.__class__
    return kind, id(value) if kind is dict or kind is list else value


def element_kind(*lists: list[Json]) -> type:
    """The one type that all items of the lists have.

    Raises:
        PatchError: there is no item, items are lists or null, or of several types.
    """
    found: type | None = None
    for listed in lists:
        for item in listed:
            kind = item.__class__
            if found is None:
                found = kind
                if item is None:
                    raise PatchError("list elements may not be null")
                if kind is list:
                    raise PatchError("lists of lists are not supported", code=422)
            elif found is not kind:
                raise PatchError(
                    f"list element types are not identical: [{' '.join(map(go_v, lists))}]"
                )
    if found is None:
        raise PatchError("no elements in any of the given slices")
    return found


def no_merge_key(item: dict[str, Json], merge_key: str) -> PatchError:
    """The error for an item without the field that names it."""
    return PatchError(f"map: {go_v(item)} does not contain declared merge key: {merge_key}")


def merge_value(item: Json, merge_key: str) -> Json:
    """The value that names an item of a merged list of maps."""
    found = expect_map(item)
    if merge_key not in found:
        raise no_merge_key(found, merge_key)
    return found[merge_key]


def name_of(item: Json, merge_key: str, kind: type) -> Mark:
    """What tells an item from the others: its merge key, or the scalar itself."""
    return mark(merge_value(item, merge_key) if kind is dict else item)


def sort_by_text(items: list[Json], text: Callable[[Json], str]) -> None:
    """Sort in place by a text, equal ones reversed: what sort.Sort makes of Less that says <=."""
    items.reverse()
    items.sort(key=text)


def sort_scalars(items: list[Json]) -> list[Json]:
    """Sort scalars in place by their printed form."""
    sort_by_text(items, go_v)
    return items


def without_duplicates(items: list[Json]) -> list[Json]:
    """Scalars without repetitions, each of which gives its place to the last item."""
    places: dict[Mark, list[int]] = {}
    for position, item in enumerate(items):
        places.setdefault(mark(item), []).append(position)
    if len(places) == len(items):
        return items
    out = list(items)
    at = 0
    while at < len(out):
        own = mark(out[at])
        later = places[own]
        while later:
            position = heapq.heappop(later)
            # Places of items that moved or are gone are left in the heaps.
            if at < position < len(out) and mark(out[position]) == own:
                moved = out.pop()
                if position < len(out):
                    out[position] = moved
                    heapq.heappush(places[mark(moved)], position)
        at += 1
    return out


def split_deletions(items: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """The items of a list of maps that stay, and those that say they go."""
    kept: list[Json] = []
    gone: list[Json] = []
    for item in items:
        (gone if expect_map(item).get(DIRECTIVE) == DELETE else kept).append(item)
    return kept, gone


def sort_by_order(items: list[Json], order: list[Json], merge_key: str, kind: type) -> list[Json]:
    """`items` in the order their names have in `order`; deletions last."""
    gone: list[Json] = []
    if kind is dict:
        for item in (*items, *order):
            merge_value(item, merge_key)
        items, gone = split_deletions(items)
    places = _places(order, merge_key, kind)
    ranks = [places.get(name_of(item, merge_key, kind)) for item in items]
    if None not in ranks:
        numbered = sorted(range(len(items)), key=lambda position: ranks[position] or 0)
        return [items[position] for position in numbered] + gone
    # An item without a place goes before its neighbour, again and again.
    out: list[tuple[int | None, Json]] = []
    for rank, item in zip(ranks, items, strict=True):
        at = len(out)
        while at > 0 and _before(rank, out[at - 1][0]):
            at -= 1
        out.insert(at, (rank, item))
    return [item for _, item in out] + gone


def _before(rank: int | None, other: int | None) -> bool:
    return rank is None or other is None or rank < other


def _places(order: list[Json], merge_key: str, kind: type) -> dict[Mark, int]:
    places: dict[Mark, int] = {}
    for position, item in enumerate(order):
        places.setdefault(name_of(item, merge_key, kind), position)
    return places


def in_order(
    patched: list[Json],
    server_only: list[Json],
    patch_order: list[Json],
    server_order: list[Json],
    merge_key: str,
    kind: type,
) -> list[Json]:
    """Items of the patch in its order and the others in the server's, interleaved.

    An item only the server has stands before the first item of the patch that comes after it in
    the server's order.
    """
    right = sort_by_order(patched, patch_order, merge_key, kind)
    left = sort_by_order(server_only, server_order, merge_key, kind)
    places = _places(server_order, merge_key, kind)
    out: list[Json] = []
    at = 0
    for item in right:
        there = places.get(name_of(item, merge_key, kind))
        while at < len(left) and there is not None:
            here = places.get(name_of(left[at], merge_key, kind))
            if here is None or here >= there:
                break
            out.append(left[at])
            at += 1
        out.append(item)
    return out + left[at:]


def partition(
    items: list[Json], named: list[Json], merge_key: str
) -> tuple[list[Json], list[Json]]:
    """The items whose names stand in `named`, and the others."""
    if not merge_key:
        scalars = {mark(item) for item in named}
        return (
            [item for item in items if mark(item) in scalars],
            [item for item in items if mark(item) not in scalars],
        )
    names: set[Mark] = set()
    broken = -1
    for position, item in enumerate(named):
        if item.__class__ is not dict:
            broken = position
            break
        if merge_key in item:
            names.add(mark(item[merge_key]))
    inside: list[Json] = []
    outside: list[Json] = []
    for item in items:
        if mark(merge_value(item, merge_key)) in names:
            inside.append(item)
        elif broken >= 0:
            raise PatchError(f"value for key {broken} is not a map")
        else:
            outside.append(item)
    return inside, outside
