"""plan, diff and drift on the sandbox: what they show, how they end, and that they only look."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.planlog import Looking
from tests.cli.tool import kapply_tool

CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: "{value}"}}\n'


@pytest.fixture
def kapply(tmp_path: Path) -> Looking:
    tool = kapply_tool(tmp_path)
    tool.env |= {"KAPPLY_SANDBOX": "1", "KAPPLY_SANDBOX_DATA": str(tmp_path / "sandbox.db")}
    return Looking(tool)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_plan_lists_what_apply_does_with_fields_and_ends_as_diff_does(
    kapply: Looking, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        "a.yaml",
        CONFIG_MAP.format(name="a", value="1") + "---\n" + CONFIG_MAP.format(name="b", value="1"),
    )
    first = kapply("plan", "-f", path)
    assert first.code == 1
    assert first.out.splitlines() == [
        f"create ConfigMap a in default  {path}:1:1",
        f"create ConfigMap b in default  {path}:6:1",
    ]
    assert first.err == "2 objects: 2 to create\n"
    assert kapply("get", "cm", "-o", "name").out == ""

    assert kapply("apply", "-f", path).code == 0
    same = kapply("plan", "-f", path)
    assert (same.code, same.out, same.err) == (0, "", "2 objects: 2 unchanged\n")
    assert {method for method, _ in kapply.requests} == {"GET"}

    path.write_text(path.read_text().replace('k: "1"', 'j: "2"', 1))
    changed = kapply("plan", "-f", path)
    assert changed.code == kapply("diff", "-f", path).code == 1
    assert changed.out.splitlines() == [
        f"update ConfigMap a in default  {path}:1:1",
        "  + data.j",
        "  - data.k",
    ]
    assert changed.err == "2 objects: 1 to update, 1 unchanged\n"
    assert kapply("plan", "-f", path, "-o", "name").out == "configmap/a\n"


def test_a_plan_shows_all_objects_though_one_cannot_be_planned(
    kapply: Looking, tmp_path: Path
) -> None:
    wrong = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
        "spec: {clusterIP: 1.2.3.4, ports: [{port: 80}]}\n"
    )
    path = write(tmp_path, "a.yaml", wrong + "---\n" + CONFIG_MAP.format(name="b", value="1"))
    for look in ("plan", "diff"):
        shown = kapply(look, "-f", path)
        assert shown.code == 4, shown.screen
        assert "create ConfigMap b in default" in shown.out
        assert f"{path}:1:1  Service x in default: refused" in shown.err
        assert "2 objects: 1 to create, 1 invalid" in shown.err


def test_plan_names_fields_of_a_secret_and_no_value(kapply: Looking, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{pass: {0}}}\n"
    path = write(tmp_path, "s.yaml", secret.format("hunter2hunter2"))
    assert kapply("apply", "-f", path).code == 0
    write(tmp_path, "s.yaml", secret.format("correct-horse"))
    shown = kapply("plan", "-f", path)
    assert "  ~ data.pass\n" in shown.out
    assert "horse" not in shown.screen
    assert "hunter2" not in shown.screen


def test_an_immutable_field_is_shown_with_its_replacement(kapply: Looking, tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ntype: {0}\n"
        'stringData: {{a: "hunter2hunter2"}}\n'
    )
    path = write(tmp_path, "s.yaml", text.format("a/b"))
    assert kapply("apply", "-f", path).code == 0
    labelled = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: {by: "hand"}}\n'
    other = write(tmp_path, "o.yaml", labelled)
    assert kapply("apply", "-f", other, "--field-manager=other").code == 0
    write(tmp_path, "s.yaml", text.format("a/c"))
    shown = kapply("diff", "-f", path)
    assert shown.code == 4, shown.screen
    assert "type is immutable" in shown.err
    # What others set is gone from the new object.
    assert "-    by: hand\n" in shown.out
    assert "-type: a/b\n+type: a/c\n" in shown.out
    assert "hunter2" not in shown.screen
    planned = kapply("plan", "-f", path)
    assert "  ~ type\n" in planned.out
    assert "  - metadata.labels\n" in planned.out


def test_a_saved_plan_is_carried_out_once(kapply: Looking, tmp_path: Path) -> None:
    secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: "hunter2"}\n'
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="tulip") + "---\n" + secret)
    kept = tmp_path / "plan.json"
    assert kapply("plan", "-f", path, "--save", kept).code == 1
    text = kept.read_text()
    for leak in ("tulip", "hunter2", "aHVudGVyMg"):
        assert leak not in text
    done = kapply("apply", "-f", path, "--plan", kept)
    assert done.code == 0, done.screen
    again = kapply("apply", "-f", path, "--plan", kept)
    assert again.code == 6, again.screen
    assert "  ConfigMap a in default: was created\n" in again.err
    assert "  Secret s in default: was created\n" in again.err


def test_the_key_of_a_saved_plan(kapply: Looking, tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="1"))
    kept = tmp_path / "plan.json"
    key = {"KAPPLY_PLAN_KEY": "0123456789abcdef0123456789abcdef"}
    assert kapply("plan", "-f", path, "--save", kept, env=key).code == 1
    state = tmp_path / ".local/state/kapply/plan.key"
    assert not state.exists()
    for env in ({}, {"KAPPLY_PLAN_KEY": "another key of 32 characters ..."}):
        refused = kapply("apply", "-f", path, "--plan", kept, env=env)
        assert refused.code == 2, refused.screen
        assert "made with another key" in refused.err
    assert kapply("apply", "-f", path, "--plan", kept, env={"KAPPLY_PLAN_KEY": "short"}).code == 2
    assert kapply("apply", "-f", path, "--plan", kept, env=key).code == 0

    assert kapply("plan", "-f", path, "--save", kept).code == 0
    assert state.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["objects"][0]["action"] == "unchanged"
    # A key that others can read keeps nothing.
    state.chmod(0o644)
    loose = kapply("plan", "-f", path, "--save", kept)
    assert "is not used as a key" in loose.err
    assert json.loads(kept.read_text())["key"] == ""
    assert kapply("apply", "-f", path, "--plan", kept).code == 0


def test_a_plan_that_cannot_be_read_or_is_for_others(kapply: Looking, tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="1"))
    kept = tmp_path / "plan.json"
    assert kapply("plan", "-f", path, "--save", kept).code == 1
    missing = kapply("apply", "-f", path, "--plan", tmp_path / "none.json")
    assert missing.code == 2
    assert "No such file" in missing.err
    for flags, said in (
        (["--field-manager=other"], "for the field manager 'kapply', not 'other'"),
        (["--force-conflicts"], "--force-conflicts off, this is on"),
        (["-n", "kube-system"], "--namespace default, this is kube-system"),
    ):
        refused = kapply("apply", "-f", path, "--plan", kept, *flags)
        assert refused.code == 2, refused.screen
        assert said in refused.err
    elsewhere = {"KAPPLY_SANDBOX_DATA": str(tmp_path / "other.db")}
    refused = kapply("apply", "-f", path, "--plan", kept, env=elsewhere)
    assert refused.code == 6, refused.screen
    assert "made for another cluster" in refused.err
    kept.write_text(kept.read_text().replace('"create"', '"update"'))
    assert "not as it was written" in kapply("apply", "-f", path, "--plan", kept).err
    assert kapply("get", "cm", "a").code == 4


def test_a_plan_that_cannot_be_applied_is_not_saved(kapply: Looking, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.yaml",
        "".join(
            f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
            "spec: {type: NodePort, ports: [{port: 80, nodePort: 30123}]}\n---\n"
            for name in "ab"
        ),
    )
    kept = tmp_path / "plan.json"
    refused = kapply("plan", "-f", path, "--save", kept)
    assert refused.code == 4, refused.screen
    assert "spec.ports[0].nodePort: 30123 is also asked for by Service a in default" in refused.err
    assert not kept.exists()


def test_what_the_server_allocates_is_shown_as_such(kapply: Looking, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
        "spec: {type: NodePort, ports: [{name: w, port: 80}, "
        "{name: x, port: 81, nodePort: 30124}]}\n",
    )
    shown = kapply("diff", "-f", path).out
    assert "+  clusterIP: (allocated by the server)\n" in shown
    assert "nodePort: (allocated by the server)\n" in shown
    assert "nodePort: 30124\n" in shown


def test_drift_names_who_changed_what(kapply: Looking, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.yaml",
        CONFIG_MAP.format(name="a", value="1") + "---\n" + CONFIG_MAP.format(name="b", value="1"),
    )
    assert kapply("apply", "-f", path).code == 0
    same = kapply("drift", "-f", path)
    assert (same.code, same.out, same.err) == (0, "", "2 objects: as the manifests say\n")

    theirs = write(tmp_path, "b.yaml", CONFIG_MAP.format(name="a", value="2"))
    taken = kapply("apply", "-f", theirs, "--field-manager=mallory", "--force-conflicts")
    assert taken.code == 0, taken.screen
    assert kapply("delete", "configmap", "b").code == 0
    shown = kapply("drift", "-f", path)
    assert shown.code == 1, shown.screen
    lines = shown.out.splitlines()
    assert lines[0] == f"drifted ConfigMap a in default  {path}:1:1"
    assert re.fullmatch(r"  ~ data\.k: set by mallory \(20[\d:TZ-]+\)", lines[1])
    assert lines[2:] == [f"missing ConfigMap b in default  {path}:6:1"]
    assert shown.err == "2 objects: 1 drifted, 1 missing\n"
    assert kapply("drift", "-f", path, "-o", "name").out == "configmap/a\nconfigmap/b\n"
