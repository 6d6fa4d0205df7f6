"""Delete objects wave by wave, and wait until they are gone; what holds them is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kapply.client import Client
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult, Waiting, WaveStarted
from kapply.engine.nudge import Nudge
from kapply.engine.parallel import Stop, run_parallel
from kapply.engine.reader import Key, read_live
from kapply.engine.waiter import gone, what_holds
from kapply.errors import (
    EXIT_OK,
    EXIT_REFUSED,
    EXIT_UNHEALTHY,
    ApiError,
    ConflictError,
    NotFoundError,
    Origin,
    UnauthorizedError,
    exit_code_of,
)
from kapply.meta import JsonObject, ObjectRef, RESTMapping
from kapply.planning.model import Cause, Desired
from kapply.planning.order import deletion_waves

#: How often an object is read and judged anew because it changed under the deletion.
TRIES = 5
#: Where an object stands that is in no manifest.
_COMMAND_LINE = Origin("command line")


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How a run deletes.

    Attributes:
        propagation: "Background", "Foreground" or "Orphan" for dependents.
        ignore_not_found: an object that is not there is no failure.
        wait: wait until objects are gone, wave by wave.
        timeout: seconds for each wave.
        grace_period: seconds given to Pods; None for their own.
        dry_run: ask the server without deleting.
    """

    propagation: str = "Background"
    ignore_not_found: bool = False
    wait: bool = True
    timeout: float = 300.0
    grace_period: int | None = None
    dry_run: bool = False
    concurrency: int = 8


@dataclass(frozen=True, slots=True)
class Doomed:
    """One object to delete: that very one (its uid), or none.

    Attributes:
        mapping: the resource that serves it.
        ref: which object.
        uid: "" where it is not there.
        version: delete it only while it is as it was at this resourceVersion; "" for whatever
            has become of it.
        leaving: it is being deleted already, and only waited for.
    """

    mapping: RESTMapping
    ref: ObjectRef
    uid: str = ""
    version: str = ""
    origin: Origin | None = None
    leaving: bool = False


#: From an object that changed since it was judged: why it is not deleted after all, or "".
Recheck = Callable[[Doomed, JsonObject], str]


@dataclass(slots=True)
class Remover:
    """Deletes objects wave by wave; `result` is whole when the iterator has ended.

    Args:
        client: the server.
        options: how to delete.
        stop: set by a signal: calls in flight finish, the rest is skipped.
        outcome: what becomes of an object that is gone: DELETED or PRUNED.
        recheck: judges an object anew that is no longer at the version of its Doomed.
    """

    client: Client
    options: DeleteOptions
    stop: Stop
    outcome: Outcome = Outcome.DELETED
    recheck: Recheck | None = None
    result: RunResult = field(default_factory=RunResult)

    def delete(self, desired: Sequence[Desired]) -> Iterator[Event]:
        """Delete the objects of an input, in the reverse order of apply; events as they happen.

        Raises:
            KapplyError: the server cannot be reached or does not know the user.
        """
        live = read_live(
            self.client,
            # A kind that only the input's own CRD would bring has no objects yet.
            (item for item in desired if not item.pending.startswith("Custom")),
            concurrency=self.options.concurrency,
            stop=self.stop,
        )
        waves = [
            [
                Doomed(item.mapping, item.ref, _uid(live.get(item.ref.key)), origin=item.origin)
                for item in wave
            ]
            for wave in deletion_waves(desired)
        ]
        yield from self.remove(waves)

    def remove(self, waves: Sequence[Sequence[Doomed]]) -> Iterator[Event]:
        """Delete objects that were found before, wave by wave. Raises as `delete`."""
        started = time.monotonic()
        try:
            for number, wave in enumerate(waves, 1):
                if self.stop:
                    yield from self._interrupted(wave)
                    continue
                yield WaveStarted(number, len(waves), len(wave))
                yield from self._wave(wave)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds += time.monotonic() - started

    def delete_named(self, named: Sequence[tuple[RESTMapping, ObjectRef]]) -> Iterator[Event]:
        """Delete objects that a person named: a DELETE each, at once and without reading first.

        Raises:
            KapplyError: as `delete`.
        """
        started = time.monotonic()
        leaving: list[Doomed] = []
        try:
            for mapping, ref in named:
                outcome = self._delete(Doomed(mapping, ref, origin=_COMMAND_LINE))
                if isinstance(outcome, ObjectDone):
                    self.result.done.append(outcome)
                    yield outcome
                else:
                    leaving.append(outcome)
            yield from self._leave(leaving)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def delete_collection(
        self, mapping: RESTMapping, namespace: str, *, label_selector: str, field_selector: str
    ) -> Iterator[Event]:
        """Delete a collection, or what selectors choose of it, by one DELETE.

        Raises:
            KapplyError: the server refused, or as `delete`.
        """
        started = time.monotonic()
        try:
            answer = self.client.delete_collection(
                mapping,
                namespace,
                label_selector=label_selector,
                field_selector=field_selector,
                propagation=self.options.propagation,
                grace_period=self.options.grace_period,
                dry_run=self.options.dry_run,
            )
            leaving = []
            for obj in answer.get("items") or ():
                metadata = obj.get("metadata") or {}
                where = str(metadata.get("namespace") or "")
                ref = ObjectRef(mapping.gvk, where, str(metadata.get("name") or ""))
                uid = str(metadata.get("uid") or "")
                leaving.append(Doomed(mapping, ref, uid, origin=_COMMAND_LINE))
            yield from self._leave(leaving)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def _interrupted(self, items: Iterable[Doomed]) -> Iterator[Event]:
        for item in items:
            yield self._done(item, Outcome.SKIPPED, why="the run was interrupted")

    def _wave(self, wave: Sequence[Doomed]) -> Iterator[Event]:
        there = [item for item in wave if item.uid]
        for item in wave:
            if not item.uid:
                missing = self._not_there(item)
                self.result.done.append(missing)
                yield missing
        leaving: list[Doomed] = []
        begun = set()
        for item, outcome in run_parallel(
            self._delete, there, concurrency=self.options.concurrency, stop=self.stop
        ):
            begun.add(item.ref.key)
            if isinstance(outcome, ObjectDone):
                self.result.done.append(outcome)
                yield outcome
            else:
                leaving.append(outcome)
        yield from self._interrupted(item for item in there if item.ref.key not in begun)
        yield from self._leave(leaving)

    def _leave(self, leaving: list[Doomed]) -> Iterator[Event]:
        if self.options.wait and not self.options.dry_run:
            yield from self._until_gone(leaving)
        else:
            for item in leaving:
                yield self._done(item, self.outcome)

    def _delete(self, item: Doomed) -> ObjectDone | Doomed:
        """What is leaving, with its uid, or how the deletion ended."""
        if item.leaving:
            return item
        for left in reversed(range(TRIES)):
            try:
                answer = self.client.delete(
                    item.mapping,
                    item.ref.name,
                    item.ref.namespace,
                    propagation=self.options.propagation,
                    uid=item.uid,
                    resource_version=item.version,
                    grace_period=self.options.grace_period,
                    dry_run=self.options.dry_run,
                )
            except NotFoundError:
                return self._entry(item, self.outcome) if item.uid else self._not_there(item)
            except ConflictError as error:
                if not item.uid:
                    return self._failed(item, error)
                obj = gone(self.client, item.mapping, item.ref, item.uid)
                if obj is None:
                    # Another object has taken its name: that one is not meant.
                    return self._entry(item, self.outcome)
                why = self.recheck(item, obj) if self.recheck else ""
                if why:
                    return self._entry(item, Outcome.KEPT, why=why)
                if not item.version or not left:
                    return self._failed(item, error)
                item = replace(item, version=str(obj["metadata"]["resourceVersion"]))
                continue
            except ApiError as error:
                if isinstance(error, UnauthorizedError):
                    raise
                return self._failed(item, error)
            if item.uid:
                return item
            # The object comes back while it terminates, a Status when it is gone.
            found = answer.get("metadata")
            uid = str(found.get("uid") or "") if isinstance(found, dict) else ""
            if answer.get("kind") == "Status" or not uid:
                return self._entry(item, self.outcome)
            return replace(item, uid=uid)
        raise AssertionError("unreachable")

    def _until_gone(self, leaving: list[Doomed]) -> Iterator[Event]:
        """Poll what is leaving, all of it at once, until the last is gone or time is up."""
        deadline = time.monotonic() + self.options.timeout
        delay = 0.02
        told: dict[Key, str] = {}
        nudge = Nudge(self.client)
        while leaving:
            still: list[Doomed] = []
            for item, obj in run_parallel(
                lambda item: gone(self.client, item.mapping, item.ref, item.uid),
                leaving,
                concurrency=self.options.concurrency,
                stop=self.stop,
            ):
                if obj is None:
                    yield self._done(item, self.outcome)
                    continue
                still.append(item)
                nudge.look_at(item.mapping, item.ref, obj)
                holds = what_holds(obj)
                if delay > 0.5 and told.get(item.ref.key) != holds:
                    told[item.ref.key] = holds
                    yield Waiting(item.ref, "to be gone", holds)
            # Those that were not asked for again, because of a signal, are still leaving.
            asked = {item.ref.key for item in still} | {d.ref.key for d in self.result.done}
            still += [item for item in leaving if item.ref.key not in asked]
            leaving = still
            if leaving and (time.monotonic() > deadline or self.stop.wait(delay)):
                break
            delay = min(delay * 1.6, 1.0)
        for item in leaving:
            holds = told.get(item.ref.key, "")
            if self.stop:
                why = "deletion has begun; the run was interrupted before it was gone"
                code = EXIT_OK
            else:
                why = f"still there after {self.options.timeout:g} s"
                why += f": held by {holds}" if holds else ""
                code = EXIT_UNHEALTHY
            yield self._done(item, Outcome.FAILED, why=why, exit_code=code)

    def _not_there(self, item: Doomed) -> ObjectDone:
        code = EXIT_OK if self.options.ignore_not_found else EXIT_REFUSED
        return self._entry(item, Outcome.NOT_FOUND, exit_code=code)

    def _failed(self, item: Doomed, error: ApiError) -> ObjectDone:
        causes = tuple(Cause(c.message, c.field) for c in error.status.causes)
        done = self._entry(item, Outcome.FAILED, why=error.message, exit_code=exit_code_of(error))
        return replace(done, hint=error.hint, causes=causes)

    def _entry(
        self, item: Doomed, outcome: Outcome, *, why: str = "", exit_code: int = EXIT_OK
    ) -> ObjectDone:
        return ObjectDone(
            item.ref,
            outcome,
            why=why,
            exit_code=exit_code,
            origin=item.origin,
            dry_run=self.options.dry_run,
        )

    def _done(
        self, item: Doomed, outcome: Outcome, *, why: str = "", exit_code: int = EXIT_OK
    ) -> ObjectDone:
        done = self._entry(item, outcome, why=why, exit_code=exit_code)
        self.result.done.append(done)
        return done


def in_waves(items: Iterable[Doomed], rank: Callable[[ObjectRef], float]) -> list[list[Doomed]]:
    """The objects in the waves they are deleted in: by rank, the highest first."""
    waves: dict[float, list[Doomed]] = {}
    for item in items:
        waves.setdefault(rank(item.ref), []).append(item)
    return [waves[number] for number in sorted(waves, reverse=True)]


def _uid(obj: JsonObject | None) -> str:
    return str(obj["metadata"]["uid"]) if obj else ""
