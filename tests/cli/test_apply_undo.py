"""--recreate and --atomic on a real API server: what is deleted, made anew and put back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster


class Here:
    """kapply in a namespace of a real server, with one manifest file."""

    def __init__(self, cluster: TestCluster, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder
        self.kapply: Tool = kapply_tool(folder, cluster.kubeconfig)
        self.path = folder / "x.yaml"

    def __call__(self, command: str, *objects: Any, flags: tuple[str, ...] = ()) -> Any:
        self.path.write_text("".join(f"---\n{json.dumps(obj)}\n" for obj in objects))
        return self.kapply(command, "-n", self.namespace, "-f", self.path, *flags)

    def get(self, resource: str, name: str, group: str = "/api/v1") -> Any:
        path = f"{group}/namespaces/{self.namespace}/{resource}/{name}"
        answer = self.cluster.request("GET", path)
        return answer.json() if answer.code == 200 else None

    def patch(self, resource: str, name: str, patch: Any, group: str = "/api/v1") -> None:
        path = f"{group}/namespaces/{self.namespace}/{resource}/{name}"
        self.cluster.request("PATCH", path, patch).ok()


@pytest.fixture
def here(apiserver: TestCluster, api_namespace: str, tmp_path: Path) -> Here:
    return Here(apiserver, api_namespace, tmp_path)


def config(name: str, **more: Any) -> Any:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def fixed(name: str, **data: str) -> Any:
    return config(name, data=data, immutable=True)


BATCH = "/apis/batch/v1"


def job(image: str, **annotations: str) -> Any:
    container = {"name": "c", "image": image}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "annotations": annotations},
        "spec": {"template": {"spec": {"containers": [container], "restartPolicy": "Never"}}},
    }


def test_nothing_is_recreated_unasked_and_the_plan_shows_it(here: Here) -> None:
    assert here("apply", fixed("a", k="1")).code == 0
    refused = here("apply", fixed("a", k="2"))
    assert (refused.code, refused.out) == (4, ""), refused.screen
    assert "needs to be recreated" in refused.err
    shown = here("plan", fixed("a", k="2"), flags=("--recreate",))
    assert shown.code == 1, shown.screen
    assert "recreate ConfigMap a" in shown.out
    before = here.get("configmaps", "a")
    done = here("apply", fixed("a", k="2"), flags=("--recreate",))
    assert (done.code, done.out) == (0, "configmap/a recreated\n"), done.screen
    after = here.get("configmaps", "a")
    assert after["data"] == {"k": "2"}
    assert after["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("--recreate", 4),
        ("--recreate=pvc/other", 2),
        ("--recreate=PersistentVolumeClaim/disk", 0),
        ("--recreate=persistentvolumeclaims/disk", 0),
        ("--recreate=disk", 2),
    ],
)
def test_what_holds_data_is_recreated_only_when_it_is_named(
    word: str, code: int, here: Here
) -> None:
    def claim(size: str) -> Any:
        spec = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": size,
            "resources": {"requests": {"storage": "1Gi"}},
        }
        kind = "PersistentVolumeClaim"
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "disk"}, "spec": spec}

    assert here("apply", claim("slow")).code == 0
    # Nothing here takes the finalizer off that protects claims.
    here.patch("persistentvolumeclaims", "disk", {"metadata": {"finalizers": None}})
    done = here("apply", claim("fast"), flags=(word,))
    assert done.code == code, done.screen
    live = here.get("persistentvolumeclaims", "disk")
    assert live["spec"]["storageClassName"] == ("slow" if code else "fast")


def test_a_job_that_says_so_is_replaced_after_its_end_only(here: Here) -> None:
    replace = {"kapply.dev/on-change": "replace"}
    assert here("apply", job("migrate:1", **replace)).code == 0
    waits = here("apply", job("migrate:2", **replace))
    assert (waits.code, waits.out) == (4, ""), waits.screen
    assert "waits until the Job that is there has ended" in waits.err
    now = "2026-01-01T00:00:00Z"
    ended = [
        {"type": kind, "status": "True", "lastTransitionTime": now}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"conditions": ended, "startTime": now, "completionTime": now}
    here.patch("jobs", "migrate/status", {"status": status}, BATCH)
    # Nothing here takes the finalizers off, either.
    done = here("apply", job("migrate:2", **replace))
    assert (done.code, done.out) == (0, "job.batch/migrate recreated\n"), done.screen
    live = here.get("jobs", "migrate", BATCH)
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "migrate:2"
    assert here("apply", job("migrate:2", **replace)).out == "job.batch/migrate unchanged\n"
    assert here("apply", job("migrate:3")).code == 4


POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["configmaps"],
                }
            ]
        },
        "validations": [
            {"expression": "!has(object.data) || !('bad' in object.data)", "message": "bad data"}
        ],
    },
}


@pytest.fixture
def no_bad(apiserver: TestCluster, api_namespace: str) -> Any:
    """Creates of ConfigMaps with the key `bad` are refused, updates are not."""
    base = "/apis/admissionregistration.k8s.io/v1"
    name = f"no-bad-{api_namespace}"
    policies, bindings = (
        f"{base}/validatingadmissionpolicies",
        f"{base}/validatingadmissionpolicybindings",
    )
    apiserver.request("POST", policies, {**POLICY, "metadata": {"name": name}}).ok()
    selector = {"matchLabels": {"kubernetes.io/metadata.name": api_namespace}}
    binding = {
        "apiVersion": POLICY["apiVersion"],
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": selector},
        },
    }
    apiserver.request("POST", bindings, binding).ok()
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    probe = config("probe", data={"bad": "x"})
    apiserver.wait_for(
        lambda: apiserver.request("POST", path, probe, query={"dryRun": "All"}).code == 422,
        "the policy",
    )
    yield
    apiserver.request("DELETE", f"{bindings}/{name}").ok()
    apiserver.request("DELETE", f"{policies}/{name}").ok()


@pytest.mark.usefixtures("no_bad")
def test_when_the_create_fails_the_old_object_is_put_back_with_its_owners(
    here: Here, apiserver: TestCluster
) -> None:
    assert here("apply", fixed("a", k="1")).code == 0
    kubectl = kubectl_tool(here.folder, apiserver.kubeconfig)
    words = ("label", "-n", here.namespace, "cm", "a", "theirs=yes")
    assert kubectl(*words).code == 0
    before = here.get("configmaps", "a")
    failed = here("apply", fixed("a", bad="x"), flags=("--recreate",))
    assert failed.code == 4, failed.screen
    assert "bad data" in failed.err
    assert "the old object was put back, but is not what it was: its uid" in failed.err
    after = here.get("configmaps", "a")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    for obj in (before, after):
        for key in ("uid", "resourceVersion", "creationTimestamp"):
            del obj["metadata"][key]
    assert after == before
    # And it is as if nothing had been: the next apply has nothing to do.
    assert here("apply", fixed("a", k="1")).out == "configmap/a unchanged\n"


def bad_service(name: str) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"clusterIP": "1.2.3.4", "ports": [{"port": 80}]},
    }


def test_atomic_puts_everything_back_and_a_later_removal_still_removes(here: Here) -> None:
    first = config("a", data={"keep": "1", "later": "1"})
    assert here("apply", first).code == 0
    here.patch("configmaps", "a", {"data": {"theirs": "x"}})
    before = here.get("configmaps", "a")
    changed = config("a", data={"keep": "2", "new": "2"})
    failed = here(
        *("apply", changed, config("b"), bad_service("bad")),
        flags=("--no-preflight", "--atomic"),
    )
    assert failed.code == 4, failed.screen
    assert failed.out.splitlines() == [
        "configmap/a configured",
        "configmap/b created",
        "configmap/a restored",
        "configmap/b deleted again",
    ]
    assert "put back: 2" in failed.err
    after = here.get("configmaps", "a")
    assert after["data"] == before["data"] == {"keep": "1", "later": "1", "theirs": "x"}
    assert here.get("configmaps", "b") is None
    assert here("apply", first).out == "configmap/a unchanged\n"
    # `later` is ours still: without it in the manifest it goes.
    assert here("apply", config("a", data={"keep": "1"})).code == 0
    assert here.get("configmaps", "a")["data"] == {"keep": "1", "theirs": "x"}


def test_atomic_gives_back_what_was_adopted(here: Here, apiserver: TestCluster) -> None:
    """Before the run our manager owned nothing of it."""
    path = f"/api/v1/namespaces/{here.namespace}/configmaps"
    apiserver.request("POST", path, config("a", data={"k": "1"})).ok()
    failed = here(
        *("apply", config("a", data={"k": "1"}), bad_service("bad")),
        flags=("--no-preflight", "--atomic"),
    )
    assert failed.code == 4, failed.screen
    live = here.get("configmaps", "a")
    assert live["data"] == {"k": "1"}
    managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
    assert "kapply" not in managers


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.undo.kapply.dev"},
    "spec": {
        "group": "undo.kapply.dev",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}


def test_atomic_says_what_cannot_be_put_back(here: Here, apiserver: TestCluster) -> None:
    assert here("apply", fixed("a", k="1")).code == 0
    other = {**bad_service("bad"), "spec": {"ports": [{"port": 80}], "type": "Nonsense"}}
    failed = here(
        *("apply", CRD, fixed("a", k="2"), other),
        flags=("--atomic", "--recreate", "--keep-going", "--validate=warn"),
    )
    try:
        assert failed.code == 4, failed.screen
        assert "not put back: a CRD that was created stays" in failed.err
        assert "not put back: it was recreated" in failed.err
        assert "could not be put back: 2" in failed.err
    finally:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD['metadata']['name']}"  # type: ignore[index]
        apiserver.request("DELETE", path).ok()


def test_atomic_leaves_a_namespace_in_which_something_else_was_put(
    here: Here, apiserver: TestCluster
) -> None:
    name = f"{here.namespace}-new"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    inside = config("inside")
    inside["metadata"]["namespace"] = name
    late = bad_service("bad")
    late["metadata"]["namespace"] = name
    here.path.write_text("".join(f"---\n{json.dumps(o)}\n" for o in (namespace, inside, late)))
    failed = here.kapply("apply", "-f", here.path, "--no-preflight", "--atomic", "--timeout=2s")
    assert failed.code == 4, failed.screen
    assert f"namespace/{name} created" in failed.out
    assert "configmap/inside deleted again" in failed.out
    # Without controllers the empty Namespace only begins to go.
    live = apiserver.request("GET", f"/api/v1/namespaces/{name}").ok()
    assert live["status"]["phase"] == "Terminating"
    apiserver.delete_namespace(name)
