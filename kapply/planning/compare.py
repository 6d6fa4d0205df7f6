"""Live object and dry-run result in, an Action out; and what a refusal means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kapply.errors import Status
from kapply.meta import GroupKind, JsonObject
from kapply.planning.model import Action, Cause
from kapply.planning.recreate import only_by_recreating

# What the server writes into metadata on its own with every change.
_SERVER_OWNED = frozenset({"managedFields", "generation", "resourceVersion"})


def same_content(live: JsonObject, result: JsonObject) -> bool:
    """Whether a write left the object as it was, but for versions and managedFields."""
    if live.keys() != result.keys():
        return False
    for key, value in result.items():
        if key == "metadata":
            if _content(live[key]) != _content(value):
                return False
        elif live[key] != value:
            return False
    return True


def _content(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _SERVER_OWNED}


def owned_fields(obj: Mapping[str, Any], manager: str) -> Any:
    """FieldsV1 of a manager's Apply entry on the object itself; None when it has none."""
    for entry in (obj.get("metadata") or {}).get("managedFields") or ():
        if (
            entry.get("manager") == manager
            and entry.get("operation") == "Apply"
            and not entry.get("subresource")
        ):
            return (entry.get("apiVersion"), entry.get("fieldsV1"))
    return None


def compare(live: JsonObject | None, result: JsonObject, manager: str) -> Action:
    """What a dry-run apply by `manager` showed."""
    if live is None:
        return Action.CREATE
    if not same_content(live, result):
        return Action.UPDATE
    if owned_fields(live, manager) != owned_fields(result, manager):
        return Action.ADOPT
    return Action.UNCHANGED


def classify(
    group_kind: GroupKind, status: Status, *, exists: bool
) -> tuple[Action, str, tuple[Cause, ...]]:
    """What a refused apply means: the action, the reason in words, and the causes by field.

    A 409 with FieldManagerConflict causes is a conflict; a 422 whose every cause is an
    immutable field asks for a recreate; anything else is invalid.
    """
    if status.code == 409:
        owners = tuple(
            Cause(cause.message, cause.field, _manager_in(cause.message))
            for cause in status.causes
            if cause.reason == "FieldManagerConflict"
        )
        if owners:
            managers = sorted({cause.manager for cause in owners})
            who = " and ".join(managers)
            plural = "s" if len(owners) > 1 else ""
            return (
                Action.CONFLICT,
                f"{len(owners)} field{plural} managed by {who}",
                owners,
            )
    if exists and status.code == 422:
        fixed = only_by_recreating(group_kind, status.causes)
        if fixed is not None:
            fields = ", ".join(sorted({cause.field for cause in fixed}))
            return Action.RECREATE, f"{fields} is immutable", fixed
    causes = tuple(Cause(cause.message, cause.field) for cause in status.causes)
    return Action.INVALID, _reason(status), causes


_MANAGER = re.compile(r'conflict with "((?:[^"\\]|\\.)*)"')


def _manager_in(message: str) -> str:
    found = _MANAGER.search(message)
    return found.group(1) if found else "another manager"


def _reason(status: Status) -> str:
    return status.message or status.reason or f"the server answered {status.code}"
