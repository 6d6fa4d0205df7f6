"""Delete the objects of an input: the reverse of apply, and wait until they are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kapply.client import Client
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult, Waiting, WaveStarted
from kapply.engine.parallel import Stop, run_parallel
from kapply.engine.reader import Key, read_live
from kapply.engine.waiter import gone, what_holds
from kapply.errors import (
    EXIT_REFUSED,
    EXIT_UNHEALTHY,
    ApiError,
    KapplyError,
    NotFoundError,
    Origin,
    UnauthorizedError,
    exit_code_of,
)
from kapply.meta import JsonObject, ObjectRef, RESTMapping
from kapply.planning.model import Cause, Desired
from kapply.planning.order import deletion_waves


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


def named_item(ref: ObjectRef, mapping: RESTMapping) -> Desired:
    """An object that stands in no manifest, but on the command line."""
    place = Origin("command line")
    return Desired({}, b"", mapping, ref, place, lambda _: place)


@dataclass(slots=True)
class Remover:
    """Deletes objects wave by wave; `result` is whole when the iterator of `delete` ends."""

    client: Client
    options: DeleteOptions
    stop: Stop
    result: RunResult = field(default_factory=RunResult)

    def delete(self, desired: Sequence[Desired]) -> Iterator[Event]:
        """Events as they happen, in the reverse order of apply.

        Raises:
            KapplyError: the server cannot be reached or does not know the user.
        """
        started = time.monotonic()
        try:
            live = read_live(
                self.client,
                # A kind that only the input's own CRD would bring has no objects yet.
                (item for item in desired if not item.pending.startswith("Custom")),
                concurrency=self.options.concurrency,
                stop=self.stop,
            )
            ordered = deletion_waves(desired)
            for number, wave in enumerate(ordered, 1):
                if self.stop:
                    for item in wave:
                        yield self._done(
                            ObjectDone(
                                item.ref,
                                Outcome.SKIPPED,
                                why="the run was interrupted",
                                origin=item.origin,
                            )
                        )
                    continue
                yield WaveStarted(number, len(ordered), len(wave))
                yield from self._wave(wave, live)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def delete_named(self, named: Sequence[Desired]) -> Iterator[Event]:
        """Delete objects that a person named: a DELETE each, at once and without reading first.

        Raises:
            KapplyError: as `delete`.
        """
        started = time.monotonic()
        leaving: list[tuple[Desired, str]] = []
        try:
            for item in named:
                outcome = self._delete(item, None)
                if isinstance(outcome, ObjectDone):
                    yield self._done(outcome)
                else:
                    leaving.append((item, outcome))
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
                leaving.append((named_item(ref, mapping), str(metadata.get("uid") or "")))
            yield from self._leave(leaving)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def _leave(self, leaving: list[tuple[Desired, str]]) -> Iterator[Event]:
        if self.options.wait and not self.options.dry_run:
            yield from self._until_gone(leaving)
        else:
            for item, _ in leaving:
                yield self._done(self._deleted(item))

    def _wave(self, wave: Sequence[Desired], live: dict[Key, JsonObject]) -> Iterator[Event]:
        there = [item for item in wave if item.ref.key in live]
        for item in wave:
            if item.ref.key not in live:
                yield self._done(self._missing(item))
        leaving: list[tuple[Desired, str]] = []
        begun = set()
        for item, outcome in run_parallel(
            lambda item: self._delete(item, live[item.ref.key]),
            there,
            concurrency=self.options.concurrency,
            stop=self.stop,
        ):
            begun.add(item.ref.key)
            if isinstance(outcome, ObjectDone):
                yield self._done(outcome)
            else:
                leaving.append((item, outcome))
        for item in there:
            if item.ref.key not in begun:
                why = "the run was interrupted"
                yield self._done(ObjectDone(item.ref, Outcome.SKIPPED, why=why, origin=item.origin))
        yield from self._leave(leaving)

    def _delete(self, item: Desired, live: JsonObject | None) -> ObjectDone | str:
        """The uid of what is leaving, or how the deletion ended."""
        uid = str(live["metadata"]["uid"]) if live else ""
        try:
            answer = self.client.delete(
                item.mapping,
                item.ref.name,
                item.ref.namespace,
                propagation=self.options.propagation,
                uid=uid,
                grace_period=self.options.grace_period,
                dry_run=self.options.dry_run,
            )
        except NotFoundError:
            return self._deleted(item) if live else self._missing(item)
        except ApiError as error:
            if isinstance(error, UnauthorizedError):
                raise
            causes = tuple(Cause(c.message, c.field) for c in error.status.causes)
            return self._failed(item, error, causes)
        if live is None and answer.get("kind") == "Status":
            # The object comes back while it terminates, a Status when it is gone.
            return self._deleted(item)
        found = answer.get("metadata")
        return uid or str(found.get("uid") or "" if isinstance(found, dict) else "")

    def _until_gone(self, leaving: list[tuple[Desired, str]]) -> Iterator[Event]:
        """Poll what is leaving, all of it at once, until the last is gone or time is up."""
        deadline = time.monotonic() + self.options.timeout
        delay = 0.02
        told: dict[Key, str] = {}
        while leaving:
            still: list[tuple[Desired, str]] = []
            for (item, uid), obj in run_parallel(
                lambda pair: gone(self.client, pair[0].mapping, pair[0].ref, pair[1]),
                leaving,
                concurrency=self.options.concurrency,
                stop=self.stop,
            ):
                if obj is None:
                    yield self._done(self._deleted(item))
                    continue
                still.append((item, uid))
                holds = what_holds(obj)
                if delay > 0.5 and told.get(item.ref.key) != holds:
                    told[item.ref.key] = holds
                    yield Waiting(item.ref, "to be gone", holds)
            leaving = still
            if leaving and (time.monotonic() > deadline or self.stop.wait(delay)):
                break
            delay = min(delay * 1.6, 1.0)
        for item, _ in leaving:
            holds = told.get(item.ref.key, "")
            if self.stop:
                why = "deletion has begun; the run was interrupted before it was gone"
                code = 0
            else:
                why = f"still there after {self.options.timeout:g} s"
                why += f": held by {holds}" if holds else ""
                code = EXIT_UNHEALTHY
            yield self._done(
                ObjectDone(item.ref, Outcome.FAILED, why=why, exit_code=code, origin=item.origin)
            )

    def _deleted(self, item: Desired) -> ObjectDone:
        return ObjectDone(
            item.ref, Outcome.DELETED, origin=item.origin, dry_run=self.options.dry_run
        )

    def _missing(self, item: Desired) -> ObjectDone:
        code = 0 if self.options.ignore_not_found else EXIT_REFUSED
        return ObjectDone(item.ref, Outcome.NOT_FOUND, exit_code=code, origin=item.origin)

    def _failed(self, item: Desired, error: KapplyError, causes: tuple[Cause, ...]) -> ObjectDone:
        return ObjectDone(
            item.ref,
            Outcome.FAILED,
            why=error.message,
            hint=error.hint,
            causes=causes,
            exit_code=exit_code_of(error),
            origin=item.origin,
        )

    def _done(self, done: ObjectDone) -> ObjectDone:
        self.result.done.append(done)
        return done
