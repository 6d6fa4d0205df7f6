"""Bounds of numbers, by the rules of kube-openapi's number validator.

A bound is a float, whatever the schema wrote. Whole numbers are compared with the bound cut to a
whole number; a bound that is none where the type is integer is itself a finding.
"""

from __future__ import annotations

import struct

from kapply.merge.gotext import go_v
from kapply.merge.jsonvalue import go_float
from kapply.merge.structural.findings import Finding, Findings
from kapply.merge.structural.keywords import Schema, flag, number_at

_INT32 = (-(2**31), 2**31 - 1)
_INT64 = (-(2**63), 2**63 - 1)
_SAFE = 2**53 - 1


def number_findings(
    value: int | float, schema: Schema, types: tuple[str, ...], form: str, path: str
) -> Findings:
    """Which bounds of the schema a number breaks."""
    found = Findings(held=1)
    # Only one type leaves no doubt which range is meant.
    kind = types[0] if len(types) == 1 and types[0] in ("integer", "number") else ""
    found.add(*_range(value, kind, form, "Checked", path))
    factor = number_at(schema, "multipleOf")
    if factor is not None:
        bad = _range(factor, kind, form, "MultipleOf", path)
        found.add(*bad, *_multiple(float(value) if bad else value, factor, path))
    for keyword, exclusive, prefix in (
        ("minimum", "exclusiveMinimum", "Minimum boundary"),
        ("maximum", "exclusiveMaximum", "Maximum boundary"),
    ):
        bound = number_at(schema, keyword)
        if bound is not None:
            bad = _range(bound, kind, form, prefix, path)
            number = float(value) if bad else value
            found.add(*bad, *_bound(number, bound, keyword, flag(schema, exclusive), path))
    return found


def is_whole(value: float) -> bool:
    """Whether a float stands for an integer that JSON numbers can hold."""
    if not -_SAFE <= value <= _SAFE:
        return False
    whole = round(value)
    return value == whole or (whole != 0 and abs(value - whole) < 1e-9 * abs(whole))


def _range(value: int | float, kind: str, form: str, prefix: str, path: str) -> list[Finding]:
    """Whether the type can hold a number at all."""
    if kind == "integer":
        low, high = _INT32 if form == "int32" else _INT64
        text = go_float(value) if isinstance(value, float) else str(value)
        whole = not any(mark in text for mark in ".e")
        fits = whole and low <= int(text) <= high
    else:
        fits = form != "float" or _is_float32(value)
    if fits:
        return []
    said = f"format {form}" if form else ""
    suffix = f"with {said}" if said else "(default format)"
    return [Finding(f"{prefix} value must be of type {kind} {suffix} in {path}")]


def _is_float32(value: int | float) -> bool:
    try:
        struct.pack("<f", value)
    except OverflowError:
        return False
    return True


def _multiple(value: int | float, factor: float, path: str) -> list[Finding]:
    step: int | float = int(factor) if isinstance(value, int) else factor
    if step <= 0:
        text = f"factor MultipleOf declared for {path} must be positive: {go_v(step)}"
        return [Finding(text, "other", path, step)]
    if isinstance(value, int):
        good = value % step == 0
    else:
        good = is_whole(1 / step * value if step < 1 else value / step)
    if good:
        return []
    text = f"{path} in body should be a multiple of {go_v(step)}"
    return [Finding(text, "other", path, value)]


def _bound(
    value: int | float, bound: float, keyword: str, exclusive: bool, path: str
) -> list[Finding]:
    limit: int | float = int(bound) if isinstance(value, int) else bound
    beyond = value < limit if keyword == "minimum" else value > limit
    if not beyond and not (exclusive and value == limit):
        return []
    word = "greater than" if keyword == "minimum" else "less than"
    relation = word if exclusive else f"{word} or equal to"
    return [Finding(f"{path} in body should be {relation} {go_v(limit)}", "other", path, value)]
