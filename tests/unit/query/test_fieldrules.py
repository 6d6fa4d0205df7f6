from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.meta import GroupVersionKind, ObjectRef
from kapply.query.fieldrules import FieldRuleError, parse_field_rule

OBJ: dict[str, Any] = {
    "data": {"a.b": 1, "c/d": 2, "~": 3},
    "spec": {
        "replicas": 1,
        "containers": [{"name": "x", "image": "i"}, {"name": "y"}, {"name": "z", "image": "k"}],
        "0": "zero",
    },
}


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ("/spec/replicas", [("spec", "replicas")]),
        ("spec.replicas", [("spec", "replicas")]),
        (".spec.replicas", [("spec", "replicas")]),
        ("$.spec.replicas", [("spec", "replicas")]),
        ("{.spec.replicas}", [("spec", "replicas")]),
        ("/spec/containers/0/image", [("spec", "containers", 0, "image")]),
        ("/spec/0", [("spec", "0")]),
        (
            "spec.containers[*].image",
            [("spec", "containers", 0, "image"), ("spec", "containers", 2, "image")],
        ),
        ("spec.containers[?(@.name=='z')].image", [("spec", "containers", 2, "image")]),
        ('spec.containers[?(@.name == "q")].image', []),
        ("$.data['a.b']", [("data", "a.b")]),
        ('data["c/d"]', [("data", "c/d")]),
        ("/data/c~1d", [("data", "c/d")]),
        ("/data/~0", [("data", "~")]),
        ("data.*", [("data", "a.b"), ("data", "c/d"), ("data", "~")]),
        ("spec.containers[9]", []),
        ("spec.replicas.none", []),
        ("spec[*][1].name", [("spec", "containers", 1, "name")]),
    ],
)
def test_places(rule: str, places: list[tuple[str | int, ...]]) -> None:
    assert list(parse_field_rule(rule).places(OBJ)) == places


def ref(kind: str, group: str = "apps", name: str = "web") -> ObjectRef:
    return ObjectRef(GroupVersionKind(group, "v1", kind), "ns", name)


@pytest.mark.parametrize(
    ("rule", "matching"),
    [
        ("/spec", True),
        ("Deployment:/spec", True),
        ("deployment.apps:spec.x", True),
        ("deployment.apps/web:/spec", True),
        ("deployment.apps/other:/spec", False),
        ("deployment.extensions:/spec", False),
        ("configmap:/data", False),
        ("deployment:$.spec", True),
    ],
)
def test_for_whom(rule: str, matching: bool) -> None:
    assert parse_field_rule(rule).applies_to(ref("Deployment")) is matching


@pytest.mark.parametrize(
    "rule", ["", "configmap:", "spec..x", "spec[", "spec[x]", "spec[?(@.a>1)]", "/a~2", "$", "a b"]
)
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(FieldRuleError):
        parse_field_rule(rule)


@given(st.text())
def test_any_text_is_a_rule_or_a_clear_error(text: str) -> None:
    try:
        rule = parse_field_rule(text)
    except FieldRuleError as error:
        assert str(error)
    else:
        assert isinstance(list(rule.places(OBJ)), list)
