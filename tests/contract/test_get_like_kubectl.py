"""`kapply get` prints what `kubectl get` prints, byte for byte, on the same API server.

Both run side by side. When they differ, an age may have ticked: kubectl, kapply and kubectl again
run then one after the other. Where both kubectl runs agree, kapply has to agree with them; where
they do not, ages are left out.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

DATA = Path(__file__).with_name("get")

#: Deleted at the end; the rest goes with the namespace.
CLUSTER_SCOPED = (
    "crd/gadgets.$SUFFIX.kapply.dev",
    "crd/planets.$SUFFIX.kapply.dev",
    "priorityclass/urgent-$SUFFIX",
    "storageclass/slow-$SUFFIX",
    "clusterrole/look-$SUFFIX",
    "pv/disk-$SUFFIX",
)

COLUMNS = "NAME:.metadata.name,IMAGES:.spec.containers[*].image,NONE:.spec.nothing,IP:.status.podIP"

#: Commands, split at spaces; ~ stands for a space inside a word. $NS and $SUFFIX as in the objects.
SAME = """
pods
pods -o wide
pods --show-labels
pods -L app -L pod-template-hash,example.com/Team
pods --no-headers
pods --no-headers -o wide --show-labels
pods --show-kind
pods -A
pods -A -o wide
pods -A --no-headers
pod crashing
pod crashing waiting
pod/crashing deploy/web pod/waiting
po,svc
pods,services,deployments.apps -o wide
deploy,sts,ds,jobs,cronjobs -o wide
deployments.v1.apps
deployments.apps/web
Deployment web
all
all -A
all -o wide --show-labels
all -l app=web
all -o name
pods -l app=web
pods -l app~in~(web,db),!nothing
pods -l app=none
pods --field-selector status.phase=Running
pods --field-selector status.phase!=Running,metadata.name=waiting
pods --chunk-size=1
pods --chunk-size=2 -o name
cm --chunk-size=1 -o json
pods --sort-by=.metadata.name
pods --sort-by=.metadata.labels.app
pods --sort-by={.status.phase} -o wide
gadgets --sort-by=.spec.size
gadgets --sort-by=.spec.quantity
gadgets --sort-by=spec.size -o json
gadgets --sort-by=.spec.size -o name
gadgets --sort-by=.metadata.name --show-labels
events --sort-by=.lastTimestamp
gadgets
gadgets -o wide
gd -A -L colour
gadgets.$SUFFIX.kapply.dev alpha
gadgets.v1beta1.$SUFFIX.kapply.dev
gadgets -o yaml
gadgets -o json
gadget gamma beta --no-headers
toys$SUFFIX
toys$SUFFIX -A --show-labels
planets
planets,gadgets -A
gadgets,planets -A
gadget alpha --subresource=status -o yaml
gadget alpha --subresource=scale
gadget alpha --subresource=scale -o json
deploy web --subresource=scale
deploy web --subresource=scale -o yaml
svc
svc -o wide
svc,ep,endpointslices
cm
cm plain -o yaml
cm plain -o json
cm plain -o json --show-managed-fields
cm plain -o yaml --show-managed-fields
cm hard-to-print -o json
cm hard-to-print -o yaml
cm plain hard-to-print -o yaml
cm/plain secret/login -o json
secret
secret login
secret login -o yaml
secret login -o jsonpath={.data.password}
secret login -o jsonpath={.data}
sa,roles,rolebindings -o wide
ingress,netpol,pdb,hpa
quota,limits,pvc
events
events -o wide
events -o json
crd
crd/gadgets.$SUFFIX.kapply.dev -o yaml
nodes
nodes -o wide
nodes -o json
ns
ns $NS --show-labels
ns $NS -o yaml
clusterroles,clusterrolebindings
clusterrole/look-$SUFFIX -o yaml
priorityclasses,sc,pv
apiservices
leases -A -o name
deploy web -o yaml
deploy web -o json
deploy web -o name
deploy,svc,cm -o name
deploy web -o jsonpath={.spec.template.spec.containers[*].image}
pods -o jsonpath={range~.items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}
pods -o jsonpath={.items[*].metadata.labels}
pods -o jsonpath={.items[?(@.metadata.labels.app=="web")].metadata.name}
pods -o jsonpath-as-json={.items[*].status.phase}
pods -o jsonpath-file=TEMPLATE
pods -o custom-columns=COLUMNS
pods -o custom-columns=COLUMNS --no-headers
pods -o custom-columns-file=COLUMNSFILE
deploy web -o custom-columns=N:.metadata.name,LABELS:.metadata.labels,NUMBER:.spec.replicas
cm -o custom-columns=NAME:metadata.name,LINES:.data.lines,TABS:.data.tabs
gadgets -o custom-columns=NAME:{.metadata.name},SPEC:.spec
rc
rc -o json
rc -o yaml
rc -o name
rc -o custom-columns=NAME:.metadata.name
rc,replicationcontrollers -A
pv -l no=such
pods -n no-such-namespace
pods nothing --ignore-not-found
pods nothing --ignore-not-found -o yaml
pods nothing crashing --ignore-not-found -o name
-f MANIFEST
-f MANIFEST -o name
-f MANIFEST -o yaml
-f ONE -o yaml
-f FOLDER -o name
-f MANIFEST -l app=web -o json
"""

#: What is printed otherwise: why, and with which commands.
DIFFERENT = {
    "kubectl ends with an error where there is an answer": (
        "gadgets --sort-by=.spec.ratio",  # 0.5 and 3: it does not compare them
        "cm,sa --sort-by=.metadata.name",  # it looks for the field in the Tables themselves
        "cm unprintable -o yaml",  # its YAML cannot hold U+007F
    ),
    "kubectl looks for labels in the Table itself, and finds none": ("-f MANIFEST -l app=web",),
    "kubectl mixes rows that are equal, when there are many": (
        "clusterroles --sort-by=.rules[0].verbs[0]",
    ),
    "kubectl writes control characters to the terminal, all but ESC": ("leases",),
    "kubectl forgets --no-headers": ("pods -o custom-columns-file=COLUMNSFILE --no-headers",),
    "kubectl shows managedFields inside watch events": (
        "cm watched -w -o json --output-watch-events",
    ),
}

#: What ends with an error: kapply's own words and exit codes, beside the same output.
ERRORS = {
    "pods nothing": 4,
    "pods nothing waiting -o name": 4,
    "pods nothing nowhere -o json": 4,
    "pod nothing -o json": 4,
    "pods,nothings": 2,
    "pods --sort-by=.spec.nothing": 2,  # kubectl: no resources found, and 0
    "gadgets --sort-by=.spec.on": 2,
    "pods -o nothing": 2,
    "pods -o jsonpath={.items": 2,
    "pods -l a=b=c": 2,
    "pods --field-selector nothing=1": 4,
    "pod waiting -A": 2,
    "pod waiting -l a=b": 2,
    "pods deploy/web": 2,
    "pods --subresource=status": 2,
    "pods/a/b": 2,
    "pod .. -o name": 2,
    "pods --show-labels -o json": 2,
    "pods --output-watch-events": 2,
    "": 2,
}


@dataclass
class Place:
    """Both tools in a namespace full of objects."""

    kapply: Tool
    kubectl: Tool
    namespace: str
    suffix: str
    folder: Path

    def must(self, *words: str, stdin: str | None = None) -> None:
        """Run kubectl; it has to succeed."""
        done = self.kubectl(words[0], "-n", self.namespace, *words[1:], stdin=stdin)
        assert done.code == 0, done.screen

    def words(self, command: str) -> list[str]:
        files = {
            "TEMPLATE": self.folder / "template.txt",
            "COLUMNSFILE": self.folder / "columns.txt",
            "MANIFEST": self.folder / "manifest.yaml",
            "ONE": self.folder / "manifests" / "one.yaml",
            "FOLDER": self.folder / "manifests",
        }
        for name, path in files.items():
            command = command.replace(name, str(path))
        command = command.replace("COLUMNS", COLUMNS).replace("\\\\", "\\")
        words = [word.replace("~", " ") for word in self.filled(command).split()]
        return [*words, *(() if "-n" in words else ("-n", self.namespace))]

    def filled(self, text: str) -> str:
        """Names that are this run's own in place of $NS and $SUFFIX."""
        return text.replace("$NS", self.namespace).replace("$SUFFIX", self.suffix)


@pytest.fixture(scope="module")
def place(cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("get")
    kubectl = kubectl_tool(folder, cluster.kubeconfig)
    namespace = cluster.create_namespace("get")
    suffix = f"x{secrets.token_hex(3)}"
    found = Place(kapply_tool(folder, cluster.kubeconfig), kubectl, namespace, suffix, folder)

    # What earlier tests left is still going, and would go between two runs.
    cluster.wait_for(
        lambda: all(
            one["status"]["phase"] == "Active"
            for one in cluster.request("GET", "/api/v1/namespaces").ok()["items"]
        ),
        "the end of other namespaces",
    )
    found.must("create", "-f", "-", stdin=found.filled((DATA / "kinds.yaml").read_text()))
    for kind in ("gadgets", "planets"):
        found.must("wait", "--for=condition=Established", f"crd/{kind}.{suffix}.kapply.dev")
    found.must("create", "-f", "-", stdin=found.filled((DATA / "objects.yaml").read_text()))
    found.must("rollout", "status", "deploy/web", "--timeout=120s")
    found.must("rollout", "status", "sts/db", "--timeout=120s")
    found.must("wait", "--for=condition=Complete", "job/once", "--timeout=120s")
    found.must("wait", "--for=jsonpath={.status.phase}=Running", "pod/crashing")
    _write_files(folder)
    yield found
    for name in CLUSTER_SCOPED:
        found.must("delete", "--wait=false", found.filled(name))
    cluster.delete_namespace(namespace)


def _write_files(folder: Path) -> None:
    (folder / "template.txt").write_text("{range .items[*]}{.metadata.name}\n{end}")
    (folder / "columns.txt").write_text("NAME          PHASE\nmetadata.name {.status.phase}\n")
    manifests = folder / "manifests"
    manifests.mkdir()
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain, labels: {app: web}}\n"
    two = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, labels: {app: web}}\n"
    (manifests / "one.yaml").write_text(one)
    (manifests / "two.yaml").write_text(two)
    more = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    (folder / "manifest.yaml").write_text(f"{one}---\n{two}---\n{more}")


_AGE = re.compile(r"\b(\d+[smhdy])+(?: ago\))? *")


def _ageless(text: str) -> str:
    return _AGE.sub("<age> ", text)


@pytest.mark.parametrize("command", SAME.strip().splitlines())
def test_same_bytes(place: Place, command: str) -> None:
    words = place.words(command)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(place.kubectl, "get", *words)
        ours, theirs = place.kapply("get", *words), running.result()
    assert theirs.code == 0, theirs.screen
    # Only warnings begin otherwise.
    assert (ours.code, ours.err) == (0, theirs.err.replace("Warning:", "warning:"))
    if ours.out != theirs.out:
        compare_between_two(place, words)


def compare_between_two(place: Place, words: list[str]) -> None:
    """Ages tick: kapply has to agree where two runs of kubectl around it agree."""
    for _ in range(5):
        before = place.kubectl("get", *words)
        ours = place.kapply("get", *words)
        after = place.kubectl("get", *words)
        if _ageless(before.out) == _ageless(after.out):
            break
    if before.out == after.out:
        assert ours.out == before.out
    else:
        assert _ageless(before.out) == _ageless(after.out), "kubectl itself differs each time"
        assert _ageless(ours.out) == _ageless(before.out)


def test_enough_commands_and_few_differences() -> None:
    commands = SAME.strip().splitlines()
    assert len(set(commands)) == len(commands) >= 45
    assert len(DIFFERENT) <= 6


@pytest.mark.parametrize(
    "command", [one for some in DIFFERENT.values() for one in some if " -w " not in one]
)
def test_differences_are_still_there(place: Place, command: str) -> None:
    words = place.words(command)
    theirs, ours = place.kubectl("get", *words), place.kapply("get", *words)
    assert (ours.code, ours.err) == (0, "")
    assert ours.out != theirs.out


@pytest.mark.parametrize("command", ERRORS)
def test_errors(place: Place, command: str) -> None:
    words = place.words(command)
    theirs, ours = place.kubectl("get", *words), place.kapply("get", *words)
    assert ours.code == ERRORS[command], ours.err
    assert ours.out == theirs.out
    assert ours.err.startswith("kapply: ")


#: Watches of ConfigMaps, one of which changes three times and then goes.
WATCHES = """
cm -w
cm -w --no-headers --show-labels
cm -A -w -o wide --field-selector metadata.name=watched
cm -w --show-kind -L app
cm -w -o name
cm -w -o yaml -l app=w
cm -w -o json
cm -w -o custom-columns=NAME:.metadata.name,N:.data.n
cm -w --sort-by=.metadata.creationTimestamp -l app=w
cm -w --output-watch-events
cm -w -l app=w -o yaml --output-watch-events --show-managed-fields
cm -w -o json --output-watch-events --show-managed-fields
cm --watch-only
cm --watch-only -o name
cm watched -w
cm watched -w -o jsonpath={.metadata.name}={.data.n}{"\\n"}
cm watched -w --output-watch-events
cm watched --watch-only -o name
"""
WATCHED_OTHERWISE = [one for some in DIFFERENT.values() for one in some if " -w " in one]


class Watcher:
    """A `get -w` that runs, and what it has printed."""

    def __init__(self, tool: Tool, words: list[str], folder: Path) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                # -v6 tells when the watch has been answered.
                [*tool.command, "get", *words, "-v6"],
                stdout=out,
                stderr=err,
                stdin=subprocess.DEVNULL,
                env=tool.env,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    def ready(self, *, seen: int) -> bool:
        """Whether the watch is on, and the object was printed so many times."""
        assert self._process.poll() is None, self._err.read_text()
        return "watch=true" in self._err.read_text() and self.out.count("watched") >= seen

    def end(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def watching(tool: Tool, words: list[str], folder: Path) -> Iterator[Watcher]:
    folder.mkdir()
    watcher = Watcher(tool, words, folder)
    try:
        yield watcher
    finally:
        watcher.end()


@pytest.mark.parametrize("command", [*WATCHES.strip().splitlines(), *WATCHED_OTHERWISE])
def test_watch(place: Place, cluster: TestCluster, tmp_path: Path, command: str) -> None:
    words = place.words(command)
    before = 0 if "--watch-only" in words else 1
    place.must("delete", "cm", "watched", "--ignore-not-found")
    place.must("create", "cm", "watched", "--from-literal=n=0")
    place.must("label", "cm", "watched", "app=w")
    with (
        watching(place.kubectl, words, tmp_path / "kubectl") as theirs,
        watching(place.kapply, words, tmp_path / "kapply") as ours,
    ):
        for one in (theirs, ours):
            cluster.wait_for(partial(one.ready, seen=before), f"the watch of {one}", timeout=30)
        for number in range(1, 4):
            patch = f'{{"data": {{"n": "{number}"}}}}'
            place.must("patch", "cm", "watched", "--type=merge", "-p", patch)
        place.must("delete", "cm", "watched")
        for one in (theirs, ours):
            cluster.wait_for(partial(one.ready, seen=before + 4), f"events of {one}", timeout=30)
    same = _ageless(ours.out) == _ageless(theirs.out)
    assert same == (command not in WATCHED_OTHERWISE), f"{theirs.out}\n{ours.out}"
