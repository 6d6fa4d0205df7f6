"""Objects between the version they are stored in and the version of a request.

Custom resources have conversion strategy None: only apiVersion differs. Of the built-in kinds
two are served in more than one group-version: HorizontalPodAutoscaler and Event.
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
        return {**obj, "apiVersion": resource.hub.api_version}
    from kapply.sandbox.kinds import conversion

    return conversion.convert(obj, resource.gvk, resource.hub)


def from_hub(resource: Resource, obj: Object) -> Object:
    """A stored object in the version of the request."""
    if resource.gvk == resource.hub:
        return obj
    if resource.crd is not None:
        return {**obj, "apiVersion": resource.gvk.api_version}
    from kapply.sandbox.kinds import conversion

    return conversion.convert(obj, resource.hub, resource.gvk)
