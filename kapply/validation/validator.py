"""All documents against their schemas and the server's rules: every problem, with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kapply.errors import Problem
from kapply.meta import GroupVersionKind, JsonObject
from kapply.validation.deprecations import lifecycle_of
from kapply.validation.documents import ManifestDocument, gvk_of, subject_of
from kapply.validation.explain import MAX_FINDINGS, MISSING, Finding, explain
from kapply.validation.paths import Path, path_text
from kapply.validation.remainder import Remainder
from kapply.validation.rules import check_rules
from kapply.validation.sources import (
    ChainedSource,
    CustomSource,
    KindSchema,
    SchemaSource,
    definitions_in,
)
from kapply.validation.suggest import closest

if TYPE_CHECKING:
    from kapply.validation.rules.expressions import UncheckedRule


def validate(
    documents: Sequence[ManifestDocument],
    schemas: SchemaSource,
    *,
    ignore_unknown_kinds: bool = False,
    unchecked: list[UncheckedRule] | None = None,
) -> list[Problem]:
    """Everything that is wrong with the documents, as far as it can be known without a server.

    CustomResourceDefinitions among the documents validate the custom resources beside them.

    Args:
        documents: what was read.
        schemas: which kinds there are; those of the input's own CRDs come first.
        ignore_unknown_kinds: let kinds without a schema pass, metadata rules apart.
        unchecked: takes the CEL rules of custom kinds that could not be evaluated here.

    Returns:
        Problems with origin, subject, field and hint, sorted by source, line and column.
    """
    definitions = definitions_in(document.obj for document in documents)
    source: SchemaSource = (
        ChainedSource(CustomSource(definitions, schemas), schemas) if definitions else schemas
    )
    checker = _Checker(source, ignore_unknown_kinds=ignore_unknown_kinds)
    problems: list[Problem] = []
    for document in documents:
        findings = checker.check(document.obj)
        if findings:
            problems.extend(_problems(document, findings))
    if unchecked is not None:
        unchecked += checker.unchecked
    problems.sort(key=_place)
    return problems


def findings_of(obj: JsonObject, schemas: SchemaSource) -> list[Finding]:
    """What is wrong with one object; empty when it is valid."""
    return _Checker(schemas).check(obj)


def is_valid(obj: JsonObject, schemas: SchemaSource) -> bool:
    """Whether nothing is wrong with one object; does not say what."""
    gvk, _ = gvk_of(obj)
    kind = schemas.schema_for(gvk) if gvk is not None else None
    return kind is not None and kind.gate(obj) and not check_rules(kind, obj, [])


class _Checker:
    def __init__(self, schemas: SchemaSource, *, ignore_unknown_kinds: bool = False) -> None:
        self._schemas = schemas
        self._ignore = ignore_unknown_kinds
        #: By apiVersion and kind as they are written: an input has few kinds, and many of each.
        self._kinds: dict[tuple[Any, Any], KindSchema] = {}
        self.unchecked: list[UncheckedRule] = []

    def check(self, obj: JsonObject) -> list[Finding]:
        name = (obj.get("apiVersion"), obj.get("kind"))
        try:
            kind = self._kinds.get(name)
        except TypeError:  # a list or mapping where a text belongs
            kind = None
        if kind is None:
            gvk, findings = gvk_of(obj)
            if gvk is None:
                return findings
            kind = self._schemas.schema_for(gvk)
            if kind is None:
                return [] if self._ignore else [self._unknown(gvk)]
            self._kinds[name] = kind
        if kind.gate(obj):
            return check_rules(kind, obj, self.unchecked)
        findings = explain(kind, obj)
        if not findings:
            # The gate and jsonschema disagree: say so rather than let it pass.
            return [Finding((), "does not fit its schema, but what is wrong cannot be told")]
        return findings + self._rules_beside(kind, obj, findings)

    def _rules_beside(
        self, kind: KindSchema, obj: JsonObject, findings: list[Finding]
    ) -> list[Finding]:
        """What the rules say about the rest of an object whose schema findings are taken out."""
        wrong = [finding.path for finding in findings]
        rest = Remainder(obj, wrong)
        if not _only_missing(kind, rest.value):
            return []
        found = (
            replace(finding, path=rest.original(finding.path))
            for finding in check_rules(kind, rest.value)
        )
        return [
            finding for finding in found if not any(_related(finding.path, path) for path in wrong)
        ]

    def _unknown(self, gvk: GroupVersionKind) -> Finding:
        gone = lifecycle_of(gvk)
        if gone is not None and gone.removed:
            return Finding(("apiVersion",), gone.message, gone.hint, at_value=True)
        kinds = list(self._schemas.kinds())
        same_kind = [known for known in kinds if known.kind == gvk.kind]
        if same_kind:
            versions = " or ".join(sorted({known.api_version for known in same_kind}))
            return Finding(
                ("apiVersion",),
                f"there is no {gvk.kind} in {gvk.api_version}",
                f"did you mean {versions}?",
                at_value=True,
            )
        beside = [known.kind for known in kinds if known.group_version == gvk.group_version]
        near = closest(gvk.kind, beside)
        if not near and (beside or _may_be_built_in(gvk.group)):
            # Of a group of its own, a kind is more likely to lack its CRD than to be misspelt.
            near = closest(gvk.kind, (known.kind for known in kinds))
        if near:
            where = {known.api_version for known in kinds if known.kind == near}
            place = "" if gvk.api_version in where else f" ({' or '.join(sorted(where))})"
            return Finding(
                ("kind",),
                f"unknown kind {gvk.kind} in {gvk.api_version}",
                f"did you mean {near}{place}?",
                at_value=True,
            )
        return Finding(
            ("kind",),
            f"no schema for {gvk.kind} in {gvk.api_version}",
            "add its CustomResourceDefinition to the input, or name its folder with --schemas",
            at_value=True,
        )


def _may_be_built_in(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")


def _only_missing(kind: KindSchema, obj: Any) -> bool:
    """Whether all that is still wrong is that something is missing."""
    return kind.gate(obj) or all(finding.message == MISSING for finding in explain(kind, obj))


def _related(one: Path, other: Path) -> bool:
    """Whether a path is the other, or holds it: a rule then asks for what was taken out."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _problems(document: ManifestDocument, findings: list[Finding]) -> list[Problem]:
    subject = subject_of(document.obj)
    shown = findings[:MAX_FINDINGS]
    problems = [
        Problem(
            finding.message,
            document.locate(finding.path, value=finding.at_value),
            subject=subject,
            field=path_text(finding.path),
            hint=finding.hint,
        )
        for finding in shown
    ]
    if len(findings) > len(shown):
        problems.append(
            Problem(
                f"{len(findings) - len(shown)} more problems are not shown",
                document.origin,
                subject=subject,
            )
        )
    return problems


def _place(problem: Problem) -> tuple[str, int, int]:
    origin = problem.origin
    return (origin.source, origin.line, origin.column) if origin else ("", 0, 0)
