"""The recorded answers of kubectl: ../shared/oracle/yaml.json, with the C parser and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kapply.errors import ManifestError
from kapply.manifests.documents import parse

ORACLE = Path(__file__).resolve().parents[4] / "shared" / "oracle" / "yaml.json"
DEPARTURES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "departures.json").read_text()
)["cases"]


def _cases() -> list[dict[str, Any]]:
    if not ORACLE.exists():
        return []
    cases: list[dict[str, Any]] = json.loads(ORACLE.read_text())["cases"]
    return cases


CASES = {case["id"]: case for case in _cases()}


def _input(case: dict[str, Any]) -> bytes:
    if case["input"] is not None:
        return str(case["input"]).encode()
    # The one input that JSON cannot hold is another case's text in UTF-16.
    assert case["id"] == "enc: utf16be BOM"
    return str(CASES["enc: utf8 BOM"]["input"]).encode("utf-16-be")


def _answer(data: bytes, *, pure: bool) -> Any:
    try:
        return [document.obj for document in parse(data, "F", pure=pure)]
    except ManifestError as error:
        assert error.problems
        assert all(problem.origin is not None for problem in error.problems)
        return "refuses"


def _expected(case: dict[str, Any]) -> Any:
    if case["id"] in DEPARTURES:
        return DEPARTURES[case["id"]]["kapply"]
    return case["kubectl"]["json"] if case["kubectl"]["ok"] else "refuses"


@pytest.mark.skipif(not CASES, reason="the recorded oracle is not beside the checkout")
@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
class TestOracle:
    def test_all_cases(self, pure: bool) -> None:
        wrong = {}
        for name, case in CASES.items():
            expected = _expected(case)
            if isinstance(expected, str) and expected.startswith("(elided"):
                expected = "elided"
            answer = _answer(_input(case), pure=pure)
            if expected == "elided":
                # The recording says only how long the answer is.
                assert answer != "refuses", name
                assert len(answer) == 1
            elif answer != expected:
                wrong[name] = (answer, expected)
        assert wrong == {}
        assert len(CASES) == 376

    def test_departures_are_real(self, pure: bool) -> None:
        """A departure that kubectl shares would hide a regression."""
        assert set(DEPARTURES) <= set(CASES)
        for name, departure in DEPARTURES.items():
            kubectl = CASES[name]["kubectl"]
            assert departure["kapply"] != (kubectl["json"] if kubectl["ok"] else "refuses"), name
