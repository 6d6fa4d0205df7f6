"""Wait until the server has done what the next wave needs: established, active, gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from kapply.client import Client
from kapply.engine.events import Event, Waiting
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import NotFoundError, UnhealthyError
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
    waiting = [(m, obj) for m, obj in objects if not is_ready_to_use(obj)]

    def wait(pair: tuple[RESTMapping, JsonObject]) -> str:
        mapping, obj = pair
        last = [obj]

        def check() -> bool:
            last[0] = client.get(mapping, obj["metadata"]["name"])
            return is_ready_to_use(last[0])

        if poll_until(check, stop, seconds) or stop:
            return ""
        return f"{mapping.gvk.kind} {obj['metadata']['name']}: {why_not_ready(last[0])}"

    for mapping, obj in waiting:
        ref = ObjectRef(mapping.gvk, "", obj["metadata"]["name"])
        word = "to be established" if mapping.gvk.kind == CRD.kind else "to be active"
        yield Waiting(ref, word)
    failed = [
        text for _, text in run_parallel(wait, waiting, concurrency=concurrency, stop=stop) if text
    ]
    if failed:
        raise UnhealthyError(f"not ready after {seconds:g} s: {'; '.join(sorted(failed))}")


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
