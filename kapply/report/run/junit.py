"""JUnit XML: a test suite per run, a test case per object or file.

Written so that the strict schema of Ant's JUnit task and the lenient one of Jenkins' xUnit plugin
both take it: a testsuite has properties, system-out and system-err, in this order, and a time
stamp without zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from kapply.report.escape import escape
from kapply.report.run.record import Entry, Record
from kapply.report.text import reason_lines


@dataclass(frozen=True, slots=True)
class Case:
    """One test case; `failure` is a message and the text below it, `skipped` the reason why."""

    name: str
    classname: str
    seconds: float = 0.0
    failure: tuple[str, str] | None = None
    kind: str = "Failed"
    skipped: str | None = None


def write_junit(record: Record) -> str:
    """The run as JUnit XML: failed and blocked objects are failures, unreached ones skipped."""
    command = record.info.command
    cases = [_case(command, entry) for entry in record.entries]
    for problem in record.problems:
        where = f"{problem.origin.source}:{problem.origin.line}" if problem.origin else "input"
        cases.append(Case(where, "kapply.input", failure=(problem.message, str(problem))))
    if record.error and not record.problems:
        text = f"{record.error}\n{record.hint}".strip()
        cases.append(Case("run", f"kapply.{command}", failure=(record.error, text)))
    return junit_xml(
        f"kapply {command}",
        cases,
        started=record.info.started,
        seconds=record.seconds,
        properties=(
            ("server", record.info.server),
            ("context", record.info.context),
            ("result", record.result),
        ),
        err=[
            f"{f'{warned.origin}  ' if warned.origin else ''}"
            f"{f'{warned.ref}: ' if warned.ref else ''}{warned.text}"
            for warned in record.warnings
        ],
    )


def _case(command: str, entry: Entry) -> Case:
    space = f"{entry.ref.namespace}." if entry.ref.namespace else ""
    classname = f"kapply.{command}.{space}{entry.ref.gvk.kind}"
    seconds = entry.health.seconds if entry.health else 0.0
    failure = None
    if entry.failed:
        lines = [f"{entry.ref} {entry.word}", *reason_lines(entry.why, entry.causes)]
        lines += [entry.reason] if entry.reason and entry.reason not in lines else []
        lines += [str(entry.origin)] if entry.origin else []
        failure = (entry.reason or entry.word, "\n".join(lines))
    skipped = (entry.why or "its turn never came") if entry.skipped else None
    return Case(entry.ref.short, classname, seconds, failure, entry.word, skipped)


def junit_xml(
    name: str,
    cases: Iterable[Case],
    *,
    started: datetime,
    seconds: float,
    properties: Iterable[tuple[str, str]],
    err: Iterable[str] = (),
) -> str:
    """A document with one test suite; `properties` holds at least one pair."""
    from xml.etree import ElementTree

    def number(value: float) -> str:
        return f"{value:.3f}"

    found = list(cases)
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "id": "0",
            "name": _text(name),
            "package": "kapply",
            "hostname": "localhost",
            "timestamp": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "tests": str(len(found)),
            "failures": str(sum(1 for case in found if case.failure)),
            "errors": "0",
            "skipped": str(sum(1 for case in found if case.skipped is not None)),
            "time": number(seconds),
        },
    )
    listed = ElementTree.SubElement(suite, "properties")
    for key, value in properties:
        ElementTree.SubElement(listed, "property", name=_text(key), value=_text(value))
    for case in found:
        element = ElementTree.SubElement(
            suite,
            "testcase",
            name=_text(case.name),
            classname=_text(case.classname),
            time=number(case.seconds),
        )
        if case.failure:
            message, text = case.failure
            failure = ElementTree.SubElement(
                element, "failure", message=_text(message), type=_text(case.kind)
            )
            failure.text = _text(text)
        elif case.skipped is not None:
            ElementTree.SubElement(element, "skipped", message=_text(case.skipped))
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err").text = _text("\n".join(err))
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _text(text: str) -> str:
    # What XML 1.0 cannot hold is a control character or half of one, and escape() shows those.
    return escape(text).replace("\ufffe", "?").replace("\uffff", "?")
