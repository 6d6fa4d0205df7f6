"""What a server-side apply would make of a custom resource, from its CRD alone.

For kinds that no server serves yet, because the same input brings their CustomResourceDefinition:
merged, pruned, defaulted and validated by the structural schema, as apiextensions-apiserver does
it (CRD documentation, "Specifying a structural schema"). Rules in CEL (x-kubernetes-validations),
webhooks and policies are not looked at; the server is asked when the CRD is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.jsonvalue import ABSENT
from kapply.merge.schema_crd import crd_type
from kapply.merge.ssa import Conflicts, FieldManager, Versions
from kapply.merge.structural import (
    TextChecks,
    Validator,
    apply_defaults,
    drop_nulls,
    identity_violations,
    prune,
    prune_defaults,
    repeated_items,
)
from kapply.meta import JsonObject
from kapply.planning.compare import compare
from kapply.planning.model import Action, Cause, Change, Desired
from kapply.validation.formats import go_pattern, string_format

_CHECKS = TextChecks(string_format, go_pattern)
#: The time in managedFields of a simulated result, which no diff shows.
_NO_TIME = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class CustomKind:
    """One served version of a CustomResourceDefinition.

    Attributes:
        schema: its openAPIV3Schema, with its defaults pruned.
        with_status: whether status is a subresource, which an apply to the object leaves alone.
        manager: merges by the schema.
    """

    schema: Mapping[str, Any]
    with_status: bool
    manager: FieldManager

    @classmethod
    def of(cls, crd: Mapping[str, Any], version: str) -> CustomKind | None:
        """The version of a CRD; None where the CRD does not describe it well enough."""
        spec = crd.get("spec")
        names = spec.get("names") if isinstance(spec, Mapping) else None
        if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
            return None
        group, kind = spec.get("group"), names.get("kind")
        versions = spec.get("versions")
        for entry in versions if isinstance(versions, list) else ():
            if not isinstance(entry, Mapping) or entry.get("name") != version:
                continue
            schema = (entry.get("schema") or {}).get("openAPIV3Schema")
            if not (isinstance(schema, dict) and isinstance(group, str) and isinstance(kind, str)):
                return None
            api_version = f"{group}/{version}"
            try:
                type_ = crd_type(group, version, kind, schema)
                pruned = prune_defaults(schema)
            except (MergeError, TypeError, AttributeError, ValueError):
                # The CRD itself is refused for its schema, and that is told.
                return None
            manager = FieldManager(
                kind,
                api_version,
                Versions({api_version: type_}),
                default=partial(apply_defaults, schema=pruned),
            )
            return cls(pruned, "status" in (entry.get("subresources") or {}), manager)
        return None

    def apply(
        self, desired: Desired, live: JsonObject | None, manager: str, *, force: bool, why: str
    ) -> Change:
        """What applying `desired` comes to: a simulated Change.

        Args:
            desired: the custom resource.
            live: as the server has it, at the same version; None when it is not there.
            manager: the field manager.
            force: whether fields of other managers are taken over.
            why: what the server waits for before it can be asked.
        """
        obj = desired.obj
        if self.with_status and "status" in obj:
            obj = {key: value for key, value in obj.items() if key != "status"}
        try:
            done = self.manager.apply(live, obj, manager, force=force, now=_NO_TIME)
            if isinstance(done, Conflicts):
                return self._conflict(desired, live, done)
            causes = self._violations(done, live)
            result = self._stored(done)
        except (MergeError, TypeError, AttributeError, ValueError) as error:
            if not isinstance(error, MergeError):
                # A schema that contradicts itself: the server's word on the CRD is still to come.
                return Change(desired.ref, Action.CREATE, desired, live, why=why, deferred=True)
            reason = error.message
            return Change(desired.ref, Action.INVALID, desired, live, why=reason, simulated=True)
        if causes:
            count = f"{len(causes)} field{'s' if len(causes) > 1 else ''}"
            why = f"{count} not as the CustomResourceDefinition of the input says"
            return Change(
                desired.ref, Action.INVALID, desired, live, why=why, causes=causes, simulated=True
            )
        action = compare(live, result, manager)
        return Change(
            desired.ref, action, desired, live, result, why=why, deferred=True, simulated=True
        )

    def _stored(self, obj: Any) -> Any:
        kept = drop_nulls(prune(obj, self.schema)[0], self.schema)
        stored = apply_defaults(kept, self.schema)
        metadata = stored.get("metadata") if isinstance(stored, dict) else None
        if isinstance(metadata, dict):
            # ObjectMeta leaves out what is empty.
            stored["metadata"] = {k: v for k, v in metadata.items() if v not in (None, {}, [], "")}
        return stored

    def _violations(self, obj: Any, live: JsonObject | None) -> tuple[Cause, ...]:
        validator = Validator(self.schema, _CHECKS)
        found = validator.violations(obj, old=ABSENT if live is None else live)
        found += identity_violations(obj, self.schema)
        if live is None or not repeated_items(live, self.schema):
            found += repeated_items(obj, self.schema)
        return tuple(Cause(item.message, item.path) for item in found)

    @staticmethod
    def _conflict(desired: Desired, live: JsonObject | None, found: Conflicts) -> Change:
        causes = tuple(Cause(c.message, c.field, c.manager.manager) for c in found.items)
        who = " and ".join(sorted({cause.manager for cause in causes}))
        why = f"{len(causes)} field{'s' if len(causes) > 1 else ''} managed by {who}"
        return Change(
            desired.ref, Action.CONFLICT, desired, live, why=why, causes=causes, simulated=True
        )
