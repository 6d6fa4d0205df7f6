"""Ownership through updates and applies (structured-merge-diff's merge.Updater)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kapply.merge.errors import MissingVersionError
from kapply.merge.fieldfilter import FieldFilter
from kapply.merge.fieldset import EMPTY, FieldSet
from kapply.merge.jsonvalue import Json, json_equal
from kapply.merge.managed_fields import ManagerId
from kapply.merge.schema import Type
from kapply.merge.ssa.conflicts import Conflicts
from kapply.merge.ssa.versions import Versions
from kapply.merge.typed import (
    Comparison,
    compare,
    field_set_of,
    merge,
    reconcile,
    remove_items,
    with_named_fields,
)


@dataclass(frozen=True, slots=True)
class VersionedSet:
    """What a manager owns, in the field names of one version."""

    fields: FieldSet
    version: str
    applied: bool


Managers: TypeAlias = dict[ManagerId, VersionedSet]


@dataclass(frozen=True, slots=True)
class Updater:
    """Computes owners and merged objects of one kind.

    Attributes:
        versions: the types of the kind.
        filters: what writes may own, by apiVersion; no entry: everything.
    """

    versions: Versions
    filters: Mapping[str, FieldFilter] = field(default_factory=dict)

    def update(
        self, live: Json, new: Json, version: str, managers: Managers, manager: ManagerId
    ) -> Managers:
        """The owners after `manager` replaced `live` by `new`, both at `version`.

        What changed or appeared is the manager's, and no longer anyone else's.
        """
        managers = self._reconciled(live, managers)
        updated = self._disowned(live, new, version, managers, manager, force=True)
        assert not isinstance(updated, Conflicts)
        managers, found = updated
        mine = managers.get(manager)
        owned = EMPTY if mine is None else mine.fields
        owned = self._filtered(owned - found.removed | found.modified | found.added, version)
        managers.pop(manager, None)
        if owned:
            managers[manager] = VersionedSet(owned, version, applied=False)
        return managers

    def apply(
        self,
        live: Json,
        config: Json,
        version: str,
        managers: Managers,
        manager: ManagerId,
        *,
        force: bool,
    ) -> tuple[Json, Managers] | Conflicts:
        """Merge `config`, applied by `manager`, into `live`.

        Fields the manager applied before and leaves out now go, unless others own them.

        Returns:
            The new object (None when `live` stays as it is) and the owners; or the conflicts,
            where others own fields with other values and `force` is not set.
        """
        managers = self._reconciled(live, managers)
        type_ = self.versions.type_at(version)
        merged = merge(live, config, type_)
        last = managers.get(manager)
        owned = self._filtered(field_set_of(config, type_), version)
        managers[manager] = VersionedSet(owned, version, applied=True)
        pruned = self._pruned(merged, managers, manager, last)
        updated = self._disowned(live, pruned, version, managers, manager, force=force)
        if isinstance(updated, Conflicts):
            return updated
        return None if json_equal(live, pruned) else pruned, updated[0]

    def _filtered(self, fields: FieldSet, version: str) -> FieldSet:
        keep = self.filters.get(version)
        return fields if keep is None else keep(fields)

    def _reconciled(self, live: Json, managers: Managers) -> Managers:
        """The managers as owners of today's schema; those of forgotten versions are left out."""
        found: Managers = {}
        for manager, owned in managers.items():
            try:
                self.versions.at(live, owned.version)
            except MissingVersionError:
                continue
            changed = reconcile(owned.fields, self.versions.type_at(owned.version))
            found[manager] = owned if changed is None else replace(owned, fields=changed)
        return found

    def _compared(self, old: Json, new: Json, version: str) -> Comparison:
        found = compare(
            self.versions.at(old, version),
            self.versions.at(new, version),
            self.versions.type_at(version),
        )
        return found.filtered(self.filters.get(version))

    def _disowned(
        self,
        old: Json,
        new: Json,
        version: str,
        managers: Managers,
        workflow: ManagerId,
        *,
        force: bool,
    ) -> tuple[Managers, Comparison] | Conflicts:
        """Take from all but `workflow` what `new` changed; without `force`, refuse to."""
        comparisons = {version: self._compared(old, new, version)}
        conflicts: dict[ManagerId, FieldSet] = {}
        removed: dict[ManagerId, FieldSet] = {}
        for manager, owned in list(managers.items()):
            if manager == workflow:
                continue
            found = comparisons.get(owned.version)
            if found is None:
                # _reconciled has left out the managers of versions that cannot be had.
                found = comparisons[owned.version] = self._compared(old, new, owned.version)
            contested = owned.fields & (found.modified | found.added)
            if contested:
                conflicts[manager] = contested
            if found.removed:
                removed[manager] = found.removed
        if conflicts and not force:
            return Conflicts.of(conflicts)
        for taken in (conflicts, removed):
            for manager, fields in taken.items():
                owned = managers[manager]
                managers[manager] = replace(owned, fields=owned.fields - fields)
        left = {manager: owned for manager, owned in managers.items() if owned.fields}
        return left, comparisons[version]

    def _pruned(
        self, merged: Json, managers: Managers, applier: ManagerId, last: VersionedSet | None
    ) -> Json:
        """`merged` without what `applier` applied last, leaves out now, and nobody else owns."""
        if last is None or not last.fields:
            return merged
        version = last.version
        merged_then = self.versions.at(merged, version)
        type_ = self.versions.type_at(version)
        pruned = remove_items(merged_then, type_, with_named_fields(last.fields, type_))
        pruned = self._with_owned(merged_then, pruned, version, managers)
        pruned = self._with_dangling(merged_then, pruned, last)
        return self.versions.at(pruned, managers[applier].version)

    def _with_owned(
        self, merged: Json, pruned: Json, pruned_version: str, managers: Managers
    ) -> Json:
        """`pruned` with everything added back that a manager owns, `applier`'s new config too."""
        owned: dict[str, FieldSet] = {}
        for versioned in managers.values():
            fields = owned.get(versioned.version, EMPTY)
            owned[versioned.version] = fields | versioned.fields
        # The version pruned in comes first: others may need its fields to be converted at all.
        order = sorted(owned, key=lambda version: (version != pruned_version, version))
        for version in order:
            merged, pruned = self.versions.at(merged, version), self.versions.at(pruned, version)
            type_ = self.versions.type_at(version)
            gone = _named_set(merged, type_) - (
                _named_set(pruned, type_) | with_named_fields(owned[version], type_)
            )
            pruned = remove_items(merged, type_, gone)
        return pruned

    def _with_dangling(self, merged: Json, pruned: Json, last: VersionedSet) -> Json:
        """`pruned` with everything added back that was never the applier's to remove."""
        pruned = self.versions.at(pruned, last.version)
        type_ = self.versions.type_at(last.version)
        gone = _named_set(merged, type_) - _named_set(pruned, type_)
        return remove_items(merged, type_, gone & with_named_fields(last.fields, type_))


def _named_set(value: Json, type_: Type) -> FieldSet:
    return with_named_fields(field_set_of(value, type_, skip_unnamed=True), type_)
