"""Read the live objects that a plan compares with: few requests, bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kapply.client import Client
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ForbiddenError, GoneError, MethodNotAllowedError, NotFoundError
from kapply.meta import GroupKind, JsonObject, RESTMapping, is_secret
from kapply.planning.model import Desired

Key = tuple[str, str, str, str]

PAGE = 500
# What an object of a page costs beside one GET: a LIST of n pays while n is below this many GETs.
_GET_WORTH = 12

# Read by name: a LIST would need the right to all Secrets, and CRDs are the largest objects.
_BY_NAME = frozenset({GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")})


@dataclass(frozen=True, slots=True)
class _Collection:
    mapping: RESTMapping
    namespace: str
    wanted: tuple[Desired, ...]


def read_live(
    client: Client, desired: Iterable[Desired], *, concurrency: int, stop: Stop
) -> dict[Key, JsonObject]:
    """The live objects of `desired` by ObjectRef.key; what is not there is left out.

    Raises:
        ApiError: the server refused a read for another reason than that it is not there.
    """
    groups: dict[tuple[RESTMapping, str], list[Desired]] = {}
    for item in desired:
        if item.ref.name:
            namespace = item.ref.namespace if item.mapping.namespaced else ""
            groups.setdefault((item.mapping, namespace), []).append(item)
    tasks: list[_Collection] = []
    for (mapping, namespace), wanted in groups.items():
        if _by_name(mapping, len(wanted)):
            tasks += [_Collection(mapping, namespace, (item,)) for item in wanted]
        else:
            tasks.append(_Collection(mapping, namespace, tuple(wanted)))
    tasks.sort(key=lambda task: -len(task.wanted))
    found: dict[Key, JsonObject] = {}
    leftover: list[_Collection] = []

    def read(task: _Collection) -> tuple[dict[Key, JsonObject], tuple[Desired, ...]]:
        if len(task.wanted) == 1:
            return _get(client, task.wanted[0]), ()
        return _list(client, task)

    for task, (objects, missed) in run_parallel(read, tasks, concurrency=concurrency, stop=stop):
        found.update(objects)
        leftover += [_Collection(task.mapping, task.namespace, (item,)) for item in missed]
    for _, (objects, _) in run_parallel(read, leftover, concurrency=concurrency, stop=stop):
        found.update(objects)
    return found


def _by_name(mapping: RESTMapping, count: int) -> bool:
    return (
        count == 1
        or is_secret(mapping.gvk)
        or mapping.gvk.group_kind in _BY_NAME
        or "list" not in mapping.verbs
    )


def _get(client: Client, item: Desired) -> dict[Key, JsonObject]:
    try:
        return {item.ref.key: client.get(item.mapping, item.ref.name, item.ref.namespace)}
    except NotFoundError:
        return {}


def _list(client: Client, task: _Collection) -> tuple[dict[Key, JsonObject], tuple[Desired, ...]]:
    """From a LIST the objects wanted; the rest is for single GETs where that costs less."""
    wanted = {item.ref.name: item for item in task.wanted}
    found: dict[Key, JsonObject] = {}
    try:
        for page in client.pages(task.mapping, task.namespace, limit=PAGE):
            for obj in page.items:
                item = wanted.pop(obj["metadata"]["name"], None)
                if item is not None:
                    found[item.ref.key] = obj
            if not wanted:
                return found, ()
            if (page.remaining or 0) > _GET_WORTH * len(wanted):
                break
        else:
            return found, ()
    except (ForbiddenError, MethodNotAllowedError, GoneError):
        # No right to list, or the list expired half-way: names are always enough.
        pass
    return found, tuple(wanted.values())
