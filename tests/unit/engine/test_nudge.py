"""CRDs whose clean-up has failed are touched, and nothing else is."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.nudge import ANNOTATION, FIRST, Nudge
from kapply.errors import UnauthorizedError
from kapply.meta import GroupVersionKind, ObjectRef, Request, Response, RESTMapping, Stream

MAPPING = RESTMapping(
    GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
    "customresourcedefinitions",
    False,
)
REF = ObjectRef(MAPPING.gvk, "", "things.example.com")


class Server:
    """Takes every request down, and answers with one status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.seen: list[Request] = []

    def send(self, request: Request) -> Response:
        self.seen.append(request)
        return Response(self.status, {}, b"{}")

    def stream(self, request: Request) -> AbstractContextManager[Stream]:
        raise NotImplementedError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def crd(**more: Any) -> dict[str, Any]:
    condition = {"type": "Terminating", "status": "True", "reason": "InstanceDeletionFailed"}
    return {
        "kind": "CustomResourceDefinition",
        "metadata": {
            "uid": "u1",
            "deletionTimestamp": "2026-01-01T00:00:00Z",
            "finalizers": ["customresourcecleanup.apiextensions.k8s.io"],
        },
        "status": {"conditions": [condition]},
        **more,
    }


def test_a_failed_clean_up_is_asked_about_less_and_less_often() -> None:
    server, clock = Server(), Clock()
    nudge = Nudge(Client(server), clock)
    times: list[float] = []
    for tenth in range(600):
        clock.now = tenth / 10
        nudge.look_at(MAPPING, REF, crd())
        if len(server.seen) > len(times):
            times.append(clock.now)
    assert times == [FIRST, FIRST * 3, FIRST * 7]
    request = server.seen[1]
    assert (request.method, request.path.rpartition("/")[2]) == ("PATCH", REF.name)
    assert json.loads(request.body or b"")["metadata"] == {
        "uid": "u1",
        "annotations": {ANNOTATION: "2"},
    }


@pytest.mark.parametrize(
    "obj",
    [
        crd(kind="Namespace"),
        crd(status={}),
        crd(metadata={"uid": "u1"}),
        crd(metadata={"uid": "u1", "deletionTimestamp": "x", "finalizers": ["other"]}),
        crd(
            status={
                "conditions": [
                    {
                        "type": "Terminating",
                        "status": "True",
                        "reason": "InstanceDeletionInProgress",
                    }
                ]
            }
        ),
    ],
)
def test_nothing_else_is_touched(obj: dict[str, Any]) -> None:
    server, clock = Server(), Clock()
    nudge = Nudge(Client(server), clock)
    for clock.now in (0.0, 100.0, 1000.0):
        nudge.look_at(MAPPING, REF, obj)
    assert server.seen == []


def test_a_refusal_is_left_alone_but_a_lost_credential_is_not() -> None:
    for status in (403, 404, 409):
        clock = Clock()
        server = Server(status)
        nudge = Nudge(Client(server), clock)
        for clock.now in (0.0, 10.0):
            nudge.look_at(MAPPING, REF, crd())
        assert len(server.seen) == 1
    clock = Clock()
    nudge = Nudge(Client(Server(401)), clock)
    nudge.look_at(MAPPING, REF, crd())
    clock.now = 10.0
    with pytest.raises(UnauthorizedError):
        nudge.look_at(MAPPING, REF, crd())
