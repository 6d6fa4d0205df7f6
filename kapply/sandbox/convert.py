"""Objects between the version they are stored in and the version of a request.

Custom resources have conversion strategy None: apiVersion changes, and the schema of the other
version prunes. What was stored before the CRD was last written is pruned and defaulted anew. Of the
built-in kinds two are served in more than one group-version: HorizontalPodAutoscaler and Event.
"""

from __future__ import annotations

from typing import Any

from kapply.sandbox.registry import Resource

__all__ = ["from_hub", "to_hub"]

Object = dict[str, Any]


def to_hub(resource: Resource, obj: Object) -> Object:
    """An object of the request's version in the version it is stored in."""
    if resource.gvk == resource.hub:
        return obj
    if resource.crd is not None:
        moved = {**obj, "apiVersion": resource.hub.api_version}
        return resource.crd.stored_custom.prune(moved)
    from kapply.sandbox.kinds import conversion

    return conversion.convert(obj, resource.gvk, resource.hub)


def from_hub(resource: Resource, obj: Object) -> Object:
    """A stored object in the version of the request."""
    crd = resource.crd
    if crd is not None and int(obj["metadata"].get("resourceVersion") or 0) < crd.written:
        obj = crd.stored_custom.read(obj, [])
    if resource.gvk == resource.hub:
        # The CRD may have another version for storage now than when the object was written.
        return {**obj, "apiVersion": resource.hub.api_version} if crd else obj
    if crd is not None:
        return crd.custom.prune({**obj, "apiVersion": resource.gvk.api_version})
    from kapply.sandbox.kinds import conversion

    return conversion.convert(obj, resource.hub, resource.gvk)
