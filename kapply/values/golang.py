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
    shown: str = encode_basestring(_characters(text))
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
        return _characters(value)
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
                out.append(f"{_characters(key)}:")
            break
        else:
            return "".join(out)


def _characters(text: str) -> str:
    """Text without halves of characters, which JSON can name and no stream takes."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _printed(value: Any) -> str:
    if isinstance(value, str):
        return _characters(value)
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


_UNQUOTED = {
    "a": 7,
    "b": 8,
    "f": 12,
    "n": 10,
    "r": 13,
    "t": 9,
    "v": 11,
    "\\": 92,
}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


def unquote(quoted: str) -> str:
    r"""The text of a string literal in double or single quotes (strconv.UnquoteChar).

    Bytes that are no text (`\xff`) become U+FFFD. Raises ValueError for a literal that is none.
    """
    mark, inside = quoted[0], quoted[1:-1]
    if "\\" not in inside and mark not in inside:
        return inside
    out = bytearray()
    at = 0
    while at < len(inside):
        char = inside[at]
        at += 1
        if char == mark:
            raise ValueError(f"{quoted} is no string literal")
        if char != "\\":
            out += char.encode("utf-8", "surrogatepass")
            continue
        kind = inside[at : at + 1]
        at += 1
        if kind in _UNQUOTED:
            out.append(_UNQUOTED[kind])
        elif kind in _HEX_DIGITS:
            digits = inside[at : at + _HEX_DIGITS[kind]]
            at += _HEX_DIGITS[kind]
            code = _code(digits, 16) if len(digits) == _HEX_DIGITS[kind] else -1
            if code < 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise ValueError(f"{quoted} is no string literal")
            out += bytes([code]) if kind == "x" else chr(code).encode()
        elif kind and kind in "01234567":
            digits = inside[at - 1 : at + 2]
            at += 2
            code = _code(digits, 8) if len(digits) == 3 else -1
            if not 0 <= code <= 255:
                raise ValueError(f"{quoted} is no string literal")
            out.append(code)
        elif kind and kind == mark:
            out += mark.encode()
        else:
            raise ValueError(f"{quoted} is no string literal")
    # A byte that is no text cannot be written to a text stream.
    return out.decode("utf-8", "replace")


def _code(digits: str, base: int) -> int:
    allowed = "01234567" if base == 8 else "0123456789abcdefABCDEF"
    return int(digits, base) if all(digit in allowed for digit in digits) else -1
