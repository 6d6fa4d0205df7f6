"""Strategic merge patch: merge patches that know which lists merge, and by which key.

The patch type of client-side apply and of `application/strategic-merge-patch+json`, with its
directives `$patch`, `$deleteFromPrimitiveList`, `$setElementOrder` and `$retainKeys`, as in
apimachinery's strategicpatch. Which lists merge is said by a Type (x-kubernetes-patch-strategy and
-merge-key); custom resources have no strategic merge patch.
"""

from __future__ import annotations

from collections.abc import Iterable

from kapply.merge.errors import PatchConflictError, PatchError, bounded
from kapply.merge.jsonvalue import Json, copy_json, go_json
from kapply.merge.preconditions import Precondition, check
from kapply.merge.schema import Type
from kapply.merge.strategic.apply import MergeOptions, merge_map
from kapply.merge.strategic.conflicts import have_conflicts
from kapply.merge.strategic.diff import DiffOptions, diff_maps

_ON_OBJECT = MergeOptions(on_object=True, drop_nulls=True)
_ON_PATCH = MergeOptions(on_object=False, drop_nulls=False)


@bounded
def create_two_way(
    original: Json, modified: Json, type_: Type, *, preconditions: Iterable[Precondition] = ()
) -> Json:
    """The patch that makes `modified` of `original`; {} when they are alike.

    Args:
        original: an object; None is {}.
        modified: an object; None is {}.
        type_: the type of both.
        preconditions: what the patch has to leave alone.

    Raises:
        PreconditionError: it does not.
        PatchError: a list that cannot be merged, or a field the type does not have.
    """
    patch = diff_maps(_map(original), _map(modified), type_, DiffOptions(order=True))
    return check(patch, preconditions)


@bounded
def create_three_way(
    original: Json,
    modified: Json,
    current: Json,
    type_: Type,
    *,
    overwrite: bool = True,
    preconditions: Iterable[Precondition] = (),
) -> Json:
    """The patch of client-side apply: what differs from live, and what is no longer applied.

    Args:
        original: what was applied last; None is {}.
        modified: what is applied now.
        current: the live object.
        type_: the type of the three.
        overwrite: undo what others changed since, where it is in the way.
        preconditions: what the patch has to leave alone.

    Raises:
        PatchConflictError: others changed what the patch changes, and `overwrite` is not set.
        PreconditionError: the patch changes what it has to leave alone.
        PatchError: a list that cannot be merged, or a field the type does not have.
    """
    before, after, live = _map(original), _map(modified), _map(current)
    delta = diff_maps(live, after, type_, DiffOptions(order=True, deletions=False))
    deletions = diff_maps(before, after, type_, DiffOptions(order=True, changes=False))
    patch = check(merge_map(deletions, delta, type_, _ON_PATCH), preconditions)
    if not overwrite:
        changed = diff_maps(before, live, type_, DiffOptions())
        if have_conflicts(patch, changed, type_):
            raise PatchConflictError(
                f"the patch {go_json(patch)} conflicts with what was changed since: "
                f"{go_json(changed)}",
                code=409,
            )
    # Parts of the patch are parts of the manifest; the caller's are not to be shared.
    return copy_json(patch)


@bounded
def apply_patch(original: Json, patch: Json, type_: Type) -> Json:
    """`original` patched; neither is changed.

    Raises:
        PatchError: a patch that does not fit; its code is what the API server answers.
    """
    return merge_map(_map(original), _map(patch), type_, _ON_OBJECT)


def _map(value: Json) -> dict[str, Json]:
    if value is None:
        return {}
    if value.__class__ is not dict:
        raise PatchError("invalid JSON document", code=400)
    copied: dict[str, Json] = copy_json(value)
    return copied
