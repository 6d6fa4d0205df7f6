"""JSON files: the standard library's decoder where all is well, parse events where it is not.

Kubernetes reads a stream of JSON objects with Go's decoder, and turns to YAML where that fails
within the first two. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from kapply.manifests.scalars import json_value
from kapply.manifests.text import Finding, LineCounter, Mark, UnreadableError

_INT64 = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SPACE = " \t\n\r"
_TOKEN = re.compile(
    r"[ \t\n\r]*(?:([{}\[\],:])|(\")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
    r"|(true|false|null))"
)


class OddJsonError(Exception):
    """JSON that is well-formed, but has something in it that has to be told."""


class JsonSyntaxError(UnreadableError):
    """Text that is not JSON."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise OddJsonError
    return result


def _integer(text: str) -> int:
    if len(text) > 19 or not -_INT64 <= (number := int(text)) < _INT64:
        raise OddJsonError
    return number


def _float(text: str) -> Any:
    number = float(text)
    if number - number != 0:
        raise OddJsonError
    return json_value(number)


def _constant(text: str) -> Any:
    raise ValueError(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_constant,
)


def decode_json(text: str, start: int) -> tuple[Any, int]:
    """The value that starts at `start` (after blanks), and where it ends.

    Raises:
        ValueError: this is not JSON.
        OddJsonError: it is, but a key is given twice, a number does not fit, a surrogate stands
            alone or it is nested very deep: json_events tells.
    """
    try:
        value, end = _DECODER.raw_decode(text, skip_blanks(text, start))
    except RecursionError:
        raise OddJsonError from None
    if text.find("\\u", start, end) >= 0 and _ESCAPED_SURROGATE.search(text, start, end):
        raise OddJsonError
    return value, end


def skip_blanks(text: str, start: int) -> int:
    """The index of the first character from `start` on that is no blank."""
    while start < len(text) and text[start] in _SPACE:
        start += 1
    return start


def json_events(text: str, start: int, column: int = 0) -> Iterator[Any]:
    """The value at `start` as YAML parse events.

    Lines of the marks count from that of `start`, which stands in `column`; indices are those
    of the whole text. The last but one is a DocumentEndEvent just behind the value.

    Raises:
        JsonSyntaxError: the text is not JSON.
        UnreadableError: it has a number beyond float64.
    """
    from yaml import events as yaml_events

    events: Any = yaml_events
    lines = LineCounter(text, start, 0, column)
    mark = lines.mark(start)
    yield events.StreamStartEvent(mark, mark)
    yield events.DocumentStartEvent(mark, mark)
    at = start
    closers: list[str] = []
    expect = "value"  # value, first (value or end), key, first key, colon, next
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            at = skip_blanks(text, at)
            raise _fail(lines.mark(at), _wanted(expect, closers))
        index = match.start(match.lastindex or 0)
        mark = lines.mark(index)
        symbol, quote, number, _word = match.groups()
        at = match.end()
        end_of = closers[-1] if closers else ""
        if symbol and symbol == end_of and expect in ("first", "first key", "next"):
            closers.pop()
            made = events.MappingEndEvent if symbol == "}" else events.SequenceEndEvent
            yield made(mark, mark)
        elif expect == "colon" and symbol == ":":
            expect = "value"
            continue
        elif expect == "next" and symbol == ",":
            expect = "key" if end_of == "}" else "value"
            continue
        elif expect in ("key", "first key") and quote:
            content, at = _string(text, at, lines)
            yield events.ScalarEvent(None, None, (False, True), content, mark, mark, style='"')
            expect = "colon"
            continue
        elif expect in ("value", "first") and quote:
            content, at = _string(text, at, lines)
            yield events.ScalarEvent(None, None, (False, True), content, mark, mark, style='"')
        elif expect in ("value", "first") and symbol in ("{", "["):
            if symbol == "{":
                yield events.MappingStartEvent(None, None, True, mark, mark)
                closers.append("}")
                expect = "first key"
            else:
                yield events.SequenceStartEvent(None, None, True, mark, mark)
                closers.append("]")
                expect = "first"
            continue
        elif expect in ("value", "first") and not symbol:
            if number and (value := float(number)) - value != 0:
                raise UnreadableError(
                    Finding("this number is beyond float64", mark.line, mark.column)
                )
            content = match.group(match.lastindex or 0)
            yield events.ScalarEvent(None, None, (True, False), content, mark, mark, style="")
        else:
            raise _fail(mark, _wanted(expect, closers))
        if not closers:
            break
        expect = "next"
    end = lines.mark(at)
    yield events.DocumentEndEvent(end, end)
    yield events.StreamEndEvent(end, end)


def _string(text: str, at: int, lines: LineCounter) -> tuple[str, int]:
    try:
        content, end = scanstring(text, at, True)
    except ValueError as error:
        place = getattr(error, "pos", at)
        message = str(getattr(error, "msg", "bad string")).lower().removesuffix(" at")
        if text[place : place + 1] in ("", "\n"):
            message = "this string is not closed on its line"
        raise _fail(lines.mark(min(max(place, at - 1), len(text))), message) from None
    if _SURROGATE.search(content):
        content = _SURROGATE.sub("\ufffd", content)
    return content, end


def _wanted(expect: str, closers: list[str]) -> str:
    if expect == "colon":
        return "expected : after the key"
    if expect == "next":
        return f"expected , or {closers[-1]}"
    if expect in ("key", "first key"):
        return "expected a key in double quotes"
    return "expected a JSON value"


def _fail(mark: Mark, message: str) -> JsonSyntaxError:
    return JsonSyntaxError(Finding(message, mark.line, mark.column))


def json_error(text: str, start: int, column: int = 0) -> Finding:
    """What is wrong with the JSON at `start`; lines as in json_events."""
    try:
        for _ in json_events(text, start, column):
            pass
    except UnreadableError as error:
        return error.finding
    return Finding("this is not JSON", 0, column)
