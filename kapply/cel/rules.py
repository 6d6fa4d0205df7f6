"""x-kubernetes-validations of a structural schema, applied to an object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kapply.cel.engine import CelError, evaluate, is_available
from kapply.cel.values import Schema, doubtful_names, fields_of, to_cel
from kapply.values.golang import quote, sprint

KEYWORD = "x-kubernetes-validations"
Path = tuple[str | int, ...]
_ABSENT: Any = object()

_LITERAL = re.compile(r'[bBrR]{0,2}(?:"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')', re.DOTALL)
_OLD = re.compile(r"\boldSelf\b")
_STEP = re.compile(r"\.?([^.\[\]']+)|\['((?:[^'\\]|\\.)*)'\]", re.DOTALL)
_MAX_MESSAGE = 5 * 1024
_WORDS = {
    "FieldValueRequired": "Required value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that an object breaks.

    Attributes:
        path: the field: where the rule stands, and its fieldPath below.
        detail: the rule's message.
        reason: FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueDuplicate.
        value: the value that the server quotes; None for objects and lists, which it does not.
    """

    path: Path
    detail: str
    reason: str = "FieldValueInvalid"
    value: Any = None

    @property
    def server_text(self) -> str:
        """The message of the server's Status cause."""
        word = _WORDS.get(self.reason, "Invalid value")
        quoted = ""
        if word.endswith("value") and word != "Required value" and self.value is not None:
            text = quote(self.value) if isinstance(self.value, str) else sprint(self.value)
            quoted = f": {text}"
        if word == "Duplicate value":
            return f"{word}{quoted}"
        return f"{word}{quoted}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A rule that was not evaluated: where it stands in the schema, and why."""

    place: tuple[str, ...]
    rule: str
    why: str


@dataclass(slots=True)
class Found:
    """What the rules of a schema say about an object."""

    violations: list[Violation] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)


def has_rules(schema: Schema) -> bool:
    """Whether there is a rule anywhere in a schema. May raise RecursionError."""
    return bool(schema.get(KEYWORD)) or any(has_rules(part) for _, part in _parts(schema))


def check(schema: Schema, obj: Any, old: Any = None, *, available: bool | None = None) -> Found:
    """Evaluate every rule of a schema.

    Args:
        schema: openAPIV3Schema of one version of a CRD.
        obj: a custom resource that the schema accepts: pruned, with defaults.
        old: what it was before an update, in the same version; None for a create, of which
            transition rules (those with oldSelf) say nothing.
        available: whether to use the library; None means where it is installed.
    """
    run = _Run(is_available() if available is None else available)
    run.visit(schema, obj, _ABSENT if old is None else old, (), (), root=True)
    return run.found


class _Run:
    def __init__(self, available: bool) -> None:
        self.found = Found()
        self._available = available
        self._unknown: set[tuple[tuple[str, ...], str]] = set()

    def visit(
        self,
        schema: Schema,
        value: Any,
        old: Any,
        path: Path,
        place: tuple[str, ...],
        *,
        root: bool = False,
    ) -> None:
        if value is None:
            return
        rules = [rule for rule in schema.get(KEYWORD) or () if isinstance(rule, Mapping)]
        if rules:
            self._rules(rules, schema, value, old, path, place, root=root)
        if isinstance(value, Mapping):
            inner = schema.get("additionalProperties")
            before = old if isinstance(old, Mapping) else {}
            properties = schema.get("properties") or {}
            for key, member in value.items():
                part = properties.get(key, inner)
                if isinstance(part, Mapping):
                    name = key if key in properties else "*"
                    was = before.get(key, _ABSENT)
                    self.visit(part, member, was, (*path, key), (*place, name))
        elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
            for index, member in enumerate(value):
                was = _counterpart(schema, member, old)
                self.visit(schema["items"], member, was, (*path, index), (*place, "[]"))

    def _rules(
        self,
        rules: list[Mapping[str, Any]],
        schema: Schema,
        value: Any,
        old: Any,
        path: Path,
        place: tuple[str, ...],
        *,
        root: bool,
    ) -> None:
        variables: dict[str, Any] = {}
        doubtful = set(doubtful_names(schema)) if self._available else set()
        if root and not (value.get("metadata") or {}).get("name"):
            doubtful.add(("name", "metadata"))
        for rule in rules:
            text = str(rule.get("rule") or "")
            bare = _LITERAL.sub("''", text)
            transition = bool(_OLD.search(bare))
            if not text.strip() or (transition and old is _ABSENT and not _optional(rule)):
                continue
            why = "" if self._available else "no CEL library is installed"
            why = why or _doubt(text, bare, doubtful)
            if not why:
                variables = variables or _variables(schema, value, old, root=root)
                try:
                    holds = evaluate(_bound(text, rule, old), variables)
                except CelError as error:
                    if error.missing_key:
                        # A key that is not there is the server's error too.
                        detail = f"no such key: {error.missing_key} evaluating rule: "
                        detail += str(rule.get("message") or text).strip()
                        kind = schema.get("type") or ""
                        self.found.violations.append(Violation(path, detail, value=kind))
                        continue
                    why = str(error)
                else:
                    if holds is True:
                        continue
                    if holds is False:
                        self.found.violations.append(
                            _violation(rule, text, schema, value, variables, path)
                        )
                        continue
                    why = "the rule gives no bool"
            if (place, text) not in self._unknown:
                self._unknown.add((place, text))
                self.found.unknown.append(Unknown(place, text, why))


def _optional(rule: Mapping[str, Any]) -> bool:
    return rule.get("optionalOldSelf") is True


def _bound(text: str, rule: Mapping[str, Any], old: Any) -> str:
    """The rule as it is evaluated: an optional oldSelf is one value more."""
    if not _optional(rule):
        return text
    inner = "optional.none()" if old is _ABSENT else "optional.of(oldSelf)"
    return f"cel.bind(__old__, {inner}, {_rename_old(text)})"


def _rename_old(text: str) -> str:
    parts = []
    end = 0
    for literal in _LITERAL.finditer(text):
        parts += [_OLD.sub("__old__", text[end : literal.start()]), literal[0]]
        end = literal.end()
    return "".join([*parts, _OLD.sub("__old__", text[end:])])


def _variables(schema: Schema, value: Any, old: Any, *, root: bool) -> dict[str, Any]:
    root = root or bool(schema.get("x-kubernetes-embedded-resource"))
    found = {"self": to_cel(schema, value, root=root)}
    if old is not _ABSENT:
        found["oldSelf"] = to_cel(schema, old, root=root)
    return found


def _doubt(text: str, bare: str, doubtful: set[tuple[str, str]]) -> str:
    """Why the answer could differ from the server's; "" when it cannot."""
    for kind, name in doubtful:
        word = re.escape(name)
        if kind == "name":
            if re.search(r"\bmetadata\b", bare):
                return "the server generates the name"
        elif kind == "time":
            # A field may also be named in brackets, as a text.
            if re.search(rf"\b{word}\b", text):
                return f"{name} is a time or duration"
        elif re.search(rf"\b{word}\s*(==|!=|\+)|(==|!=|\+)\s*[\w.]*\b{word}\b(?!\s*[.\[(])", bare):
            return f"{name} is compared as a set"
    return ""


def _violation(
    rule: Mapping[str, Any],
    text: str,
    schema: Schema,
    value: Any,
    variables: Mapping[str, Any],
    path: Path,
) -> Violation:
    detail = _message(rule, variables) or str(rule.get("message") or "").strip()
    return Violation(
        (*path, *_steps(str(rule.get("fieldPath") or ""))),
        detail or f"failed rule: {text.strip()}",
        str(rule.get("reason") or "FieldValueInvalid"),
        None if schema.get("type") in ("object", "array") else value,
    )


def _message(rule: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    expression = rule.get("messageExpression")
    if not isinstance(expression, str) or not expression.strip():
        return ""
    try:
        message = evaluate(expression, variables)
    except CelError:
        return ""
    message = message.strip() if isinstance(message, str) else ""
    return "" if "\n" in message or len(message) > _MAX_MESSAGE else message


def _steps(text: str) -> Path:
    """A fieldPath, like .spec.replicas or .labels['a.b']."""
    found: list[str] = []
    end = 0
    for step in _STEP.finditer(text):
        if step.start() != end:
            return ()
        end = step.end()
        found.append(step[1] if step[1] is not None else re.sub(r"\\(.)", r"\1", step[2]))
    return tuple(found) if end == len(text) else ()


def _counterpart(schema: Schema, item: Any, old: Any) -> Any:
    """The item that was there before: of list-maps, the one with the same keys."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if not keys or not isinstance(old, list) or not isinstance(item, Mapping):
        return _ABSENT
    wanted = [item.get(key) for key in keys]
    for member in old:
        if isinstance(member, Mapping) and [member.get(key) for key in keys] == wanted:
            return member
    return _ABSENT


def _parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for name, part in fields_of(schema).items():
        if isinstance(part, Mapping):
            yield name, part
    for keyword in ("items", "additionalProperties"):
        inner = schema.get(keyword)
        if isinstance(inner, Mapping):
            yield keyword, inner
