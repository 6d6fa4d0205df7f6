"""A CRD whose deletion kube-apiserver has lost sight of is brought to its attention again.

Its finalizer gives up when the storage of the custom resources is just being made anew ("storage is
(re)initializing"), which many deletions at once bring about; the retry may meet a conflict, after
which it waits to be called again, and the call may have been there already. It looks at all CRDs
again only after five minutes, but at once when anything but the Terminating condition changes
(apiextensions-apiserver, pkg/controller/finalizer, observed on 1.37).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from kapply.client import MERGE_PATCH, Client, WriteOptions, encode
from kapply.errors import ApiError, UnauthorizedError
from kapply.meta import JsonObject, ObjectRef, RESTMapping

#: What is changed; the value counts, so that each time is a change.
ANNOTATION = "kapply.dev/deletion-asked-about"
_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
#: Seconds before the first time, and how much longer each further one takes.
FIRST, FACTOR = 4.0, 2.0


class Nudge:
    """Touches terminating CRDs whose clean-up has failed.

    Args:
        client: the server.
        clock: seconds, from any start.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, tuple[float, float, int]] = {}

    def look_at(self, mapping: RESTMapping, ref: ObjectRef, obj: JsonObject) -> None:
        """Call it with each object that is waited for, each time it was read.

        Raises:
            UnauthorizedError, UnreachableError: there is no way to the server; a refusal is none.
        """
        if not _forgotten(obj):
            return
        uid, now = str(obj["metadata"]["uid"]), self._clock()
        due, pause, count = self._known.get(uid, (now + FIRST, FIRST, 0))
        if now >= due:
            pause *= FACTOR
            due, count = now + pause, count + 1
            self._touch(mapping, ref, uid, count)
        self._known[uid] = (due, pause, count)

    def _touch(self, mapping: RESTMapping, ref: ObjectRef, uid: str, count: int) -> None:
        body = encode({"metadata": {"uid": uid, "annotations": {ANNOTATION: str(count)}}})
        options = WriteOptions("kapply-delete")
        try:
            self._client.patch(
                mapping, body, ref.name, ref.namespace, options, content_type=MERGE_PATCH
            )
        except UnauthorizedError:
            raise
        except ApiError:
            # It is gone, or may not be changed: then it takes as long as it takes.
            return


def _forgotten(obj: JsonObject) -> bool:
    """Whether it is a CRD that waits for its clean-up, which has failed."""
    metadata = obj.get("metadata") or {}
    if obj.get("kind") != "CustomResourceDefinition" or not metadata.get("deletionTimestamp"):
        return False
    if _FINALIZER not in (metadata.get("finalizers") or ()):
        return False
    return any(
        condition.get("type") == "Terminating"
        and condition.get("status") == "True"
        and condition.get("reason") in ("InstanceDeletionFailed", "InstanceDeletionCheck")
        for condition in (obj.get("status") or {}).get("conditions") or ()
    )
