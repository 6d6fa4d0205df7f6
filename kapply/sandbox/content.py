"""Rules for names, labels, keys and ports, answered in the server's words.

Each function returns what is wrong with a value, [] when nothing is (apimachinery's
`util/validation`). kapply.names holds the same rules for people; here the texts count, because
clients compare them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from kapply.values.labels import label_key_errors, label_value_errors

Messages = list[str]
Rule = Callable[[str], Messages]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and"
    " must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or"
    " '.', and must start and end with an alphanumeric character"
)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches."""
    return _compiled(pattern).fullmatch(value) is not None


def max_length(limit: int) -> str:
    """What is said of a value longer than `limit`."""
    return f"must be no more than {limit} characters"


def in_range(low: int, high: int) -> str:
    """What is said of a number outside of a range."""
    return f"must be between {low} and {high}, inclusive"


def regex_error(text: str, pattern: str, *examples: str) -> str:
    """What is said of a value that does not match."""
    if not examples:
        return f"{text} (regex used for validation is '{pattern}')"
    shown = "".join(
        f"{' or ' if position else ''}'{example}', " for position, example in enumerate(examples)
    )
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def dns_label(value: str) -> Messages:
    """RFC 1123 label."""
    errors = [max_length(63)] if len(value) > 63 else []
    if not matches(_LABEL, value):
        if matches(_SUBDOMAIN, value):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_TEXT, _LABEL, "my-name", "123-abc"))
    return errors


def dns_subdomain(value: str) -> Messages:
    """RFC 1123 subdomain."""
    errors = [max_length(253)] if len(value) > 253 else []
    if not matches(_SUBDOMAIN, value):
        errors.append(regex_error(_SUBDOMAIN_TEXT, _SUBDOMAIN, "example.com"))
    return errors


def dns1035_label(value: str) -> Messages:
    """RFC 1035 label, as Service names are."""
    pattern = "[a-z]([-a-z0-9]*[a-z0-9])?"
    errors = [max_length(63)] if len(value) > 63 else []
    if not matches(pattern, value):
        text = (
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start"
            " with an alphabetic character, and end with an alphanumeric character"
        )
        errors.append(regex_error(text, pattern, "my-name", "abc-123"))
    return errors


def wildcard_subdomain(value: str) -> Messages:
    """A subdomain after "*."."""
    pattern = r"\*\." + _SUBDOMAIN
    errors = [max_length(253)] if len(value) > 253 else []
    if not matches(pattern, value):
        text = (
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS"
            " subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and"
            " end with an alphanumeric character"
        )
        errors.append(regex_error(text, pattern, "*.example.com"))
    return errors


def path_segment(value: str) -> Messages:
    """What can be one segment of a URL path: all that CRs and RBAC names are held to."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in value]


label_key: Rule = label_key_errors
label_value: Rule = label_value_errors


def config_key(value: str) -> Messages:
    """A key of a ConfigMap or Secret."""
    pattern = "[-._a-zA-Z0-9]+"
    errors = [max_length(253)] if len(value) > 253 else []
    if not matches(pattern, value):
        text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        errors.append(regex_error(text, pattern, "key.name", "KEY_NAME", "key-name"))
    if value == ".":
        errors.append("must not be '.'")
    elif value == "..":
        errors.append("must not be '..'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return errors


def env_var_name(value: str) -> Messages:
    """The name of an environment variable (relaxed, the default since 1.34)."""
    if not value:
        return ["environment variable name must be non-empty"]
    if any(not (" " <= mark <= "~") or mark == "=" for mark in value):
        return [
            "a valid environment variable name must consist only of printable ASCII characters"
            " other than '='"
        ]
    return []


def c_identifier(value: str) -> Messages:
    """A C identifier."""
    pattern = "[A-Za-z_][A-Za-z0-9_]*"
    if matches(pattern, value):
        return []
    text = (
        "a valid C identifier must start with alphabetic character or '_', followed by a string"
        " of alphanumeric characters or '_'"
    )
    return [regex_error(text, pattern, "my_name", "MY_NAME", "MyName")]


def port_number(value: int) -> Messages:
    """A port."""
    return [] if 1 <= value <= 65535 else [in_range(1, 65535)]


def port_name(value: str) -> Messages:
    """The name of a port (IANA service name)."""
    errors: Messages = []
    if len(value) > 15:
        errors.append(max_length(15))
    if not matches("[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value and "-" in (value[0], value[-1]):
        errors.append("must not begin or end with a hyphen")
    return errors


def percent(value: str) -> Messages:
    """A percentage."""
    if matches("[0-9]+%", value):
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(text, "[0-9]+%", "1%", "93%")]


def http_header_name(value: str) -> Messages:
    """The name of an HTTP header."""
    pattern = "[-A-Za-z0-9]+"
    if matches(pattern, value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_error(text, pattern, "X-Header-Name")]
