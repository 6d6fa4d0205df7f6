"""The outcome of a validation, as text, JSON, JUnit XML or GitHub annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kapply.errors import Origin, Problem
from kapply.report.ansi import Style, use_colour
from kapply.report.escape import escape
from kapply.report.problems import problem_lines

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
    """

    checked: tuple[Origin, ...]
    problems: Sequence[Problem]
    lines: Mapping[Origin, str] = field(default_factory=dict)
    warnings: Sequence[Problem] = ()
    against: str = ""


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
    from xml.etree import ElementTree

    sources = dict.fromkeys(origin.source for origin in findings.checked)
    for problem in findings.problems:
        if problem.origin:
            sources.setdefault(problem.origin.source)
    failed = {p.origin.source for p in findings.problems if p.origin}
    suite = ElementTree.Element(
        "testsuite",
        name="kapply validate",
        tests=str(len(sources)),
        failures=str(len(failed)),
        errors="0",
        skipped="0",
        time="0",
    )
    for source in sources:
        case = ElementTree.SubElement(
            suite, "testcase", name=_xml(source), classname="kapply.validate", time="0"
        )
        mine = [p for p in findings.problems if p.origin and p.origin.source == source]
        if mine:
            failure = ElementTree.SubElement(
                case, "failure", message=_xml(mine[0].message), type="ValidationError"
            )
            failure.text = _xml("\n".join(problem_lines(mine, findings.lines)))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    return escape(text)


def _annotation(level: str, problem: Problem) -> str:
    """A workflow command of GitHub Actions; % and line ends are escaped, in values : and , too."""
    parts = []
    if problem.origin:
        source = _escaped(problem.origin.source, value=True)
        parts = [f"file={source}", f"line={problem.origin.line}", f"col={problem.origin.column}"]
    subject = f"{problem.subject}: " if problem.subject else ""
    where = f"{problem.field}: " if problem.field else ""
    hint = f", {problem.hint}" if problem.hint else ""
    text = _escaped(f"{subject}{where}{problem.message}{hint}")
    return f"::{level} {','.join(parts)}::{text}"


def _escaped(text: str, *, value: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if value else text
