"""kapply's verdict on objects with a mistake, against kube-apiserver's on the same objects.

The server is asked twice, with dryRun=All and fieldValidation=Strict: a create, and the
server-side apply that kapply sends. An object is good when both take it: server-side apply alone
wraps an int32 that is too large without a word, and a create alone takes an environment variable
that is given twice.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest

from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument
from kapply.validation import findings_of, is_valid, offline_schemas
from tests.cluster.client import Client
from tests.cluster.cluster import TestCluster
from tests.contract.minimal_objects import OPAQUE, minimal
from tests.contract.validation_mistakes import BASES, Case, base_of, mistakes

SEED = 20261122
#: Cases of each kind in the tier `full`; the tier `long` takes all 88,000.
SAMPLE = 650
LEAST = 0.995
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
APPLY = {**STRICT, "fieldManager": "kapply", "force": "true"}

#: Fields that kapply is stricter about than the server, on purpose. The server drops the
#: namespace of a cluster-scoped object; a manifest that names one means something else.
STRICTER = frozenset({("CustomResourceDefinition", ("metadata", "namespace"))})

#: What only the server can know. These count as misses; they are here to be read.
ONLY_THE_SERVER = {
    "metadata.uid": "whether there is an object with this uid",
    "metadata.namespace": "which namespaces there are",
    "spec.ipFamilies, spec.ipFamilyPolicy": "the cluster's own address families",
    "x-kubernetes-validations[*].rule": "whether a CEL expression compiles",
    "tolerations[*].operator Lt and Gt, updateStrategy Recreate": "which feature gates are on",
}


@dataclass(frozen=True)
class Verdict:
    """What the server says: whether it takes the object, and why not."""

    good: bool
    why: str


class Server:
    """Asks about objects, over kept connections."""

    def __init__(self, cluster: TestCluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def ask_all(self, cases: Sequence[Case]) -> list[Verdict]:
        """The verdict on each case."""
        parts = [cases[start::4] for start in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(self._ask_some, parts))
        verdicts: list[Verdict] = [Verdict(False, "")] * len(cases)
        for start, part in enumerate(answers):
            verdicts[start::4] = part
        return verdicts

    def _ask_some(self, cases: Iterable[Case]) -> list[Verdict]:
        with closing(self._cluster.client(kept=True)) as client:
            return [self._ask(client, case) for case in cases]

    def _ask(self, client: Client, case: Case) -> Verdict:
        base = base_of(case.kind)
        gvk = GroupVersionKind.parse(base["apiVersion"], case.kind)
        mapping = document_of(gvk).mappings()[gvk]
        path = mapping.path(self._namespace)
        answer = client.request("POST", path, case.obj, query=STRICT)
        if answer.code >= 400:
            return Verdict(False, answer.json().get("message", ""))
        metadata = case.obj.get("metadata") or {}
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(name, str) or not name:
            return Verdict(True, "")
        answer = client.request(
            "PATCH",
            f"{path}/{name}",
            case.obj,
            query=APPLY,
            content_type="application/apply-patch+yaml",
        )
        if answer.code < 400:
            return Verdict(True, "")
        return Verdict(False, f"apply: {answer.json().get('message', '')}")


def document_of(gvk: GroupVersionKind) -> SchemaDocument:
    document = offline_schemas().document(gvk.group_version)
    assert document is not None
    return document


def cases_of(kind: str) -> list[Case]:
    base = base_of(kind)
    gvk = GroupVersionKind.parse(base["apiVersion"], kind)
    return list(mistakes(document_of(gvk), base))


def compare(server: Server, cases: Sequence[Case]) -> tuple[Counter[str], list[str]]:
    """How many agree, and what does not: false alarms and misses, a line each."""
    counts: Counter[str] = Counter()
    lines: list[str] = []
    for case, verdict in zip(cases, server.ask_all(cases), strict=True):
        counts["all"] += 1
        counts[f"kind {case.kind}"] += 1
        mine = is_valid(case.obj, offline_schemas())
        if mine == verdict.good:
            counts["agree"] += 1
            continue
        where = ".".join(map(str, case.path))
        if verdict.good:
            found = findings_of(case.obj, offline_schemas())
            known = (case.kind, case.path) in STRICTER
            counts["stricter" if known else "false alarms"] += 1
            lines.append(f"false alarm: {case.kind} {where}: {case.what}: {found[0].message}")
        else:
            counts["misses"] += 1
            lines.append(f"miss: {case.kind} {where}: {case.what}: {verdict.why[:160]}")
    return counts, lines


def report(counts: Counter[str], lines: Iterable[str]) -> str:
    share = counts["agree"] / counts["all"]
    return "\n".join([f"agreement {share:.4%} of {counts['all']}: {dict(counts)}", *lines])


def check(counts: Counter[str], lines: Sequence[str]) -> None:
    text = report(counts, lines)
    print(text)  # pytest -rP shows it
    assert counts["false alarms"] == 0, text
    assert counts["agree"] / counts["all"] >= LEAST, text


def test_mistakes_get_the_servers_verdict(apiserver: TestCluster, api_namespace: str) -> None:
    chosen = random.Random(SEED)
    cases: list[Case] = []
    for kind in BASES:
        found = cases_of(kind)
        cases += chosen.sample(found, min(SAMPLE, len(found)))
    counts, lines = compare(Server(apiserver, api_namespace), cases)
    assert counts["all"] >= 3000
    check(counts, lines)


@pytest.mark.long
def test_every_mistake_gets_the_servers_verdict(apiserver: TestCluster, api_namespace: str) -> None:
    cases = [case for kind in BASES for case in cases_of(kind)]
    counts, lines = compare(Server(apiserver, api_namespace), cases)
    check(counts, lines)


def test_a_minimal_object_of_every_kind_is_taken_by_both(
    apiserver: TestCluster, api_namespace: str
) -> None:
    wrong = []
    with closing(apiserver.client(kept=True)) as client:
        served = set(client.request("GET", "/openapi/v3").json()["paths"])
        for gvk in sorted(set(offline_schemas().kinds())):
            document = offline_schemas().document(gvk.group_version)
            if document is None or gvk not in document.kinds() or gvk.kind in OPAQUE:
                continue
            obj = minimal(document, gvk)
            assert findings_of(obj, offline_schemas()) == [], gvk
            mapping = document.mappings().get(gvk)
            # A Binding needs a Pod that is there; alpha and beta are not served by default.
            if mapping is None or "create" not in mapping.verbs or gvk.kind == "Binding":
                continue
            if gvk.group_version.path[1:] not in served:
                continue
            namespace = obj["metadata"].get("namespace") or api_namespace
            answer = client.request("POST", mapping.path(namespace), obj, query=STRICT)
            if answer.code >= 400:
                wrong.append(f"{gvk}: {answer.json().get('message')}")
    assert wrong == []
