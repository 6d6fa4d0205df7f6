"""One text to its documents' values, as kubectl's decoder goes through a file. Pure.

JSON and the plain style of YAML are read here; what needs libyaml's events (which cost PyYAML's
import) is left to kapply.manifests.slowpath.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kapply.manifests.jsontext import OddJsonError, decode_json, json_error, skip_blanks
from kapply.manifests.plainlines import read_plain
from kapply.manifests.text import Chunk, Finding, LineCounter, chunks, moved, place_of


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
_MAX_END_MARKS = 30
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
            from kapply.manifests.slowpath import read_odd_json

            reading = read_odd_json(chunk)
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
            yield failed(chunk, *moved([finding], chunk.line))
            return
        yield reading
        if chunk.end == start:
            return
        start = chunk.end
        count += 1


def failed(chunk: Chunk, *problems: Finding) -> Reading:
    """What comes of a text that cannot be read."""
    return Reading(chunk, None, problems[0].line, problems[0].column, list(problems), [])


def _read_yaml(text: str, start: int, *, pure: bool) -> Iterator[Reading]:
    line = place_of(text, start)[0] if start else 0
    for piece in chunks(text, start, line):
        if piece.wrong is not None:
            yield failed(piece, piece.wrong)
            continue
        reading, rest = read_chunk(piece, pure=pure)
        yield reading
        count = 0
        while rest is not None:
            count += 1
            if count > _MAX_END_MARKS:
                text = "too many documents that only ... separates"
                hint = "put --- between documents"
                yield failed(rest, Finding(text, rest.line, 0, hint=hint))
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
    from kapply.manifests.slowpath import read_events

    return read_events(chunk, body, pure=pure)
