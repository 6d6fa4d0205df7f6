"""What server-side apply refuses before it merges anything, and how the server names it."""

from __future__ import annotations

from typing import Any

from kapply.merge.errors import MergeError, TypedError
from kapply.merge.jsonvalue import Json


class ApplyRequestError(MergeError):
    """An apply that the server answers with 400 Bad Request."""


def check_object(obj: Json) -> None:
    """Refuses (ApplyRequestError) a body that is no JSON object."""
    if obj.__class__ is not dict:
        raise ApplyRequestError("the body of the request is not an object")


class UnfitError(TypedError):
    """An object that does not fit its type; the message says which one, as the server does."""

    def __init__(self, what: str, errors: Any) -> None:
        super().__init__(errors)
        self.message = f"{what}: {self.message}"
        self.args = (self.message,)


def group_version_kind(obj: Json) -> str:
    """Such as "apps/v1, Kind=Deployment"; what is no text counts as none, as it does there."""
    given = (obj.get("apiVersion"), obj.get("kind"))
    version, kind = (text if isinstance(text, str) else "" for text in given)
    return f"{version if '/' in version else '/' + version}, Kind={kind}"


def describe(obj: Json) -> str:
    """Namespace, name, version and kind, the way the server's errors name an object."""
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    return f"{namespace}/{name}; {group_version_kind(obj)}"
