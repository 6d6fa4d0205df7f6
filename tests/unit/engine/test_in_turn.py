"""Checks in their turn: after what a change waits for, and again until the server heeds that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.errors import Origin
from kapply.meta import Request, RESTMapping, ref_of
from kapply.planning.model import Action, Change, Desired
from kapply.planning.order import order_of
from tests.unit.fake import Answer, FakeTransport, failure

NOT_SERVED: Answer = (404, "404 page not found")


def desired(kind: str, name: str, plural: str) -> Desired:
    metadata = {"name": name, "namespace": "a"}
    obj: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    ref = ref_of(obj)
    origin = Origin("x.yaml", 1)
    body = json.dumps(obj).encode()
    return Desired(obj, body, RESTMapping(ref.gvk, plural, True), ref, origin, lambda _: origin)


POD = desired("Pod", "p", "pods")
QUOTA = desired("ResourceQuota", "q", "resourcequotas")
WAITING = Change(POD.ref, Action.CREATE, POD, deferred=True, waits_for=(QUOTA.ref,))
EXCEEDED = failure(403, "Forbidden", "pods is forbidden: exceeded quota: q, limited: pods=0")


def checked(*answers: Answer, seconds: float = 10.0) -> tuple[Change, int]:
    """What came of the check, and how often the server was asked; its last answer stays."""
    left = list(answers)

    def answer(_: Request) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    transport = FakeTransport(answer)
    planner = Planner(Client(transport), ApplyOptions(concurrency=1))
    (change,) = planner.replan([WAITING], served_within=seconds, heeded_within=seconds)
    return change, len(transport.requests)


@pytest.mark.parametrize("not_yet", [EXCEEDED, NOT_SERVED], ids=["quota", "path"])
def test_what_is_not_heeded_yet_is_asked_again(not_yet: Answer) -> None:
    change, asked = checked(not_yet, not_yet, (201, POD.obj))
    assert (change.action, change.status, asked) == (Action.CREATE, None, 3)


@pytest.mark.parametrize("not_yet", [EXCEEDED, NOT_SERVED], ids=["quota", "path"])
def test_there_is_an_end_to_asking(not_yet: Answer) -> None:
    change, asked = checked(not_yet, seconds=0.0)
    assert change.stops
    assert asked == 1


def test_another_refusal_stands() -> None:
    other = failure(403, "Forbidden", "pods is forbidden: exceeded quota: other, limited: pods=0")
    change, asked = checked(other, (201, POD.obj))
    assert change.stops
    assert "other" in change.why
    assert asked == 1


def test_what_waits_is_written_after_what_it_waits_for() -> None:
    """Against the order of kinds: ConfigMaps go before Services."""
    config, service = desired("ConfigMap", "c", "configmaps"), desired("Service", "s", "services")
    made = Change(service.ref, Action.CREATE, service)
    waits = Change(config.ref, Action.CREATE, config, deferred=True, waits_for=(service.ref,))
    assert order_of([waits, made]).waves == ((1,), (0,))
    free = Change(config.ref, Action.CREATE, config)
    assert order_of([free, made]).waves == ((0,), (1,))
