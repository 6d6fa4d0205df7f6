"""Documents that need parse events: everything that is not in the plain style. Pure."""

from __future__ import annotations

import re
from typing import Any

from yaml.error import YAMLError
from yaml.events import StreamEndEvent

from kapply.manifests.aliases import check_aliases
from kapply.manifests.builder import Builder, TooManyAliasesError
from kapply.manifests.events import is_stricter, open_events, unreadable
from kapply.manifests.jsontext import JsonSyntaxError
from kapply.manifests.reading import Reading, failed
from kapply.manifests.text import Chunk, Finding, UnreadableError, moved, place_of, refuse_marks

_TEXT = re.compile(r"^[ \t]*[^\s#]", re.M)


def read_events(chunk: Chunk, body: str, *, pure: bool) -> tuple[Reading, Chunk | None]:
    """The first document of a chunk, and the chunk of what follows it, if something does.

    Args:
        chunk: the text.
        body: chunk.body().
        pure: use PyYAML's Python parser in place of libyaml.
    """
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
                return read_events(chunk, body, pure=True)
            raise unreadable(error, body) from None
    except UnreadableError as error:
        finding = error.finding
        problems = [*moved(builder.problems, chunk.line), *moved([finding], chunk.line)]
        return failed(chunk, *problems), None
    mark = builder.mark
    return _finish(chunk, builder, value, mark.line + chunk.line, mark.column), rest


def read_odd_json(chunk: Chunk) -> Reading | None:
    """A JSON value with something to tell about it; None if it is no JSON after all.

    The chunk's end stays its start where reading cannot go on behind it.
    """
    builder = Builder("")
    try:
        _, value = builder.build(open_events(chunk))
    except JsonSyntaxError:
        return None
    except UnreadableError as error:
        return failed(chunk, *moved([*builder.problems, error.finding], chunk.line))
    chunk.end = builder.end.end_mark.index
    mark = builder.mark
    return _finish(chunk, builder, value, mark.line + chunk.line, mark.column)


def _finish(chunk: Chunk, builder: Builder, value: Any, line: int, column: int) -> Reading:
    problems, warnings = builder.problems, builder.warnings
    if problems or warnings:
        moved(problems, chunk.line)
        moved(warnings, chunk.line)
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
