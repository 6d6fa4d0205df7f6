"""managedFields: decoding, encoding and the order the server keeps (metav1.ManagedFieldsEntry)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.jsonvalue import go_string

Operation: TypeAlias = Literal["Apply", "Update"]

#: The field types the server knows; there is one (KEP-555).
FIELDS_TYPE = "FieldsV1"


@dataclass(frozen=True, slots=True, order=True)
class ManagerId:
    """What tells two entries apart: an Apply entry keeps its identity across apiVersions."""

    manager: str
    operation: Operation
    api_version: str = ""
    subresource: str = ""

    @property
    def identifier(self) -> str:
        """The identity as the server's text, by which it orders managers."""
        parts = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "subresource": self.subresource,
        }
        members = (f'"{name}":{go_string(text)}' for name, text in parts.items() if text)
        return f"{{{','.join(members)}}}"


@dataclass(frozen=True, slots=True)
class ManagedFieldsEntry:
    """One entry of metadata.managedFields.

    Attributes:
        time: RFC 3339 text as the server wrote it; "" when the entry has none.
    """

    manager: str
    operation: Operation
    api_version: str
    fields: FieldSet
    time: str = ""
    subresource: str = ""

    @property
    def id(self) -> ManagerId:
        """The identity of the entry."""
        version = "" if self.operation == "Apply" else self.api_version
        return ManagerId(self.manager, self.operation, version, self.subresource)

    def with_fields(self, fields: FieldSet) -> ManagedFieldsEntry:
        """The same entry with other fields."""
        return replace(self, fields=fields)

    @classmethod
    def from_json(cls, data: Any, *, position: int = 0) -> ManagedFieldsEntry:
        """Decode one entry; `position` is named in the error.

        Raises:
            MergeError: as the server refuses it: operation, apiVersion, fieldsType or fieldsV1.
        """
        if not isinstance(data, Mapping):
            raise MergeError(f"managed fields entry {position} is not an object")
        operation = data.get("operation")
        if operation != "Apply" and operation != "Update":
            raise MergeError("operation must be `Apply` or `Update`")
        version = _text(data, "apiVersion")
        if not version:
            raise MergeError("apiVersion must not be empty")
        kind = _text(data, "fieldsType")
        if not kind:
            raise MergeError(f"missing fieldsType in managed fields entry {position}")
        if kind != FIELDS_TYPE:
            raise MergeError(f'invalid fieldsType "{kind}" in managed fields entry {position}')
        return cls(
            _text(data, "manager"),
            operation,
            version,
            FieldSet.from_fields_v1(data.get("fieldsV1")),
            _text(data, "time"),
            _text(data, "subresource"),
        )

    def to_json(self) -> dict[str, Any]:
        """The entry as the API has it; empty manager, time and subresource are left out."""
        data: dict[str, Any] = {}
        if self.manager:
            data["manager"] = self.manager
        data["operation"] = self.operation
        data["apiVersion"] = self.api_version
        if self.time:
            data["time"] = self.time
        data["fieldsType"] = FIELDS_TYPE
        data["fieldsV1"] = self.fields.fields_v1()
        if self.subresource:
            data["subresource"] = self.subresource
        return data


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MergeError(f"{name} of a managed fields entry is not a string")
    return value


def decode_managed_fields(data: Any) -> list[ManagedFieldsEntry]:
    """Decode metadata.managedFields (a list, or None).

    Raises:
        MergeError: an entry that the server would not take.
    """
    if data is None:
        return []
    if not isinstance(data, list):
        raise MergeError("managedFields is not a list")
    return [
        ManagedFieldsEntry.from_json(entry, position=position)
        for position, entry in enumerate(data)
    ]


def managed_fields_of(obj: Mapping[str, Any]) -> list[ManagedFieldsEntry]:
    """The decoded entries of an object; raises as decode_managed_fields does."""
    metadata = obj.get("metadata")
    return decode_managed_fields(
        metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    )


def encode_managed_fields(entries: Iterable[ManagedFieldsEntry]) -> list[dict[str, Any]]:
    """metadata.managedFields in the server's order: Apply before Update, oldest first."""
    return [entry.to_json() for entry in sorted(entries, key=_order)]


def _order(entry: ManagedFieldsEntry) -> tuple[str, int, str, str, str]:
    return (
        entry.operation,
        seconds(entry.time),
        entry.manager,
        entry.api_version,
        entry.subresource,
    )


def seconds(time: str) -> int:
    """Unix seconds of an RFC 3339 time; 0 where there is none or it cannot be read."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return 0
    return int(moment.timestamp()) if moment.tzinfo else 0
