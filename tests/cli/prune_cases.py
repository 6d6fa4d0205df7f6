"""Situations of a prune, as data: what is done, what may go, and what must stay.

An object is a word: "a" is ConfigMap a, "svc/a" a Service, "other:a" one in the other namespace;
"a+keep" has the annotation that keeps it, "a=2" other content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kapply.planning.inventory import GROUP_KINDS, ID, NAMESPACES, PART_OF, TOOLING
from kapply.values.times import format_micro_time
from tests.cli.ground import MERGE, Ground

PRUNE = ("--applyset=set", "--prune")
KEEP = "kapply.dev/on-remove"
COLLECTION = {
    "cm": "/api/v1/namespaces/{}/configmaps",
    "secret": "/api/v1/namespaces/{}/secrets",
    "svc": "/api/v1/namespaces/{}/services",
    "deploy": "/apis/apps/v1/namespaces/{}/deployments",
}
KIND = {"cm": "ConfigMap", "secret": "Secret", "svc": "Service", "deploy": "Deployment"}


def parts(word: str) -> tuple[str, str, str, str]:
    """Where ("" or "other"), kind, name, and what is special about it."""
    place, _, rest = word.rpartition(":")
    kind, _, name = rest.rpartition("/")
    for mark in ("+", "="):
        if mark in name:
            name, _, special = name.partition(mark)
            return place, kind or "cm", name, mark + special
    return place, kind or "cm", name, ""


def normal(word: str) -> str:
    """The word as `things` has it."""
    place, kind, name, _ = parts(word)
    return f"{place}:{kind}/{name}" if place else f"{kind}/{name}"


def namespace_of(ground: Ground, word: str) -> str:
    return ground.other if parts(word)[0] else ground.ns


def path(ground: Ground, word: str) -> str:
    _, kind, name, _ = parts(word)
    return f"{COLLECTION[kind].format(namespace_of(ground, word))}/{name}"


def manifest(ground: Ground, word: str) -> dict[str, Any]:
    _, kind, name, special = parts(word)
    metadata: dict[str, Any] = {"name": name, "namespace": namespace_of(ground, word)}
    if special == "+keep":
        metadata["annotations"] = {KEEP: "keep"}
    if special == "+label":
        metadata["labels"] = {PART_OF: "applyset-mine-v1"}
    if special == "+hold":
        metadata["finalizers"] = ["test.kapply.dev/hold"]
    version = "apps/v1" if kind == "deploy" else "v1"
    obj: dict[str, Any] = {"apiVersion": version, "kind": KIND[kind], "metadata": metadata}
    if kind == "cm":
        obj["data"] = {"k": special[1:] if special.startswith("=") else "v"}
    elif kind == "svc":
        obj["spec"] = {"ports": [{"port": 80}], "clusterIP": "None"}
    elif kind == "deploy":
        labels = {"app": name}
        pod = {"containers": [{"name": "c", "image": "registry.example/i"}]}
        obj["spec"] = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        }
    if special == "+bad":
        obj["data"] = {"not a key!": "v"}
    return obj


@dataclass(frozen=True)
class Run:
    """kapply apply (or what `command` says) of some words; how it must end, and say."""

    words: str
    flags: tuple[str, ...] = PRUNE
    code: int = 0
    says: str = ""
    never_says: str = ""
    command: str = "apply"


Meddle = Callable[[Ground], None]


@dataclass(frozen=True)
class Case:
    """One situation.

    Attributes:
        steps: runs, and what others do between them.
        there: the objects at the end, but for bystanders.
        parent: the parent's kinds at the end; None for no parent.
        server: why it needs a real API server, or "".
    """

    name: str
    steps: tuple[Run | Meddle, ...]
    there: str
    parent: str | None = "ConfigMap"
    server: str = ""


def patch(word: str, body: dict[str, Any]) -> Meddle:
    def act(ground: Ground) -> None:
        code, answer = ground.request("PATCH", path(ground, word), body, content_type=MERGE)
        assert code == 200, answer

    return act


def annotate(word: str, **values: str | None) -> Meddle:
    return patch(word, {"metadata": {"annotations": values}})


def owned(word: str, *, controller: bool) -> Meddle:
    """An owner of the kind that a controller sets; the owner is the bystander."""

    def act(ground: Ground) -> None:
        _, owner = ground.request("GET", path(ground, "bystander"))
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "bystander"}
        reference |= {"uid": owner["metadata"]["uid"]}
        body = {"metadata": {"ownerReferences": [{**reference, "controller": controller}]}}
        patch(word, body)(ground)

    return act


def create(word: str, **metadata: Any) -> Meddle:
    def act(ground: Ground) -> None:
        obj = manifest(ground, word)
        obj["metadata"] |= metadata
        code, answer = ground.request("POST", path(ground, word).rpartition("/")[0], obj)
        assert code == 201, answer

    return act


def delete(word: str) -> Meddle:
    def act(ground: Ground) -> None:
        code, answer = ground.request("DELETE", path(ground, word))
        assert code in (200, 202), answer

    return act


def again(word: str) -> Meddle:
    """Deleted and made anew by somebody, with all its labels: another uid under the same name."""

    def act(ground: Ground) -> None:
        _, obj = ground.request("GET", path(ground, word))
        delete(word)(ground)
        kept = {key: obj["metadata"][key] for key in ("name", "namespace", "labels")}
        body = {**obj, "metadata": kept}
        code, answer = ground.request("POST", path(ground, word).rpartition("/")[0], body)
        assert code == 201, answer

    return act


def parent_says(**marks: str | None) -> Meddle:
    keys = {"tooling": TOOLING, "kinds": GROUP_KINDS, "namespaces": NAMESPACES}

    def act(ground: Ground) -> None:
        body: dict[str, Any] = {"annotations": {keys[k]: v for k, v in marks.items() if k in keys}}
        if "id" in marks:
            body["labels"] = {ID: marks["id"]}
        patch("secret/set", {"metadata": body})(ground)

    return act


def lock(age: float, *, seconds: int = 15) -> Meddle:
    """Another run's Lease, renewed so many seconds ago."""

    def act(ground: Ground) -> None:
        from kapply.engine.lease import lock_name
        from kapply.meta import GroupVersionKind, RESTMapping
        from kapply.planning.inventory import Parent

        secrets = RESTMapping(GroupVersionKind("", "v1", "Secret"), "secrets", True)
        moment = format_micro_time(datetime.now(UTC) - timedelta(seconds=age))
        spec = {"holderIdentity": "kapply on ci-7", "leaseDurationSeconds": seconds}
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": lock_name(Parent(secrets, ground.ns, "set"))},
            "spec": {**spec, "renewTime": moment, "acquireTime": moment},
        }
        where = f"/apis/coordination.k8s.io/v1/namespaces/{ground.ns}/leases"
        code, answer = ground.request("POST", where, body)
        assert code == 201, answer

    return act


def copied_by_a_controller(ground: Ground) -> None:
    """A label that a controller copied, as the Endpoints controller does."""
    _, obj = ground.request("GET", path(ground, "a"))
    labels = {PART_OF: obj["metadata"]["labels"][PART_OF]}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}
    body["metadata"] = {"name": "copy", "labels": labels}
    where = f"{path(ground, 'a').rpartition('/')[0]}?fieldManager=kube-controller-manager"
    code, answer = ground.request("POST", where, body)
    assert code == 201, answer


def smuggled(ground: Ground) -> None:
    """Somebody gives an object the label by hand, as one does to bring it into the set."""
    _, obj = ground.request("GET", path(ground, "a"))
    labels = {PART_OF: obj["metadata"]["labels"][PART_OF]}
    create("hand", labels=labels)(ground)


FIRST = Run("a b c")
EMPTY = ("--allow-empty",)
CASES: tuple[Case, ...] = (
    # --- what may go -------------------------------------------------------------------------
    Case("one left out", (FIRST, Run("a b", says="configmap/c pruned")), "a b"),
    Case("nothing left out", (FIRST, Run("a b c", never_says="pruned")), "a b c"),
    Case("renamed", (FIRST, Run("a b d", says="configmap/c pruned")), "a b d"),
    Case("moved to another namespace", (FIRST, Run("a b other:c", says="pruned")), "a b other:c"),
    Case("moved and back", (FIRST, Run("a b other:c"), Run("a b c", says="pruned")), "a b c"),
    Case(
        "the last of its kind",
        (Run("a b svc/s"), Run("a b", says="service/s pruned")),
        "a b",
    ),
    Case("changed and left out", (FIRST, Run("a=2 b", says="a configured")), "a b"),
    Case("changed by hand, then left out", (FIRST, annotate("c", x="y"), Run("a b")), "a b"),
    Case("made anew by somebody", (FIRST, again("c"), Run("a b", says="c pruned")), "a b"),
    Case("gone before", (FIRST, delete("c"), Run("a b", never_says="pruned")), "a b"),
    Case("brought in by hand", (FIRST, smuggled, Run("a b c", says="hand pruned")), "a b c"),
    Case("owned, but by no controller", (FIRST, owned("c", controller=False), Run("a b")), "a b"),
    Case(
        "a plan alone",
        (FIRST, Run("a b", code=1, command="diff", says="delete ConfigMap c")),
        "a b c",
    ),
    Case(
        "a dry run",
        (FIRST, Run("a b", (*PRUNE, "--dry-run=server"), says=r"c pruned \(server dry run\)")),
        "a b c",
    ),
    Case(
        "a dry run of the client",
        (FIRST, Run("a b", (*PRUNE, "--dry-run=client"), says="c pruned")),
        "a b c",
    ),
    Case(
        "without --prune nothing goes", (FIRST, Run("a b", PRUNE[:1], never_says="pruned")), "a b c"
    ),
    Case("pruned later", (FIRST, Run("a b", PRUNE[:1]), Run("a b", says="c pruned")), "a b"),
    # --- what must stay ----------------------------------------------------------------------
    Case(
        "an annotation keeps it",
        (Run("a b c+keep"), Run("a b", says=f"c in .* stays: its annotation {KEEP} says keep")),
        "a b c",
    ),
    Case(
        "kept, then not any more",
        (Run("a b c+keep"), Run("a b"), annotate("c", **{KEEP: None}), Run("a b", says="c pruned")),
        "a b",
    ),
    Case(
        "a controller owns it",
        (FIRST, owned("c", controller=True), Run("a b", says="belongs to ConfigMap bystander")),
        "a b c",
    ),
    Case(
        "taken out of the set",
        (FIRST, patch("c", {"metadata": {"labels": {PART_OF: None}}}), Run("a b")),
        "a b c",
    ),
    Case(
        "taken over by another set",
        (FIRST, patch("c", {"metadata": {"labels": {PART_OF: "applyset-x-v1"}}}), Run("a b")),
        "a b c",
    ),
    Case(
        "a label that a controller copied",
        (FIRST, copied_by_a_controller, Run("a b", says="copied there by kube-controller-manager")),
        "a b copy",
    ),
    # --- runs that are refused before anything is written ------------------------------------
    Case(
        "too many",
        (Run("a b c d"), Run("a=2", code=4, says="3 of 4 members of the set would be pruned")),
        "a b c d",
    ),
    Case(
        "too many, and the others applied all the same",
        (Run("a b c d"), Run("a=2 e", (*PRUNE, "--keep-going"), code=4, says="nothing was pruned")),
        "a b c d e",
    ),
    Case("as many as allowed", (Run("a b c d"), Run("a b")), "a b"),
    Case("a higher limit", (Run("a b c d"), Run("a", (*PRUNE, "--prune-limit=75%"))), "a"),
    Case(
        "a limit that is a count",
        (FIRST, Run("a b", (*PRUNE, "--prune-limit=0"), code=4, says="--prune-limit=0 allows")),
        "a b c",
    ),
    Case("an empty input", (FIRST, Run("", code=4, says="all 3 members")), "a b c"),
    Case("an empty input that is meant", (FIRST, Run("", (*PRUNE, *EMPTY))), "", parent=""),
    Case("all of them others", (FIRST, Run("d", code=4, says="all 3 members")), "a b c"),
    Case("all others, and meant", (FIRST, Run("d", (*PRUNE, *EMPTY))), "d"),
    Case(
        "a manifest is wrong",
        (FIRST, Run("a b+bad", code=2, never_says="pruned")),
        "a b c",
    ),
    Case(
        "an object of another set in the input",
        (FIRST, Run("a b theirs", code=4, says="is part of another ApplySet: applyset-other-v1")),
        "a b c",
    ),
    Case(
        "two sets at once",
        (FIRST, Run("c d", ("--applyset=two", "--prune"), code=4, says="part of another ApplySet")),
        "a b c",
    ),
    Case(
        "an object of a controller in the input",
        (
            FIRST,
            owned("c", controller=True),
            create("d"),
            owned("d", controller=True),
            Run("a b c d", code=4, says="ConfigMap d in .*refused"),
        ),
        "a b c d",
    ),
    Case("the label in the input", (FIRST, Run("a b+label", code=2, says="must not say")), "a b c"),
    Case(
        "another tool's set",
        (FIRST, parent_says(tooling="kubectl/v1.37.1"), Run("a b", code=4, says="kept by kubectl")),
        "a b c",
    ),
    Case(
        "another tool's set, adopted",
        (FIRST, parent_says(tooling="kubectl/v1.37.1"), Run("a b", (*PRUNE, "--adopt-applyset"))),
        "a b",
    ),
    Case(
        "a parent with a wrong id",
        (FIRST, parent_says(id="applyset-x-v1"), Run("a b", code=4, says="has a wrong")),
        "a b c",
    ),
    Case(
        "a parent without its kinds",
        (FIRST, parent_says(kinds=None), Run("a b", code=4, says="does not say which kinds")),
        "a b c",
        parent="missing",
    ),
    Case(
        "the parent's name is taken",
        (create("secret/set"), Run("a", code=4, says="is not the parent of an ApplySet")),
        "",
        parent="missing",
    ),
    Case(
        "a namespace as parent",
        (Run("a", ("--applyset=ns/set", "--prune"), code=2, says="cannot be the parent"),),
        "",
        parent=None,
    ),
    Case(
        "prune without a set", (Run("a", ("--prune",), code=2, says="needs --applyset"),), "", None
    ),
    Case(
        "a selector and a set",
        (FIRST, Run("a", (*PRUNE, "-l", "x=y"), code=2, says="cannot be given together")),
        "a b c",
    ),
    # --- runs that end before the prune ------------------------------------------------------
    Case(
        "unhealthy",
        (FIRST, Run("a b deploy/d", (*PRUNE, "--timeout=1s"), code=5, says="nothing was pruned")),
        "a b c deploy/d",
        parent="ConfigMap,Deployment.apps",
        server="the sandbox runs no controllers, so nothing is waited for",
    ),
    Case(
        "unhealthy, and pruned all the same",
        (FIRST, Run("a b deploy/d", (*PRUNE, "--prune-unhealthy"), says="c pruned")),
        "a b deploy/d",
        parent="ConfigMap,Deployment.apps",
    ),
    Case(
        "a kind that the server lost",
        (
            FIRST,
            parent_says(kinds="ConfigMap,Widget.gone.example"),
            Run("a b", says="Widget.gone.example of the set is served no more"),
        ),
        "a b",
    ),
    Case(
        "a finalizer holds it",
        (
            Run("a b c+hold"),
            Run("a b", (*PRUNE, "--timeout=1s"), code=5, says="held by finalizer"),
            patch("c", {"metadata": {"finalizers": None}}),
        ),
        "a b",
    ),
    Case(
        "held, let go, and run again",
        (
            Run("a b svc/c+hold"),
            Run("a b", (*PRUNE, "--timeout=1s"), code=5),
            patch("svc/c", {"metadata": {"finalizers": None}}),
            Run("a b"),
        ),
        "a b",
    ),
    # --- two runs on one set -----------------------------------------------------------------
    Case(
        "another run works on the set",
        (FIRST, lock(1), Run("a b", code=4, says="another run works on .*kapply on ci-7")),
        "a b c",
    ),
    Case(
        "a run that ended without a word",
        (FIRST, lock(600, seconds=1), Run("a b", says="was not renewed; it is broken")),
        "a b",
    ),
    # --- the set as a whole ------------------------------------------------------------------
    Case(
        "deleted as a set",
        (FIRST, Run("", ("--applyset=set", "--yes"), command="delete")),
        "",
        parent=None,
    ),
    Case(
        "deleted as a set but for one",
        (Run("a b c+keep"), Run("", ("--applyset=set", "--yes"), command="delete", says="c kept")),
        "c",
    ),
    Case(
        "deleted without being asked",
        (FIRST, Run("", ("--applyset=set",), command="delete", code=2, says="--yes")),
        "a b c",
    ),
    Case(
        "disbanded",
        (FIRST, Run("", ("disband", "set", "--yes"), command="applyset", says="a released")),
        "a b c",
        parent=None,
    ),
    Case(
        "disbanded, and applied as another",
        (
            FIRST,
            Run("", ("disband", "set", "--yes"), command="applyset"),
            Run("a b", ("--applyset=configmap/new", "--prune")),
        ),
        "a b c new",
        parent=None,
    ),
)
