"""Laws of the manifest reader: its three ways agree, and what is written reads back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings

from kapply.errors import ManifestError
from kapply.manifests.builder import Builder
from kapply.manifests.documents import parse, read_values
from kapply.manifests.emit import to_yaml
from kapply.manifests.events import open_events
from kapply.manifests.plainlines import read_plain
from kapply.manifests.slowpath import read_events
from kapply.manifests.text import Chunk, normalise
from kapply.manifests.tojson import to_json
from tests.property.yaml_texts import json_values, structures, texts

_SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _read(text: str, *, pure: bool) -> Any:
    try:
        return [(value, str(origin)) for value, origin in read_values(text, "f", pure=pure)]
    except ManifestError as error:
        return len(error.problems) > 0


def _built(text: str, *, pure: bool) -> Any:
    text = normalise(text)
    chunk = Chunk(text, 0, len(text), 0)
    reading, _ = read_events(chunk, text, pure=pure)
    if reading.problems:
        # Which of several mistakes is told first may differ.
        return "refused"
    warnings = [(warning.message, warning.line) for warning in reading.warnings]
    return json.dumps(reading.value), reading.line, reading.column, warnings


@_SETTINGS
@given(texts())
@example("a: {b:}\n")
@example('a: "it\\\'s"\n')
def test_both_parsers_read_the_same(text: str) -> None:
    assert _read(text, pure=False) == _read(text, pure=True)
    # And without the plain style's own way, which needs neither.
    assert _built(text, pure=False) == _built(text, pure=True)


@_SETTINGS
@given(structures())
def test_the_plain_style_is_read_as_the_builder_reads_it(text: str) -> None:
    text = normalise(text)
    plain = read_plain(text)
    if plain is None:
        return
    builder = Builder(text)
    found, value = builder.build(open_events(Chunk(text, 0, len(text), 0)))
    assert found
    assert (builder.problems, builder.warnings) == ([], [])
    # As text, for 1 and True are equal to Python.
    assert json.dumps(value) == json.dumps(plain[0])
    assert (builder.mark.line, builder.mark.column) == plain[1:]


@_SETTINGS
@given(texts())
def test_every_problem_has_a_place_in_the_text(text: str) -> None:
    try:
        documents = parse(text, "f")
    except ManifestError as error:
        places = [problem.origin for problem in error.problems]
    else:
        places = [document.origin for document in documents]
        places += [document.locate(["metadata", "name"]) for document in documents]
    lines = len(text.replace("\r\n", "\n").splitlines()) + 1
    for place in places:
        assert place is not None
        assert 1 <= place.line <= lines
        assert place.column >= 1


@_SETTINGS
@given(json_values())
def test_yaml_reads_back(value: Any) -> None:
    for sort_keys in (False, True):
        text = to_yaml(value, sort_keys=sort_keys)
        for pure in (False, True):
            found = [read for read, _ in read_values(text, pure=pure)]
            assert to_json(found, sort_keys=True) == to_json(
                [] if value is None else [value], sort_keys=True
            )


@_SETTINGS
@given(json_values())
def test_json_is_what_it_says(value: Any) -> None:
    for indent in (0, 4):
        assert json.loads(to_json(value, indent=indent)) == value
    obj = {"apiVersion": "v1", "kind": "A", "spec": value}
    (document,) = parse(to_json(obj), "f.json")
    assert to_json(document.obj) == to_json(obj)


#: How keys are written that become the words true and false.
_SPELLINGS = {"true": ("y", "Y", "on", "On", "ON", "T"), "false": ("n", "N", "of", "Of", "OF", "F")}


@_SETTINGS
@given(structures())
@example("n: a\n")
def test_a_field_is_found_where_it_stands(text: str) -> None:
    """The line of each key of the object has that key in it."""
    try:
        documents = parse("apiVersion: v1\nkind: A\n" + text, "f")
    except ManifestError:
        return
    for document in documents:
        for key in document.obj:
            origin = document.locate([key])
            line = document.source_line(origin)
            if origin != document.origin and key.isalpha() and "*" not in line:
                written = line[origin.column - 1 :].lstrip("\"'? ")
                assert written.startswith((key, *_SPELLINGS.get(key, ())))
