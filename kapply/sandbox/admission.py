"""The admission plugins that every kind passes: NamespaceLifecycle."""

from __future__ import annotations

from kapply.sandbox import status
from kapply.sandbox.request import Call
from kapply.sandbox.status import Failure, Resource
from kapply.sandbox.store import View

_NAMESPACES = Resource("", "namespaces")


def admit_namespace(call: Call, view: View, name: str) -> None:
    """Refuse to create in a namespace that is missing (404) or terminating (403)."""
    namespace = call.target.namespace
    if not call.resource.namespaced or not namespace:
        return
    record = view.get("namespaces", "", namespace)
    if record is None:
        raise status.not_found(_NAMESPACES, namespace)
    found = record.load()
    if found["metadata"].get("deletionTimestamp"):
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        failure = status.forbidden(call.resource.named, name, why)
        raise Failure(
            failure.code,
            failure.reason,
            failure.message,
            {
                **(failure.details or {}),
                "causes": [
                    {
                        "reason": "NamespaceTerminating",
                        "message": f"namespace {namespace} is being terminated",
                        "field": "metadata.namespace",
                    }
                ],
            },
        )
