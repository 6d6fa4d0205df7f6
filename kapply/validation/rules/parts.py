"""The words that type rules are written in: what a field needs, its range, its form.

Each returns a rule for objects of one type. A value that is absent or null passes, unless the
part is about that.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.explain import describe
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, text, texts
from kapply.validation.suggest import closest

#: A rule looks at one object of a type that its schema accepts, at `path` in the whole.
TypeRule = Callable[[JsonObject, Path, Report], None]
#: "" when the text is fine, else what it must be.
Check = Callable[[str], str]

MAX_INT32 = 2**31 - 1
MAX_PORT = 65535
_PORT_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_PERCENT = re.compile(r"[0-9]+%", re.ASCII)


def about(field: str, rule: TypeRule) -> TypeRule:
    """Mark a rule that says nothing where `field` is absent or null, so that it is left out."""
    rule.__dict__["about"] = field
    return rule


def field_of(rule: TypeRule) -> str:
    """The one field that a rule is about; "" for rules that are always asked."""
    return str(getattr(rule, "about", ""))


def needs(*fields: str, why: str = "") -> TypeRule:
    """The fields must be there and not empty ("", [], {})."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        for name in fields:
            found = value.get(name)
            if found is None or found == "" or found == [] or found == {}:
                report.missing((*path, name), why)

    return rule


def between(field: str, low: int, high: int) -> TypeRule:
    """A whole number's range, both ends included."""
    if high == MAX_INT32 and low in (0, 1):
        words = "must not be negative" if low == 0 else "must be at least 1"
    else:
        words = f"must be between {low} and {high}"

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        number = value.get(field)
        if number is not None and not low <= number <= high:
            report.add((*path, field), f"{describe(number)} is out of range: {words}")

    return about(field, rule)


def not_negative(*fields: str) -> TypeRule:
    """Whole numbers of 0 and more."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        for field in fields:
            number = value.get(field)
            if number is not None and number < 0:
                report.add((*path, field), f"{describe(number)} must not be negative")

    return rule


def port(field: str) -> TypeRule:
    """A port number, which must be there."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        if not value.get(field):
            report.missing((*path, field))
        elif not 1 <= value[field] <= MAX_PORT:
            report.add((*path, field), f"{value[field]} is no port: must be between 1 and 65535")

    return rule


def port_or_name(field: str, *, optional: bool = False) -> TypeRule:
    """A port number, or the name of one."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if found is None or (optional and found in ("", 0)):
            if not optional:
                report.missing((*path, field))
        elif isinstance(found, str):
            if wrong := port_name(found):
                report.add((*path, field), f'"{found}" {wrong}')
        elif not 1 <= found <= MAX_PORT:
            report.add((*path, field), f"{found} is no port: must be between 1 and 65535")

    return rule


@lru_cache(2048)
def port_name(name: str) -> str:
    """An IANA service name: at most 15 of a-z, 0-9 and single dashes, one letter at least."""
    if len(name) > 15:
        return "must be at most 15 characters"
    if not _PORT_NAME.fullmatch(name):
        return "may hold only a-z, 0-9 and single dashes between them"
    return "" if re.search("[a-z]", name) else "must hold a letter"


def form(field: str, check: Check) -> TypeRule:
    """A text that has a form, unless it is empty."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if found and (wrong := check(found)):
            report.add((*path, field), f'"{found}" {wrong}')

    return about(field, rule)


def form_if_given(field: str, check: Check) -> TypeRule:
    """A text that has a form when it is given, even if it is empty."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if found is not None and (wrong := check(found)):
            report.add((*path, field), f'"{found}" {wrong}')

    return about(field, rule)


def forms(field: str, check: Check) -> TypeRule:
    """A list of texts that each have a form."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        for index, found in enumerate(texts(value, field)):
            if wrong := check(found):
                report.add((*path, field, index), f'"{found}" {wrong}')

    return about(field, rule)


def choice(
    field: str, *values: str, empty: bool = True, why: str = "", hidden: Collection[str] = ()
) -> TypeRule:
    """A text out of a few; `empty` says whether "" means not given. `hidden` is not suggested."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if found is None or (empty and found == "") or found in values or found in hidden:
            return
        near = closest(found, values)
        report.add(
            (*path, field),
            f'"{found}" is not one of {", ".join(values)}{why}',
            f"did you mean {near}?" if near else "",
        )

    return about(field, rule)


def one_of(*fields: str, what: str, required: bool = True) -> TypeRule:
    """Exactly one of several fields (at most one when not `required`)."""
    known = frozenset(fields)

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        given = [name for name, each in value.items() if each is not None and name in known]
        if len(given) == 1:
            return
        given.sort(key=fields.index)
        if not given and required:
            report.add(path, f"needs {what}: one of {', '.join(fields)}", at_value=False)
        for name in given[1:]:
            report.add((*path, name), f"only one {what} may be given, {given[0]} is another")

    return rule


def forbidden(*fields: str, why: str) -> TypeRule:
    """Fields that must not be given here."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        for name in fields:
            found = value.get(name)
            if found is not None and found != [] and found is not False and found != "":
                report.add((*path, name), f"may not be set: {why}", at_value=False)

    return rule


def both(*rules: TypeRule) -> TypeRule:
    """Several rules as one."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        for each in rules:
            each(value, path, report)

    return rule


def no_backsteps(path: str) -> str:
    """A path without `..` in it."""
    return "may not hold .." if ".." in path.split("/") else ""


def relative_path(path: str) -> str:
    """A path that stays where it starts: relative, without `..`."""
    return "must be a relative path" if path.startswith("/") else no_backsteps(path)


def local_path(path: str) -> str:
    """A relative path that does not start with two dots."""
    return relative_path(path) or ("may not start with .." if path.startswith("..") else "")


def absolute_path(path: str) -> str:
    """A path from the root."""
    return "" if path.startswith("/") else "must be an absolute path"


def ip_address(address: str) -> str:
    """An IP address; leading zeros were once allowed and still are."""
    plain = re.sub(r"\b0+(?=[0-9])", "", address) if "." in address else address
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return "is no IP address"
    return "is no IP address" if "%" in address else ""


def cidr(text: str) -> str:
    """A network in CIDR notation."""
    address, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdigit() or ip_address(address):
        return "is no network in CIDR notation (like 10.0.0.0/8)"
    bits = 128 if ":" in address else 32
    return "" if int(length) <= bits else f"has a prefix longer than {bits} bits"


def host_name(host: str) -> str:
    """A DNS name, whose first part may be *."""
    if "*" in host:
        rest = host.removeprefix("*.")
        return (
            "may hold * only as its whole first part, like *.example.com"
            if "*" in rest or not host.startswith("*.")
            else names.dns_subdomain(rest)
        )
    return names.dns_subdomain(host)


def domain_prefixed_path(value: str) -> str:
    """DOMAIN/PATH, as managers and finalizers of controllers are named."""
    domain, slash, path = value.partition("/")
    if not slash or not domain or not path:
        return 'must be a domain and a path, like "example.com/name"'
    if wrong := names.dns_subdomain(domain):
        return f"has a domain that {wrong}"
    return "" if re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", path) else "has an odd path"


def int_or_percent(field: str) -> TypeRule:
    """A count, or a percentage."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if isinstance(found, str):
            if not _PERCENT.fullmatch(found):
                report.add(
                    (*path, field), f'"{found}" is neither a number nor a percentage like 25%'
                )
        elif found is not None and found < 0:
            report.add((*path, field), f"{found} must not be negative")

    return about(field, rule)


def percent_of(value: Any) -> int:
    """The number in a count or percentage; 0 for what is neither."""
    if isinstance(value, str):
        return int(value[:-1]) if _PERCENT.fullmatch(value) else 0
    return int(value) if isinstance(value, int | float) else 0


def at_most_100_percent(field: str) -> TypeRule:
    """A percentage of the whole."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        found = value.get(field)
        if isinstance(found, str) and percent_of(found) > 100:
            report.add((*path, field), f'"{found}" may not be more than 100%')

    return about(field, rule)


def unique(field: str, key: str) -> TypeRule:
    """A list whose items differ in `key`, where they have one."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        seen: set[str] = set()
        for index, item in enumerate(items(value, field)):
            name = text(item, key)
            if name and name in seen:
                report.add((*path, field, index, key), f'"{name}" is there twice')
            seen.add(name)

    return about(field, rule)
