"""JSON values as Go prints them: the server's messages quote values by %v, %q, %T and %#v."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.merge.jsonvalue import Json, go_float, go_float_v


def go_quote(text: str) -> str:
    """A string as Go's %q prints it."""
    return '"' + "".join(_quoted(char) for char in text) + '"'


_QUOTED = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip


def _quoted(char: str) -> str:
    known = _QUOTED.get(char)
    if known:
        return known
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_GO_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


def go_type(value: Json) -> str:
    """The Go type of a decoded value, as %T and reflect.Type print it."""
    return _GO_TYPES.get(value.__class__, "%!s(<nil>)")


def go_v(value: Json) -> str:
    """A value as Go's %v prints it."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is dict:
        return f"map[{' '.join(f'{name}:{go_v(value[name])}' for name in sorted(value))}]"
    if kind is list:
        return f"[{' '.join(map(go_v, value))}]"
    return go_float_v(value) if kind is float else _go_scalar(value, "<nil>")


def go_sharp_v(value: Json) -> str:
    """A value as Go's %#v prints it."""
    kind = value.__class__
    if kind is str:
        return go_quote(value)
    if kind is dict:
        items = ", ".join(f"{go_quote(name)}:{go_sharp_v(value[name])}" for name in sorted(value))
        return f"map[string]interface {{}}{{{items}}}"
    if kind is list:
        return f"[]interface {{}}{{{', '.join(map(go_sharp_v, value))}}}"
    return _go_scalar(value, "interface {}(nil)")


def _go_scalar(value: Json, null: str) -> str:
    if value is None:
        return null
    if value.__class__ is bool:
        return "true" if value else "false"
    return go_float(value, smallest=1e-4) if value.__class__ is float else str(value)
