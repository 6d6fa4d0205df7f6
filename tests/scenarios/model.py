"""Scenarios: requests and what the real kube-apiserver answered, as data.

A file holds `steps`, sent one after the other in a fresh namespace that every path and body may
call $NS:

    - do: POST /api/v1/namespaces/$NS/configmaps
      type: application/json          # the default
      headers: {Accept: ...}
      body: {...}                     # or text, sent as it is
      keep: {first: /metadata/uid}    # afterwards $first stands for this part of the answer
      answer: {code: 201, body: {...}, warnings: [...]}

or `cases`, each a dry-run create of `base` with a merge patch `set` laid over it. `answer` is
written by `python -m tests.scenarios.record`. Values that differ from run to run (identities,
times, versions, addresses) are replaced by names that keep what is equal equal.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

import yaml

FOLDER = Path(__file__).parent
NAMESPACE = "$NS"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Reply:
    """An answer before it is normalised."""

    code: int
    body: bytes
    warnings: tuple[str, ...] = ()


class Server(Protocol):
    """Whoever answers: the sandbox, or a real API server."""

    def call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes | None,
    ) -> Reply:
        """One request."""


def files() -> list[Path]:
    """Every scenario."""
    return sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "gaps")


def load(path: Path) -> dict[str, Any]:
    """A scenario file."""
    found: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    return found


def steps_of(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of a scenario; its cases as steps."""
    steps: list[dict[str, Any]] = list(scenario.get("steps", []))
    base = scenario.get("base")
    for case in scenario.get("cases", []):
        body = merged(copy.deepcopy(base), case.get("set", {}))
        query = case.get("query", "dryRun=All")
        step = {"do": f"POST {scenario['path']}?{query}", "body": body}
        if "update" in case:  # an object that exists, changed
            step = {"do": f"PUT {scenario['path']}/{case['update']}?dryRun=All", "body": body}
        steps.append(step)
    return steps


def answers_of(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """The recorded answers, in the order of `steps_of`."""
    holders = [*scenario.get("steps", []), *scenario.get("cases", [])]
    return [holder["answer"] for holder in holders]


def merged(target: Any, patch: Any) -> Any:
    """A merge patch (RFC 7386), except that {"$list": {"0": …}} patches items of a list."""
    if isinstance(patch, dict) and set(patch) == {"$list"} and isinstance(target, list):
        for position, below in patch["$list"].items():
            index = int(position)
            if below is None:
                del target[index]
            elif index == len(target):
                target.append(merged({}, below))
            else:
                target[index] = merged(target[index], below)
        return target
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif value == "$null":
            result[name] = None
        else:
            result[name] = merged(result.get(name), value)
    return result


class Session:
    """One server being played to: what was kept of its answers, and the names of what varies."""

    def __init__(self, server: Server, namespace: str) -> None:
        self._server = server
        self._names: dict[str, str] = {"NS": namespace}
        self._known = Normaliser(namespace)

    def send(self, step: dict[str, Any]) -> dict[str, Any]:
        """Send one step; its normalised answer."""
        sent = {k: v for k, v in step.items() if k in ("do", "body", "headers", "type")}
        filled = json.loads(_filled(json.dumps(sent), self._names))
        method, _, target = filled["do"].partition(" ")
        path, _, query = target.partition("?")
        body = filled.get("body")
        data = body.encode() if isinstance(body, str) else None
        if data is None and body is not None:
            data = json.dumps(body).encode()
        headers = {"User-Agent": "scenario/1", **filled.get("headers", {})}
        if data is not None:
            headers["Content-Type"] = filled.get("type", "application/json")
        pairs = parse_qsl(query, keep_blank_values=True)
        reply = self._server.call(method, path, pairs, headers, data)
        decoded = _decoded(reply.body)
        if reply.code < 400:
            for name, pointer in step.get("keep", {}).items():
                kept = _at(decoded, pointer)
                if kept is not None:
                    self._names[name] = str(kept)
        if step.get("ignore"):
            return {"code": reply.code}
        answer: dict[str, Any] = {"code": reply.code, "body": self._known.clean(decoded)}
        if reply.warnings:
            answer["warnings"] = [self._known.text(text) for text in reply.warnings]
        return answer


def play(scenario: dict[str, Any], server: Server, namespace: str) -> Iterator[dict[str, Any]]:
    """Send the steps; yields the normalised answer of each."""
    session = Session(server, namespace)
    for step in steps_of(scenario):
        yield session.send(step)


def _filled(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda m: names.get(m[1], m[0]), text)


def _decoded(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        lines = [line for line in text.split("\n") if line]
        try:
            return [json.loads(line) for line in lines]  # a watch
        except ValueError:
            return text


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.strip("/").split("/"):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SERVICE_IP = re.compile(r"\b10\.96\.\d+\.\d+\b")
#: What is numbered by first appearance, so that the same is the same.
_VERSIONS = ("resourceVersion",)
_PORTS = ("nodePort", "healthCheckNodePort")
_AGES = re.compile(r"\d+s")


class Normaliser:
    """Replaces what differs from run to run; the same value always by the same name."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._seen: dict[str, dict[str, str]] = {}

    def _named(self, kind: str, value: str) -> str:
        known = self._seen.setdefault(kind, {})
        return known.setdefault(value, f"<{kind} {len(known) + 1}>")

    def clean(self, value: Any, key: str = "") -> Any:
        """The value, normalised."""
        if isinstance(value, dict):
            if value.get("kind") == "PersistentVolumeClaim" and "uid" in value.get("metadata", ()):
                # The server's first write to a new claim is a change even when it says nothing.
                value = {**value, "metadata": {**value["metadata"], "resourceVersion": ""}}
            if value.get("kind") == "Table":
                value = {**value, "columnDefinitions": _names_of(value["columnDefinitions"])}
            return {self.text(k): self.clean(v, k) for k, v in value.items()}
        if isinstance(value, list) and key == "managedFields":
            # Entries of one second are in another order than those of several.
            found = [self.clean(item) for item in value]
            return sorted(found, key=lambda e: json.dumps(e, sort_keys=True))
        if isinstance(value, list):
            return [self.clean(item, key) for item in value]
        if key in _VERSIONS and isinstance(value, str) and value not in ("", "0", "1"):
            return self._named("rv", value)
        if key in _PORTS and value:
            return self._named("port", str(value))
        if key == "continue" and value:
            return "<continue>"
        if key == "name" and isinstance(value, str):
            value = re.sub(r"-[bcdfghjklmnpqrstvwxz2456789]{5}$", "-<suffix>", value)
        if key == "cells" and isinstance(value, str) and _AGES.fullmatch(value):
            return "<age>"
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """A text, normalised."""
        text = _sorted_quote(text)
        text = _UID.sub(lambda m: self._named("uid", m[0]), text)
        text = _TIME.sub(lambda m: "<time>", text)
        text = _SERVICE_IP.sub(lambda m: self._named("ip", m[0]), text)
        # The server walks a mapping in any order.
        head, errors, told = text.partition("errors:\n")
        if errors:
            text = head + errors + "\n".join(sorted(told.split("\n")))
        text = re.sub(r"(in record) \(\d+\)", r"\1 (<rv>)", text)
        # A Status that quotes a whole object quotes its version too.
        text = re.sub(r'(\\*"resourceVersion\\*":\\*")\d+', r"\1<rv>", text)
        return text.replace(self._namespace, NAMESPACE)


_QUOTE = re.compile(r'Invalid value: ("\{(?:[^"\\]|\\.)*\}")')


def _sorted_quote(text: str) -> str:
    """A text whose quoted object has its keys in order: the server's depends on how it was read."""

    def again(found: re.Match[str]) -> str:
        try:
            value = json.loads(json.loads(found[1]))
        except ValueError:
            return found[0]
        return "Invalid value: " + json.dumps(
            json.dumps(value, sort_keys=True, separators=(",", ":"))
        )

    return _QUOTE.sub(again, text)


def steady(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what the server itself does not say twice the same way.

    Conflicts, and errors of custom resources, come in the order of a Go map; what is wrong with
    metadata is a cause once or twice, which differs from kind to kind.
    """
    body = answer.get("body")
    if not isinstance(body, dict) or body.get("kind") != "Status":
        return answer
    details = body.get("details") or {}
    causes = details.get("causes") or []
    kept = [cause for index, cause in enumerate(causes) if cause not in causes[:index]]
    custom = str(details.get("group", "")).endswith(".example.com")
    if custom or all(cause.get("reason") == "FieldManagerConflict" for cause in kept):
        kept.sort(key=lambda cause: (cause.get("field", ""), cause.get("message", "")))
    if kept != causes:
        body = {**body, "details": {**details, "causes": kept}}
    message = str(body.get("message", ""))
    if "field not declared in schema" in message:
        # The server stops at the first such field that it meets, in any order.
        return {**answer, "body": {**body, "message": message.partition("):")[0]}}
    texts = {f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in kept}
    head, _, listed = str(body.get("message", "")).partition(" is invalid: ")
    if custom and sorted(listed.strip("[]")) == sorted(", ".join(texts).strip("[]")):
        body = {**body, "message": f"{head} is invalid: {sorted(texts)}"}
    return {**answer, "body": body}


def _names_of(columns: Any) -> Any:
    return [column["name"] for column in columns] if columns else columns
