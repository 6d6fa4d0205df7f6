"""The outcome of a validation, as text, JSON, JUnit XML or GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from kapply.errors import Origin, Problem
from kapply.report.ansi import Style, use_colour
from kapply.report.escape import escape
from kapply.report.problems import problem_lines

_UNTOLD = datetime.fromtimestamp(0, UTC)

#: Version of the JSON that `-o json` writes; schemas/validation.schema.json describes it.
FORMAT = "kapply.dev/validation/v1"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a validation found.

    Attributes:
        checked: the place of each object that was checked.
        problems: everything wrong.
        lines: source lines, by place.
        warnings: what is not wrong but may not be meant.
        against: whose schemas were used.
        started: when it began.
        seconds: how long it took.
    """

    checked: tuple[Origin, ...]
    problems: Sequence[Problem]
    lines: Mapping[Origin, str] = field(default_factory=dict)
    warnings: Sequence[Problem] = ()
    against: str = ""
    started: datetime = _UNTOLD
    seconds: float = 0.0


def write_findings(
    findings: Findings, form: str, write: Callable[[str], object], *, color: str = "auto"
) -> None:
    """Write in one of the forms "text", "json", "junit", "github"."""
    if form == "json":
        write(json.dumps(_as_json(findings), indent=2, ensure_ascii=False) + "\n")
    elif form == "junit":
        write(_as_junit(findings))
    elif form == "github":
        for level, problems in (("error", findings.problems), ("warning", findings.warnings)):
            for problem in problems:
                write(_annotation(level, problem) + "\n")
    else:
        _write_text(findings, write, color)


def _write_text(findings: Findings, write: Callable[[str], object], color: str) -> None:
    import os
    import sys

    style = Style(use_colour(color, os.environ, isatty=sys.stdout.isatty()))
    for line in problem_lines(findings.problems, findings.lines, style):
        write(line + "\n")
    for warning in findings.warnings:
        write(f"{style.paint('warning', 'yellow')}: {escape(str(warning))}\n")
    count = len(findings.checked)
    files = len({origin.source for origin in findings.checked})
    total = f"{_number(count, 'object')} in {_number(files, 'file')}"
    against = f" (against {findings.against})" if findings.against else ""
    verdict = _number(len(findings.problems), "problem") if findings.problems else "no problems"
    write(f"{total}: {verdict}{against}\n")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _as_json(findings: Findings) -> dict[str, Any]:
    return {
        "apiVersion": FORMAT,
        "valid": not findings.problems,
        "checked": len(findings.checked),
        "against": findings.against,
        "problems": [_problem(problem) for problem in findings.problems],
        "warnings": [_problem(problem) for problem in findings.warnings],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    origin = problem.origin
    return {
        "message": problem.message,
        "subject": problem.subject,
        "field": problem.field,
        "hint": problem.hint,
        "source": origin.source if origin else None,
        "line": origin.line if origin else None,
        "column": origin.column if origin else None,
        "also": [str(place) for place in problem.also],
    }


def _as_junit(findings: Findings) -> str:
    """One test case per file, as CI systems show them."""
    from kapply.report.run.junit import Case, junit_xml

    wrong: dict[str, list[Problem]] = {origin.source: [] for origin in findings.checked}
    for problem in findings.problems:
        wrong.setdefault(problem.origin.source if problem.origin else "input", []).append(problem)
    cases = []
    for source, problems in wrong.items():
        failure = None
        if problems:
            failure = (problems[0].message, "\n".join(problem_lines(problems, findings.lines)))
        cases.append(Case(source, "kapply.validate", failure=failure, kind="ValidationError"))
    return junit_xml(
        "kapply validate",
        cases,
        started=findings.started,
        seconds=findings.seconds,
        properties=(("against", findings.against),),
        err=map(str, findings.warnings),
    )


def _annotation(level: str, problem: Problem) -> str:
    from kapply.report.run.github import annotation

    return annotation(level, str(replace(problem, origin=None)), problem.origin)
