"""JSON values to JSON text as kubectl -o json prints them, however deep they are. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")
#: What Go's encoding/json escapes beyond JSON's own rules.
_GO_ESCAPES = re.compile("[<>&\u2028\u2029]")


def to_json(value: Any, *, sort_keys: bool = False, indent: int = 4) -> str:
    """A JSON value as text, without a line end.

    Args:
        value: dicts with str keys, lists, str, int, float, bool and None; nested at will.
        sort_keys: by code points, as Go does.
        indent: blanks per level; 0 puts all on one line, without blanks.
    """
    out: list[str] = []
    # What is open: the items left, and what closes it.
    stack: list[tuple[Iterator[Any], str]] = []
    node: Any = value
    while True:
        if isinstance(node, dict) and node:
            out.append("{")
            items = sorted(node.items()) if sort_keys else node.items()
            stack.append((iter(items), "}"))
            first = True
        elif isinstance(node, list) and node:
            out.append("[")
            stack.append((iter(node), "]"))
            first = True
        else:
            out.append(_scalar(node))
            first = False
        while stack:
            iterator, closer = stack[-1]
            entry: Any = next(iterator, stack)
            if entry is not stack:
                break
            stack.pop()
            out.append(_line(indent, len(stack)) + closer)
            first = False
        else:
            return "".join(out)
        out.append(("" if first else ",") + _line(indent, len(stack)))
        if closer == "}":
            key, node = entry
            out.append(_text(key) + (": " if indent else ":"))
        else:
            node = entry


def _line(indent: int, depth: int) -> str:
    return "\n" + " " * (indent * depth) if indent else ""


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json_number(value)
    return "{}" if isinstance(value, dict) else "[]"


def _text(text: str) -> str:
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    quoted = json.dumps(text, ensure_ascii=False)
    return _GO_ESCAPES.sub(_escape, quoted)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def json_number(number: float) -> str:
    """A number as Go's encoding/json writes it: exponents only below 1e-6 and from 1e21 on."""
    if isinstance(number, int) and abs(number) < 10**21:
        return str(number)
    sign, digits, exponent = Decimal(repr(float(number))).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("JSON has no infinities and no NaN")
    minus = "-" if sign else ""
    text = "".join(map(str, digits))
    point = len(text) + exponent
    if text == "0":
        return minus + "0"
    if not -6 < point <= 21:
        power = point - 1
        return f"{minus}{text[0]}{'.' * (len(text) > 1)}{text[1:]}e{power:+d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{text}"
    if point >= len(text):
        return minus + text + "0" * (point - len(text))
    return f"{minus}{text[:point]}.{text[point:]}"
