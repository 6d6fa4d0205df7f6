"""Label keys and values: their rules, in the API server's words (apimachinery, IsLabelKey)."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LENGTH = 63
MAX_PREFIX_LENGTH = 253

_NAME_FORM = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE_FORM = f"({_NAME_FORM})?"
_DNS_FORM = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_FORM = rf"{_DNS_FORM}(\.{_DNS_FORM})*"

_NAME = re.compile("[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")

_NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_VALUE_RULE = f"a valid label must be an empty string or {_NAME_RULE.removeprefix('must ')}"
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
    "'-' or '.', and must start and end with an alphanumeric character"
)


def label_key_errors(key: str) -> list[str]:
    """What is wrong with a label key ("app", "example.com/app"); empty when it is valid.

    Annotation keys follow the same rule, in lower case.
    """
    *prefixes, name = key.split("/")
    if len(prefixes) > 1:
        return [
            f"a valid label key {_rule(_NAME_RULE, _NAME_FORM, ('MyName', 'my.name', '123-abc'))}"
            " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    errors: list[str] = []
    if prefixes:
        prefix = prefixes[0]
        if not prefix:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend(f"prefix part {error}" for error in subdomain_errors(prefix))
    if not name:
        errors.append("name part must be non-empty")
    elif _size(name) > MAX_LENGTH:
        errors.append(f"name part must be no more than {MAX_LENGTH} bytes")
    if not _NAME.fullmatch(name):
        rule = _rule(_NAME_RULE, _NAME_FORM, ("MyName", "my.name", "123-abc"))
        errors.append(f"name part {rule}")
    return errors


def label_value_errors(value: str) -> list[str]:
    """What is wrong with a label value; empty when it is valid, as the empty value is."""
    errors: list[str] = []
    if _size(value) > MAX_LENGTH:
        errors.append(f"must be no more than {MAX_LENGTH} bytes")
    if value and not _NAME.fullmatch(value):
        errors.append(_rule(_VALUE_RULE, _VALUE_FORM, ("MyValue", "my_value", "12345")))
    return errors


def subdomain_errors(value: str) -> list[str]:
    """What is wrong with a lower-case RFC 1123 subdomain ("example.com")."""
    errors: list[str] = []
    if _size(value) > MAX_PREFIX_LENGTH:
        errors.append(f"must be no more than {MAX_PREFIX_LENGTH} bytes")
    if len(value) > 10 * MAX_PREFIX_LENGTH or not _SUBDOMAIN.fullmatch(value):
        errors.append(_rule(_SUBDOMAIN_RULE, _SUBDOMAIN_FORM, ("example.com",)))
    return errors


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _rule(rule: str, form: str, examples: Sequence[str]) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{rule} (e.g. {shown}regex used for validation is '{form}')"
