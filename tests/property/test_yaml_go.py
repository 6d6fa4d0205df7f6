"""The manifest reader and writer beside Kubernetes' own Go libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kapply.errors import ManifestError
from kapply.manifests.documents import parse, read_values
from kapply.manifests.emit import to_yaml
from kapply.manifests.tojson import to_json
from tests.oracle import driver
from tests.oracle.driver import Oracle
from tests.property.yaml_texts import json_values, texts

pytestmark = pytest.mark.full

go_oracle = driver.go_oracle

#: Texts that hypothesis makes for one comparison; nearly all are different.
DOCUMENTS = 3500
_SETTINGS = settings(
    max_examples=DOCUMENTS,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

#: What kapply refuses on purpose although kubectl takes it: it would lose data, or is a trap.
DEPARTURES = (
    "is given twice",
    "unknown tag",
    "text after",
    "byte order mark in the middle",
    "directives like",
    "scanning a tag",
    "parsing a tag",
)


def _collect(strategy: st.SearchStrategy[Any], count: int = DOCUMENTS) -> list[Any]:
    """Examples of a strategy in one list, so that the oracle is asked once."""
    found: list[Any] = []

    @settings(_SETTINGS, max_examples=count)
    @given(strategy)
    def gather(example: Any) -> None:
        found.append(example)

    gather()
    return found


def _mine(text: str, *, pure: bool) -> tuple[list[Any] | None, list[str]]:
    try:
        return [value for value, _ in read_values(text, "f", pure=pure)], []
    except ManifestError as error:
        return None, [str(problem) for problem in error.problems]


def _differs(text: str, go: Mapping[str, Any], *, pure: bool) -> str:
    """How the two sides differ, or "" when they agree or kapply departs on purpose."""
    values, problems = _mine(text, pure=pure)
    refused = bool(go.get("problem"))
    if values is None:
        if refused or any(known in problem for problem in problems for known in DEPARTURES):
            return ""
        # What stands behind an end mark, or a --- that only YAML sees, is dropped by kubectl.
        return "" if "..." in text or "---" in text or "%" in text else f"kapply: {problems}"
    theirs = go["values"]
    if refused:
        return f"kubectl: {go['problem']}, kapply: {values}"
    # As text, for 1 and True are equal to Python.
    mine = json.dumps(values, sort_keys=True)
    if mine == json.dumps(theirs, sort_keys=True) or values[: len(theirs)] == theirs != values:
        return ""
    return f"kubectl: {theirs}, kapply: {values}"


@pytest.fixture(scope="module")
def inputs() -> list[str]:
    return list(dict.fromkeys(_collect(texts())))


@pytest.fixture(scope="module")
def json_inputs() -> list[Any]:
    return _collect(json_values(), 1000)


@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
def test_values_are_those_of_kubernetes(go_oracle: Oracle, inputs: list[str], pure: bool) -> None:
    answers = go_oracle.ask_all("yaml.values", [{"text": text} for text in inputs])
    wrong = []
    read = 0
    for text, answer in zip(inputs, answers, strict=True):
        assert not answer.error
        read += not answer.result.get("problem")
        if difference := _differs(text, answer.result, pure=pure):
            wrong.append((text, difference))
    assert wrong == []
    assert len(inputs) >= 2000
    # Not all of it is nonsense.
    assert read > len(inputs) / 5


_METADATA = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(
            st.sampled_from([None, "x", "", 1, True, 1.5, [], {}, ["a"], [None], [1], {"a": "b"}]),
            st.sampled_from([{"a": 1}, {"a": None}, [{}], [{"uid": 1}], [{"controller": "x"}]]),
            st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31", "2026-01-31T12:00:00+01:00"]),
        )
        for name in (
            "name", "namespace", "generateName", "labels", "annotations", "finalizers",
            "ownerReferences", "generation", "creationTimestamp", "managedFields", "other",
            "deletionGracePeriodSeconds", "resourceVersion",
        )
    },
)  # fmt: skip


def test_objects_are_those_of_kubectl(go_oracle: Oracle) -> None:
    """What metadata may be of which type, and what a List is taken apart into."""
    plain: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {
            "apiVersion": st.sampled_from(["v1", "apps/v1"]),
            "kind": st.sampled_from(["Foo", "FooList", "Bar", "", None, 1, True]),
            "metadata": st.one_of(_METADATA, st.sampled_from([None, [], "x"])),
        },
        optional={"spec": st.sampled_from(["x", 1, {"a": [None]}])},
    )
    item: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {"metadata": st.just({"name": "x"})},
        optional={"apiVersion": st.just("v1"), "kind": st.just("Baz"), "items": st.just("x")},
    )
    lists: st.SearchStrategy[Any] = st.fixed_dictionaries(
        {
            "apiVersion": st.just("v1"),
            "kind": st.sampled_from(["List", "FooList"]),
            "items": st.one_of(st.lists(item, max_size=3), st.sampled_from([None, "x", ["x"]])),
        }
    )
    objects = _collect(st.one_of(plain, lists), 1000)
    inputs = [to_yaml(obj) for obj in objects]
    answers = go_oracle.ask_all("yaml.objects", [{"text": text} for text in inputs])
    wrong = []
    read = 0
    for text, answer in zip(inputs, answers, strict=True):
        theirs = None if answer.result.get("problem") else answer.result["values"]
        try:
            mine = [document.obj for document in parse(text, "f")]
            read += 1
        except ManifestError as error:
            mine = None
            # A kind without an apiVersion (or the other way) is what kubectl lets pass here.
            if any(problem.message.endswith("missing") for problem in error.problems):
                continue
        if json.dumps(mine, sort_keys=True) != json.dumps(theirs, sort_keys=True):
            wrong.append((text, answer.result, mine))
    assert wrong == []
    assert read > 100


#: Strings that Go loses or does not read back; they are escaped here, see kapply.manifests.emit.
_LOST = set(map(chr, [*range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]))


def _has_lost(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return bool(_LOST & set(text)) or '"<<"' in text


def test_yaml_is_written_as_kubectl_writes_it(go_oracle: Oracle, json_inputs: list[Any]) -> None:
    values = [value for value in json_inputs if not _has_lost(value)]
    answers = go_oracle.ask_all("yaml.marshal", [{"value": value} for value in values])
    wrong = [
        (value, answer.result, to_yaml(value, sort_keys=True))
        for value, answer in zip(values, answers, strict=True)
        # Go cannot read a key of more than 1,024 characters on its way.
        if not answer.error and answer.result != to_yaml(value, sort_keys=True)
    ]
    assert wrong == []
    assert sum(not answer.error for answer in answers) > 500


def test_json_is_written_as_kubectl_writes_it(go_oracle: Oracle, json_inputs: list[Any]) -> None:
    values = json_inputs
    answers = go_oracle.ask_all("json.marshal", [{"value": value} for value in values])
    wrong = [
        (value, answer)
        for value, answer in zip(values, answers, strict=True)
        if answer.error or answer.result != to_json(value, sort_keys=True)
    ]
    assert wrong == []
