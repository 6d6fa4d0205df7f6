"""One text to its documents' values, as kubectl's decoder goes through a file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yaml.error import YAMLError
from yaml.events import DocumentEndEvent, StreamEndEvent

from kapply.manifests.builder import Builder, TooManyAliasesError, check_aliases
from kapply.manifests.events import is_stricter, open_events, unreadable
from kapply.manifests.jsontext import (
    HugeNumberError,
    OddJsonError,
    decode_json,
    json_error,
    skip_blanks,
)
from kapply.manifests.text import (
    Chunk,
    Finding,
    UnreadableError,
    chunks,
    line_at,
    place_of,
    refuse_marks,
)


@dataclass(slots=True)
class Reading:
    """What one document's text gave.

    Attributes:
        chunk: the text it was read from.
        value: its JSON value; None too where `problems` kept it from being read.
        line: where the value starts, from 0 in the file.
        column: the same, from 0.
        problems: why it is not to be used.
        warnings: what to tell about it.
    """

    chunk: Chunk
    value: Any
    line: int
    column: int
    problems: list[Finding]
    warnings: list[Finding]


_ESCAPE = re.compile(r"\\(.)", re.S)
#: How far kubectl looks for the brace that makes a file JSON.
_GUESS = 4096


def read(text: str, *, pure: bool = False, json_only: bool = False) -> Iterator[Reading]:
    """Every document of a normalised text, empty ones too (their value is None).

    Args:
        text: as text.decode or text.normalise give it.
        pure: read YAML by PyYAML's Python parser in place of libyaml.
        json_only: the file's name says that it is JSON: errors are worded for that.
    """
    start = 0
    if text[:_GUESS].lstrip()[:1] == "{":
        count = 0
        while (start := skip_blanks(text, start)) < len(text):
            try:
                value, end = decode_json(text, start)
                line, column = place_of(text, start)
                reading = Reading(
                    Chunk(text, start, end, 0, json=True), value, line, column, [], []
                )
            except OddJsonError:
                odd = _odd_json(text, start)
                if odd is None:
                    break
                reading = odd
                end = reading.chunk.end
            except ValueError:
                # kubectl turns to YAML here, unless more than one object was JSON.
                finding = json_error(text, start)
                if finding is None or (count <= 1 and not json_only):
                    break
                if count <= 1 and _yaml_reads(text, start, pure=pure):
                    break
                yield _failed(Chunk(text, start, len(text), 0, json=True), finding)
                return
            yield reading
            if not end:
                return
            count += 1
            start = end
        else:
            return
        newline = text.find("\n", start)
        if newline >= 0 and not text[start : newline + 1].strip():
            start = newline + 1
    yield from _read_yaml(text, start, pure=pure)


def _yaml_reads(text: str, start: int, *, pure: bool) -> bool:
    return not any(reading.problems for reading in _read_yaml(text, start, pure=pure))


def _odd_json(text: str, start: int) -> Reading | None:
    """A JSON value with something to tell about it; None if it is no JSON after all.

    The end of its chunk is 0 where reading cannot go on behind it.
    """
    chunk = Chunk(text, start, 0, 0, json=True)
    builder = Builder(tags=False, anchors=False)
    try:
        _, value = builder.build(open_events(chunk))
    except HugeNumberError as error:
        return _failed(chunk, *builder.problems, error.finding)
    except UnreadableError as error:
        if json_error(text, start) is not None:
            return None
        return _failed(chunk, *builder.problems, error.finding)
    chunk.end = builder.end.end_mark.index
    mark = builder.mark
    return _finish(chunk, builder, value, mark.line, mark.column)


def _failed(chunk: Chunk, *problems: Finding) -> Reading:
    return Reading(chunk, None, problems[0].line, problems[0].column, list(problems), [])


def _read_yaml(text: str, start: int, *, pure: bool) -> Iterator[Reading]:
    line = place_of(text, start)[0] if start else 0
    for piece in chunks(text, start, line):
        if isinstance(piece, Finding):
            yield _failed(Chunk(text, 0, 0, piece.line), piece)
            continue
        rest: Chunk | None = piece
        while rest is not None:
            reading, rest = read_chunk(rest, pure=pure)
            yield reading


def read_chunk(chunk: Chunk, *, pure: bool = False) -> tuple[Reading, Chunk | None]:
    """The first document of a chunk, and the chunk of what follows it, if something does."""
    if chunk.text.startswith("\ufeff", chunk.start):
        chunk.start += 1
    body = chunk.body()
    builder = Builder(tags="!" in body, anchors="&" in body, body=body)
    rest: Chunk | None = None
    try:
        if "\ufeff" in body:
            refuse_marks(body)
        try:
            get = open_events(chunk, pure=pure)
            try:
                found, value = builder.build(get)
            except TooManyAliasesError:
                check_aliases(open_events(chunk, pure=pure))
                builder = Builder(tags=True, anchors=True, body=body, aliases_counted=True)
                get = open_events(chunk, pure=pure)
                found, value = builder.build(get)
            if not found:
                return Reading(chunk, None, chunk.line, 0, [], []), None
            if builder.end.explicit or type(get()) is not StreamEndEvent:
                rest = _after(chunk, body, builder)
        except YAMLError as error:
            if not pure and is_stricter(error, body):
                return read_chunk(chunk, pure=True)
            raise unreadable(error, body) from None
    except UnreadableError as error:
        finding = error.finding
        problems = [*_moved(builder.problems, chunk.line), *_moved([finding], chunk.line)]
        return _failed(chunk, *problems), None
    if "\\/" in body:
        builder.problems += _slash_escapes(chunk, body, pure=pure)
    if builder.questions:
        builder.problems += _flow_questions(chunk, pure=pure)
    mark = builder.mark
    return _finish(chunk, builder, value, mark.line + chunk.line, mark.column), rest


def _moved(findings: list[Finding], lines: int) -> list[Finding]:
    for finding in findings:
        finding.line += lines
        finding.also = tuple((line + lines, column) for line, column in finding.also)
    return findings


def _finish(chunk: Chunk, builder: Builder, value: Any, line: int, column: int) -> Reading:
    problems, warnings = builder.problems, builder.warnings
    if problems or warnings:
        _moved(problems, chunk.line)
        _moved(warnings, chunk.line)
        _add_first_keys(chunk, problems)
    return Reading(chunk, value, line, column, problems, warnings)


def _add_first_keys(chunk: Chunk, problems: list[Finding]) -> None:
    """Where the first of two equal keys stands."""
    twice = [problem for problem in problems if problem.message.endswith("is given twice")]
    if twice:
        from kapply.manifests.positions import locate_all

        found = locate_all(chunk, [problem.path for problem in twice])
        for problem in twice:
            if problem.path in found:
                problem.also = (found[problem.path],)


def _after(chunk: Chunk, body: str, builder: Builder) -> Chunk | None:
    """What follows the first document of a chunk: kubectl drops it, kapply reads it."""
    event = builder.end
    index = event.end_mark.index
    if not event.explicit:
        # A line of --- that only YAML takes for one (behind a bare CR).
        line, _ = place_of(body, index)
        return Chunk(chunk.text, chunk.start + index, chunk.end, chunk.line + line)
    line, _ = place_of(body, index)
    tail = line_at(body[index:], 0)
    if tail.strip() and not tail.lstrip().startswith("#"):
        raise UnreadableError(
            Finding("text after ... on the same line", line, event.end_mark.column)
        )
    index += len(tail) + 1
    if not any(
        text.strip() and not text.lstrip().startswith("#") for text in body[index:].splitlines()
    ):
        return None
    return Chunk(chunk.text, chunk.start + index, chunk.end, chunk.line + line + 1)


def _flow_questions(chunk: Chunk, *, pure: bool) -> list[Finding]:
    """Question marks in plain scalars in flow context: libyaml takes them, go-yaml does not."""
    from yaml.events import CollectionEndEvent, CollectionStartEvent, ScalarEvent

    found: list[Finding] = []
    get = open_events(chunk, pure=pure)
    flow: list[bool] = [False]
    while True:
        event: Any = get()
        if isinstance(event, DocumentEndEvent):
            return found
        if isinstance(event, CollectionStartEvent):
            flow.append(bool(event.flow_style))
        elif isinstance(event, CollectionEndEvent):
            flow.pop()
        elif isinstance(event, ScalarEvent) and flow[-1] and not event.style:
            text: Any = event.value
            mark: Any = event.start_mark
            if "?" in text:
                found.append(
                    Finding(
                        "? ends a plain scalar in [] and {}",
                        mark.line,
                        mark.column,
                        hint="quote it",
                    )
                )


def _slash_escapes(chunk: Chunk, body: str, *, pure: bool) -> list[Finding]:
    """Slashes escaped in double quotes: libyaml takes them, go-yaml refuses them."""
    from yaml.events import ScalarEvent

    found: list[Finding] = []
    get = open_events(chunk, pure=pure)
    while True:
        event: Any = get()
        kind = type(event)
        if kind is DocumentEndEvent:
            return found
        if kind is ScalarEvent and event.style == '"':
            first, last = event.start_mark.index, event.end_mark.index
            for escape in _ESCAPE.finditer(body, first, last):
                if escape.group(1) == "/":
                    line, column = place_of(body, escape.start())
                    found.append(Finding("unknown escape \\/ in double quotes", line, column))
                    break
