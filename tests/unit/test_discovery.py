from __future__ import annotations

from typing import Any

import pytest

from kapply.discovery import (
    RESTMapper,
    is_aggregated,
    legacy_group_versions,
    mapping_of_crd,
    parse_aggregated,
    parse_resource_list,
)
from kapply.errors import ProtocolError
from kapply.meta import GroupKind, GroupVersion, GroupVersionKind


def resource(plural: str, kind: str, group: str, version: str, **more: Any) -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "scope": more.pop("scope", "Namespaced"),
        "singularResource": kind.lower(),
        "verbs": ["get", "list", "patch"],
        **more,
    }


def group(name: str, *versions: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "versions": list(versions)}


CORE = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        group(
            "",
            {
                "version": "v1",
                "resources": [
                    resource("pods", "Pod", "", "v1", shortNames=["po"], categories=["all"]),
                    resource("events", "Event", "", "v1", shortNames=["ev"]),
                    resource("namespaces", "Namespace", "", "v1", scope="Cluster"),
                ],
            },
        )
    ],
}
GROUPS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        group(
            "apps",
            {
                "version": "v1",
                "resources": [
                    resource(
                        "deployments",
                        "Deployment",
                        "apps",
                        "v1",
                        shortNames=["deploy"],
                        categories=["all"],
                        subresources=[
                            {
                                "subresource": "scale",
                                "responseKind": {
                                    "group": "autoscaling",
                                    "version": "v1",
                                    "kind": "Scale",
                                },
                                "verbs": ["get", "patch"],
                            }
                        ],
                    )
                ],
            },
        ),
        group(
            "events.k8s.io",
            {"version": "v1", "resources": [resource("events", "Event", "events.k8s.io", "v1")]},
        ),
        group(
            "autoscaling",
            {
                "version": "v2",
                "resources": [
                    resource(
                        "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v2"
                    )
                ],
            },
            {
                "version": "v1",
                "resources": [
                    resource(
                        "horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", "v1"
                    )
                ],
            },
        ),
        group("metrics.k8s.io", {"version": "v1beta1", "freshness": "Stale", "resources": []}),
    ],
}


@pytest.fixture
def mapper() -> RESTMapper:
    return RESTMapper(parse_aggregated(CORE) + parse_aggregated(GROUPS))


def test_the_aggregated_form_is_told_apart() -> None:
    assert is_aggregated(CORE)
    assert not is_aggregated({"kind": "APIVersions", "versions": ["v1"]})


def test_kinds_scopes_verbs_and_subresources(mapper: RESTMapper) -> None:
    found = mapper.for_kind(GroupVersionKind("apps", "v1", "Deployment"))
    assert found is not None
    assert found.path("team a", "web") == "/apis/apps/v1/namespaces/team%20a/deployments/web"
    assert found.group_resource == "deployments.apps"
    assert dict(found.subresources) == {"scale": frozenset({"get", "patch"})}
    namespace = mapper.for_kind(GroupVersionKind("", "v1", "Namespace"))
    assert namespace is not None
    assert not namespace.namespaced
    assert namespace.path("ignored", "x") == "/api/v1/namespaces/x"
    assert mapper.for_kind(GroupVersionKind("apps", "v2", "Deployment")) is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("pods", "pods"),
        ("pod", "pods"),
        ("Pod", "pods"),
        ("PO", "pods"),
        ("deploy", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployment.v1.apps", "deployments.apps"),
        ("deployments.app", "deployments.apps"),
        ("events", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("hpa.v3.autoscaling", None),
        ("deployments.v2.apps", None),
        ("nothing", None),
    ],
)
def test_the_words_people_use(mapper: RESTMapper, word: str, expected: str | None) -> None:
    found = mapper.find(word)
    assert (found[0].group_resource if found else None) == expected


def test_versions_are_preferred_in_the_order_of_the_server(mapper: RESTMapper) -> None:
    assert mapper.find("horizontalpodautoscalers")[0].gvk.version == "v2"
    assert mapper.find("horizontalpodautoscalers.v1.autoscaling")[0].gvk.version == "v1"
    found = mapper.for_group_kind(GroupKind("autoscaling", "HorizontalPodAutoscaler"))
    assert found is not None
    assert found.gvk.version == "v2"
    assert [m.resource for m in mapper.preferred()].count("horizontalpodautoscalers") == 1


def test_categories(mapper: RESTMapper) -> None:
    assert [m.resource for m in mapper.in_category("all")] == ["pods", "deployments"]


def test_a_dead_aggregated_api_fails_alone(mapper: RESTMapper) -> None:
    assert GroupVersion("metrics.k8s.io", "v1beta1") in mapper.unavailable
    assert mapper.find("pods")


def test_what_is_close(mapper: RESTMapper) -> None:
    def close(api_version: str, kind: str) -> list[str]:
        gvk = GroupVersionKind.parse(api_version, kind)
        return [str(k) for k in mapper.close_to_kind(gvk)]

    assert close("extensions/v1beta1", "Deployment") == ["apps/v1 Deployment"]
    assert close("apps/v1", "Deploymnet") == ["apps/v1 Deployment"]
    assert close("apps/v1", "deployment") == ["apps/v1 Deployment"]
    assert close("x/v1", "Zebra") == []
    assert mapper.close_to_word("deploymets")[:2] == ["deployments", "deployment"]


@pytest.mark.parametrize("items", [[{"versions": [{}]}], [7], [{"metadata": {}, "versions": [{}]}]])
def test_a_malformed_document_is_a_protocol_error(items: list[Any]) -> None:
    with pytest.raises(ProtocolError):
        parse_aggregated({"items": items})


def test_the_older_form() -> None:
    versions = legacy_group_versions(
        {"versions": ["v1"]},
        {
            "groups": [
                {
                    "name": "autoscaling",
                    "versions": [
                        {"groupVersion": "autoscaling/v1"},
                        {"groupVersion": "autoscaling/v2"},
                    ],
                    "preferredVersion": {"groupVersion": "autoscaling/v2"},
                }
            ]
        },
    )
    assert [str(v) for v in versions] == ["v1", "autoscaling/v2", "autoscaling/v1"]
    served = parse_resource_list(
        GroupVersion("apps", "v1"),
        {
            "resources": [
                {
                    "name": "deployments",
                    "kind": "Deployment",
                    "namespaced": True,
                    "singularName": "deployment",
                    "verbs": ["get"],
                    "shortNames": ["deploy"],
                },
                {
                    "name": "deployments/scale",
                    "group": "autoscaling",
                    "version": "v1",
                    "kind": "Scale",
                    "namespaced": True,
                    "verbs": ["get", "patch"],
                },
            ]
        },
    )
    (mapping,) = served.mappings
    assert mapping.gvk == GroupVersionKind("apps", "v1", "Deployment")
    assert mapping.subresources == (("scale", frozenset({"get", "patch"})),)
    assert RESTMapper([served]).find("deploy") == [mapping]


CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "crontabs", "kind": "CronTab"},
        "versions": [{"name": "v1", "served": True}, {"name": "v0", "served": False}],
    },
}


def test_a_crd_says_how_its_kind_will_be_served() -> None:
    mapping = mapping_of_crd(CRD, "v1")
    assert mapping is not None
    assert mapping.path("a", "b") == "/apis/example.com/v1/namespaces/a/crontabs/b"
    assert mapping.singular == "crontab"
    assert mapping_of_crd(CRD, "v0") is None
    assert mapping_of_crd({"spec": {"names": {}, "versions": "x"}}, "v1") is None
    assert mapping_of_crd({}, "v1") is None


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a%2fb"])
def test_a_name_that_is_no_path_segment_is_refused(mapper: RESTMapper, name: str) -> None:
    with pytest.raises(ValueError, match="path"):
        mapper.find("pods")[0].path("default", name)
