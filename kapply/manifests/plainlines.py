"""The plain block style that nearly all manifests are written in, read line by line. Pure.

libyaml's events cost a Python object each; in this style a line says all there is to know, and
most lines have been seen before. Whatever is not of the style below (an anchor, a tag, a flow
mapping, an escape, a key that YAML takes for a boolean, anything that is wrong) ends the attempt,
and the whole document is left to libyaml and the builder: there is no error here, and no
reading that they would not give.

The style: mappings with one key a line, lists of scalars and mappings, plain scalars and quoted
ones without escapes that end on their line, literal blocks (|), {} and lists of simple scalars
in brackets, comments.
"""

from __future__ import annotations

import re
from typing import Any

from kapply.manifests.scalars import KEYS, VALUES, Odd

_LINE = re.compile(
    r"( *)(- +)?(?:([A-Za-z_][\w./-]*|\"[^\"\\]*\"|'[^']*'):(?: +|\Z))?(.*)\Z", re.A | re.S
).match
#: A plain scalar may start with these, or with a dash or colon in front of something else.
_FIRST = re.compile(r"[A-Za-z0-9_./+$(^<;=~\\]|[-:][^ ]", re.A).match
_DOUBLE = re.compile(r'"([^"\\]*)" *(?:(?<= )#.*)?\Z').match
_SINGLE = re.compile(r"'([^']*)' *(?:(?<= )#.*)?\Z").match
_ITEM = r"(?:[\w./=-]+|\"[^\"\\]*\"|'[^']*')"
_FLOW = re.compile(rf"\[ *(?:{_ITEM} *(?:, *{_ITEM} *)*)?\]\Z", re.A).match
_FLOW_ITEM = re.compile(_ITEM, re.A).findall
_LONGEST_KEY = 1000
_DEEPEST = 5000

# What stands behind the key or the dash.
_NOTHING, _SCALAR, _BLOCK, _MAPPING, _LIST, _SKIP = range(6)

#: Indentation, what the dash adds to it (0: no dash), key or None, and one of the above with
#: the scalar, the chomping or the list's items.
_Parsed = tuple[int, int, "str | None", int, Any]


def read_plain(body: str) -> tuple[Any, int, int] | None:
    """The mapping that a document in the plain style holds, with the line and column it starts.

    None where the text is not of the style, is empty, or is no mapping.
    """
    if not body.replace("\n", "").isprintable() and not (
        "\t" in body and body.replace("\n", "").replace("\t", "").isprintable()
    ):
        return None
    lines = body.split("\n")
    if not lines[-1]:
        lines.pop()
    count = len(lines)
    at = 0
    if body.startswith("---"):
        if lines[0][3:].strip(" ")[:1] not in ("", "#") or lines[0][3:4] not in ("", " "):
            return None
        at = 1
    memo = _LINES
    root: dict[str, Any] = {}
    cur: Any = None
    here = -1
    key = ""
    pending = False
    start = (0, 0)
    stack: list[tuple[Any, int]] = []
    while at < count:
        parsed = memo[lines[at]]
        if parsed is None:
            return None
        at += 1
        indent, offset, name, kind, value = parsed
        if kind == _SKIP:
            continue
        if pending:
            pending = False
            if indent > here or (offset and indent == here):
                stack.append((cur, here))
                if len(stack) > _DEEPEST:
                    return None
                inner: Any = [] if offset else {}
                cur[key] = inner
                cur, here = inner, indent
            else:
                cur[key] = None
        elif cur is None:
            if offset:
                return None
            cur, here, start = root, indent, (at - 1, indent)
        if indent != here:
            # Text that is deeper goes on with the scalar above: not of the style.
            while indent < here:
                if not stack:
                    return None
                cur, here = stack.pop()
            if indent != here:
                return None
        if offset:
            if cur.__class__ is not list:
                return None
            if name is not None:
                item: dict[str, Any] = {}
                cur.append(item)
                stack.append((cur, here))
                cur, here = item, indent + offset
        elif cur.__class__ is list:
            # A list that is not indented below its key ends with the next key.
            cur, here = stack.pop()
            if here != indent or cur.__class__ is list:
                return None
        if kind == _NOTHING:
            if name is None or name in cur:
                return None
            key, pending = name, True
            continue
        if kind == _BLOCK:
            block = _read_block(lines, at, here, value)
            if block is None:
                return None
            value, at = block
        elif kind == _LIST:
            value = list(value)
        elif kind == _MAPPING:
            value = {}
        if name is None:
            cur.append(value)
        elif name in cur:
            return None
        else:
            cur[name] = value
    if cur is None:
        return None
    if pending:
        cur[key] = None
    return root, start[0], start[1]


def _read_block(lines: list[str], at: int, here: int, chomping: str) -> tuple[str, int] | None:
    """A literal block's text, and the index of the first line behind it."""
    if at >= len(lines):
        return None
    first = lines[at]
    indent = len(first) - len(first.lstrip(" "))
    if indent <= here or indent == len(first) or first[indent] == "\t":
        return None
    margin = " " * indent
    content = []
    while at < len(lines):
        line = lines[at]
        if line.startswith(margin):
            rest = line[indent:]
            if rest and not rest.strip(" "):
                return None
            content.append(rest)
        elif line.strip(" "):
            break
        else:
            content.append("")
        at += 1
    empty = 0
    while not content[-1]:
        content.pop()
        empty += 1
    text = "\n".join(content)
    if chomping == "-":
        return text, at
    return text + "\n" * (1 + empty if chomping == "+" else 1), at


class _LineMemo(dict[str, "_Parsed | None"]):
    """Lines to what they say; None for one that is not of the style. Bounded."""

    __slots__ = ()

    def __missing__(self, line: str) -> _Parsed | None:
        parsed = _parse_line(line)
        if len(self) < 20000 and len(line) <= 100:
            self[line] = parsed
        return parsed


_LINES = _LineMemo()


def _parse_line(line: str) -> _Parsed | None:
    match = _LINE(line)
    if match is None or "\t" in line:
        return None
    spaces, dash, key, rest = match.groups()
    indent = len(spaces)
    offset = len(dash) if dash else 0
    if not rest or rest[0] == "#":
        if key is None:
            return (indent, 0, None, _SKIP, None) if not offset else None
        kind, value = _NOTHING, None
    else:
        found = _parse_rest(rest)
        if found is None:
            return None
        kind, value = found
    if key is None:
        return (indent, offset, None, kind, value) if offset else None
    if len(key) > _LONGEST_KEY:
        return None
    if key[0] in "\"'":
        return indent, offset, key[1:-1], kind, value
    name = KEYS[key]
    return (indent, offset, name, kind, value) if isinstance(name, str) else None


def _parse_rest(rest: str) -> tuple[int, Any] | None:
    """What stands behind the key or dash: a kind, and what goes with it."""
    first = rest[0]
    if first == '"':
        match = _DOUBLE(rest)
        return (_SCALAR, match.group(1)) if match else None
    if first == "'":
        match = _SINGLE(rest)
        return (_SCALAR, match.group(1)) if match else None
    text = rest.rstrip(" ")
    if first == "|":
        return (_BLOCK, text[1:]) if text in ("|", "|-", "|+") else None
    if first == "{":
        return (_MAPPING, None) if text == "{}" else None
    if first == "[":
        return _parse_flow(text)
    if _FIRST(rest) is None:
        return None
    comment = text.find(" #")
    if comment >= 0:
        text = text[:comment].rstrip(" ")
    if ": " in text or text[-1] == ":":
        return None
    return _scalar(text)


def _parse_flow(text: str) -> tuple[int, Any] | None:
    if _FLOW(text) is None:
        return None
    items = []
    for item in _FLOW_ITEM(text):
        if item[0] in "\"'":
            items.append(item[1:-1])
            continue
        if _FIRST(item) is None:
            return None
        found = _scalar(item)
        if found is None:
            return None
        items.append(found[1])
    return _LIST, tuple(items)


def _scalar(text: str) -> tuple[int, Any] | None:
    value = VALUES[text]
    if isinstance(value, Odd):
        if not value.question or value.warning or value.error:
            return None
        value = value.value
    return _SCALAR, value
