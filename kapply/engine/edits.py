"""Small edits by one PATCH each: labels, annotations, replicas, and a PUT that needs no version.

An edit that must not overwrite what is there has to read it first; its PATCH then carries the
resourceVersion it has read, so that nothing can come in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kapply.client import MERGE_PATCH, Answer, Client, WriteOptions, encode
from kapply.errors import ConflictError, InvalidError, UsageError
from kapply.meta import JsonObject, RESTMapping

#: How often an edit is made anew when the object has changed meanwhile.
_TRIES = 5


class Place(NamedTuple):
    """One object that is edited."""

    mapping: RESTMapping
    name: str
    namespace: str = ""


class Edit(NamedTuple):
    """What became of a label or annotation edit.

    Attributes:
        obj: the object as it is now.
        added, removed: keys that were set to something else, and keys that went; all that was
            asked for where the object was not read before.
        missing: keys to remove that were not there.
        warnings: of the server.
    """

    obj: JsonObject
    added: tuple[str, ...]
    removed: tuple[str, ...]
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class OverwriteError(UsageError):
    """A label or annotation has another value already."""


def edit_map(
    client: Client,
    place: Place,
    field: str,
    changes: Mapping[str, str | None],
    options: WriteOptions,
    *,
    overwrite: bool = False,
    resource_version: str = "",
    local: bool = False,
) -> Edit:
    """Set (or with None remove) keys of metadata.labels or metadata.annotations.

    Args:
        client: the server.
        place: the object.
        field: "labels" or "annotations".
        changes: new values; None removes the key.
        options: manager and dry run.
        overwrite: replace other values; when no key is removed the PATCH is all that is sent.
        resource_version: the version the object has to have.
        local: only read, and give what would become of it.

    Raises:
        OverwriteError: a key has another value, and `overwrite` is not set.
        ApiError: the server refused.
    """
    for attempt in range(_TRIES):
        metadata: dict[str, Any] = {field: dict(changes)}
        if resource_version:
            metadata["resourceVersion"] = resource_version
        if overwrite and not local and None not in changes.values():
            answer = _merge(client, place, {"metadata": metadata}, options)
            return Edit(answer.obj, tuple(changes), (), warnings=answer.warnings)
        live = client.get(place.mapping, place.name, place.namespace)
        edit = _planned(live, field, changes, overwrite=overwrite)
        if local or not (edit.added or edit.removed):
            return edit
        metadata.setdefault("resourceVersion", _mapping(live.get("metadata"))["resourceVersion"])
        try:
            answer = _merge(client, place, {"metadata": metadata}, options)
        except ConflictError:
            if resource_version or attempt == _TRIES - 1:
                raise
            continue
        return edit._replace(obj=answer.obj, warnings=answer.warnings)
    raise AssertionError("the loop returns or raises")


def _planned(
    live: JsonObject, field: str, changes: Mapping[str, str | None], *, overwrite: bool
) -> Edit:
    metadata = _mapping(live.get("metadata"))
    before = _mapping(metadata.get(field))
    taken = [
        f"{key!r} already has a value ({before[key]})"
        for key, value in changes.items()
        if value is not None and key in before and before[key] != value
    ]
    if taken and not overwrite:
        raise OverwriteError(
            f"{metadata.get('name')}: {', '.join(taken)}", hint="--overwrite replaces it."
        )
    kept = {key: value for key, value in before.items() if changes.get(key, value) is not None}
    after = kept | {key: value for key, value in changes.items() if value is not None}
    shown = {name: value for name, value in metadata.items() if name != field}
    return Edit(
        {**live, "metadata": {**shown, **({field: after} if after else {})}},
        tuple(k for k, v in changes.items() if v is not None and before.get(k) != v),
        tuple(k for k, v in changes.items() if v is None and k in before),
        tuple(k for k, v in changes.items() if v is None and k not in before),
    )


def scale(
    client: Client,
    place: Place,
    replicas: int,
    options: WriteOptions,
    *,
    current: int | None = None,
    resource_version: str = "",
) -> Answer:
    """Set the replicas of a workload through its scale subresource; gives the Scale.

    Args:
        client: the server.
        place: the workload.
        replicas: how many there are to be.
        options: manager and dry run.
        current: how many it has to want now; read first then.
        resource_version: the version the object has to have.

    Raises:
        UsageError: another number is wanted now.
        ApiError: the server refused.
    """
    for attempt in range(_TRIES):
        version = resource_version
        if current is not None:
            live = client.get(place.mapping, place.name, place.namespace, subresource="scale")
            wanted = int(_mapping(live.get("spec")).get("replicas") or 0)
            if wanted != current:
                raise UsageError(
                    f"{place.name}: expected {current} replicas, but {wanted} are wanted now"
                )
            version = version or _mapping(live.get("metadata")).get("resourceVersion") or ""
        body: JsonObject = {"spec": {"replicas": replicas}}
        if version:
            body["metadata"] = {"resourceVersion": version}
        try:
            return _merge(client, place, body, options, subresource="scale")
        except ConflictError:
            if resource_version or current is None or attempt == _TRIES - 1:
                raise
    raise AssertionError("the loop returns or raises")


def wait_for_replicas(
    client: Client, place: Place, replicas: int, wait: Callable[[float], bool], seconds: float
) -> bool:
    """Poll the Scale until so many replicas are there; False when time is up.

    `wait` sleeps for so many seconds, and is True when the run is to end.
    """
    left = seconds
    while True:
        found = client.get(place.mapping, place.name, place.namespace, subresource="scale")
        if int(_mapping(found.get("status")).get("replicas") or 0) == replicas:
            return True
        if left <= 0 or wait(min(left, 0.5)):
            return False
        left -= 0.5


def replace(
    client: Client,
    place: Place,
    obj: JsonObject,
    options: WriteOptions,
    *,
    subresource: str = "",
) -> Answer:
    """PUT an object. Where it names no resourceVersion, whatever is there is replaced.

    Some kinds (custom resources among them) take no PUT without a resourceVersion: for those
    the present one is read and the PUT sent again.

    Raises:
        ApiError: the server refused.
    """

    def put(sent: JsonObject) -> Answer:
        return client.replace(
            place.mapping, encode(sent), place.name, place.namespace, options,
            subresource=subresource,
        )  # fmt: skip

    metadata = _mapping(obj.get("metadata"))
    try:
        return put(obj)
    except InvalidError as error:
        fields = {cause.field for cause in error.status.causes}
        if metadata.get("resourceVersion") or "metadata.resourceVersion" not in fields:
            raise
    live = client.get(place.mapping, place.name, place.namespace)
    version = _mapping(live.get("metadata")).get("resourceVersion")
    return put({**obj, "metadata": {**metadata, "resourceVersion": version}})


def _merge(
    client: Client, place: Place, body: JsonObject, options: WriteOptions, *, subresource: str = ""
) -> Answer:
    return client.patch(
        place.mapping,
        encode(body),
        place.name,
        place.namespace,
        options,
        content_type=MERGE_PATCH,
        subresource=subresource,
    )


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}
