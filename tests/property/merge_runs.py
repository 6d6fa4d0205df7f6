"""Runs of writes by several managers, made up along what kapply.merge makes of each write."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

from kapply.merge.errors import MergeError, MissingVersionError
from kapply.merge.fieldfilter import FieldFilter, excluding, including
from kapply.merge.fieldset import FieldSet
from kapply.merge.jsonvalue import Json, copy_json
from kapply.merge.schema import DEDUCED, Type
from kapply.merge.schema_openapi import Schema
from kapply.merge.ssa import Conflicts, FieldManager, Versions
from kapply.merge.ssa.lastapplied import LAST_APPLIED
from tests.property.merge_cases import DEFINITIONS, edited, value_of

HUB = "t/v1"

#: What two fields below spec are called at each version.
NAMES = {
    "t/v1": {"text": "text", "items": "items"},
    "t/v2": {"text": "words", "items": "things"},
}


def _second_version() -> dict[str, Any]:
    spec = DEFINITIONS["Spec"]["properties"]
    names = NAMES["t/v2"]
    renamed = {names.get(name, name): schema for name, schema in spec.items()}
    thing = DEFINITIONS["Thing"]
    properties = {**thing["properties"], "spec": {"$ref": "#/components/schemas/Spec2"}}
    kind = [{"group": "t", "version": "v2", "kind": "Thing"}]
    return {
        **DEFINITIONS,
        "Spec2": {"type": "object", "properties": renamed},
        "Thing2": {**thing, "properties": properties, "x-kubernetes-group-version-kind": kind},
    }


#: Two versions of Thing.
BOTH = _second_version()
_SCHEMA = Schema(BOTH)
_TYPES = {"t/v1": _SCHEMA.named("Thing"), "t/v2": _SCHEMA.named("Thing2")}


def convert(obj: Json, version: str) -> Json:
    """An object of one version of Thing as one of the other."""
    before, after = NAMES.get(obj.get("apiVersion", "")), NAMES.get(version)
    if before is None or after is None:
        raise MissingVersionError(version)
    obj = {**obj, "apiVersion": version}
    if isinstance(obj.get("spec"), dict):
        back = {name: after[canonical] for canonical, name in before.items()}
        obj["spec"] = {back.get(name, name): value for name, value in obj["spec"].items()}
    return obj


def versions(*, deduced: bool) -> Versions:
    """The versions of Thing, with their schemas or without any."""
    types: dict[str, Type] = dict.fromkeys(NAMES, DEDUCED) if deduced else _TYPES
    return Versions(types, convert)


#: What a manifest may hold there; the last few fit no map of strings.
_ANNOTATIONS: tuple[Json, ...] = (
    None,
    {},
    {"a": None},
    {LAST_APPLIED: "x"},
    {LAST_APPLIED: None, "b": "c"},
    {LAST_APPLIED: "x", "a": None, "b": "c"},
    {"a": 1},
    ["a"],
    "a",
)


@dataclass
class Run:
    """Some writes to one object.

    Attributes:
        steps: the writes as the oracle takes them.
        answers: what kapply makes of each: {"object"}, {"conflicts", "error"} or {"error"}.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    reset: dict[str, Any] = field(default_factory=dict)
    include: dict[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        return {
            "kind": "Thing",
            "versions": NAMES,
            "hub": HUB,
            "reset": self.reset,
            "include": self.include,
            "steps": self.steps,
        }


def make_run(rnd: random.Random, *, deduced: bool) -> Run:
    """A run of two to seven writes; sometimes of many updates, which the server folds."""
    run = Run()
    kinds = versions(deduced=deduced)
    filters: dict[str, FieldFilter] = {}
    chance = rnd.random()
    if chance < 0.3:
        run.reset = {version: {"f:status": {}} for version in NAMES}
        filters = {version: excluding(FieldSet.of([("f:status",)])) for version in NAMES}
    elif chance < 0.4:
        patterns = [["spec", "part", "*"], ["spec", "nested", "a"], ["metadata"]]
        run.include = dict.fromkeys(NAMES, patterns)
        paths = [
            tuple(part if part == "*" else "f:" + part for part in pattern) for pattern in patterns
        ]
        filters = {version: including(paths) for version in NAMES}
    several = rnd.random() < 0.4
    many = rnd.random() < 0.05
    live: Json = None
    configs: dict[str, Json] = {}
    for number in range(rnd.randint(14, 18) if many else rnd.randint(2, 7)):
        version = rnd.choice(("t/v1", "t/v2")) if several else "t/v1"
        manager = f"m{number}" if many else rnd.choice(("a", "b", "kubectl", ""))
        step = {
            "write": "update" if many or rnd.random() < 0.35 else "apply",
            "apiVersion": version,
            "manager": manager,
            "subresource": "status" if rnd.random() < 0.1 else "",
            "force": rnd.random() < 0.3,
            "time": f"2020-01-01T00:00:{number:02d}Z",
        }
        field_manager = FieldManager(
            "Thing", version, kinds, subresource=str(step["subresource"]), filters=filters
        )
        current = None if live is None else convert(live, version)
        type_ = kinds.types[version]
        if step["write"] == "apply":
            given = _config(rnd, type_, configs.get(manager), version)
            configs[manager] = convert(given, HUB) if given["apiVersion"] in NAMES else given
        else:
            given = _updated(rnd, type_, current, version)
        step["object"] = copy_json(given)
        run.steps.append(step)
        live = _played(run, step, field_manager, live, given)
    return run


def _played(run: Run, step: dict[str, Any], manager: FieldManager, live: Json, given: Json) -> Json:
    """Play one step, record its answer, and give what is live afterwards."""
    current = live
    try:
        if step["write"] == "apply":
            done = manager.apply(
                current, given, step["manager"], force=step["force"], now=step["time"]
            )
        else:
            done = manager.update(current, given, step["manager"], now=step["time"])
    except MergeError as error:
        run.answers.append({"error": error.message})
        return live
    if isinstance(done, Conflicts):
        causes = [{"message": item.message, "field": item.field} for item in done.items]
        run.answers.append({"error": done.message, "conflicts": causes})
        return live
    done = convert(done, HUB)
    run.answers.append({"object": done})
    return done


def _object(rnd: random.Random, type_: Type, version: str) -> Json:
    return _identified(value_of(rnd, type_, 5, odd=0.01), version)


def _identified(obj: Json, version: str) -> Json:
    obj = obj if isinstance(obj, dict) else {"spec": {"a": obj}}
    metadata = obj.get("metadata")
    metadata = dict(metadata) if isinstance(metadata, dict) else {}
    metadata.pop("managedFields", None)
    metadata["name"] = "x"
    return {**obj, "apiVersion": version, "kind": "Thing", "metadata": metadata}


def _config(rnd: random.Random, type_: Type, last: Json, version: str) -> Json:
    if last is None or rnd.random() < 0.15:
        config = _object(rnd, type_, version)
    else:
        config = _identified(edited(rnd, convert(last, version), type_, odd=0.01), version)
    if rnd.random() < 0.1:
        config["metadata"]["annotations"] = rnd.choice(_ANNOTATIONS)
    if rnd.random() < 0.02:
        config["kind"] = "Other"
    if rnd.random() < 0.02:
        config["metadata"]["managedFields"] = []
    return config


def _updated(rnd: random.Random, type_: Type, live: Json, version: str) -> Json:
    if live is None:
        new = _object(rnd, type_, version)
    else:
        entries = live["metadata"].get("managedFields")
        new = _identified(edited(rnd, live, type_, odd=0.01), version)
        chance = rnd.random()
        if entries and chance < 0.6:
            new["metadata"]["managedFields"] = entries
        elif chance < 0.65:
            new["metadata"]["managedFields"] = rnd.choice(
                ([], [{}], [{"manager": "broken", "operation": "Move"}])
            )
    if rnd.random() < 0.3:
        new["metadata"]["uid"] = "u"
    if rnd.random() < 0.3 and isinstance(new["metadata"].get("annotations") or {}, dict):
        plain = {key: value for key, value in new.items() if key != "status"}
        plain = {**plain, "metadata": {"name": "x"}}
        new["metadata"]["annotations"] = {
            **(new["metadata"].get("annotations") or {}),
            LAST_APPLIED: json.dumps(plain),
        }
    return new
