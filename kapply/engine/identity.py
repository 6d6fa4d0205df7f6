"""Which cluster this is, whatever it is called."""

from __future__ import annotations

from kapply.client import Client
from kapply.meta import GroupVersionKind, RESTMapping

_NAMESPACES = RESTMapping(GroupVersionKind("", "v1", "Namespace"), "namespaces", False)


def cluster_uid(client: Client) -> str:
    """The uid of kube-system, which the server makes once and which names a cluster for good.

    Raises:
        ApiError: it is not there, or may not be read.
    """
    return str(client.get(_NAMESPACES, "kube-system")["metadata"]["uid"])
