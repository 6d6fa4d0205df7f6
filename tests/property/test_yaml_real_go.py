"""Manifests of the kinds that people have, beside Kubernetes' own reader."""

from __future__ import annotations

import json

import pytest

from kapply.errors import ManifestError
from kapply.manifests.documents import parse
from kapply.manifests.tojson import to_json
from tests.oracle import driver
from tests.oracle.driver import Oracle
from tests.property.real_texts import REAL_TEXTS

pytestmark = pytest.mark.full

go_oracle = driver.go_oracle


@pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])
def test_real_manifests_mean_what_kubectl_makes_of_them(go_oracle: Oracle, pure: bool) -> None:
    requests = [{"text": text} for text in REAL_TEXTS.values()]
    answers = go_oracle.ask_all("yaml.objects", requests)
    wrong = {}
    read = 0
    for (name, text), answer in zip(REAL_TEXTS.items(), answers, strict=True):
        assert not answer.error, name
        theirs, problem = answer.result["values"], answer.result.get("problem")
        try:
            mine = [json.loads(to_json(d.obj)) for d in parse(text, "f.yaml", pure=pure)]
        except ManifestError as error:
            if not problem:
                wrong[name] = f"kapply: {error}; kubectl: {theirs}"
            continue
        if problem:
            wrong[name] = f"kubectl: {problem}; kapply: {mine}"
        elif json.dumps(mine, sort_keys=True) != json.dumps(theirs, sort_keys=True):
            wrong[name] = f"kapply: {mine}; kubectl: {theirs}"
        else:
            read += 1
    assert wrong == {}
    # A few are refused by both.
    assert read > 40
