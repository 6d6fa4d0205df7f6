"""plan, diff and drift on the sandbox: what they show, how they end, and that they only look."""

from __future__ import annotations

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
