from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kapply.query.jsonpath import JSONPath, JSONPathError, relaxed

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "jsonpath.json").read_text(encoding="utf-8")
)
OBJECT = TABLE["object"]


def _id(row: dict[str, str]) -> str:
    return repr(row["template"])[:60]


@pytest.mark.parametrize("row", TABLE["rows"], ids=_id)
def test_prints_what_kubectl_prints(row: dict[str, str]) -> None:
    if "error" in row:
        with pytest.raises(JSONPathError) as caught:
            JSONPath(row["template"]).render(OBJECT)
        assert str(caught.value) == row["error"]
    else:
        assert JSONPath(row["template"]).render(OBJECT) == row["out"]


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(TABLE["rows"]) >= 150
    assert sum("error" in row for row in TABLE["rows"]) >= 30


@pytest.mark.full
def test_kubectl_still_answers_so(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which(
        "kubectl"
    )
    if kubectl is None:
        pytest.skip("kubectl is not installed (the bench extra brings it)")
    version = json.loads(_run(kubectl, "version", "--client", "-o", "json").stdout)
    if version["clientVersion"]["gitVersion"] != TABLE["kubectl"]:
        pytest.skip(f"the table is of kubectl {TABLE['kubectl']}")
    path = tmp_path / "object.json"
    path.write_text(json.dumps(OBJECT), encoding="utf-8")
    local = ["label", "--local", "-f", str(path), "checked=yes", "--overwrite", "-o"]
    differences = []
    for row in TABLE["rows"]:
        answer = _run(kubectl, *local, f"jsonpath={row['template']}")
        if "error" in row:
            if not answer.returncode or row["error"] not in answer.stderr:
                differences.append((row, answer.stderr))
        elif answer.stdout != row["out"]:
            differences.append((row, answer.stdout))
    assert not differences


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)


def test_missing_keys_are_errors_when_asked() -> None:
    with pytest.raises(JSONPathError, match="missing is not found"):
        JSONPath("{.missing}").render(OBJECT, allow_missing_keys=False)
    nested = JSONPath("{.spec.list[*].x}")
    assert nested.render(OBJECT, allow_missing_keys=False) == ""


def test_values_of_a_map_come_by_key() -> None:
    assert JSONPath("{.a.*}").render({"a": {"z": 1, "b": 2, "k": [3]}}) == "2 [3] 1"
    assert JSONPath("{..}").values({"b": {"c": 1}, "a": ["t"]}) == [
        {"b": {"c": 1}, "a": ["t"]},
        ["t"],
        "t",
        {"c": 1},
    ]


def test_text_has_bytes_as_members() -> None:
    assert JSONPath("{.a.*}").render({"a": "hé"}) == "104 195 169"


def test_as_json() -> None:
    path = JSONPath("{.spec.ships[*].name}")
    assert path.render(OBJECT, as_json=True) == '[\n    "a",\n    "b",\n    "c"\n]\n'
    assert JSONPath("{.none}").render(OBJECT, as_json=True) == "[]\n"


def test_find_keeps_parts_apart() -> None:
    assert JSONPath("{.a}-{.b[*]}").find({"a": 1, "b": [2, 3]}) == [[1], ["-"], [2, 3]]
    assert JSONPath("{range .l[*]}{@}{end}").find({"l": [None, 1]}) == [[None], [1]]


def test_values_leave_text_out() -> None:
    assert JSONPath("x{.a}{'y'}{.b}").values({"a": 1, "b": None}) == [1, "y", None]
    with pytest.raises(JSONPathError):
        JSONPath("{.a[0]}").values({"a": 1})
    with pytest.raises(JSONPathError):
        JSONPath("{.a[0]}").find({"a": 1})


def test_a_template_can_be_used_again() -> None:
    path = JSONPath("{range .l[*]}{@}{end}.")
    assert [path.render({"l": [1, 2]}), path.render({"l": []}), path.render({"l": [3]})] == [
        "12.",
        ".",
        "3.",
    ]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{range .a[*]}{[0]}{end}", "<no value> is not array or slice"),
        ("{range .a[*]}{[?(@.x)]}{end}", "cannot be filtered"),
        ("{" + "range .a[*]}{" * 300 + "end}", "nested more than"),
        ("x" * 200_000, "too long"),
        ("{99999999999999999999999[0]}", "float64 is not array or slice"),
        ("{" + "9" * 400 + "}", "cannot parse number"),
        ("{.a[99999999999999999999]}", "is not a number"),
        ("{.a[-]}", "array index - is not a number"),
        ("{'\\U00110000'}", "invalid syntax"),
        ("{'\\ud800'}", "invalid syntax"),
        ("{'\\400'}", "invalid syntax"),
        ("{'\\8'}", "invalid syntax"),
        ("{'\\x4'}", "invalid syntax"),
        ("{\x01}", "U+0001"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_would_crash_or_hang_is_an_error(template: str, message: str) -> None:
    with pytest.raises(JSONPathError) as caught:
        JSONPath(template).render({"a": [None], "b": None})
    assert message in str(caught.value)


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert JSONPath("{'\\xff\\xc3\\xa9'}").render({}) == "\ufffdé"


def test_integers_beyond_64_bits_are_floats() -> None:
    data = {"l": [2**63, 1.0]}
    assert JSONPath("{.l[0]}").render(data) == "9.223372036854776e+18"
    assert JSONPath("{.l[?(@>2.0)]}").values(data) == [2**63]


def test_depth_is_no_limit() -> None:
    deep: Any = {"leaf": "x"}
    for _ in range(20_000):
        deep = {"a": deep}
    assert JSONPath("{..leaf}").render(deep) == "x"


@pytest.mark.parametrize(
    ("expression", "full"),
    [
        ("", ""),
        ("metadata.name", "{.metadata.name}"),
        (".metadata.name", "{.metadata.name}"),
        ("{metadata.name}", "{.metadata.name}"),
        ("{.metadata.name}", "{.metadata.name}"),
        ("..name", "{..name}"),
        (".items[?(@.x==1)]", "{.items[?(@.x==1)]}"),
    ],
)
def test_short_forms(expression: str, full: str) -> None:
    assert relaxed(expression) == full


@pytest.mark.parametrize("expression", ["{", "}", "{}", "{a}{b}", "{range .a}{.b}", "x}"])
def test_other_short_forms_are_errors(expression: str) -> None:
    with pytest.raises(JSONPathError, match="unexpected path string"):
        relaxed(expression)
