"""Wait until the server has done what the next wave needs: established, active, gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from kapply.client import Client
from kapply.engine.events import Event, Waiting
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import NotFoundError, ServiceUnavailableError, UnhealthyError
from kapply.meta import JsonObject, ObjectRef, RESTMapping
from kapply.planning.resolve import CRD, NAMESPACE

Clock = Callable[[], float]
#: Seconds that a CRD or Namespace may take before the run gives up on it.
GATE_SECONDS = 60.0


def is_ready_to_use(obj: JsonObject) -> bool:
    """Whether a CRD is Established, or a Namespace Active; other kinds are at once."""
    kind = obj.get("kind")
    if kind == CRD.kind:
        conditions = (obj.get("status") or {}).get("conditions") or ()
        return any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions)
    if kind == NAMESPACE.kind:
        return (obj.get("status") or {}).get("phase") == "Active"
    return True


def why_not_ready(obj: JsonObject) -> str:
    """What a CRD or Namespace says of itself while it is not ready."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    bad = [c for c in conditions if c.get("status") == "False" and c.get("message")]
    return "; ".join(str(c["message"]) for c in bad)


def poll_until(
    check: Callable[[], bool], stop: Stop, seconds: float, clock: Clock = time.monotonic
) -> bool:
    """Call `check` with growing pauses until it is true; False at the deadline or on `stop`."""
    deadline = clock() + seconds
    delay = 0.02
    while not check():
        left = deadline - clock()
        if left <= 0 or stop.wait(min(delay, left)):
            return False
        delay = min(delay * 1.6, 1.0)
    return True


def wait_for_gates(
    client: Client,
    objects: Sequence[tuple[RESTMapping, JsonObject]],
    *,
    concurrency: int,
    stop: Stop,
    seconds: float = GATE_SECONDS,
) -> Iterator[Event]:
    """Wait until every CRD is Established and every Namespace Active, telling what is waited for.

    Raises:
        UnhealthyError: one is not in time; the message names it and what it says of itself.
    """
    waiting = [_Gate(client, m, obj) for m, obj in objects if not is_ready_to_use(obj)]
    for gate in waiting:
        word = "to be established" if gate.ref.gvk.kind == CRD.kind else "to be active"
        yield Waiting(gate.ref, word)
    failed = [
        gate.complaint()
        for gate, ready in run_parallel(
            lambda gate: poll_until(gate.is_open, stop, seconds) or bool(stop),
            waiting,
            concurrency=concurrency,
            stop=stop,
        )
        if not ready
    ]
    if failed:
        raise UnhealthyError(f"not ready after {seconds:g} s: {'; '.join(sorted(failed))}")


class _Gate:
    """One CRD or Namespace that the next wave needs.

    A large CRD is half a megabyte, so its discovery is asked for instead: the server lists a
    resource there as soon as its CRD is Established (apiextensions' discovery controller).
    """

    def __init__(self, client: Client, mapping: RESTMapping, obj: JsonObject) -> None:
        self._client = client
        self._mapping = mapping
        self._obj = obj
        self.ref = ObjectRef(mapping.gvk, "", obj["metadata"]["name"])
        self._served = _served_resources(obj) if mapping.gvk.kind == CRD.kind else None

    def is_open(self) -> bool:
        if self._served is None:
            self._obj = self._client.get(self._mapping, self.ref.name)
            return is_ready_to_use(self._obj)
        path, plural = self._served
        try:
            document = self._client.get_json(path)
        except (NotFoundError, ServiceUnavailableError):
            return False
        return any(r.get("name") == plural for r in document.get("resources") or ())

    def complaint(self) -> str:
        """What the object says of itself when it is not ready in time."""
        obj = self._client.get(self._mapping, self.ref.name)
        return f"{self.ref}: {why_not_ready(obj) or 'no reason given'}"


def _served_resources(crd: JsonObject) -> tuple[str, str] | None:
    """Where discovery lists the CRD's resource, and its name there; None if it serves nothing."""
    spec = crd["spec"]
    for version in spec.get("versions") or ():
        if version.get("served"):
            return f"/apis/{spec['group']}/{version['name']}", str(spec["names"]["plural"])
    return None


def what_holds(obj: JsonObject) -> str:
    """What keeps a terminating object alive: its finalizers, or a namespace's own conditions."""
    metadata = obj["metadata"]
    held = [f"finalizer {name}" for name in metadata.get("finalizers") or ()]
    conditions = (obj.get("status") or {}).get("conditions") or ()
    if obj.get("kind") == NAMESPACE.kind:
        held += [
            str(c.get("message") or c.get("type")) for c in conditions if c["status"] == "True"
        ]
    if not held and metadata.get("deletionGracePeriodSeconds"):
        held.append(f"a grace period of {metadata['deletionGracePeriodSeconds']} s")
    return ", ".join(held)


def gone(client: Client, mapping: RESTMapping, ref: ObjectRef, uid: str) -> JsonObject | None:
    """The object while it is still there; None once it is gone or another one took its name."""
    try:
        obj = client.get(mapping, ref.name, ref.namespace)
    except NotFoundError:
        return None
    return obj if obj["metadata"].get("uid") == uid else None
