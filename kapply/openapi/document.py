"""One group-version's OpenAPI document, and sets of them: types by kind, $ref, resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kapply.errors import ProtocolError
from kapply.meta import GroupVersion, GroupVersionKind, JsonObject, RESTMapping

_GVK = "x-kubernetes-group-version-kind"
_ACTION = "x-kubernetes-action"
# What OpenAPI calls an action, and the verb that discovery and RBAC call it.
_VERBS = {
    "list": "list",
    "post": "create",
    "get": "get",
    "put": "update",
    "patch": "patch",
    "delete": "delete",
    "deletecollection": "deletecollection",
    "watch": "watch",
    "watchlist": "watch",
}
_REF_PREFIX = "#/components/schemas/"


def ref_name(schema: Mapping[str, Any]) -> str:
    """The component that `schema` refers to, directly or as its only allOf; "" for none.

    OpenAPI 3.0 allows no siblings beside $ref, so Kubernetes wraps it: {"allOf": [{"$ref": …}]}.
    """
    ref = schema.get("$ref")
    if ref is None:
        parts = schema.get("allOf")
        if isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping):
            ref = parts[0].get("$ref")
    if isinstance(ref, str) and ref.startswith(_REF_PREFIX):
        return ref[len(_REF_PREFIX) :]
    return ""


def gvks_of(value: object) -> list[GroupVersionKind]:
    """The kinds that an x-kubernetes-group-version-kind names (one object, or a list of them)."""
    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries:
        if isinstance(entry, Mapping) and isinstance(entry.get("kind"), str):
            group, version = entry.get("group"), entry.get("version")
            if isinstance(version, str):
                found.append(
                    GroupVersionKind(
                        group if isinstance(group, str) else "", version, entry["kind"]
                    )
                )
    return found


class SchemaDocument:
    """The types and resources of one group-version.

    Args:
        document: the decoded /openapi/v3/<group-version> document, slimmed or not.

    Raises:
        ProtocolError: it holds no components.schemas and no paths.
    """

    def __init__(self, document: object) -> None:
        if not isinstance(document, Mapping):
            raise ProtocolError("not an OpenAPI document: expected a JSON object")
        components = document.get("components")
        schemas = components.get("schemas") if isinstance(components, Mapping) else None
        paths = document.get("paths")
        if not isinstance(schemas, dict) and not isinstance(paths, Mapping):
            raise ProtocolError("not an OpenAPI document: neither components.schemas nor paths")
        #: Every named type, as published.
        self.components: dict[str, JsonObject] = {
            name: schema
            for name, schema in (schemas if isinstance(schemas, dict) else {}).items()
            if isinstance(schema, dict)
        }
        self._paths: Mapping[str, Any] = paths if isinstance(paths, Mapping) else {}
        self._names: dict[GroupVersionKind, str] | None = None
        self._mappings: dict[GroupVersionKind, RESTMapping] | None = None

    def kinds(self) -> dict[GroupVersionKind, str]:
        """Component names by kind, for types that describe exactly one kind.

        DeleteOptions, WatchEvent and the like carry a long list of kinds and are left out.
        """
        if self._names is None:
            self._names = {}
            for name, schema in self.components.items():
                gvks = gvks_of(schema[_GVK]) if _GVK in schema else []
                if len(gvks) == 1:
                    self._names[gvks[0]] = name
        return self._names

    def mappings(self) -> dict[GroupVersionKind, RESTMapping]:
        """The resources that the document's paths describe, by kind.

        A kind that only exists below another resource (Scale, Eviction, Binding below pods)
        has no mapping of its own; its subresource is listed with the resource that has it.
        """
        if self._mappings is None:
            self._mappings = _mappings_of(self._paths)
        return self._mappings


class SchemaSet:
    """Several documents as one: types by kind, wherever they stand."""

    def __init__(self, documents: Iterable[SchemaDocument] = ()) -> None:
        self._documents: list[SchemaDocument] = list(documents)

    def add(self, document: SchemaDocument) -> None:
        """Take in one more document; the first that knows a kind answers for it."""
        self._documents.append(document)

    def document_for(self, gvk: GroupVersionKind) -> SchemaDocument | None:
        """The document that describes `gvk`."""
        return next((doc for doc in self._documents if gvk in doc.kinds()), None)

    def schema_for(self, gvk: GroupVersionKind) -> JsonObject | None:
        """The type of `gvk` as published ($ref not followed); None when it is unknown."""
        document = self.document_for(gvk)
        return document.components[document.kinds()[gvk]] if document else None

    def mapping_for(self, gvk: GroupVersionKind) -> RESTMapping | None:
        """The resource of `gvk`; None when no document has paths for it."""
        for document in self._documents:
            mapping = document.mappings().get(gvk)
            if mapping is not None:
                return mapping
        return None

    def kinds(self) -> Iterator[GroupVersionKind]:
        """Every kind that is known."""
        for document in self._documents:
            yield from document.kinds()


def _mappings_of(paths: Mapping[str, Any]) -> dict[GroupVersionKind, RESTMapping]:
    gvks: dict[str, GroupVersionKind] = {}
    namespaced: dict[str, bool] = {}
    verbs: dict[str, set[str]] = {}
    subresources: dict[str, dict[str, set[str]]] = {}
    for path, item in paths.items():
        place = _place_of(path)
        if place is None or not isinstance(item, Mapping):
            continue
        resource, subresource, in_namespace = place
        for operation in _operations(item):
            action = operation.get(_ACTION)
            verb = _VERBS.get(action) if isinstance(action, str) else None
            if verb is None:
                continue
            if subresource:
                below = subresources.setdefault(resource, {})
                below.setdefault(subresource, set()).add(verb)
                continue
            verbs.setdefault(resource, set()).add(verb)
            namespaced[resource] = namespaced.get(resource, False) or in_namespace
            kinds = gvks_of(operation.get(_GVK, item.get(_GVK)))
            if kinds and resource not in gvks:
                gvks[resource] = kinds[0]
    return {
        gvk: RESTMapping(
            gvk,
            resource,
            namespaced[resource],
            verbs=frozenset(verbs[resource]),
            subresources=tuple(
                (name, frozenset(found))
                for name, found in sorted(subresources.get(resource, {}).items())
            ),
        )
        for resource, gvk in gvks.items()
    }


def _operations(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for method in ("get", "put", "post", "delete", "patch"):
        operation = item.get(method)
        if isinstance(operation, Mapping):
            yield operation


def _place_of(path: str) -> tuple[str, str, bool] | None:
    """(resource, subresource, namespaced) of a resource path; None for watches and the rest."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    if not rest or rest[0] in ("", "watch"):
        return None
    # /namespaces/{namespace}/pods is a resource in a namespace, but /namespaces/{name}/status is
    # a subresource of Namespace: the placeholder tells them apart.
    in_namespace = len(rest) > 2 and rest[:2] == ["namespaces", "{namespace}"]
    if in_namespace:
        rest = rest[2:]
    if len(rest) == 1:
        return rest[0], "", in_namespace
    if rest[1] != "{name}" or len(rest) > 3:
        return None
    return rest[0], rest[2] if len(rest) == 3 else "", in_namespace


def group_versions(documents: Iterable[SchemaDocument]) -> set[GroupVersion]:
    """The group-versions whose kinds the documents describe."""
    return {gvk.group_version for document in documents for gvk in document.kinds()}
