"""Answers: objects, lists, tables and Status in the media type that a client accepts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kapply.meta import GroupVersionKind, Response
from kapply.sandbox import status
from kapply.sandbox.request import JSON_TYPE, YAML_TYPE, Call, accepts
from kapply.sandbox.status import Failure

__all__ = ["Form", "dumps", "failure_response", "form_of", "json_response", "with_kind"]

META_GROUP = "meta.k8s.io"
MEDIA_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_BROWSERS = ("curl", "Wget", "Mozilla/")


@dataclass(frozen=True, slots=True)
class Form:
    """How an answer is written: its media type, and what object it is turned into."""

    media_type: str = JSON_TYPE
    kind: str = ""  # "", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"
    version: str = ""

    @property
    def content_type(self) -> str:
        """The Content-Type of the answer."""
        if not self.kind:
            return self.media_type
        return f"{self.media_type};as={self.kind};g={META_GROUP};v={self.version}"


def form_of(header: str, *, listing: bool = False, tables: bool = True) -> Form:
    """The form of the first acceptable clause of an Accept header. Raises Failure 406."""
    for clause in accepts(header or "*/*"):
        media_type = clause.media_type
        if media_type in ("*/*", "application/*"):
            media_type = JSON_TYPE
        if media_type not in (JSON_TYPE, YAML_TYPE):
            continue
        kind = clause.params.get("as", "")
        if not kind:
            return Form(media_type)
        if clause.params.get("g") != META_GROUP or clause.params.get("v") not in ("v1", "v1beta1"):
            continue
        partial = "PartialObjectMetadataList" if listing else "PartialObjectMetadata"
        if kind == "PartialObjectMetadata" and listing:
            continue
        if kind == partial or (kind == "Table" and tables):
            return Form(media_type, kind, clause.params["v"])
    raise status.not_acceptable(MEDIA_TYPES)


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def with_kind(gvk: GroupVersionKind, obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with kind and apiVersion in front, as built-in ones are answered."""
    rest = {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}
    return {"kind": gvk.kind, "apiVersion": gvk.api_version, **rest}


def is_pretty(params: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Whether the answer is indented: asked for, or for a person's client."""
    asked = params.get("pretty")
    if asked is not None:
        return asked not in ("", "0", "false")
    return headers.get("user-agent", "").startswith(_BROWSERS)


@dataclass(slots=True)
class Answer:
    """A response in the making."""

    call: Call | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def of(self, value: Any, *, code: int = 200, content_type: str = JSON_TYPE) -> Response:
        """The response that carries a JSON value."""
        if content_type.split(";")[0] == YAML_TYPE:
            body = to_yaml(value)
        elif is_pretty(self.params, self.headers):
            body = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
            body += b"\n"
        else:
            body = dumps(value) + b"\n"
        return self.raw(body, code=code, content_type=content_type)

    def raw(self, body: bytes, *, code: int = 200, content_type: str = JSON_TYPE) -> Response:
        """The response that carries bytes."""
        headers = {
            "content-type": content_type,
            "cache-control": "no-cache, private",
            "content-length": str(len(body)),
        }
        warnings = tuple(self.call.warnings) if self.call else ()
        return Response(code, headers, body, warnings)


def json_response(call: Call, value: Any, *, code: int = 200, form: Form | None = None) -> Response:
    """The response to a call."""
    answer = Answer(call, call.params, call.headers)
    return answer.of(value, code=code, content_type=(form or Form()).content_type)


def failure_response(
    failure: Failure,
    call: Call | None = None,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response that carries a Status."""
    headers = headers or {}
    answer = Answer(call, params or {}, headers)
    media_type = JSON_TYPE
    for clause in accepts(headers.get("accept", "")):
        if clause.media_type in (JSON_TYPE, YAML_TYPE):
            media_type = clause.media_type
            break
    response = answer.of(failure.body(), code=failure.code, content_type=media_type)
    return Response(
        response.status, {**response.headers, **failure.headers}, response.body, response.warnings
    )


def to_yaml(value: Any) -> bytes:
    """YAML, keys sorted as sigs.k8s.io/yaml writes them."""
    import yaml

    text: str = yaml.safe_dump(value, default_flow_style=False, allow_unicode=True, width=2**20)
    return text.encode()


def partial(obj: Mapping[str, Any], version: str) -> dict[str, Any]:
    """The PartialObjectMetadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"{META_GROUP}/{version}",
        "metadata": obj.get("metadata", {}),
    }


def lines_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks cut into lines, without their ends."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        *lines, rest = rest.split(b"\n")
        yield from lines
    if rest:
        yield rest
