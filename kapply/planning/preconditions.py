"""What a write carries of what the plan saw, so that nothing slips in between. Pure.

A server-side apply with metadata.uid and metadata.resourceVersion is refused (409) unless the
object is still that one, as it was read; by resourceVersion alone a deleted object would be made
anew. With resourceVersion "1", which no object has and which kube-apiserver ignores where there is
no object, it creates or is refused: a create-only apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kapply.errors import Status
from kapply.meta import JsonObject
from kapply.planning.model import Seen

#: How the body of every Desired begins, so that preconditions need no second encoding.
_HEAD = b'{"metadata":{'
_CREATE_ONLY = b'"resourceVersion":"1",'


def metadata_first(obj: JsonObject) -> JsonObject:
    """The object with its metadata before everything else; what is encoded of it is a body."""
    return {"metadata": obj["metadata"], **obj}


def guarded(body: bytes, obj: Mapping[str, Any], seen: Seen) -> bytes:
    """The body of an apply that is refused unless the server still has what the plan saw.

    Args:
        body: `obj` encoded with its metadata first.
        obj: what is applied. Preconditions of its own stay the only ones.
        seen: the object as it was read, or that it was not there.
    """
    metadata = obj["metadata"]
    if "resourceVersion" in metadata or "uid" in metadata or not body.startswith(_HEAD):
        return body
    words = _CREATE_ONLY
    if seen.present:
        words = f'"uid":"{seen.uid}","resourceVersion":"{seen.resource_version}",'.encode()
    return b"".join((_HEAD, words, body[len(_HEAD) :]))


def is_precondition_failure(status: Status) -> bool:
    """Whether a refusal says that the object is not what the plan saw.

    A 409 of field managers has a cause for each field; that of a precondition has none. A foreign
    uid on a current resourceVersion is a 422: the object was deleted and made anew.
    """
    if status.code == 409:
        return status.reason in ("Conflict", "AlreadyExists", "") and not status.causes
    return status.code == 422 and any(
        cause.field == "metadata.uid" and "immutable" in cause.message for cause in status.causes
    )


def difference(live: Any, result: Any) -> Any:
    """How two versions of an object differ, to compare one diff with another.

    What the server writes on its own (managedFields, generation, versions) and status are left
    out. Two results are equal exactly when the diffs are.

    Returns:
        None where nothing differs; else for maps {key: difference}, for all else the pair of
        before and after, with `...` for what is not there.
    """
    left = stated(live) if isinstance(live, dict) else None
    right = stated(result) if isinstance(result, dict) else None
    return _walk(left, right)


_UNSTATED = frozenset(
    {"managedFields", "generation", "resourceVersion", "uid", "creationTimestamp", "selfLink"}
)


def stated(obj: JsonObject) -> JsonObject:
    """What an object states: without status and without what the server writes on its own."""
    metadata = obj.get("metadata") or {}
    kept = {key: value for key, value in metadata.items() if key not in _UNSTATED}
    return {**{k: v for k, v in obj.items() if k != "status"}, "metadata": kept}


def _walk(root_left: Any, root_right: Any) -> Any:
    """Without recursion: manifests may be as deep as the server takes them."""
    holder: dict[str, Any] = {}
    work: list[tuple[dict[str, Any], str, Any, Any]] = [(holder, "", root_left, root_right)]
    while work:
        out, name, left, right = work.pop()
        if left.__class__ is dict and right.__class__ is dict:
            inner: dict[str, Any] = {}
            for key in left.keys() | right.keys():
                a, b = left.get(key, ...), right.get(key, ...)
                if a.__class__ is not b.__class__ or a != b:
                    work.append((inner, key, a, b))
            if left != right:
                out[name] = inner
        elif left.__class__ is not right.__class__ or left != right:
            out[name] = (left, right)
    return holder.get("")
