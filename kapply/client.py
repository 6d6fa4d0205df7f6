"""The eight verbs over a Transport: objects out, or an ApiError by reason.

Paths, query parameters and media types are those of the Kubernetes API concepts page; nothing
here knows about retries, credentials or traces, which belong to the Transport.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kapply.errors import REASON_OF_CODE, Origin, ProtocolError, Status, api_error
from kapply.meta import JsonObject, Replay, Request, Response, RESTMapping, Transport, is_secret

APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"

TABLE_ACCEPT = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)

_JSON: Mapping[str, str] = {"Accept": "application/json"}
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

Query = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """What a write gave: the object as the server has it now, and what it warned about."""

    obj: JsonObject
    warnings: tuple[str, ...]
    created: bool


class Page(NamedTuple):
    """One page of a LIST: items with apiVersion and kind filled in, and where it stands."""

    items: list[JsonObject]
    resource_version: str
    continue_token: str
    remaining: int | None


class WriteOptions(NamedTuple):
    """Query parameters that writes share (API concepts, "Dry-run", "Field validation").

    Attributes:
        field_manager: who owns the fields that are written.
        dry_run: ask the server to do everything but store it.
        force: server-side apply alone: take over fields of other managers.
        field_validation: "Strict", "Warn" or "Ignore", for unknown and duplicate fields.
        origin: the manifest that the body came from, for traces.
    """

    field_manager: str
    dry_run: bool = False
    force: bool = False
    field_validation: str = "Strict"
    origin: Origin | None = None


class WatchEvent(NamedTuple):
    """One line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and its object."""

    type: str
    obj: JsonObject


def encode(obj: Mapping[str, Any]) -> bytes:
    """The body of a request for `obj`: compact JSON in UTF-8, which is YAML too."""
    return _encoder.encode(obj).encode("utf-8", "surrogatepass")


def status_of(response: Response) -> Status:
    """The Status of a refused request; made up from code and text where the body is none."""
    data: Any = None
    try:
        data = json.loads(response.body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and data.get("kind") == "Status":
        return Status.from_json(data, code=response.status)
    text = response.body[:2048].decode("utf-8", "replace").strip()
    message = f"the server answered {response.status}"
    return Status(
        code=response.status,
        reason=REASON_OF_CODE.get(response.status, ""),
        message=f"{message}: {text}" if text else message,
    )


class Client:
    """Typed methods for the verbs.

    Every method raises the ApiError subclass of the Status when the server refuses, and
    UnreachableError, TLSError, CredentialError or ProtocolError when there is no proper answer.
    A path segment that cannot be one (a name with "/") is a ValueError before anything is sent.

    Args:
        transport: where requests go: HTTP, or the sandbox in process.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # --- reading ---------------------------------------------------------------------------

    def request(self, request: Request) -> Response:
        """Send any request; a non-2xx answer is raised as its ApiError."""
        response = self.transport.send(request)
        if not response.ok:
            raise api_error(status_of(response))
        return response

    def get_json(self, path: str, query: Query = (), accept: str = "application/json") -> Any:
        """GET any path and decode it."""
        return self.request(Request("GET", path, tuple(query), {"Accept": accept})).json()

    def get(
        self,
        mapping: RESTMapping,
        name: str,
        namespace: str = "",
        *,
        subresource: str = "",
        accept: str = "",
    ) -> JsonObject:
        """GET one object."""
        return _object(
            self.request(
                Request(
                    "GET",
                    mapping.path(namespace, name, subresource),
                    headers={"Accept": accept} if accept else _JSON,
                    sensitive=is_secret(mapping.gvk),
                )
            )
        )

    def pages(
        self,
        mapping: RESTMapping,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
    ) -> Iterator[Page]:
        """LIST page by page; decoded pages are the caller's to drop.

        A continue token that expired (410) ends in GoneError: the caller decides what a
        half-read list is worth.
        """
        token = ""
        while True:
            document = _object(
                self.request(
                    self.list_request(
                        mapping,
                        namespace,
                        label_selector=label_selector,
                        field_selector=field_selector,
                        limit=limit,
                        continue_token=token,
                    )
                )
            )
            meta = document.get("metadata") or {}
            token = meta.get("continue") or ""
            items = document.get("items") or []
            kind = mapping.gvk.kind
            api_version = mapping.gvk.api_version
            for item in items:
                item.setdefault("apiVersion", api_version)
                item.setdefault("kind", kind)
            yield Page(
                items, meta.get("resourceVersion") or "", token, meta.get("remainingItemCount")
            )
            if not token:
                return

    def list_request(
        self,
        mapping: RESTMapping,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        accept: str = "application/json",
    ) -> Request:
        """The request of one LIST page."""
        query = [
            ("labelSelector", label_selector),
            ("fieldSelector", field_selector),
            ("limit", str(limit) if limit else ""),
            ("continue", continue_token),
        ]
        return Request(
            "GET",
            mapping.path(namespace),
            tuple(pair for pair in query if pair[1]),
            {"Accept": accept},
            sensitive=is_secret(mapping.gvk),
        )

    @contextmanager
    def watch(
        self,
        mapping: RESTMapping,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        timeout_seconds: int = 0,
        accept: str = "application/json",
        include_object: str = "",
    ) -> Iterator[Iterator[WatchEvent]]:
        """WATCH a collection from a resourceVersion, with bookmarks.

        With TABLE_ACCEPT events carry Tables; `include_object` is then what their rows hold.

        The iterator ends when the server closes the stream. A refusal before the first event is
        raised; an ERROR event is handed out like the others (410 asks for a new list).
        """
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", resource_version),
            ("labelSelector", label_selector),
            ("fieldSelector", field_selector),
            ("timeoutSeconds", str(timeout_seconds) if timeout_seconds else ""),
            ("includeObject", include_object),
        ]
        request = Request(
            "GET",
            mapping.path(namespace),
            tuple(pair for pair in query if pair[1]),
            {"Accept": accept},
            sensitive=is_secret(mapping.gvk),
        )
        with self.transport.stream(request) as stream:
            if not 200 <= stream.status < 300:
                raise api_error(
                    status_of(Response(stream.status, stream.headers, stream.read(1 << 20)))
                )
            yield (_event(line) for line in stream.lines() if line.strip())

    # --- writing ---------------------------------------------------------------------------

    def apply(
        self,
        mapping: RESTMapping,
        body: bytes,
        name: str,
        namespace: str,
        options: WriteOptions,
        *,
        subresource: str = "",
    ) -> Answer:
        """Server-side apply (KEP-555): PATCH the named object with the whole intent."""
        path = mapping.path(namespace, name, subresource)
        # Repeating an apply gives what one gives: it states an intent, not a step.
        return self._write("PATCH", path, body, APPLY_PATCH, mapping, options, Replay.IDEMPOTENT)

    def create(
        self, mapping: RESTMapping, body: bytes, namespace: str, options: WriteOptions
    ) -> Answer:
        """POST a new object; never repeated on its own when the answer is lost."""
        path = mapping.path(namespace)
        return self._write("POST", path, body, "application/json", mapping, options, Replay.NEVER)

    def replace(
        self,
        mapping: RESTMapping,
        body: bytes,
        name: str,
        namespace: str,
        options: WriteOptions,
        *,
        subresource: str = "",
    ) -> Answer:
        """PUT an object; optimistic locking when it carries a resourceVersion."""
        path = mapping.path(namespace, name, subresource)
        return self._write(
            "PUT", path, body, "application/json", mapping, options, Replay.IDEMPOTENT
        )

    def patch(
        self,
        mapping: RESTMapping,
        body: bytes,
        name: str,
        namespace: str,
        options: WriteOptions,
        *,
        content_type: str,
        subresource: str = "",
    ) -> Answer:
        """PATCH by JSON Patch, merge patch or strategic merge patch, as `content_type` says."""
        path = mapping.path(namespace, name, subresource)
        return self._write("PATCH", path, body, content_type, mapping, options, Replay.NEVER)

    def delete(
        self,
        mapping: RESTMapping,
        name: str,
        namespace: str = "",
        *,
        propagation: str = "Background",
        uid: str = "",
        resource_version: str = "",
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> JsonObject:
        """DELETE one object; with a uid it is that very object or none (409 otherwise).

        Gives the object as it is while it terminates, or a Status when it is gone at once.
        """
        return self._delete(
            mapping,
            mapping.path(namespace, name),
            (),
            _delete_options(propagation, uid, resource_version, grace_period, dry_run),
            dry_run=dry_run,
            # With the uid a second one can only find the same object or none.
            replay=Replay.IDEMPOTENT if uid or dry_run else Replay.NEVER,
        )

    def delete_collection(
        self,
        mapping: RESTMapping,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: str = "Background",
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> JsonObject:
        """DELETE the collection, or what the selectors choose of it; gives the List of it."""
        query = (("labelSelector", label_selector), ("fieldSelector", field_selector))
        return self._delete(
            mapping,
            mapping.path(namespace),
            tuple(pair for pair in query if pair[1]),
            _delete_options(propagation, "", "", grace_period, dry_run),
            dry_run=dry_run,
            replay=Replay.IDEMPOTENT if dry_run else Replay.NEVER,
        )

    def _delete(
        self,
        mapping: RESTMapping,
        path: str,
        query: Query,
        options: JsonObject,
        *,
        dry_run: bool,
        replay: Replay,
    ) -> JsonObject:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        pairs = (*query, ("dryRun", "All")) if dry_run else tuple(query)
        sensitive = is_secret(mapping.gvk)
        return _object(
            self.request(
                Request(
                    "DELETE", path, pairs, headers, encode(options),
                    replay=replay, sensitive=sensitive,
                )
            )
        )  # fmt: skip

    def _write(
        self,
        method: str,
        path: str,
        body: bytes,
        content_type: str,
        mapping: RESTMapping,
        options: WriteOptions,
        replay: Replay,
    ) -> Answer:
        query = [
            ("fieldManager", options.field_manager),
            ("fieldValidation", options.field_validation),
        ]
        if options.force:
            query.append(("force", "true"))
        if options.dry_run:
            query.append(("dryRun", "All"))
            replay = Replay.IDEMPOTENT
        response = self.request(
            Request(
                method,
                path,
                tuple(query),
                {"Accept": "application/json", "Content-Type": content_type},
                body,
                replay=replay,
                origin=options.origin,
                sensitive=is_secret(mapping.gvk),
            )
        )
        return Answer(_object(response), response.warnings, response.status == 201)


def _delete_options(
    propagation: str, uid: str, version: str, grace_period: int | None, dry_run: bool
) -> JsonObject:
    preconditions = {"uid": uid, "resourceVersion": version}
    wanted: JsonObject = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": propagation,
        "preconditions": {key: value for key, value in preconditions.items() if value},
        "gracePeriodSeconds": grace_period,
        "dryRun": ["All"] if dry_run else None,
    }
    return {key: value for key, value in wanted.items() if value not in (None, {})}


def _object(response: Response) -> JsonObject:
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("the server's answer is JSON, but not an object")
    return data


def _event(line: bytes) -> WatchEvent:
    try:
        data = json.loads(line)
        return WatchEvent(str(data["type"]), data.get("object") or {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"a watch event is malformed: {line[:200]!r}") from error
