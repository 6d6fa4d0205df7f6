"""Rules of a schema, with the library and without."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.cel import Violation, check, has_rules
from kapply.cel.values import escape
from tests.contract.cel_cases import CASES, LEFT

Json = Any

needs_library = pytest.mark.skipif(
    "not __import__('kapply.cel').cel.is_available()", reason="cel-expr-python is not installed"
)


def schema_of(spec: Json) -> Json:
    return {"type": "object", "properties": {"spec": spec}}


def broken(spec: Json, value: Json, old: Json = None) -> list[str]:
    before = None if old is None else {"spec": old}
    found = check(schema_of(spec), {"spec": value}, before)
    assert found.unknown == []
    return [violation.server_text for violation in found.violations]


@pytest.mark.parametrize("name", CASES)
def test_without_the_library_every_rule_is_left_to_the_server_once(name: str) -> None:
    case = CASES[name]
    for value in case.values:
        found = check(schema_of(case.schema), {"spec": value}, available=False)
        assert found.violations == []
        assert len({unknown.rule for unknown in found.unknown}) == len(found.unknown)
        assert all(unknown.why for unknown in found.unknown)


@needs_library
@pytest.mark.parametrize("name", sorted(LEFT))
def test_what_the_library_lacks_is_never_guessed(name: str) -> None:
    for value in CASES[name].values:
        found = check(schema_of(CASES[name].schema), {"spec": value})
        assert found.violations == []
        assert len(found.unknown) == 1


@needs_library
def test_a_broken_rule_has_its_place_message_and_reason() -> None:
    spec = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "x-kubernetes-validations": [
            {
                "rule": "self.a > 1",
                "message": "too small",
                "fieldPath": ".a",
                "reason": "FieldValueForbidden",
            }
        ],
    }
    found = check(schema_of(spec), {"spec": {"a": 1}})
    assert found.violations == [
        Violation(("spec", "a"), "too small", "FieldValueForbidden", None),
    ]
    assert found.violations[0].server_text == "Forbidden: too small"


@needs_library
def test_a_name_that_the_server_will_generate_is_not_judged() -> None:
    schema = {
        "type": "object",
        "x-kubernetes-validations": [{"rule": "self.metadata.name == 'a'"}],
    }
    assert check(schema, {"metadata": {"name": "b"}}).violations
    found = check(schema, {"metadata": {"generateName": "b-"}})
    assert (found.violations, len(found.unknown)) == ([], 1)


@needs_library
def test_transition_rules_are_for_updates() -> None:
    spec = {
        "type": "integer",
        "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "may not shrink"}],
    }
    assert broken(spec, 1) == []
    assert broken(spec, 2, old=1) == []
    assert broken(spec, 1, old=2) == ["Invalid value: 1: may not shrink"]


@needs_library
def test_items_of_a_list_map_are_compared_with_those_of_the_same_key() -> None:
    item = {
        "type": "object",
        "properties": {"k": {"type": "string"}, "v": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "self.v == oldSelf.v", "message": "fixed"}],
    }
    spec = {
        "type": "array",
        "items": item,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
    }
    old = [{"k": "a", "v": 1}, {"k": "b", "v": 2}]
    assert broken(spec, [{"k": "b", "v": 2}, {"k": "c", "v": 9}], old=old) == []
    assert broken(spec, [{"k": "b", "v": 1}], old=old) == ["Invalid value: fixed"]


@needs_library
def test_a_text_that_says_old_self_is_no_transition_rule() -> None:
    spec = {
        "type": "string",
        "x-kubernetes-validations": [{"rule": "self != 'oldSelf'", "message": "no"}],
    }
    assert broken(spec, "oldSelf") == ['Invalid value: "oldSelf": no']


@needs_library
@pytest.mark.parametrize(
    "rule",
    [
        "self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d >= 0))))",
        "(" * 5000,
        "self" + ".size()" * 5000,
        "1 / 0 == 1",
        "self",
        "'" + "x" * 200_000,
    ],
    ids=["many turns", "deep", "long", "divides by zero", "no bool", "open text"],
)
def test_hostile_rules_end(rule: str) -> None:
    spec = {
        "type": "array",
        "items": {"type": "integer"},
        "x-kubernetes-validations": [{"rule": rule}],
    }
    found = check(schema_of(spec), {"spec": list(range(300))})
    assert found.violations == []
    assert len(found.unknown) == 1


def test_schemas_without_rules_are_known_at_once() -> None:
    assert not has_rules({"type": "object", "properties": {"a": {"type": "string"}}})
    items = {"type": "array", "items": {"type": "string", "x-kubernetes-validations": [{}]}}
    assert has_rules({"type": "object", "additionalProperties": items})


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a", "a"),
        ("a-b.c/d", "a__dash__b__dot__c__slash__d"),
        ("x__y", "x__underscores__y"),
        ("namespace", "__namespace__"),
        ("1a", ""),
        ("a b", ""),
        ("é", ""),
        ("", ""),
    ],
)
def test_names_of_fields(name: str, escaped: str) -> None:
    assert escape(name) == escaped
