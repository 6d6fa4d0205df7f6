"""What Namespaces and CRDs hold: deleting one takes all of that with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kapply.client import Client
from kapply.engine.inventory import Kinds, list_metadata
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ApiError, NotFoundError, UnauthorizedError
from kapply.meta import GroupKind, JsonObject, RESTMapping
from kapply.planning.inventory_rules import Member
from kapply.planning.resolve import CRD, NAMESPACE

# Made by the server's own controllers in every namespace, or following an object of another kind.
_ALWAYS_THERE = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
_FOLLOWING = {("", "Event"), ("events.k8s.io", "Event"), ("", "Endpoints")} | {
    ("discovery.k8s.io", "EndpointSlice")
}


def holds_others(member: Member) -> bool:
    """Whether deleting the object deletes others: a Namespace or a CRD."""
    return member.ref.gvk.group_kind in (NAMESPACE, CRD)


def contents(
    client: Client,
    kinds: Kinds,
    goes: Sequence[Member],
    *,
    ignore: Iterable[str] = (),
    concurrency: int,
    stop: Stop,
) -> dict[str, str]:
    """Which of the Namespaces and CRDs to be deleted would take other objects with them.

    Args:
        client: the server.
        kinds: what it serves.
        goes: everything that is to be deleted.
        ignore: uids of objects that may go as well.
        concurrency: calls at once.
        stop: ends it early.

    Returns:
        The uid of each that must stay, and why. What cannot be looked into stays.
    """
    doomed = {member.uid for member in goes} | set(ignore)
    found: dict[str, str] = {}
    for member in goes:
        if member.leaving:
            continue
        if member.ref.gvk.group_kind == NAMESPACE:
            why = _in_namespace(client, kinds, member, doomed, concurrency, stop)
        elif member.ref.gvk.group_kind == CRD:
            why = _of_crd(client, kinds, member, doomed)
        else:
            continue
        if why:
            found[member.uid] = why
    return found


def _in_namespace(
    client: Client,
    kinds: Kinds,
    member: Member,
    doomed: set[str],
    concurrency: int,
    stop: Stop,
) -> str:
    mappings = [
        mapping
        for mapping in kinds.renew().preferred()
        if mapping.namespaced
        and {"list", "delete"} <= mapping.verbs
        and tuple(mapping.gvk.group_kind) not in _FOLLOWING
    ]

    def read(mapping: RESTMapping) -> list[str] | ApiError:
        try:
            listed = list_metadata(client, mapping, member.ref.name)
        except UnauthorizedError:
            raise
        except ApiError as error:
            return error
        return [_name(obj) for obj in listed if not _is_of_no_concern(obj, doomed)]

    others: list[str] = []
    for mapping, result in run_parallel(read, mappings, concurrency=concurrency, stop=stop):
        if isinstance(result, ApiError):
            return f"what is in it cannot be seen: {mapping.group_resource}: {result.message}"
        others += result
    if stop:
        return "the run was interrupted before it was known what is in it"
    return _told(others, "it holds")


def _is_of_no_concern(obj: JsonObject, doomed: set[str]) -> bool:
    metadata = obj["metadata"]
    if metadata.get("uid") in doomed or metadata.get("ownerReferences"):
        return True
    annotations = metadata.get("annotations") or {}
    if obj["kind"] == "Secret" and "kubernetes.io/service-account.uid" in annotations:
        return True
    return (obj["kind"], metadata["name"]) in _ALWAYS_THERE


def _of_crd(client: Client, kinds: Kinds, member: Member, doomed: set[str]) -> str:
    spec = member.obj.get("spec") or {}
    group_kind = GroupKind(str(spec.get("group")), str((spec.get("names") or {}).get("kind")))
    mapping = kinds.of(group_kind)
    if mapping is None:
        return ""
    try:
        listed = list_metadata(client, mapping)
    except UnauthorizedError:
        raise
    except NotFoundError:
        return ""
    except ApiError as error:
        return f"which objects of its kind there are cannot be seen: {error.message}"
    others = [_name(obj) for obj in listed if obj["metadata"].get("uid") not in doomed]
    return _told(others, "there are")


def _name(obj: JsonObject) -> str:
    metadata = obj["metadata"]
    where = f" in {metadata['namespace']}" if metadata.get("namespace") else ""
    return f"{obj['kind']} {metadata['name']}{where}"


def _told(others: list[str], verb: str) -> str:
    if not others:
        return ""
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f"{verb} objects that stay: {', '.join(sorted(others)[:3])}{more}"
