"""FieldManager: what the API server makes of updates and applies (apimachinery's managedfields).

A write goes through the same steps as there: the entries are decoded, owners and object are
computed by the Updater, metadata the server owns is stripped from what the writer owns, old
Update entries are folded together, and the entries are encoded again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kapply.merge.errors import MergeError, bounded
from kapply.merge.fieldfilter import FieldFilter
from kapply.merge.fieldpath import make_path
from kapply.merge.fieldset import FieldSet
from kapply.merge.jsonvalue import Json
from kapply.merge.managed_fields import (
    ManagedFieldsEntry,
    ManagerId,
    decode_managed_fields,
    encode_managed_fields,
    managed_fields_of,
    seconds,
)
from kapply.merge.ssa.conflicts import Conflict, Conflicts
from kapply.merge.ssa.lastapplied import allowed_conflicts, last_applied_text, refreshed
from kapply.merge.ssa.refusals import (
    ApplyRequestError,
    UnfitError,
    check_object,
    describe,
    group_version_kind,
)
from kapply.merge.ssa.updater import Managers, Updater, VersionedSet
from kapply.merge.ssa.versions import Versions
from kapply.merge.typed import validate

#: More Update entries than this are folded together, the oldest first.
MAX_UPDATE_MANAGERS = 10

#: Fields that nobody owns: they name the object, or the server writes them.
STRIPPED = FieldSet.of(
    [
        make_path("apiVersion"),
        make_path("kind"),
        make_path("metadata"),
        *(
            make_path("metadata", name)
            for name in (
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName",
                "generation", "managedFields", "resourceVersion",
            )
        ),
    ]
)  # fmt: skip

_CURRENT = ManagerId("current-operation", "Update")


@dataclass(slots=True)
class _Managed:
    """Who owns what, and when each wrote last."""

    owners: Managers = field(default_factory=dict)
    times: dict[ManagerId, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: list[ManagedFieldsEntry]) -> _Managed:
        managed = cls()
        for entry in entries:
            managed.owners[entry.id] = VersionedSet(
                entry.fields, entry.api_version, entry.operation == "Apply"
            )
            managed.times[entry.id] = entry.time
        return managed

    def encode(self) -> list[dict[str, Any]]:
        return encode_managed_fields(
            ManagedFieldsEntry(
                manager.manager,
                "Apply" if owned.applied else manager.operation,
                owned.version,
                owned.fields,
                self.times.get(manager, ""),
                manager.subresource,
            )
            for manager, owned in self.owners.items()
        )


@dataclass(frozen=True, slots=True)
class FieldManager:
    """The field manager of one kind at the version, and for the subresource, of a request.

    Attributes:
        kind: the kind ("Deployment").
        api_version: the apiVersion of the request; objects are given and returned at it.
        versions: the types of the kind.
        subresource: "" for the resource itself.
        filters: what writes may own, by apiVersion (reset fields).
        default: fills in defaults after an apply, where there are any.
        empty: an object of the kind with nothing set: nobody adds the fields that it has.
    """

    kind: str
    api_version: str
    versions: Versions
    subresource: str = ""
    filters: Mapping[str, FieldFilter] = field(default_factory=dict)
    default: Callable[[Json], Json] | None = None
    empty: Json = None

    @bounded
    def update(self, live: Json, new: Json, manager: str, *, now: str) -> Json:
        """The new object with its managedFields, after a create, update or patch.

        Args:
            live: the object as it was; None for a create.
            new: the object that is to be stored. Its own managedFields count, as in a request
                that edits them: [] or [{}] starts anew, none or unreadable ones mean the live.
            manager: the field manager of the request; "" is "unknown".
            now: the time of the request, RFC 3339 in UTC.

        Raises:
            TypedError: an object that does not fit its type.
            MergeError: other reasons why owners cannot be computed.
        """
        check_object(new)
        current = self._empty() if live is None else live
        managed = self._decoded(current, new)
        new = _with_managed_fields(new, [])
        if managed.owners or not _uid(current):
            managed = self._update(current, new, managed, manager, now)
        return _with_managed_fields(new, managed.encode())

    @bounded
    def apply(
        self, live: Json, applied: Json, manager: str, *, force: bool = False, now: str
    ) -> Json | Conflicts:
        """The object after a server-side apply, or the conflicts that forbid it.

        Args:
            live: the live object; None when the apply creates it.
            applied: the manifest.
            manager: the field manager of the request; "" is "unknown".
            force: take fields from other managers instead of refusing.
            now: the time of the request, RFC 3339 in UTC.

        Raises:
            ApplyRequestError: another kind or version, or a manifest with managedFields.
            TypedError: an object that does not fit its type.
            MergeError: other reasons why the apply cannot be done.
        """
        self._check(applied)
        current = self._empty() if live is None else live
        managed = _Managed.of(managed_fields_of(current))
        if not managed.owners:
            # Whatever is there was written before anyone kept track of owners.
            bare = _with_managed_fields(current, [])
            managed = self._update(self._empty(), bare, managed, "before-first-apply", now)
        done = self._apply(current, applied, managed, manager, force, now)
        if isinstance(done, Conflicts):
            if manager != "kubectl":
                return done
            done = self._taken_over(current, applied, managed, done, now)
            if isinstance(done, Conflicts):
                return done
        obj, managed = done
        if manager == "kubectl" and last_applied_text(obj):
            obj = refreshed(obj, applied)
        return _with_managed_fields(obj, managed.encode())

    def _empty(self) -> Json:
        return self.empty or {"apiVersion": self.api_version, "kind": self.kind}

    def _check(self, applied: Json) -> None:
        check_object(applied)
        if (applied.get("apiVersion"), applied.get("kind")) != (self.api_version, self.kind):
            raise ApplyRequestError(f"invalid object type: {group_version_kind(applied)}")
        metadata = applied.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("managedFields"), list):
            raise ApplyRequestError("metadata.managedFields must be nil")

    def _decoded(self, live: Json, new: Json) -> _Managed:
        if not self.subresource:
            metadata = new.get("metadata")
            given = metadata.get("managedFields") if isinstance(metadata, dict) else None
            if given == [] or given == [{}]:
                return _Managed()
            try:
                entries = decode_managed_fields(given)
            except MergeError:
                entries = []
            if entries:
                return _Managed.of(entries)
        # A subresource cannot edit managedFields; a client that does not know them keeps them.
        try:
            return _Managed.of(managed_fields_of(live))
        except MergeError:
            return _Managed()

    def _identity(self, manager: str, *, apply: bool) -> ManagerId:
        name = manager or "unknown"
        if apply:
            return ManagerId(name, "Apply", "", self.subresource)
        return ManagerId(name, "Update", self.api_version, self.subresource)

    def _typed(self, obj: Json, refusal: str, *, allow_duplicates: bool = True) -> Json:
        """`obj` at the version of the request, without managedFields, and fit for its type."""
        versioned = self.versions.converted(obj, self.api_version)
        type_ = self.versions.type_at(self.api_version)
        errors = validate(versioned, type_, allow_duplicates=allow_duplicates)
        if errors:
            raise UnfitError(refusal.format(describe(obj)), errors)
        return _with_managed_fields(versioned, [])

    def _update(self, live: Json, new: Json, managed: _Managed, manager: str, now: str) -> _Managed:
        """The owners after an update."""
        before = self._typed(live, "failed to convert live object ({}) to smd typed")
        after = self._typed(new, "failed to convert new object ({}) to smd typed")
        updater = Updater(self.versions, self.filters)
        owners = updater.update(before, after, self.api_version, managed.owners, _CURRENT)
        owners = _stripped(owners, _CURRENT)
        times = dict(managed.times)
        mine = owners.pop(_CURRENT, None)
        if mine is not None:
            # The write changed something: it joins what this manager wrote before.
            identity = self._identity(manager, apply=False)
            earlier = owners.get(identity)
            if earlier is not None:
                mine = replace(mine, fields=mine.fields | earlier.fields)
            owners[identity] = mine
            times[identity] = now
        return _capped(_Managed(owners, times))

    def _apply(
        self, live: Json, applied: Json, managed: _Managed, manager: str, force: bool, now: str
    ) -> tuple[Json, _Managed] | Conflicts:
        config = self._typed(
            applied, "failed to create typed patch object ({})", allow_duplicates=False
        )
        before = self._typed(live, "failed to create typed live object ({})")
        identity = self._identity(manager, apply=True)
        done = Updater(self.versions, self.filters).apply(
            before, config, self.api_version, managed.owners, identity, force=force
        )
        if isinstance(done, Conflicts):
            return done
        obj, owners = done
        times = dict(managed.times)
        if obj is None:
            obj = before
        else:
            times[identity] = now
            if self.default is not None:
                obj = self.default(obj)
        return obj, _Managed(_stripped(owners, identity), times)

    def _taken_over(
        self, live: Json, applied: Json, managed: _Managed, conflicts: Conflicts, now: str
    ) -> tuple[Json, _Managed] | Conflicts:
        """Let kubectl take over what it applied client-side itself."""
        versioned = self.versions.converted(live, self.api_version)
        type_ = self.versions.type_at(self.api_version)
        allowed = allowed_conflicts(versioned, self.api_version, type_)
        if allowed is None:
            return conflicts

        def forbidden(conflict: Conflict) -> bool:
            return conflict.path not in allowed

        if conflicts.paths() - allowed:
            return conflicts.only(forbidden)
        return self._apply(live, applied, managed, "kubectl", True, now)


def _uid(obj: Json) -> str:
    metadata = obj.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return uid if isinstance(uid, str) else ""


def _with_managed_fields(obj: Json, entries: list[dict[str, Any]]) -> Json:
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    if entries:
        return {**obj, "metadata": {**metadata, "managedFields": entries}}
    if "managedFields" not in metadata:
        return obj
    rest = {name: value for name, value in metadata.items() if name != "managedFields"}
    return {**obj, "metadata": rest}


def _stripped(owners: Managers, manager: ManagerId) -> Managers:
    owned = owners.get(manager)
    if owned is None:
        return owners
    fields = owned.fields - STRIPPED
    rest = {other: versioned for other, versioned in owners.items() if other != manager}
    return {**rest, manager: replace(owned, fields=fields)} if fields else rest


def _capped(managed: _Managed) -> _Managed:
    """The oldest Update entries folded into one for each version, where there are too many."""
    owners, times = managed.owners, managed.times
    updaters = [manager for manager, owned in owners.items() if not owned.applied]
    count = len(updaters)
    updaters.sort(key=lambda manager: (seconds(times.get(manager, "")), manager.identifier))
    first: dict[str, ManagerId] = {}
    for manager in updaters:
        if count <= MAX_UPDATE_MANAGERS:
            break
        owned = owners[manager]
        version = owned.version
        if version not in first:
            first[version] = manager
            continue
        bucket = ManagerId("ancient-changes", "Update", version)
        if bucket not in owners:
            owners[bucket] = owners.pop(first[version])
        owners[bucket] = replace(owned, fields=owned.fields | owners[bucket].fields)
        del owners[manager]
        # The entry that was folded in last is the most recent one.
        times[bucket] = times.get(manager, "")
        count -= 1
    return managed
