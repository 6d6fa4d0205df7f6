"""Laws of patches, server-side apply and structural schemas, without any oracle."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kapply.merge.errors import MergeError, PatchConflictError, PatchError
from kapply.merge.jsonpatch import apply_json_patch
from kapply.merge.jsonvalue import copy_json, identical, json_equal
from kapply.merge.managed_fields import managed_fields_of
from kapply.merge.mergepatch import (
    apply_merge_patch,
    create_merge_patch,
    create_three_way_merge_patch,
)
from kapply.merge.pointer import find, format_pointer, parse_pointer
from kapply.merge.schema import DEDUCED
from kapply.merge.ssa import Conflicts, FieldManager
from kapply.merge.ssa.lastapplied import LAST_APPLIED
from kapply.merge.strategic import apply_patch, create_three_way, create_two_way
from kapply.merge.structural import (
    Validator,
    apply_defaults,
    drop_nulls,
    prune,
    prune_defaults,
    repeated_items,
)
from tests.property.merge_cases import THING, edited, value_of
from tests.property.merge_runs import convert, make_run, versions
from tests.property.merge_structural_cases import CHECKS, root_schema, value_for

seeds = st.integers(0, 2**32)
few = settings(max_examples=100, deadline=None)


def thing(rnd: random.Random) -> Any:
    found = value_of(rnd, THING)
    return found if isinstance(found, dict) else {}


def edit(rnd: random.Random, value: Any) -> Any:
    found = edited(rnd, value, THING)
    return found if isinstance(found, dict) else {}


def two_ports_with_one_number(value: Any) -> bool:
    """What strategic merge patch cannot keep apart: ports are merged by number alone."""
    ports = (value.get("spec") or {}).get("ports") or []
    numbers = [port.get("port") for port in ports]
    return len(set(numbers)) < len(numbers)


def replaces(value: Any) -> bool:
    return "replaced" in (value.get("spec") or {})


def try_two_way(original: Any, modified: Any) -> Any:
    assume(not two_ports_with_one_number(original) and not two_ports_with_one_number(modified))
    try:
        return create_two_way(original, modified, THING)
    except PatchError:
        # Numbers of two kinds in one list, or maps whose type nobody knows.
        assume(False)


@few
@given(seeds)
def test_a_strategic_patch_makes_the_modified_object(seed: int) -> None:
    rnd = random.Random(seed)
    original = thing(rnd)
    modified = edit(rnd, original)
    patch = try_two_way(original, modified)
    assert json_equal(apply_patch(original, patch, THING), modified)


@few
@given(seeds)
def test_three_ways_are_two_when_nobody_else_wrote(seed: int) -> None:
    rnd = random.Random(seed)
    original = thing(rnd)
    modified = edit(rnd, original)
    # A field that is replaced whole is in both patches, which is a conflict to the reference.
    assume(not replaces(original) and not replaces(modified))
    try_two_way(original, modified)
    try:
        patch = create_three_way(original, modified, original, THING, overwrite=False)
    except PatchConflictError:
        raise
    except PatchError:
        assume(False)
    assert json_equal(apply_patch(original, patch, THING), modified)


def tree(rnd: random.Random) -> Any:
    found = value_of(rnd, DEDUCED, 4)
    return found if isinstance(found, dict) else {"a": found}


@few
@given(seeds)
def test_merge_patches_round_trip(seed: int) -> None:
    rnd = random.Random(seed)
    original = tree(rnd)
    modified = edited(rnd, original, DEDUCED)
    assume(isinstance(modified, dict))
    patch = create_merge_patch(original, modified)
    assert json_equal(apply_merge_patch(original, patch), modified)
    assert create_merge_patch(original, original) == {}
    three = create_three_way_merge_patch(original, modified, original)
    assert json_equal(apply_merge_patch(original, three), modified)
    assert json_equal(apply_merge_patch(modified, three), modified)


@few
@given(st.lists(st.text()))
def test_pointers_round_trip(tokens: list[str]) -> None:
    assert parse_pointer(format_pointer(tokens)) == tuple(tokens)
    document: Any = 1
    for token in reversed(tokens):
        document = {token: document}
    assert find(document, tokens) == 1


@few
@given(seeds)
def test_what_json_patch_adds_it_can_test_and_remove(seed: int) -> None:
    rnd = random.Random(seed)
    document, value = tree(rnd), tree(rnd)
    assume("new" not in document)
    added = apply_json_patch(document, [{"op": "add", "path": "/new", "value": value}])
    assert identical(added, {**document, "new": value})
    back = [
        {"op": "test", "path": "/new", "value": value},
        {"op": "copy", "from": "/new", "path": "/copied"},
        {"op": "move", "from": "/copied", "path": "/moved"},
        {"op": "test", "path": "/moved", "value": value},
        {"op": "remove", "path": "/moved"},
        {"op": "remove", "path": "/new"},
    ]
    assert identical(apply_json_patch(added, back), document)


@settings(max_examples=60, deadline=None)
@given(seeds, st.booleans())
def test_runs_of_writes_keep_their_promises(seed: int, deduced: bool) -> None:
    run = make_run(random.Random(seed), deduced=deduced)
    kinds = versions(deduced=deduced)
    for step, answer in zip(run.steps, run.answers, strict=True):
        if "object" not in answer:
            continue
        obj = answer["object"]
        entries = managed_fields_of(obj)
        assert len({entry.id for entry in entries}) == len(entries)
        assert all(entry.fields for entry in entries)
        updates = [entry for entry in entries if entry.operation == "Update"]
        assert len(updates) <= max(10, len({entry.api_version for entry in updates}))
        if step["write"] == "apply" and entries and not (run.reset or run.include):
            if step["manager"] == "kubectl" and _rewritten(step["object"]):
                continue
            _again(kinds, step, obj)


def _rewritten(applied: Any) -> bool:
    """Whether refreshing kubectl's annotation changes an applied one: each apply writes both."""
    annotations = applied["metadata"].get("annotations")
    return isinstance(annotations, dict) and (
        LAST_APPLIED in annotations or None in annotations.values()
    )


def _again(kinds: Any, step: dict[str, Any], obj: Any) -> None:
    """What was applied a moment ago changes nothing, not even with another time.

    The moment before is the second apply, by force: the first one may leave null where it pruned
    the last field of an applied {}, which others that own it have to give up.
    """
    manager = FieldManager("Thing", step["apiVersion"], kinds, subresource=step["subresource"])
    current = convert(obj, step["apiVersion"])
    before = copy_json(current)

    def applied(live: Any, now: str) -> Any:
        return manager.apply(live, step["object"], step["manager"], force=True, now=now)

    second = applied(current, "2030-01-01T00:00:00Z")
    assert not isinstance(second, Conflicts)
    assert json_equal(current, before)
    third = applied(second, "2031-01-01T00:00:00Z")
    assert json_equal(third, second)


@few
@given(seeds)
def test_structural_steps_are_done_once(seed: int) -> None:
    rnd = random.Random(seed)
    schema = dict(prune_defaults(root_schema(rnd)))
    value = value_for(rnd, schema, 5, odd=0.1)
    before = copy_json([schema, value])
    kept, _ = prune(value, schema)
    assert prune(kept, schema) == (kept, [])
    freed = drop_nulls(kept, schema)
    assert identical(drop_nulls(freed, schema), freed)
    done = apply_defaults(freed, schema)
    assert identical(apply_defaults(done, schema), done)
    assert identical(prune_defaults(schema), schema)
    assert identical([schema, value], before)
    found = Validator(schema, CHECKS).violations(done)
    # An update that changes nothing has nothing new that is wrong.
    assert len(Validator(schema, CHECKS).violations(done, old=done)) <= len(found)
    assert len({item.path for item in repeated_items(done, schema)}) == len(
        repeated_items(done, schema)
    )


@few
@given(seeds)
def test_hostile_values_end_in_errors_of_our_own(seed: int) -> None:
    rnd = random.Random(seed)
    odd = value_of(rnd, THING, 5, odd=0.3)
    other = value_of(rnd, THING, 5, odd=0.3)
    walks: list[Callable[[], Any]] = [
        lambda: create_two_way(odd, other, THING),
        lambda: create_three_way(odd, other, odd, THING, overwrite=False),
        lambda: apply_patch(odd, other, THING),
        lambda: apply_merge_patch(odd, other),
        lambda: apply_json_patch(odd, [other]),
        lambda: FieldManager("Thing", "t/v1", versions(deduced=False)).apply(
            odd if isinstance(odd, dict) else None, other, "m", now="2030-01-01T00:00:00Z"
        ),
    ]
    for walk in walks:
        try:
            walk()
        except MergeError as error:
            assert error.message
