"""Why an object is not valid by its schema: every finding, in words, with what to do.

Runs only when the gate has said no. jsonschema finds what is wrong; the words are ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kapply.validation.dialect import prepared, validator_for
from kapply.validation.paths import Path
from kapply.validation.sources import KindSchema
from kapply.validation.suggest import closest

#: No person reads more of one object, and hostile input could make millions.
MAX_FINDINGS = 100
MISSING = "required, but missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in an object.

    Attributes:
        path: the field it is about.
        message: what is wrong, as in Problem.
        hint: what to do, as in Problem.
        at_value: the value is wrong, not the field's name: that is where to point.
    """

    path: Path
    message: str
    hint: str = ""
    at_value: bool = False


def explain(kind: KindSchema, obj: Any) -> list[Finding]:
    """What jsonschema finds wrong with `obj`, at most MAX_FINDINGS, in the object's order.

    Secret values are not quoted. Empty only if the gate and jsonschema disagree.
    """
    secret = kind.gvk.kind == "Secret" and kind.gvk.group == ""
    findings: list[Finding] = []
    try:
        for error in _validator(kind).iter_errors(prepared(kind, obj)):
            for finding in _findings(error, quote=not secret):
                if finding not in findings:
                    findings.append(finding)
            if len(findings) >= MAX_FINDINGS:
                break
    except RecursionError:
        findings.append(Finding((), "is nested too deeply to be checked"))
    return findings


def _validator(kind: KindSchema) -> Any:
    key = f"validator of {kind.gvk}"
    if key not in kind.compiled:
        kind.compiled[key] = validator_for(kind)
    return kind.compiled[key]


def _findings(error: Any, *, quote: bool) -> Iterator[Finding]:
    path: Path = tuple(error.absolute_path)
    keyword, value = error.validator, error.validator_value
    if keyword == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for name in error.instance:
            if name not in error.schema.get("properties", {}):
                yield Finding((*path, name), "unknown field", _unknown_hint(name, known))
    elif keyword in ("required", "x-required"):
        if keyword == "x-required":
            yield Finding(path, MISSING)
            return
        for name in value:
            if name not in error.instance:
                yield Finding((*path, name), MISSING)
    elif keyword == "x-keyed":
        yield Finding(path, f"{MISSING}: items of this list are told apart by it")
    elif keyword == "maxProperties" and value == 0:
        for name in error.instance:
            yield Finding((*path, name), "unknown field")
    elif keyword == "type":
        yield _type_finding(path, value, error.instance, quote=quote)
    elif keyword == "enum":
        yield _enum_finding(path, value, error.instance, quote=quote)
    elif keyword in ("anyOf", "oneOf"):
        yield _alternatives(path, keyword, error, quote=quote)
    else:
        yield Finding(
            path, _plain(keyword, value, error.instance, error.schema, quote=quote), at_value=True
        )


def _unknown_hint(name: str, known: Iterable[str]) -> str:
    near = closest(name, known)
    return f"did you mean {near}?" if near else ""


def _type_finding(path: Path, expected: Any, instance: Any, *, quote: bool) -> Finding:
    kinds = [kind for kind in _as_list(expected) if kind != "null"]
    words = " or ".join(_EXPECTED.get(kind, str(kind)) for kind in kinds)
    message = f"expected {words}, got {describe(instance, quote=quote)}"
    hint = ""
    if kinds == ["string"] and isinstance(instance, bool | int | float) and quote:
        hint = f'write "{_json(instance)}", with the quotes'
    elif isinstance(instance, str) and "string" not in kinds and _reads_as(instance, kinds):
        hint = f"write {instance}, without quotes" if quote else "write it without quotes"
    elif kinds == ["array"] and isinstance(instance, dict):
        hint = 'start each item with "- "'
    elif kinds == ["object"] and isinstance(instance, list):
        hint = 'remove the "- " in front of its fields'
    return Finding(path, message, hint, at_value=True)


def _reads_as(text: str, kinds: list[str]) -> bool:
    if "boolean" in kinds:
        return text in ("true", "false")
    if "integer" in kinds or "number" in kinds:
        digits = text.removeprefix("-")
        return digits.isascii() and digits.isdigit()
    return False


def _enum_finding(path: Path, values: list[Any], instance: Any, *, quote: bool) -> Finding:
    known = [value for value in values if value not in ("", None)]
    names = [value for value in known if isinstance(value, str)]
    listed = ", ".join(value if isinstance(value, str) else _json(value) for value in known)
    near = closest(instance, names) if isinstance(instance, str) else ""
    hint = f"did you mean {near}?" if near else ""
    return Finding(
        path, f"{describe(instance, quote=quote)} is not one of {listed}", hint, at_value=True
    )


def _alternatives(path: Path, keyword: str, error: Any, *, quote: bool) -> Finding:
    required = [
        tuple(part.get("required", ())) for part in error.validator_value if part.get("required")
    ]
    if len(required) == len(error.validator_value) and isinstance(error.instance, dict):
        listed = " or ".join(" and ".join(names) for names in required)
        if keyword == "oneOf":
            given = [names for names in required if all(name in error.instance for name in names)]
            if len(given) > 1:
                both = " and ".join(" and ".join(names) for names in given)
                return Finding(path, f"{both} cannot stand together: give one of {listed}")
        return Finding(path, f"needs {listed}")
    types = [kind for part in error.validator_value for kind in _as_list(part.get("type", []))]
    context = list(error.context)
    if types and context and all(each.validator == "type" for each in context):
        return _type_finding(path, types, error.instance, quote=quote)
    deepest = max(context, key=lambda each: len(each.absolute_path), default=None)
    if deepest is not None and len(deepest.absolute_path) > len(path):
        first = next(_findings(deepest, quote=quote))
        return Finding(first.path, first.message, first.hint, first.at_value)
    words = "more than one" if keyword == "oneOf" and not context else "none"
    return Finding(
        path,
        f"{describe(error.instance, quote=quote)} fits {words} of the allowed forms",
        at_value=True,
    )


def _plain(
    keyword: str, value: Any, instance: Any, schema: Mapping[str, Any], *, quote: bool
) -> str:
    shown = describe(instance, quote=quote)
    if keyword == "x-check":
        return f"{shown} is not {_CHECK_WORDS.get(value, f'in the format {value}')}"
    if keyword == "x-pattern":
        return f"{shown} does not match the pattern {value}"
    if keyword == "x-unique-keys":
        names = " and ".join(value)
        return f"another item has the same {names}"
    if keyword == "uniqueItems":
        return f"{shown} is in the list twice"
    if keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return f"{shown} is out of range: must be {_RANGE[keyword]} {value}"
    if keyword in _SIZES:
        word, unit = _SIZES[keyword]
        size = len(instance)
        return f"has {size} {unit}, must have at {word} {value}"
    if keyword == "multipleOf":
        return f"{shown} is not a multiple of {value}"
    if keyword == "not":
        return f"{shown} is a value that the schema rules out"
    return f"{shown} is not valid ({keyword})"


def describe(value: Any, *, quote: bool = True) -> str:
    """A value as a person would name it: the number 5, the string "x", a mapping."""
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return f"the boolean {_json(value)}" if quote else "a boolean"
    if isinstance(value, str):
        if not quote:
            return "a string"
        return _json(value if len(value) <= 60 else value[:57] + "...")
    return f"the number {_json(value)}" if quote else "a number"


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except ValueError:
        return "(a number of thousands of digits)"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


_EXPECTED = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_CHECK_WORDS = {
    "quantity": 'a quantity (like 500m, "0.5", 64Mi or 2Gi)',
    "byte": "base64",
    "date-time": "a time (like 2026-01-31T12:00:00Z)",
    "micro-time": "a time with microseconds (like 2026-01-31T12:00:00.000000Z)",
    "duration": "a duration (like 1h30m)",
}
_RANGE = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "greater than",
    "exclusiveMaximum": "less than",
}
_SIZES = {
    "minLength": ("least", "characters"),
    "maxLength": ("most", "characters"),
    "minItems": ("least", "items"),
    "maxItems": ("most", "items"),
    "minProperties": ("least", "entries"),
    "maxProperties": ("most", "entries"),
}
