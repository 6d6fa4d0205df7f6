"""Custom resources pruned, defaulted and checked, as apiextensions-apiserver does it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from kapply.merge.jsonvalue import json_equal
from kapply.merge.structural import (
    Validator,
    Violation,
    apply_defaults,
    drop_nulls,
    identity_violations,
    prune,
    prune_defaults,
    repeated_items,
)
from tests.oracle.driver import Oracle, go_oracle
from tests.property.merge_cases import CASES
from tests.property.merge_oracle import REQUIRED, seeded
from tests.property.merge_structural_cases import CHECKS, changed, root_schema, value_for

__all__ = ["go_oracle"]

pytestmark = pytest.mark.full


def make_case(rnd: random.Random) -> dict[str, Any]:
    schema = root_schema(rnd)
    value = value_for(rnd, schema, 6, odd=rnd.choice((0, 0.02, 0.1)))
    if not isinstance(value, dict):
        value = {"a": value}
    case = {"schema": schema, "value": value, "root": rnd.random() < 0.8}
    if rnd.random() < 0.4:
        old = changed(rnd, value, schema)
        if isinstance(old, dict):
            case["old"] = old
    return case


def told(violations: list[Violation]) -> list[tuple[str, str, str]]:
    return sorted((item.path, item.reason, item.message) for item in violations)


def theirs(violations: list[dict[str, str]] | None) -> list[tuple[str, str, str]]:
    listed = violations or []
    return sorted((item["path"], item["reason"], item["message"]) for item in listed)


def test_custom_resources(go_oracle: Oracle) -> None:
    rnd = seeded(500)
    agreed = invalid = dropped = repeated = 0
    for _ in range(0, CASES, 500):
        cases = [make_case(rnd) for _ in range(500)]
        for case, go in zip(cases, go_oracle.ask("structural", cases=cases), strict=True):
            told_about = f"case {json.dumps(case)}\ngo {json.dumps(go)}"
            assert "error" not in go, told_about
            schema = prune_defaults(case["schema"])
            pruned, unknown = prune(case["value"], schema, root=case["root"])
            assert unknown == sorted(go["dropped"] or []), told_about
            assert json_equal(pruned, go["pruned"]), told_about
            freed = drop_nulls(pruned, schema)
            assert json_equal(freed, go["freed"]), told_about
            value = apply_defaults(freed, schema)
            assert json_equal(value, go["defaulted"]), told_about
            past = {"old": case["old"]} if "old" in case else {}
            found = Validator(case["schema"], CHECKS).violations(value, **past)
            assert told(found) == theirs(go["violations"]), f"{told_about}\nmine {told(found)}"
            again = repeated_items(value, schema)
            assert told(again) == theirs(go["repeated"]), f"{told_about}\nmine {told(again)}"
            who = [item for item in theirs(go["identity"]) if ".metadata" not in item[0]]
            assert told(identity_violations(value, schema)) == who, told_about
            agreed += 1
            invalid += bool(found)
            dropped += bool(unknown)
            repeated += bool(again)
    assert agreed == CASES >= REQUIRED
    assert CASES * 0.2 < invalid < CASES * 0.98
    assert dropped > CASES / 50 and repeated > CASES / 100
