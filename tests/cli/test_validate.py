"""`kapply validate` and `render` as a person and a CI system use them; no server is needed."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import shutil
import time
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
import yaml

from kapply.cel import is_available
from tests.cli.tool import CORPUS, Tool, kapply_tool

ROOT = Path(__file__).resolve().parents[2]

MISTAKES = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: "3"
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx
          imagePullPolcy: Always
---
apiVersion: v1
kind: Secret
metadata:
  name: login
data:
  password: hunter2!
"""


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path)


@pytest.fixture
def mistakes(tmp_path: Path) -> Path:
    path = tmp_path / "web.yaml"
    path.write_text(MISTAKES)
    return path


def test_every_mistake_is_shown_where_it_stands(kapply: Tool, mistakes: Path) -> None:
    done = kapply("validate", "--offline", "-f", mistakes)
    assert done.code == 2
    lines = done.out.splitlines()
    assert lines[0].startswith(f"{mistakes}:6:13  Deployment web: spec.replicas: ")
    assert lines[1] == '    6 |   replicas: "3"'
    assert lines[2] == "      |             ^"
    assert any(
        "spec.template.spec.containers[0].imagePullPolcy: unknown field, did you mean"
        " imagePullPolicy?" in line
        for line in lines
    )
    assert "hunter2" not in done.screen
    assert lines[-1].startswith("2 objects in 1 file: 3 problems (against Kubernetes v1.37")


def test_the_readmes_page_of_mistakes_is_what_is_printed(kapply: Tool, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text()
    page = re.search(r"^\$ kapply (validate --offline -f shop/)\n(.*?)^```$", text, re.M | re.S)
    assert page, "the README shows no validation"
    shutil.copytree(ROOT / "tests" / "cli" / "data" / "shop", tmp_path / "shop")
    done = kapply(*page[1].split())
    assert (done.code, done.err) == (2, "")
    assert done.out == page[2]


def test_json_follows_its_schema(kapply: Tool, mistakes: Path) -> None:
    schema = json.loads((ROOT / "schemas" / "validation.schema.json").read_text())
    for path, valid in ((mistakes, False), (ROOT / "manifests", True)):
        done = kapply("validate", "--offline", "-o", "json", "-f", path)
        found = json.loads(done.out)
        jsonschema.validate(found, schema)
        assert found["valid"] is valid
        assert done.code == (0 if valid else 2)


def test_unreadable_input_is_json_too(kapply: Tool, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("a: [\n")
    done = kapply("validate", "--offline", "-o", "json", "-f", path)
    assert done.code == 2
    assert json.loads(done.out)["problems"][0]["line"] in (1, 2)


def test_junit_and_github(kapply: Tool, mistakes: Path) -> None:
    junit = kapply("validate", "--offline", "-o", "junit", "-f", mistakes, "-f", ROOT / "manifests")
    suite = ElementTree.fromstring(junit.out).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    xmlschema.XMLSchema(str(ROOT / "tests" / "cli" / "junit.xsd")).validate(junit.out)
    github = kapply("validate", "--offline", "-o", "github", "-f", mistakes)
    assert f"::error file={mistakes},line=6,col=13::Deployment web: spec.replicas" in github.out


def test_unreadable_input_is_junit_too(kapply: Tool, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [\n")
    done = kapply("validate", "--offline", "-o", "junit", "-f", path)
    assert done.code == 2
    xmlschema.XMLSchema(str(ROOT / "tests" / "cli" / "junit.xsd")).validate(done.out)
    assert 'failures="1"' in done.out


def test_a_crd_of_a_folder_validates_its_custom_resources(kapply: Tool, tmp_path: Path) -> None:
    text = (ROOT / "manifests" / "crontab.yaml").read_text()
    crd, resource = text.split("---\n")
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds" / "crd.yaml").write_text(crd)
    path = tmp_path / "ct.yaml"
    path.write_text(resource.replace("cronSpec:", "cronSpek:"))
    unknown = kapply("validate", "--offline", "-f", path)
    assert unknown.code == 2
    assert "--schemas" in unknown.out
    done = kapply("validate", "--offline", "--schemas", tmp_path / "crds", "-f", path)
    assert done.code == 2
    assert "did you mean cronSpec?" in done.out
    assert kapply("validate", "--offline", "--ignore-unknown-kinds", "-f", path).code == 0


def test_the_corpus_is_valid_offline_in_one_run(kapply: Tool) -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"no manifests of other projects in {CORPUS}")

    def own() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = own()
    done = kapply("validate", "--offline", "-R", "-f", CORPUS)
    took = own() - before
    assert done.code == 0, done.screen
    assert "no problems" in done.out
    # Two of its applications have objects of one name: said with both places, and no error.
    twins = [line for line in done.out.splitlines() if "the same object is given twice" in line]
    assert twins
    assert all(re.search(r"^warning: .+:\d+:1  .+ \(also .+:\d+:1\)$", line) for line in twins)
    before = time.process_time()
    for path in sorted(CORPUS.rglob("*.yaml")):
        with contextlib.suppress(yaml.YAMLError):  # it cannot read a plain = in two of the CRDs
            list(yaml.load_all(path.read_bytes(), yaml.CSafeLoader))
    alone = time.process_time() - before
    print(f"kapply validate: {took:.2f} s, CSafeLoader's parsing: {alone:.2f} s")  # pytest -rP


def test_what_is_applied_may_not_be_given_twice(kapply: Tool, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
        )
    both = ("-f", tmp_path / "a", "-f", tmp_path / "b")
    assert kapply("validate", "--offline", *both).code == 0
    refused = kapply("--sandbox", "diff", *both)
    assert (refused.code, "given twice" in refused.err) == (2, True), refused.screen
    # Within one folder nothing tells the two apart.
    (tmp_path / "a" / "y.yaml").write_bytes((tmp_path / "a" / "x.yaml").read_bytes())
    assert kapply("validate", "--offline", "-f", tmp_path / "a").code == 2


def test_render_says_what_yaml_means(kapply: Tool, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: example.com/v1, kind: Foo, metadata: {name: a}, v: 1:30, w: 0o17, x: on}\n"
        "- {apiVersion: example.com/v1, kind: Foo, metadata: {name: b}, v: 1e3}\n"
    )
    done = kapply("render", "-f", path, "-o", "json")
    assert done.code == 0, done.screen
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(done.out)
    second = json.loads(done.out[end:])
    assert (first["v"], first["w"], first["x"], second["v"]) == ("1:30", 15, True, 1000)
    assert "warning" in done.err
    again = kapply("render", "-f", path)
    assert kapply("render", "-f", "-", "-o", "json", stdin=again.out).out == done.out
    names = kapply("render", "-f", path, "-o", "name")
    assert names.out == "foo.example.com/a\nfoo.example.com/b\n"


RULED = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pools.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Pool, plural: pools}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {min: {type: integer}, max: {type: integer}, name: {type: string}}
              x-kubernetes-validations:
                - {rule: self.min <= self.max, message: min is above max, fieldPath: .min}
                - {rule: "self.?name.orValue('').find('a') == ''", message: no a}
---
apiVersion: example.com/v1
kind: Pool
metadata: {name: a}
spec:
  max: 1
  min: 2
"""


def test_a_name_that_the_server_makes_is_shown_as_kubectl_shows_it(
    kapply: Tool, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: a-}\n")
    assert kapply("render", "-o", "name", "-f", path).out == "job.batch/<unknown>\n"


def test_rules_of_a_crd_are_evaluated_and_those_that_cannot_be_are_counted(
    kapply: Tool, tmp_path: Path
) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text(RULED)
    done = kapply("validate", "--offline", "-f", path)
    if is_available():
        assert done.code == 2
        assert f"{path}:28:8  Pool a: spec.min: min is above max" in done.out
        assert "warning: 1 CEL rule was not evaluated (Pool): the server evaluates" in done.out
    else:
        assert done.code == 0
        assert "warning: 2 CEL rules were not evaluated (Pool): the server evaluates" in done.out
        assert "pip install 'kapply[cel]'" in done.out


def test_a_boolean_that_may_be_meant_as_text_is_shown_with_its_field_and_advice(
    kapply: Tool, tmp_path: Path
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("apiVersion: v1\nkind: Foo\nmetadata: {name: a}\nspec: {answer: y}\n")
    done = kapply("render", "-f", path)
    assert f"warning: {path}:4:16  Foo a: spec.answer: unquoted y is the boolean" in done.err
    assert "quote it to mean the text" in done.err
    path.write_text(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\n"
        "automountServiceAccountToken: y\n"
    )
    done = kapply("--sandbox", "diff", "-f", path)
    assert "ServiceAccount a: automountServiceAccountToken: unquoted y is the boolean" in done.err
    assert "quote it to mean the text" in done.err
