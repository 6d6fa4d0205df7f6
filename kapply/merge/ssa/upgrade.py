"""From client-side to server-side apply: Update entries become one Apply entry (csaupgrade)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kapply.merge.managed_fields import ManagedFieldsEntry, Operation


def upgrade_managed_fields(
    entries: Sequence[ManagedFieldsEntry],
    from_managers: Iterable[str],
    to_manager: str,
    *,
    subresource: str = "",
) -> list[ManagedFieldsEntry]:
    """The entries after `to_manager` took over what others own by Update.

    A removed field would stay for good when the Update entry of the time before server-side
    apply kept owning it.

    Args:
        entries: managedFields of the live object, in their order.
        from_managers: managers whose Update entries end ("kubectl-client-side-apply").
        to_manager: the manager that applies from now on. Its Apply entry takes the fields of
            the Update entry of the same apiVersion; where it has none, the first Update entry
            becomes it.
        subresource: the subresource of the entries that are meant.
    """
    found = list(entries)
    # The order of names makes no difference but for which entry becomes the Apply entry.
    for name in sorted(set(from_managers)):
        found = _upgraded(found, name, to_manager, subresource)
    return found


def _upgraded(
    entries: list[ManagedFieldsEntry], name: str, to_manager: str, subresource: str
) -> list[ManagedFieldsEntry]:
    def first(manager: str, operation: Operation, version: str | None = None) -> int | None:
        for position, entry in enumerate(entries):
            if (entry.manager, entry.operation, entry.subresource) == (
                manager,
                operation,
                subresource,
            ) and version in (None, entry.api_version):
                return position
        return None

    target = first(to_manager, "Apply")
    if target is None:
        target = first(name, "Update")
        if target is None:
            return entries
        entries = list(entries)
        old = entries[target]
        entries[target] = ManagedFieldsEntry(
            to_manager, "Apply", old.api_version, old.fields, old.time, subresource
        )
    source = first(name, "Update", entries[target].api_version)
    if source is not None:
        fields = entries[target].fields | entries[source].fields
        entries = list(entries)
        entries[target] = entries[target].with_fields(fields)
    return [
        entry
        for entry in entries
        if (entry.manager, entry.operation, entry.subresource) != (name, "Update", subresource)
    ]
