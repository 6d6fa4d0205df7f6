"""Find out why an object is not healthy: its Pods, its Events, its logs; the cause first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kapply.client import Client
from kapply.engine.diagnosis import ContainerState, Diagnosis, EventLine, LogTail, PodState
from kapply.engine.health_facts import (
    EVENT,
    POD,
    REPLICA_SET,
    current_pods,
    owner_uid,
    selector_of,
)
from kapply.engine.pod_states import grouped, is_well, pod_state
from kapply.engine.waiter import what_holds
from kapply.errors import KapplyError, NotFoundError, ServerError, UnreachableError
from kapply.kstatus import Result, Status
from kapply.kstatus.model import condition, dig
from kapply.meta import JsonObject, ObjectRef, Request, RESTMapping
from kapply.query.field_selectors import escape_field_value

LOG_LINES = 25
#: A log line may be long; so much of all of them is read.
LOG_BYTES = 32 * 1024
#: The kubelet behind the log endpoint may be away: a screen does not wait long for it.
LOG_SECONDS = 3.0
MAX_PODS = 5
MAX_LOGS = 4
MAX_EVENTS = 10
#: Events and Pods of one object that are read at most.
MAX_READ = 500

# What every object goes through. Warnings are never routine.
ROUTINE_REASONS = frozenset(
    ("Scheduled", "Pulling", "Pulled", "Created", "Started", "SuccessfulCreate",
     "SuccessfulDelete", "SuccessfulAttachVolume", "ScalingReplicaSet", "Completed",
     "SandboxChanged", "NoPods", "ExternalProvisioning")
)  # fmt: skip

_SELECTED = frozenset(("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"))


class Examiner:
    """Looks closely at objects that are not healthy; what cannot be read is a note.

    Args:
        client: the server.
        now: the time, with a time zone.
    """

    def __init__(self, client: Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now

    def examine(
        self,
        mapping: RESTMapping,
        ref: ObjectRef,
        obj: JsonObject,
        result: Result,
        origin: Any = None,
    ) -> Diagnosis:
        """Everything that can be found out about `obj`, whose status is `result`."""
        notes: list[str] = []
        replica_sets = self._replica_sets(obj, ref, notes)
        pods = self._pods(obj, ref, replica_sets, notes)
        now = self._now()
        states = grouped(pod_state(pod, now) for pod in pods if not is_well(pod, now))
        unwell = {state.ref.name for state in states[:MAX_PODS]}
        uids = [str(obj["metadata"].get("uid") or "")]
        uids += [str(rs["metadata"].get("uid") or "") for rs in replica_sets]
        uids += [
            str(pod["metadata"].get("uid") or "")
            for pod in pods
            if pod["metadata"].get("name") in unwell
        ]
        events = self._events(ref.namespace, uids, notes)
        return Diagnosis(
            ref,
            result.status,
            result.message,
            _cause(obj, result, states, replica_sets, events),
            origin,
            tuple(states[:MAX_PODS]),
            tuple(events[-MAX_EVENTS:]),
            tuple(self._logs(states)),
            tuple(dict.fromkeys(notes)),
        )

    # --- what belongs to it ---------------------------------------------------------------

    def _read(
        self,
        mapping: RESTMapping,
        namespace: str,
        notes: list[str],
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[JsonObject]:
        try:
            page = next(
                self._client.pages(
                    mapping,
                    namespace,
                    label_selector=label_selector,
                    field_selector=field_selector,
                    limit=MAX_READ,
                )
            )
        except KapplyError as error:
            notes.append(f"{mapping.resource} cannot be read: {error.message}")
            return []
        return page.items

    def _replica_sets(self, obj: JsonObject, ref: ObjectRef, notes: list[str]) -> list[JsonObject]:
        """The ReplicaSet of a Deployment's present template."""
        if ref.gvk.group_kind != ("apps", "Deployment"):
            return []
        selector = selector_of(obj)
        if selector.nothing:
            return []
        found = self._read(REPLICA_SET, ref.namespace, notes, label_selector=str(selector))
        uid = obj["metadata"].get("uid")
        mine = [rs for rs in found if owner_uid(rs) == uid]
        return sorted(mine, key=_revision)[-1:]

    def _pods(
        self, obj: JsonObject, ref: ObjectRef, replica_sets: list[JsonObject], notes: list[str]
    ) -> list[JsonObject]:
        if ref.gvk.group_kind == ("", "Pod"):
            return [obj]
        selector = selector_of(obj)
        if ref.gvk.kind not in _SELECTED or selector.nothing:
            return []
        found = self._read(POD, ref.namespace, notes, label_selector=str(selector))
        if ref.gvk.kind == "Deployment":
            owners = {rs["metadata"].get("uid") for rs in replica_sets}
            return [pod for pod in found if owner_uid(pod) in owners]
        return current_pods(obj, found, ())

    # --- events ---------------------------------------------------------------------------

    def _events(self, namespace: str, uids: list[str], notes: list[str]) -> list[EventLine]:
        """Events that are not routine, oldest first; of cluster-scoped objects in `default`."""
        found: dict[tuple[str, ...], tuple[str, EventLine]] = {}
        for uid in dict.fromkeys(uid for uid in uids if uid):
            listed = self._read(
                EVENT,
                namespace or "default",
                notes,
                field_selector=f"involvedObject.uid={escape_field_value(uid)}",
            )
            for event in listed:
                line = _event_line(event)
                if line.type != "Warning" and line.reason in ROUTINE_REASONS:
                    continue
                key = (line.type, line.reason, line.about, line.message)
                before = found.get(key)
                if before is None or before[0] < line.when:
                    found[key] = (line.when, line)
        return [line for _, line in sorted(found.values(), key=lambda pair: pair[0])]

    # --- logs -----------------------------------------------------------------------------

    def _logs(self, states: list[PodState]) -> Iterator[LogTail]:
        wanted = [
            (state, container)
            for state in states
            for container in state.containers
            if container.failing
        ]
        away = ""
        for state, container in wanted[:MAX_LOGS]:
            if away:
                name = state.ref.name
                yield LogTail(name, container.name, (), away, container.previous)
                continue
            tail, unreachable = self._log(state.ref, container)
            away = tail.note if unreachable else ""
            yield tail

    def _log(self, pod: ObjectRef, container: ContainerState) -> tuple[LogTail, bool]:
        query = [
            ("container", container.name),
            ("tailLines", str(LOG_LINES)),
            ("limitBytes", str(LOG_BYTES)),
        ]
        if container.previous:
            query.append(("previous", "true"))
        lines: tuple[str, ...] = ()
        note, unreachable = "", False
        try:
            path = POD.path(pod.namespace, pod.name, "log")
            request = Request(
                "GET", path, tuple(query), {"Accept": "text/plain, */*"}, timeout=LOG_SECONDS
            )
            body = self._client.request(request).body[: 2 * LOG_BYTES]
            lines = tuple(body.decode("utf-8", "replace").splitlines()[-LOG_LINES:])
            note = "" if lines else "it is empty"
        except UnreachableError:
            note, unreachable = f"the Node did not give it within {LOG_SECONDS:g} s", True
        except NotFoundError as error:
            note = error.message
        except ServerError as error:
            # The server names the kubelet's URL first; what went wrong stands behind it.
            why = error.message.rpartition('": ')[2]
            note, unreachable = f"the Node did not give it: {why}", True
        except (KapplyError, ValueError) as error:
            note = str(error)
        return LogTail(pod.name, container.name, lines, note, container.previous), unreachable


def _cause(
    obj: JsonObject,
    result: Result,
    pods: list[PodState],
    replica_sets: list[JsonObject],
    events: list[EventLine],
) -> str:
    """What most likely keeps an object from being healthy, the most particular first."""
    if dig(obj, "metadata", "deletionTimestamp"):
        held = what_holds(obj)
        return f"it is being deleted: held by {held}" if held else "it is being deleted"
    for owner in (obj, *replica_sets):
        failure = condition(owner, "ReplicaFailure")
        if failure is not None and failure.status == "True":
            return f"Pods are refused: {failure.why('no reason is given')}"
    own = obj.get("kind") == "Pod"
    for pod in pods:
        if pod.cause:
            return pod.cause if own else f"Pod {pod.ref.name}: {pod.cause}"
    warnings = [line for line in events if line.type == "Warning"]
    if warnings and result.status is not Status.FAILED:
        last = warnings[-1]
        about = "" if last.about.endswith(f"/{dig(obj, 'metadata', 'name')}") else f"{last.about}: "
        return f"{about}{last.reason}: {last.message}"
    if obj.get("kind") == "PersistentVolumeClaim" and not dig(obj, "spec", "storageClassName"):
        return f"{result.message}: it names no StorageClass, and there is no default one"
    return result.message or result.status.value


def _event_line(event: Mapping[str, Any]) -> EventLine:
    """An Event of either form: count and lastTimestamp, or series and eventTime (KEP-383)."""
    series = event.get("series") or {}
    when = (
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or (event.get("metadata") or {}).get("creationTimestamp")
        or ""
    )
    about = event.get("involvedObject") or {}
    count = series.get("count") or event.get("count") or 1
    return EventLine(
        str(when),
        str(event.get("type") or ""),
        str(event.get("reason") or ""),
        f"{str(about.get('kind') or '').lower()}/{about.get('name') or ''}",
        str(event.get("message") or "").strip(),
        count if isinstance(count, int) else 1,
    )


def _revision(replica_set: JsonObject) -> int:
    notes = replica_set["metadata"].get("annotations") or {}
    text = str(notes.get("deployment.kubernetes.io/revision") or "0")
    return int(text) if text.isascii() and text.isdigit() else 0
