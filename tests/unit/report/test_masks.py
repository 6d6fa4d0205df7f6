from __future__ import annotations

import copy
from typing import Any

from kapply.query.fieldrules import parse_field_rule
from kapply.report.diff import diff_objects, mask

LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a"},
    "data": {"password": "old", "same": "s", "list": [{"name": "x", "v": "1"}]},
}


def changed() -> dict[str, Any]:
    new = copy.deepcopy(LIVE)
    new["data"]["password"] = "new"
    new["data"]["list"][0]["v"] = "2"
    return new


def test_named_fields_are_hidden_and_inputs_left_alone() -> None:
    before, new = copy.deepcopy(LIVE), changed()
    rules = [
        parse_field_rule(text)
        for text in ("configmap:/data/password", "data.same", "data.list[*].v", "data.list", "x.y")
    ]
    old, after = mask(LIVE, new, rules)
    assert before == LIVE
    assert new == changed()
    assert old is not None
    assert after is not None
    assert old["data"] == {
        "password": "(hidden) (before)", "same": "(hidden)", "list": "(hidden) (before)",
    }  # fmt: skip
    assert after["data"]["password"] == "(hidden) (changed)"
    assert after["data"]["same"] == "(hidden)"


def test_rules_for_others_hide_nothing() -> None:
    rules = [parse_field_rule("secret:/data"), parse_field_rule("configmap/b:/data")]
    lines = diff_objects(LIVE, changed(), masks=rules)
    assert "-  password: old" in lines
    assert "+  password: new" in lines


def test_what_comes_and_goes_is_hidden_too() -> None:
    rules = [parse_field_rule("data.password")]
    assert not any("old" in line for line in diff_objects(LIVE, None, masks=rules))
    assert not any("old" in line for line in diff_objects(None, LIVE, masks=rules))
