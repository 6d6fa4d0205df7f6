"""The lock between two runs on one set, with a clock of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.lease import SetLock, lock_name
from kapply.engine.parallel import Stop
from kapply.errors import InterruptedRunError, RefusedError
from kapply.meta import GroupVersionKind, Request, RESTMapping
from kapply.planning.inventory import Parent
from tests.unit.fake import FakeTransport, failure

SECRETS = RESTMapping(GroupVersionKind("", "v1", "Secret"), "secrets", True)
PARENT = Parent(SECRETS, "shop", "web")
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Leases:
    """A server that knows nothing but Leases, and time that passes when somebody waits."""

    def __init__(self) -> None:
        self.now = START
        self.lease: dict[str, Any] | None = None
        self.version = 1
        self.refusal: tuple[int, str] | None = None
        self.transport = FakeTransport(self.answer)
        self.warned: list[str] = []

    def answer(self, request: Request) -> tuple[int, Any]:
        if self.refusal:
            return failure(*self.refusal)
        body = json.loads(request.body) if request.body else {}
        if request.method == "POST":
            if self.lease is not None:
                return failure(409, "AlreadyExists")
            self.lease = body
            self._store(uid="one")
            return 201, self.lease
        if self.lease is None:
            return failure(404, "NotFound", name="x")
        if request.method == "DELETE":
            asked, metadata = body["preconditions"], self.lease["metadata"]
            if asked["resourceVersion"] != metadata["resourceVersion"]:
                return failure(409, "Conflict")
            self.lease = None
            return 200, {"kind": "Status"}
        if request.method == "PUT":
            if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                return failure(409, "Conflict")
            self.lease = body
            self._store()
        return 200, self.lease

    def _store(self, **more: str) -> None:
        assert self.lease is not None
        self.version += 1
        version = {"resourceVersion": str(self.version)}
        self.lease["metadata"] = {**self.lease["metadata"], **version, **more}

    def there(self) -> dict[str, Any]:
        return self.lease or {}

    def held_by(self, holder: str, age: float) -> None:
        moment = (self.now - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": moment}
        self.lease = {"metadata": {"name": "x", "uid": "two"}, "spec": spec}
        self._store()

    def lock(self, stop: Stop | None = None, *, duration: int = 15) -> SetLock:
        return SetLock(
            Client(self.transport),
            PARENT,
            "me",
            Waits(self) if stop is None else stop,
            self.warned.append,
            duration=duration,
            now=lambda: self.now,
            clock=lambda: self.now.timestamp(),
        )


class Waits(Stop):
    """Waiting moves the clock, and lets something happen."""

    def __init__(self, leases: Leases, after: float = 1e9, then: Any = None) -> None:
        super().__init__()
        self._leases, self._until = leases, START + timedelta(seconds=after)
        self.then = then

    def wait(self, seconds: float) -> bool:
        self._leases.now += timedelta(seconds=seconds)
        if self.then and self._leases.now >= self._until:
            self.then()
            self.then = None
        return bool(self)


@pytest.fixture
def leases() -> Iterator[Leases]:
    yield Leases()


def test_the_lock_is_taken_and_given_back(leases: Leases) -> None:
    lock = leases.lock()
    lock.acquire(0)
    lease = leases.there()
    assert lease["spec"]["holderIdentity"] == "me"
    assert lease["metadata"]["name"] == lock_name(PARENT)
    assert lock.uid == "one"
    lock.release()
    assert leases.there() == {}
    lock.release()


def test_another_run_is_named_and_can_be_waited_for(leases: Leases) -> None:
    leases.held_by("ci", 1)
    with pytest.raises(RefusedError, match="another run works on ApplySet secrets/web in shop: ci"):
        leases.lock().acquire(0)
    assert not leases.warned

    def freed() -> None:
        leases.lease = None

    lock = leases.lock(Waits(leases, 5, freed))
    lock.acquire(10)
    assert leases.warned == ["waits for another run on the set: ci"]
    assert leases.now < START + timedelta(seconds=8)
    lock.release()


def test_who_waits_can_be_interrupted(leases: Leases) -> None:
    leases.held_by("ci", 1)
    stop = Waits(leases, 2)
    stop.then = lambda: stop.set(2)
    with pytest.raises(InterruptedRunError):
        leases.lock(stop).acquire(60)


def test_a_stale_lock_is_watched_and_then_broken(leases: Leases) -> None:
    leases.held_by("ci", 60)
    lock = leases.lock()
    lock.acquire(0)
    assert leases.warned == ["the lock of ci was not renewed; it is broken"]
    assert leases.now >= START + timedelta(seconds=5)
    lock.release()


def test_a_lock_that_only_looks_stale_is_not_broken(leases: Leases) -> None:
    """The clocks of the machines differ; the holder is alive and renews."""
    leases.held_by("ci", 60)

    def renewed() -> None:
        leases.held_by("ci", 5)

    with pytest.raises(RefusedError, match="another run"):
        leases.lock(Waits(leases, 4, renewed)).acquire(0)
    assert leases.lease is not None


@pytest.mark.parametrize("refusal", [(403, "Forbidden"), (404, "NotFound")])
def test_without_the_right_or_the_namespace_there_is_no_lock(
    leases: Leases, refusal: tuple[int, str]
) -> None:
    leases.refusal = refusal
    lock = leases.lock()
    lock.acquire(0)
    assert len(leases.warned) == (refusal[0] == 403)
    lock.release()
    assert leases.transport.lines == ["POST /apis/coordination.k8s.io/v1/namespaces/shop/leases"]


def test_it_is_renewed_until_it_is_lost(leases: Leases) -> None:
    lock = leases.lock(duration=0)
    lost = threading.Event()
    lock.acquire(0)
    leases.held_by("thief", 0)
    for _ in range(200):
        if lock.lost:
            lost.set()
            break
        threading.Event().wait(0.01)
    assert lost.is_set()
    assert "taken the lock of the set over" in lock.lost
    lock.release()
    assert leases.lease is not None


def test_names_fit_whatever_the_parent_is_called() -> None:
    long = Parent(SECRETS, "shop", "a" * 199 + "." + "b" * 53)
    name = lock_name(long)
    assert len(name) <= 253
    assert name == lock_name(long)
    assert name != lock_name(Parent(SECRETS, "shop", "a" * 199 + "." + "c" * 53))
    assert ".-" not in name
