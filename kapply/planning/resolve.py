"""From documents to Desired objects: which resource, which namespace, which identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from kapply.discovery import RESTMapper, mapping_of_crd
from kapply.errors import Origin, Problem
from kapply.manifests.documents import Document
from kapply.meta import GroupKind, GroupVersionKind, JsonObject, ObjectRef, RESTMapping
from kapply.planning.model import Desired
from kapply.planning.preconditions import metadata_first

CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
NAMESPACE = GroupKind("", "Namespace")

Encode = Callable[[Mapping[str, Any]], bytes]


class Resolver:
    """Resolves the documents of one run against one server.

    Args:
        mapper: what the server serves.
        namespace: for namespaced objects that name none.
        enforce_namespace: whether `namespace` was asked for (-n), so that an object which names
            another one is a mistake, as in kubectl.
        encode: from an object to the bytes that are sent.
        keep_unknown: for deletion: an object of a kind that is not served is not there, and no
            mistake.
    """

    def __init__(
        self,
        mapper: RESTMapper,
        namespace: str,
        *,
        enforce_namespace: bool,
        encode: Encode,
        keep_unknown: bool = False,
    ) -> None:
        self._mapper = mapper
        self._namespace = namespace
        self._enforce = enforce_namespace
        self._encode = encode
        self._keep_unknown = keep_unknown

    def resolve(self, documents: Iterable[Document]) -> tuple[list[Desired], list[Problem]]:
        """Every document resolved, and every problem found, in the order of the input."""
        documents = list(documents)
        brought = _kinds_brought(documents)
        desired: list[Desired] = []
        problems: list[Problem] = []
        first: dict[tuple[str, str, str, str], Origin] = {}
        for document in documents:
            outcome = self._one(document, brought)
            if isinstance(outcome, Problem):
                problems.append(outcome)
                continue
            # Without a name (generateName) each one is a new object.
            seen = first.setdefault(outcome.ref.key, outcome.origin) if outcome.ref.name else None
            if seen is not None and seen is not outcome.origin:
                problems.append(
                    Problem(
                        "the same object is in the input twice",
                        outcome.origin,
                        f"{outcome.ref}",
                        also=(seen,),
                    )
                )
                continue
            desired.append(outcome)
        return _mark_pending(desired, self._mapper), problems

    def _one(
        self, document: Document, brought: Mapping[GroupVersionKind, RESTMapping]
    ) -> Desired | Problem:
        obj = document.obj
        metadata = obj["metadata"]
        gvk = GroupVersionKind.parse(obj["apiVersion"], obj["kind"])
        name = metadata.get("name") or ""
        subject = f"{gvk.kind} {name or metadata.get('generateName') or ''}".strip()
        # A CRD of the input says how its kind will be served, whatever is served now.
        mapping = brought.get(gvk) or self._mapper.for_kind(gvk)
        if mapping is None:
            unavailable = gvk.group_version in self._mapper.unavailable
            if unavailable or not self._keep_unknown:
                return self._unknown(document, gvk, subject)
            mapping = RESTMapping(gvk, f"{gvk.kind.lower()}s", namespaced=True)
        problem = self._cannot_be_sent(document, mapping, subject)
        if problem is not None:
            return problem
        namespace = metadata.get("namespace") or ""
        if mapping.namespaced:
            if namespace and self._enforce and namespace != self._namespace:
                return Problem(
                    f"its namespace is {namespace!r}, but -n asks for {self._namespace!r}",
                    document.locate(("metadata", "namespace")),
                    subject,
                    "metadata.namespace",
                    hint="leave one of them out",
                )
            namespace = namespace or self._namespace
        elif namespace:
            return Problem(
                f"{gvk.kind} is cluster-scoped and takes no namespace",
                document.locate(("metadata", "namespace")),
                subject,
                "metadata.namespace",
                hint="remove the line",
            )
        try:
            mapping.path(namespace, name)
        except ValueError as error:
            return Problem(str(error), document.locate(("metadata", "name")), subject)
        sent = _with_namespace(obj, namespace) if mapping.namespaced else obj
        return Desired(
            sent,
            self._encode(metadata_first(sent)),
            mapping,
            ObjectRef(gvk, namespace, name),
            document.origin,
            document.locate,
        )

    def _cannot_be_sent(
        self, document: Document, mapping: RESTMapping, subject: str
    ) -> Problem | None:
        metadata = document.obj["metadata"]
        if not metadata.get("name") and (self._keep_unknown or not metadata.get("generateName")):
            what = "is needed to delete it" if self._keep_unknown else "is missing"
            where = document.locate(("metadata",))
            return Problem(f"metadata.name {what}", where, subject, hint="give it a name")
        if mapping.verbs and not mapping.verbs & {"patch", "delete"}:
            can = ", ".join(sorted(mapping.verbs))
            return Problem(
                f"objects of this kind are not kept by the server: it can only {can} them",
                document.origin,
                subject,
                hint="`kapply raw POST` sends one",
            )
        return None

    def _unknown(self, document: Document, gvk: GroupVersionKind, subject: str) -> Problem:
        reason = self._mapper.unavailable.get(gvk.group_version)
        if reason is not None:
            return Problem(
                f"{gvk.api_version} is not available right now: {reason}",
                document.origin,
                subject,
                hint=f"see `kapply get apiservices` for {gvk.group_version}",
            )
        close = self._mapper.close_to_kind(gvk)
        exact = [k for k in close if k.kind == gvk.kind and k.group == gvk.group]
        where = document.locate(("apiVersion",) if exact else ("kind",))
        if close:
            hint = "the server has " + " and ".join(str(k) for k in close)
        else:
            hint = "install its CustomResourceDefinition first, or add it to the input"
        return Problem(
            f"the server knows no kind {gvk.kind} in {gvk.api_version}", where, subject, hint=hint
        )


def _kinds_brought(documents: Iterable[Document]) -> dict[GroupVersionKind, RESTMapping]:
    brought: dict[GroupVersionKind, RESTMapping] = {}
    for document in documents:
        obj = document.obj
        if obj.get("kind") != CRD.kind or not str(obj.get("apiVersion", "")).startswith(CRD.group):
            continue
        spec = obj.get("spec")
        versions = spec.get("versions") if isinstance(spec, dict) else None
        for version in versions if isinstance(versions, list) else ():
            name = version.get("name") if isinstance(version, dict) else None
            mapping = mapping_of_crd(obj, name) if isinstance(name, str) else None
            if mapping is not None:
                brought[mapping.gvk] = mapping
    return brought


def _with_namespace(obj: JsonObject, namespace: str) -> JsonObject:
    if obj["metadata"].get("namespace") == namespace:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}


def _mark_pending(desired: list[Desired], mapper: RESTMapper) -> list[Desired]:
    """Say of each object which other object of the input it cannot be checked without.

    A kind that the server serves already needs no CRD; whether a Namespace of the input is there
    already is known only after reading, so the planner takes that mark off again.
    """
    namespaces = {d.ref.name for d in desired if d.ref.gvk.group_kind == NAMESPACE}
    marked = []
    for item in desired:
        if mapper.for_kind(item.ref.gvk) is None:
            crd = f"{item.mapping.resource}.{item.mapping.group_version.group}"
            item = replace(item, pending=f"CustomResourceDefinition {crd}")
        elif item.ref.namespace in namespaces:
            item = replace(item, pending=f"Namespace {item.ref.namespace}")
        marked.append(item)
    return marked
