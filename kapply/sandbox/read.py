"""get and list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kapply.meta import Response
from kapply.sandbox import fielderr, render, status
from kapply.sandbox.convert import from_hub
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.render import Form, dumps, form_of, json_response
from kapply.sandbox.request import JSON_TYPE, Call
from kapply.sandbox.scalars import base64_fault
from kapply.sandbox.selection import Selection, selection_of
from kapply.sandbox.status import Failure
from kapply.sandbox.store import MEMORY, CompactedError, Record, Store, View
from kapply.sandbox.strategy import Context

__all__ = ["get", "list_objects", "load", "parse_version"]

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can"
    " start a new list without the continue parameter, or use the continue token in this response"
    " to retrieve the remainder of the results. Continuing with the provided token results in an"
    " inconsistent list - objects that were created, modified, or deleted between the time the"
    " first chunk was returned and now may show up in the list."
)


def load(call: Call, view: View, record: Record) -> dict[str, Any]:
    """A stored object in the request's version, with what is added on reading."""
    return present(call, view, record.load())


def present(call: Call, view: View, hub: dict[str, Any]) -> dict[str, Any]:
    """An object of the storage version in the request's, with what is added on reading."""
    resource = call.resource
    strategy_of(resource).decorate(hub, Context(call.env, view, call))
    obj = from_hub(resource, hub)
    return obj if resource.crd else render.with_kind(resource.gvk, obj)


def accepted(call: Call, *, listing: bool = False) -> Form:
    """The form that the client wants its answer in. Raises Failure 406."""
    try:
        return form_of(call.headers.get("accept", ""), listing=listing)
    except Failure:
        if call.resource.crd is not None:
            raise
        listed = ", ".join(render.MEDIA_TYPES)
        message = f"406: Not Acceptable\n\nAvailable representations: {listed}"
        raise Failure(406, "NotAcceptable", message, {}) from None


def get(call: Call, view: View) -> Response:
    """One object."""
    form = accepted(call)
    resource, target = call.resource, call.target
    _check_not_newer(call, view)
    record = view.get(resource.storage, target.namespace, target.name)
    if record is None:
        raise status.not_found(resource.named, target.name)
    return answer_object(call, view, load(call, view, record), form)


def answer_object(
    call: Call, view: View, obj: dict[str, Any], form: Form | None = None, *, code: int = 200
) -> Response:
    """The response that carries one object, as an object, a Table or its metadata."""
    form = form or accepted(call)
    if form.kind == "Table":
        from kapply.sandbox.table import table_of

        version = str(obj["metadata"].get("resourceVersion", ""))
        table = table_of(call, [obj], {"resourceVersion": version}, form.version)
        return json_response(call, table, code=code, form=form)
    if form.kind:
        return json_response(call, render.partial(obj, form.version), code=code, form=form)
    return json_response(call, obj, code=code, form=form)


def parse_version(text: str) -> int:
    """A resourceVersion. Raises Failure 400."""
    if text.isascii() and text.isdigit() and (text == "0" or text[0] != "0") and len(text) < 20:
        return int(text)
    raise status.bad_request(
        f"invalid resource version: resourceVersion: Invalid value: {status.quoted(text)}:"
        f" strconv.ParseUint: parsing {status.quoted(text)}: invalid syntax"
    )


def _check_not_newer(call: Call, view: View) -> None:
    text = call.params.get("resourceVersion", "")
    if text and parse_version(text) > view.version:
        raise too_large(int(text), view.version)


def too_large(asked: int, current: int) -> Failure:
    """504: the version asked for is not there yet."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Too large resource version: {asked}, current: {current}"
    return Failure(504, "Timeout", message, details, headers={"retry-after": "1"})


#: Bytes of items that are sent at once.
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a collection is asked for: as of a version, after a key, at most a number."""

    at: int | None
    after: str
    limit: int


def _page(call: Call, view: View) -> Page:
    params = call.params
    errors: fielderr.Errors = []
    version, match = params.get("resourceVersion", ""), params.get("resourceVersionMatch", "")
    token = params.get("continue", "")
    limit = max(call.number("limit") or 0, 0)
    if call.flag("sendInitialEvents") or "sendInitialEvents" in params:
        text = "sendInitialEvents is forbidden for list"
        errors.append(fielderr.forbidden("sendInitialEvents", text))
    if match:
        if token:
            text = "resourceVersionMatch is forbidden when continue is provided"
            errors.append(fielderr.forbidden("resourceVersionMatch", text))
        if not version:
            text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            errors.append(fielderr.forbidden("resourceVersionMatch", text))
        elif match not in ("Exact", "NotOlderThan"):
            allowed = ["Exact", "NotOlderThan", ""]
            errors.append(fielderr.not_supported("resourceVersionMatch", match, allowed))
        elif match == "Exact" and version == "0":
            text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            errors.append(fielderr.forbidden("resourceVersionMatch", text))
    if errors:
        raise fielderr.invalid_object("ListOptions", "meta.k8s.io", "", errors)
    if token:
        if version not in ("", "0"):
            raise status.bad_request(
                "specifying resource version is not allowed when using continue"
            )
        at, after = read_token(token)
        return Page(None if at < 0 else at, after, limit)
    if not version:
        return Page(None, "", limit)
    asked = parse_version(version)
    if asked > view.version:
        raise too_large(asked, view.version)
    exact = match == "Exact" or (not match and limit and asked > 0)
    return Page(asked if exact else None, "", limit)


def read_token(token: str) -> tuple[int, str]:
    """(version, last key) of a continue token; version -1 for "whatever is now"."""
    try:
        padded = token + "=" * (-len(token) % 4)
        found = json.loads(base64.urlsafe_b64decode(padded))
        version, start = found["rv"], found["start"]
        if found["v"] != "meta.k8s.io/v1" or not isinstance(start, str) or not start:
            raise ValueError("continue token is not of this server")
        return int(version), start.removesuffix("\0")
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        text = str(error)
        if isinstance(error, binascii.Error):
            text = f"illegal base64 data at input byte {base64_fault(token)}"
        raise status.bad_request(
            f"invalid continue token: continue key is not valid: {text}"
        ) from None


def make_token(version: int, key: str) -> str:
    """The token after which a list goes on."""
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": f"{key}\0"})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def list_objects(call: Call, view: View) -> Response:
    """A collection, whole or a page of it."""
    form = accepted(call, listing=True)
    resource, target = call.resource, call.target
    selection = selection_of(call)
    page = _page(call, view)
    namespace = target.namespace if resource.namespaced else ""
    version = view.version if page.at is None else page.at
    try:
        records = view.select(resource.storage, namespace, after=page.after, at=page.at)
        found, last, more = _collect(call, view, records, selection, page.limit, form)
    except CompactedError:
        raise _expired(view, page) from None
    metadata: dict[str, Any] = {"resourceVersion": str(version)}
    if more:
        metadata["continue"] = make_token(version, last)
        if not selection and page.at is None:
            metadata["remainingItemCount"] = view.count(resource.storage, namespace, after=last)
    if form.kind == "Table":
        from kapply.sandbox.table import table_of

        objects = [json.loads(item) for item in found]
        return json_response(call, table_of(call, objects, metadata, form.version), form=form)
    answer = render.Answer(call, call.params, call.headers)
    head = _head(call, form, metadata)
    if form.media_type == JSON_TYPE and not render.is_pretty(call.params, call.headers):
        body = b"".join((head, b",".join(found), b"]}\n"))
        return answer.raw(body, content_type=form.content_type)
    value = {**json.loads(head + b"]}"), "items": [json.loads(item) for item in found]}
    return answer.of(value, content_type=form.content_type)


class Stream:
    """A whole collection, read as it is sent: memory does not grow with it.

    Attributes:
        headers: of the answer, lower-case names.
        warnings: texts of Warning headers.
    """

    def __init__(self, call: Call, store: Store, form: Form) -> None:
        self._call, self._store, self._form = call, store, form
        self._selection = selection_of(call)
        self.headers = {"content-type": form.content_type, "cache-control": "no-cache, private"}
        self.warnings = tuple(call.warnings)

    def chunks(self) -> Iterator[bytes]:
        """The body, in pieces of some ten thousand bytes; a transaction lasts as long."""
        call = self._call
        resource = call.resource
        namespace = call.target.namespace if resource.namespaced else ""
        with self._store.read() as view:
            present_item = presenter_of(call, view, self._form)
            piece = [_head(call, self._form, {"resourceVersion": str(view.version)})]
            size, between = 0, b""
            for record in view.select(resource.storage, namespace):
                if self._selection and not self._selection.matches(record.load()):
                    continue
                item = present_item(record)
                piece += (between, item)
                between = b","
                size += len(item)
                if size > _PIECE:
                    yield b"".join(piece)
                    piece, size = [], 0
            yield b"".join([*piece, b"]}\n"])


def stream_objects(call: Call, store: Store) -> Stream | None:
    """The collection as a stream; None where the answer has to be made as a whole.

    Raises Failure as `list_objects` does.
    """
    form = accepted(call, listing=True)
    if (
        store.path == MEMORY
        or form.kind
        or form.media_type != JSON_TYPE
        or render.is_pretty(call.params, call.headers)
    ):
        return None
    with store.read() as view:
        page = _page(call, view)
    if page.limit or page.after or page.at is not None:
        return None
    return Stream(call, store, form)


def _head(call: Call, form: Form, metadata: Mapping[str, Any]) -> bytes:
    """The beginning of a list document, up to its first item."""
    gvk = call.resource.gvk
    kind, api_version = call.resource.list_kind, gvk.api_version
    if form.kind:
        kind, api_version = form.kind, f"{render.META_GROUP}/{form.version}"
    head = {"kind": kind, "apiVersion": api_version, "metadata": metadata}
    return dumps(head)[:-1] + b',"items":['


def _collect(
    call: Call,
    view: View,
    records: Iterator[Record],
    selection: Selection,
    limit: int,
    form: Form,
) -> tuple[list[bytes], str, bool]:
    """(the items' JSON, the last key, whether more follow)."""
    presenter = presenter_of(call, view, form)
    found: list[bytes] = []
    last = ""
    for record in records:
        if selection and not selection.matches(record.load()):
            continue
        if limit and len(found) == limit:
            return found, last, True
        found.append(presenter(record))
        last = record.key
    return found, last, False


def presenter_of(call: Call, view: View, form: Form) -> Callable[[Record], bytes]:
    """How an item of a list is written: its stored bytes where nothing has to change."""
    resource = call.resource
    strategy = strategy_of(resource)
    plain = (
        resource.gvk == resource.hub and not form.kind and type(strategy).decorate is _UNDECORATED
    )
    if plain:
        return _stored

    def present_item(record: Record) -> bytes:
        hub = record.load()
        strategy.decorate(hub, Context(call.env, view, call))
        obj = from_hub(resource, hub)
        if form.kind.startswith("Partial"):
            return dumps({"metadata": obj["metadata"]})
        return dumps(obj)

    return present_item


def _stored(record: Record) -> bytes:
    return record.data


def _expired(view: View, page: Page) -> Failure:
    if not page.after:
        return status.gone("The resourceVersion for the provided list is too old.")
    failure = status.gone(_TOO_OLD)
    body = failure.body

    def with_token() -> dict[str, Any]:
        found = body()
        found["metadata"] = {"continue": make_token(-1, page.after)}
        return found

    failure.body = with_token  # type: ignore[method-assign]
    return failure


def metadata_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of an object; {} where it has none."""
    found = obj.get("metadata")
    return found if isinstance(found, Mapping) else {}


from kapply.sandbox.strategy import Strategy as _Strategy  # noqa: E402

_UNDECORATED = _Strategy.decorate
