"""Edits of a manifest, for the differential test of the unchanged-proof. Pure.

An edit changes a manifest in place, given the live object it was applied to; it draws its place
from a seeded Random.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from kapply.merge.schema import Type
from kapply.values.quantity import Quantity, QuantityError

Obj = dict[str, Any]
MANAGER = "kapply"


@dataclass(frozen=True, slots=True)
class Setting:
    """What an edit may look at: the live object, its type, and chance."""

    live: Obj
    type_: Type
    rng: Random


#: Changes a manifest in place; False when it has nothing of the kind.
Edit = Callable[[Obj, Setting], bool]


# -- finding places ------------------------------------------------------------------------------

Place = tuple[Any, Any, Any]
_IDENTITY = ("apiVersion", "kind")


def places(obj: Obj) -> Iterator[Place]:
    """(container, key, value) of everything in an object but its identity."""
    stack: list[Any] = [obj]
    while stack:
        node = stack.pop()
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(pairs):
            if node is obj and key in _IDENTITY:
                continue
            if node is obj.get("metadata") and key in ("name", "namespace"):
                continue
            if not (node is obj and key == "metadata"):
                yield node, key, value
            if isinstance(value, (dict, list)):
                stack.append(value)


def typed_maps(value: Any, type_: Type | None) -> Iterator[tuple[Obj, Type]]:
    """The maps of a value that have named fields, with their types."""
    stack: list[tuple[Any, Type | None]] = [(value, type_)]
    while stack:
        node, declared = stack.pop()
        if declared is None:
            continue
        atom = declared.atom
        if isinstance(node, dict) and atom.map:
            if atom.map.fields:
                yield node, declared
            stack += [(item, atom.map.type_of(name)) for name, item in node.items()]
        elif isinstance(node, list) and atom.list:
            stack += [(item, atom.list.element) for item in node]


def pick(rng: Random, found: list[Any]) -> Any:
    return rng.choice(found) if found else None


def _set(place: Place | None, value: Any) -> bool:
    if place is None:
        return False
    place[0][place[1]] = value
    return True


# -- edits of the manifest -----------------------------------------------------------------------


def remove(obj: Obj, at: Setting) -> bool:
    place = pick(at.rng, list(places(obj)))
    if place is None:
        return False
    del place[0][place[1]]
    return True


def change(obj: Obj, at: Setting) -> bool:
    place = pick(at.rng, [p for p in places(obj) if not isinstance(p[2], (dict, list))])
    if place is None:
        return False
    value = place[2]
    if isinstance(value, bool):
        return _set(place, not value)
    if isinstance(value, (int, float)):
        return _set(place, value + 1)
    return _set(place, f"{value or ''}x")


ZEROS: tuple[Any, ...] = (None, "", 0, False, {}, [])


def to_zero(obj: Obj, at: Setting) -> bool:
    """Replace something by the zero of its kind, or by null."""
    place = pick(at.rng, list(places(obj)))
    if place is None:
        return False
    value = place[2]
    zero = None if value is None or at.rng.random() < 0.3 else value.__class__()
    return _set(place, zero)


def to_any_zero(obj: Obj, at: Setting) -> bool:
    return _set(pick(at.rng, list(places(obj))), copy.copy(at.rng.choice(ZEROS)))


def zero_of(type_: Type, rng: Random) -> Any:
    """A zero that fits the type, or null."""
    atom = type_.atom
    if rng.random() < 0.2:
        return None
    if atom.scalar == "numeric":
        return 0
    if atom.scalar == "boolean":
        return False
    if atom.scalar == "string":
        return ""
    if atom.scalar is None and atom.map:
        return {}
    if atom.scalar is None and atom.list:
        return []
    return copy.copy(rng.choice(ZEROS))


def _absent(obj: Obj, at: Setting) -> list[tuple[Obj, str, Type]]:
    return [
        (node, name, declared.type)
        for node, type_ in typed_maps(obj, at.type_)
        for name, declared in (type_.atom.map.fields.items() if type_.atom.map else ())
        if name not in node and not (node is obj and name == "status")
    ]


def add_zero(obj: Obj, at: Setting) -> bool:
    """Write out the zero of a field that the manifest leaves out."""
    found = pick(at.rng, _absent(obj, at))
    if found is None:
        return False
    node, name, type_ = found
    node[name] = zero_of(type_, at.rng)
    return True


def _atomic_maps(value: Any, type_: Type | None, inside: bool = False) -> Iterator[tuple[Obj, Any]]:
    if type_ is None:
        return
    atom = type_.atom
    if isinstance(value, dict) and atom.map:
        inside = inside or atom.map.atomic
        if inside and atom.map.fields:
            yield value, atom.map
        for name, item in value.items():
            yield from _atomic_maps(item, atom.map.type_of(name), inside)
    elif isinstance(value, list) and atom.list:
        for item in value:
            yield from _atomic_maps(item, atom.list.element, inside or atom.list.atomic)


def add_zero_inside_atomic(obj: Obj, at: Setting) -> bool:
    found = [
        (node, name, declared.type)
        for node, shape in _atomic_maps(obj, at.type_)
        for name, declared in shape.fields.items()
        if name not in node
    ]
    picked = pick(at.rng, found)
    if picked is None:
        return False
    node, name, type_ = picked
    node[name] = zero_of(type_, at.rng)
    return True


def remove_inside_atomic(obj: Obj, at: Setting) -> bool:
    found = [(node, name) for node, _ in _atomic_maps(obj, at.type_) for name in node]
    picked = pick(at.rng, found)
    if picked is None:
        return False
    del picked[0][picked[1]]
    return True


def reorder(obj: Obj, at: Setting) -> bool:
    place = pick(at.rng, [p for p in places(obj) if isinstance(p[2], list) and len(p[2]) > 1])
    if place is None:
        return False
    items = list(place[2])
    at.rng.shuffle(items)
    return _set(place, items if items != place[2] else items[::-1])


def duplicate(obj: Obj, at: Setting) -> bool:
    place = pick(at.rng, [p for p in places(obj) if isinstance(p[2], list) and p[2]])
    if place is None:
        return False
    place[2].append(copy.deepcopy(at.rng.choice(place[2])))
    return True


_SUFFIXES = {
    "Ki": Decimal(1024),
    "Mi": Decimal(1024**2),
    "Gi": Decimal(1024**3),
    "k": Decimal(1000),
    "M": Decimal(1000**2),
    "m": Decimal("0.001"),
}


def respell_quantity(obj: Obj, at: Setting) -> bool:
    """Another spelling of a quantity, or of anything that looks like one."""
    found: list[Place] = []
    for place in places(obj):
        value = place[2]
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            continue
        try:
            Quantity.from_json(value)
        except QuantityError:
            continue
        found.append(place)
    # Those in a resource list more often than the rest.
    likely = [p for p in found if p[1] in ("cpu", "memory", "storage", "sizeLimit", "averageValue")]
    place = pick(at.rng, likely if likely and at.rng.random() < 0.7 else found)
    if place is None:
        return False
    quantity = Quantity.from_json(place[2])
    amount = Decimal(quantity.unscaled).scaleb(quantity.exponent)
    spelled: list[Any] = [str(amount), f"{amount * 1000:f}m", f"{amount:f}"]
    if amount == int(amount):
        spelled += [int(amount), f"{int(amount)}e0", f"+{int(amount)}"]
    else:
        spelled.append(float(amount))
    spelled += [f"{amount / size:f}{suffix}" for suffix, size in _SUFFIXES.items()]
    return _set(place, at.rng.choice([s for s in spelled if s != place[2]]))


def respell_time(obj: Obj, at: Setting) -> bool:
    found = [p for p in places(obj) if isinstance(p[2], str) and p[2][4:5] == "-" and "T" in p[2]]
    place = pick(at.rng, found)
    if place is None:
        return False
    text = place[2].removesuffix("Z")
    short = text.partition(".")[0]
    other = [text + "+00:00", short + "Z", short + ".000000Z", short + ".5Z"]
    return _set(place, at.rng.choice([o for o in other if o != place[2]]))


def retype(obj: Obj, at: Setting) -> bool:
    """The same to the eye, another JSON type: 1 and "1", 1 and 1.0, true and "true"."""
    place = pick(at.rng, [p for p in places(obj) if isinstance(p[2], (str, int, float))])
    if place is None:
        return False
    value = place[2]
    if isinstance(value, bool):
        return _set(place, str(value).lower())
    if isinstance(value, int):
        return _set(place, at.rng.choice([str(value), float(value)]))
    if isinstance(value, float):
        return _set(place, str(value))
    return _set(place, int(value) if value.isdecimal() else [value])


def one_as_float(obj: Obj, at: Setting) -> bool:
    found = [p for p in places(obj) if isinstance(p[2], int) and not isinstance(p[2], bool)]
    place = pick(at.rng, found)
    return place is not None and _set(place, float(place[2]))


def write_out_default(obj: Obj, at: Setting) -> bool:
    """Take a field over from the live object that the manifest leaves out."""
    found: list[tuple[Obj, str, Any]] = []
    stack: list[tuple[Any, Any]] = [(obj, at.live)]
    while stack:
        mine, theirs = stack.pop()
        if isinstance(mine, dict) and isinstance(theirs, dict):
            for name, value in theirs.items():
                if name in mine:
                    stack.append((mine[name], value))
                elif mine is not obj and mine is not obj.get("metadata"):
                    found.append((mine, name, value))
        elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
            stack += zip(mine, theirs, strict=True)
    picked = pick(at.rng, found)
    if picked is None:
        return False
    picked[0][picked[1]] = copy.deepcopy(picked[2])
    return True


def _metadata(**fields: Any) -> Edit:
    def edit(obj: Obj, at: Setting) -> bool:
        live = at.live["metadata"]
        obj["metadata"].update({k: v(live) if callable(v) else v for k, v in fields.items()})
        return True

    return edit


def status_hollow(obj: Obj, at: Setting) -> bool:
    obj["status"] = at.rng.choice([{}, None, {"conditions": []}, {"conditions": None}])
    return True


def status_unknown(obj: Obj, at: Setting) -> bool:
    wrong: list[Any] = [{"nothing": 1}, {"nothing": {}}, [], "x", {"conditions": "x"}]
    wrong += [{name: ""} for name in ("startTime", "lastScheduleTime", "lastScaleTime", "replicas")]
    obj["status"] = at.rng.choice(wrong)
    return True


def unknown_field(obj: Obj, at: Setting) -> bool:
    maps = [p[2] for p in places(obj) if isinstance(p[2], dict)] or [obj]
    at.rng.choice(maps)["nothingKnown"] = at.rng.choice(["x", None, {}])
    return True


def nothing(_obj: Obj, _at: Setting) -> bool:
    return True


def wrap_empty(obj: Obj, at: Setting) -> bool:
    """Empty maps where the manifest says nothing: labels, annotations, and in the template."""
    obj["metadata"].setdefault(at.rng.choice(["labels", "annotations"]), at.rng.choice([{}, None]))
    return True


def to_string_data(obj: Obj, at: Setting) -> bool:
    """Edits of a Secret's data and stringData."""
    if obj["kind"] != "Secret":
        return False
    strings = obj.setdefault("stringData", {})
    if strings is None or not isinstance(strings, dict):
        return False
    name = at.rng.choice([*strings, *(obj.get("data") or {}), "new"])
    strings[name] = at.rng.choice(["a", "b", "", "täst", "1", None])
    if at.rng.random() < 0.2:
        obj["data"] = {**(obj.get("data") or {}), name: at.rng.choice(["YQ==", "YQ", "Yg==", ""])}
    return True


def _long_ago(live: Obj) -> str:
    return "2001-01-01T00:00:00Z"


EDITS: Mapping[str, Edit] = {
    "same": nothing,
    "remove": remove,
    "change": change,
    "to zero": to_zero,
    "to any zero": to_any_zero,
    "add zero": add_zero,
    "add zero inside atomic": add_zero_inside_atomic,
    "remove inside atomic": remove_inside_atomic,
    "reorder": reorder,
    "duplicate": duplicate,
    "quantity": respell_quantity,
    "time": respell_time,
    "retype": retype,
    "float": one_as_float,
    "default": write_out_default,
    "empty": wrap_empty,
    "strings": to_string_data,
    "status": status_hollow,
    "wrong status": status_unknown,
    "unknown field": unknown_field,
    "resourceVersion": _metadata(resourceVersion=lambda live: live["resourceVersion"]),
    "old resourceVersion": _metadata(resourceVersion="1"),
    "no resourceVersion": _metadata(resourceVersion=""),
    "uid": _metadata(uid=lambda live: live["uid"]),
    "other uid": _metadata(uid="11111111-1111-1111-1111-111111111111"),
    "managedFields": _metadata(managedFields=lambda live: live.get("managedFields", [])),
    "no managedFields": _metadata(managedFields=[]),
    "deletionTimestamp": _metadata(deletionTimestamp="2001-01-01T00:00:00Z"),
    "null metadata": _metadata(
        deletionTimestamp=None, uid=None, resourceVersion=None, creationTimestamp=None
    ),
    "generation": _metadata(generation=77),
    "creationTimestamp": _metadata(creationTimestamp=_long_ago),
    "wrong creationTimestamp": _metadata(creationTimestamp="yesterday"),
    "wrong generation": _metadata(generation="x"),
    "selfLink": _metadata(selfLink="/x"),
    "clusterName": _metadata(clusterName="x"),
    "generateName": _metadata(generateName="x-"),
    "grace": _metadata(deletionGracePeriodSeconds=1),
}
