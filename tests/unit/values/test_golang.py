from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.values.golang import dumps, quote, sprint
from kapply.values.numbers import json_float, print_float
from tests.unit.values.recorded import table


@pytest.mark.parametrize(("number", "as_json", "printed"), table("floats"))
def test_floats(number: float, as_json: str, printed: str) -> None:
    assert (json_float(number), print_float(number)) == (as_json, printed)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_has_no_infinity(number: float) -> None:
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        dumps({"a": number})


def test_infinities_are_printed() -> None:
    printed = [print_float(float(text)) for text in ("nan", "inf", "-inf")]
    assert printed == ["NaN", "+Inf", "-Inf"]


@pytest.mark.parametrize("row", table("objects"))
def test_objects(row: dict[str, Any]) -> None:
    value = {"apiVersion": "v1", "kind": "X", "v": row["value"]}
    assert dumps(value) == row["json"]
    assert dumps(value, "    ") == row["indented"]
    assert sprint(value) == row["printed"]


@pytest.mark.parametrize(("text", "quoted"), table("quotes"))
def test_quotes(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize("value", ["x", 1, None, True, [], {}, 1.5])
def test_scalars_and_empty_collections_stand_alone(value: Any) -> None:
    assert json.loads(dumps(value)) == value


def test_depth_is_no_limit() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = [{"a": deep}]
    assert dumps(deep).startswith('[{"a":[{"a":')
    assert sprint(deep).startswith("[map[a:[map[a:")


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert dumps("a\ud800b") == '"a\ufffdb"'
    assert sprint("a\ud800b") == "a\ufffdb"
    assert sprint({"k\udfff": ["\ud800"]}) == "map[k\ufffd:[\ufffd]]"
