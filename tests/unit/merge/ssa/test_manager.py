"""Writes of several managers, told as scenarios."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.merge.errors import MergeError, TypedError
from kapply.merge.fieldfilter import excluding
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import managed_fields_of
from kapply.merge.schema import DEDUCED
from kapply.merge.ssa import ApplyRequestError, Conflicts, FieldManager, Versions
from kapply.merge.ssa.lastapplied import LAST_APPLIED, MAX_ANNOTATIONS, allowed_conflicts
from tests.property.merge_cases import THING
from tests.property.merge_runs import convert, versions

MANAGER = FieldManager("Thing", "t/v1", Versions({"t/v1": THING}))
T = "2026-01-02T03:04:{:02d}Z".format


def thing(**spec: Any) -> Any:
    return {"apiVersion": "t/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": spec}


def applied(live: Any, manager: str, at: int = 0, *, force: bool = False, **spec: Any) -> Any:
    done = MANAGER.apply(live, thing(**spec), manager, force=force, now=T(at))
    assert not isinstance(done, Conflicts), done.message
    return done


def owners(obj: Any) -> dict[str, Any]:
    return {
        f"{entry.manager} {entry.operation}": entry.fields.fields_v1()
        for entry in managed_fields_of(obj)
    }


def test_an_apply_creates_and_owns() -> None:
    obj = applied(None, "a", text="1", items=[{"name": "i", "text": "x"}])
    assert obj["spec"] == {"text": "1", "items": [{"name": "i", "text": "x"}]}
    (entry,) = obj["metadata"]["managedFields"]
    assert entry == {
        "manager": "a",
        "operation": "Apply",
        "apiVersion": "t/v1",
        "time": T(0),
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:spec": {
                "f:items": {'k:{"name":"i"}': {".": {}, "f:name": {}, "f:text": {}}},
                "f:text": {},
            }
        },
    }


def test_what_is_no_longer_applied_goes() -> None:
    obj = applied(None, "a", text="1", number=1, items=[{"name": "i"}, {"name": "j"}])
    obj = applied(obj, "a", 1, number=1, items=[{"name": "j"}])
    assert obj["spec"] == {"number": 1, "items": [{"name": "j"}]}
    assert owners(obj)["a Apply"] == {
        "f:spec": {"f:items": {'k:{"name":"j"}': {".": {}, "f:name": {}}}, "f:number": {}}
    }


def test_what_another_applied_too_stays() -> None:
    obj = applied(None, "a", text="1", number=1)
    obj = applied(obj, "b", 1, text="1")
    obj = applied(obj, "a", 2, number=1)
    assert obj["spec"] == {"text": "1", "number": 1}
    assert owners(obj) == {
        "a Apply": {"f:spec": {"f:number": {}}},
        "b Apply": {"f:spec": {"f:text": {}}},
    }


def test_a_different_value_conflicts_unless_forced() -> None:
    obj = applied(None, "a", text="1", number=1)
    refused = MANAGER.apply(obj, thing(text="2"), "b", now=T(1))
    assert isinstance(refused, Conflicts)
    assert refused.message == ('Apply failed with 1 conflict: conflict with "a": .spec.text')
    obj = applied(obj, "b", 1, force=True, text="2")
    assert obj["spec"] == {"text": "2", "number": 1}
    assert owners(obj) == {
        "a Apply": {"f:spec": {"f:number": {}}},
        "b Apply": {"f:spec": {"f:text": {}}},
    }


def test_a_repeated_apply_changes_nothing_not_even_the_time() -> None:
    obj = applied(None, "a", text="1")
    assert applied(obj, "a", 9, text="1") == obj


def test_sharing_a_value_leaves_the_new_entry_without_a_time() -> None:
    obj = applied(applied(None, "a", text="1"), "b", 9, text="1")
    assert [entry.time for entry in managed_fields_of(obj)] == ["", T(0)]
    assert [entry.manager for entry in managed_fields_of(obj)] == ["b", "a"]


def test_an_update_takes_what_it_changes() -> None:
    obj = applied(None, "a", text="1", number=1, flag=True)
    changed = {**obj, "spec": {"text": "2", "number": 1, "real": 1.5}}
    obj = MANAGER.update(obj, changed, "edit", now=T(1))
    assert owners(obj) == {
        "a Apply": {"f:spec": {"f:number": {}}},
        "edit Update": {"f:spec": {"f:real": {}, "f:text": {}}},
    }
    again = MANAGER.update(obj, {**obj, "spec": {**obj["spec"], "flag": False}}, "edit", now=T(2))
    assert owners(again)["edit Update"] == {"f:spec": {"f:flag": {}, "f:real": {}, "f:text": {}}}


def test_an_update_that_changes_nothing_leaves_the_entries() -> None:
    obj = applied(None, "a", text="1")
    assert MANAGER.update(obj, obj, "edit", now=T(1)) == obj


def test_an_owner_of_nothing_left_disappears() -> None:
    obj = applied(None, "a", text="1")
    obj = MANAGER.update(obj, {**obj, "spec": {}}, "", now=T(1))
    assert owners(obj) == {}
    obj = MANAGER.update(obj, {**obj, "spec": {"text": "2"}}, "", now=T(2))
    assert owners(obj) == {"unknown Update": {"f:spec": {"f:text": {}}}}


def test_a_create_is_an_update_from_nothing() -> None:
    obj = MANAGER.update(None, thing(text="1"), "create", now=T(0))
    assert owners(obj) == {"create Update": {"f:spec": {".": {}, "f:text": {}}}}


def test_objects_nobody_tracked_stay_untracked_until_applied() -> None:
    old = {**thing(text="1"), "metadata": {"name": "x", "uid": "u"}}
    kept = MANAGER.update(old, {**old, "spec": {"text": "2"}}, "edit", now=T(0))
    assert "managedFields" not in kept["metadata"]
    obj = MANAGER.apply(old, thing(number=1), "a", now=T(1))
    assert owners(obj) == {
        "a Apply": {"f:spec": {"f:number": {}}},
        "before-first-apply Update": {"f:spec": {".": {}, "f:text": {}}},
    }


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ([], []),
        ([{}], []),
        (None, ["a"]),
        ([{"operation": "Move"}], ["a"]),
        ("odd", ["a"]),
    ],
)
def test_a_request_may_edit_managed_fields(given: Any, left: list[str]) -> None:
    live = applied(None, "a", text="1")
    live["metadata"]["uid"] = "u"
    new = {**live, "metadata": {"name": "x", "uid": "u", "managedFields": given}}
    obj = MANAGER.update(live, new, "edit", now=T(1))
    assert [entry.manager for entry in managed_fields_of(obj)] == left


def test_a_subresource_may_not() -> None:
    status = FieldManager("Thing", "t/v1", Versions({"t/v1": THING}), subresource="status")
    live = applied(None, "a", text="1")
    new = {**live, "metadata": {"name": "x", "managedFields": []}, "status": {"text": "up"}}
    obj = status.update(live, new, "controller", now=T(1))
    assert [(entry.manager, entry.subresource) for entry in managed_fields_of(obj)] == [
        ("a", ""),
        ("controller", "status"),
    ]
    live["metadata"]["managedFields"] = [{"operation": "broken"}]
    started_over = status.update(live, {**live, "status": {"text": "up"}}, "c", now=T(1))
    assert owners(started_over) == {"c Update": {"f:status": {".": {}, "f:text": {}}}}


def test_reset_fields_are_not_owned() -> None:
    reset = {"t/v1": excluding(FieldSet.of([("f:status",)]))}
    manager = FieldManager("Thing", "t/v1", Versions({"t/v1": THING}), filters=reset)
    config = {**thing(text="1"), "status": {"text": "x"}}
    obj = manager.apply(None, config, "a", now=T(0))
    assert not isinstance(obj, Conflicts)
    assert owners(obj) == {"a Apply": {"f:spec": {"f:text": {}}}}
    obj = manager.update(obj, {**obj, "status": {"text": "y"}}, "edit", now=T(1))
    assert list(owners(obj)) == ["a Apply"]


def test_defaults_come_after_the_merge() -> None:
    manager = FieldManager(
        "Thing",
        "t/v1",
        Versions({"t/v1": THING}),
        default=lambda obj: {**obj, "spec": {"number": 7, **obj["spec"]}},
    )
    obj = manager.apply(None, thing(text="1"), "a", now=T(0))
    assert not isinstance(obj, Conflicts)
    assert obj["spec"] == {"number": 7, "text": "1"}
    assert owners(obj) == {"a Apply": {"f:spec": {"f:text": {}}}}


def test_old_update_entries_are_folded_together() -> None:
    obj: Any = None
    free: dict[str, Any] = {}
    for number in range(12):
        free = {**free, f"k{number}": number}
        new = thing(free=free)
        if obj is not None:
            new["metadata"]["managedFields"] = obj["metadata"]["managedFields"]
        obj = MANAGER.update(obj, new, f"m{number}", now=T(number))
    entries = managed_fields_of(obj)
    assert [entry.manager for entry in entries] == [
        "ancient-changes", *(f"m{number}" for number in range(3, 12)),
    ]  # fmt: skip
    assert entries[0].time == T(2)
    assert set(entries[0].fields.tree["f:spec"]["f:free"]) == {".", "f:k0", "f:k1", "f:k2"}


def test_entries_of_several_versions_fold_by_version() -> None:
    both = versions(deduced=False)
    obj: Any = None
    for number in range(12):
        version = "t/v2" if number == 1 else "t/v1"
        base = thing() if obj is None else obj
        base = {**base, "spec": {**base["spec"], "free": {f"k{n}": n for n in range(number + 1)}}}
        current = None if obj is None else convert(obj, version)
        manager = FieldManager("Thing", version, both)
        obj = convert(manager.update(current, convert(base, version), f"m{number}", now=T(number)),
                      "t/v1")  # fmt: skip
    assert [entry.manager for entry in managed_fields_of(obj)][:2] == ["m1", "ancient-changes"]


def test_managers_at_another_version_own_the_same_field() -> None:
    both = versions(deduced=False)
    first, second = (FieldManager("Thing", version, both) for version in ("t/v1", "t/v2"))
    obj = first.apply(None, thing(text="1", number=1), "a", now=T(0))
    assert not isinstance(obj, Conflicts)
    config = {**thing(words="2"), "apiVersion": "t/v2"}
    refused = second.apply(obj, config, "b", now=T(1))
    assert isinstance(refused, Conflicts)
    assert [item.field for item in refused.items] == [".spec.text"]
    obj = second.apply(obj, config, "b", force=True, now=T(1))
    assert not isinstance(obj, Conflicts)
    assert obj["spec"] == {"words": "2", "number": 1}
    # The same manager at the other version: what it leaves out goes under its old name.
    obj = second.apply(obj, {**thing(words="2"), "apiVersion": "t/v2"}, "a", now=T(2))
    assert not isinstance(obj, Conflicts)
    assert obj["spec"] == {"words": "2"}


def test_managers_of_a_version_that_is_gone_are_forgotten() -> None:
    obj = applied(None, "a", text="1")
    obj["metadata"]["managedFields"].append(
        {**obj["metadata"]["managedFields"][0], "manager": "z", "apiVersion": "t/v0"}
    )
    assert list(owners(applied(obj, "a", 1, text="2"))) == ["a Apply"]


def test_fields_that_became_atomic_are_owned_whole() -> None:
    obj = applied(None, "a", whole={"a": "1"})
    entry = obj["metadata"]["managedFields"][0]
    entry["fieldsV1"] = {"f:spec": {"f:whole": {"f:a": {}}}}
    refused = MANAGER.apply(obj, thing(whole={"a": "2"}), "b", now=T(1))
    assert isinstance(refused, Conflicts)
    assert [item.field for item in refused.items] == [".spec.whole"]


def test_no_longer_applied_items_of_an_update_stay() -> None:
    obj = MANAGER.update(None, thing(items=[{"name": "u"}]), "edit", now=T(0))
    obj = applied(obj, "a", 1, items=[{"name": "a", "labels": {"x": "1"}}])
    obj = applied(obj, "a", 2, text="1")
    assert obj["spec"] == {"items": [{"name": "u"}], "text": "1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "Other"}, "invalid object type: t/v1, Kind=Other"),
        ({"apiVersion": "v1"}, "invalid object type: /v1, Kind=Thing"),
        ({"apiVersion": None, "kind": None}, "invalid object type: /, Kind="),
        ({"apiVersion": 1, "kind": ["Thing"]}, "invalid object type: /, Kind="),
        ({"metadata": {"managedFields": []}}, "metadata.managedFields must be nil"),
    ],
)
def test_requests_that_are_no_apply(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ApplyRequestError) as caught:
        MANAGER.apply(None, {**thing(), **change}, "a", now=T(0))
    assert caught.value.message == message


def test_objects_that_do_not_fit() -> None:
    with pytest.raises(TypedError) as caught:
        MANAGER.apply(
            None,
            {**thing(closed={"b": 1}), "metadata": {"name": "x", "namespace": "n"}},
            "a",
            now=T(0),
        )
    assert (
        str(caught.value)
        == caught.value.message
        == (
            "failed to create typed patch object (n/x; t/v1, Kind=Thing): "
            ".spec.closed.b: field not declared in schema"
        )
    )
    with pytest.raises(TypedError, match="duplicate entries"):
        MANAGER.apply(None, thing(texts=["a", "a"]), "a", now=T(0))
    with pytest.raises(TypedError, match=r"convert new object \(/; t/v1, Kind=Thing\)"):
        MANAGER.update(None, {**thing(), "metadata": "odd"}, "a", now=T(0))
    with pytest.raises(MergeError, match="operation must be"):
        MANAGER.apply({**thing(), "metadata": {"managedFields": [{}]}}, thing(), "a", now=T(0))


@pytest.mark.parametrize("odd", [None, [], "x", 1])
def test_what_is_no_object(odd: Any) -> None:
    with pytest.raises(MergeError):
        MANAGER.apply(None, odd, "a", now=T(0))
    with pytest.raises(MergeError):
        MANAGER.update(None, odd, "a", now=T(0))


def client_applied(last: Any, **spec: Any) -> Any:
    """An object that kubectl applied client-side, with this last-applied annotation."""
    text = last if isinstance(last, str) else json.dumps(last)
    obj = {**thing(**spec), "metadata": {"name": "x", "annotations": {LAST_APPLIED: text}}}
    return MANAGER.update(None, obj, "kubectl-client-side-apply", now=T(0))


def test_kubectl_takes_over_what_it_applied_client_side() -> None:
    live = client_applied(thing(text="1"), text="1", number=1)
    obj = MANAGER.apply(live, thing(text="2"), "kubectl", now=T(1))
    assert not isinstance(obj, Conflicts)
    assert obj["spec"] == {"text": "2", "number": 1}
    said = obj["metadata"]["annotations"][LAST_APPLIED]
    assert said == (
        '{"apiVersion":"t/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"text":"2"}}\n'
    )
    assert isinstance(MANAGER.apply(live, thing(text="2"), "other", now=T(1)), Conflicts)


def test_but_not_what_someone_changed_since() -> None:
    live = client_applied(thing(text="1", number=1), text="other", number=1)
    refused = MANAGER.apply(live, thing(text="2", number=2), "kubectl", now=T(1))
    assert isinstance(refused, Conflicts)
    assert [item.field for item in refused.items] == [".spec.text"]


@pytest.mark.parametrize(
    "last",
    ["", "{", "[]", "[" * 100_000, thing(closed={"b": 1}), {**thing(), "apiVersion": "t/v2"},
     {**thing(), "kind": ""}],
)  # fmt: skip
def test_an_annotation_that_says_nothing(last: Any) -> None:
    live = client_applied(last, text="1")
    assert isinstance(MANAGER.apply(live, thing(text="2"), "kubectl", now=T(1)), Conflicts)


def test_the_annotation_itself_is_left_out_of_what_it_says() -> None:
    config = thing(text="1")
    config["metadata"]["annotations"] = {LAST_APPLIED: "x", "a": "b"}
    obj = MANAGER.apply(client_applied(config, text="1"), config, "kubectl", force=True, now=T(1))
    assert not isinstance(obj, Conflicts)
    said = json.loads(obj["metadata"]["annotations"][LAST_APPLIED])
    assert said["metadata"] == {"annotations": {"a": "b"}, "name": "x"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": None, "b": "c"}, {"annotations": {"a": "", "b": "c"}}),
        ({LAST_APPLIED: "x"}, {"annotations": {}}),
        ({}, {"annotations": {}}),
        (None, {}),
    ],
)
def test_the_annotation_tells_annotations_as_strings(given: Any, said: Any) -> None:
    config = thing(text="1")
    config["metadata"]["annotations"] = given
    live = client_applied(thing(text="1"), text="1")
    obj = MANAGER.apply(live, config, "kubectl", force=True, now=T(1))
    assert not isinstance(obj, Conflicts)
    found = json.loads(obj["metadata"]["annotations"][LAST_APPLIED])
    assert found["metadata"] == {**said, "name": "x"}


def test_annotations_have_a_limit() -> None:
    live = client_applied(thing(), text="1")
    live["metadata"]["annotations"]["big"] = "x" * MAX_ANNOTATIONS
    obj = MANAGER.apply(live, thing(), "kubectl", now=T(1))
    assert not isinstance(obj, Conflicts)
    assert LAST_APPLIED not in obj["metadata"]["annotations"]


def test_odd_annotations_are_no_annotations() -> None:
    assert allowed_conflicts({"metadata": {"annotations": {LAST_APPLIED: 1}}}, "v", DEDUCED) is None
    assert allowed_conflicts({"metadata": {"annotations": []}}, "v", DEDUCED) is None
    assert allowed_conflicts({"metadata": []}, "v", DEDUCED) is None
    assert allowed_conflicts([], "v", DEDUCED) is None
    free = FieldManager("Thing", "t/v1", Versions({"t/v1": DEDUCED}))
    live = {"metadata": {"annotations": {LAST_APPLIED: "x", "a": None}}}
    obj = free.apply({**thing(), **live}, thing(), "kubectl", force=True, now=T(0))
    assert not isinstance(obj, Conflicts)
    assert obj["metadata"]["annotations"]["a"] == ""
