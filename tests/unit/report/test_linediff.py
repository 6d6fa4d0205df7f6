from __future__ import annotations

import random
import time

from kapply.report.linediff import Edit, edits
from tests.property.test_linediff import check


def test_an_added_list_item_begins_at_its_own_dash() -> None:
    old = ["items:", "- name: a", "  size: 1", "- name: c", "  size: 1", "end"]
    new = [
        *("items:", "- name: a", "  size: 1"),
        *("- name: b", "  size: 1", "- name: c", "  size: 1", "end"),
    ]
    assert edits(old, new) == [Edit(3, 3, 3, 5)]
    assert edits(new, old) == [Edit(3, 5, 3, 3)]


def test_a_deleted_list_item_begins_at_its_own_dash() -> None:
    old = ["- a: 1", "  b: 2", "- a: 3", "  b: 2", "- a: 4"]
    assert edits(old, ["- a: 1", "  b: 2", "- a: 4"]) == [Edit(2, 4, 2, 2)]


def test_an_edit_that_moves_up_stops_at_the_one_above_and_joins_it() -> None:
    old, new = ["x", "  a"], ["- y", "  a", "- z", "  a"]
    assert check(old, new) == 4
    assert len(edits(old, new)) in (1, 2)


def test_reversed_texts_are_fast() -> None:
    old = [f"a{i}" for i in range(6_000)]
    start = time.process_time()
    check(old, old[::-1])
    assert time.process_time() - start < 10


def test_nothing_on_one_side() -> None:
    assert edits([], ["a", "b"]) == [Edit(0, 0, 0, 2)]
    assert edits(["a"], []) == [Edit(0, 1, 0, 0)]
    assert edits([], []) == []


def _schema_lines(count: int, seed: int) -> list[str]:
    """Lines as a CRD has them: few different ones, many times, and names in between."""
    rng = random.Random(seed)
    common = ["type: string", "type: object", "properties:", "description: |", "x-map: true"]
    return [
        " " * rng.randint(0, 20) + (rng.choice(common) if rng.random() < 0.7 else f"field{i}:")
        for i in range(count)
    ]


def test_long_texts_with_changes_all_over_are_fast_and_exact() -> None:
    old = _schema_lines(12_000, 1)
    new = list(old)
    rng = random.Random(2)
    for _ in range(300):
        at = rng.randrange(len(new))
        if rng.random() < 0.5:
            new[at] = f"changed {rng.random()}"
        elif rng.random() < 0.5:
            del new[at]
        else:
            new.insert(at, "type: string")
    start = time.process_time()
    touched = check(old, new)
    # An order of magnitude above what it takes, and far below what difflib takes.
    assert time.process_time() - start < 10
    assert touched < 1000


def test_long_texts_with_nothing_in_common_are_fast() -> None:
    old, new = [f"a{i}" for i in range(12_000)], [f"b{i}" for i in range(12_000)]
    start = time.process_time()
    assert edits(old, new) == [Edit(0, 12_000, 0, 12_000)]
    assert time.process_time() - start < 10


def test_long_texts_without_a_unique_line_are_replaced() -> None:
    rng = random.Random(3)
    old = [rng.choice("abc") for _ in range(5_000)]
    new = [rng.choice("abd") for _ in range(5_000)]
    start = time.process_time()
    check(old, new)
    assert time.process_time() - start < 10
