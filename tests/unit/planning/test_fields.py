from __future__ import annotations

from typing import Any

import pytest

from kapply.planning.fields import changed_fields

CASES: list[tuple[Any, Any, list[str]]] = [
    ({"a": 1}, {"a": 1}, []),
    ({"a": 1}, {"a": 2}, ["~ a"]),
    ({"a": 1}, {"a": True}, ["~ a"]),
    ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "d": 1}}, ["~ a.b", "+ a.d", "- a.c"]),
    ({"l": {"a/b": "1"}}, {"l": {"a/b": "2"}}, ["~ l[a/b]"]),
    ({"l": [1, 2]}, {"l": [1, 3, 4]}, ["~ l[1]", "+ l[2]"]),
    ({"l": [1, 2]}, {"l": [1]}, ["- l[1]"]),
    (
        {"c": [{"name": "x", "i": 1}, {"name": "y", "i": 1}]},
        {"c": [{"name": "y", "i": 2}, {"name": "z"}]},
        ["~ c[name=y].i", "+ c[name=z]", "- c[name=x]"],
    ),
    (
        {"c": [{"name": "x"}, {"name": "y"}]},
        {"c": [{"name": "y"}, {"name": "x"}]},
        ["~ c (order)"],
    ),
    # Names that repeat tell nothing apart.
    ({"c": [{"name": "x", "i": 1}]}, {"c": [{"name": "x"}, {"name": "x"}]}, ["- c[0].i", "+ c[1]"]),
    (None, {"a": 1}, ["+ a"]),
    ({"a": {}}, {"a": []}, ["~ a"]),
    ({"": 1}, {"": 2}, ["~ []"]),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_fields_that_differ(before: Any, after: Any, expected: list[str]) -> None:
    assert [f"{f.kind.value} {f.path}" for f in changed_fields(before, after)] == expected


def test_any_depth() -> None:
    old: Any = 1
    new: Any = 2
    for _ in range(5_000):
        old, new = {"a": old}, {"a": new}
    (found,) = changed_fields(old, new)
    assert found.path.count("a") == 5_000
