"""Waves: which objects are written together, and after which others.

Namespaces and CRDs come first because nothing in them can exist before; then what workloads
read or run under, then workloads, then what stands in front of them. Webhooks and APIServices
come last, because they can refuse or answer for everything that is written after them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kapply.errors import Problem
from kapply.meta import GroupKind, ObjectRef
from kapply.planning.graph import Edge, dependencies
from kapply.planning.model import Change, Desired

_WAVES: tuple[tuple[tuple[str, str], ...], ...] = (
    (("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")),
    (
        ("scheduling.k8s.io", "PriorityClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("storage.k8s.io", "StorageClass"),
        ("networking.k8s.io", "IngressClass"),
        ("", "ResourceQuota"),
        ("", "LimitRange"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("", "ServiceAccount"),
        ("", "Secret"),
        ("", "ConfigMap"),
        ("", "PersistentVolume"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "Role"),
    ),
    (
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
        ("", "PersistentVolumeClaim"),
        ("", "Service"),
        ("policy", "PodDisruptionBudget"),
    ),
    # Every kind that is not named stands with the workloads: wave 3.
    (),
    (
        ("autoscaling", "HorizontalPodAutoscaler"),
        ("networking.k8s.io", "Ingress"),
    ),
    (
        ("apiregistration.k8s.io", "APIService"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ),
)

_DEFAULT_RANK = 3
_RANK = {GroupKind(*pair): rank for rank, wave in enumerate(_WAVES) for pair in wave}

#: What the wave after the first needs to exist: the engine waits for these.
GATES = frozenset(GroupKind(*pair) for pair in _WAVES[0])
#: More cycles than these are not looked for: those found have to be broken first.
MOST_CYCLES = 10


def rank(group_kind: GroupKind) -> int:
    """The place of a kind in the order of kinds, from 0."""
    return _RANK.get(group_kind, _DEFAULT_RANK)


@dataclass(frozen=True, slots=True)
class Order:
    """The order an input is written in.

    Attributes:
        items: the objects, in the order of the input.
        waves: positions of `items`, wave by wave; all of them unless there are problems.
        edges: dependencies that were found.
        problems: cycles, contradictions and annotations that cannot be read.
        notes: dependencies that nothing in the input meets.
    """

    items: tuple[Desired, ...]
    waves: tuple[tuple[int, ...], ...]
    edges: tuple[Edge, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    def dependents_of(self, positions: Iterable[int]) -> dict[int, int]:
        """Everything that depends on `positions`, directly or not: which one of them it was."""
        after: dict[int, list[int]] = {}
        for edge in self.edges:
            after.setdefault(edge.dependency, []).append(edge.dependent)
        found: dict[int, int] = {}
        work = [(position, position) for position in positions]
        while work:
            position, cause = work.pop()
            for dependent in after.get(position, ()):
                if dependent not in found:
                    found[dependent] = cause
                    work.append((dependent, cause))
        return found


def arrange(desired: Iterable[Desired], more: Iterable[tuple[ObjectRef, ObjectRef]] = ()) -> Order:
    """The waves of an input: by declared wave, then by kind, never before a dependency.

    Who declares no wave is in wave 0, or as late as its dependencies and as early as its
    dependents ask for.

    Args:
        desired: the objects.
        more: dependencies known from elsewhere, the dependent first.
    """
    items = tuple(desired)
    found = dependencies(items, more)
    problems = list(found.problems)
    needs: list[list[int]] = [[] for _ in items]
    for edge in found.edges:
        needs[edge.dependent].append(edge.dependency)
    sequence = _sequence(needs)
    while len(sequence) < len(items) and len(problems) < MOST_CYCLES:
        cycle = _cycle(needs, set(range(len(items))) - set(sequence))
        problems.append(_cycle_problem(items, cycle))
        # Without its last step the rest may hold another one.
        needs[cycle[-1]].remove(cycle[0])
        sequence = _sequence(needs)
    if problems:
        return Order(items, (), found.edges, tuple(problems), found.notes)
    wave = _declared_waves(sequence, needs, found.declared_waves)
    problems += [
        _contradiction(items, edge, wave)
        for edge in found.edges
        if wave[edge.dependency] > wave[edge.dependent]
    ]
    level: dict[int, int] = {}
    grouped: dict[tuple[int, int], list[int]] = {}
    for position in sequence:
        earlier = (level[n] + 1 for n in needs[position] if wave[n] == wave[position])
        level[position] = max((rank(items[position].ref.gvk.group_kind), *earlier))
    for position in range(len(items)):
        grouped.setdefault((wave[position], level[position]), []).append(position)
    waves_ = tuple(tuple(grouped[key]) for key in sorted(grouped))
    return Order(items, waves_, found.edges, tuple(problems), found.notes)


def order_of(changes: Sequence[Change]) -> Order:
    """The order of changes that all have an object of the input; positions are those of it."""
    return arrange(
        (change.desired for change in changes if change.desired),
        ((change.ref, other) for change in changes for other in change.waits_for),
    )


def waves(desired: Iterable[Desired]) -> list[list[Desired]]:
    """The objects in the waves they are written in; within a wave in the order of the input."""
    order = arrange(desired)
    if not order.problems:
        return [[order.items[position] for position in wave] for wave in order.waves]
    # Whoever cannot refuse the input goes by kind alone.
    grouped: dict[int, list[Desired]] = {}
    for item in order.items:
        grouped.setdefault(rank(item.ref.gvk.group_kind), []).append(item)
    return [grouped[number] for number in sorted(grouped)]


def deletion_waves(desired: Sequence[Desired]) -> list[list[Desired]]:
    """The waves of a deletion: the reverse, and custom resources before their CRDs."""
    return [list(reversed(wave)) for wave in reversed(waves(desired))]


def _sequence(needs: Sequence[Sequence[int]]) -> list[int]:
    """Every position after what it needs (Kahn); those on or behind a cycle are missing."""
    missing = [len(of) for of in needs]
    after: list[list[int]] = [[] for _ in needs]
    for dependent, of in enumerate(needs):
        for dependency in of:
            after[dependency].append(dependent)
    ready = [position for position, count in enumerate(missing) if not count]
    for position in ready:
        for dependent in after[position]:
            missing[dependent] -= 1
            if not missing[dependent]:
                ready.append(dependent)
    return ready


def _cycle(needs: Sequence[Sequence[int]], left: set[int]) -> list[int]:
    """One cycle among `left`, each of which needs another of them: each needs the next."""
    path: list[int] = []
    place: dict[int, int] = {}
    position = min(left)
    while position not in place:
        place[position] = len(path)
        path.append(position)
        position = next(n for n in needs[position] if n in left)
    return path[place[position] :]


def _declared_waves(
    sequence: Sequence[int], needs: Sequence[Sequence[int]], declared: Mapping[int, int]
) -> dict[int, int]:
    wave: dict[int, int] = {}
    for position in sequence:
        later = max((wave[n] for n in needs[position]), default=0)
        wave[position] = declared.get(position, max(0, later))
    for position in reversed(sequence):
        for dependency in needs[position]:
            if dependency not in declared:
                wave[dependency] = min(wave[dependency], wave[position])
    return wave


def _cycle_problem(items: Sequence[Desired], cycle: Sequence[int]) -> Problem:
    names = [str(items[position].ref) for position in cycle]
    shown = [*names, names[0]]
    if len(shown) > 9:
        shown = [*shown[:4], f"… {len(shown) - 8} more …", *shown[-4:]]
    return Problem(
        f"waits for itself: {' → '.join(shown)}",
        items[cycle[0]].origin,
        names[0],
        hint="take one of the dependencies away",
        also=tuple(items[position].origin for position in cycle[1:4]),
    )


def _contradiction(items: Sequence[Desired], edge: Edge, wave: Mapping[int, int]) -> Problem:
    dependent, dependency = items[edge.dependent], items[edge.dependency]
    what = dependency.ref if edge.why == "declared" else f"{dependency.ref} ({edge.why})"
    return Problem(
        f"is in wave {wave[edge.dependent]} and needs {what},"
        f" which comes later, in wave {wave[edge.dependency]}",
        dependent.origin,
        str(dependent.ref),
        hint="change one of the waves",
        also=(dependency.origin,),
    )
