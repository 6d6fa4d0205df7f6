"""Objects that were applied client-side before: who takes them over takes their fields too.

A field that an Update entry of the time before owns stays for good, whatever the manifest says,
because nobody gives it up. So that entry becomes part of ours first (kubectl's csaupgrade does the
same and shows nothing of it). A plan sees what comes of it by dry runs alone: the apply, and then
an update without the fields that nobody would own any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kapply.client import JSON_PATCH, Answer, Client, WriteOptions, encode
from kapply.errors import ApiError, UnauthorizedError
from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import ManagedFieldsEntry, encode_managed_fields, managed_fields_of
from kapply.merge.schema import Type
from kapply.merge.ssa import Conflicts, FieldManager, Versions
from kapply.merge.ssa.upgrade import upgrade_managed_fields
from kapply.merge.typed import field_set_of, with_named_fields
from kapply.meta import GroupVersionKind, JsonObject
from kapply.planning.compare import classify, same_content
from kapply.planning.model import Action, Change, Desired, Seen
from kapply.planning.takeover import predecessors

#: The merge type of a kind; None when the server does not describe it.
TypeOf = Callable[[GroupVersionKind], Type | None]
#: Dry-runs the apply of a manifest on a live object, taking conflicting fields over or not.
Ask = Callable[[bool], Change]


def planned_takeover(client: Client, write: WriteOptions, type_of: TypeOf, ask: Ask) -> Change:
    """The Change of an object that a predecessor of ours applied client-side.

    Args:
        client: the server.
        write: how the object would be written.
        type_of: merge types.
        ask: dry-runs the apply.
    """
    change = ask(write.force)
    item, live = change.desired, change.live
    if item is None or live is None:
        return change
    old = predecessors(live, write.field_manager)
    if change.action is Action.CONFLICT and all(c.manager in old for c in change.causes):
        # Their fields are ours by then.
        change = ask(True)
    if change.action not in (Action.UPDATE, Action.ADOPT, Action.UNCHANGED):
        return change
    if not old or change.live is not live or change.result is None:
        return change
    try:
        moving, going = _fields(item, live, old, write.field_manager, type_of)
        result = change.result
        if going:
            result = _merged(client, item, live, old, type_of, write)
    except MergeError as error:
        text = f"fields that {' and '.join(old)} owns stay with it: {error.message}"
        return replace(change, warnings=(*change.warnings, text))
    except UnauthorizedError:
        raise
    except ApiError as error:
        action, why, causes = classify(item.ref.gvk.group_kind, error.status, exists=True)
        return replace(change, action=action, why=why, causes=causes, status=error.status)
    who = " and ".join(old)
    why = f"taken over from {who}: {_count(moving)} move to {write.field_manager}"
    if going:
        why += f", {_count(going)} not in the manifest go"
    action = Action.ADOPT if same_content(live, result) else Action.UPDATE
    return replace(change, action=action, result=result, why=why, takes_over=old)


def _fields(
    item: Desired, live: JsonObject, old: tuple[str, ...], manager: str, type_of: TypeOf
) -> tuple[FieldSet, FieldSet]:
    """What moves to us, and what nobody owns any more."""
    type_ = type_of(item.ref.gvk)
    if type_ is None:
        raise MergeError("the server does not describe its kind")
    theirs, others = FieldSet.of([]), FieldSet.of([])
    for entry in managed_fields_of(live):
        if entry.api_version != item.ref.gvk.api_version:
            raise MergeError(f"{entry.manager} wrote it as {entry.api_version}")
        if _is_theirs(entry, old):
            theirs |= entry.fields
        elif entry.manager != manager or entry.operation != "Apply" or entry.subresource:
            others |= entry.fields
    content = {k: v for k, v in item.obj.items() if k not in ("apiVersion", "kind")}
    mine = field_set_of(content, type_)
    kept = with_named_fields(mine, type_) | with_named_fields(others, type_)
    return theirs & mine, theirs - kept


def _is_theirs(entry: ManagedFieldsEntry, old: tuple[str, ...]) -> bool:
    return entry.manager in old and entry.operation == "Update" and not entry.subresource


def _merged(
    client: Client,
    item: Desired,
    live: JsonObject,
    old: tuple[str, ...],
    type_of: TypeOf,
    write: WriteOptions,
) -> JsonObject:
    """What the apply makes of the object when ownership has moved: defaults may come back."""
    gvk, type_ = item.ref.gvk, type_of(item.ref.gvk)
    assert type_ is not None
    entries = upgrade_managed_fields(managed_fields_of(live), old, write.field_manager)
    owned = {**live["metadata"], "managedFields": encode_managed_fields(entries)}
    manager = FieldManager(gvk.kind, gvk.api_version, Versions({gvk.api_version: type_}))
    done = manager.apply(
        {**live, "metadata": owned},
        {k: v for k, v in item.obj.items() if k != "status"},
        write.field_manager,
        force=True,
        now="1970-01-01T00:00:00Z",
    )
    assert not isinstance(done, Conflicts)
    metadata = {k: v for k, v in done["metadata"].items() if k != "managedFields"}
    body = encode({**done, "metadata": metadata})
    options = write._replace(dry_run=True, force=False, field_validation="Ignore")
    return client.replace(item.mapping, body, item.ref.name, item.ref.namespace, options).obj


def _count(fields: FieldSet) -> str:
    number = sum(1 for _ in fields)
    return f"{number} field{'' if number == 1 else 's'}"


def move_ownership(client: Client, change: Change, manager: str) -> Seen:
    """Make what the predecessors own ours, on the very object that the plan saw.

    Returns:
        The object as it is now, to be applied to.

    Raises:
        ApiError: ConflictError when the object has moved.
    """
    item, live = change.desired, change.live
    assert item is not None and live is not None
    entries = upgrade_managed_fields(managed_fields_of(live), change.takes_over, manager)
    patch = [
        {
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": encode_managed_fields(entries),
        },
        # A version that is not the live one any more is refused with 409.
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": change.seen.resource_version,
        },
    ]
    options = WriteOptions(f"{manager}-edit", field_validation="Ignore", origin=item.origin)
    answer: Answer = client.patch(
        item.mapping,
        encode(patch),  # type: ignore[arg-type]
        item.ref.name,
        item.ref.namespace,
        options,
        content_type=JSON_PATCH,
    )
    return Change(item.ref, Action.UPDATE, item, answer.obj).seen
