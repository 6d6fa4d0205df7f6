"""Why an object is not healthy, as data: the cause, its Pods, events and logs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kapply.errors import Origin
from kapply.meta import ObjectRef

if TYPE_CHECKING:
    from kapply.kstatus import Status


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container of a Pod that is not well.

    Attributes:
        name: the container.
        state: "waiting CrashLoopBackOff", "running, not ready", "ended with 1 (Error)".
        message: what the kubelet says of it.
        restarts: how often it was started anew.
        last: how it ended the last time, for one that restarts; "" for never.
        failing: its log may say why.
        previous: the log that tells is that of the run before this one.
    """

    name: str
    state: str
    message: str = ""
    restarts: int = 0
    last: str = ""
    failing: bool = False
    previous: bool = False


@dataclass(frozen=True, slots=True)
class PodState:
    """One Pod that is not well; `alike` counts the others that say the same."""

    ref: ObjectRef
    phase: str
    reason: str = ""
    message: str = ""
    containers: tuple[ContainerState, ...] = ()
    alike: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    """An Event of the object or of what belongs to it; `when` is RFC 3339, "" if unknown."""

    when: str
    type: str
    reason: str
    about: str
    message: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class LogTail:
    """The end of a container's log; `note` says why there is none."""

    pod: str
    container: str
    lines: tuple[str, ...] = ()
    note: str = ""
    previous: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was found out about one object that is not healthy.

    Attributes:
        ref: which object.
        status: its status when the wait ended.
        message: what its status says.
        cause: what most likely keeps it from being healthy; never empty.
        origin: where it stands in the input.
        notes: what could not be looked at, and why.
    """

    ref: ObjectRef
    status: Status
    message: str
    cause: str
    origin: Origin | None = None
    pods: tuple[PodState, ...] = ()
    events: tuple[EventLine, ...] = ()
    logs: tuple[LogTail, ...] = ()
    notes: tuple[str, ...] = ()
