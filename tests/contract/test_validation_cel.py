"""x-kubernetes-validations: kapply's findings, and the causes that the server gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from kapply import cel
from kapply.merge.structural import apply_defaults, drop_nulls, prune
from kapply.validation import CustomSource, findings_of, offline_schemas
from kapply.validation.paths import path_text
from tests.cluster.client import Client
from tests.cluster.cluster import TestCluster
from tests.contract.cel_cases import CASES, LEFT, definition, objects

pytestmark = pytest.mark.full

Json = Any
PATH = "/apis/cel.example.com/v1/namespaces/{namespace}/ruleds"
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.fixture
def served(apiserver: TestCluster) -> Iterator[Client]:
    """A client of a server that has the CRD and evaluates its rules."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crd = definition(CASES)
    with closing(apiserver.client(kept=True)) as client:
        client.request("POST", crds, crd).ok()
        path = PATH.format(namespace="default")
        try:
            apiserver.wait_for(lambda: client.request("GET", path).code == 200, "the CRD")
            yield client
        finally:
            client.request("DELETE", f"{crds}/{crd['metadata']['name']}")


def test_rules_say_what_the_server_says(served: Client, api_namespace: str) -> None:
    pytest.importorskip("cel_expr_python")
    crd = definition(CASES)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    source = CustomSource([crd], offline_schemas())
    broken = 0
    for name, obj in objects(CASES):
        answer = served.request("POST", PATH.format(namespace=api_namespace), obj, query=STRICT)
        causes = answer.json()["details"]["causes"] if answer.code >= 400 else []
        broken += bool(causes)
        kept, _ = prune(obj, schema)
        found = cel.check(schema, apply_defaults(drop_nulls(kept, schema), schema))
        if name in LEFT:
            assert found.violations == [] and len(found.unknown) == 1, (name, obj)
            assert findings_of(obj, source) == [], (name, obj)
            continue
        assert found.unknown == [], (name, obj)
        mine = [(path_text(v.path) or "<nil>", v.server_text) for v in found.violations]
        theirs = [(cause.get("field"), cause["message"]) for cause in causes]
        assert sorted(mine) == sorted(theirs), (name, obj)
        assert bool(findings_of(obj, source)) is bool(causes), (name, obj)
    assert broken > 50
