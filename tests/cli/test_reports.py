"""-o and --report of runs, on the sandbox, as CI jobs use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
import xmlschema

from tests.cli.tool import Tool, kapply_tool

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "report.schema.json").read_text())
JUNIT = xmlschema.XMLSchema(str(ROOT / "tests" / "cli" / "junit.xsd"))


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    tool = kapply_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    shutil.copytree(ROOT / "manifests", tmp_path / "m")
    return tool


def test_several_reports_of_one_run(kapply: Tool, tmp_path: Path) -> None:
    done = kapply(
        "apply", "-f", "m", "-o", "json", "--report", "junit=r.xml", "--report", "markdown=r.md",
        "--report=jsonl=r.jsonl", "--report=github=r.txt",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    jsonschema.validate(document, SCHEMA)
    assert document["counts"] == {"created": 6}
    JUNIT.validate(str(tmp_path / "r.xml"))
    assert "6 created" in (tmp_path / "r.md").read_text()
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["counts"] == {"created": 6}
    assert "::notice::kapply apply (ok)" in (tmp_path / "r.txt").read_text()
    # The forms agree with the lines of text, told of the second run.
    again = kapply("apply", "-f", "m", "--report", "json=r.json")
    assert again.out.count(" unchanged\n") == 6
    assert json.loads((tmp_path / "r.json").read_text())["counts"] == {"unchanged": 6}
    gone = kapply("delete", "-f", "m", "-o", "junit")
    JUNIT.validate(gone.out)
    assert gone.code == 0


def test_differences_and_mistakes(kapply: Tool, tmp_path: Path) -> None:
    shown = kapply("diff", "-f", "m", "-o", "json")
    assert shown.code == 1
    document = json.loads(shown.out)
    jsonschema.validate(document, SCHEMA)
    assert document["result"] == "differences"
    (tmp_path / "m" / "bad.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  n: 1\nextra: 2\n"
    )
    refused = kapply("apply", "-f", "m", "--report", "json=r.json", "-o", "github")
    assert refused.code == 2
    assert refused.out.startswith("::error file=m/bad.yaml,line=5,col=6::")
    document = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert [problem["line"] for problem in document["problems"]] == [5, 6]
    assert (document["exitCode"], document["objects"]) == (2, [])


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("-o=xml", "expected one of text, name, json"),
        ("--report=json", "expected FORMAT=FILE"),
        ("--report=html=a", "FORMAT is one of json"),
        ("--report=json=no/such/folder/r", "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_said_first(kapply: Tool, flag: str, said: str) -> None:
    done = kapply("apply", "-f", "m", flag)
    assert done.code == 2
    assert said in done.err
    assert kapply("get", "pod", "nginx").code == 4


def edited(kapply: Tool, tmp_path: Path) -> None:
    assert kapply("apply", "-f", "m").code == 0
    web = tmp_path / "m" / "project1.yaml"
    web.write_text(web.read_text().replace("replicas: 2", "replicas: 7").replace("500", "501"))


def test_a_diff_counted_blamed_and_masked(kapply: Tool, tmp_path: Path) -> None:
    edited(kapply, tmp_path)
    counted = kapply("diff", "-f", "m", "--stat")
    assert counted.code == 1
    assert "update Deployment web in project1" in counted.out
    assert "\n      2 +-\n" in counted.out
    assert "@@" not in counted.out
    blamed = kapply("diff", "-f", "m", "--blame")
    assert "\n  spec.replicas: set by kapply (20" in blamed.out
    masked = kapply("diff", "-f", "m", "--mask", "deployment/web:/spec/replicas", "-o", "json")
    document = json.loads(masked.out)
    jsonschema.validate(document, SCHEMA)
    (text,) = [entry["diff"]["text"] for entry in document["objects"] if entry["diff"]]
    assert "-  replicas: (hidden) (before)\n+  replicas: (hidden) (changed)" in text
    refused = kapply("diff", "-f", "m", "--mask", "spec[")
    assert refused.code == 2
    assert "--mask: 'spec[': [0], [*], ['name'] or [?(@.name=='x')] was expected" in refused.err
