"""Client-side apply, for teams that need it: what kubectl apply does without --server-side.

A new object is created with the manifest in an annotation. Later the manifest, that annotation and
the live object make a patch: a strategic merge patch for kinds compiled into kubectl, a merge
patch for all others (API concepts; "How apply calculates differences and merges changes").
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from kapply.client import MERGE_PATCH, STRATEGIC_MERGE_PATCH, Answer, encode
from kapply.engine.preflight import Planner
from kapply.errors import (
    ApiError,
    ConflictError,
    NotFoundError,
    Status,
    UnauthorizedError,
    UnreachableError,
)
from kapply.merge.errors import MergeError, PatchConflictError
from kapply.merge.jsonvalue import go_json
from kapply.merge.mergepatch import create_three_way_merge_patch
from kapply.merge.preconditions import key_unchanged, metadata_unchanged
from kapply.merge.schema import Type
from kapply.merge.ssa.lastapplied import LAST_APPLIED, last_applied_text
from kapply.merge.strategic import create_three_way
from kapply.meta import GroupVersionKind, JsonObject
from kapply.planning.compare import classify, same_content
from kapply.planning.model import Action, Change, Desired, Seen
from kapply.planning.unchanged import BUILT_IN_GROUPS

# kubectl knows no Go types of these, so it has no strategic merge patch for them.
_BY_MERGE_PATCH = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})
_FIXED = (key_unchanged("apiVersion"), key_unchanged("kind"), metadata_unchanged("name"))


def with_last_applied(obj: JsonObject) -> JsonObject:
    """The object with itself in its annotation, to the byte as kubectl writes it."""
    metadata = obj["metadata"]
    annotations = {
        k: v for k, v in (metadata.get("annotations") or {}).items() if k != LAST_APPLIED
    }
    bare = {**obj, "metadata": {**metadata, "annotations": annotations}}
    text = go_json(bare, exponent="e-") + "\n"
    return {**bare, "metadata": {**metadata, "annotations": {**annotations, LAST_APPLIED: text}}}


def last_applied(live: JsonObject) -> JsonObject | None:
    """What was applied last; None where the object does not say, or says nothing readable."""
    try:
        found = json.loads(last_applied_text(live) or "null")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(slots=True)
class ClientSidePlanner(Planner):
    """Plans and writes by three-way patches in place of server-side applies.

    Args:
        type_of: the merge type of a kind; None when the server does not describe it.
        overwrite: undo what others changed where the manifest says otherwise.
    """

    type_of: Callable[[GroupVersionKind], Type | None] = lambda _gvk: None
    overwrite: bool = True
    _known: dict[int, JsonObject | None] = field(default_factory=dict)

    @property
    def field_manager(self) -> str:
        """Who owns what is written: an Update entry must not have the name of an Apply entry."""
        return f"{self.options.manager}-client-side-apply"

    def _dry_run_once(self, item: Desired, live: JsonObject | None) -> Change:
        self._known[id(item)] = live
        change = Change(item.ref, Action.UPDATE, item, live)
        try:
            if live is not None and not self._patch(item, live):
                return replace(change, action=Action.UNCHANGED, result=live)
            answer = self.send(item, dry_run=True, seen=change.seen)
        except PatchConflictError:
            # The error's own text holds the whole patch, values of Secrets included.
            why = (
                "others changed since the last apply what the manifest sets; --overwrite undoes it"
            )
            return replace(change, action=Action.CONFLICT, why=why)
        except MergeError as error:
            return replace(change, action=Action.INVALID, why=f"no patch can be made: {error}")
        except UnauthorizedError:
            raise
        except ApiError as error:
            action, why, causes = classify(
                item.ref.gvk.group_kind, error.status, exists=live is not None
            )
            return replace(change, action=action, why=why, causes=causes, status=error.status)
        action = Action.CREATE
        if live is not None:
            action = Action.UNCHANGED if same_content(live, answer.obj) else Action.UPDATE
        warnings = answer.warnings
        if live is not None and not last_applied_text(live):
            warnings += ("was not applied by client-side apply before: what it holds stays",)
        return replace(change, action=action, result=answer.obj, warnings=warnings)

    def send(
        self,
        item: Desired,
        *,
        dry_run: bool,
        seen: Seen | None = None,
        force: bool | None = None,
    ) -> Answer:
        """Create or patch the object; with `seen`, only as it was seen. `force` is nothing here."""
        if not item.ref.name:
            return Planner.send(self, item, dry_run=dry_run, seen=seen, force=force)
        live = self._live(item, seen)
        options = self.write_options(item)._replace(
            field_manager=self.field_manager, dry_run=dry_run, force=False
        )
        if live is None:
            return self._create(item, options)
        patch = self._patch(item, live)
        if not patch:
            return Answer(live, (), False)
        if seen is not None and seen.present:
            lock = {"uid": seen.uid, "resourceVersion": seen.resource_version}
            patch = {**patch, "metadata": {**(patch.get("metadata") or {}), **lock}}
        return self.client.patch(
            item.mapping,
            encode(patch),
            item.ref.name,
            item.ref.namespace,
            options,
            content_type=STRATEGIC_MERGE_PATCH if self._type(item) else MERGE_PATCH,
        )

    def _create(self, item: Desired, options: Any) -> Answer:
        obj = with_last_applied(item.obj)
        try:
            return self.client.create(item.mapping, encode(obj), item.ref.namespace, options)
        except UnreachableError as error:
            if not error.sent or options.dry_run:
                raise
            # A POST is not sent again; whether it arrived can be seen.
            live = self._get(item)
            if live is None or last_applied_text(live) != last_applied_text(obj):
                raise
            return Answer(live, (), True)

    def _live(self, item: Desired, seen: Seen | None) -> JsonObject | None:
        if seen is not None and not seen.present:
            return None
        known = self._known.get(id(item))
        if seen is not None and known is not None:
            metadata = known["metadata"]
            if (metadata.get("uid"), metadata.get("resourceVersion")) == seen:
                return known
        live = self._get(item)
        if seen is not None and (live is None or _seen_of(live) != seen):
            raise ConflictError(Status(409, "Conflict", "the object has been modified"))
        return live

    def _get(self, item: Desired) -> JsonObject | None:
        try:
            return self.client.get(item.mapping, item.ref.name, item.ref.namespace)
        except NotFoundError:
            return None

    def _type(self, item: Desired) -> Type | None:
        group = item.ref.gvk.group
        if group not in BUILT_IN_GROUPS or group in _BY_MERGE_PATCH:
            return None
        return self.type_of(item.ref.gvk)

    def _patch(self, item: Desired, live: JsonObject) -> JsonObject:
        """The three-way patch; {} where nothing is to be done. Raises MergeError."""
        before, after = last_applied(live), with_last_applied(item.obj)
        type_ = self._type(item)
        patch: Any
        if type_ is None:
            patch = create_three_way_merge_patch(before, after, live, preconditions=_FIXED)
        else:
            patch = create_three_way(
                before, after, live, type_, overwrite=self.overwrite, preconditions=_FIXED
            )
        return patch if isinstance(patch, dict) else {}


def _seen_of(live: JsonObject) -> Seen:
    metadata = live["metadata"]
    return Seen(metadata.get("uid") or "", metadata.get("resourceVersion") or "")
