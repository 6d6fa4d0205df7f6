"""What containers ask for: resources, their limits, and references to them (core/validation)."""

from __future__ import annotations

from functools import lru_cache

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, mapping, text
from kapply.values.quantity import Quantity

_ENV_RESOURCES = (
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
)
_STANDARD_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_UNITS = ("", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_BYTE_DIVISORS = frozenset(f"1{unit}" for unit in _UNITS)
_HUGE = "hugepages-"


def resources(value: JsonObject, path: Path, report: Report) -> None:
    """Limits and requests: their names, their amounts, and that no request is over its limit."""
    limits, requests = mapping(value, "limits"), mapping(value, "requests")
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            where = (*path, field, name)
            if wrong := resource_name(name):
                report.add(where, f'"{name}" {wrong}', at_value=False)
            quantity = Quantity.from_json(amount)
            if quantity.sign < 0:
                report.add(where, f'"{amount}" must not be negative')
            elif _whole(name) and quantity.exponent < 0:
                report.add(where, f'"{amount}" must be a whole number')
            elif name.startswith(_HUGE):
                _huge_pages(name, quantity, where, report)
    for name, amount in requests.items():
        limit = limits.get(name)
        if name not in limits:
            if not may_overcommit(name):
                report.missing((*path, "limits", name), "a request for it needs a limit")
            continue
        wanted, most = Quantity.from_json(amount), Quantity.from_json(limit)
        if wanted > most:
            report.add((*path, "requests", name), f'"{amount}" is more than the limit "{limit}"')
        elif wanted < most and not may_overcommit(name):
            report.add((*path, "requests", name), f'"{amount}" must equal the limit "{limit}"')
    given = limits.keys() | requests.keys()
    if any(name.startswith(_HUGE) for name in given) and not given & {"cpu", "memory"}:
        report.add(path, "huge pages need cpu or memory beside them", at_value=False)


@lru_cache(1024)
def resource_name(name: str) -> str:
    """A resource that a container may ask for: standard, huge pages, or DOMAIN/NAME."""
    if wrong := names.qualified_name(name):
        return wrong
    if "/" not in name:
        if name in _STANDARD_RESOURCES or name.startswith(_HUGE):
            return ""
        return "is no resource of containers: cpu, memory, ephemeral-storage or DOMAIN/NAME"
    if _native(name):
        return ""
    if name.startswith("requests."):
        return "may not start with requests."
    return names.qualified_name(f"requests.{name}")


def _native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def may_overcommit(name: str) -> bool:
    """Whether the limit of a resource may be more than the request."""
    return _native(name) and not name.startswith(_HUGE)


def _whole(name: str) -> bool:
    return not _native(name)


def _huge_pages(name: str, quantity: Quantity, where: Path, report: Report) -> None:
    try:
        page = Quantity.parse(name.removeprefix(_HUGE))
        size, amount = page.scaled(), quantity.scaled()
    except (ValueError, OverflowError):
        return
    if size <= 0 or amount % size:
        report.add(where, f"must be a multiple of the page size {name.removeprefix(_HUGE)}")


def resource_field(value: JsonObject, path: Path, report: Report) -> None:
    """A resourceFieldRef: which resource, and a divisor that is a unit of it."""
    resource = text(value, "resource")
    if not resource:
        report.missing((*path, "resource"))
        return
    huge = resource.startswith((f"limits.{_HUGE}", f"requests.{_HUGE}"))
    if resource not in _ENV_RESOURCES and not huge:
        report.add((*path, "resource"), f'"{resource}" is not one of {", ".join(_ENV_RESOURCES)}')
    divisor = value.get("divisor")
    if divisor is None:
        return
    amount = Quantity.from_json(divisor)
    if amount.sign == 0:
        return
    allowed = frozenset({"1m", "1"}) if resource.endswith(".cpu") else _BYTE_DIVISORS
    if (resource in _ENV_RESOURCES or huge) and amount.canonical not in allowed:
        report.add((*path, "divisor"), f'"{divisor}" is no unit that {resource} can be given in')
