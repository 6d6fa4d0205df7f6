"""The unchanged-proof on objects as a server has them; the real server is asked in contract/."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable
from typing import Any

import pytest

from kapply.errors import Origin
from kapply.merge.schema import Type
from kapply.merge.schema_openapi import Schema
from kapply.merge.typed.fieldset import field_set_of
from kapply.meta import GroupVersionKind, ObjectRef, RESTMapping
from kapply.planning.atomic_defaults import ATOMIC_DEFAULTS, is_atomic_default
from kapply.planning.model import Desired
from kapply.planning.unchanged import UnchangedProof

Obj = dict[str, Any]

CORE = "io.k8s.api.core.v1."
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def ref(name: str) -> Obj:
    return {"$ref": f"#/components/schemas/{name}"}


STRING, INTEGER, BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
STRINGS = {"type": "object", "additionalProperties": STRING}


def properties(**fields: Any) -> Obj:
    return {"type": "object", "properties": fields}


def definitions(prefix: str, **more: Any) -> Obj:
    """A small kind in the manner of built-in ones; `prefix` makes it a custom one."""
    spec = properties(
        replicas=INTEGER,
        paused=BOOLEAN,
        text=STRING,
        labels=STRINGS,
        inner=properties(text=STRING),
        cpu=ref(QUANTITY),
        when=ref(META + "Time"),
        exact=ref(META + "MicroTime"),
        items={
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            "items": properties(port=INTEGER, protocol={**STRING, "default": "TCP"}, name=STRING),
        },
        raw={},
        args={"type": "array", "items": STRING},
        tags={"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
        whole={
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "properties": {
                "fieldRef": ref(CORE + "ObjectFieldSelector"),
                "selector": properties(text=STRING),
                "strings": STRINGS,
                "cpu": ref(QUANTITY),
                "flag": BOOLEAN,
                "list": {"type": "array", "items": STRING},
            },
        },
    )
    kind = properties(
        apiVersion=STRING,
        kind=STRING,
        metadata=ref(META + "ObjectMeta"),
        spec=spec,
        status=properties(
            count=INTEGER,
            started=ref(META + "Time"),
            conditions={"type": "array", "items": STRINGS},
        ),
        **more,
    )
    return {
        prefix + "Kind": kind,
        META + "ObjectMeta": properties(
            name=STRING,
            namespace=STRING,
            labels=STRINGS,
            generateName=STRING,
            creationTimestamp=ref(META + "Time"),
            finalizers={"type": "array", "x-kubernetes-list-type": "set", "items": STRING},
        ),
        META + "Time": {"type": "string", "format": "date-time"},
        META + "MicroTime": {"type": "string", "format": "date-time"},
        QUANTITY: {"oneOf": [STRING, {"type": "number"}]},
        CORE + "ObjectFieldSelector": {
            **properties(apiVersion=STRING, fieldPath=STRING),
            "x-kubernetes-map-type": "atomic",
        },
    }


BUILT_IN = "io.k8s.api.apps.v1."
CUSTOM = "com.example.v1."


class World:
    """A kind, a manifest that was applied, and the live object it became."""

    def __init__(self, spec: Obj, *, custom: bool = False, kind: str = "Kind") -> None:
        prefix = CUSTOM if custom else BUILT_IN
        group = "example.com" if custom else "apps"
        self.gvk = GroupVersionKind(group, "v1", kind)
        strings = {"data": STRINGS, "stringData": STRINGS} if kind == "Secret" else {}
        if kind == "Secret":
            self.gvk = GroupVersionKind("", "v1", kind)
        self.type_: Type = Schema(definitions(prefix, **strings)).named(prefix + "Kind")
        self.obj: Obj = {
            "apiVersion": self.gvk.api_version,
            "kind": kind,
            "metadata": {"name": "a", "namespace": "b"},
        }
        self.obj |= spec if kind == "Secret" else {"spec": spec}
        self.live = copy.deepcopy(self.obj)
        self.live["metadata"] |= {"uid": "u", "resourceVersion": "9"}
        self.own()

    def own(self, *more: Obj, **changes: Any) -> None:
        """kapply's entry for the manifest as it is now, and entries of others."""
        applied = {k: v for k, v in self.obj.items() if k not in ("apiVersion", "kind", "status")}
        stripped = ("name", "namespace", "creationTimestamp")
        applied["metadata"] = {k: v for k, v in self.obj["metadata"].items() if k not in stripped}
        if not applied["metadata"]:
            del applied["metadata"]
        entry = {
            "manager": "kapply",
            "operation": "Apply",
            "apiVersion": self.gvk.api_version,
            "fieldsV1": field_set_of(applied, self.type_).fields_v1(),
        }
        self.live["metadata"]["managedFields"] = [{**entry, **changes}, *more]

    @property
    def entry(self) -> Obj:
        found: Obj = self.live["metadata"]["managedFields"][0]
        return found

    def proven(self, *, status: bool = True, known: bool = True) -> bool:
        mapping = RESTMapping(
            self.gvk, "kinds", True, subresources=(("status", frozenset()),) if status else ()
        )
        desired = Desired(
            self.obj,
            b"",
            mapping,
            ObjectRef(self.gvk, "b", "a"),
            Origin("x"),
            lambda _: Origin("x"),
        )
        proof = UnchangedProof("kapply", lambda _: self.type_ if known else None)
        return proof.unchanged(desired, self.live)


FULL: Obj = {
    "replicas": 1,
    "paused": False,
    "text": "x",
    "labels": {"a": "b"},
    "cpu": "500m",
    "when": "2024-05-01T12:00:00Z",
    "exact": "2024-05-01T12:00:00.000000Z",
    "items": [{"port": 80, "name": "a"}, {"port": 53, "protocol": "UDP"}],
    "tags": ["b", "a"],
    "args": ["b", "a"],
    "whole": {"fieldRef": {"fieldPath": "p"}, "selector": {}, "list": ["a"], "flag": True},
}


def full(*, custom: bool = False) -> World:
    world = World(copy.deepcopy(FULL), custom=custom)
    world.live["spec"]["items"][0]["protocol"] = "TCP"
    world.live["spec"]["filled"] = "by the server"
    return world


def test_an_object_applied_again_is_proven() -> None:
    assert full().proven()
    assert full(custom=True).proven()


def test_without_a_type_nothing_is_proven() -> None:
    assert not full().proven(known=False)


def test_who_owns_nothing_has_no_entry() -> None:
    world = World({})
    del world.obj["spec"], world.live["spec"]
    world.live["metadata"].pop("managedFields")
    assert world.proven()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("replicas", 2),
        ("replicas", "1"),
        ("replicas", True),
        ("paused", 0),
        ("text", "y"),
        ("text", None),
        ("text", ["x"]),
        ("labels", "x"),
        ("labels", {"a": "c"}),
        ("labels", {"a": "b", "c": "d"}),
        ("labels", {}),
        ("labels", None),
        ("cpu", "501m"),
        ("cpu", "5e-1"),
        ("cpu", True),
        ("cpu", "x"),
        ("when", "2024-05-01T12:00:01Z"),
        ("when", "yesterday"),
        ("when", 7),
        ("tags", ["a", "b"]),
        ("tags", ["b", "a", "b"]),
        ("tags", ["b"]),
        ("tags", {"b": "a"}),
        ("args", ["a", "b"]),
        ("args", ["b", "a", "a"]),
        ("args", []),
        ("items", [{"port": 80, "name": "z"}, {"port": 53, "protocol": "UDP"}]),
        ("items", [{"port": 53, "protocol": "UDP"}, {"port": 80, "name": "a"}]),
        ("items", [{"port": 80, "name": "a"}, {"port": 53}]),
        ("items", [{"port": 80}, {"port": 53, "protocol": "UDP"}]),
        ("items", [{"name": "a"}, "x"]),
        ("nothingKnown", "x"),
        ("whole", {"fieldRef": {"fieldPath": "p"}}),
        ("whole", {**FULL["whole"], "fieldRef": {"fieldPath": "q"}}),
        ("whole", {**FULL["whole"], "list": ["a", "b"]}),
        ("whole", {**FULL["whole"], "list": {}}),
        ("whole", {**FULL["whole"], "list": "a"}),
        ("whole", {**FULL["whole"], "selector": {"text": ""}}),
        ("whole", {**FULL["whole"], "selector": None}),
        ("whole", {**FULL["whole"], "selector": []}),
        ("whole", {**FULL["whole"], "strings": {}}),
        ("whole", {**FULL["whole"], "flag": 1}),
        ("whole", {**FULL["whole"], "nothingKnown": None}),
        ("whole", "x"),
    ],
)
def test_an_edited_manifest_is_not_proven(name: str, value: Any) -> None:
    world = full()
    world.obj["spec"][name] = value
    assert not world.proven()


@pytest.mark.parametrize("name", sorted(FULL))
def test_a_removed_field_is_not_proven(name: str) -> None:
    world = full()
    del world.obj["spec"][name]
    assert not world.proven()


@pytest.mark.parametrize("name", sorted(set(FULL) - {"items", "paused"}))
def test_a_field_that_others_removed_is_not_proven(name: str) -> None:
    world = full()
    del world.live["spec"][name]
    assert not world.proven()


def test_items_of_others_may_stand_between() -> None:
    world = full()
    world.live["spec"]["tags"] = ["0", "b", "1", "a", "2"]
    world.live["spec"]["items"].insert(1, {"port": 1, "protocol": "TCP"})
    assert world.proven()


def test_an_item_twice_in_the_live_list_is_not_proven() -> None:
    world = full()
    world.live["spec"]["tags"] = ["b", "a", "a"]
    assert not world.proven()


SPELLINGS: list[tuple[str, Any]] = [
    ("replicas", 1.0),
    ("cpu", 0.5),
    ("cpu", "0.5"),
    ("when", "2024-05-01T12:00:00+00:00"),
    ("when", "2024-05-01T14:00:00+02:00"),
    ("exact", "2024-05-01T13:00:00.000000+01:00"),
]


@pytest.mark.parametrize(("name", "value"), SPELLINGS)
def test_another_spelling_is_proven_in_a_built_in_type(name: str, value: Any) -> None:
    world = full()
    world.obj["spec"][name] = value
    assert world.proven()


@pytest.mark.parametrize(("name", "value"), SPELLINGS[1:])
def test_and_not_in_a_custom_resource(name: str, value: Any) -> None:
    world = full(custom=True)
    world.obj["spec"][name] = value
    assert not world.proven()


@pytest.mark.parametrize(("mine", "live", "same"), [
    ("1024Mi", "1Gi", True),
    (1000, "1k", True),
    ("1000", "1k", True),
    ("1024", "1Ki", False),
    ("1e3", "1k", False),
])  # fmt: skip
def test_quantities_are_the_same_when_they_are_stored_the_same(
    mine: Any, live: str, same: bool
) -> None:
    world = World({"cpu": live})
    world.obj["spec"]["cpu"] = mine
    assert world.proven() is same


def other(fields: Any, version: str = "apps/v1", **more: Any) -> Obj:
    return {"manager": "x", "operation": "Apply", "apiVersion": version, "fieldsV1": fields, **more}


@pytest.mark.parametrize(("name", "value"), SPELLINGS[1:])
@pytest.mark.parametrize("version", ["apps/v1", "apps/v1beta1"])
def test_a_spelling_conflicts_where_another_manager_owns_the_field(
    name: str, value: Any, version: str
) -> None:
    world = full()
    everything = world.entry["fieldsV1"]
    world.own(other(everything, version))
    world.live["spec"]["whole"]["fieldRef"] = {"fieldPath": "p", "apiVersion": "v1"}
    assert not world.proven()  # its fieldRef has a default that the manifest leaves out
    world.obj["spec"]["whole"]["fieldRef"] = {"fieldPath": "p", "apiVersion": "v1"}
    assert world.proven()
    world.obj["spec"][name] = value
    assert not world.proven()


def test_what_another_manager_owns_elsewhere_is_nothing_to_it() -> None:
    world = full()
    world.own(
        other({"f:status": {}}, subresource="status"),
        other({"f:spec": {"f:text": {}}}),
        other(None),
    )
    world.obj["spec"]["cpu"] = "0.5"
    assert world.proven()


ZEROS: list[tuple[str, Any]] = [
    ("replicas", 0),
    ("paused", False),
    ("text", ""),
    ("labels", {}),
    ("labels", None),
    ("items", []),
]


@pytest.mark.parametrize(("name", "zero"), ZEROS)
def test_a_zero_that_the_server_drops_is_proven_while_it_is_owned_alone(
    name: str, zero: Any
) -> None:
    world = World({"inner": {"text": "x"}})
    world.obj["spec"][name] = zero
    if zero != []:  # an empty list has no path
        assert not world.proven()
    world.own()
    assert world.proven()
    world.own(other({"f:spec": {f"f:{name}": {}}}))
    assert not world.proven()


@pytest.mark.parametrize(
    ("name", "zero"),
    [
        ("replicas", ""),
        ("replicas", False),
        ("replicas", 1),
        ("paused", ""),
        ("paused", 0),
        ("text", []),
        ("text", False),
        ("labels", []),
        ("labels", ""),
        ("labels", {"a": None}),
        ("args", {}),
        ("cpu", ""),
        ("cpu", 0),
        ("when", ""),
        ("raw", {}),
        ("raw", []),
    ],
)
def test_a_zero_of_another_type_is_not_proven(name: str, zero: Any) -> None:
    world = World({"inner": {"text": "x"}})
    world.obj["spec"][name] = zero
    world.own()
    assert not world.proven()


@pytest.mark.parametrize(("name", "zero"), ZEROS)
def test_a_zero_is_not_dropped_in_a_custom_resource(name: str, zero: Any) -> None:
    world = World({"inner": {"text": "x"}}, custom=True)
    world.obj["spec"][name] = zero
    world.own()
    assert not world.proven()


def test_a_custom_resource_named_like_a_built_in_type_is_none() -> None:
    world = World({"text": "x"})
    world.gvk = GroupVersionKind("x.api.k8s.io", "v1", "Kind")
    world.obj["apiVersion"] = world.live["apiVersion"] = world.gvk.api_version
    world.obj["spec"]["replicas"] = 0
    world.own()
    assert not world.proven()


def test_a_null_in_a_map_of_strings_becomes_an_empty_one() -> None:
    world = World({"labels": {"a": "b"}, "whole": {"strings": {"a": "b"}}})
    world.obj["spec"]["whole"]["strings"]["c"] = None
    assert not world.proven()
    world.obj["spec"]["whole"]["strings"].pop("c")
    world.obj["spec"]["labels"]["c"] = None
    world.own()
    assert not world.proven()


def test_a_null_in_a_field_inside_an_atomic_value_is_nothing() -> None:
    world = World({"whole": {"flag": True}})
    world.obj["spec"]["whole"]["cpu"] = None
    assert world.proven()
    world.own(other({"f:spec": {"f:whole": {}}}))
    assert not world.proven()


def test_defaults_inside_atomic_values() -> None:
    world = World({"whole": {"fieldRef": {"fieldPath": "p"}}})
    live = world.live["spec"]["whole"]
    live["fieldRef"]["apiVersion"] = "v1"
    assert world.proven()
    live["fieldRef"]["apiVersion"] = "v2"
    assert not world.proven()
    live["fieldRef"]["apiVersion"] = "v1"
    live["flag"] = False
    assert not world.proven()


def test_a_default_that_depends_on_the_rest() -> None:
    subject = "io.k8s.api.rbac.v1.Subject"
    group = "rbac.authorization.k8s.io"
    assert is_atomic_default(subject, "apiGroup", {"kind": "User"}, group)
    assert not is_atomic_default(subject, "apiGroup", {"kind": "ServiceAccount"}, group)
    assert not is_atomic_default(subject, "apiGroup", {"kind": "ServiceAccount"}, "")
    request = "io.k8s.api.resource.v1.ExactDeviceRequest"
    assert is_atomic_default(request, "count", {}, 1)
    assert not is_atomic_default(request, "count", {}, True)
    assert not is_atomic_default(request, "count", {"allocationMode": "All"}, 1)
    assert not is_atomic_default(request, "name", {}, "")
    assert all(name.startswith("io.k8s.api.") for name, _ in ATOMIC_DEFAULTS)


@pytest.mark.parametrize(
    ("name", "value", "proven"),
    [
        ("resourceVersion", "9", False),
        ("resourceVersion", "", False),
        ("resourceVersion", None, False),
        ("uid", "u", False),
        ("managedFields", [], False),
        ("deletionTimestamp", "2024-05-01T12:00:00Z", False),
        ("deletionTimestamp", None, False),
        ("clusterName", "x", False),
        ("creationTimestamp", None, True),
        ("creationTimestamp", "2024-05-01T12:00:00Z", True),
        ("creationTimestamp", "yesterday", False),
        ("creationTimestamp", 7, False),
        ("generation", 7, True),
        ("generation", True, False),
        ("generation", "7", False),
        ("selfLink", "/x", True),
        ("selfLink", 1, False),
        ("labels", {"a": "b"}, False),
    ],
)
def test_metadata_that_is_not_in_the_entry(name: str, value: Any, proven: bool) -> None:
    world = full()
    world.obj["metadata"][name] = value
    assert world.proven() is proven


@pytest.mark.parametrize(
    ("status", "proven"),
    [
        ({}, True),
        (None, True),
        ({"conditions": []}, True),
        ({"conditions": None, "count": None}, True),
        ({"count": 1}, False),
        ({"count": ""}, False),
        ({"count": 0}, True),
        ({"started": None}, True),
        ({"started": ""}, False),
        ({"nothingKnown": None}, False),
        ("x", False),
        ([], False),
    ],
)
def test_a_status_apart_is_dropped_when_nothing_in_it_can_be_disliked(
    status: Any, proven: bool
) -> None:
    world = full()
    world.obj["status"] = status
    assert world.proven() is proven


def test_a_status_that_is_not_apart_counts() -> None:
    world = full()
    world.obj["status"] = {"count": 1}
    assert not world.proven(status=False)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda w: w.live["metadata"].update(deletionTimestamp="2024-05-01T12:00:00Z"),
        lambda w: w.live.update(apiVersion="apps/v2"),
        lambda w: w.live.pop("apiVersion"),
        lambda w: w.live.update(spec=None),
        lambda w: w.live["metadata"].pop("managedFields"),
        lambda w: w.own(manager="other"),
        lambda w: w.own(operation="Update"),
        lambda w: w.own(apiVersion="apps/v2"),
        lambda w: w.own(subresource="scale"),
        lambda w: w.own(fieldsV1=None),
        lambda w: w.own({**w.entry, "operation": "Update"}),
        lambda w: w.own({**w.entry, "apiVersion": "apps/v2"}),
    ],
)
def test_live_objects_that_prove_nothing(spoil: Callable[[World], None]) -> None:
    world = full()
    spoil(world)
    assert not world.proven()


def test_a_value_too_deep_is_not_proven() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = {"a": deep}
    world = full()
    world.obj["spec"]["whole"] = deep
    assert not world.proven()


def encoded(**data: str) -> dict[str, str]:
    return {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}


def secret(**strings: Any) -> World:
    world = World({"data": encoded(d="1"), "stringData": strings}, kind="Secret")
    del world.live["stringData"]
    world.live["data"] = encoded(d="1", **{k: v for k, v in strings.items() if v is not None})
    return world


def test_string_data_counts_as_data() -> None:
    world = secret(a="täst", b="")
    assert world.proven()
    assert "stringData" in world.obj
    world.live["data"] |= encoded(other="x")
    assert world.proven()
    assert secret().proven()


@pytest.mark.parametrize("value", ["x", None, 1, "\ud800", ["täst"]])
def test_a_string_that_is_not_there_is_not_proven(value: Any) -> None:
    world = secret(a="täst")
    world.obj["stringData"]["a"] = value
    assert not world.proven()


def test_string_data_that_others_changed_or_own_is_not_proven() -> None:
    world = secret(a="x")
    world.live["data"] |= encoded(a="y")
    assert not world.proven()
    world.live["data"].pop("a")
    assert not world.proven()
    world = secret(a="x")
    world.own(other({"f:stringData": {"f:a": {}}}, "v1"))
    assert not world.proven()
    world = secret(a="x")
    world.live["data"] = None
    assert not world.proven()


def test_string_data_over_data_of_the_same_name_is_not_proven() -> None:
    world = secret(a="x")
    world.obj["stringData"]["d"] = "2"
    world.live["data"] |= encoded(d="2")
    world.own()
    assert not world.proven()


def test_string_data_that_is_new_or_gone_from_the_manifest_is_not_proven() -> None:
    world = secret(a="x")
    world.obj["stringData"]["d"] = "1"
    assert not world.proven()
    world = secret(a="x")
    del world.obj["stringData"]
    assert not world.proven()
    world = secret(a="x")
    world.obj["stringData"] = "x"
    assert not world.proven()
