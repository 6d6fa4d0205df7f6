from __future__ import annotations

import random
from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.fieldpath import (
    Element,
    UnknownElementError,
    canonical_element,
    field,
    format_path,
    format_value,
    index,
    key,
    make_path,
    parse_element,
    sort_elements,
    value,
)


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("f:spec", Element("field", name="spec")),
        ("f:", Element("field")),
        ("f:a:b", Element("field", name="a:b")),
        ('k:{"b":1,"a":"x"}', Element("key", keys=(("a", "x"), ("b", 1)))),
        ('k:{"a":{"c":[{"d":1}]}}', Element("key", keys=(("a", {"c": [{"d": 1}]}),))),
        ('v:"x"', Element("value", value="x")),
        ("v:1.5", Element("value", value=1.5)),
        ('v:{"a":[1]}', Element("value", value={"a": [1]})),
        ("i:-3", Element("index", index=-3)),
        ("i:+3", Element("index", index=3)),
    ],
)
def test_elements_are_taken_apart(text: str, element: Element) -> None:
    assert parse_element(text) == element


@pytest.mark.parametrize(
    "text",
    ["", "f", "fx", "k:[]", "k:1", "k:{", "v:", "v:1 2", "v:NaN", "v:Infinity", "v:1e999", "i:",
     "i:1_0", "i: 1", "i:٣", "i:9999999999999999999", "v:" + "[" * 100_000],
)  # fmt: skip
def test_what_is_no_element(text: str) -> None:
    with pytest.raises(MergeError) as caught:
        parse_element(text)
    assert not isinstance(caught.value, UnknownElementError)


def test_elements_of_other_kinds_are_told_apart() -> None:
    with pytest.raises(UnknownElementError):
        parse_element("x:1")


def test_elements_are_built_in_canonical_text() -> None:
    assert field("a") == "f:a"
    assert key({"protocol": "TCP", "port": 80}) == 'k:{"port":80,"protocol":"TCP"}'
    assert value("a<b") == 'v:"a\\u003cb"'
    assert value(1.0) == value(1) == "v:1"
    assert index(3) == "i:3"
    assert make_path("a", 3, {"n": True}) == ("f:a", "i:3", 'k:{"n":true}')


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("f:x", "f:x"),
        ('k:{ "b":1.0,"a":"<"}', 'k:{"a":"\\u003c","b":1}'),
        ("v: 1.50", "v:1.5"),
        ("i:+7", "i:7"),
    ],
)
def test_foreign_spellings_become_canonical(written: str, canonical: str) -> None:
    assert canonical_element(written) == canonical
    assert canonical_element(canonical) == canonical


def test_order_of_elements() -> None:
    ordered = [
        ".", "f:", "f:B", "f:a", "f:b", 'k:{"a":9}', 'k:{"a":10}', 'k:{"a":"x"}',
        'k:{"a":"x","b":1}', 'k:{"b":1}', "v:9", "v:10", 'v:"a"', "v:true", "v:null", "i:2",
        "i:10",
    ]  # fmt: skip
    shuffled = ordered.copy()
    random.Random(1).shuffle(shuffled)
    assert sort_elements(shuffled) == ordered
    assert sort_elements(["f:b", "f:a"]) == ["f:a", "f:b"]
    assert sort_elements([]) == []


def test_paths_are_printed_as_the_server_does() -> None:
    path = make_path("spec", "ports", {"port": 80, "protocol": "TCP"}, "name")
    assert format_path(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert format_path((value("x"), index(2))) == '[="x"][2]'


def test_numbers_of_managed_fields_are_floats_to_the_server() -> None:
    path = make_path({"port": 1000000, "on": True, "deep": [{"a": 2}]})
    assert format_path(path) == "[deep=[a=2],on=true,port=1e+06]"
    assert format_path(path, decoded=False) == "[deep=[a=2],on=true,port=1000000]"


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ('q"\\\n\x00é\u2028\U000e0001', '"q\\"\\\\\\n\\x00é\\u2028\\U000e0001"'),
        (1e-5, "1e-05"),
        (2.0, "2"),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1,"a"]'),
        ({"a": 1}, "a=1"),
    ],
)
def test_values_inside_paths(item: Any, text: str) -> None:
    assert format_value(item) == text
