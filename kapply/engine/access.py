"""Which rights a set of manifests needs, and which of them the user has (RBAC, KEP-2784).

What is sent for an object decides: planning reads it (get; list where several are read together,
which falls back to get), a server-side apply is authorized as patch and, where it may create, as
create too; waiting reads again; pruning deletes. Roles and bindings ask for more: nobody may hand
out rights that they do not have, unless by the verbs escalate and bind (the RBAC documentation,
"Privilege escalation prevention and bootstrapping").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kapply.client import Client, encode
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ProtocolError
from kapply.meta import JsonObject, Replay, Request
from kapply.planning.model import Desired

SELF_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

#: What planning and applying one object is authorized as, in the order in which it is asked for.
APPLY_VERBS = ("get", "patch", "create")
PRUNE_VERBS = ("delete",)

_RBAC = "rbac.authorization.k8s.io"


class Right(NamedTuple):
    """One verb on one object, or on all of a resource where name is ""."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def group_resource(self) -> str:
        """As RBAC messages write it: "deployments.apps"."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class Access:
    """Whether a right is there, and what the server says to it."""

    right: Right
    allowed: bool
    reason: str = ""


def rights_for(desired: Iterable[Desired], *, prune: bool = False) -> list[Right]:
    """Every right that the objects need, in their order, each once.

    Args:
        desired: resolved objects.
        prune: also the right to delete them later, when they have left the input.
    """
    found: dict[Right, None] = {}
    for item in desired:
        mapping, namespace = item.mapping, item.ref.namespace if item.mapping.namespaced else ""
        group, resource = mapping.group_version.group, mapping.resource
        # Without a name (generateName) an object is created, and nothing is ever read.
        verbs = APPLY_VERBS + (PRUNE_VERBS if prune else ()) if item.ref.name else ("create",)
        for verb in verbs:
            found[Right(verb, group, resource, namespace, item.ref.name)] = None
        for right in _handed_out(item):
            found[right] = None
    return list(found)


def _handed_out(item: Desired) -> Iterable[Right]:
    """What handing out rights needs: escalate for Roles, bind for what a binding refers to."""
    mapping = item.mapping
    if mapping.group_version.group != _RBAC:
        return
    if mapping.resource in ("roles", "clusterroles"):
        yield Right("escalate", _RBAC, mapping.resource, item.ref.namespace, item.ref.name)
    ref = item.obj.get("roleRef")
    if mapping.resource in ("rolebindings", "clusterrolebindings") and isinstance(ref, dict):
        resource = "roles" if ref.get("kind") == "Role" else "clusterroles"
        name = str(ref.get("name") or "")
        # The right to bind a ClusterRole in a namespace is asked for in that namespace.
        yield Right("bind", _RBAC, resource, item.ref.namespace, name)


def check_rights(
    client: Client, rights: Sequence[Right], *, concurrency: int, stop: Stop
) -> list[Access]:
    """Ask the server about each right: about all names of a resource at once where that is enough.

    Raises:
        ApiError: the server refused to say.
    """
    wide: dict[Right, list[Right]] = {}
    for right in rights:
        wide.setdefault(right._replace(name=""), []).append(right)
    answers: dict[Right, Access] = {}
    narrow: list[Right] = []

    def ask(right: Right) -> Access:
        return review(client, right)

    for right, access in run_parallel(ask, list(wide), concurrency=concurrency, stop=stop):
        for one in wide[right]:
            if access.allowed or not one.name:
                answers[one] = Access(one, access.allowed, access.reason)
            else:
                narrow.append(one)
    answers.update(run_parallel(ask, narrow, concurrency=concurrency, stop=stop))
    return [answers[right] for right in rights if right in answers]


def review(client: Client, right: Right) -> Access:
    """One SelfSubjectAccessReview. Raises ApiError."""
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "namespace": right.namespace,
        "name": right.name,
        "subresource": right.subresource,
    }
    status = review_status(
        client, {"resourceAttributes": {k: v for k, v in attributes.items() if v}}
    )
    reason = status.get("reason") or status.get("evaluationError") or ""
    return Access(right, status.get("allowed") is True, str(reason))


def review_status(client: Client, spec: JsonObject) -> JsonObject:
    """The status of a SelfSubjectAccessReview of `spec`. Raises ApiError."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    answer = post(client, SELF_REVIEWS, {**body, "spec": spec})
    status = answer.get("status")
    if not isinstance(status, dict):
        raise ProtocolError("the server's answer to an access review has no status")
    return status


def post(client: Client, path: str, body: JsonObject) -> JsonObject:
    """POST a review, which stores nothing and may be asked again. Raises ApiError."""
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = Request("POST", path, (), headers, encode(body), replay=Replay.IDEMPOTENT)
    answer = client.request(request).json()
    if not isinstance(answer, dict):
        raise ProtocolError("the server's answer to a review is no object")
    return answer


def roles_for(rights: Iterable[Right], name: str) -> list[JsonObject]:
    """The least Roles and ClusterRole that grant the rights: one Role for each namespace.

    Each rule names the objects it is about. A right on all objects of a resource (name "") names
    none.
    """
    places: dict[str, dict[tuple[str, str], dict[str, list[str]]]] = {}
    for right in rights:
        resource = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
        by_name = places.setdefault(right.namespace, {}).setdefault((right.group, resource), {})
        verbs = by_name.setdefault(right.name, [])
        if right.verb not in verbs:
            verbs.append(right.verb)
    roles = []
    for namespace in sorted(places):
        rules: list[dict[str, Any]] = []
        for (group, resource), by_name in places[namespace].items():
            merged: dict[tuple[str, ...], list[str]] = {}
            for object_name, verbs in by_name.items():
                every = "" if object_name else "*"
                merged.setdefault((every, *verbs), []).append(object_name)
            for (every, *verbs), names in merged.items():
                rule: dict[str, Any] = {
                    "apiGroups": [group],
                    "resources": [resource],
                    "verbs": list(verbs),
                }
                if not every:
                    rule["resourceNames"] = sorted(names)
                rules.append(rule)
        metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
        roles.append(
            {
                "apiVersion": f"{_RBAC}/v1",
                "kind": "Role" if namespace else "ClusterRole",
                "metadata": metadata,
                "rules": rules,
            }
        )
    return roles
