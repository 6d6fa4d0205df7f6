"""kubectl's last-applied annotation, where server-side apply has to do with it."""

from __future__ import annotations

import json
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.jsonvalue import Json, go_json
from kapply.merge.schema import Type
from kapply.merge.typed import compare, field_set_of, validate

#: The annotation kubectl's client-side apply keeps its last manifest in.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

#: How many bytes the keys and values of all annotations may have together.
MAX_ANNOTATIONS = 256 * 1024


def annotations_of(obj: Any) -> dict[str, str] | None:
    """metadata.annotations of an object, null as ""; None where there are none of that type."""
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(found, dict):
        return None
    texts = {name: "" if text is None else text for name, text in found.items()}
    return texts if all(isinstance(text, str) for text in texts.values()) else None


def last_applied_text(obj: Any) -> str:
    """The last-applied annotation of an object; "" where there is none."""
    return (annotations_of(obj) or {}).get(LAST_APPLIED, "")


def allowed_conflicts(live: Json, version: str, type_: Type) -> FieldSet | None:
    """The fields kubectl applied client-side and nobody changed since.

    kubectl may take them over without a conflict.

    Args:
        live: the live object at `version`.
        version: the apiVersion of the request.
        type_: the type at that version.

    Returns:
        The fields; None when the annotation is missing, unreadable or of another version.
    """
    try:
        before = json.loads(last_applied_text(live))
        if not isinstance(before, dict) or before.get("apiVersion") != version:
            return None
        if not before.get("kind") or validate(before, type_) or validate(live, type_):
            return None
        found = compare(before, live, type_)
        return field_set_of(before, type_) - found.modified - found.added - found.removed
    except (ValueError, RecursionError, MergeError):
        return None


def refreshed(obj: Json, applied: Json) -> Json:
    """`obj` with its last-applied annotation saying `applied`; without it when it grows too big."""
    text = go_json(_with_clean_annotations(applied), exponent="e-") + "\n"
    kept = {**(annotations_of(obj) or {}), LAST_APPLIED: text}
    if sum(_size(name) + _size(text) for name, text in kept.items()) > MAX_ANNOTATIONS:
        del kept[LAST_APPLIED]
    return {**obj, "metadata": {**obj["metadata"], "annotations": kept}}


def _with_clean_annotations(applied: Json) -> Json:
    """The manifest as the annotation tells it: its annotations read as strings and written back.

    So null becomes "", what is no map of strings goes, and the annotation does not hold itself.
    """
    metadata = applied.get("metadata")
    if not isinstance(metadata, dict) or "annotations" not in metadata:
        return applied
    metadata = dict(metadata)
    annotations = annotations_of(applied)
    if annotations is None:
        del metadata["annotations"]
    else:
        annotations.pop(LAST_APPLIED, None)
        metadata["annotations"] = annotations
    return {**applied, "metadata": metadata}


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
