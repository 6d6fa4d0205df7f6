"""Custom resources against their structural schema, as the API server checks them.

apiextensions-apiserver hands the CRD's schema to kube-openapi's validator; which rules hold, which
alternative of an anyOf is told about, and each text are the ones found there. CEL rules
(x-kubernetes-validations) are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kapply.merge.errors import bounded
from kapply.merge.gotext import go_quote, go_v
from kapply.merge.jsonvalue import ABSENT, Json, identical
from kapply.merge.structural.findings import Finding, Findings
from kapply.merge.structural.keywords import (
    INT_OR_STRING,
    Schema,
    flag,
    integer_at,
    names_at,
    properties,
    schema_at,
    schemas_at,
    text_at,
)
from kapply.merge.structural.numbers import is_whole, number_findings
from kapply.merge.structural.ratchet import Correlated
from kapply.merge.structural.violations import Violation

#: Formats of texts that the server knows (apiextensions-apiserver, supportedVersionedFormats).
FORMATS = frozenset(
    (
        "bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3",
        "uuid4", "uuid5", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor",
        "byte", "password", "date", "duration", "datetime", "k8sshortname", "k8slongname",
    )
)  # fmt: skip

_JSON_TYPES = {
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}
_GO_FORMATS = {int: "int64", float: "float64"}


@dataclass(frozen=True, slots=True)
class TextChecks:
    """How texts are checked.

    Attributes:
        format: the check for a format by its name; None for one that is left unchecked.
        pattern: a Go regular expression as one of Python's; None for one that cannot be said.
    """

    format: Callable[[str], Callable[[str], bool] | None]
    pattern: Callable[[str], re.Pattern[str] | None]


class Validator:
    """Checks values against one structural schema.

    Args:
        schema: openAPIV3Schema of a version of a CRD, or a part of it.
        checks: how texts are checked.
    """

    def __init__(self, schema: Schema, checks: TextChecks) -> None:
        self._schema = schema
        self._checks = checks

    @bounded
    def violations(self, value: Json, *, old: Json = ABSENT, path: str = "") -> list[Violation]:
        """What is wrong with `value`; [] when nothing is.

        Args:
            value: the object, pruned and defaulted.
            old: the object before an update: what is as it was may stay wrong. ABSENT for a
                create.
            path: where `value` stands ("status" for the status alone).
        """
        if old is ABSENT:
            found = self._check(self._schema, value, "", None)
        else:
            found = self._ratcheted(self._schema, value, "", Correlated(value, old, self._schema))
        return [finding.violation(path) for finding in found.items.values()]

    def _ratcheted(
        self, schema: Schema, value: Json, path: str, node: Correlated | None
    ) -> Findings:
        found = self._check(schema, value, path, node)
        if found and node is not None and node.equal():
            return Findings(held=found.held)
        return found

    def _check(self, schema: Schema, value: Json, path: str, node: Correlated | None) -> Findings:
        types = _types(schema)
        form = _format(schema, types)
        found = Findings()
        if value is None:
            if types and not flag(schema, "nullable"):
                found.add(_mismatch(path, ",".join(types), "null"))
            else:
                found.held += 1
            found.add(*_enum(schema, value, path))
            return found
        kind = value.__class__
        if types or form:
            problem = _type_problem(types, form, value, path)
            found.held += 1 if problem else 2
            found.add(*problem)
        found.merge(self._combined(schema, value, path))
        found.held += 1
        if kind is str:
            found.add(*self._text(schema, value, path))
            found.held += 1
            if form.replace("-", "") in FORMATS:
                found.add(*self._formatted(form, value, path))
                found.held += 1
        elif kind is int or kind is float:
            found.merge(number_findings(value, schema, types, form, path))
            found.held += 1
        elif kind is list:
            found.merge(self._list(schema, value, path, node))
            found.held += 1
        found.add(*_enum(schema, value, path))
        found.held += 1
        if kind is dict:
            found.merge(self._map(schema, value, path, node))
            found.held += 1
        found.held += 1
        return found

    def _combined(self, schema: Schema, value: Json, path: str) -> Findings:
        """anyOf, oneOf, allOf and not; their parts see the value alone, without its past."""
        found = Findings(held=1)
        quoted = go_quote(path)

        def tried(keyword: str) -> list[Findings]:
            return [self._check(part, value, path, None) for part in schemas_at(schema, keyword)]

        any_of = tried("anyOf")
        if any_of:
            good = next((result for result in any_of if not result), None)
            if good is None:
                found.add(Finding(f"{quoted} must validate at least one schema (anyOf)"))
            found.merge(_best(any_of) if good is None else good)
        one_of = tried("oneOf")
        if one_of:
            fitting = [result for result in one_of if not result]
            if len(fitting) == 1:
                found.merge(fitting[0])
            else:
                count = f"{len(fitting)} valid alternatives" if fitting else "none valid"
                text = f"{quoted} must validate one and only one schema (oneOf). Found {count}"
                found.add(Finding(text))
                if not fitting:
                    found.merge(_best(one_of))
        all_of = tried("allOf")
        for result in all_of:
            found.merge(result)
        if any(all_of):
            none = ". None validated" if all(all_of) else ""
            found.add(Finding(f"{quoted} must validate all the schemas (allOf){none}"))
        forbidden = schema_at(schema, "not")
        if forbidden is not None and not self._check(forbidden, value, path, None):
            found.add(Finding(f"{quoted} must not validate the schema (not)"))
        return found

    def _text(self, schema: Schema, value: str, path: str) -> list[Finding]:
        """The first rule of length or pattern that a text breaks."""
        longest, shortest = integer_at(schema, "maxLength"), integer_at(schema, "minLength")
        if longest is not None and len(value) > longest:
            text = f"{path} in body should be at most {longest} chars long"
            return [Finding(text, "too long", path, value, longest)]
        if shortest is not None and len(value) < shortest:
            text = f"{path} in body should be at least {shortest} chars long"
            return [Finding(text, "other", path, value)]
        pattern = text_at(schema, "pattern")
        compiled = self._checks.pattern(pattern) if pattern else None
        if compiled is not None and not compiled.search(value):
            return [Finding(f"{path} in body should match '{pattern}'", "other", path, value)]
        return []

    def _formatted(self, form: str, value: str, path: str) -> list[Finding]:
        check = self._checks.format(form.replace("-", ""))
        return [] if check is None or check(value) else [_mismatch(path, form, value)]

    def _list(
        self, schema: Schema, value: list[Json], path: str, node: Correlated | None
    ) -> Findings:
        found = Findings(held=1)
        items = schema_at(schema, "items")
        if items is not None:
            for at, item in enumerate(value):
                inner = None if node is None else node.item(at)
                found.merge(self._ratcheted(items, item, f"{path}[{at}]", inner))
        fewest, most = integer_at(schema, "minItems"), integer_at(schema, "maxItems")
        if fewest is not None and len(value) < fewest:
            text = f"{path} in body should have at least {fewest} items"
            found.add(Finding(text, "other", path, len(value)))
        if most is not None and len(value) > most:
            text = f"{path} in body should have at most {most} items"
            found.add(Finding(text, "too many", path, len(value), most))
        return found

    def _map(
        self, schema: Schema, value: dict[str, Json], path: str, node: Correlated | None
    ) -> Findings:
        found = Findings()
        fewest, most = integer_at(schema, "minProperties"), integer_at(schema, "maxProperties")
        if fewest is not None and len(value) < fewest:
            text = f"{path} in body should have at least {fewest} properties"
            found.add(Finding(text, "other", path, len(value)))
        if most is not None and len(value) > most:
            text = f"{path} in body should have at most {most} properties"
            found.add(Finding(text, "too many", path, len(value), most))
        named = properties(schema)
        others = schema_at(schema, "additionalProperties")
        for name, item in value.items():
            inner = named.get(name, others)
            if inner is not None:
                # Keys of a map have a dot before them even at the root.
                where = f"{path}.{name}" if path or name not in named else name
                known = None if node is None else node.key(name)
                if path == "" and name in ("apiVersion", "kind"):
                    known = None
                found.merge(self._ratcheted(inner, item, where, known))
        for name in names_at(schema, "required"):
            if name not in value:
                where = f"{path}.{name}"
                found.add(Finding(f"{where} in body is required", "required", where))
        return found


def _types(schema: Schema) -> tuple[str, ...]:
    if flag(schema, INT_OR_STRING):
        return ("integer", "string")
    declared = text_at(schema, "type")
    return (declared,) if declared else ()


def _format(schema: Schema, types: tuple[str, ...]) -> str:
    """The format, where the server knows it for this type."""
    form = text_at(schema, "format")
    kind = types[0] if len(types) == 1 else ""
    if kind == "integer":
        return form if form in ("int32", "int64") else ""
    if kind == "number":
        return form if form in ("float", "double") else ""
    return form if kind in ("", "string") and form.replace("-", "") in FORMATS else ""


def _mismatch(path: str, wanted: str, got: str) -> Finding:
    text = f"{path} in body must be of type {wanted}: {go_quote(got)}"
    return Finding(text, "type", path, got)


def _type_problem(types: tuple[str, ...], form: str, value: Json, path: str) -> list[Finding]:
    """Whether a value that is not null has another type than the schema says."""
    kind = value.__class__
    found = _JSON_TYPES[kind]
    fits = (
        found in types
        or (kind is float and "integer" in types and is_whole(value))
        or (kind is int and "number" in types)
    )
    if fits:
        return []
    textual = kind is str or kind is list
    if form and not textual:
        return [_mismatch(path, form, _GO_FORMATS.get(kind, ""))]
    if form and "integer" not in types and "number" not in types:
        # What has a format of texts is left to the format, and a list passes.
        return []
    return [_mismatch(path, ",".join(types), found)]


def _enum(schema: Schema, value: Json, path: str) -> list[Finding]:
    allowed = schema.get("enum")
    if not isinstance(allowed, list) or not allowed:
        return []
    if any(_is_enum_value(value, item) for item in allowed):
        return []
    text = f"{path} in body should be one of {go_v(allowed)}"
    return [Finding(text, "enum", path, value, allowed=allowed)]


def _is_enum_value(value: Json, wanted: Json) -> bool:
    """Whether Go converts `value` to the type of `wanted` and then finds them equal.

    That cuts 1.5 to 1, and makes of 97 the text "a"; null is never one of the values.
    """
    if value is None or wanted is None:
        return False
    if wanted.__class__ is int and value.__class__ is float:
        return abs(value) < 2**63 and int(value) == wanted
    if wanted.__class__ is float and value.__class__ is int:
        return bool(float(value) == wanted)
    if wanted.__class__ is str and value.__class__ is int:
        known = 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF
        return (chr(value) if known else "\ufffd") == wanted
    return identical(value, wanted)


def _best(results: list[Findings]) -> Findings:
    """The alternative that came closest: the first with the most rules that held."""
    return max(results, key=lambda result: result.held)
