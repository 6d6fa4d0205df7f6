"""A run as one JSON document (schemas/report.schema.json), or as a JSON line per event."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kapply.engine.diagnosis import Diagnosis
from kapply.engine.events import (
    Event,
    HealthChanged,
    ObjectDone,
    Waiting,
    Warned,
    WaveStarted,
)
from kapply.errors import Origin, Problem
from kapply.meta import ObjectRef
from kapply.planning.model import Cause
from kapply.report.run.record import Entry, Record, RunInfo

#: Version of the document and of the lines; it changes when a reader could misunderstand them.
FORMAT = "kapply.dev/report/v1"


def write_json(record: Record) -> str:
    """The whole run as one document, indented by two."""
    return json.dumps(as_json(record), indent=2, ensure_ascii=False) + "\n"


def as_json(record: Record) -> dict[str, Any]:
    """The whole run; every key is always there, null or empty where there is nothing to say."""
    return {
        "apiVersion": FORMAT,
        "kind": "RunReport",
        **_info(record.info),
        "dryRun": record.dry_run,
        **_end(record),
        "objects": [entry_json(entry) for entry in record.entries],
        "warnings": [_warning(warned) for warned in record.warnings],
        "problems": [problem_json(problem) for problem in record.problems],
    }


def _info(info: RunInfo) -> dict[str, Any]:
    return {
        "command": info.command,
        "server": info.server,
        "context": info.context,
        "startedAt": timestamp(info.started),
    }


def _end(record: Record) -> dict[str, Any]:
    return {
        "seconds": round(record.seconds, 3),
        "exitCode": record.exit_code,
        "result": record.result,
        "error": {"message": record.error, "hint": record.hint} if record.error else None,
        "counts": dict(sorted(record.counts.items())),
    }


def timestamp(when: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entry_json(entry: Entry) -> dict[str, Any]:
    """One object of a run."""
    health = entry.health
    return {
        **_ref(entry.ref),
        **_place(entry.origin),
        "action": entry.action or None,
        "outcome": entry.outcome or None,
        "failed": entry.failed,
        "reason": entry.why,
        "hint": entry.hint,
        "causes": [_cause(cause) for cause in entry.causes],
        "deferred": entry.deferred,
        "simulated": entry.simulated,
        "diff": {
            "added": entry.added,
            "removed": entry.removed,
            "text": "\n".join(entry.diff),
        }
        if entry.diff
        else None,
        "health": {
            "status": health.status,
            "message": health.message,
            "seconds": round(health.seconds, 3),
        }
        if health
        else None,
        "diagnosis": _diagnosis(entry.diagnosis) if entry.diagnosis else None,
    }


def _ref(ref: ObjectRef) -> dict[str, Any]:
    return {
        "apiVersion": ref.gvk.api_version,
        "kind": ref.gvk.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def _place(origin: Origin | None) -> dict[str, Any]:
    return {
        "source": origin.source if origin else None,
        "line": origin.line if origin else None,
        "column": origin.column if origin else None,
    }


def _cause(cause: Cause) -> dict[str, str]:
    return {"field": cause.field, "message": cause.message, "manager": cause.manager}


def _warning(warned: Warned) -> dict[str, Any]:
    about = _ref(warned.ref) if warned.ref else None
    return {"message": warned.text, "object": about, **_place(warned.origin)}


def problem_json(problem: Problem) -> dict[str, Any]:
    """One thing wrong with the input."""
    return {
        "message": problem.message,
        "subject": problem.subject,
        "field": problem.field,
        "hint": problem.hint,
        **_place(problem.origin),
        "also": [str(place) for place in problem.also],
    }


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    return {
        "status": found.status.value,
        "message": found.message,
        "cause": found.cause,
        "pods": [
            {
                "name": pod.ref.name,
                "namespace": pod.ref.namespace,
                "phase": pod.phase,
                "reason": pod.reason,
                "message": pod.message,
                "alike": pod.alike,
                "containers": [
                    {
                        "name": container.name,
                        "state": container.state,
                        "message": container.message,
                        "restarts": container.restarts,
                    }
                    for container in pod.containers
                ],
            }
            for pod in found.pods
        ],
        "events": [
            {
                "when": event.when,
                "type": event.type,
                "reason": event.reason,
                "about": event.about,
                "message": event.message,
                "count": event.count,
            }
            for event in found.events
        ],
        "logs": [
            {
                "pod": log.pod,
                "container": log.container,
                "previous": log.previous,
                "lines": list(log.lines),
                "note": log.note,
            }
            for log in found.logs
        ],
        "notes": list(found.notes),
    }


class JsonLines:
    """Writes a line of JSON per event as it comes; the last one sums the run up.

    Every line has `type`; the first is "run", the last "summary".
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def begin(self, info: RunInfo) -> None:
        """The line that says what is run, and where."""
        self._line({"type": "run", "apiVersion": FORMAT, **_info(info)})

    def change(self, entry: Entry) -> None:
        """What the plan says of one object."""
        self._line({"type": "change", **entry_json(entry)})

    def event(self, event: Event, entry: Entry | None = None) -> None:
        """One event; `entry` is what is known by now of the object it is about."""
        if isinstance(event, ObjectDone | HealthChanged | Diagnosis):
            if entry is not None:
                kind = "object" if isinstance(event, ObjectDone) else "health"
                self._line({"type": kind, **entry_json(entry)})
        elif isinstance(event, WaveStarted):
            counts = {"number": event.number, "total": event.total, "objects": event.objects}
            self._line({"type": "wave", **counts})
        elif isinstance(event, Waiting):
            what = {"for": event.for_what, "detail": event.detail}
            self._line({"type": "waiting", **_ref(event.ref), **what})
        elif isinstance(event, Warned):
            self._line({"type": "warning", **_warning(event)})

    def end(self, record: Record) -> None:
        """The line that sums the run up."""
        problems = [problem_json(problem) for problem in record.problems]
        self._line({"type": "summary", **_end(record), "problems": problems})

    def _line(self, data: dict[str, Any]) -> None:
        self._write(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
