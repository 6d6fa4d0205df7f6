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
from typing import Any

import pytest

from kapply.meta import GroupVersionKind
from kapply.openapi import SchemaDocument
from kapply.validation import findings_of, is_valid, offline_schemas
from tests.cluster.client import Client
from tests.cluster.cluster import TestCluster
from tests.contract.minimal_objects import OPAQUE, minimal
from tests.contract.validation_mistakes import BASES, Case, base_of, mistakes
from tests.contract.whole_objects import whole_objects

SEED = 20261122
#: Cases of each kind in the tier `full`; the tier `long` takes all 88,000.
SAMPLE = 650
#: Cases of each whole object in the tier `full`.
WHOLE_SAMPLE = 60
LEAST = 0.995
STRICT = {"dryRun": "All", "fieldValidation": "Strict"}
APPLY = {**STRICT, "fieldManager": "kapply", "force": "true"}

#: Where kapply is stricter than the server, on purpose; they count as differences. Both are errors
#: and no warnings: of a namespace on a cluster-scoped object nothing would be left (the server
#: drops it, so that two manifests with the same name in two namespaces are one object), and an
#: object without a name cannot be sent by server-side apply, whose URL holds the name.
STRICTER = {
    "is cluster-scoped: it has no namespace": "the server drops the namespace; it was meant",
    "LimitRange without a name": "the server makes one up, so that it is another each time",
}

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

    def __init__(self, cluster: TestCluster, namespace: str, *, create_only: bool = False) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._create_only = create_only

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
        mapping = document_of(case.gvk).mappings()[case.gvk]
        path = mapping.path(self._namespace)
        answer = client.request("POST", path, case.obj, query=STRICT)
        if answer.code >= 400:
            return Verdict(False, answer.json().get("message", ""))
        metadata = case.obj.get("metadata") or {}
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(name, str) or not name or self._create_only:
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
    return cases_from(base_of(kind))


def cases_from(base: dict[str, Any]) -> list[Case]:
    gvk = GroupVersionKind.parse(base["apiVersion"], base["kind"])
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
            verdict_is = "stricter" if _is_stricter(case, found[0].message) else "false alarms"
            counts[verdict_is] += 1
            lines.append(f"{verdict_is}: {case.kind} {where}: {case.what}: {found[0].message}")
        else:
            counts["misses"] += 1
            lines.append(f"miss: {case.kind} {where}: {case.what}: {verdict.why[:160]}")
    return counts, lines


def _is_stricter(case: Case, message: str) -> bool:
    if case.kind == "LimitRange" and not (case.obj["metadata"] or {}).get("name"):
        message = "LimitRange without a name"
    return any(known in message for known in STRICTER)


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


def test_mistakes_in_whole_objects_of_other_kinds(
    apiserver: TestCluster, api_namespace: str
) -> None:
    chosen = random.Random(SEED)
    cases: list[Case] = []
    for base in whole_objects():
        found = cases_from(base)
        cases.append(Case(found[0].gvk, (), "nothing wrong", base))
        cases += chosen.sample(found, min(WHOLE_SAMPLE, len(found)))
    counts, lines = compare(Server(apiserver, api_namespace), cases)
    check(counts, lines)


@pytest.mark.long
def test_every_mistake_gets_the_servers_verdict(apiserver: TestCluster, api_namespace: str) -> None:
    cases = [case for kind in BASES for case in cases_of(kind)]
    cases += [case for base in whole_objects() for case in cases_from(base)]
    counts, lines = compare(Server(apiserver, api_namespace), cases)
    check(counts, lines)


#: Kinds about whose minimal object the server is not asked, and why. Beside them, those that it
#: does not serve by default (alpha, beta) and those that are not created (lists, options).
NOT_CREATED = {
    "Binding": "needs a Pod that is there",
    **dict.fromkeys(OPAQUE, "needs a real certificate or bundle"),
}


def minimal_cases() -> list[Case]:
    """A minimal object of each kind of the bundled schemas."""
    found = []
    for gvk in sorted(set(offline_schemas().kinds())):
        document = offline_schemas().document(gvk.group_version)
        if document is not None and gvk in document.kinds():
            found.append(Case(gvk, (), "nothing wrong", minimal(document, gvk)))
    return found


def asked(cluster: TestCluster, cases: Iterable[Case]) -> list[Case]:
    """Those that the server creates, see NOT_ASKED."""
    with closing(cluster.client(kept=True)) as client:
        served = set(client.request("GET", "/openapi/v3").json()["paths"])
    return [
        case
        for case in cases
        if (mapping := document_of(case.gvk).mappings().get(case.gvk)) is not None
        and "create" in mapping.verbs
        and case.gvk.group_version.path[1:] in served
        and case.kind not in NOT_CREATED
    ]


def test_a_minimal_object_of_every_kind_is_taken_by_both(
    apiserver: TestCluster, api_namespace: str
) -> None:
    cases = minimal_cases()
    assert len(cases) >= 193
    wrong = []
    for case in cases:
        assert findings_of(case.obj, offline_schemas()) == [], case.gvk
    with closing(apiserver.client(kept=True)) as client:
        taken = asked(apiserver, cases)
        for case in taken:
            mapping = document_of(case.gvk).mappings()[case.gvk]
            namespace = case.obj["metadata"].get("namespace") or api_namespace
            answer = client.request("POST", mapping.path(namespace), case.obj, query=STRICT)
            if answer.code >= 400:
                wrong.append(f"{case.gvk}: {answer.json().get('message')}")
    assert wrong == []
    assert len(taken) >= 65


def _metadata_mistakes(case: Case) -> Iterable[Case]:
    """What some kinds take and others refuse: kinds differ in which checks they call."""
    changes: dict[str, dict[str, Any]] = {
        "a negative generation": {"generation": -1},
        "a finalizer without a domain": {"finalizers": ["Bogus"]},
        "no name": {"name": None},
        "a bad generateName": {"name": None, "generateName": "Bogus"},
        "a bad name": {"name": "Bogus_"},
    }
    for what, change in changes.items():
        metadata = {**case.obj["metadata"], **change}
        yield Case(case.gvk, ("metadata",), what, {**case.obj, "metadata": metadata})


def test_metadata_mistakes_of_every_kind(apiserver: TestCluster) -> None:
    cases = [
        made for case in asked(apiserver, minimal_cases()) for made in _metadata_mistakes(case)
    ]
    # Events and reviews name a namespace inside.
    server = Server(apiserver, "default", create_only=True)
    counts, lines = compare(server, cases)
    assert counts["false alarms"] == counts["misses"] == 0, report(counts, lines)
