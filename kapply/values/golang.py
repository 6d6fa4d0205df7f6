"""Values as Go prints them, where kubectl's output or an error of the server shows it.

`dumps` is encoding/json's Marshal and MarshalIndent (keys sorted, `<`, `>` and `&` escaped),
`sprint` is fmt.Sprint of decoded JSON ("map[a:1]", "<nil>"), `quote` is strconv.Quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any

from kapply.values.numbers import is_int64, json_float, print_float

# Characters that encoding/json escapes and Python's encoder does not.
_HTML = re.compile("[<>&\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_QUOTE_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
_QUOTE_SHORT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def json_string(text: str) -> str:
    """A JSON string as encoding/json writes it."""
    shown: str = encode_basestring(text)
    if not shown.isascii():
        shown = _SURROGATE.sub("\ufffd", shown)
    return _HTML.sub(lambda match: f"\\u{ord(match[0]):04x}", shown)


def dumps(value: Any, indent: str = "") -> str:
    """Decoded JSON as encoding/json writes it, without a line end.

    Args:
        value: dicts, lists, strings, numbers, booleans and None, however deep.
        indent: for each level; "" for the compact form.

    Raises:
        ValueError: a float that JSON cannot hold.
    """
    out: list[str] = []
    newline = "\n" if indent else ""
    colon = ": " if indent else ":"
    # A frame is the members still to write, what closes the collection, and its depth.
    frames: list[tuple[Iterator[Any], str, bool]] = []
    pending: Any = value
    while True:
        if isinstance(pending, dict) and pending:
            out.append("{")
            frames.append((iter(sorted(pending.items())), "}", True))
            first = True
        elif isinstance(pending, (list, tuple)) and pending:
            out.append("[")
            frames.append((iter(pending), "]", False))
            first = True
        else:
            out.append(_scalar(pending))
            first = False
        while frames:
            members, close, is_mapping = frames[-1]
            try:
                member = next(members)
            except StopIteration:
                frames.pop()
                out.append(f"{newline}{indent * len(frames)}{close}")
                first = False
                continue
            separator = "" if first else ","
            out.append(f"{separator}{newline}{indent * len(frames)}")
            if is_mapping:
                key, pending = member
                out.append(json_string(key) + colon)
            else:
                pending = member
            break
        else:
            return "".join(out)


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return json_string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if is_int64(value) else json_float(float(value))
    if isinstance(value, float):
        return json_float(value)
    return "{}" if isinstance(value, dict) else "[]"


def sprint(value: Any) -> str:
    """Decoded JSON as fmt.Sprint prints it: text bare, maps as `map[key:value]` by sorted key."""
    if isinstance(value, str):
        return value
    out: list[str] = []
    frames: list[Iterator[Any]] = []
    pending: Any = value
    while True:
        if isinstance(pending, dict):
            out.append("map[")
            frames.append(iter(sorted(pending.items())))
            first = True
        elif isinstance(pending, (list, tuple)):
            out.append("[")
            frames.append(iter((None, item) for item in pending))
            first = True
        else:
            out.append(_printed(pending))
            first = False
        while frames:
            member = next(frames[-1], None)
            if member is None:
                frames.pop()
                out.append("]")
                first = False
                continue
            if not first:
                out.append(" ")
            key, pending = member
            if key is not None:
                out.append(f"{key}:")
            break
        else:
            return "".join(out)


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and is_int64(value):
        return str(value)
    return print_float(float(value))


def quote(text: str) -> str:
    """A Go string literal (%q): what cannot be printed is escaped."""
    return f'"{_QUOTE_UNSAFE.sub(_quote_char, text)}"'


def _quote_char(match: re.Match[str]) -> str:
    char = match[0]
    if char in _QUOTE_SHORT:
        return _QUOTE_SHORT[char]
    code = ord(char)
    if code >= 0x80 and char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
