"""Subresources other than status: scale, eviction, binding, finalize, approval, token, logs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kapply.meta import Response
from kapply.sandbox import bodies, deletion, read, render, status, write
from kapply.sandbox.render import Form, json_response
from kapply.sandbox.request import Call
from kapply.sandbox.scale import get_scale, write_scale
from kapply.sandbox.status import Failure
from kapply.sandbox.store import Record, View, Writer
from kapply.sandbox.strategy import Object
from kapply.sandbox.wire import DecodeError

if TYPE_CHECKING:
    from kapply.sandbox.dispatch import Sandbox

__all__ = ["handle"]


def handle(sandbox: Sandbox, call: Call, verb: str) -> Response:
    """Answer a request to a subresource that is not status."""
    subresource = call.target.subresource
    assert subresource is not None
    name = subresource.name
    if name == "scale":
        if verb == "get":
            with sandbox.store.read() as view:
                return get_scale(call, view)
        return sandbox.write(call, lambda call, writer: write_scale(call, writer, verb))
    if name in _UPDATED:
        if verb == "get":
            with sandbox.store.read() as view:
                return read.get(call, view)
        return sandbox.write(call, write.update if verb == "update" else write.patch)
    handler = _HANDLERS.get(name)
    if handler is not None:
        return sandbox.write(call, handler)
    with sandbox.store.read() as view:
        return _needs_node(call, view)


#: Subresources that are the object itself, written under their own rules.
_UPDATED = ("approval", "ephemeralcontainers", "finalize", "resize")


def _existing(call: Call, view: View) -> Record:
    resource, target = call.resource, call.target
    record = view.get(resource.storage, target.namespace, target.name)
    if record is None:
        raise status.not_found(resource.named, target.name)
    return record


def _body(call: Call, go_type: str, kind: str) -> Object:
    value, strict = bodies.parse(call, expected=kind)
    try:
        return bodies.decode(go_type, value, strict)
    except DecodeError as error:
        version = value.get("apiVersion", "").rpartition("/")[2]
        raise status.bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: {error}'
        ) from None


def _success(call: Call, code: int = 201) -> Response:
    answer = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return json_response(call, {**answer, "code": code}, code=code, form=Form())


def _evict(call: Call, writer: Writer) -> Response:
    eviction = _body(call, "policy/v1.Eviction", "Eviction")
    options = eviction.get("deleteOptions") or {}
    record = _existing(call, writer)
    if call.dry_run or options.get("dryRun"):
        writer.discard()
    deletion.delete_object(call, writer, call.resource, record.load(), options)
    return _success(call)


def _bind(call: Call, writer: Writer) -> Response:
    binding = _body(call, "core/v1.Binding", "Binding")
    node = (binding.get("target") or {}).get("name") or ""
    record = _existing(call, writer)
    pod = record.load()
    if pod["spec"].get("nodeName"):
        raise status.conflict(
            status.Resource("", "pods/binding"),
            call.target.name,
            f"pod {call.target.name} is already assigned to node"
            f" {status.quoted(pod['spec']['nodeName'])}",
        )
    pod["spec"]["nodeName"] = node
    conditions = pod["status"].setdefault("conditions", [])
    conditions.append(
        {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": call.env.timestamp(),
        }
    )
    if call.dry_run:
        writer.discard()
    else:
        writer.put("pods", call.target.namespace, call.target.name, pod)
    return _success(call)


def _token(call: Call, writer: Writer) -> Response:
    """A token that names the account; nothing here checks it."""
    request = _body(call, "authentication/v1.TokenRequest", "TokenRequest")
    account = _existing(call, writer).load()
    writer.discard()
    seconds = (request.get("spec") or {}).get("expirationSeconds") or 3600
    expires = call.env.now() + timedelta(seconds=seconds)
    name = f"system:serviceaccount:{call.target.namespace}:{call.target.name}"
    claims = {"sub": name, "exp": int(expires.timestamp()), "iss": "kapply-sandbox"}
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    coded = [base64.urlsafe_b64encode(render.dumps(p)).decode().rstrip("=") for p in parts]
    answer: dict[str, Any] = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": call.target.name,
            "namespace": call.target.namespace,
            "creationTimestamp": call.env.timestamp(),
        },
        "spec": {**(request.get("spec") or {}), "expirationSeconds": seconds},
        "status": {
            "token": ".".join([*coded, ""]),
            "expirationTimestamp": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    answer["spec"].setdefault("audiences", ["https://kubernetes.default.svc"])
    answer["spec"].setdefault("boundObjectRef", None)
    _ = account
    return json_response(call, answer, code=201, form=Form())


def _needs_node(call: Call, view: View) -> Response:
    """What only a kubelet can answer: there is none here."""
    record = _existing(call, view)
    name = call.target.name
    if call.resource.storage == "services":
        raise Failure(
            503,
            "ServiceUnavailable",
            f"no endpoints available for service {status.quoted(name)}",
        )
    if call.resource.storage == "pods":
        pod = record.load()
        subresource = call.target.subresource
        if not pod["spec"].get("nodeName"):
            if subresource is not None and subresource.name == "log":
                # A pod that no node has yet has written nothing.
                return render.Answer(call).raw(b"", content_type="text/plain")
            raise status.bad_request(f"pod {name} does not have a host assigned")
    raise Failure(
        501,
        "",
        "the sandbox runs no containers and no kubelet, so there is nothing to connect to",
    )


_HANDLERS: dict[str, Callable[[Call, Writer], Response]] = {
    "binding": _bind,
    "eviction": _evict,
    "token": _token,
}
