"""One stream of events, and every report that is made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema

from kapply.engine.diagnosis import Diagnosis, LogTail
from kapply.engine.events import (
    Event,
    HealthChanged,
    ObjectDone,
    Outcome,
    Waiting,
    Warned,
    WaveStarted,
)
from kapply.errors import EXIT_REFUSED, KapplyError, Origin, Problem, ValidationError
from kapply.kstatus import Status
from kapply.meta import GroupVersionKind, ObjectRef
from kapply.planning.model import Action, Cause, Change, Plan
from kapply.report.ansi import Style
from kapply.report.run import FORMS
from kapply.report.run.markdown import LIMIT
from kapply.report.run.record import RunInfo
from kapply.report.run.sinks import RunReport, Sink
from kapply.report.text import TextReport

ROOT = Path(__file__).resolve().parents[4]
SCHEMA = json.loads((ROOT / "schemas" / "report.schema.json").read_text())
JUNIT = xmlschema.XMLSchema(str(ROOT / "tests" / "cli" / "junit.xsd"))
INFO = RunInfo("apply", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "https://api", "staging")
PLACE = Origin("web|a.yaml", 3, 5)


def ref(name: str, kind: str = "ConfigMap", version: str = "v1") -> ObjectRef:
    return ObjectRef(GroupVersionKind.parse(version, kind), "team", name)


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def change(name: str, action: Action, **more: Any) -> Change:
    return Change(ref(name), action, **more)


def reports(
    events: Iterable[Event] = (),
    *,
    plan: Plan | None = None,
    error: KapplyError | None = None,
    code: int = 0,
    warnings: Iterable[Warned] = (),
) -> dict[str, str]:
    texts: dict[str, list[str]] = {form: [] for form in FORMS}
    sinks = [Sink(form, texts[form].append) for form in FORMS]
    shown: list[str] = []
    screen = TextReport(shown.append, shown.append, Style(False))
    report = RunReport(screen, sinks, INFO)
    for warning in warnings:
        report.warning(warning)
    if plan is not None:
        report.planned(plan)
    for event in events:
        report.health(event) if isinstance(event, HealthChanged | Diagnosis) else report.event(
            event
        )
    if error is not None:
        report.failed(error)
    report.close(code, 1.25)
    found = {form: "".join(parts) for form, parts in texts.items()}
    jsonschema.validate(json.loads(found["json"]), SCHEMA)
    JUNIT.validate(found["junit"])
    for line in found["jsonl"].splitlines():
        assert json.loads(line)["type"]
    assert len(found["markdown"]) < 65_536
    return {**found, "screen": "\n".join(shown)}


UPDATE = change(
    "a", Action.UPDATE, live=config_map("a", k="1"), result=config_map("a", k="2 | `x`")
)
REFUSED = ObjectDone(
    ref("b"),
    Outcome.FAILED,
    change("b", Action.CREATE, result=config_map("b")),
    why="denied: <not|now>",
    causes=(Cause("too long", "data.k"),),
    exit_code=EXIT_REFUSED,
    origin=PLACE,
)
RUN: list[Event] = [
    WaveStarted(1, 2, 2),
    ObjectDone(ref("a"), Outcome.CONFIGURED, UPDATE, config_map("a"), origin=PLACE),
    Waiting(ref("a"), "to be gone", "finalizer x"),
    REFUSED,
    ObjectDone(ref("c"), Outcome.SKIPPED, change("c", Action.CREATE), why="the run ended"),
    Warned("deprecated", ref("a"), PLACE),
]


def test_all_of_them_tell_the_same() -> None:
    found = reports(RUN, code=EXIT_REFUSED)
    document = json.loads(found["json"])
    assert document["counts"] == {"configured": 1, "failed": 1, "skipped": 1}
    assert [entry["outcome"] for entry in document["objects"]] == [
        "configured",
        "failed",
        "skipped",
    ]
    assert document["objects"][0]["diff"]["added"] == 1
    assert document["objects"][1]["causes"] == [
        {"field": "data.k", "message": "too long", "manager": ""}
    ]
    assert (document["result"], document["exitCode"]) == ("refused", EXIT_REFUSED)
    assert document["warnings"][0]["line"] == 3

    lines = [json.loads(line) for line in found["jsonl"].splitlines()]
    assert [line["type"] for line in lines] == [
        "run", "wave", "object", "waiting", "object", "object", "warning", "summary",
    ]  # fmt: skip
    assert lines[2]["name"] == "a"

    suite = ElementTree.fromstring(found["junit"])[0]
    assert [suite.get(key) for key in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    failure = suite.findall("testcase")[1].find("failure")
    assert failure is not None
    assert failure.get("message") == "denied: <not|now>"

    assert "::error file=web|a.yaml,line=3,col=5::ConfigMap b in team failed" in found["github"]
    assert "::warning file=web|a.yaml,line=3,col=5::ConfigMap a in team: dep" in found["github"]
    assert "denied: &lt;not\\|now\\>" in found["markdown"]
    assert "```diff\n@@" in found["markdown"]
    assert "configmap/b failed" in found["screen"]


def test_a_plan_that_is_not_carried_out_is_told_too() -> None:
    conflict = change("c", Action.CONFLICT, why="owned", causes=(Cause("", "data.k", "helm"),))
    found = reports(plan=Plan((UPDATE, conflict), "kapply"), error=KapplyError("stopped"), code=4)
    document = json.loads(found["json"])
    assert [entry["action"] for entry in document["objects"]] == ["update", "conflict"]
    assert document["error"] == {"message": "stopped", "hint": ""}
    assert "data.k: managed by helm" in found["markdown"]
    assert "%0Adata.k: managed by helm" in found["github"]
    assert [json.loads(line)["type"] for line in found["jsonl"].splitlines()] == [
        "run", "change", "change", "summary",
    ]  # fmt: skip


def test_a_wait_is_told_with_its_diagnosis() -> None:
    status = Status.IN_PROGRESS
    found = reports(
        [
            HealthChanged(ref("a"), status, "1 of 2 ready", seconds=1.0),
            HealthChanged(ref("b"), Status.CURRENT, "", seconds=2.0, final=True),
            Diagnosis(
                ref("a"), status, "1 of 2", "crashes", logs=(LogTail("a-1", "main", ("boom",)),)
            ),
        ],
        code=5,
    )
    document = json.loads(found["json"])
    assert document["result"] == "unhealthy"
    assert document["objects"][0]["diagnosis"]["logs"][0]["lines"] == ["boom"]
    assert [entry["failed"] for entry in document["objects"]] == [True, False]
    assert "crashes" in found["markdown"]
    assert "::error::ConfigMap a in team InProgress: crashes" in found["github"]


def test_values_of_secrets_are_in_none_of_them() -> None:
    def secret(value: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "stringData": {"k": value}}

    update = Change(ref("s", "Secret"), Action.UPDATE, live=secret("old-pw"), result=secret("new1"))
    found = reports(
        [ObjectDone(ref("s", "Secret"), Outcome.CONFIGURED, update)], plan=Plan((update,), "kapply")
    )
    for text in found.values():
        assert not any(word in text for word in ("old-pw", "new1", "b2xkLXB3", "bmV3MQ"))
    assert "(hidden) (changed)" in found["markdown"]


def test_problems_of_the_input_stand_where_they_are() -> None:
    problem = Problem("unknown field", PLACE, "ConfigMap a", "dat", "did you mean data?")
    found = reports(error=ValidationError("1 problem", problems=[problem]), code=2)
    assert found["github"].startswith("::error file=web|a.yaml,line=3,col=5::ConfigMap a: dat: ")
    assert json.loads(found["json"])["problems"][0]["hint"] == "did you mean data?"
    assert "web|a.yaml:3" in found["junit"]


def test_objects_that_have_no_name_yet_are_kept_apart() -> None:
    first, second = Origin("j.yaml", 1), Origin("j.yaml", 9)
    events = [
        ObjectDone(
            ref(f"job-{number}"), Outcome.CREATED, Change(ref(""), Action.CREATE), origin=origin
        )
        for number, origin in enumerate((first, second))
    ]
    document = json.loads(reports(events)["json"])
    assert [entry["name"] for entry in document["objects"]] == ["job-0", "job-1"]


@pytest.mark.parametrize("lines", [10, 3000])
def test_markdown_fits_a_comment(lines: int) -> None:
    changes = [
        change(f"m{n}", Action.CREATE, result=config_map(f"m{n}", k="```\n|" + "x\n" * lines))
        for n in range(300)
    ]
    text = reports(plan=Plan(tuple(changes), "kapply"), code=1)["markdown"]
    assert len(text) <= LIMIT
    assert "more diffs have no room here" in text
    assert "and 100 more." in text
    assert text.count("<details>") == text.count("</details>") > 0


def test_hostile_texts_stay_one_cell_and_one_line() -> None:
    done = ObjectDone(
        ref("x"), Outcome.FAILED, why="a\n| b |\n::error::c \x1b[2J\ud800", exit_code=4
    )
    found = reports([done], code=4)
    row = next(line for line in found["markdown"].splitlines() if "configmap/x" in line)
    assert row.count(" | ") == 4
    assert len([line for line in found["github"].splitlines() if line.startswith("::")]) == 2
    for form in ("markdown", "github", "junit"):
        assert "\x1b" not in found[form]
        found[form].encode()
