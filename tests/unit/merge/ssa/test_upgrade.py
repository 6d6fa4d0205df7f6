from __future__ import annotations

from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import ManagedFieldsEntry, Operation
from kapply.merge.ssa import upgrade_managed_fields

CSA = "kubectl-client-side-apply"


def entry(
    manager: str, operation: Operation, *names: str, version: str = "v1", subresource: str = ""
) -> ManagedFieldsEntry:
    fields = FieldSet.of(("f:" + name,) for name in names)
    return ManagedFieldsEntry(manager, operation, version, fields, "", subresource)


def test_an_update_entry_becomes_the_apply_entry() -> None:
    other = entry("other", "Update", "x")
    assert upgrade_managed_fields([other, entry(CSA, "Update", "a")], [CSA], "kapply") == [
        other,
        entry("kapply", "Apply", "a"),
    ]


def test_the_apply_entry_takes_the_fields_of_its_version() -> None:
    before = [
        entry("kapply", "Apply", "a"),
        entry(CSA, "Update", "b"),
        entry(CSA, "Update", "c", version="v2"),
        entry(CSA, "Update", "d", subresource="status"),
    ]
    assert upgrade_managed_fields(before, [CSA], "kapply") == [
        entry("kapply", "Apply", "a", "b"),
        entry(CSA, "Update", "d", subresource="status"),
    ]


def test_entries_of_another_version_go_with_their_fields() -> None:
    before = [entry("kapply", "Apply", "a"), entry(CSA, "Update", "c", version="v2")]
    assert upgrade_managed_fields(before, [CSA], "kapply") == [entry("kapply", "Apply", "a")]


def test_nothing_to_take_over() -> None:
    before = [entry("x", "Update", "a"), entry(CSA, "Apply", "b")]
    assert upgrade_managed_fields(before, [CSA], "kapply") == before


def test_several_managers_and_a_subresource() -> None:
    before = [
        entry("one", "Update", "a", subresource="status"),
        entry("two", "Update", "b", subresource="status"),
        entry("two", "Update", "c"),
    ]
    assert upgrade_managed_fields(before, ["two", "one"], "kapply", subresource="status") == [
        entry("kapply", "Apply", "a", "b", subresource="status"),
        entry("two", "Update", "c"),
    ]
