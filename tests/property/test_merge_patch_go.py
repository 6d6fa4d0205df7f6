"""Patches made and applied, as apimachinery and json-patch do it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.jsonpatch import apply_json_patch
from kapply.merge.jsonvalue import copy_json
from kapply.merge.mergepatch import (
    apply_merge_patch,
    create_merge_patch,
    create_three_way_merge_patch,
)
from kapply.merge.pointer import format_pointer
from kapply.merge.schema import DEDUCED, Type
from kapply.merge.schema_openapi import Schema
from kapply.merge.strategic import apply_patch, create_three_way, create_two_way
from tests.oracle.driver import Oracle, go_oracle
from tests.property import merge_oracle
from tests.property.merge_cases import CASES, DEFINITIONS, THING, edited, value_of
from tests.property.merge_oracle import REQUIRED, published, seeded

__all__ = ["go_oracle"]

pytestmark = pytest.mark.full

KINDS = {
    "Deployment": ("apis__apps__v1", "io.k8s.api.apps.v1.Deployment"),
    "StatefulSet": ("apis__apps__v1", "io.k8s.api.apps.v1.StatefulSet"),
    "Pod": ("api__v1", "io.k8s.api.core.v1.Pod"),
    "Service": ("api__v1", "io.k8s.api.core.v1.Service"),
}


def kinds() -> list[tuple[Type, dict[str, Any], int]]:
    """Types, how the oracle knows them, and how many cases of them to make up."""
    listed: list[tuple[Type, dict[str, Any], int]] = [
        (THING, {"definitions": DEFINITIONS, "type": "Thing"}, CASES)
    ]
    for kind, (document, name) in KINDS.items():
        listed.append((Schema(published(document)).named(name), {"struct": kind}, CASES // 4))
    return listed


def obj(rnd: random.Random, type_: Type) -> Any:
    found = value_of(rnd, type_, 7)
    return found if isinstance(found, dict) else {}


def edit(rnd: random.Random, value: Any, type_: Type, odd: float = 0.01) -> Any:
    found = edited(rnd, value, type_, odd=odd)
    return found if isinstance(found, dict) else {}


def check(
    oracle: Oracle,
    op: str,
    make: Callable[[random.Random, Type], dict[str, Any]],
    mine: Callable[[dict[str, Any], Type], Any],
    seed: int,
) -> None:
    agreed, taken = 0, 0
    for number, (type_, request, count) in enumerate(kinds()):
        rnd = seeded(100 * seed + number)
        cases = [make(rnd, type_) for _ in range(count)]

        def answer(case: dict[str, Any], type_: Type = type_) -> Any:
            return {"value": mine(case, type_)}

        found = merge_oracle.compare(oracle, op, cases, answer, panics=True, **request)
        assert found.taken > count * 0.5, (op, request.get("struct"), found)
        agreed += found.cases
        taken += found.taken
    assert agreed >= taken >= REQUIRED, (op, agreed, taken)


def test_two_way(go_oracle: Oracle) -> None:
    def make(rnd: random.Random, type_: Type) -> dict[str, Any]:
        original = obj(rnd, type_)
        modified = original
        for _ in range(rnd.choice((1, 1, 3))):
            modified = edit(rnd, modified, type_)
        return {"original": original, "modified": modified}

    check(
        go_oracle,
        "patch.strategic.two",
        make,
        lambda case, type_: create_two_way(case["original"], case["modified"], type_),
        1,
    )


def test_three_way(go_oracle: Oracle) -> None:
    def make(rnd: random.Random, type_: Type) -> dict[str, Any]:
        original = obj(rnd, type_)
        return {
            "original": original,
            "modified": edit(rnd, original, type_),
            "current": edit(rnd, edit(rnd, original, type_), type_),
            "overwrite": rnd.random() < 0.6,
        }

    check(
        go_oracle,
        "patch.strategic.three",
        make,
        lambda case, type_: create_three_way(
            case["original"],
            case["modified"],
            case["current"],
            type_,
            overwrite=case["overwrite"],
        ),
        2,
    )


def test_apply(go_oracle: Oracle) -> None:
    def make(rnd: random.Random, type_: Type) -> dict[str, Any]:
        original = obj(rnd, type_)
        modified = edit(rnd, original, type_)
        while True:
            try:
                patch = create_two_way(original, modified, type_)
                break
            except MergeError:
                modified = edit(rnd, original, type_, odd=0)
                original = obj(rnd, type_) if rnd.random() < 0.3 else original
        live = original if rnd.random() < 0.5 else edit(rnd, original, type_)
        return {"original": live, "patch": twisted(rnd, patch) if rnd.random() < 0.5 else patch}

    check(
        go_oracle,
        "patch.strategic",
        make,
        lambda case, type_: apply_patch(case["original"], case["patch"], type_),
        3,
    )


def twisted(rnd: random.Random, patch: Any) -> Any:
    """The patch with directives, nulls and other values where there were none."""
    patch = copy_json(patch)
    for _ in range(rnd.choice((1, 1, 2))):
        _twist(rnd, patch)
    return patch


def _twist(rnd: random.Random, patch: Any) -> None:
    inside = [
        part
        for part in (patch.values() if isinstance(patch, dict) else patch)
        if isinstance(part, dict | list)
    ]
    if inside and rnd.random() < 0.8:
        _twist(rnd, rnd.choice(inside))
        return
    if isinstance(patch, list):
        if not patch or rnd.random() < 0.3:
            patch.append(rnd.choice(("a", 1, None, {"name": "a"}, {"$patch": "replace"})))
        else:
            at = rnd.randrange(len(patch))
            item = patch[at]
            if isinstance(item, dict):
                item["$patch"] = rnd.choice(("delete", "delete", "replace", "merge", "odd", 1))
            else:
                patch.append(item)
        return
    names = [name for name in patch if not name.startswith("$")]
    chance = rnd.random()
    if chance < 0.3:
        patch["$patch"] = rnd.choice(("delete", "replace", "replace", "merge", None))
    elif chance < 0.5:
        patch["$retainKeys"] = rnd.choice(([*names], names[:1], names[1:], "a", [1]))
    elif names and chance < 0.8:
        name = rnd.choice(names)
        prefix = rnd.choice(("$setElementOrder", "$deleteFromPrimitiveList"))
        listed = patch[name] if isinstance(patch[name], list) else ["a", "b"]
        if prefix.startswith("$delete"):
            # Go walks over a map in no order: what is both added and deleted may stay or go.
            for given in (name, "texts"):
                patch.pop(given, None)
        patch[rnd.choice((f"{prefix}/{name}", f"{prefix}/texts", prefix))] = rnd.choice(
            (listed, listed[::-1], listed[:1], [], "a", [{"name": "a"}], ["a"])
        )
    elif names:
        patch[rnd.choice(names)] = rnd.choice((None, "a", {}, [], {"a": None}))


def anything(rnd: random.Random, depth: int = 4) -> Any:
    """JSON of any shape, with nulls."""
    chance = rnd.random()
    if depth == 0 or chance < 0.35:
        return rnd.choice((None, None, "a", "b", 1, 2, 1.5, True, False, {}, []))
    if chance < 0.8:
        names = rnd.sample(("a", "b", "c", "d/~", ""), rnd.randint(0, 3))
        return {name: anything(rnd, depth - 1) for name in names}
    return [anything(rnd, depth - 1) for _ in range(rnd.randint(0, 3))]


def some_object(rnd: random.Random) -> Any:
    return {name: anything(rnd) for name in rnd.sample(("a", "b", "c", "d/~"), rnd.randint(0, 4))}


def test_merge_patch(go_oracle: Oracle) -> None:
    rnd = seeded(400)
    cases = [
        {"original": some_object(rnd), "patch": rnd.choice((some_object, anything))(rnd)}
        for _ in range(CASES)
    ]
    found = merge_oracle.compare(
        go_oracle,
        "patch.merge",
        cases,
        lambda case: {"value": apply_merge_patch(case["original"], case["patch"])},
    )
    assert found.cases == CASES >= REQUIRED
    assert found.taken > CASES / 2


def test_merge_patches_made(go_oracle: Oracle) -> None:
    rnd = seeded(401)

    def triple() -> dict[str, Any]:
        original = value_of(rnd, DEDUCED, 5) if rnd.random() < 0.5 else some_object(rnd)
        original = original if isinstance(original, dict) else {"a": original}
        return {
            "original": original,
            "modified": edit(rnd, original, DEDUCED),
            "current": edit(rnd, original, DEDUCED),
        }

    cases = [triple() for _ in range(CASES)]
    found = merge_oracle.compare(
        go_oracle,
        "patch.merge.two",
        cases,
        lambda case: {"value": create_merge_patch(case["original"], case["modified"])},
    )
    assert found.cases == found.taken == CASES >= REQUIRED
    found = merge_oracle.compare(
        go_oracle,
        "patch.merge.three",
        cases,
        lambda case: {
            "value": create_three_way_merge_patch(
                case["original"], case["modified"], case["current"]
            )
        },
    )
    assert found.cases == found.taken == CASES >= REQUIRED


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    if isinstance(value, dict | list):
        inside: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for name, item in inside:
            found += places(item, (*path, name))
    return found


def some_path(rnd: random.Random, document: Any) -> str:
    path = rnd.choice(places(document))
    chance = rnd.random()
    if chance < 0.3:
        path = (*path, rnd.choice(("a", "b", "d/~", 0, 1, "-", "-1", "x", "+1", "01")))
    text = format_pointer(path)
    return text.removeprefix("/") if chance > 0.98 else text


def test_json_patch(go_oracle: Oracle) -> None:
    rnd = seeded(402)

    def operation(document: Any) -> Any:
        kind = rnd.choice(("add", "add", "remove", "replace", "move", "copy", "test", "test"))
        found: dict[str, Any] = {"op": kind, "path": some_path(rnd, document)}
        if kind in ("move", "copy"):
            found["from"] = some_path(rnd, document)
        elif kind != "remove":
            # To json-patch a null that an operation brought is not the null of a document.
            found["value"] = anything(rnd, 2) if kind == "test" else anything(rnd, 2) or "a"
            if kind == "test" and rnd.random() < 0.7:
                path = rnd.choice(places(document))
                found["path"] = format_pointer(path)
                value = document
                for part in path:
                    value = value[part]
                found["value"] = value
        if rnd.random() < 0.01:
            found.pop(rnd.choice(("op", "path")))
        return found

    cases = []
    for _ in range(CASES):
        document = some_object(rnd)
        cases.append(
            {
                "original": document,
                "patch": [operation(document) for _ in range(rnd.choice((1, 1, 2, 3)))],
            }
        )
    found = merge_oracle.compare(
        go_oracle,
        "patch.json",
        cases,
        lambda case: {"value": apply_json_patch(case["original"], case["patch"])},
        panics=True,
    )
    assert found.cases > CASES * 0.95
    assert found.taken > CASES / 4
