"""The whole GitOps story on a real control plane, with the exit codes that a CI goes by."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import xmlschema

from tests.cli.ground import screen
from tests.cli.tool import Result, Tool, kapply_tool
from tests.cluster.cluster import TestCluster

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MERGE = "application/merge-patch+json"

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {ns}}}\n"
CONFIG = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings, namespace: {ns}}}
data: {{colour: {colour}}}
"""
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {ns}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata:
      labels: {{app: web}}
      annotations: {{test.kapply.dev/play: run, test.kapply.dev/ready-after: "0"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: web, image: registry.example/web}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {ns}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
"""


class Repo:
    """A folder of manifests, and the commands of a pipeline on it."""

    def __init__(self, kapply: Tool, cluster: TestCluster, folder: Path, ns: str) -> None:
        self.kapply, self.cluster, self.ns = kapply, cluster, ns
        self.folder = folder / "repo"
        self.folder.mkdir()
        self.set = ("-n", ns, "--applyset=shop", "--prune")

    def write(self, name: str, text: str, **values: object) -> None:
        (self.folder / name).write_text(text.format(ns=self.ns, **values))

    def __call__(self, code: int, *words: str | Path) -> Result:
        done = self.kapply(*words)
        assert done.code == code, screen(done)
        return done

    def live(self, path: str) -> dict[str, object]:
        answer = self.cluster.request("GET", path)
        found: dict[str, object] = answer.json()
        return found if answer.code == 200 else {}


@pytest.fixture
def repo(cluster: TestCluster, tmp_path: Path) -> Repo:
    return Repo(kapply_tool(tmp_path, cluster.kubeconfig), cluster, tmp_path, "pipeline-shop")


def reports_are_sound(folder: Path) -> None:
    """JUnit by the schema that CI systems go by, JSON by ours, Markdown within GitHub's limit."""
    xmlschema.XMLSchema(str(HERE / "junit.xsd")).validate(str(folder / "junit.xml"))
    import jsonschema

    schema = json.loads((ROOT / "schemas" / "report.schema.json").read_text())
    jsonschema.validate(json.loads((folder / "report.json").read_text()), schema)
    markdown = (folder / "report.md").read_text()
    assert 0 < len(markdown) < 65_536


def test_the_whole_story(repo: Repo, tmp_path: Path) -> None:
    files = ("-f", repo.folder)
    reports = (
        f"--report=junit={tmp_path / 'junit.xml'}",
        f"--report=json={tmp_path / 'report.json'}",
        f"--report=markdown={tmp_path / 'report.md'}",
    )
    settings = f"/api/v1/namespaces/{repo.ns}/configmaps/settings"

    # A pull request with a mistake: found before any server is asked for anything but schemas.
    repo.write("0-ns.yaml", NAMESPACE)
    repo.write("config.yaml", CONFIG.replace("data:", "datta:"), colour="red")
    repo.write("web.yaml", WEB, replicas=1)
    wrong = repo(2, "validate", *files)
    assert re.search(r"config\.yaml:5:\d+ .*datta", wrong.screen), screen(wrong)

    # Mended: valid, and the plan shows what the merge would do.
    repo.write("config.yaml", CONFIG, colour="red")
    repo(0, "validate", *files)
    saved = tmp_path / "plan.json"
    planned = repo(1, "plan", *repo.set, *files, "--save", saved, *reports)
    assert "Deployment web" in planned.out
    reports_are_sound(tmp_path)
    assert repo.live(f"/api/v1/namespaces/{repo.ns}") == {}

    # Merged: that plan and nothing else is applied, and healthy; again there is no difference.
    first = repo(0, "apply", "--plan", saved, *repo.set, *files, "--timeout=60s", *reports)
    assert first.out.count(" created") == 4, screen(first)
    assert "deployment.apps/web is ready" in first.out
    reports_are_sound(tmp_path)
    repo(0, "diff", *repo.set, *files)
    repo(0, "plan", *repo.set, *files)
    stale = repo(6, "apply", "--plan", saved, *repo.set, *files)
    assert "Deployment web" in stale.err

    # Somebody edits by hand: the nightly run finds it, and apply repairs it.
    edit = {"data": {"colour": "blue"}}
    repo.cluster.request("PATCH", settings, edit, content_type=MERGE).ok()
    conflict = repo(4, "diff", *repo.set, *files)
    assert ".data.colour: managed by unknown" in conflict.err
    drift = repo(1, "drift", *repo.set, *files, *reports)
    assert "settings" in drift.out and "data.colour" in drift.out, screen(drift)
    reports_are_sound(tmp_path)
    repo(4, "apply", *repo.set, *files)
    assert repo.live(settings)["data"] == {"colour": "blue"}
    repo(0, "apply", *repo.set, *files, "--force-conflicts", "--timeout=60s")
    repo(0, "drift", *repo.set, *files)
    assert repo.live(settings)["data"] == {"colour": "red"}

    # An object leaves the repository; a namespace's worth of others is not asked about.
    (repo.folder / "config.yaml").unlink()
    leaving = repo(1, "diff", *repo.set, *files)
    assert "delete ConfigMap settings" in leaving.out
    assert "1 to delete, 3 unchanged" in leaving.err
    pruned = repo(0, "apply", *repo.set, *files, "--timeout=60s", *reports)
    assert "configmap/settings pruned" in pruned.out
    assert repo.live(settings) == {}
    reports_are_sound(tmp_path)

    # A broken release is not healthy in time; nothing of the old one is pruned for it.
    repo.write("web.yaml", WEB.replace("play: run", "play: crashloop").split("---")[0], replicas=1)
    broken = repo(5, "apply", *repo.set, *files, "--timeout=60s", *reports)
    assert "crashes again and again" in broken.err
    assert "nothing was pruned" in broken.err
    assert repo.live(f"/api/v1/namespaces/{repo.ns}/services/web")
    reports_are_sound(tmp_path)
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()

    # The end: all of it, by the set, in one command; twice is a refusal.
    repo(2, "delete", "-n", repo.ns, "--applyset=shop")
    gone = repo(0, "delete", "-n", repo.ns, "--applyset=shop", "--yes", "--timeout=90s")
    assert "namespace/pipeline-shop deleted" in gone.out, screen(gone)
    assert repo.live(f"/api/v1/namespaces/{repo.ns}") == {}
    repo(4, "delete", "-n", repo.ns, "--applyset=shop", "--yes")
