"""Waves: by kind, by what is inferred and declared; circles and contradictions are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kapply.errors import Origin
from kapply.meta import RESTMapping, ref_of
from kapply.planning.model import Desired
from kapply.planning.order import arrange, deletion_waves, waves

DEPENDS = "config.kubernetes.io/depends-on"


def item(
    kind: str,
    name: str,
    *,
    api: str = "v1",
    namespace: str = "",
    annotations: dict[str, str] | None = None,
    **more: Any,
) -> Desired:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = annotations
    obj = {"apiVersion": api, "kind": kind, "metadata": metadata, **more}
    ref = ref_of(obj)
    mapping = RESTMapping(ref.gvk, f"{kind.lower()}s", bool(namespace))
    origin = Origin("x.yaml", 1)
    return Desired(obj, b"", mapping, ref, origin, lambda _path: origin)


def names(items: Sequence[Desired]) -> list[list[str]]:
    return [[one.ref.name for one in wave] for wave in waves(items)]


def crd(kind: str, group: str) -> Desired:
    spec = {"group": group, "names": {"kind": kind}}
    return item("CustomResourceDefinition", f"{kind}-crd", api="apiextensions.k8s.io/v1", spec=spec)


def config(name: str, **annotations: str) -> Desired:
    return item("ConfigMap", name, namespace="a", annotations=annotations)


def test_kinds_go_in_the_order_of_what_needs_what() -> None:
    given = [
        item("Deployment", "web", api="apps/v1", namespace="a"),
        item("ConfigMap", "settings", namespace="a"),
        item("Service", "front", namespace="a"),
        item("Namespace", "a"),
        item("Ingress", "in", api="networking.k8s.io/v1", namespace="a"),
    ]
    assert names(given) == [["a"], ["settings"], ["front"], ["web"], ["in"]]
    assert [[one.ref.name for one in wave] for wave in deletion_waves(given)] == [
        ["in"],
        ["web"],
        ["front"],
        ["settings"],
        ["a"],
    ]


def test_a_declared_dependency_comes_before_the_order_of_kinds() -> None:
    given = [
        config("after", **{DEPENDS: "apps/namespaces/a/Deployment/web"}),
        item("Deployment", "web", api="apps/v1", namespace="a"),
        item("Job", "last", api="batch/v1", namespace="a", annotations={DEPENDS: "/a/x/b"}),
    ]
    order = arrange(given)
    assert [p.message for p in order.problems] == [
        f"{DEPENDS} has '/a/x/b', expected GROUP/namespaces/NAMESPACE/KIND/NAME or GROUP/KIND/NAME"
    ]
    assert names(given[:2]) == [["web"], ["after"]]


def test_a_cluster_scoped_dependency_has_three_parts() -> None:
    role = item("ClusterRole", "r", api="rbac.authorization.k8s.io/v1")
    key = "rbac.authorization.k8s.io/ClusterRole/r"
    assert names([config("c", **{DEPENDS: key}), role]) == [["r"], ["c"]]


@pytest.mark.parametrize("annotation", ["argocd.argoproj.io/sync-wave", "kapply.dev/wave"])
def test_declared_waves_go_before_kinds(annotation: str) -> None:
    given = [
        config("second", **{annotation: "1"}),
        item("Deployment", "first", api="apps/v1", namespace="a", annotations={annotation: "-1"}),
        config("between"),
    ]
    assert names(given) == [["first"], ["between"], ["second"]]


def test_our_own_wave_goes_before_argos() -> None:
    both = config("c", **{"kapply.dev/wave": "2", "argocd.argoproj.io/sync-wave": "-5"})
    assert names([both, config("d")]) == [["d"], ["c"]]


def test_what_declares_no_wave_goes_where_those_it_belongs_to_need_it() -> None:
    early = item(
        "ConfigMap", "early", namespace="a", annotations={"argocd.argoproj.io/sync-wave": "-3"}
    )
    assert names([early, item("Namespace", "a")]) == [["a"], ["early"]]
    late = crd("Widget", "w.io")
    late.obj["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": "4"}
    widget = item("Widget", "one", api="w.io/v1", namespace="b")
    assert names([widget, late]) == [["Widget-crd"], ["one"]]


def test_a_wave_before_its_own_dependency_is_a_contradiction() -> None:
    namespace = item("Namespace", "a", annotations={"kapply.dev/wave": "2"})
    order = arrange([config("c", **{"kapply.dev/wave": "1"}), namespace])
    assert [str(problem) for problem in order.problems] == [
        "x.yaml:1:1  ConfigMap c in a: is in wave 1 and needs Namespace a (its namespace), which"
        " comes later, in wave 2, change one of the waves (also x.yaml:1:1)"
    ]


def test_a_wave_that_is_no_number_is_told() -> None:
    (problem,) = arrange([config("c", **{"kapply.dev/wave": "first"})]).problems
    assert problem.message == "kapply.dev/wave is 'first', expected a whole number"


def test_a_webhook_comes_after_its_service_and_what_is_behind_it() -> None:
    labels = {"app": "hook", "more": "x"}
    template = {"metadata": {"labels": labels}}
    hook = item(
        "ValidatingWebhookConfiguration",
        "hook",
        api="admissionregistration.k8s.io/v1",
        webhooks=[{"clientConfig": {"service": {"namespace": "a", "name": "svc"}}}],
    )
    service = item("Service", "svc", namespace="a", spec={"selector": {"app": "hook"}})
    behind = item("Deployment", "d", api="apps/v1", namespace="a", spec={"template": template})
    behind.obj["metadata"]["annotations"] = {"kapply.dev/wave": "3"}
    order = arrange([hook, service, behind, config("other")])
    assert {(e.dependent, e.dependency, e.why) for e in order.edges} == {
        (0, 1, "its Service"),
        (0, 2, "behind its Service"),
    }
    assert [[order.items[p].ref.name for p in wave] for wave in order.waves] == [
        ["other"],
        ["svc"],
        ["d"],
        ["hook"],
    ]


def test_each_circle_is_named_once() -> None:
    def needs(*of: str) -> dict[str, str]:
        return {DEPENDS: ",".join(f"/namespaces/a/ConfigMap/{name}" for name in of)}

    given = [
        config("a", **needs("b")),
        config("b", **needs("a")),
        config("c", **needs("d")),
        config("d", **needs("c", "e")),
        config("e"),
        config("behind", **needs("a")),
    ]
    order = arrange(given)
    assert order.waves == ()
    assert [p.message.removeprefix("waits for itself: ") for p in order.problems] == [
        "ConfigMap a in a → ConfigMap b in a → ConfigMap a in a",
        "ConfigMap c in a → ConfigMap d in a → ConfigMap c in a",
    ]
    # Whoever cannot refuse it still gets some order.
    assert names(given) == [["a", "b", "c", "d", "e", "behind"]]


def test_what_is_not_in_the_input_is_a_note() -> None:
    order = arrange([config("a", **{DEPENDS: "/namespaces/a/ConfigMap/b"})])
    assert not order.problems
    assert [note.message for note in order.notes] == [
        "depends on /namespaces/a/ConfigMap/b, which is not in the input"
    ]


def test_what_depends_on_something_is_found_through_others() -> None:
    given = [
        item("Namespace", "a"),
        config("x"),
        config("y", **{DEPENDS: "/namespaces/a/ConfigMap/x"}),
        item("ConfigMap", "z", namespace="other"),
    ]
    order = arrange(given)
    assert order.dependents_of([0]) == {1: 0, 2: 0}
    assert order.dependents_of([1]) == {2: 1}


def test_a_long_chain_is_no_trouble() -> None:
    chain = [config("n-0")] + [
        config(f"n-{n}", **{DEPENDS: f"/namespaces/a/ConfigMap/n-{n - 1}"}) for n in range(1, 5000)
    ]
    assert names(chain) == [[f"n-{n}"] for n in range(5000)]
    chain[0] = config("n-0", **{DEPENDS: "/namespaces/a/ConfigMap/n-4999"})
    (problem,) = arrange(chain).problems
    assert "… 4993 more …" in problem.message
