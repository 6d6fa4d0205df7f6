"""Put back what a run changed, newest first (--atomic).

What was created is deleted. What was changed is applied again with the fields that our manager
owned before, which leaves the ownership as it was too: whatever the manifest drops later on is
still removed then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from kapply.client import encode
from kapply.engine.contents import contents
from kapply.engine.events import Event, ObjectDone, Outcome, RollbackStarted, Waiting
from kapply.engine.inventory import Kinds
from kapply.engine.parallel import Stop
from kapply.engine.preflight import Planner
from kapply.engine.waiter import gone, what_holds
from kapply.errors import EXIT_REFUSED, EXIT_UNHEALTHY, KapplyError, NotFoundError, exit_code_of
from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import ManagedFieldsEntry
from kapply.merge.schema import Type
from kapply.merge.typed.remove import extract_items
from kapply.meta import GroupVersionKind, JsonObject
from kapply.planning.fields import changed_fields
from kapply.planning.inventory_rules import Member
from kapply.planning.model import Change, Desired
from kapply.planning.preconditions import difference, metadata_first, stated
from kapply.planning.resolve import CRD

#: Seconds that each object may take to go.
GONE_SECONDS = 60.0

_CHANGED = frozenset({Outcome.CONFIGURED, Outcome.ADOPTED})
_UNDOABLE = _CHANGED | {Outcome.CREATED, Outcome.RECREATED}


class _CannotError(Exception):
    """This change cannot be undone, and why."""


@dataclass(slots=True)
class Rollback:
    """Undoes the changes of one run.

    Args:
        planner: how objects are sent.
        kinds: what the server serves, to see whether a Namespace is empty.
        type_of: the merge type of a kind; None when it is unknown.
        seconds: what each object may take to go.
    """

    planner: Planner
    kinds: Kinds
    type_of: Callable[[GroupVersionKind], Type | None]
    seconds: float = GONE_SECONDS

    def undo(self, done: Sequence[ObjectDone], why: str) -> Iterator[Event]:
        """Events as each change is undone; FAILED for those that cannot be.

        Args:
            done: how the objects of the run ended, in that order.
            why: what went wrong.
        """
        changes = [one for one in reversed(done) if one.outcome in _UNDOABLE and not one.dry_run]
        if not changes:
            return
        yield RollbackStarted(len(changes), why)
        leaving: list[tuple[ObjectDone, str]] = []
        for one in changes:
            try:
                if one.outcome is Outcome.CREATED:
                    leaving.append((one, self._delete(one, [uid for _, uid in leaving])))
                else:
                    yield self._restore(one)
            except _CannotError as error:
                yield _cannot(one, str(error), EXIT_REFUSED)
            except KapplyError as error:
                yield _cannot(one, error.message, exit_code_of(error))
        yield from self._until_gone(leaving)

    def _delete(self, one: ObjectDone, ignore: list[str]) -> str:
        """The uid of what is leaving; `ignore` are those of what left before it."""
        item, obj = _item(one), one.obj or {}
        uid = str(obj["metadata"]["uid"])
        if one.ref.gvk.group_kind == CRD:
            raise _CannotError("a CRD that was created stays: objects of its kind would go with it")
        member = Member(item.mapping, obj)
        held = contents(
            self.planner.client,
            self.kinds,
            [member],
            ignore=ignore,
            concurrency=self.planner.options.concurrency,
            stop=Stop(),
        )
        if held:
            raise _CannotError(f"it was created and stays: {held[uid]}")
        with suppress(NotFoundError):
            self.planner.client.delete(item.mapping, one.ref.name, one.ref.namespace, uid=uid)
        return uid

    def _until_gone(self, leaving: list[tuple[ObjectDone, str]]) -> Iterator[Event]:
        deadline = time.monotonic() + self.seconds
        delay, client = 0.02, self.planner.client
        while leaving:
            still = []
            for one, uid in leaving:
                obj = gone(client, _item(one).mapping, one.ref, uid)
                if obj is None:
                    yield _undone(one, Outcome.DELETED)
                else:
                    still.append((one, uid))
                    holds = what_holds(obj)
                    if time.monotonic() > deadline:
                        why = f"it was created, and is still there after {self.seconds:g} s"
                        why += f": held by {holds}" if holds else ""
                        yield _cannot(one, why, EXIT_UNHEALTHY)
                    elif delay > 0.9:
                        yield Waiting(one.ref, "to be gone", holds)
            leaving = still if time.monotonic() <= deadline else []
            if leaving:
                # A signal has set the run's own stop already: a second one ends the process.
                time.sleep(delay)
                delay = min(delay * 1.6, 1.0)

    def _restore(self, one: ObjectDone) -> ObjectDone:
        change = one.change
        if one.outcome is Outcome.RECREATED:
            raise _CannotError("it was recreated; the object that was there before is gone")
        if change is None or change.live is None:
            raise _CannotError("what it was before is not known")
        body = encode(metadata_first(self._owned_before(change)))
        options = self.planner.write_options(change.desired)._replace(
            force=False, field_validation="Ignore"
        )
        item = _item(one)
        answer = self.planner.client.apply(
            item.mapping, body, one.ref.name, one.ref.namespace, options
        )
        why = ""
        if difference(change.live, answer.obj) is not None:
            found = changed_fields(stated(change.live), stated(answer.obj))
            fields = ", ".join(field.path for field in found[:5])
            why = f"not all is as it was: {fields or 'status'} differ"
        return replace(_undone(one, Outcome.RESTORED), obj=answer.obj, why=why)

    def _owned_before(self, change: Change) -> JsonObject:
        """An apply of what our manager owned, with the values of then."""
        live, item = change.live, change.desired
        assert live is not None and item is not None
        metadata = live["metadata"]
        identity = {"name": metadata["name"], "uid": metadata["uid"]}
        if metadata.get("namespace"):
            identity["namespace"] = metadata["namespace"]
        head = {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": identity}
        owned = self._field_set(live, change.takes_over)
        if not owned:
            return head
        type_ = self.type_of(item.ref.gvk)
        if type_ is None:
            raise _CannotError("the server does not describe its kind")
        content = {k: v for k, v in live.items() if k not in ("apiVersion", "kind")}
        try:
            kept = extract_items(content, type_, owned, with_keys=True) or {}
        except MergeError as error:
            raise _CannotError(f"what was owned before cannot be told: {error}") from None
        return {**kept, **head, "metadata": {**(kept.get("metadata") or {}), **identity}}

    def _field_set(self, live: JsonObject, taken_over: Sequence[str]) -> FieldSet:
        """What our manager owned, and those it took over from, whose fields are ours by now."""
        owned = FieldSet.of([])
        for position, data in enumerate(live["metadata"].get("managedFields") or ()):
            ours = (self.planner.options.manager, "Apply")
            who = (data.get("manager"), data.get("operation"))
            if who != ours and not (who[0] in taken_over and who[1] == "Update"):
                continue
            if data.get("subresource"):
                continue
            if data.get("apiVersion") != live["apiVersion"]:
                version = data.get("apiVersion")
                raise _CannotError(f"it was applied as {version} before")
            owned |= ManagedFieldsEntry.from_json(data, position=position).fields
        return owned


def _item(one: ObjectDone) -> Desired:
    assert one.change is not None and one.change.desired is not None
    return one.change.desired


def _undone(one: ObjectDone, outcome: Outcome) -> ObjectDone:
    return ObjectDone(one.ref, outcome, one.change, origin=one.origin, rollback=True)


def _cannot(one: ObjectDone, why: str, code: int) -> ObjectDone:
    return replace(_undone(one, Outcome.FAILED), why=f"not put back: {why}", exit_code=code)
