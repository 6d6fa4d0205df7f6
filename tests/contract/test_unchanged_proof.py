"""The unchanged-proof against a real API server: never "unchanged" where an apply changes anything.

Every object of the corpus, and one of nearly every kind and shape the server knows, is applied as
kapply applies it; then others touch it, its manifest is edited, the proof is asked, and the
manifest is really applied. No controllers run: their writes would fall between read and write.
"""

from __future__ import annotations

import copy
import os
import queue
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kapply.cli.options import ConnectFlags
from kapply.cli.wiring import Session, open_session
from kapply.client import encode
from kapply.engine.prover import SchemaProver
from kapply.errors import Origin
from kapply.manifests import sources
from kapply.meta import GroupVersionKind, ObjectRef, RESTMapping
from kapply.planning.atomic_defaults import ATOMIC_DEFAULTS, is_atomic_default
from kapply.planning.model import Desired
from tests.cluster.build import Assets
from tests.cluster.client import Answer, Client
from tests.cluster.cluster import TestCluster
from tests.contract import proof_cases
from tests.contract.proof_cases import Case, content, filled_in, renamed
from tests.contract.proof_edits import EDITS, MANAGER, Obj, Setting
from tests.contract.proof_touches import TOUCHES, Write

HERE = Path(__file__).with_name("proof")
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
APPLY = "application/apply-patch+yaml"
SEED = int(os.environ.get("KAPPLY_PROOF_SEED", "20261122"))
#: Cases for each object of the corpus and for each of this folder.
CASES = (int(os.environ.get("KAPPLY_PROOF_CASES", "9")), 34)
#: Edits that matter most to a kind.
OFTEN = {"Secret": ("strings", "same")}
THREADS = 4
# Quotas and limits act on other objects of their namespace.
_APART = ("LimitRange", "ResourceQuota")


@dataclass(frozen=True, slots=True)
class Base:
    """An object to start from, and whether it is of the corpus."""

    obj: Obj
    corpus: bool

    def __str__(self) -> str:
        return f"{self.obj['kind']} {self.obj['metadata']['name']}"


@dataclass(slots=True)
class Outcome:
    """What proof and server said of one case."""

    base: Base
    case: Case
    proven: bool
    same: bool
    owned_same: bool
    answer: str
    manifest: Obj
    live: Obj

    @property
    def wrong(self) -> bool:
        return self.proven and not self.same

    @property
    def needless(self) -> bool:
        return not self.proven and self.same and self.owned_same

    def __str__(self) -> str:
        return (
            f"{self.base}: {self.case}\n  sent {encode(self.manifest).decode()[:2000]}"
            f"\n  live {encode(self.live).decode()[:2000]}\n  answer {self.answer[:2000]}"
        )


@dataclass(slots=True)
class Tally:
    """The outcomes of a run, and what could not be set up."""

    outcomes: list[Outcome] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    errors: list[BaseException] = field(default_factory=list)


@dataclass(slots=True)
class Bench:
    """A server with the proof that is asked about its objects."""

    cluster: TestCluster
    session: Session
    prover: SchemaProver
    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def mapping(self, obj: Obj) -> RESTMapping:
        with self.lock:
            found = self.session.discovery.mapper.for_kind(_gvk(obj))
        assert found is not None, f"the server does not know {obj['apiVersion']} {obj['kind']}"
        return found

    def proven(self, obj: Obj, live: Obj) -> bool:
        with self.lock:
            return self.prover.unchanged(self.desired(obj), live)

    def desired(self, obj: Obj) -> Desired:
        mapping = self.session.discovery.mapper.for_kind(_gvk(obj))
        assert mapping is not None
        metadata = obj["metadata"]
        ref = ObjectRef(mapping.gvk, metadata.get("namespace", ""), metadata["name"])
        return Desired(obj, encode(obj), mapping, ref, Origin("test"), lambda _: Origin("test"))

    def setting(self, obj: Obj, live: Obj, rng: Random) -> Setting:
        with self.lock:
            type_ = self.prover.type_of(_gvk(obj))
        assert type_ is not None
        return Setting(live, type_, rng)


def _gvk(obj: Obj) -> GroupVersionKind:
    return GroupVersionKind.parse(obj["apiVersion"], obj["kind"])


class Worker:
    """Runs the cases of one object after another, on one connection."""

    def __init__(self, bench: Bench, tally: Tally) -> None:
        self.bench, self.tally = bench, tally
        self.client: Client = bench.cluster.client(kept=True)

    def run(self, base: Base, cases: Sequence[Case]) -> None:
        ready: tuple[Obj, Obj] | None = None
        for case in cases:
            if ready is None:
                obj = renamed(base.obj, f"n{next(self.bench.numbers)}")
                answer = self.apply(obj, MANAGER, force=True)
                if answer.code >= 300:
                    self.tally.skipped[f"{base}: {answer.body.decode()[:300]}"] += 1
                    return
                ready = (obj, self.get(obj))
            moved = self.one(base, case, *ready)
            if moved:
                ready = None

    def one(self, base: Base, case: Case, obj: Obj, live: Obj) -> bool:
        """Run a case; whether the object has moved by it."""
        rng = Random(case.seed)
        start = live["metadata"]["resourceVersion"]
        at = self.bench.setting(obj, live, rng)
        for name in case.touches:
            writes = TOUCHES[name](obj, at)
            if not writes or any(self.write(obj, write).code >= 300 for write in writes):
                self.tally.skipped[name] += 1
                return True
        if case.touches:
            live = self.get(obj)
            at = self.bench.setting(obj, live, rng)
        manifest: Obj = copy.deepcopy(obj)
        for name in case.edits:
            if not EDITS[name](manifest, at):
                self.tally.skipped[name] += 1
                return bool(case.touches)
        if not isinstance(manifest.get("metadata"), dict):
            return bool(case.touches)
        proven = self.bench.proven(manifest, live)
        answer = self.apply(manifest, MANAGER, force=case.force)
        after = answer.json() if answer.code < 300 else {"metadata": {}}
        self.tally.outcomes.append(
            Outcome(
                base,
                case,
                proven,
                answer.code < 300 and content(live) == content(after),
                _owned(live) == _owned(after),
                answer.body.decode(),
                manifest,
                live,
            )
        )
        return bool(
            case.touches
            or (answer.code < 300 and after["metadata"].get("resourceVersion") != start)
        )

    def apply(self, obj: Obj, manager: str, *, force: bool) -> Answer:
        query = {"fieldManager": manager, "fieldValidation": "Strict"}
        if force:
            query["force"] = "true"
        path = self.path(obj)
        return self.client.request("PATCH", path, encode(obj), query=query, content_type=APPLY)

    def write(self, obj: Obj, write: Write) -> Answer:
        if write.how == "apply":
            return self.apply(write.body, write.manager, force=write.force)
        if write.how == "delete":
            return self.client.request("DELETE", self.path(obj))
        return self.client.request(
            "PATCH", self.path(obj), write.body, query={"fieldManager": write.manager}
        )

    def get(self, obj: Obj) -> Obj:
        found: Obj = self.client.request("GET", self.path(obj)).ok()
        return found

    def path(self, obj: Obj) -> str:
        metadata = obj["metadata"]
        return self.bench.mapping(obj).path(metadata.get("namespace", ""), metadata["name"])


def _owned(obj: Obj) -> list[Any]:
    """managedFields without their times."""
    entries = obj["metadata"].get("managedFields", [])
    return [{k: v for k, v in entry.items() if k != "time"} for entry in entries]


def run(bench: Bench, work: Sequence[tuple[Base, Sequence[Case]]]) -> Tally:
    """All cases, by a handful of threads."""
    tally = Tally()
    tasks: queue.SimpleQueue[tuple[Base, Sequence[Case]]] = queue.SimpleQueue()
    for task in work:
        tasks.put(task)

    def loop() -> None:
        worker = Worker(bench, tally)
        try:
            while True:
                worker.run(*tasks.get_nowait())
        except queue.Empty:
            pass
        except BaseException as error:
            tally.errors.append(error)
        finally:
            worker.client.close()

    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if tally.errors:
        raise tally.errors[0]
    return tally


def load(*paths: Path) -> list[Obj]:
    return [document.obj for document in sources.load(list(map(str, paths)), recursive=True)]


@pytest.fixture(scope="module")
def bench(cluster_assets: Assets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A server of its own: CRDs and webhooks are left behind on it."""
    with TestCluster(cluster_assets) as cluster:
        flags = ConnectFlags(
            kubeconfig=str(cluster.kubeconfig), cache_dir=str(tmp_path_factory.mktemp("cache"))
        )
        for name in ("proof", *(f"proof-{kind.lower()}" for kind in _APART)):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            cluster.request("POST", "/api/v1/namespaces", body).ok()
        crds = load(HERE / "crd.yaml")
        if CORPUS.is_dir():
            crds += load(CORPUS / "kube-prometheus" / "setup")
        for crd in crds:
            if crd["kind"] != "CustomResourceDefinition":
                continue
            cluster.request(
                "PATCH",
                f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}",
                encode(crd),
                query={"fieldManager": MANAGER},
                content_type=APPLY,
            ).ok()
        kinds = {
            GroupVersionKind(crd["spec"]["group"], version["name"], crd["spec"]["names"]["kind"])
            for crd in crds
            if crd["kind"] == "CustomResourceDefinition"
            for version in crd["spec"]["versions"]
        }
        cluster.wait_for(lambda: all(_described(cluster, kind) for kind in kinds), "the new kinds")
        with open_session(flags) as session:
            yield Bench(cluster, session, SchemaProver(MANAGER, session.schemas))


def _described(cluster: TestCluster, kind: GroupVersionKind) -> bool:
    """Whether a custom kind is served, and in the group's document at the address in the index."""
    path = kind.group_version.path
    if cluster.request("GET", path).code != 200:
        return False
    entry = cluster.request("GET", "/openapi/v3").ok()["paths"].get(path[1:])
    document = cluster.request("GET", entry["serverRelativeURL"]) if entry else None
    return document is not None and f'"kind":"{kind.kind}"'.encode() in document.body


def bases(bench: Bench) -> list[Base]:
    found = [Base(obj, False) for obj in load(HERE / "objects.yaml")]
    if CORPUS.is_dir():
        # Folder by folder: two of them have objects of the same name.
        for folder in sorted(path for path in CORPUS.iterdir() if path.is_dir()):
            found += [Base(obj, True) for obj in load(folder)]
    for base in found:
        for webhook in base.obj.get("webhooks", ()):
            # Nobody answers it: it would refuse the other objects of the test.
            webhook["rules"] = [{**rule, "resources": ["nothings"]} for rule in webhook["rules"]]
        metadata = base.obj["metadata"]
        metadata.pop("namespace", None)
        if bench.mapping(base.obj).namespaced:
            apart = base.obj["kind"] in _APART
            metadata["namespace"] = f"proof-{base.obj['kind'].lower()}" if apart else "proof"
    return found


def summary(tally: Tally) -> str:
    outcomes = tally.outcomes
    kept = [o for o in outcomes if o.same and o.owned_same]
    by_edit = Counter("+".join((*o.case.touches, *o.case.edits)) for o in kept if o.needless)
    return (
        f"{len(outcomes)} cases, {sum(o.proven for o in outcomes)} proven unchanged, "
        f"{sum(o.wrong for o in outcomes)} wrongly; {len(kept)} were no-ops, "
        f"{sum(o.needless for o in kept)} of them not proven: {by_edit.most_common(25)}; "
        f"{sum(tally.skipped.values())} without a place or refused"
    )


def test_nothing_is_proven_that_an_apply_changes(bench: Bench) -> None:
    rng = Random(SEED)
    work = [
        (base, proof_cases.cases(rng, CASES[not base.corpus], OFTEN.get(base.obj["kind"], ())))
        for base in bases(bench)
        if base.obj["kind"] not in ("CustomResourceDefinition",) or not base.corpus
    ]
    tally = run(bench, work)
    print(f"seed {SEED}: {summary(tally)}")
    wrong = [outcome for outcome in tally.outcomes if outcome.wrong]
    assert not wrong, f"{len(wrong)} wrong: " + "\n".join(map(str, wrong[:12]))
    assert len(tally.outcomes) >= 2000 or not CORPUS.is_dir()


@pytest.fixture(scope="module")
def again(bench: Bench) -> Tally:
    """Every object applied twice, as it is."""
    return run(bench, [(base, [Case((), ("same",), 0)]) for base in bases(bench)])


def test_an_object_applied_again_is_proven(again: Tally) -> None:
    tally = again
    print(summary(tally))
    assert not tally.skipped, "the server refused " + "\n".join(tally.skipped)
    assert not [str(outcome) for outcome in tally.outcomes if outcome.wrong]
    ours = [outcome for outcome in tally.outcomes if outcome.base.corpus]
    unproven = [outcome for outcome in ours if outcome.needless]
    assert len(unproven) < 0.02 * len(ours) or not ours, "\n".join(map(str, unproven))
    # Of this folder's: a Pod, whose tolerations admission makes longer; a targetPort of 0, which
    # is filled in outside of atomic values; nulls in custom resources.
    rest = {str(o.base) for o in tally.outcomes if o.needless and not o.base.corpus}
    assert rest <= {"Pod pod", "Service headless", "Thing thing", "Thing embedded"}


def test_each_default_inside_atomic_values_is_what_the_server_fills_in(
    bench: Bench, again: Tally
) -> None:
    recorded: set[tuple[str, str]] = set()
    seen: set[str] = set()
    unknown: set[tuple[str, str]] = set()
    for outcome in again.outcomes:
        type_ = bench.setting(outcome.manifest, outcome.live, Random()).type_
        applied = {k: v for k, v in outcome.manifest.items() if k not in ("metadata", "status")}
        for name, field_, lacking, filled in filled_in(applied, outcome.live, type_):
            if not name.startswith("io.k8s."):
                continue
            if not field_:
                seen.add(name)
            elif is_atomic_default(name, field_, lacking, filled):
                recorded.add((name, field_))
            else:
                unknown.add((name, field_))
    print(f"{len(seen)} types seen inside atomic values, {len(recorded)} defaults recorded")
    assert recorded == set(ATOMIC_DEFAULTS)
    assert not unknown


def test_a_kind_of_two_versions_is_proven_at_the_one_that_was_applied(bench: Bench) -> None:
    worker = Worker(bench, Tally())
    metadata = {"name": "versions", "namespace": "proof"}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
    kind = {"kind": "HorizontalPodAutoscaler", "metadata": metadata}
    spec = {"minReplicas": 1, "maxReplicas": 5, "scaleTargetRef": target}
    first = {**kind, "apiVersion": "autoscaling/v1", "spec": spec}
    second = {**kind, "apiVersion": "autoscaling/v2", "spec": spec}
    worker.apply(first, MANAGER, force=False).ok()
    assert bench.proven(first, worker.get(first))
    assert not bench.proven(second, worker.get(second))
    # Applied at the other version, the entry moves.
    worker.apply(second, MANAGER, force=False).ok()
    assert not bench.proven(first, worker.get(first))
    assert bench.proven(second, worker.get(second))
    # Another manager at another version: what it owns conflicts as soon as a spelling differs.
    cpu = {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "500m"}}
    metrics: Obj = {"metrics": [{"type": "Resource", "resource": cpu}]}
    third: Obj = {**second, "spec": {**spec, **metrics}}
    worker.apply(third, MANAGER, force=False).ok()
    respelled = copy.deepcopy(third)
    respelled["spec"]["metrics"][0]["resource"]["target"]["averageValue"] = "0.5"
    live = worker.get(third)
    assert bench.proven(respelled, live)
    assert content(worker.apply(respelled, MANAGER, force=False).ok()) == content(live)
    worker.apply(first, "other", force=False).ok()
    assert bench.proven(third, worker.get(third))
    assert not bench.proven(respelled, worker.get(third))
    worker.client.close()


def test_a_spelling_that_another_manager_owns_too_is_a_conflict(bench: Bench) -> None:
    """Why what is only the same in meaning is not proven there."""
    worker = Worker(bench, Tally())
    obj: Obj = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "spelled", "namespace": "proof"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    worker.apply(obj, MANAGER, force=False).ok()
    respelled = copy.deepcopy(obj)
    respelled["spec"]["resources"]["requests"]["storage"] = "1024Mi"
    assert bench.proven(respelled, worker.get(obj))
    assert worker.apply(respelled, MANAGER, force=False).code == 200
    worker.apply(obj, "other", force=False).ok()
    assert bench.proven(obj, worker.get(obj))
    assert not bench.proven(respelled, worker.get(obj))
    assert worker.apply(respelled, MANAGER, force=False).code == 409
    worker.client.close()
