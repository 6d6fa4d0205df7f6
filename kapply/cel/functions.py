"""The functions that Kubernetes adds to CEL (k8s.io/apiserver pkg/cel/library), in Python.

What the library has no type for (a quantity, an address, a version) is a mapping with one
member, whose value is canonical: CEL's == then compares amounts. An implementation raises
ValueError where Go's would fail or could differ; the rule then counts as not evaluated.

Missing, so that rules with them are left to the server: find and findAll (RE2 in Python),
indexOf of lists, format.*, authorizer, comprehensions with two variables, sortBy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kapply.cel import networks
from kapply.values.quantity import Quantity, QuantityError

_INT64 = range(-(2**63), 2**63)
_QUANTITY = "quantity"
_SEMVER = "semver"


class Overload(NamedTuple):
    """One way to call a function: types by name, the first of a member being its receiver."""

    gives: str
    takes: tuple[str, ...]
    call: Callable[..., Any]
    member: bool = True


def _quantity(text: str) -> Quantity:
    try:
        return Quantity.parse(text)
    except QuantityError as error:
        raise ValueError(str(error)) from None


def _amount(quantity: Quantity) -> dict[str, Any]:
    return {_QUANTITY: f"{quantity.unscaled}e{quantity.exponent}"}


def _read(value: Mapping[str, Any]) -> Quantity:
    unscaled, _, exponent = str(value[_QUANTITY]).partition("e")
    return Quantity.parse(f"{unscaled}e{exponent}")


def _is(parse: Callable[..., Any]) -> Callable[..., bool]:
    def check(*given: Any) -> bool:
        try:
            parse(*given)
        except ValueError:
            return False
        return True

    return check


def _plus(sign: int) -> Callable[..., dict[str, Any]]:
    def add(one: Mapping[str, Any], other: Mapping[str, Any] | int) -> dict[str, Any]:
        left = _read(one)
        right = Quantity.parse(str(other)) if isinstance(other, int) else _read(other)
        lowest = min(left.exponent, right.exponent)
        if max(left.exponent, right.exponent) - lowest > 100:
            raise ValueError("amounts too far apart")
        total = left.unscaled * 10 ** (left.exponent - lowest)
        total += sign * right.unscaled * 10 ** (right.exponent - lowest)
        return _amount(Quantity.parse(f"{total}e{lowest}"))

    return add


def _integer(value: Mapping[str, Any]) -> int:
    quantity = _read(value)
    if quantity.exponent < 0:
        raise ValueError("not a whole number")
    number = quantity.scaled()
    if number not in _INT64:
        raise ValueError("does not fit an int")
    return number


def _compare(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    if _QUANTITY in one and _QUANTITY in other:
        return _read(one).compare(_read(other))
    if _SEMVER in one and _SEMVER in other:
        left, right = _precedence(one[_SEMVER]), _precedence(other[_SEMVER])
        return (left > right) - (left < right)
    raise ValueError("cannot be compared")


_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)


def _semver(text: str, normalize: bool = False) -> dict[str, Any]:
    if normalize:
        core, mark, rest = re.fullmatch(r"v?([^-+]*)([-+]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
        parts = core.split(".")
        if len(parts) < 3 and mark:
            raise ValueError("a short version may have no suffix")
        parts = [part.lstrip("0") or "0" if part else part for part in parts]
        text = ".".join([*parts, *["0"] * (3 - len(parts))]) + mark + rest
    found = _VERSION.fullmatch(text)
    if found is None or any(int(found[group]) >= 2**64 for group in (1, 2, 3)):
        raise ValueError("not a semantic version")
    return {_SEMVER: text}


def _precedence(text: str) -> tuple[Any, ...]:
    found = _VERSION.fullmatch(text)
    assert found is not None
    before = found[4]
    # A version without a pre-release comes after those with one; numbers before words.
    rank: tuple[Any, ...] = (1,)
    if before is not None:
        steps = before.split(".")
        rank = (0, tuple((0, int(s), "") if s.isdigit() else (1, 0, s) for s in steps))
    return (int(found[1]), int(found[2]), int(found[3]), rank)


def _part(group: int) -> Callable[[Mapping[str, Any]], int]:
    def part(version: Mapping[str, Any]) -> int:
        found = _VERSION.fullmatch(version[_SEMVER])
        assert found is not None
        return int(found[group])

    return part


def _comparable(values: list[Any]) -> list[Any]:
    kinds = {type(value) for value in values}
    if len(kinds) > 1 or kinds - {int, float, str, bool, bytes}:
        raise ValueError("cannot be compared")
    return values


def _is_sorted(values: list[Any]) -> bool:
    _comparable(values)
    return all(values[at - 1] <= values[at] for at in range(1, len(values)))


def _sum(values: list[Any]) -> Any:
    if {type(value) for value in values} - {int, float} or len(set(map(type, values))) > 1:
        raise ValueError("cannot be added")
    total: int | float = 0
    for value in values:
        total += value
        if isinstance(total, int) and total not in _INT64:
            raise ValueError("does not fit an int")
    return total


def _distinct(values: list[Any]) -> list[Any]:
    return [value for at, value in enumerate(values) if not _among(value, values[:at])]


def _same(one: Any, other: Any) -> bool:
    # 1 and True are equal to Python alone.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _among(value: Any, values: list[Any]) -> bool:
    return any(_same(value, each) for each in values)


def _contains(values: list[Any], part: list[Any]) -> bool:
    return all(_among(each, values) for each in part)


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(values):
        raise ValueError("out of range")
    return values[start:end]


_LISTS = ("list", "list")

FUNCTIONS: Mapping[str, tuple[Overload, ...]] = {
    "isSorted": (Overload("bool", ("list",), _is_sorted),),
    "sum": (Overload("dyn", ("list",), _sum),),
    "min": (Overload("dyn", ("list",), lambda values: min(_comparable(values))),),
    "max": (Overload("dyn", ("list",), lambda values: max(_comparable(values))),),
    "distinct": (Overload("list", ("list",), _distinct),),
    "slice": (Overload("list", ("list", "int", "int"), _slice),),
    "sort": (Overload("list", ("list",), lambda values: sorted(_comparable(values))),),
    "sets.contains": (Overload("bool", _LISTS, _contains, False),),
    "sets.equivalent": (
        Overload("bool", _LISTS, lambda a, b: _contains(a, b) and _contains(b, a), False),
    ),
    "sets.intersects": (
        Overload("bool", _LISTS, lambda a, b: any(_among(each, b) for each in a), False),
    ),
    "quantity": (Overload("map", ("string",), lambda text: _amount(_quantity(text)), False),),
    "isQuantity": (Overload("bool", ("string",), _is(_quantity), False),),
    "sign": (Overload("int", ("map",), lambda value: _read(value).sign),),
    "isInteger": (Overload("bool", ("map",), _is(_integer)),),
    "asInteger": (Overload("int", ("map",), _integer),),
    "asApproximateFloat": (
        Overload("double", ("map",), lambda value: float(str(value[_QUANTITY]))),
    ),
    "add": (
        Overload("map", ("map", "map"), _plus(1)),
        Overload("map", ("map", "int"), _plus(1)),
    ),
    "sub": (
        Overload("map", ("map", "map"), _plus(-1)),
        Overload("map", ("map", "int"), _plus(-1)),
    ),
    "compareTo": (Overload("int", ("map", "map"), _compare),),
    "isGreaterThan": (Overload("bool", ("map", "map"), lambda a, b: _compare(a, b) > 0),),
    "isLessThan": (Overload("bool", ("map", "map"), lambda a, b: _compare(a, b) < 0),),
    "semver": (
        Overload("map", ("string",), _semver, False),
        Overload("map", ("string", "bool"), _semver, False),
    ),
    "isSemver": (
        Overload("bool", ("string",), _is(_semver), False),
        Overload("bool", ("string", "bool"), _is(_semver), False),
    ),
    "major": (Overload("int", ("map",), _part(1)),),
    "minor": (Overload("int", ("map",), _part(2)),),
    "patch": (Overload("int", ("map",), _part(3)),),
    "ip": (
        Overload("map", ("string",), networks.ip, False),
        Overload("map", ("map",), networks.ip_of),
    ),
    "isIP": (Overload("bool", ("string",), _is(networks.ip), False),),
    "ip.isCanonical": (Overload("bool", ("string",), networks.is_canonical, False),),
    "family": (Overload("int", ("map",), networks.family),),
    **{name: (Overload("bool", ("map",), networks.about(name)),) for name in networks.PREDICATES},
    "cidr": (Overload("map", ("string",), networks.cidr, False),),
    "isCIDR": (Overload("bool", ("string",), _is(networks.cidr), False),),
    "containsIP": (
        Overload("bool", ("map", "map"), networks.contains_ip),
        Overload(
            "bool", ("map", "string"), lambda net, a: networks.contains_ip(net, networks.ip(a))
        ),
    ),
    "containsCIDR": (
        Overload("bool", ("map", "map"), networks.contains_cidr),
        Overload(
            "bool", ("map", "string"), lambda net, a: networks.contains_cidr(net, networks.cidr(a))
        ),
    ),
    "prefixLength": (Overload("int", ("map",), networks.prefix_length),),
    "masked": (Overload("map", ("map",), networks.masked),),
    "url": (Overload("map", ("string",), networks.url, False),),
    "isURL": (Overload("bool", ("string",), networks.is_url, False),),
    **{
        name: (Overload("string", ("map",), networks.url_part(name)),)
        for name in networks.URL_PARTS
    },
}
