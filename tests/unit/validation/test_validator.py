from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from kapply.errors import Origin, Problem
from kapply.manifests.documents import parse
from kapply.meta import GroupVersion
from kapply.validation import (
    OpenAPISource,
    deprecations,
    group_versions_needed,
    offline_schemas,
    offline_version,
    validate,
)
from tests.unit.validation.samples import deployment, found_in, pod_spec


def problems(text: str, **more: Any) -> list[Problem]:
    return validate(parse(text, "web.yaml"), offline_schemas(), **more)


TYPO = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: nginx
          imagePullPolcy: Always
"""


def test_a_typo_is_shown_where_it_stands() -> None:
    (problem,) = problems(TYPO)
    assert str(problem) == (
        "web.yaml:12:11  Deployment web: spec.template.spec.containers[0].imagePullPolcy: "
        "unknown field, did you mean imagePullPolicy?"
    )


def test_all_problems_of_all_documents_sorted_by_place() -> None:
    text = f"{TYPO}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: A, namespace: b}}\n"
    found = problems(text.replace("replicas", "replicas"))
    assert [(p.origin.line if p.origin else 0, p.field) for p in found] == [
        (12, "spec.template.spec.containers[0].imagePullPolcy"),
        (16, "metadata.name"),
        (16, "metadata.namespace"),
    ]


def test_rules_are_checked_beside_schema_problems() -> None:
    obj = deployment(replicas="3")
    obj["metadata"]["name"] = "Web"
    pod_spec(obj)["containers"].insert(0, {"name": 5, "image": "i"})
    assert [finding.path for finding in found_in(obj)] == [
        ("spec", "replicas"),
        ("spec", "template", "spec", "containers", 0, "name"),
        ("metadata", "name"),
    ]


@pytest.mark.parametrize(
    ("api_version", "kind", "message", "hint"),
    [
        ("apps/v1", "Deploymet", "unknown kind Deploymet in apps/v1", "did you mean Deployment?"),
        ("v1", "Deployment", "there is no Deployment in v1", "did you mean apps/v1?"),
        (
            "extensions/v1beta1",
            "Ingress",
            "extensions/v1beta1 Ingress is no longer served since Kubernetes 1.22",
            "use networking.k8s.io/v1",
        ),
        (
            "example.com/v1",
            "Widget",
            "no schema for Widget in example.com/v1",
            "add its CustomResourceDefinition to the input, or name its folder with --schemas",
        ),
        ("a/b/c", "X", "'a/b/c' is not an apiVersion: expected v1 or GROUP/VERSION", ""),
    ],
)
def test_unknown_kinds(api_version: str, kind: str, message: str, hint: str) -> None:
    (finding,) = found_in({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}})
    assert (finding.message, finding.hint) == (message, hint)


def test_unknown_kinds_can_pass() -> None:
    text = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n"
    assert problems(text)
    assert problems(text, ignore_unknown_kinds=True) == []


@pytest.mark.parametrize(
    ("obj", "fields"),
    [
        ({}, ["apiVersion", "kind"]),
        ({"apiVersion": 1, "kind": ["x"]}, ["apiVersion", "kind"]),
        ({"apiVersion": "v1", "kind": ""}, ["kind"]),
    ],
)
def test_objects_without_a_kind(obj: dict[str, Any], fields: list[str]) -> None:
    assert [".".join(map(str, finding.path)) for finding in found_in(obj)] == fields


WIDGETS = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: a}
spec: {size: "5", colour: red, extra: 1}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Cluster
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size, shape]
              properties:
                size: {type: integer, minimum: 1}
                colour: {type: string, enum: [Red, Green]}
                shape: {type: string, default: round}
"""


def test_crds_of_the_input_validate_what_stands_beside_them() -> None:
    assert [str(problem) for problem in problems(WIDGETS)] == [
        'web.yaml:4:14  Widget a: spec.size: expected a whole number, got "5", '
        "write 5, without quotes",
        'web.yaml:4:27  Widget a: spec.colour: "red" is not one of Red, Green, did you mean Red?',
        "web.yaml:4:32  Widget a: spec.extra: unknown field",
    ]


def test_scopes_come_from_the_crd() -> None:
    text = WIDGETS.replace("{name: a}", "{name: a, namespace: b}", 1)
    assert "cluster-scoped" in " ".join(map(str, problems(text)))


def test_secret_values_are_not_quoted() -> None:
    text = """\
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {password: "hunter2!", token: 12345}
type: [geheim]
"""
    found = " ".join(map(str, problems(text)))
    assert "data.password" in found
    assert "data.token" in found
    for value in ("hunter2", "12345", "geheim"):
        assert value not in found


@dataclass
class Plain:
    obj: dict[str, Any]
    origin: Origin

    def locate(self, path: Sequence[str | int], *, value: bool = False) -> Origin:
        return Origin(self.origin.source, len(path), 1)


def test_no_more_problems_than_a_person_reads() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {str(number): number for number in range(10_000)},
    }
    found = validate([Plain(obj, Origin("a.yaml"))], offline_schemas())
    assert 100 <= len(found) <= 102


def test_deprecated_versions_are_warned_about_and_removed_ones_refused() -> None:
    text = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n"
    documents = parse(text, "a.yaml")
    (warning,) = deprecations(documents, 37)
    assert "deprecated since Kubernetes 1.33" in warning.message
    assert warning.hint == "use discovery.k8s.io/v1 (as EndpointSlice)"
    assert deprecations(documents, 32) == []
    assert problems(text) == []


def test_group_versions_needed() -> None:
    objects = [deployment(), {"apiVersion": "v1", "kind": "Pod"}, {"kind": "x"}]
    assert group_versions_needed(objects) == {GroupVersion("apps", "v1"), GroupVersion("", "v1")}


def test_documents_are_loaded_when_a_kind_needs_them() -> None:
    loaded: list[GroupVersion] = []
    offline = offline_schemas()

    def load(group_version: GroupVersion) -> object:
        loaded.append(group_version)
        document = offline.document(group_version)
        return {"components": {"schemas": document.components}} if document else None

    source = OpenAPISource(load, [GroupVersion("apps", "v1"), GroupVersion("", "v1")])
    assert validate([Plain(deployment(), Origin("a"))], source) == []
    assert loaded == [GroupVersion("apps", "v1")]


def test_broken_documents_know_no_kinds() -> None:
    source = OpenAPISource.from_documents({GroupVersion("apps", "v1"): "not a document"})
    (problem,) = validate([Plain(deployment(), Origin("a"))], source)
    assert problem.message == "no schema for Deployment in apps/v1"


def test_the_bundled_version_is_recorded() -> None:
    assert offline_version() == "v1.37.2"
