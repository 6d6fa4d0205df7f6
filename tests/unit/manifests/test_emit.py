"""YAML and JSON as kubectl prints them; byte equality with Go is tested in tests/property."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.manifests.documents import read_values
from kapply.manifests.emit import to_yaml
from kapply.manifests.tojson import to_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, {"x": None, "z": []}]}, "a:\n- 1\n- x: null\n  z: []\nb: 1\n"),
        ({}, "{}\n"),
        ([], "[]\n"),
        ("x", "x\n"),
        ([[1, [2]], {}], "- - 1\n  - - 2\n- {}\n"),
        ({"a": "line\nother\n"}, "a: |\n  line\n  other\n"),
        ({"a": [" x\ny\n\n"]}, "a:\n- |2+\n   x\n  y\n\n"),
        ({"a": "yes", "b": "1", "c": "", "d": "~"}, 'a: "yes"\nb: "1"\nc: ""\nd: "~"\n'),
        ({"a": "2001-01-01", "b": "1:30", "c": "0o7"}, 'a: "2001-01-01"\nb: "1:30"\nc: "0o7"\n'),
        ({"a": "it's: ", "b": "- x", "c": "#"}, "a: 'it''s: '\nb: '- x'\nc: '#'\n"),
        ({"a": "a\tb", "b": "\U0001f600"}, 'a: "a\\tb"\nb: "\\U0001F600"\n'),
        ({"y": 1, "1": 2, "<<": 3}, '"<<": 3\n"1": 2\n"y": 1\n'),
        ({"a10": 1, "a9": 2, "a": 3, "A": 4}, "A: 4\na: 3\na9: 2\na10: 1\n"),
        ({"a": 1e21, "b": 1.5, "c": 1e-7, "d": 100.0}, "a: 1e+21\nb: 1.5\nc: 1e-07\nd: 100\n"),
        (
            {"a": "word " * 20 + "end"},
            "a: " + ("word " * 16).rstrip() + "\n  word word word word end\n",
        ),
        ({"k\nk": {"a": 1}}, "? |-\n  k\n  k\n: a: 1\n"),
    ],
)
def test_as_kubectl_prints(value: Any, text: str) -> None:
    assert to_yaml(value, sort_keys=True) == text
    read = [found for found, _ in read_values(text)]
    assert read == [value]


def test_the_order_given() -> None:
    assert to_yaml({"b": 1, "a": 2}) == "b: 1\na: 2\n"


def test_lone_surrogates() -> None:
    assert to_yaml({"a\ud800": "\udfff"}) == "a\ufffd: \ufffd\n"
    assert json.loads(to_json({"a\ud800": "\udfff"})) == {"a\ufffd": "\ufffd"}


def test_depth() -> None:
    value: Any = "x"
    for level in range(3000):
        value = {"a": value} if level % 2 else [value]
    assert to_json(value, indent=0).count("[") == 1500
    ((found, _),) = read_values(to_yaml(value))
    assert to_json(found) == to_json(value)


def test_no_infinities() -> None:
    for write in (to_yaml, to_json):
        with pytest.raises(ValueError, match="infinities"):
            write(float("inf"))


class TestJson:
    def test_as_kubectl_prints(self) -> None:
        value = {"b": ["<a>", 1, {}], "a": {"é": "\u2028", "x": []}}
        assert to_json(value, sort_keys=True) == (
            '{\n    "a": {\n        "x": [],\n        "é": "\\u2028"\n    },\n'
            '    "b": [\n        "\\u003ca\\u003e",\n        1,\n        {}\n    ]\n}'
        )
        assert to_json(value, indent=0) == (
            '{"b":["\\u003ca\\u003e",1,{}],"a":{"é":"\\u2028","x":[]}}'
        )

    def test_numbers(self) -> None:
        numbers = [0, -1, 2**63, 1e21, 1.5, -0.25, 1e-6, 1e-7, 123456.789, 1e300, 5e-324, -0.0]
        assert to_json(numbers, indent=0) == (
            "[0,-1,9223372036854775808,1e+21,1.5,-0.25,0.000001,1e-7,123456.789,1e+300,5e-324,-0]"
        )
