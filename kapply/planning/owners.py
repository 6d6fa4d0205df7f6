"""Who set a field of a live object, and when, by its managedFields (KEP-555).

Read without a schema: what a list item is called in FieldsV1 (its keys, its value, its position)
is looked up in the live item itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kapply.meta import JsonObject


class Owner(NamedTuple):
    """One entry of managedFields that holds a field.

    Attributes:
        manager: the field manager.
        operation: "Apply" or "Update".
        time: when it wrote last, RFC 3339; "" where it is not said.
        subresource: "status", "scale"; "" for the object itself.
    """

    manager: str
    operation: str
    time: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        parts = ", ".join(
            part
            for part in (
                "" if self.operation == "Apply" else self.operation.lower(),
                f"through {self.subresource}" if self.subresource else "",
                self.time,
            )
            if part
        )
        return f"{self.manager} ({parts})" if parts else self.manager


def owners_of(live: JsonObject, steps: tuple[str | int, ...]) -> list[Owner]:
    """The managers that own the field at `steps` of `live`, or the nearest thing around it.

    `steps` are map keys and list positions. A map or list that is owned through what is in it
    counts as owned by whoever owns any of that. The latest comes first.
    """
    entries = (live.get("metadata") or {}).get("managedFields")
    paths = [steps]
    if live.get("kind") == "Secret" and live.get("apiVersion") == "v1" and steps[:1] == ("data",):
        # The server stores stringData as data, but its owners keep the name that they sent.
        paths.append(("stringData", *steps[1:]))
    found = [
        Owner(
            str(entry.get("manager") or ""),
            str(entry.get("operation") or ""),
            str(entry.get("time") or ""),
            str(entry.get("subresource") or ""),
        )
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping)
        and any(_holds(entry.get("fieldsV1"), live, path) for path in paths)
    ]
    return sorted(found, key=lambda owner: owner.time, reverse=True)


def _holds(fields: Any, value: Any, steps: Sequence[str | int]) -> bool:
    for step in steps:
        if not isinstance(fields, Mapping):
            return False
        if isinstance(step, str):
            fields = fields.get(f"f:{step}")
            value = value.get(step) if isinstance(value, Mapping) else None
        elif isinstance(value, list):
            item = value[step] if 0 <= step < len(value) else None
            fields = _item(fields, item, step)
            value = item
        else:
            return False
        if fields is None:
            return False
        if not fields:
            # A leaf, or an atomic map or list: what is inside belongs to the same manager.
            return True
    return isinstance(fields, Mapping)


def _item(fields: Mapping[str, Any], item: Any, position: int) -> Any:
    """What FieldsV1 says of one item of a list; None for nothing."""
    for name, inner in fields.items():
        sign, _, text = name.partition(":")
        if sign == "i" and text == str(position):
            return inner
        if sign not in ("k", "v"):
            continue
        try:
            meant = json.loads(text)
        except ValueError:
            continue
        if sign == "v" and meant == item and isinstance(meant, bool) is isinstance(item, bool):
            return inner
        if (
            sign == "k"
            and isinstance(meant, Mapping)
            and isinstance(item, Mapping)
            and all(item.get(key) == value for key, value in meant.items())
        ):
            return inner
    return None
