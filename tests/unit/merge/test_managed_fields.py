from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import (
    ManagedFieldsEntry,
    ManagerId,
    decode_managed_fields,
    encode_managed_fields,
    managed_fields_of,
    seconds,
)

ENTRY: dict[str, Any] = {
    "manager": "kapply",
    "operation": "Apply",
    "apiVersion": "apps/v1",
    "time": "2026-01-02T03:04:05Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:spec": {"f:replicas": {}}},
    "subresource": "scale",
}


def test_an_entry_goes_through_unchanged() -> None:
    (entry,) = decode_managed_fields([ENTRY])
    assert entry.manager == "kapply"
    assert entry.fields == FieldSet.of([("f:spec", "f:replicas")])
    assert entry.to_json() == ENTRY
    assert list(entry.to_json()) == list(ENTRY)


def test_what_is_empty_is_left_out() -> None:
    bare = {
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    assert ManagedFieldsEntry.from_json({**bare, "manager": None}).to_json() == bare


def test_an_apply_entry_is_the_same_at_every_version() -> None:
    entry = ManagedFieldsEntry.from_json(ENTRY)
    assert entry.id == ManagerId("kapply", "Apply", "", "scale")
    updated = ManagedFieldsEntry.from_json({**ENTRY, "operation": "Update"})
    assert updated.id == ManagerId("kapply", "Update", "apps/v1", "scale")


def test_fields_can_be_replaced() -> None:
    entry = ManagedFieldsEntry.from_json(ENTRY)
    changed = entry.with_fields(FieldSet())
    assert changed.fields == FieldSet()
    assert changed.id == entry.id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operation": "Patch"}, "operation must be `Apply` or `Update`"),
        ({"apiVersion": ""}, "apiVersion must not be empty"),
        ({"apiVersion": 1}, "apiVersion of a managed fields entry is not a string"),
        ({"fieldsType": ""}, "missing fieldsType in managed fields entry 1"),
        ({"fieldsType": "V2"}, 'invalid fieldsType "V2" in managed fields entry 1'),
        ({"fieldsV1": []}, "a field set is a JSON object"),
    ],
)
def test_entries_the_server_refuses(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MergeError, match=message):
        decode_managed_fields([ENTRY, {**ENTRY, **change}])


@pytest.mark.parametrize("data", [{}, "x", [1], [None]])
def test_what_is_no_list_of_entries(data: Any) -> None:
    with pytest.raises(MergeError):
        decode_managed_fields(data)


def test_entries_of_an_object() -> None:
    assert [e.manager for e in managed_fields_of({"metadata": {"managedFields": [ENTRY]}})] == [
        "kapply"
    ]
    assert managed_fields_of({"metadata": {}}) == []
    assert managed_fields_of({}) == []
    assert managed_fields_of({"metadata": []}) == []


def test_the_servers_order() -> None:
    def entry(**change: Any) -> ManagedFieldsEntry:
        return ManagedFieldsEntry.from_json({**ENTRY, **change})

    ordered = [
        entry(manager="z", time="2026-01-01T00:00:00Z"),
        entry(manager="a"),
        entry(manager="b", apiVersion="apps/v1"),
        entry(manager="b", apiVersion="apps/v2", subresource=""),
        entry(manager="b", apiVersion="apps/v2", subresource="status"),
        entry(manager="z", operation="Update", time=None),
        entry(manager="a", operation="Update"),
    ]
    assert encode_managed_fields(reversed(ordered)) == [item.to_json() for item in ordered]


@pytest.mark.parametrize(
    ("time", "unix"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:01:00.999Z", 60),
        ("1970-01-01T00:01:00", 0),
        ("", 0),
        ("yesterday", 0),
    ],
)
def test_seconds(time: str, unix: int) -> None:
    assert seconds(time) == unix
