"""Apply over a transport that fails: at each request once, and with every answer lost once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kapply.client import Client, encode
from kapply.engine.applier import Applier
from kapply.engine.discover import Discovery
from kapply.engine.events import Outcome, RunResult
from kapply.engine.parallel import Stop
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.errors import KapplyError, UnreachableError
from kapply.manifests.documents import parse
from kapply.meta import Request, Response, Stream, Transport
from kapply.planning.resolve import Resolver
from kapply.sandbox.store import MEMORY
from kapply.sandbox.transport import SandboxTransport


def config(name: str, value: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": "fresh"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": value}}


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}}
INPUT = [NAMESPACE, config("a", "1"), config("b", "1"), config("c", "1")]


class Breaking:
    """Fails at one request, before or after the server has seen it."""

    def __init__(self, inner: Transport, at: int, *, after: bool) -> None:
        self._inner, self._at, self._after = inner, at, after
        self.count = 0

    def send(self, request: Request) -> Response:
        self.count += 1
        if self.count != self._at:
            return self._inner.send(request)
        if self._after:
            self._inner.send(request)
        raise UnreachableError("the connection was lost", sent=self._after)

    def stream(self, request: Request) -> AbstractContextManager[Stream]:
        return self._inner.stream(request)


class Repeating:
    """Every write reaches the server twice, as after a lost answer; the second one is told."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def send(self, request: Request) -> Response:
        if request.method == "PATCH" and ("dryRun", "All") not in request.query:
            self._inner.send(request)
        return self._inner.send(request)

    def stream(self, request: Request) -> AbstractContextManager[Stream]:
        return self._inner.stream(request)


@pytest.fixture
def sandbox() -> Iterator[SandboxTransport]:
    transport = SandboxTransport(MEMORY)
    yield transport
    transport.close()


def run(transport: Transport, mapper_from: Transport) -> RunResult:
    client, stop = Client(transport), Stop()
    mapper = Discovery(Client(mapper_from)).mapper
    text = "".join(f"---\n{json.dumps(obj)}\n" for obj in INPUT)
    resolver = Resolver(mapper, "default", enforce_namespace=False, encode=encode)
    desired, problems = resolver.resolve(parse(text.encode(), "x.yaml"))
    assert not problems
    planner = Planner(client, ApplyOptions(concurrency=1), stop)
    applier = Applier(planner, stop)
    for _ in applier.apply(planner.plan(desired)):
        pass
    return applier.result


def stored(transport: Transport) -> dict[str, object]:
    listed = Client(transport).get_json("/api/v1/namespaces/fresh/configmaps")
    return {obj["metadata"]["name"]: obj["data"] for obj in listed["items"]}


WHOLE = {name: {"k": "1"} for name in ("a", "b", "c")}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_connection_lost_at_any_request_ends_the_run_and_a_rerun_completes_it(
    after: bool, tmp_path: Path
) -> None:
    at = ended = 0
    while not ended:
        at += 1
        inner = SandboxTransport(MEMORY)
        try:
            breaking = Breaking(inner, at, after=after)
            try:
                result = run(breaking, inner)
            except KapplyError as error:
                assert isinstance(error, UnreachableError), error
            else:
                if breaking.count < at:
                    ended = at
                    assert result.exit_code == 0
                else:
                    assert result.exit_code == 3, result.done
                    # Every object is accounted for, once.
                    assert len(result.done) == len(INPUT)
            assert run(inner, inner).exit_code == 0
            assert stored(inner) == WHOLE
        finally:
            inner.close()
    assert ended > len(INPUT)


def test_writes_that_arrive_twice_do_no_harm(sandbox: SandboxTransport) -> None:
    result = run(Repeating(sandbox), sandbox)
    assert result.exit_code == 0, result.done
    assert stored(sandbox) == WHOLE
    assert {done.outcome for done in result.done} <= {Outcome.CREATED, Outcome.UNCHANGED}
