"""One text to its documents' values, as kubectl's decoder goes through a file. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yaml.error import YAMLError
from yaml.events import StreamEndEvent

from kapply.manifests.aliases import check_aliases
from kapply.manifests.builder import Builder, TooManyAliasesError
from kapply.manifests.events import is_stricter, open_events, unreadable
from kapply.manifests.jsontext import (
    JsonSyntaxError,
    OddJsonError,
    decode_json,
    json_error,
    skip_blanks,
)
from kapply.manifests.plainlines import read_plain
from kapply.manifests.text import (
    Chunk,
    Finding,
    LineCounter,
    UnreadableError,
    chunks,
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


#: Each document behind ... without --- is parsed from there on, so they have to be few.
_MAX_END_MARKS = 100
_TEXT = re.compile(r"^[ \t]*[^\s#]", re.M)
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
        for reading in _read_json(text, pure=pure, json_only=json_only):
            if isinstance(reading, int):
                start = reading
                break
            yield reading
        else:
            return
        newline = text.find("\n", start)
        if newline >= 0 and not text[start : newline + 1].strip():
            start = newline + 1
    yield from _read_yaml(text, start, pure=pure)


def _read_json(text: str, *, pure: bool, json_only: bool) -> Iterator[Reading | int]:
    """JSON values one after the other; last, where kubectl turns to YAML, that index."""
    lines = LineCounter(text, 0, 0)
    start = count = 0
    while (start := skip_blanks(text, start)) < len(text):
        mark = lines.mark(start)
        chunk = Chunk(text, start, start, mark.line, json=True, column=mark.column)
        try:
            value, chunk.end = decode_json(text, start)
            reading: Reading | None = Reading(chunk, value, mark.line, mark.column, [], [])
        except OddJsonError:
            reading = _odd_json(chunk)
        except ValueError:
            reading = None
        if reading is None:
            # No JSON. kubectl turns to YAML here, unless it has seen more than one object.
            if count <= 1 and (
                not json_only or not any(r.problems for r in _read_yaml(text, start, pure=pure))
            ):
                yield start
                return
            finding = json_error(text, start, mark.column)
            yield _failed(chunk, *_moved([finding], chunk.line))
            return
        yield reading
        if chunk.end == start:
            return
        start = chunk.end
        count += 1


def _odd_json(chunk: Chunk) -> Reading | None:
    """A JSON value with something to tell about it; None if it is no JSON after all.

    The chunk's end stays its start where reading cannot go on behind it.
    """
    builder = Builder("")
    try:
        _, value = builder.build(open_events(chunk))
    except JsonSyntaxError:
        return None
    except UnreadableError as error:
        return _failed(chunk, *_moved([*builder.problems, error.finding], chunk.line))
    chunk.end = builder.end.end_mark.index
    mark = builder.mark
    return _finish(chunk, builder, value, mark.line + chunk.line, mark.column)


def _failed(chunk: Chunk, *problems: Finding) -> Reading:
    return Reading(chunk, None, problems[0].line, problems[0].column, list(problems), [])


def _read_yaml(text: str, start: int, *, pure: bool) -> Iterator[Reading]:
    line = place_of(text, start)[0] if start else 0
    for piece in chunks(text, start, line):
        if piece.wrong is not None:
            yield _failed(piece, piece.wrong)
            continue
        reading, rest = read_chunk(piece, pure=pure)
        yield reading
        count = 0
        while rest is not None:
            count += 1
            if count > _MAX_END_MARKS:
                text = "too many documents that only ... separates"
                hint = "put --- between documents"
                yield _failed(rest, Finding(text, rest.line, 0, hint=hint))
                break
            reading, rest = read_chunk(rest, pure=pure)
            yield reading


def read_chunk(chunk: Chunk, *, pure: bool = False) -> tuple[Reading, Chunk | None]:
    """The first document of a chunk, and the chunk of what follows it, if something does."""
    if chunk.text.startswith("\ufeff", chunk.start):
        chunk.start += 1
    body = chunk.body()
    plain = read_plain(body)
    if plain is not None:
        return Reading(chunk, plain[0], plain[1] + chunk.line, plain[2], [], []), None
    builder = Builder(body)
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
                builder = Builder(body, aliases_counted=True)
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
            place, exact = found[problem.path]
            if exact and place != (problem.line, problem.column):
                problem.also = (place,)


def _after(chunk: Chunk, body: str, builder: Builder) -> Chunk | None:
    """What follows the first document of a chunk: kubectl drops it, kapply reads it."""
    event = builder.end
    index = event.end_mark.index
    if not event.explicit:
        # A line of --- that only YAML takes for one (behind a bare CR).
        line, _ = place_of(body, index)
        return Chunk(chunk.text, chunk.start + index, chunk.end, chunk.line + line)
    line, _ = place_of(body, index)
    end = body.find("\n", index)
    tail = body[index:end]
    if tail.strip() and not tail.lstrip().startswith("#"):
        raise UnreadableError(
            Finding("text after ... on the same line", line, event.end_mark.column)
        )
    index += len(tail) + 1
    if _TEXT.search(body, index) is None:
        return None
    return Chunk(chunk.text, chunk.start + index, chunk.end, chunk.line + line + 1)
