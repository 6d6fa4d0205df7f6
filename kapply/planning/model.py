"""A Plan and its Changes: what a run would do, as data, before anything is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from kapply.errors import EXIT_DIFFERENCES, EXIT_OK, EXIT_REFUSED, Origin, Status
from kapply.meta import GroupKind, JsonObject, ObjectRef, RESTMapping

Locate = Callable[[Sequence[str | int]], Origin]


class Action(Enum):
    """What a run does to one object. The value is what people and programs read."""

    CREATE = "create"
    UPDATE = "update"
    #: Same content, but the manager does not own the fields yet: a write records that.
    ADOPT = "adopt"
    UNCHANGED = "unchanged"
    #: Only replacing the object would bring the change about; `why` names the field.
    RECREATE = "recreate"
    #: Other managers own fields that the manifest sets to other values.
    CONFLICT = "conflict"
    #: The server refuses the object, or it cannot be planned; `why` says the reason.
    INVALID = "invalid"
    DELETE = "delete"


#: Kinds whose deletion takes data, or everything inside, with it.
HOLDS_DATA = frozenset(
    {
        GroupKind("", "PersistentVolumeClaim"),
        GroupKind("", "PersistentVolume"),
        GroupKind("", "Namespace"),
        GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"),
    }
)

#: Actions that end in a write.
WRITES = frozenset({Action.CREATE, Action.UPDATE, Action.ADOPT})
#: Actions that stop a run before its first write.
STOPS = frozenset({Action.RECREATE, Action.CONFLICT, Action.INVALID})


@dataclass(frozen=True, slots=True)
class Desired:
    """One object of the input, resolved: where it goes and where it came from.

    Attributes:
        obj: as it will be sent, with its namespace filled in.
        body: `obj` encoded once, its metadata first; each request for it sends these bytes, with
            preconditions put in where it is guarded.
        mapping: the resource that serves it.
        ref: its identity.
        origin: the place of the object in the input.
        locate: from a field path to its place in the input; costs a second parse.
        pending: what has to exist first and is brought by the same input ("Namespace team-a",
            "CustomResourceDefinition crontabs.example.com"); "" for nothing.
        left: what the manifest says and is left to others, in words (see planning.leaving).
    """

    obj: JsonObject
    body: bytes
    mapping: RESTMapping
    ref: ObjectRef
    origin: Origin
    locate: Locate
    pending: str = ""
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a conflict, refusal or recreate: the field, what is said of it, and by whom."""

    message: str
    field: str = ""
    manager: str = ""


class Seen(NamedTuple):
    """What a plan saw of an object: its uid and resourceVersion; both "" where it was not there.

    A write that is to happen only on what was seen carries them as preconditions: an update both,
    a create `resourceVersion: "1"`, which no object ever has (API conventions, "Concurrency
    Control and Consistency").
    """

    uid: str = ""
    resource_version: str = ""

    @property
    def present(self) -> bool:
        """Whether the object was there."""
        return bool(self.uid)


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one object, and why.

    Attributes:
        desired: the object of the input; None for a deletion.
        ref: which object.
        action: what is done.
        live: the object as the server has it; None when it is not there.
        result: what the server says it would become (a dry run); where `simulated`, what kapply
            makes of schema and defaults, because the server cannot be asked yet.
        why: the reason in words, for everything that is not obvious from the diff.
        causes: the reason field by field.
        deferred: nothing was asked of the server yet, because `desired.pending` (or `why`) has to
            exist first; it is dry-run just before its own wave.
        warnings: what the server warned about.
        status: the server's refusal, where there is one.
        simulated: `result`, or the verdict, is not the server's; apply asks it before it writes.
        waits_for: the objects of the same input that explain why it cannot be checked yet.
        takes_over: managers whose client-side applies become ours before the write.
        agreed: for a recreate, that the user agreed to it.
    """

    ref: ObjectRef
    action: Action
    desired: Desired | None = None
    live: JsonObject | None = None
    result: JsonObject | None = None
    why: str = ""
    causes: tuple[Cause, ...] = ()
    deferred: bool = False
    warnings: tuple[str, ...] = ()
    status: Status | None = None
    simulated: bool = False
    waits_for: tuple[ObjectRef, ...] = ()
    takes_over: tuple[str, ...] = ()
    agreed: bool = False

    @property
    def stops(self) -> bool:
        """Whether it stops a run before its first write."""
        return self.action in STOPS and not self.agreed

    @property
    def origin(self) -> Origin | None:
        """Where the object stands in the input."""
        return self.desired.origin if self.desired else None

    @property
    def destroys_data(self) -> bool:
        """Whether this takes data with it: a recreate of a volume, its claim, a Namespace, a CRD.

        Such an object is never recreated unless it is named.
        """
        return self.action is Action.RECREATE and self.ref.gvk.group_kind in HOLDS_DATA

    @property
    def seen(self) -> Seen:
        """The live object that this was decided on, or that there was none."""
        metadata = (self.live or {}).get("metadata") or {}
        return Seen(metadata.get("uid") or "", metadata.get("resourceVersion") or "")


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change of a run, in the order of the input."""

    changes: tuple[Change, ...]
    manager: str
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[Action]:
        """How many changes there are of each action."""
        return Counter(change.action for change in self.changes)

    @property
    def blocked(self) -> tuple[Change, ...]:
        """Changes that stop the run before its first write."""
        return tuple(change for change in self.changes if change.stops)

    @property
    def differs(self) -> bool:
        """Whether live objects and manifests differ in content."""
        return any(change.action not in (Action.UNCHANGED, Action.ADOPT) for change in self.changes)

    @property
    def exit_code(self) -> int:
        """How commands end that only show: 0 nothing to do, 1 differences, 4 it cannot be done."""
        if self.blocked:
            return EXIT_REFUSED
        return EXIT_DIFFERENCES if self.differs else EXIT_OK
