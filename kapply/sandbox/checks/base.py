"""The collector that every check writes to, and the checks that many kinds share."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kapply.query.selectors import SelectorError, label_selector
from kapply.sandbox import content, fielderr, objectmeta
from kapply.sandbox.fielderr import Errors, FieldError
from kapply.values.quantity import Quantity

__all__ = ["Checks", "Found", "Object", "is_empty", "items", "mapping", "matches", "number_of"]

Object = Mapping[str, Any]
NEGATIVE = "must be greater than or equal to 0"
POSITIVE = "must be greater than zero"
MODE = "must be a number between 0 and 0777 (octal), both inclusive"
IMMUTABLE = "field is immutable"
_MAX_INT32 = 2**31 - 1


def items(obj: Object, name: str) -> Sequence[Any]:
    """The list at a field; () when it is not set."""
    found: Sequence[Any] = obj.get(name) or ()
    return found


def mapping(obj: Object, name: str) -> Object:
    """The mapping at a field; {} when it is not set."""
    found: Object = obj.get(name) or {}
    return found


class Checks:
    """The checks of a kind; this one has none.

    Objects are canonical JSON in their storage version, their metadata checked already.
    """

    def create(self, found: Found, obj: Object) -> None:
        """What is wrong with a new object."""

    def update(self, found: Found, new: Object, old: Object) -> None:
        """What is wrong with an object that replaces another."""
        self.create(found, new)

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        """What is wrong with an object after a write to a subresource."""

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """What to warn of."""
        return []


class Found(list[FieldError]):
    """The errors found so far.

    Those that the server finds by rules in its schema are told after all others: `declared`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._declared: Found | None = None

    @property
    def declared(self) -> Found:
        """The errors of rules in the schema."""
        if self._declared is None:
            self._declared = Found()
        return self._declared

    def required(self, path: str, detail: str = "") -> None:
        """The field must have a value."""
        self.append(fielderr.required(path, detail))

    def invalid(self, path: str, value: Any, *texts: str) -> None:
        """The value breaks one or more rules."""
        self.extend(fielderr.invalid(path, value, text) for text in texts)

    def forbidden(self, path: str, detail: str) -> None:
        """The field may not be set."""
        self.append(fielderr.forbidden(path, detail))

    def unsupported(self, path: str, value: Any, allowed: Iterable[str]) -> None:
        """The value is none of those that are there."""
        self.append(fielderr.not_supported(path, value, list(allowed)))

    def duplicate(self, path: str, value: Any) -> None:
        """The value must be unique."""
        self.append(fielderr.duplicate(path, value))

    def missing(self, path: str, value: Any) -> None:
        """The value names something that is not there."""
        self.append(fielderr.missing(path, value))

    # -- values -------------------------------------------------------------------------------

    def one_of(self, path: str, value: Any, allowed: Sequence[str]) -> None:
        """The value must be one of these."""
        if value not in allowed:
            self.unsupported(path, value, allowed)

    def needed_one_of(self, path: str, value: Any, allowed: Sequence[str]) -> None:
        """The value must be set, to one of these."""
        if not value:
            self.required(path)
        else:
            self.one_of(path, value, allowed)

    def label(self, path: str, value: str) -> None:
        """A DNS label."""
        self.invalid(path, value, *content.dns_label(value))

    def subdomain(self, path: str, value: str) -> None:
        """A DNS subdomain."""
        self.invalid(path, value, *content.dns_subdomain(value))

    def qualified(self, path: str, value: str) -> None:
        """A label key."""
        self.invalid(path, value, *content.label_key(value))

    def labels(self, path: str, found: Mapping[str, Any] | None) -> None:
        """A mapping of labels."""
        self.extend(objectmeta.labels(found, path))

    def not_negative(self, path: str, value: Any) -> None:
        """A number, where it is set, must not be below 0."""
        if (value or 0) < 0:
            self.invalid(path, value, NEGATIVE)

    def counts(self, path: str, obj: Object, *names: str) -> None:
        """Fields that, where they are set, must not be below 0."""
        for name in names:
            self.not_negative(f"{path}.{name}" if path else name, obj.get(name))

    def positive(self, path: str, value: Any) -> None:
        """A number must be above 0."""
        if (value or 0) <= 0:
            self.invalid(path, value or 0, POSITIVE)

    def port(self, path: str, value: int) -> None:
        """A port number."""
        self.invalid(path, value, *content.port_number(value))

    def port_or_name(self, path: str, value: int | str) -> None:
        """A port, by number or name."""
        if isinstance(value, int):
            self.port(path, value)
        else:
            self.invalid(path, value, *content.port_name(value))

    def count_or_percent(self, path: str, value: int | str | None) -> None:
        """A number or a percentage, not negative."""
        if isinstance(value, str):
            self.invalid(path, value, *content.percent(value))
        else:
            self.not_negative(path, value)

    def at_most_hundred(self, path: str, value: Any) -> None:
        """A percentage of more than everything makes no sense."""
        if isinstance(value, str) and value[:-1].isdigit() and int(value[:-1]) > 100:
            self.invalid(path, value, "must not be greater than 100%")

    def quantity_not_negative(self, path: str, text: str) -> None:
        """A quantity must not be below 0."""
        if Quantity.parse(text).sign < 0:
            self.invalid(path, text, NEGATIVE)

    def user_id(self, path: str, value: int | None) -> None:
        """A user or group id."""
        if value is not None and not 0 <= value <= _MAX_INT32:
            self.invalid(path, value, content.in_range(0, _MAX_INT32))

    def no_backsteps(self, path: str, value: str) -> None:
        """A path must not climb."""
        if ".." in value.split("/"):
            self.invalid(path, value, "must not contain '..'")

    def local_path(self, path: str, value: str, *, reserved: bool = False) -> None:
        """A relative path that stays below where it starts."""
        if value.startswith("/"):
            self.invalid(path, value, "must be a relative path")
        self.no_backsteps(path, value)
        if reserved and value.startswith("..") and ".." not in value.split("/"):
            self.invalid(path, value, "must not start with '..'")

    def mode(self, path: str, value: int | None) -> None:
        """File permissions."""
        if value is not None and not 0 <= value <= 0o777:
            self.invalid(path, value, MODE)

    def ip(self, path: str, value: str) -> None:
        """An IP address."""
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            text = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
            if _leading_zeros(value):
                text = "must not have leading 0s"
            self.invalid(path, value, text)
            return
        if getattr(address, "ipv4_mapped", None):
            self.invalid(path, value, "must not be an IPv4-mapped IPv6 address")

    def cidr(self, path: str, value: str) -> None:
        """A network."""
        try:
            if "/" not in value:
                raise ValueError
            network = ipaddress.ip_interface(value)
        except ValueError:
            text = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            self.invalid(path, value, text)
            return
        if network.ip != network.network.network_address:
            self.invalid(path, value, "must not have bits set beyond the prefix length")

    def immutable(self, path: str, new: Any, old: Any) -> None:
        """The field may not change."""
        if new != old:
            self.invalid(path, new, IMMUTABLE)

    # -- shared types -------------------------------------------------------------------------

    def selector(self, path: str, selector: Object | None, *, values: bool = True) -> None:
        """A label selector."""
        if selector is None:
            return
        self.labels(f"{path}.matchLabels", selector.get("matchLabels"))
        for index, term in enumerate(items(selector, "matchExpressions")):
            self._requirement(f"{path}.matchExpressions[{index}]", term)

    def _requirement(self, path: str, term: Object) -> None:
        operator, given = term.get("operator") or "", items(term, "values")
        if operator in ("In", "NotIn"):
            if not given:
                text = "must be specified when `operator` is 'In' or 'NotIn'"
                self.required(f"{path}.values", text)
        elif operator in ("Exists", "DoesNotExist"):
            if given:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                self.forbidden(f"{path}.values", text)
        else:
            self.invalid(f"{path}.operator", operator, "not a valid selector operator")
        self.qualified(f"{path}.key", term.get("key") or "")
        for index, value in enumerate(given):
            self.invalid(f"{path}.values[{index}]", value, *content.label_value(value))

    def as_errors(self) -> Errors:
        """The errors as a plain list."""
        return [*self, *(self._declared or ())]


def _leading_zeros(value: str) -> bool:
    parts = value.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts)


def matches(selector: Object | None, labels: Mapping[str, str]) -> bool | None:
    """Whether a label selector matches; None when it cannot be read."""
    try:
        return label_selector(selector or {}).matches(labels)
    except SelectorError:
        return None


def number_of(value: int | str | None) -> int:
    """A count, or the number before the percent sign."""
    if isinstance(value, str):
        digits = value.removesuffix("%")
        return int(digits) if digits.isascii() and digits.isdigit() else 0
    return value or 0


def is_empty(selector: Object | None) -> bool:
    """Whether a label selector has no terms."""
    return not selector or not (selector.get("matchLabels") or selector.get("matchExpressions"))
