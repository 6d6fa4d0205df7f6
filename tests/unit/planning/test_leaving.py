from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.errors import Origin
from kapply.meta import GroupVersionKind, ObjectRef, RESTMapping
from kapply.planning.leaving import (
    CREATE_ONLY,
    IGNORE,
    Leaving,
    left_to_others,
    parse_paths,
    problems_of,
)
from kapply.planning.model import Desired
from kapply.query.fieldrules import FieldRuleError, parse_field_rule

GVK = GroupVersionKind("", "v1", "Service")
ENTRY = {"operation": "Apply", "apiVersion": "v1"}
KEY = 'k:{"port":80,"protocol":"TCP"}'
PORT_FIELDS: dict[str, Any] = {KEY: {".": {}, "f:port": {}, "f:nodePort": {}}}


def item(spec: Any, **annotations: str) -> Desired:
    metadata: dict[str, Any] = {"name": "a"}
    if annotations:
        names = {"ignore": IGNORE, "once": CREATE_ONLY}
        metadata["annotations"] = {names[key]: value for key, value in annotations.items()}
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    ref = ObjectRef(GVK, "ns", "a")
    origin = Origin("f.yaml")
    return Desired(obj, b"", RESTMapping(GVK, "services", True), ref, origin, lambda _: origin)


def live(spec: Any, **owned: Any) -> Any:
    entries = [
        {**ENTRY, "manager": name, "fieldsV1": {"f:spec": fields}} for name, fields in owned.items()
    ]
    return {"metadata": {"name": "a", "managedFields": entries}, "spec": spec}


def sent(desired: Desired, there: Any = None, **leaving: Any) -> Any:
    return left_to_others(desired, there, Leaving(**leaving), "kapply")[0]["spec"]


def test_nothing_asked_nothing_changed() -> None:
    desired = item({"type": "ClusterIP"})
    obj, said = left_to_others(desired, live({}, other={}), Leaving(), "kapply")
    assert obj is desired.obj
    assert said == ()


def test_a_create_sends_what_is_sent_once_and_leaves_out_what_is_ignored() -> None:
    assert sent(item({"type": "x", "a": 1}, ignore="/spec/a")) == {"type": "x"}
    assert sent(item({"type": "x", "a": 1}, once="/spec/a")) == {"type": "x", "a": 1}


CASES: list[tuple[dict[str, Any], int | None, int | None]] = [
    # Whose the field is, and what is sent of it when it is ignored, or was sent once.
    ({"kapply": {"f:a": {}}}, 5, 5),
    ({"kapply": {"f:a": {}}, "other": {"f:a": {}}}, None, 5),
    ({"other": {"f:a": {}}}, None, None),
    ({"kapply": {"f:b": {}}}, None, None),
    ({}, None, None),
]


@pytest.mark.parametrize(("owned", "ignored", "once"), CASES)
def test_what_is_ours_alone_stays_as_it_is(owned: Any, ignored: Any, once: Any) -> None:
    there = live({"a": 5}, **owned)
    assert sent(item({"a": 1}, ignore="/spec/a"), there).get("a") == ignored
    assert sent(item({"a": 1}, once="/spec/a"), there).get("a") == once


def test_items_are_found_by_their_key_and_not_by_their_place() -> None:
    desired = item({"ports": [{"port": 80, "nodePort": 1}]}, once="spec.ports[*].nodePort")
    ports = [{"port": 79, "protocol": "TCP"}, {"port": 80, "protocol": "TCP", "nodePort": 30080}]
    there = live({"ports": ports}, kapply={"f:ports": PORT_FIELDS})
    assert sent(desired, there) == {"ports": [{"port": 80, "nodePort": 30080}]}
    # The manifest itself is not touched.
    assert desired.obj["spec"]["ports"][0]["nodePort"] == 1


def test_parts_of_an_atomic_value_keep_what_is_live() -> None:
    desired = item({"selector": {"a": "1", "b": "1"}}, ignore="/spec/selector/b")
    there = live({"selector": {"a": "0", "b": "0"}}, kapply={"f:selector": {}})
    assert sent(desired, there) == {"selector": {"a": "1", "b": "0"}}


def test_several_items_of_a_list_are_left_out_together() -> None:
    desired = item({"l": [0, 1, 2, 3]})
    rules = tuple(map(parse_field_rule, ("/spec/l/1", "/spec/l/3", "/spec/l/0")))
    assert sent(desired, None, rules=rules) == {"l": [2]}


def test_fields_of_a_manager() -> None:
    ports = [{"port": 80, "nodePort": 2}, {"port": 81}]
    desired = item({"a": 1, "b": 1, "ports": ports})
    there = live({"a": 2}, hpa={"f:a": {}, "f:ports": PORT_FIELDS})
    assert sent(desired, there, managers=frozenset(["hpa"])) == {"b": 1, "ports": [{"port": 81}]}
    assert sent(desired, there, managers=frozenset(["other"])) == desired.obj["spec"]


def test_annotations_that_hold_several_paths() -> None:
    text = "/spec/a, spec.b[?(@.name=='x,y')].c\n$.data['a,b']"
    assert [rule.text for rule in parse_paths(text)] == [
        "/spec/a",
        "spec.b[?(@.name=='x,y')].c",
        "$.data['a,b']",
    ]
    assert parse_paths(" ,\n") == []


@pytest.mark.parametrize(
    "text", ["metadata.name", "/metadata/namespace", "/kind", "apiVersion", "/metadata", "x["]
)
def test_annotations_that_cannot_be_kept_are_problems_with_their_place(text: str) -> None:
    with pytest.raises(FieldRuleError):
        parse_paths(text)
    (problem,) = problems_of([item({}, ignore=text)])
    assert problem.field == f"metadata.annotations[{IGNORE}]"
    assert problem.origin == Origin("f.yaml")
    assert json.dumps(str(problem))
