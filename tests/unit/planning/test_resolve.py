from __future__ import annotations

from kapply.client import encode
from kapply.discovery import GroupVersionResources, RESTMapper
from kapply.errors import Problem, Status
from kapply.manifests.documents import parse
from kapply.meta import GroupVersion, GroupVersionKind, RESTMapping
from kapply.planning.model import Action, Change, Desired
from kapply.planning.order import deletion_waves, waves
from kapply.planning.pending import Pending, written
from kapply.planning.resolve import Resolver


def served(*mappings: RESTMapping) -> RESTMapper:
    return RESTMapper([GroupVersionResources(m.gvk.group_version, (m,)) for m in mappings])


def mapping(api_version: str, kind: str, plural: str, *, namespaced: bool = True) -> RESTMapping:
    return RESTMapping(GroupVersionKind.parse(api_version, kind), plural, namespaced)


MAPPER = served(
    mapping("v1", "ConfigMap", "configmaps"),
    mapping("v1", "ServiceAccount", "serviceaccounts"),
    mapping("v1", "Namespace", "namespaces", namespaced=False),
    mapping("apps/v1", "Deployment", "deployments"),
    mapping(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
    ),
)

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: crontabs, kind: CronTab}
  versions: [{name: v1, served: true}]
"""


def resolve(
    text: str, *, namespace: str = "default", enforce: bool = False, keep: bool = False
) -> tuple[list[Desired], list[Problem]]:
    resolver = Resolver(
        MAPPER, namespace, enforce_namespace=enforce, encode=encode, keep_unknown=keep
    )
    return resolver.resolve(parse(text, "f.yaml"))


def test_namespaces_are_filled_in_where_they_belong() -> None:
    desired, problems = resolve(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns1}\n"
    )
    assert problems == []
    assert [d.ref.namespace for d in desired] == ["default", "other", ""]
    assert desired[0].obj["metadata"]["namespace"] == "default"
    assert b'"namespace":"default"' in desired[0].body
    assert "namespace" not in desired[2].obj["metadata"]


def test_the_same_object_twice_is_a_problem_that_names_both_places() -> None:
    _, problems = resolve(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n"
    )
    (problem,) = problems
    assert problem.origin is not None
    assert (problem.origin.line, problem.also[0].line) == (5, 1)


def test_generated_names_are_never_the_same_object() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n"
    desired, problems = resolve(f"{text}---\n{text}")
    assert (len(desired), problems) == (2, [])


def test_a_namespace_that_contradicts_the_flag() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: other\n"
    _, (problem,) = resolve(text, namespace="mine", enforce=True)
    assert "other" in problem.message
    assert "mine" in problem.message
    assert problem.origin is not None
    assert problem.origin.line == 5
    assert resolve(text, namespace="mine")[1] == []


def test_a_cluster_scoped_object_takes_no_namespace() -> None:
    _, (problem,) = resolve("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n")
    assert "cluster-scoped" in problem.message


def test_an_unknown_kind_says_what_is_close() -> None:
    _, (problem,) = resolve(
        "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\n"
    )
    assert problem.origin is not None
    assert (problem.origin.line, problem.field) == (2, "")
    assert "apps/v1 Deployment" in problem.hint


def test_what_is_to_be_deleted_may_be_of_a_kind_that_is_gone() -> None:
    text = "apiVersion: gone.example.com/v1\nkind: Gone\nmetadata: {name: a}\n"
    desired, problems = resolve(text, keep=True)
    assert problems == []
    assert desired[0].pending.startswith("CustomResourceDefinition")


def test_names_that_are_no_path_are_refused_before_any_request() -> None:
    _, (problem,) = resolve("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../x}\n")
    assert "../x" in problem.message


def test_custom_resources_are_served_by_the_crd_of_the_same_input() -> None:
    desired, problems = resolve(
        "apiVersion: example.com/v1\nkind: CronTab\nmetadata: {name: a}\n---" + CRD
    )
    assert problems == []
    assert desired[0].mapping.resource == "crontabs"
    assert desired[0].pending == "CustomResourceDefinition crontabs.example.com"
    assert desired[1].pending == ""


def test_waves_and_their_reverse() -> None:
    desired, _ = resolve(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: ns1}\n"
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ns1}\n"
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ns1}\n"
        "---\napiVersion: example.com/v1\nkind: CronTab\nmetadata: {name: a}\n---" + CRD
    )
    kinds = [[d.ref.gvk.kind for d in wave] for wave in waves(desired)]
    assert kinds == [
        ["Namespace", "CustomResourceDefinition"],
        ["ConfigMap"],
        ["Deployment", "CronTab"],
    ]
    backwards = [[d.ref.gvk.kind for d in wave] for wave in deletion_waves(desired)]
    assert backwards == [[*reversed(wave)] for wave in reversed(kinds)]
    assert desired[0].pending == "Namespace ns1"


def test_a_refusal_that_the_input_explains_is_not_yet_wrong() -> None:
    desired, _ = resolve(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: ns1}\n"
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: ns1}\n"
    )

    def waits(message: str, action: Action = Action.CREATE) -> list[str]:
        change = Change(
            desired[1].ref, Action.INVALID, desired[1], status=Status(403, "Forbidden", message)
        )
        pending = Pending(written([Change(desired[0].ref, action, desired[0]), change]))
        return [str(ref) for ref in pending.explained(change)]

    text = "error looking up service account {}: serviceaccount not found"
    assert waits(text.format("ns1/robot")) == ["ServiceAccount robot in ns1"]
    assert waits(text.format("ns1/robot"), Action.UNCHANGED) == []
    assert waits(text.format("other/robot")) == []
    assert waits(text.format("n/human")) == []
    assert waits("exceeded quota") == []


def test_group_versions_that_cannot_be_reached_are_said_so() -> None:
    mapper = RESTMapper([], {GroupVersion("metrics.k8s.io", "v1"): "no endpoints"})
    resolver = Resolver(mapper, "default", enforce_namespace=False, encode=encode)
    _, (problem,) = resolver.resolve(
        parse("apiVersion: metrics.k8s.io/v1\nkind: X\nmetadata: {name: a}\n", "f.yaml")
    )
    assert "no endpoints" in problem.message
