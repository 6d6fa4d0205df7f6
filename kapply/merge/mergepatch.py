"""JSON Merge Patch (RFC 7386), as the API server applies it and kubectl creates it."""

from __future__ import annotations

from collections.abc import Iterable

from kapply.merge.errors import PatchError, bounded
from kapply.merge.jsonvalue import ABSENT, Json, copy_json, json_equal
from kapply.merge.preconditions import Precondition, check

_Map = dict[str, Json]


@bounded
def apply_merge_patch(document: Json, patch: Json) -> Json:
    """The document after the patch: null deletes, maps merge, all else replaces.

    As on the server (evanphx/json-patch v4), nulls inside of lists go too where the list does not
    replace a map, and a patch that is a list is the result.

    Raises:
        PatchError: a document or patch that is null, or a scalar patch (400).
    """
    if document is None:
        raise PatchError("Invalid JSON Document")
    if patch.__class__ is not dict and patch.__class__ is not list:
        raise PatchError("Invalid JSON Patch", code=400)
    patch = copy_json(patch)
    if document.__class__ is not dict or patch.__class__ is list:
        return _without_nulls(patch)
    return _merged(copy_json(document), patch)


def _merged(document: Json, patch: _Map) -> Json:
    for name, value in patch.items():
        if value is None:
            document.pop(name, None)
        elif document.get(name).__class__ is not dict:
            document[name] = _without_nulls(value)
        else:
            document[name] = _merged(document[name], value) if value.__class__ is dict else value
    return document


def _without_nulls(value: Json) -> Json:
    """`value` without keys that are null; null items of lists stay."""
    if value.__class__ is dict:
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if value.__class__ is list:
        return [_without_nulls(item) for item in value]
    return value


@bounded
def create_merge_patch(original: Json, modified: Json) -> Json:
    """The patch that makes `modified` of `original`; {} when they are alike.

    A null in `modified` cannot be said: the patch deletes there.

    Raises:
        PatchError: something else than two objects.
    """
    return copy_json(_difference(_map(original), _map(modified)))


def _difference(original: _Map, modified: _Map) -> _Map:
    patch: _Map = {}
    for name, after in modified.items():
        before = original.get(name, ABSENT)
        if before.__class__ is dict and after.__class__ is dict:
            inner = _difference(before, after)
            if inner:
                patch[name] = inner
        elif not json_equal(before, after):
            patch[name] = after
    return patch | dict.fromkeys(name for name in original if name not in modified)


@bounded
def create_three_way_merge_patch(
    original: Json,
    modified: Json,
    current: Json,
    *,
    preconditions: Iterable[Precondition] = (),
) -> Json:
    """The merge patch of client-side apply, for kinds without strategic merge patch.

    Args:
        original: what was applied last; None is {}.
        modified: what is applied now; None is {}.
        current: the live object; None is {}.
        preconditions: what the patch has to leave alone.

    Raises:
        PreconditionError: it changes what it has to leave alone.
        PatchError: something else than objects.
    """
    before, after, live = _map(original), _map(modified), _map(current)
    changes = _only(_difference(live, after), nulls=False)
    deletions = _only(_difference(before, after), nulls=True)
    # No key is in both: one is of keys the manifest has, the other of keys it lacks.
    return check(copy_json(_laid_over(deletions, changes)), preconditions)


def _only(patch: _Map, *, nulls: bool) -> _Map:
    """The deletions of a patch, or everything else; empty maps in a patch are values."""
    out: _Map = {}
    for name, value in patch.items():
        if value is None:
            if nulls:
                out[name] = None
        elif value.__class__ is dict and value:
            inner = _only(value, nulls=nulls)
            if inner:
                out[name] = inner
        elif not nulls:
            out[name] = value
    return out


def _laid_over(deletions: _Map, changes: _Map) -> _Map:
    """Both patches in one; there is nothing that both say."""
    out = dict(deletions)
    for name, value in changes.items():
        known = out.get(name)
        out[name] = _laid_over(known, value) if known.__class__ is dict else _without_nulls(value)
    return out


def _map(value: Json) -> _Map:
    if value is None:
        return {}
    if value.__class__ is not dict:
        raise PatchError("Invalid JSON Document")
    found: _Map = value
    return found
