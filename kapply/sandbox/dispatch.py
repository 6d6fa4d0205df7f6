"""The server without a socket: a Request in, a Response or a Watch out.

Everything else in the package is reached from here; HTTP servers and the in-process transport
are shells around `Sandbox.handle`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kapply.meta import Request, Response
from kapply.sandbox import (
    deletion,
    discovery_docs,
    health,
    read,
    registry,
    render,
    status,
    write,
)
from kapply.sandbox.identity import impersonated
from kapply.sandbox.registry import Registry, Resource
from kapply.sandbox.request import MAX_BODY, Call, Env, Target, find_target, first_values, lower
from kapply.sandbox.seed import prepare
from kapply.sandbox.status import Failure
from kapply.sandbox.store import Record, Store, StoreError, View, Writer
from kapply.sandbox.watch import Watch

__all__ = ["Answer", "Sandbox"]

Answer = Response | Watch
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_AGGREGATED = "APIGroupDiscoveryList"


class Sandbox:
    """An API server over a store.

    Args:
        store: its state; prepared with what a new cluster has when it is empty.
        env: time, identities and the user; every request may bring another.
        address: how /api names the server.
    """

    def __init__(self, store: Store, env: Env | None = None, *, address: str = "kapply") -> None:
        self.store = store
        self.env = env or Env()
        self.address = address
        self._registry: tuple[int, Registry] | None = None
        self._crds: dict[Record, list[Resource]] = {}
        prepare(store, self.env)

    def handle(self, request: Request, env: Env | None = None) -> Answer:
        """Answer a request. Never raises: what goes wrong is a Status."""
        answer = self.serve(request, env, streaming=False)
        assert not isinstance(answer, read.Stream)
        return answer

    def serve(
        self, request: Request, env: Env | None = None, *, streaming: bool = True
    ) -> Answer | read.Stream:
        """As `handle`; a whole collection may come as a stream."""
        headers = lower(request.headers)
        params = first_values(request.query)
        try:
            env = env or impersonated(self.env, headers.items())
            return self._answer(request, env, params, headers, streaming=streaming)
        except Failure as failure:
            refused = failure
        except StoreError as error:
            full = error.full
            refused = status.generic(507, str(error)) if full else status.internal(str(error))
        except RecursionError:
            refused = status.bad_request("the body is nested too deeply")
        return render.failure_response(refused, None, params, headers)

    def _answer(
        self,
        request: Request,
        env: Env,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        streaming: bool,
    ) -> Answer | read.Stream:
        if request.body is not None and len(request.body) > MAX_BODY:
            raise Failure(
                413,
                "RequestEntityTooLarge",
                f"Request entity too large: limit is {MAX_BODY}",
            )
        found = self.registry()
        target = find_target(request.path, found)
        if target is None:
            return self._other(request, found, params, headers)
        call = Call(request, target, found, env, params, headers)
        call.warn(target.resource.deprecation)
        verb = _verb(request, target, params)
        try:
            if verb == "list" and streaming:
                stream = self._stream(call)
                if stream is not None:
                    return stream
            return self._resource(call, verb)
        except Failure as failure:
            return render.failure_response(failure, call, params, headers)

    def registry(self) -> Registry:
        """The resources there are now."""
        with self.store.read() as view:
            version = int(view.fact("crds") or 0)
            if self._registry is None or self._registry[0] != version:
                self._registry = (version, registry.builtin().with_crds(self._read_crds(view)))
        return self._registry[1]

    def _read_crds(self, view: View) -> list[list[Resource]]:
        """The resources of every CRD; those of one that did not change are the same objects."""
        crds = {
            record: self._crds.get(record) or registry.resources_of_crd(record.load())
            for record in view.select(CRDS)
        }
        self._crds = crds
        return list(crds.values())

    def _stream(self, call: Call) -> read.Stream | None:
        listed = call.target.subresource is None and "list" in call.target.resource.verbs
        return read.stream_objects(call, self.store) if listed else None

    def _resource(self, call: Call, verb: str) -> Answer:
        target = call.target
        if target.subresource is not None:
            allowed = verb in target.subresource.verbs
        else:
            allowed = verb in target.resource.verbs
        if not allowed:
            raise status.no_such_method()
        if target.subresource is not None and target.subresource.name != "status":
            from kapply.sandbox.subresources import handle

            return handle(self, call, verb)
        if "get" not in target.resource.verbs:
            from kapply.sandbox.reviews import review

            return review(call)
        if verb == "watch":
            return Watch(call, self.store)
        if verb in ("get", "list"):
            with self.store.read() as view:
                return (read.get if verb == "get" else read.list_objects)(call, view)
        return self.write(call, _HANDLERS[verb])

    def write(self, call: Call, handler: Callable[[Call, Writer], Response]) -> Response:
        """Run a write in a transaction of its own."""
        with self.store.write() as writer:
            response = handler(call, writer)
            if CRDS in writer.touched:
                writer.set_fact("crds", writer.version)
            return response

    def _other(
        self,
        request: Request,
        found: Registry,
        params: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> Response:
        path = request.path.rstrip("/") or "/"
        parts = path.strip("/").split("/")
        answer = render.Answer(None, params, headers)
        if request.method == "GET":
            response = self._discovery(parts, found, answer, headers)
            if response is None:
                response = health.answer(path, params)
            if response is None and path == "/metrics":
                with self.store.read() as view:
                    response = health.metrics(view)
            if response is None and parts[0] == "openapi":
                from kapply.sandbox import openapi_docs

                response = openapi_docs.answer(parts, found, params, headers)
            if response is not None:
                return response
        if (parts[0] == "api" and len(parts) == 1) or (parts[0] == "apis" and len(parts) < 3):
            if request.method != "GET" and len(parts) == 1:
                raise status.no_such_method()
        elif parts[0] in ("api", "apis") and _is_status(parts, found):
            message = "the server could not find the requested resource"
            raise Failure(404, "NotFound", message, {})
        return answer.raw(
            b"404 page not found\n", code=404, content_type="text/plain; charset=utf-8"
        )

    def _discovery(
        self, parts: list[str], found: Registry, answer: render.Answer, headers: Mapping[str, str]
    ) -> Response | None:
        if parts == [""]:
            return answer.of(discovery_docs.path_list(found))
        if parts in (["api"], ["apis"]):
            core = parts == ["api"]
            wanted = _aggregation(headers)
            if wanted:
                document, etag = discovery_docs.aggregated(found, core=core)
                if headers.get("if-none-match") == etag:
                    return Response(304, {"etag": etag}, b"")
                document["apiVersion"] = f"apidiscovery.k8s.io/{wanted}"
                media_type = f"application/json;g=apidiscovery.k8s.io;v={wanted};as={_AGGREGATED}"
                response = answer.of(document, content_type=media_type)
                return Response(200, {**response.headers, "etag": etag}, response.body)
            if core:
                return answer.of(discovery_docs.api_versions(self.address))
            return answer.of(discovery_docs.api_groups(found))
        document_of: dict[str, object] | None = None
        if parts[0] == "api" and len(parts) == 2:
            document_of = discovery_docs.resource_list(found, "", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            group = discovery_docs.group(found, parts[1])
            document_of = group and {"kind": "APIGroup", "apiVersion": "v1", **group}
        elif parts[0] == "apis" and len(parts) == 3:
            document_of = discovery_docs.resource_list(found, parts[1], parts[2])
        return answer.of(document_of) if document_of else None

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def _is_status(parts: list[str], found: Registry) -> bool:
    """Whether an unknown path below /api or /apis is answered with a Status."""
    if parts[0] == "api":
        return True
    return any(group == parts[1] for group, _ in found.group_versions)


def _aggregation(headers: Mapping[str, str]) -> str:
    from kapply.sandbox.request import accepts

    for clause in accepts(headers.get("accept", "")):
        params = clause.params
        if clause.media_type != "application/json":
            continue
        if not params.get("as"):
            return ""
        if params.get("as") == _AGGREGATED and params.get("v") in ("v2", "v2beta1"):
            return params["v"]
    return ""


def _verb(request: Request, target: Target, params: Mapping[str, str]) -> str:
    named = bool(target.name)
    if request.method == "GET":
        watching = params.get("watch", "") not in ("", "0", "false")
        if "/watch/" in request.path:
            watching = True
        if watching and target.subresource is None:
            return "watch"
        return "get" if named else "list"
    if request.method == "POST":
        return "create" if not named or target.subresource else ""
    if request.method == "PUT":
        return "update" if named else ""
    if request.method == "PATCH":
        return "patch" if named else ""
    if request.method == "DELETE":
        return "delete" if named else "deletecollection"
    return ""


_HANDLERS: dict[str, Callable[[Call, Writer], Response]] = {
    "create": write.create,
    "update": write.update,
    "patch": write.patch,
    "delete": deletion.delete,
    "deletecollection": deletion.delete_collection,
}
