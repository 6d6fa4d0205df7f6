from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kapply.query.field_selectors import (
    FieldSelector,
    escape_field_value,
    parse_field_selector,
)
from kapply.query.selectors import (
    Operator,
    Requirement,
    SelectorError,
    label_selector,
    parse_selector,
)
from kapply.values.labels import label_key_errors, label_value_errors, subdomain_errors

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "selectors.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", TABLE["label"], ids=lambda row: repr(row["text"])[:40])
def test_label_selectors_are_apimachinerys(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(SelectorError) as caught:
            parse_selector(row["text"])
        assert str(caught.value) == row["error"]
        return
    selector = parse_selector(row["text"])
    assert str(selector) == row["canonical"]
    assert selector.matches(TABLE["labels"]) is row["matches"]
    assert parse_selector(str(selector)) == selector


@pytest.mark.parametrize("row", TABLE["object"], ids=lambda row: str(row["selector"])[:60])
def test_selector_objects_are_apimachinerys(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(SelectorError) as caught:
            label_selector(row["selector"])
        assert str(caught.value) == row["error"]
        return
    selector = label_selector(row["selector"])
    assert str(selector) == row["canonical"]
    assert selector.matches(TABLE["labels"]) is row["matches"]


@pytest.mark.parametrize("row", TABLE["field"], ids=lambda row: repr(row["text"]))
def test_field_selectors_are_apimachinerys(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(SelectorError) as caught:
            parse_field_selector(row["text"])
        assert str(caught.value) == row["error"]
        return
    selector = parse_field_selector(row["text"])
    assert str(selector) == row["canonical"]
    assert selector.matches(TABLE["fields"]) is row["matches"]
    assert selector.matches(lambda field: TABLE["fields"].get(field, "")) is row["matches"]


@pytest.mark.parametrize(
    "selector",
    [
        "app=web",
        [],
        {"matchLabels": []},
        {"matchLabels": {"a": 1}},
        {"matchLabels": {"a": None}},
        {"matchExpressions": {}},
        {"matchExpressions": ["a"]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": "b"}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]},
        {"matchExpressions": [{"key": ["a"], "operator": {}, "values": []}]},
    ],
)
def test_objects_of_a_wrong_shape_are_errors(selector: Any) -> None:
    with pytest.raises(SelectorError):
        label_selector(selector)


def test_nothing_and_everything() -> None:
    assert not label_selector(None).matches({})
    assert not label_selector(None).empty
    assert label_selector({}).empty
    assert label_selector({}).matches(None)
    assert parse_selector(" ").matches({"a": "b"})


def test_requirements_can_be_looked_at() -> None:
    assert parse_selector("b in (y,x),a").requirements == (
        Requirement("a", Operator.EXISTS),
        Requirement("b", Operator.IN, ("x", "y")),
    )


def test_field_values_escape() -> None:
    value = "a,b=c\\d"
    selector = parse_field_selector(f"f={escape_field_value(value)}")
    assert [term.value for term in selector.terms] == [value]
    assert FieldSelector().empty


def test_label_rules() -> None:
    assert not label_key_errors("app.kubernetes.io/name")
    assert not label_value_errors("")
    assert not subdomain_errors("a-b.c")
    assert len(label_value_errors("-" * 64)) == 2
    assert label_value_errors("é" * 32)[0] == "must be no more than 63 bytes"
    assert len(subdomain_errors("a" * 100_000)) == 2
