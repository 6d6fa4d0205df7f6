"""The wait against servers that lose watches, forget versions, and refuse."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.diagnosis import Diagnosis
from kapply.engine.events import Event, HealthChanged
from kapply.engine.health import HealthWaiter
from kapply.engine.health_goals import READY, Goal, parse_goal
from kapply.engine.health_model import HealthResult, Target, WaitOptions
from kapply.engine.health_watch import Listed, News, Scope, ScopeWatch, Seen, common_version
from kapply.engine.parallel import Stop
from kapply.errors import ForbiddenError, UnreachableError, UsageError
from kapply.kstatus import Result, Status
from kapply.meta import (
    GroupVersionKind,
    JsonObject,
    ObjectRef,
    Request,
    Response,
    RESTMapping,
    Stream,
)
from tests.unit.fake import FakeStream, failure

JOBS = RESTMapping(GroupVersionKind("batch", "v1", "Job"), "jobs", True)
PATH = "/apis/batch/v1/namespaces/n/jobs"


def job(
    version: int, *, generation: int = 1, done: bool = False, uid: str = "u1", name: str = "j"
) -> JsonObject:
    status: JsonObject = {"startTime": "2026-01-01T00:00:00Z", "active": 1}
    if done:
        status = {"conditions": [{"type": "Complete", "status": "True"}]}
    metadata = {"name": name, "namespace": "n", "uid": uid, "generation": generation}
    metadata["resourceVersion"] = str(version)
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "status": status}


def event(kind: str, obj: JsonObject) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode()


EXPIRED = event("ERROR", failure(410, "Expired", "too old")[1])


class Script:
    """A server whose lists and watches answer from a script; its last answer stays.

    A watch is a list of lines; an exception among them breaks the connection. After the last
    script a watch stays open until `close`.
    """

    def __init__(self, lists: list[Any], watches: list[list[bytes | Exception]]) -> None:
        self._lists, self._watches = lists, watches
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            if request.path == PATH:
                found = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
            elif request.path.startswith(PATH):
                found = (200, self._lists[0][1]["items"][0])
            else:
                found = (200, {"items": [], "metadata": {"resourceVersion": "1"}})
        status, body = found
        return Response(status, {}, json.dumps(body).encode())

    @contextmanager
    def stream(self, request: Request) -> Iterator[Stream]:
        with self._lock:
            self.requests.append(request)
            script = self._watches.pop(0) if self._watches else None
        if isinstance(script, list) and script and isinstance(script[0], ForbiddenError):
            body = json.dumps(failure(403, "Forbidden", "no watch")[1]).encode()
            yield FakeStream(403, body)
            return
        try:
            yield _Lines(script, self._closed)
        finally:
            if script is None:
                self._closed.set()

    def versions(self) -> list[str]:
        """The resourceVersion of each watch, in order."""
        queries = [dict(request.query) for request in self.requests]
        return [query["resourceVersion"] for query in queries if query.get("watch")]


class _Lines:
    status, headers = 200, dict[str, str]()

    def __init__(self, script: list[bytes | Exception] | None, closed: threading.Event) -> None:
        self._script, self._closed = script, closed

    def lines(self) -> Iterator[bytes]:
        for line in self._script or ():
            if isinstance(line, Exception):
                raise line
            yield line
        if self._script is None:
            self._closed.wait(30)

    def read(self, limit: int) -> bytes:
        return b""


def listed(version: int, *items: JsonObject) -> tuple[int, JsonObject]:
    return 200, {"metadata": {"resourceVersion": str(version)}, "items": list(items)}


def run(
    server: Script, obj: JsonObject | None, *, written: bool = True, **options: Any
) -> tuple[list[Event], HealthResult]:
    ref = ObjectRef(JOBS.gvk, "n", "j")
    waiter = HealthWaiter(Client(server), WaitOptions(**{"timeout": 10.0, **options}), Stop())
    events = list(waiter.wait([Target(JOBS, ref, obj=obj, written=written)]))
    return events, waiter.result


def statuses(events: list[Event]) -> list[Status]:
    return [event.status for event in events if isinstance(event, HealthChanged)]


def test_a_watch_begins_where_the_write_ended() -> None:
    server = Script([listed(1)], [[event("MODIFIED", job(8, done=True))]])
    events, result = run(server, job(7))
    assert result.exit_code == 0
    assert server.versions()[0] == "7"
    assert statuses(events) == [Status.IN_PROGRESS, Status.CURRENT]
    assert all(
        request.path == PATH and request.query[0][0] == "watch" for request in server.requests
    )
    assert ("fieldSelector", "metadata.name=j") in server.requests[0].query


def test_what_was_only_read_is_listed_first() -> None:
    server = Script([listed(9, job(9, done=True))], [])
    events, result = run(server, job(7), written=False)
    assert result.exit_code == 0
    assert "resourceVersion" not in dict(server.requests[0].query)
    assert statuses(events) == [Status.CURRENT]


@pytest.mark.parametrize(
    "lost",
    [
        [EXPIRED],
        [UnreachableError("reset")],
        [event("BOOKMARK", job(8)), UnreachableError("x")],
        [],
    ],
)
def test_a_lost_watch_is_taken_up(lost: list[bytes | Exception]) -> None:
    done = job(12, done=True)
    server = Script([listed(11, job(10))], [lost, [event("MODIFIED", done)]])
    events, result = run(server, job(7))
    assert result.exit_code == 0
    again = "11" if lost == [EXPIRED] else "8" if len(lost) == 2 else "7"
    assert server.versions()[:2] == ["7", again]
    assert statuses(events)[-1] is Status.CURRENT


def test_an_older_generation_is_not_judged() -> None:
    stale = event("MODIFIED", job(8, generation=1, done=True))
    fresh = event("MODIFIED", job(9, generation=2, done=True))
    events, result = run(Script([listed(1)], [[stale], [fresh]]), job(7, generation=2))
    assert result.exit_code == 0
    assert statuses(events) == [Status.IN_PROGRESS, Status.CURRENT]
    events, result = run(Script([listed(1)], [[stale]]), job(7, generation=2), timeout=0.3)
    assert result.exit_code == 5
    assert statuses(events) == [Status.IN_PROGRESS]


def test_who_may_not_watch_polls() -> None:
    refused = ForbiddenError.__new__(ForbiddenError)
    server = Script([listed(1, job(9, done=True))], [[refused]])
    _, result = run(server, job(7))
    assert result.exit_code == 0
    assert server.requests[-1].path == f"{PATH}/j"


def test_an_object_that_is_not_there_ends_the_wait_only_if_it_must_exist() -> None:
    events, result = run(Script([listed(1)], []), None, written=False, must_exist=True)
    assert result.exit_code == 4
    assert statuses(events) == [Status.NOT_FOUND]
    assert not any(isinstance(event, Diagnosis) for event in events)
    events, result = run(Script([listed(1)], []), None, written=False, timeout=0.3)
    assert result.exit_code == 5
    [found] = [event for event in events if isinstance(event, Diagnosis)]
    assert found.cause == "it is not there"


def test_a_deletion_during_the_wait_is_told() -> None:
    gone = event("DELETED", job(8))
    events, result = run(Script([listed(1)], [[gone]]), job(7), timeout=0.5)
    assert result.exit_code == 5
    [found] = [event for event in events if isinstance(event, Diagnosis)]
    assert found.cause == "it was deleted during the wait"


def test_a_refused_list_is_exit_code_4_and_no_answer_3() -> None:
    refused = failure(403, "Forbidden", "jobs is forbidden")
    server = Script([refused], [])
    ref = ObjectRef(JOBS.gvk, "n", "j")

    class NoGet(Script):
        def send(self, request: Request) -> Response:
            status, body = refused
            return Response(status, {}, json.dumps(body).encode())

    waiter = HealthWaiter(Client(NoGet([refused], [])), WaitOptions(timeout=5), Stop())
    events = list(waiter.wait([Target(JOBS, ref)]))
    assert waiter.result.exit_code == 4
    assert any(isinstance(e, Diagnosis) and e.cause == "jobs is forbidden" for e in events)

    breaks: list[list[bytes | Exception]] = [[UnreachableError("refused")] for _ in range(99)]
    server = Script([listed(1)], breaks)
    events, result = run(server, job(7), timeout=0.5)
    assert result.exit_code == 3
    assert any(isinstance(e, Diagnosis) and e.cause == "refused" for e in events)


def test_another_object_of_the_name_is_not_the_one_that_is_to_go() -> None:
    goals = [parse_goal("delete")]
    other = event("ADDED", job(9, uid="u2"))
    server = Script([listed(8, job(8))], [[event("DELETED", job(9)), other]])
    _, result = run(server, None, written=False, goals=goals)
    assert result.exit_code == 0


def test_no_time_at_all_is_one_look() -> None:
    _, result = run(Script([listed(1, job(1, done=True))], []), None, written=False, timeout=0.0)
    assert result.exit_code == 0
    _, result = run(Script([listed(1, job(1))], []), None, written=False, timeout=0.0)
    assert result.exit_code == 5
    assert result.seconds < 5


@pytest.mark.parametrize("status", ["done", ["x"], {"conditions": "x"}, {"conditions": [1]}, 7])
@pytest.mark.parametrize("goal", ["ready", "condition=Ready", "delete", "jsonpath={.status.a.b}"])
def test_a_status_of_any_shape_is_no_bug(status: Any, goal: str) -> None:
    odd = {**job(7), "status": status}
    goals = [parse_goal(goal)]
    lines = [event("MODIFIED", {"metadata": "x"}), event("MODIFIED", {**job(8), "status": status})]
    _, result = run(Script([listed(1, odd)], [[*lines]]), odd, timeout=0.05, goals=goals)
    assert result.exit_code in (0, 5)


def test_stop_ends_a_wait() -> None:
    stop = Stop()
    waiter = HealthWaiter(Client(Script([listed(1)], [])), WaitOptions(timeout=60), stop)
    events = waiter.wait([Target(JOBS, ObjectRef(JOBS.gvk, "n", "j"), obj=job(7), written=True)])
    assert isinstance(next(events), HealthChanged)
    stop.set(15)
    assert list(events) == []
    assert waiter.result.exit_code == 143
    assert len(waiter.result.unfinished) == 1


def test_a_closed_watch_ends_its_thread() -> None:
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    watch = ScopeWatch(Client(Script([listed(3, job(3))], [])), Scope(JOBS, "n"), news, names=["j"])
    watch.start()
    first = news.get(timeout=10)
    assert isinstance(first, Listed)
    watch.close()
    watch.join(10)
    assert not watch._thread.is_alive()
    assert news.empty()


def test_only_what_is_waited_for_is_told() -> None:
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    lines: list[bytes | Exception] = [
        event("ADDED", job(4, name="other")),
        event("MODIFIED", job(5)),
    ]
    server = Script([listed(3)], [lines])
    watch = ScopeWatch(Client(server), Scope(JOBS, "n"), news, names=["j", "k"], version="2")
    watch.start()
    found = news.get(timeout=10)
    watch.close()
    watch.join(10)
    assert isinstance(found, Seen)
    assert found.obj["metadata"]["name"] == "j"
    assert "fieldSelector" not in dict(server.requests[0].query)


@pytest.mark.parametrize(
    ("versions", "oldest"),
    [(["12", "9"], "9"), (["12", ""], ""), (["12", "x"], ""), (["٣"], ""), ([], ""), (["0"], "")],
)
def test_the_oldest_version_counts(versions: list[str], oldest: str) -> None:
    assert common_version(versions) == oldest


@pytest.mark.parametrize(
    "text", ["", "condition", "condition=", "jsonpath=", "jsonpath={.a", "Healthy", "x=y"]
)
def test_goals_that_cannot_be_meant(text: str) -> None:
    with pytest.raises(UsageError):
        parse_goal(text)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("ready", True),
        ("jsonpath={.status.phase}=Bound", True),
        ("jsonpath=.status.phase", True),
        ("condition=Ready=False", True),
        ("jsonpath={.spec.replicas}=2", False),
        ("delete", False),
        ("create", False),
    ],
)
def test_goals_that_only_a_controller_fulfils(text: str, status: bool) -> None:
    assert parse_goal(text).needs_controller is status


def test_conditions_of_an_earlier_generation_do_not_count() -> None:
    from kapply.engine.health_goals import reached

    goal = parse_goal("condition=ready")

    def judge(_: JsonObject) -> Result:
        return Result(Status.CURRENT)

    def told(observed: int | None, overall: int | None) -> Status:
        condition: JsonObject = {"type": "Ready", "status": "True"}
        if observed is not None:
            condition["observedGeneration"] = observed
        status: JsonObject = {"conditions": [condition]}
        if overall is not None:
            status["observedGeneration"] = overall
        obj = {"metadata": {"generation": 2}, "status": status}
        return reached(goal, obj, first_uid="", judge=judge).status

    assert told(None, None) is Status.CURRENT
    assert told(2, None) is Status.CURRENT
    assert told(1, 2) is Status.IN_PROGRESS
    assert told(None, 1) is Status.IN_PROGRESS


def test_a_goal_reads_as_it_was_asked() -> None:
    shown: Callable[[Goal], str] = str
    assert shown(READY) == "ready"
    assert shown(parse_goal("condition=Available")) == "condition Available"
