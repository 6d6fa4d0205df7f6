"""JSON Pointer, JSON Patch and JSON Merge Patch."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import MergeError, PatchError, PreconditionError
from kapply.merge.jsonpatch import MAX_COPIED, MAX_OPERATIONS, apply_json_patch
from kapply.merge.jsonvalue import ABSENT, copy_json
from kapply.merge.mergepatch import (
    apply_merge_patch,
    create_merge_patch,
    create_three_way_merge_patch,
)
from kapply.merge.pointer import find, format_pointer, parse_pointer
from kapply.merge.preconditions import key_unchanged

# RFC 6901, section 5.
RFC6901 = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6,
    " ": 7, "m~n": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", RFC6901), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1),
     ("/c%d", 2), ("/e^f", 3), ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8),
     ("/foo/2", ABSENT), ("/foo/-", ABSENT), ("/foo/01", ABSENT), ("/foo/-1", ABSENT),
     ("/foo/0/x", ABSENT), ("/x", ABSENT), ("/foo/99999999999999999999", ABSENT)],
)  # fmt: skip
def test_pointers(pointer: str, value: Any) -> None:
    tokens = parse_pointer(pointer)
    assert find(RFC6901, tokens) == value
    assert format_pointer(tokens) == pointer


@pytest.mark.parametrize("text", ["foo", "#/foo", "/a~", "/a~2b"])
def test_what_is_no_pointer(text: str) -> None:
    with pytest.raises(PatchError):
        parse_pointer(text)


def test_pointers_of_indices() -> None:
    assert format_pointer(["a", 0, "~/"]) == "/a/0/~0~1"


def op(kind: str, path: str | None = None, **rest: Any) -> dict[str, Any]:
    found = {"op": kind, **({} if path is None else {"path": path}), **rest}
    if "source" in found:
        found["from"] = found.pop("source")
    return found


DOCUMENT: Any = {"a": {"b": 1}, "l": [1, 2, 3], "n": None}

PATCHED: list[tuple[Any, Any]] = [
    ([], DOCUMENT),
    ([op("add", "/a/c", value=[1])], {**DOCUMENT, "a": {"b": 1, "c": [1]}}),
    ([op("add", "/a", value=1)], {**DOCUMENT, "a": 1}),
    ([op("add", "/a/c")], {**DOCUMENT, "a": {"b": 1, "c": None}}),
    ([op("add", "/l/0", value=0)], {**DOCUMENT, "l": [0, 1, 2, 3]}),
    ([op("add", "/l/3", value=0)], {**DOCUMENT, "l": [1, 2, 3, 0]}),
    ([op("add", "/l/-", value=0)], {**DOCUMENT, "l": [1, 2, 3, 0]}),
    ([op("add", "/l/-1", value=0)], {**DOCUMENT, "l": [1, 2, 3, 0]}),
    ([op("add", "x/a/c", value=1)], {**DOCUMENT, "a": {"b": 1, "c": 1}}),
    ([op("remove", "/a/b"), op("remove", "/l/-1")], {**DOCUMENT, "a": {}, "l": [1, 2]}),
    ([op("replace", "/a/b", value=2), op("replace", "/l/1", value="x")],
     {**DOCUMENT, "a": {"b": 2}, "l": [1, "x", 3]}),
    ([op("replace", "/a/new", value=2)], {**DOCUMENT, "a": {"b": 1, "new": 2}}),
    ([op("replace", "", value={"z": 1}), op("add", "/y", value=2)], {"z": 1, "y": 2}),
    ([op("replace", "", value=[1]), op("add", "/-", value=2)], [1, 2]),
    ([op("move", "/m", source="/a/b")], {**DOCUMENT, "a": {}, "m": 1}),
    ([op("move", "/l/0", source="/l/2")], {**DOCUMENT, "l": [3, 1, 2]}),
    ([op("copy", "/l/-", source="/a"), op("add", "/l/3/c", value=1)],
     {**DOCUMENT, "l": [1, 2, 3, {"b": 1, "c": 1}]}),
    ([op("copy", "/m", source="/a/none")], {**DOCUMENT, "m": None}),
    ([op("test", "/a/b", value=1), op("test", "", value=DOCUMENT), op("test", "/n", value=None),
      op("test", "/none"), op("test", "/l/-1", value=3)], DOCUMENT),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "patched"), PATCHED)
def test_json_patch(patch: Any, patched: Any) -> None:
    before = copy_json([DOCUMENT, patch])
    assert apply_json_patch(DOCUMENT, patch) == patched
    assert [DOCUMENT, patch] == before


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (op("merge", "/a"), "Unexpected kind: merge"),
        ({}, "Unexpected kind: unknown"),
        (None, "Unexpected kind: unknown"),
        (op("add", value=1), "add operation failed to decode path"),
        (op("add", "", value=1), 'add operation does not apply: doc is missing path: ""'),
        (op("add", "/x/y", value=1), 'add operation does not apply: doc is missing path: "/x/y"'),
        (op("add", "/a/b/c", value=1), "add operation does not apply"),
        (op("add", "/l/9/c", value=1), "add operation does not apply"),
        (op("add", "/l/x", value=1), "error in add for path: '/l/x': value was not a proper"),
        (op("add", "/l/4", value=1), "error in add for path: '/l/4': Unable to access invalid"),
        (op("add", "/l/-5", value=1), "error in add for path: '/l/-5': Unable to access"),
        (op("remove", "/x"), "error in remove for path: '/x': Unable to remove nonexistent key: x"),
        (op("remove", "/l/3"), "error in remove for path: '/l/3': Unable to access invalid index"),
        (op("remove", "/x/y"), 'remove operation does not apply: doc is missing path: "/x/y"'),
        (op("replace", "", value=1), "replace operation value must be object or array"),
        (op("replace", "/x/y", value=1), "replace operation does not apply: doc is missing path"),
        (op("replace", "/l/3", value=1), "replace operation does not apply: doc is missing key"),
        (op("move", "/m"), "move operation failed to decode from"),
        (op("move", "/m", source="/x/y"), "move operation does not apply: doc is missing from"),
        (op("move", "/m", source="/x"), "error in move for path: 'x'"),
        (op("move", "/a/b/c", source="/a/b"), "move operation does not apply: doc is missing dest"),
        (op("move", "/l/9", source="/a"), "error in move for path: '/l/9'"),
        (op("copy", "/m", source="/x/y"), "copy operation does not apply: doc is missing from"),
        (op("copy", "/m", source="/l/3"), "error in copy for from: '/l/3'"),
        (op("copy", "/x/y", source="/a"), "copy operation does not apply: doc is missing dest"),
        (op("copy", "/l/9", source="/a"), "error while adding value during copy"),
        (op("test", "/a/b", value=2), "testing value /a/b failed"),
        (op("test", "/a/b", value=1.0), "testing value /a/b failed"),
        (op("test", "/a/b", value=True), "testing value /a/b failed"),
        (op("test", "", value=1), "testing value  failed"),
        (op("test", "/x/y", value=1), "test operation does not apply: is missing path: /x/y"),
        (op("test", "/l/3", value=1), "error in test for path: '/l/3'"),
        (op("test", "/l/1/x", value=1), "test operation does not apply"),
    ],
)
def test_operations_that_do_not_fit(operation: Any, message: str) -> None:
    with pytest.raises(PatchError) as caught:
        apply_json_patch(DOCUMENT, [operation])
    assert caught.value.message.startswith(message)
    assert caught.value.code == 422


def test_a_nested_place_in_a_list() -> None:
    assert apply_json_patch({"l": [{"a": 1}]}, [op("add", "/l/0/b", value=2)]) == {
        "l": [{"a": 1, "b": 2}]
    }


@pytest.mark.parametrize("patch", [{}, "x", None, [1], [[]]])
def test_what_is_no_json_patch(patch: Any) -> None:
    with pytest.raises(PatchError) as caught:
        apply_json_patch({}, patch)
    assert caught.value.code == 400


def test_json_patches_have_limits() -> None:
    noop = op("test", "/a")
    assert apply_json_patch({}, [noop] * MAX_OPERATIONS) == {}
    with pytest.raises(PatchError) as caught:
        apply_json_patch({}, [noop] * (MAX_OPERATIONS + 1))
    assert caught.value.code == 413
    half = {"a": "x" * (MAX_COPIED // 2)}
    doubling = [op("copy", f"/{n}", source="/a") for n in range(3)]
    with pytest.raises(PatchError, match="exceeding the limit 3145728"):
        apply_json_patch(half, doubling)
    with pytest.raises(PatchError):
        apply_json_patch("x", [])
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(MergeError, match="nested too deeply"):
        apply_json_patch({}, [op("add", "/a", value=deep)])


# RFC 7386, appendix A, but for null and scalar documents and patches, which the server refuses.
MERGED: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    # Not in the RFC: nulls inside of lists.
    ({}, {"a": [{"b": None}, None]}, {"a": [{}, None]}),
    ({"a": [1]}, {"a": [{"b": None}]}, {"a": [{}]}),
    ({"a": {}}, {"a": [{"b": None}]}, {"a": [{"b": None}]}),
    ("x", {"a": None}, {}),
]


@pytest.mark.parametrize(("document", "patch", "merged"), MERGED)
def test_merge_patch(document: Any, patch: Any, merged: Any) -> None:
    before = copy_json([document, patch])
    assert apply_merge_patch(document, patch) == merged
    assert [document, patch] == before


@pytest.mark.parametrize(
    ("document", "patch", "code"), [(None, {}, 500), ({}, None, 400), ({}, "x", 400), ({}, 1, 400)]
)
def test_no_merge_patch(document: Any, patch: Any, code: int) -> None:
    with pytest.raises(PatchError) as caught:
        apply_merge_patch(document, patch)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("original", "modified", "patch"),
    [
        ({}, {}, {}),
        (None, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": 1.0}, {}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": [1]}, {"a": [2]}, {"a": [2]}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "d": 3}}, {"a": {"c": None, "d": 3}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {}),
        ({"a": {"b": 1}}, {"a": []}, {"a": []}),
        ({"a": None}, {"a": None}, {}),
        ({"a": 1}, {}, {"a": None}),
    ],
)
def test_merge_patches_made(original: Any, modified: Any, patch: Any) -> None:
    assert create_merge_patch(original, modified) == patch
    assert apply_merge_patch(original or {}, patch) == (modified if None not in (
        modified.get("a", 0),) else {"a": None})  # fmt: skip


@pytest.mark.parametrize(
    ("original", "modified", "current", "patch"),
    [
        ({"a": 1, "b": 1}, {"a": 2}, {"a": 1, "b": 1, "c": 1}, {"a": 2, "b": None}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"x": 2}}, {"a": {"x": 1, "y": 1, "z": 1}},
         {"a": {"x": 2, "y": None}}),
        ({}, {"a": {}}, {}, {"a": {}}),
        ({"a": {"b": {"c": 1}}}, {"a": {}}, {"a": {"b": {}}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, {}),
        ({}, {"a": [{"b": None}]}, {}, {"a": [{}]}),
        (None, {"a": 1}, None, {"a": 1}),
        ({"a": {}}, {"a": {"b": 1}}, {"a": {"c": 1}}, {"a": {"b": 1}}),
    ],
)  # fmt: skip
def test_three_way_merge_patch(original: Any, modified: Any, current: Any, patch: Any) -> None:
    assert create_three_way_merge_patch(original, modified, current) == patch


def test_no_three_way_merge_patch() -> None:
    with pytest.raises(PreconditionError):
        create_three_way_merge_patch({}, {"kind": "b"}, {}, preconditions=[key_unchanged("kind")])
    with pytest.raises(PatchError):
        create_three_way_merge_patch([], {}, {})
    with pytest.raises(PatchError):
        create_merge_patch({}, "x")
