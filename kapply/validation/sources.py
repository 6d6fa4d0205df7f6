"""Where schemas come from: OpenAPI documents, CustomResourceDefinitions, or several in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kapply.errors import ProtocolError
from kapply.meta import GroupKind, GroupVersion, GroupVersionKind, JsonObject
from kapply.openapi import SchemaDocument
from kapply.validation.custom import CustomCompiler
from kapply.validation.gate import (
    JSON_SCHEMA_PROPS,
    Check,
    Compiler,
    check_anything,
    check_object,
)

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


@dataclass(slots=True)
class KindSchema:
    """What is known about one kind.

    Attributes:
        gvk: the kind.
        schema: its type, as published; for a custom resource its openAPIV3Schema.
        components: the types that `schema` refers to.
        custom: whether it follows the rules of custom resources (pruning, null, defaults).
        namespaced: its scope; None where no path tells.
        gate: whether an object (decoded JSON) is valid by its schema.
        compiled: what was made of the schema so far; kinds of one document share it.
        component: the name of `schema` among `components`; "" where it has none.
    """

    gvk: GroupVersionKind
    schema: JsonObject
    components: Mapping[str, JsonObject]
    custom: bool
    namespaced: bool | None
    gate: Check = field(repr=False, compare=False)
    compiled: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    component: str = ""


class SchemaSource(Protocol):
    """Knows kinds. Implementations load and compile what is asked for, when it is asked for."""

    def schema_for(self, gvk: GroupVersionKind) -> KindSchema | None:
        """The schema of a kind; None when it is not known here."""

    def kinds(self) -> Iterable[GroupVersionKind]:
        """Every kind that is known, to suggest one from."""


class OpenAPISource:
    """Schemas from OpenAPI v3 documents, each loaded when a kind of its group-version comes up.

    Args:
        load: the decoded document of a group-version, or None where there is none.
        available: the group-versions that `load` may know.
    """

    def __init__(
        self,
        load: Callable[[GroupVersion], object],
        available: Iterable[GroupVersion],
    ) -> None:
        self._load = load
        self._available = tuple(available)
        self._documents: dict[GroupVersion, SchemaDocument | None] = {}
        self._compilers: dict[GroupVersion, Compiler] = {}
        self._compiled: dict[GroupVersion, dict[str, Any]] = {}
        self._found: dict[GroupVersionKind, KindSchema | None] = {}

    @classmethod
    def from_documents(cls, documents: Mapping[GroupVersion, object]) -> OpenAPISource:
        """From documents that are all there."""
        return cls(documents.get, documents)

    def document(self, group_version: GroupVersion) -> SchemaDocument | None:
        """The document of a group-version; None when there is none that can be read."""
        if group_version not in self._documents:
            loaded = self._load(group_version) if group_version in self._available else None
            try:
                document = SchemaDocument(loaded) if loaded is not None else None
            except ProtocolError:
                document = None
            self._documents[group_version] = document
        return self._documents[group_version]

    def schema_for(self, gvk: GroupVersionKind) -> KindSchema | None:
        """The schema of a kind."""
        if gvk not in self._found:
            self._found[gvk] = self._make(gvk)
        return self._found[gvk]

    def kinds(self) -> Iterator[GroupVersionKind]:
        """Every kind; loads every document."""
        for group_version in self._available:
            document = self.document(group_version)
            if document is not None:
                yield from document.kinds()

    def object_meta(self) -> Check:
        """The check for ObjectMeta, from whichever document has it."""
        for group_version in sorted(self._available, key=lambda gv: (gv.group != "", gv)):
            document = self.document(group_version)
            if document is not None and OBJECT_META in document.components:
                return self._compiler(group_version, document).kind(OBJECT_META)
        return check_anything

    def _compiler(self, group_version: GroupVersion, document: SchemaDocument) -> Compiler:
        if group_version not in self._compilers:
            self._compilers[group_version] = Compiler(document.components)
        return self._compilers[group_version]

    def _make(self, gvk: GroupVersionKind) -> KindSchema | None:
        document = self.document(gvk.group_version)
        name = document.kinds().get(gvk) if document is not None else None
        if document is None or name is None:
            return None
        mapping = document.mappings().get(gvk)
        compiler = self._compiler(gvk.group_version, document)
        schema = document.components[name]
        custom = is_custom(gvk, name)
        if custom:
            meta = compiler.kind(OBJECT_META)
            gate = CustomCompiler(meta, document.components).kind(schema)
        else:
            gate = compiler.kind(name)
        return KindSchema(
            gvk,
            schema,
            document.components,
            custom,
            mapping.namespaced if mapping else None,
            _guarded(gate),
            self._compiled.setdefault(gvk.group_version, {}),
            name,
        )


class CustomSource:
    """Schemas from CustomResourceDefinitions, before they are on any server.

    Args:
        definitions: CRDs as decoded (apiextensions.k8s.io/v1); what cannot be read is left out,
            for the CRD's own validation names it.
        base: where ObjectMeta comes from.
    """

    def __init__(self, definitions: Iterable[Mapping[str, Any]], base: SchemaSource) -> None:
        self._base = base
        self._schemas: dict[GroupVersionKind, tuple[JsonObject, bool]] = {}
        for definition in definitions:
            self._schemas.update(_versions_of(definition))
        self._found: dict[GroupVersionKind, KindSchema] = {}

    def schema_for(self, gvk: GroupVersionKind) -> KindSchema | None:
        """The schema of a custom kind and version."""
        if gvk not in self._schemas:
            return None
        if gvk not in self._found:
            schema, namespaced = self._schemas[gvk]
            schema = self._readable(schema)
            components, meta = _object_meta_of(self._base)
            self._found[gvk] = KindSchema(
                gvk, schema, components, True, namespaced, _guarded(_Deferred(schema, meta))
            )
        return self._found[gvk]

    def _readable(self, schema: JsonObject) -> JsonObject:
        """A schema that can be compiled: what is wrong with it is said about its CRD."""
        from kapply.validation.bundled import offline_schemas

        definition = GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
        known = offline_schemas().schema_for(definition)
        try:
            plain: JsonObject = without_nulls(schema)
            props = Compiler(known.components).kind(JSON_SCHEMA_PROPS) if known else check_object
            return plain if props(plain) else dict(_ANYTHING)
        except RecursionError:
            return dict(_ANYTHING)

    def kinds(self) -> Iterator[GroupVersionKind]:
        """Every custom kind and version."""
        yield from self._schemas


class ChainedSource:
    """Several sources as one; the first that knows a kind answers."""

    def __init__(self, *sources: SchemaSource) -> None:
        self._sources = sources

    def schema_for(self, gvk: GroupVersionKind) -> KindSchema | None:
        """The schema of a kind."""
        for source in self._sources:
            found = source.schema_for(gvk)
            if found is not None:
                return found
        return None

    def kinds(self) -> Iterator[GroupVersionKind]:
        """Every kind of every source."""
        for source in self._sources:
            yield from source.kinds()


class _Deferred:
    """A custom gate that is compiled when the first object comes."""

    __slots__ = ("_check", "_meta", "_schema")

    def __init__(self, schema: JsonObject, meta: Check) -> None:
        self._schema = schema
        self._meta = meta
        self._check: Check | None = None

    def __call__(self, value: Any) -> bool:
        if self._check is None:
            self._check = CustomCompiler(self._meta).kind(self._schema)
        return self._check(value)


_ANYTHING: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def without_nulls(value: Any) -> Any:
    """A copy in which no mapping has a null member; nulls in lists (of an enum) stay.

    Raises RecursionError for values nested too deeply.
    """
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_nulls(part) for part in value]
    return value


def is_custom(gvk: GroupVersionKind, component: str) -> bool:
    """Whether a component is a CRD's: the server names it by its reversed group alone.

    gateway.networking.k8s.io/v1 Gateway is io.k8s.networking.gateway.v1.Gateway, where built-in
    and aggregated types are named by their Go package (io.k8s.api.apps.v1.Deployment).
    """
    reversed_group = ".".join(reversed(gvk.group.split(".")))
    return component == f"{reversed_group}.{gvk.version}.{gvk.kind}"


def definitions_in(objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The CustomResourceDefinitions among objects."""
    return [
        obj
        for obj in objects
        if obj.get("kind") == "CustomResourceDefinition"
        and str(obj.get("apiVersion", "")).startswith("apiextensions.k8s.io/")
    ]


def _versions_of(
    definition: Mapping[str, Any],
) -> Iterator[tuple[GroupVersionKind, tuple[JsonObject, bool]]]:
    spec = _mapping(definition.get("spec"))
    kind = _mapping(spec.get("names")).get("kind")
    group, versions = spec.get("group"), spec.get("versions")
    if not isinstance(kind, str) or not isinstance(group, str) or not isinstance(versions, list):
        return
    for version in versions:
        version = _mapping(version)
        name = version.get("name")
        if not isinstance(name, str) or version.get("served") is False:
            continue
        schema = _mapping(_mapping(version.get("schema")).get("openAPIV3Schema"))
        if spec.get("preserveUnknownFields") is True:
            schema = {**schema, "x-kubernetes-preserve-unknown-fields": True}
        yield GroupVersionKind(group, name, kind), (schema, spec.get("scope") != "Cluster")


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _object_meta_of(source: SchemaSource) -> tuple[Mapping[str, JsonObject], Check]:
    # Any kind of the core group carries ObjectMeta; a server is not asked for it for that alone.
    from kapply.validation.bundled import offline_schemas

    config_map = GroupVersionKind("", "v1", "ConfigMap")
    known = source.schema_for(config_map) or offline_schemas().schema_for(config_map)
    if known is None or OBJECT_META not in known.components:
        return {}, check_anything
    return known.components, Compiler(known.components).kind(OBJECT_META)


def group_kinds(kinds: Iterable[GroupVersionKind]) -> dict[GroupKind, list[GroupVersionKind]]:
    """Kinds by group and kind, all versions together."""
    found: dict[GroupKind, list[GroupVersionKind]] = {}
    for gvk in kinds:
        found.setdefault(gvk.group_kind, []).append(gvk)
    return found


def _guarded(gate: Check) -> Check:
    """Schemas may be recursive, and objects as deep as the input allows."""

    def check(value: Any) -> bool:
        try:
            return gate(value)
        except RecursionError:
            return False

    return check
