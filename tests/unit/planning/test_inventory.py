"""ApplySets as data: keys, ids, what a parent says, and which members may go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.errors import Origin, RefusedError, UsageError
from kapply.meta import GroupKind, GroupVersionKind, JsonObject, ObjectRef, RESTMapping
from kapply.planning.inventory import (
    GROUP_KINDS,
    GROUP_RESOURCES,
    ID,
    NAMESPACES,
    PART_OF,
    TOOLING,
    Extent,
    Parent,
    applyset_id,
    extent_of,
    labelled,
    parent_object,
    parse_group_kind,
    read_state,
    says,
)
from kapply.planning.inventory_rules import (
    Member,
    PruneLimit,
    deletion_rank,
    judge,
    reason_to_stay,
    too_many,
)
from kapply.planning.model import Desired

SECRETS = RESTMapping(GroupVersionKind("", "v1", "Secret"), "secrets", True)
CONFIG_MAPS = RESTMapping(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", True)
NAMESPACE_KIND = RESTMapping(GroupVersionKind("", "v1", "Namespace"), "namespaces", False)
DEPLOYMENTS = RESTMapping(GroupVersionKind("apps", "v1", "Deployment"), "deployments", True)
PARENT = Parent(SECRETS, "test", "my-set")


def test_ids_are_those_of_kubectl() -> None:
    assert PARENT.id == "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1"
    found = applyset_id("my-set", "", GroupKind("company.com", "ApplySet"))
    assert found == "applyset-rhp1a-HVAVT_dFgyEygyA1BEB82HPp2o10UiFTpqtAs-v1"


def parent(**annotations: str | None) -> JsonObject:
    keys = {"tooling": TOOLING, "kinds": GROUP_KINDS, "namespaces": NAMESPACES}
    keys |= {"resources": GROUP_RESOURCES}
    values: dict[str, str | None] = {"tooling": "kapply/1.0", "kinds": "ConfigMap"}
    values |= annotations
    return {
        "metadata": {
            "name": "my-set",
            "labels": {ID: PARENT.id},
            "annotations": {keys[k]: v for k, v in values.items() if v is not None},
        }
    }


def test_a_parent_is_read_as_it_is_written() -> None:
    extent = Extent(
        frozenset({GroupKind("apps", "Deployment"), GroupKind("", "ConfigMap")}),
        frozenset({"test", "b", "a"}),
    )
    obj = parent_object(PARENT, "kapply/1.0", extent)
    assert obj == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "my-set",
            "namespace": "test",
            "labels": {ID: PARENT.id},
            "annotations": {
                TOOLING: "kapply/1.0",
                GROUP_KINDS: "ConfigMap,Deployment.apps",
                NAMESPACES: "a,b",
            },
        },
    }
    state = read_state(PARENT, obj)
    assert (state.tool, state.extent) == ("kapply", extent)
    assert says(state, PARENT, "kapply/1.0", extent)
    assert not says(state, PARENT, "kapply/1.1", extent)
    assert not says(None, PARENT, "kapply/1.0", extent)


def test_an_empty_set_holds_no_kind() -> None:
    state = read_state(PARENT, parent(kinds="", namespaces=""))
    assert state.extent == Extent(frozenset(), frozenset({"test"}))
    assert parse_group_kind("Certificate.cert-manager.io") == ("cert-manager.io", "Certificate")


@pytest.mark.parametrize(
    ("obj", "word"),
    [
        ({"metadata": {"name": "my-set"}}, "is not the parent of an ApplySet"),
        (parent(tooling=None), "does not say which tool"),
        (parent(tooling="kubectl/v1.37.1"), "kept by kubectl/v1.37.1"),
        (parent(tooling="kro"), "kept by kro"),
        (parent(kinds=None), "does not say which kinds"),
        ({"metadata": {**parent()["metadata"], "labels": {ID: "applyset-x-v1"}}}, "wrong"),
        ({"metadata": {**parent()["metadata"], "labels": {}}}, "none instead of"),
    ],
)
def test_what_is_no_parent_of_ours_is_refused(obj: JsonObject, word: str) -> None:
    with pytest.raises(RefusedError, match=word):
        read_state(PARENT, obj)


def test_a_set_of_another_tool_can_be_read_on_request() -> None:
    state = read_state(PARENT, parent(tooling="a/b/v1"), any_tool=True)
    assert state.tool == "a/b"
    old = read_state(PARENT, parent(kinds=None, resources="deployments.apps,secrets"))
    assert old.resources == ("deployments.apps", "secrets")


def desired(name: str, mapping: RESTMapping = CONFIG_MAPS, **metadata: Any) -> Desired:
    obj = {"metadata": {"name": name, **metadata}}
    namespace = "test" if mapping.namespaced else ""
    ref = ObjectRef(mapping.gvk, namespace, name)
    return Desired(obj, b"", mapping, ref, Origin("x"), lambda path: Origin("x", len(path)))


def test_members_get_the_label_and_keep_theirs() -> None:
    done, problems = labelled(
        [desired("a", labels={"app": "web"}), desired("b", labels={PART_OF: "x"})],
        PARENT,
        lambda obj: json.dumps(obj).encode(),
    )
    assert [item.ref.name for item in done] == ["a"]
    assert json.loads(done[0].body)["metadata"]["labels"] == {"app": "web", PART_OF: PARENT.id}
    (problem,) = problems
    assert problem.origin == Origin("x", 3)
    assert "must not say itself" in problem.message


def member(name: str, mapping: RESTMapping = CONFIG_MAPS, **metadata: Any) -> Member:
    labels = metadata.pop("labels", {PART_OF: PARENT.id})
    where = {"namespace": "test"} if mapping.namespaced else {}
    return Member(
        mapping,
        {"metadata": {"name": name, "uid": f"uid-{name}", "labels": labels, **where, **metadata}},
    )


def copied(manager: str) -> list[JsonObject]:
    fields: JsonObject = {"f:metadata": {"f:labels": {f"f:{PART_OF}": {}}}}
    return [{"manager": manager, "operation": "Update", "fieldsV1": fields}]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (member("x"), ""),
        (member("x", labels={}), "no longer a member"),
        (member("x", labels={PART_OF: "other"}), "no longer a member"),
        (member("my-set", SECRETS), "the parent of the set"),
        (member("x", annotations={"kapply.dev/on-remove": "keep"}), "kapply.dev/on-remove"),
        (member("x", annotations={"kapply.dev/on-remove": "delete"}), ""),
        (member("x", annotations={"helm.sh/resource-policy": "keep"}), "helm.sh"),
        (
            member("x", ownerReferences=[{"kind": "Job", "name": "j", "controller": True}]),
            "belongs to Job j",
        ),
        (member("x", ownerReferences=[{"kind": "Job", "name": "j"}]), ""),
        (member("x", managedFields=copied("kube-controller-manager")), "copied there by kube-"),
        (member("x", managedFields=copied("kubectl-label")), ""),
        (member("x", managedFields=[{"manager": "x", "fieldsV1": None}]), ""),
    ],
)
def test_why_a_member_stays(found: Member, why: str) -> None:
    said = reason_to_stay(found, PARENT)
    assert (why in said) if why else said == ""


def test_namespaces_in_use_and_what_the_input_stands_for_stay() -> None:
    members = [member("a"), member("b"), member("c")]
    members += [member("test", NAMESPACE_KIND), member("other", NAMESPACE_KIND)]
    verdict = judge(members, [desired("a")], PARENT, visited={"uid-b"})
    assert [m.ref.name for m in verdict.goes] == ["c", "other"]
    assert [(m.ref.name, why) for m, why in verdict.stays] == [
        ("test", "objects of the parent of the set are in it")
    ]
    whole = judge(members, [], PARENT, whole_set=True)
    assert len(whole.goes) == 5


@pytest.mark.parametrize(
    ("going", "members", "limit", "fine"),
    [
        (0, 0, "50%", True),
        (1, 2, "50%", True),
        (2, 3, "50%", False),
        (2, 3, "67%", True),
        (2, 3, "66%", False),
        (2, 10, "2", True),
        (3, 10, "2", False),
        (1, 10, "0", False),
        (0, 10, "0", True),
        (1, 10, "0%", False),
        (10, 10, "100%", False),
    ],
)
def test_limits(going: int, members: int, limit: str, fine: bool) -> None:
    refusal = too_many(going, members, PruneLimit.parse(limit), allow_empty=False)
    assert (refusal == "") is fine
    assert too_many(10, 10, PruneLimit.parse("1"), allow_empty=True) == ""


@pytest.mark.parametrize("text", ["", "-1", "101%", "1.5", "all", "50 %", "٣"])
def test_limits_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--prune-limit"):
        PruneLimit.parse(text)


def test_custom_resources_go_before_their_operator_and_namespaces_last() -> None:
    def rank(group: str, kind: str) -> float:
        return deletion_rank(ObjectRef(GroupVersionKind(group, "v1", kind), "", "x"))

    order = [
        rank("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        rank("networking.k8s.io", "Ingress"),
        rank("example.com", "Widget"),
        rank("apps", "Deployment"),
        rank("", "Service"),
        rank("", "Secret"),
        rank("", "Namespace"),
    ]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)


def test_extents() -> None:
    extent = extent_of([(CONFIG_MAPS, "a"), (DEPLOYMENTS, "a"), (NAMESPACE_KIND, "")])
    assert {str(kind) for kind in extent.kinds} == {"ConfigMap", "Deployment.apps", "Namespace"}
    assert extent.namespaces == {"a"}
    assert (extent | Extent(frozenset(), frozenset({"b"}))).covers(extent)
    assert not Extent().covers(extent)
