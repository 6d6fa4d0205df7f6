"""The unchanged-proof with the types that the server publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kapply.engine.schemas import ServerSchemas
from kapply.errors import ProtocolError
from kapply.merge.errors import MergeError
from kapply.merge.schema import Type
from kapply.merge.schema_openapi import Schema
from kapply.meta import GroupVersion, GroupVersionKind, JsonObject
from kapply.planning.model import Desired
from kapply.planning.unchanged import UnchangedProof


class SchemaProver:
    """Proves objects unchanged for one manager; a kind without a schema stays unproven."""

    def __init__(self, manager: str, schemas: ServerSchemas) -> None:
        self._schemas = schemas
        self._by_version: dict[GroupVersion, Schema] = {}
        self._types: dict[GroupVersionKind, Type | None] = {}
        self._proof = UnchangedProof(manager, self.type_of)

    def prepare(self, group_versions: Iterable[GroupVersion]) -> None:
        """Fetch the documents of these group-versions, in parallel, from the cache if it can."""
        self._documents(group_versions)

    def unchanged(self, desired: Desired, live: JsonObject) -> bool:
        """True only when an apply of `desired` would leave `live` as it is."""
        return self._proof.unchanged(desired, live)

    def _documents(self, wanted: Iterable[GroupVersion]) -> Mapping[GroupVersion, JsonObject]:
        """Documents by group-version; one that cannot be read is missing, and proves nothing."""
        wanted = tuple(wanted)
        try:
            return self._schemas.documents(wanted)
        except ProtocolError:
            # A CRD was published since the index was read: its document has another address now,
            # and the old one redirects.
            self._schemas.forget_index()
        try:
            return self._schemas.documents(wanted)
        except ProtocolError:
            return {}

    def type_of(self, gvk: GroupVersionKind) -> Type | None:
        """The merge type of a kind; None where the server does not describe it."""
        if gvk not in self._types:
            self._types[gvk] = self._find(gvk)
        return self._types[gvk]

    def _find(self, gvk: GroupVersionKind) -> Type | None:
        document = self._documents([gvk.group_version]).get(gvk.group_version)
        if document is None:
            return None
        schema = self._by_version.get(gvk.group_version)
        try:
            if schema is None:
                schema = self._by_version[gvk.group_version] = Schema.from_documents([document])
            return schema.kind(gvk.group, gvk.version, gvk.kind)
        except MergeError:
            return None
