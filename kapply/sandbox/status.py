"""Refusals: Status objects with the reason, code, message and causes that kube-apiserver gives.

The texts are those of apimachinery's `api/errors` and `util/validation/field`; clients match on
them, so they are kept to the letter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.errors import REASON_OF_CODE


class Failure(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """An answer other than success; `body()` is the Status."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The Status object."""
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = dict(self.details)
        status["code"] = self.code
        return status


@dataclass(frozen=True, slots=True)
class Resource:
    """How messages name a resource: "deployments.apps"."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def details(self, name: str, **more: Any) -> dict[str, Any]:
        """Status.details about one object."""
        found: dict[str, Any] = {}
        if name:
            found["name"] = name
        if self.group:
            found["group"] = self.group
        found["kind"] = self.resource
        return found | more


def not_found(resource: Resource, name: str) -> Failure:
    """404 NotFound."""
    return Failure(404, "NotFound", f"{resource} {quoted(name)} not found", resource.details(name))


def already_exists(resource: Resource, name: str) -> Failure:
    """409 AlreadyExists."""
    message = f"{resource} {quoted(name)} already exists"
    return Failure(409, "AlreadyExists", message, resource.details(name))


def conflict(resource: Resource, name: str, why: str) -> Failure:
    """409 Conflict."""
    message = f"Operation cannot be fulfilled on {resource} {quoted(name)}: {why}"
    return Failure(409, "Conflict", message, resource.details(name))


def modified(resource: Resource, name: str) -> Failure:
    """409: the resourceVersion sent is not the current one."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try"
        " again",
    )


def apply_conflict(causes: Sequence[tuple[str, str]], message: str) -> Failure:
    """409 of a server-side apply; causes are (message, field)."""
    details = {
        "causes": [
            {"reason": "FieldManagerConflict", "message": text, "field": field}
            for text, field in causes
        ]
    }
    return Failure(409, "Conflict", message, details)


def bad_request(message: str) -> Failure:
    """400 BadRequest."""
    return Failure(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str) -> Failure:
    """403 Forbidden."""
    message = (
        f"{resource} {quoted(name)} is forbidden: {why}"
        if name
        else f"{resource} is forbidden: {why}"
    )
    return Failure(403, "Forbidden", message, resource.details(name))


def method_not_allowed(resource: Resource, verb: str) -> Failure:
    """405: the resource does not have the verb."""
    message = f"{verb} is not supported on resources of kind {quoted(str(resource))}"
    return Failure(405, "MethodNotAllowed", message, resource.details(""))


def no_such_method() -> Failure:
    """405 as the request multiplexer gives it: the path does not take the method."""
    message = "the server does not allow this method on the requested resource"
    return Failure(405, "MethodNotAllowed", message, {})


def gone(message: str) -> Failure:
    """410 Expired."""
    return Failure(410, "Expired", message)


def unsupported_media_type(message: str) -> Failure:
    """415."""
    return Failure(415, "UnsupportedMediaType", message)


def not_acceptable(accepted: Iterable[str]) -> Failure:
    """406."""
    listed = ", ".join(accepted)
    message = f"only the following media types are accepted: {listed}"
    return Failure(406, "NotAcceptable", message)


def internal(message: str) -> Failure:
    """500 InternalError."""
    causes = {"causes": [{"message": message}]}
    return Failure(500, "InternalError", f"Internal error occurred: {message}", causes)


def generic(code: int, message: str) -> Failure:
    """A refusal that has no reason of its own."""
    return Failure(code, REASON_OF_CODE.get(code, "Unknown"), message)


def quoted(text: str) -> str:
    """Go's %q of a string."""
    return json.dumps(text, ensure_ascii=False)
