"""A lock between runs on the same ApplySet: a Lease beside its parent (coordination.k8s.io/v1).

The holder renews it; one that has not been renewed for its duration belongs to a run that ended
without a word, and is taken over. Clocks differ between machines, so one that looks expired is
watched for a while before that.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kapply.client import Client, WriteOptions, encode
from kapply.engine.parallel import Stop
from kapply.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    InterruptedRunError,
    KapplyError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
)
from kapply.meta import GroupVersionKind, JsonObject, RESTMapping
from kapply.planning.inventory import MANAGER, Parent
from kapply.values.times import format_micro_time, parse_micro_time

LEASES = RESTMapping(GroupVersionKind("coordination.k8s.io", "v1", "Lease"), "leases", True)
#: Seconds that a Lease lives without being renewed.
DURATION = 15
#: Seconds between two looks at a Lease that another run holds.
POLL = 1.0
#: Where the Lease of a cluster-scoped parent is.
DEFAULT_NAMESPACE = "default"


class SetLock:
    """Held from `acquire` to `release`; renewed by a thread in between.

    Args:
        client: the server.
        parent: the set.
        holder: who this run is, for messages of other runs.
        stop: ends the waiting.
        warn: told when the lock is stale, or cannot be had at all.
        duration: seconds that the Lease lives without being renewed.
        now, clock: the time with a time zone, and monotonic seconds.
    """

    def __init__(
        self,
        client: Client,
        parent: Parent,
        holder: str,
        stop: Stop,
        warn: Callable[[str], None],
        *,
        duration: int = DURATION,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._parent = parent
        self._holder = holder
        self._stop = stop
        self._warn = warn
        self._duration = duration
        self._now = now
        self._clock = clock
        self._namespace = parent.namespace or DEFAULT_NAMESPACE
        self._name = lock_name(parent)
        self._held: JsonObject | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        #: Why the lock is no longer held, though it was not released.
        self.lost = ""

    def acquire(self, timeout: float) -> None:
        """Take the lock, waiting for another run at most so many seconds.

        Without the right to Leases, or without the namespace, the run goes on without a lock.

        Raises:
            RefusedError: another run holds it.
            InterruptedRunError: `stop` was set.
        """
        deadline = self._clock() + timeout
        seen: tuple[str, float] = ("", 0.0)
        told = False
        while True:
            try:
                found = self._try()
            except (ForbiddenError, NotFoundError) as error:
                if isinstance(error, ForbiddenError):
                    self._warn(f"no lock keeps other runs off the set: {error.message}")
                return
            if found is None:
                self._thread = threading.Thread(
                    target=self._renew_until_ended, name="kapply-lock", daemon=True
                )
                self._thread.start()
                return
            version = str(found["metadata"]["resourceVersion"])
            if version != seen[0]:
                seen = (version, self._clock())
            holder = (found.get("spec") or {}).get("holderIdentity") or "somebody"
            if self._is_expired(found):
                # Who still renews it does so within this time, whatever the clocks say.
                if self._clock() - seen[1] >= self._duration / 3 + POLL:
                    if self._remove(found):
                        self._warn(f"the lock of {holder} was not renewed; it is broken")
                    continue
            elif self._clock() >= deadline:
                raise RefusedError(
                    f"another run works on {self._parent}: {holder}",
                    hint="--lock-timeout=5m waits for it to end.",
                )
            if not told and timeout:
                told = True
                self._warn(f"waits for another run on the set: {holder}")
            if self._stop.wait(min(POLL, self._duration / 5)):
                raise InterruptedRunError("interrupted while waiting for another run on the set")

    @property
    def uid(self) -> str:
        """The uid of the Lease while it is held, or ""."""
        return str(self._held["metadata"]["uid"]) if self._held else ""

    def release(self) -> None:
        """Give the lock back; what fails here runs out by itself."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(5)
        if self._held is not None and not self.lost:
            self._remove(self._held)
        self._held = None

    def _try(self) -> JsonObject | None:
        """None when the lock is ours, else the Lease that is in the way."""
        moment = format_micro_time(self._now())
        lease: JsonObject = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": {
                "holderIdentity": self._holder,
                "leaseDurationSeconds": self._duration,
                "acquireTime": moment,
                "renewTime": moment,
            },
        }
        for _ in range(5):
            try:
                self._held = self._client.create(
                    LEASES, encode(lease), self._namespace, WriteOptions(MANAGER)
                ).obj
            except AlreadyExistsError:
                try:
                    return self._client.get(LEASES, self._name, self._namespace)
                except NotFoundError:
                    # Released in between.
                    continue
            return None
        raise RefusedError(f"the lock of {self._parent} could not be had: too many runs want it")

    def _is_expired(self, lease: JsonObject) -> bool:
        spec = lease.get("spec") or {}
        try:
            renewed = parse_micro_time(str(spec.get("renewTime")))
            seconds = float(spec.get("leaseDurationSeconds") or self._duration)
        except ValueError:
            return True
        return (self._now() - renewed).total_seconds() > seconds

    def _remove(self, lease: JsonObject) -> bool:
        metadata = lease["metadata"]
        try:
            self._client.delete(
                LEASES,
                self._name,
                self._namespace,
                uid=str(metadata["uid"]),
                resource_version=str(metadata["resourceVersion"]),
            )
        except UnauthorizedError:
            raise
        except ApiError:
            # Renewed or gone in between.
            return False
        return True

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(self._duration / 3):
            held = self._held
            if held is None:
                return
            renewed = {
                **held,
                "spec": {**held["spec"], "renewTime": format_micro_time(self._now())},
            }
            try:
                self._held = self._client.replace(
                    LEASES,
                    encode(renewed),
                    self._name,
                    self._namespace,
                    WriteOptions(MANAGER),
                ).obj
            except (ConflictError, NotFoundError):
                self.lost = "another run has taken the lock of the set over"
                return
            except KapplyError:
                # The next try may fare better; meanwhile nobody else takes it for a while.
                continue


def lock_name(parent: Parent) -> str:
    """The name of a set's Lease: the parent's, as far as it fits, and what makes it unique."""
    digest = hashlib.sha256(parent.id.encode()).hexdigest()[:10]
    return f"kapply-{parent.name[:200].rstrip('.-')}-{digest}"
