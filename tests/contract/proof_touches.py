"""What others do to a live object, for the differential test of the unchanged-proof. Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.proof_edits import (
    MANAGER,
    Obj,
    Setting,
    add_zero,
    change,
    duplicate,
    pick,
    places,
    remove,
    reorder,
    respell_quantity,
    to_zero,
)


@dataclass(frozen=True, slots=True)
class Write:
    """A request to the live object by someone: `how` is apply, merge or delete."""

    how: str
    manager: str
    body: Obj = field(default_factory=dict)
    force: bool = False


#: What others do to the live object of a manifest.
Touch = Callable[[Obj, Setting], "list[Write]"]


# -- what others do to the live object -----------------------------------------------------------


def _identity(obj: Obj) -> Obj:
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "metadata": {k: v for k, v in obj["metadata"].items() if k in ("name", "namespace")},
    }


def other_applies_labels(obj: Obj, at: Setting) -> list[Write]:
    body = _identity(obj)
    body["metadata"]["labels"] = {"other": "1"}
    body["metadata"]["finalizers"] = ["example.com/0"] if at.rng.random() < 0.3 else []
    return [Write("apply", "other", body)]


def other_applies_all(obj: Obj, at: Setting) -> list[Write]:
    """Another manager owns everything too."""
    return [Write("apply", "other", copy.deepcopy(obj))]


def other_applies_live(_obj: Obj, at: Setting) -> list[Write]:
    """Another manager owns everything as the server has it, defaults included."""
    body = copy.deepcopy(at.live)
    body.pop("status", None)
    kept = ("name", "namespace", "labels", "annotations", "finalizers")
    body["metadata"] = {k: v for k, v in body["metadata"].items() if k in kept}
    return [Write("apply", "other", body, force=True)]


def other_applies_edited(obj: Obj, at: Setting) -> list[Write]:
    """Another manager takes fields over by force."""
    body = copy.deepcopy(obj)
    at.rng.choice([change, remove, reorder, add_zero, respell_quantity])(body, at)
    return [Write("apply", "other", body, force=True)]


def other_updates(obj: Obj, at: Setting, manager: str = "other") -> list[Write]:
    """A merge patch that changes, removes, empties or adds something."""
    edited = copy.deepcopy(obj)
    at.rng.choice([change, remove, to_zero, add_zero, reorder, duplicate])(edited, at)
    return [Write("merge", manager, merge_patch(obj, edited))]


def same_manager_updates(obj: Obj, at: Setting) -> list[Write]:
    if at.rng.random() < 0.5:
        return other_updates(obj, at, MANAGER)
    return [Write("merge", MANAGER, {"metadata": {"annotations": {"updated": "1"}}})]


def other_adds_items(obj: Obj, at: Setting) -> list[Write]:
    """A list that others made longer, at the front or at the end."""
    found = [p for p in places(obj) if isinstance(p[2], list) and p[2]]
    place = pick(at.rng, found)
    if place is None:
        return []
    edited = copy.deepcopy(obj)
    # The same place in the copy.
    number = found.index(place)
    target = [p for p in places(edited) if isinstance(p[2], list) and p[2]][number][2]
    item = copy.deepcopy(target[0])
    if isinstance(item, dict):
        for name in ("name", "ip", "port", "containerPort", "mountPath"):
            if name in item:
                item[name] = item[name] + 1000 if isinstance(item[name], int) else f"{item[name]}x"
    elif isinstance(item, int):
        item += 100
    else:
        item = f"{item}x"
    target.insert(at.rng.choice([0, len(target)]), item)
    return [Write("merge", "other", merge_patch(obj, edited))]


def removed_by_other(obj: Obj, at: Setting) -> list[Write]:
    """Someone removes or changes what the server filled in."""
    edited = copy.deepcopy(at.live)
    for name in ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"):
        edited["metadata"].pop(name, None)
    before = copy.deepcopy(edited)
    at.rng.choice([remove, change])(edited, at)
    return [Write("merge", "other", merge_patch(before, edited))]


def deleted(obj: Obj, at: Setting) -> list[Write]:
    finalizers = {"metadata": {"finalizers": ["example.com/hold"]}}
    return [Write("merge", "other", finalizers), Write("delete", "other")]


TOUCHES: Mapping[str, Touch] = {
    "labelled": other_applies_labels,
    "co-owned": other_applies_all,
    "co-owned live": other_applies_live,
    "taken over": other_applies_edited,
    "updated": other_updates,
    "updated by us": same_manager_updates,
    "items added": other_adds_items,
    "defaults changed": removed_by_other,
    "deleted": deleted,
}


def merge_patch(before: Any, after: Any) -> Any:
    """The JSON Merge Patch (RFC 7386) from one object to another."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return copy.deepcopy(after)
    patch: Obj = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name not in before:
            patch[name] = copy.deepcopy(value)
        elif before[name] != value:
            patch[name] = merge_patch(before[name], value)
    return patch
