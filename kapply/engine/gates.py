"""Wait for what answers before what it answers for: endpoints behind a webhook's Service.

A webhook configuration whose Service has no endpoints refuses everybody's writes of what it
matches, so it is written when something answers. Some programs become ready only once their
configuration is there; so after a while it is written all the same, and that is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kapply.client import Client
from kapply.engine.events import Event, Waiting, Warned
from kapply.engine.parallel import Stop
from kapply.errors import ApiError, UnauthorizedError
from kapply.meta import GroupVersionKind, JsonObject, ObjectRef, RESTMapping
from kapply.planning.model import Desired

_SLICES = RESTMapping(
    GroupVersionKind("discovery.k8s.io", "v1", "EndpointSlice"), "endpointslices", True
)
_SERVICE_NAME = "kubernetes.io/service-name"
#: Seconds after which a webhook is written although nothing answers for it: kubectl writes it at
#: once, so this is time won for the others, not a promise that it works.
ENDPOINT_SECONDS = 30.0
#: Seconds after which a workload that no controller has looked at is not waited for.
IGNORED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Front:
    """A webhook configuration, a Service it needs, and what is behind that."""

    ref: ObjectRef
    service: Desired
    workloads: tuple[Desired, ...]


def wait_for_endpoints(
    client: Client,
    fronts: Sequence[Front],
    *,
    stop: Stop,
    seconds: float = ENDPOINT_SECONDS,
    ignored_after: float = IGNORED_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Until every Service has a ready endpoint, the time is up, or `stop` is set.

    Who may not read endpoints does not wait.
    """
    left: dict[ObjectRef, Front] = {}
    for front in fronts:
        if (front.service.obj.get("spec") or {}).get("type") != "ExternalName":
            left.setdefault(front.service.ref, front)
    started, delay, told = clock(), 0.02, False
    while left:
        left = {ref: front for ref, front in left.items() if not _answers(client, ref)}
        spent = clock() - started
        if left and spent >= ignored_after:
            for ref, front in list(left.items()):
                if not _looked_at(client, front):
                    yield Warned(_WITHOUT + ": no controller has looked at what is behind it", ref)
                    del left[ref]
        if not left or stop:
            return
        if not told:
            told = True
            for ref, front in left.items():
                yield Waiting(ref, "to have endpoints", f"{front.ref} needs it")
        if spent >= seconds:
            for ref in left:
                yield Warned(f"{_WITHOUT} after {seconds:g} s", ref)
            return
        stop.wait(min(delay, max(0.01, seconds - spent)))
        delay = min(delay * 1.6, 1.0)


_WITHOUT = "has no ready endpoints; what calls it is written all the same"


def _answers(client: Client, service: ObjectRef) -> bool:
    try:
        pages = client.pages(
            _SLICES, service.namespace, label_selector=f"{_SERVICE_NAME}={service.name}"
        )
        return any(_has_ready(item) for page in pages for item in page.items)
    except UnauthorizedError:
        raise
    except ApiError:
        return True


def _has_ready(endpoint_slice: JsonObject) -> bool:
    """Whether an endpoint is ready; "unknown" counts as ready (EndpointConditions)."""
    endpoints = endpoint_slice.get("endpoints") or ()
    return any(
        endpoint.get("addresses") and (endpoint.get("conditions") or {}).get("ready") is not False
        for endpoint in endpoints
    )


def _looked_at(client: Client, front: Front) -> bool:
    """Whether a controller has written the status of a workload; True where that is unknown."""
    known = False
    for item in front.workloads:
        if item.ref.gvk.group != "apps":
            return True
        try:
            live = client.get(item.mapping, item.ref.name, item.ref.namespace)
        except UnauthorizedError:
            raise
        except ApiError:
            return True
        known = True
        if (live.get("status") or {}).get("observedGeneration"):
            return True
    return not known
