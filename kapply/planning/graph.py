"""What has to be there before what: dependencies between the objects of one input. Pure.

Inferred: an object needs its Namespace, a custom resource its CRD, a webhook configuration and an
APIService the Service they name and the workloads behind it. Declared, by annotations that other
tools know: config.kubernetes.io/depends-on (cli-utils), argocd.argoproj.io/sync-wave (Argo CD),
and kapply.dev/wave, which means the same and goes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kapply.errors import Problem
from kapply.meta import GroupKind, JsonObject, ObjectRef
from kapply.planning.model import Desired
from kapply.planning.resolve import CRD, NAMESPACE

DEPENDS_ON = "config.kubernetes.io/depends-on"
WAVE_ANNOTATIONS = ("kapply.dev/wave", "argocd.argoproj.io/sync-wave")

API_SERVICES = GroupKind("apiregistration.k8s.io", "APIService")
#: Kinds that answer for others through a Service.
FRONTS = frozenset(
    {
        API_SERVICES,
        GroupKind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        GroupKind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    }
)
_SERVICE = GroupKind("", "Service")
_WORKLOADS = (
    GroupKind("apps", "Deployment"),
    GroupKind("apps", "StatefulSet"),
    GroupKind("apps", "DaemonSet"),
    GroupKind("", "Pod"),
)

_Key = tuple[str, str, str, str]


class Edge(NamedTuple):
    """One dependency: positions in the input of what waits and of what it waits for, and why."""

    dependent: int
    dependency: int
    why: str


@dataclass(frozen=True, slots=True)
class Dependencies:
    """All dependencies of an input.

    Attributes:
        edges: each pair once.
        declared_waves: the wave of an object that names one, by its position.
        problems: annotations that cannot be read.
        notes: dependencies that are not in the input, so that nothing can be ordered by them.
    """

    edges: tuple[Edge, ...]
    declared_waves: Mapping[int, int]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def dependencies(
    items: Sequence[Desired], more: Iterable[tuple[ObjectRef, ObjectRef]] = ()
) -> Dependencies:
    """The dependencies among `items`; `more` are others that are known, dependent first."""
    by_key: dict[_Key, int] = {}
    crds: dict[tuple[str, str], int] = {}
    for position, item in enumerate(items):
        if item.ref.name:
            by_key.setdefault(item.ref.key, position)
        if item.ref.gvk.group_kind == CRD:
            crds.setdefault(_kind_of_crd(item.obj), position)
    behind = _Behind(items)
    edges: dict[tuple[int, int], str] = {}
    waves: dict[int, int] = {}
    problems: list[Problem] = []
    notes: list[Problem] = []
    for position, item in enumerate(items):
        for dependency, why in _inferred(item, behind, by_key, crds):
            if dependency != position:
                edges.setdefault((position, dependency), why)
        annotations = _map(item.obj["metadata"].get("annotations"))
        wave = _declared_wave(item, annotations, problems)
        if wave is not None:
            waves[position] = wave
        for text, key in _declared(item, annotations, problems):
            named = by_key.get(key)
            if named is None:
                place = _place(item, DEPENDS_ON)
                message = f"depends on {text}, which is not in the input"
                notes.append(Problem(message, place, str(item.ref)))
            else:
                edges[position, named] = "declared"
    for waiting, needed in more:
        left, right = by_key.get(waiting.key), by_key.get(needed.key)
        if left is not None and right is not None and left != right:
            edges.setdefault((left, right), "checked with it")
    found = tuple(Edge(*pair, why) for pair, why in edges.items())
    return Dependencies(found, waves, tuple(problems), tuple(notes))


def _inferred(
    item: Desired,
    behind: _Behind,
    by_key: Mapping[_Key, int],
    crds: Mapping[tuple[str, str], int],
) -> Iterator[tuple[int, str]]:
    gvk = item.ref.gvk
    crd = crds.get((gvk.group, gvk.kind))
    if crd is not None:
        yield crd, "its kind"
    if item.ref.namespace:
        namespace = by_key.get((*NAMESPACE, "", item.ref.namespace))
        if namespace is not None:
            yield namespace, "its namespace"
    if gvk.group_kind not in FRONTS:
        return
    for namespace_name, name in services_of(item.obj):
        service = by_key.get((*_SERVICE, namespace_name, name))
        if service is None:
            continue
        yield service, "its Service"
        for workload in behind(service):
            yield workload, "behind its Service"


def services_of(obj: JsonObject) -> list[tuple[str, str]]:
    """Namespace and name of each Service that a webhook configuration or APIService calls."""
    spec = _map(obj.get("spec"))
    clients = [spec] if obj.get("kind") == "APIService" else []
    webhooks = obj.get("webhooks")
    listed = webhooks if isinstance(webhooks, list) else []
    clients += [_map(_map(webhook).get("clientConfig")) for webhook in listed]
    found: dict[tuple[str, str], None] = {}
    for client in clients:
        service = _map(client.get("service"))
        namespace, name = service.get("namespace"), service.get("name")
        if isinstance(namespace, str) and isinstance(name, str):
            found[namespace, name] = None
    return list(found)


class _Behind:
    """Workloads whose Pods a Service selects, by the Service's position."""

    def __init__(self, items: Sequence[Desired]) -> None:
        self._items = items
        self._found: dict[int, list[int]] = {}

    def __call__(self, service: int) -> list[int]:
        if service not in self._found:
            self._found[service] = list(self._find(self._items[service]))
        return self._found[service]

    def _find(self, service: Desired) -> Iterator[int]:
        selector = _map(_map(service.obj.get("spec")).get("selector"))
        if not selector:
            return
        for position, item in enumerate(self._items):
            if item.ref.namespace != service.ref.namespace:
                continue
            if item.ref.gvk.group_kind not in _WORKLOADS:
                continue
            pod: Mapping[str, Any] = item.obj
            if item.ref.gvk.kind != "Pod":
                pod = _map(_map(item.obj.get("spec")).get("template"))
            labels = _map(_map(pod.get("metadata")).get("labels"))
            if selector.items() <= labels.items():
                yield position


def _kind_of_crd(obj: JsonObject) -> tuple[str, str]:
    spec = _map(obj.get("spec"))
    return str(spec.get("group")), str(_map(spec.get("names")).get("kind"))


def _declared_wave(
    item: Desired, annotations: Mapping[str, Any], problems: list[Problem]
) -> int | None:
    for name in WAVE_ANNOTATIONS:
        text = annotations.get(name)
        if text is None:
            continue
        try:
            return int(str(text)[:20])
        except ValueError:
            problems.append(
                Problem(
                    f"{name} is {str(text)[:40]!r}, expected a whole number",
                    _place(item, name),
                    str(item.ref),
                )
            )
    return None


def _declared(
    item: Desired, annotations: Mapping[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, _Key]]:
    """Each reference of depends-on, as written and as a key."""
    text = annotations.get(DEPENDS_ON)
    if not isinstance(text, str) or not text.strip():
        return
    for word in text.split(","):
        parts = word.strip().split("/")
        if len(parts) == 5 and parts[1] == "namespaces" and all(parts[2:]):
            yield word.strip(), (parts[0], parts[3], parts[2], parts[4])
        elif len(parts) == 3 and all(parts[1:]):
            yield word.strip(), (parts[0], parts[1], "", parts[2])
        else:
            problems.append(
                Problem(
                    f"{DEPENDS_ON} has {word.strip()[:80]!r}, expected"
                    " GROUP/namespaces/NAMESPACE/KIND/NAME or GROUP/KIND/NAME",
                    _place(item, DEPENDS_ON),
                    str(item.ref),
                )
            )


def _place(item: Desired, annotation: str) -> Any:
    return item.locate(("metadata", "annotations", annotation))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
