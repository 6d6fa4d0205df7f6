"""Custom resources written on a real API server, and what kapply.merge says will become of them.

One CRD with every list type, defaults, embedded resources and rules; runs of applies and updates
by several managers. Each answer of the server, object, managedFields or refusal, is computed from
the object before it, with the types made from the CRD alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.jsonvalue import copy_json, json_equal
from kapply.merge.schema import Type
from kapply.merge.schema_crd import crd_definition, crd_type
from kapply.merge.schema_openapi import Schema
from kapply.merge.ssa import Conflicts, FieldManager, Versions
from kapply.merge.structural import (
    Validator,
    apply_defaults,
    drop_nulls,
    identity_violations,
    prune,
    prune_defaults,
    repeated_items,
)
from kapply.merge.typed import field_set_of
from tests.cluster.client import Answer, Client
from tests.cluster.cluster import TestCluster
from tests.property.merge_cases import edited, value_of
from tests.property.merge_oracle import seeded
from tests.property.merge_structural_cases import CHECKS

GROUP, VERSION, KIND = "merge.example.com", "v1", "Thing"
APPLY = "application/apply-patch+yaml"
RUNS = 150

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 100}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: Any, kind: str, *keys: str) -> dict[str, Any]:
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": kind}
    return {**schema, "x-kubernetes-list-map-keys": list(keys)} if keys else schema


_ITEM = _object(name=_TEXT, text=_TEXT, count={**_COUNT, "default": 5}, tags=_list(_TEXT, "set"))
_PORT = {**_object(port={"type": "integer"}, protocol={**_TEXT, "default": "TCP"}, note=_TEXT),
         "required": ["port", "protocol"]}  # fmt: skip

SCHEMA: dict[str, Any] = _object(
    spec=_object(
        text=_TEXT,
        short={**_TEXT, "maxLength": 3},
        size={**_TEXT, "enum": ["", "a", "b", "1"]},
        nullable={**_TEXT, "nullable": True},
        count=_COUNT,
        real={"type": "number"},
        flag={"type": "boolean"},
        either={"x-kubernetes-int-or-string": True},
        anything={"x-kubernetes-preserve-unknown-fields": True},
        defaulted={**_object(a={**_TEXT, "default": "x"}, b=_TEXT), "default": {}},
        open={**_object(known=_TEXT), "x-kubernetes-preserve-unknown-fields": True},
        labels={"type": "object", "additionalProperties": _TEXT},
        byName={"type": "object", "additionalProperties": _ITEM},
        whole={**_object(a=_TEXT, b=_TEXT), "x-kubernetes-map-type": "atomic"},
        atomic=_list(_ITEM, "atomic"),
        texts=_list(_TEXT, "set"),
        items={**_list({**_ITEM, "required": ["name"]}, "map", "name"), "maxItems": 3},
        ports=_list(_PORT, "map", "port", "protocol"),
        choice={
            **_object(a=_TEXT, b=_TEXT),
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        template={**_object(spec=_object(text=_TEXT)), "x-kubernetes-embedded-resource": True},
    ),
)


def definition() -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": KIND, "plural": "things"},
            "scope": "Cluster",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": SCHEMA},
                }
            ],
        },
    }


THINGS = f"/apis/{GROUP}/{VERSION}/things"


@pytest.fixture(scope="module")
def client(apiserver: TestCluster) -> Iterator[Client]:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    apiserver.request("POST", crds, definition()).ok()
    try:
        apiserver.wait_for(lambda: apiserver.request("GET", THINGS).code == 200, THINGS)
        kept = apiserver.client(kept=True)
        yield kept
        kept.close()
    finally:
        apiserver.request("DELETE", f"{crds}/things.{GROUP}")


TYPE = crd_type(GROUP, VERSION, KIND, SCHEMA)
PRUNED = prune_defaults(SCHEMA)


def admitted(obj: Any) -> Any:
    """An object as the server keeps it: pruned, without nulls, with defaults."""
    return apply_defaults(drop_nulls(prune(obj, PRUNED)[0], PRUNED), PRUNED)


# After an apply defaults are filled in, but nulls stay and are refused.
MANAGER = FieldManager(
    KIND,
    f"{GROUP}/{VERSION}",
    Versions({f"{GROUP}/{VERSION}": TYPE}),
    default=lambda obj: apply_defaults(obj, PRUNED),
)


def causes(obj: Any, old: Any) -> list[tuple[str, str, str]]:
    past = {} if old is None else {"old": old}
    found = Validator(SCHEMA, CHECKS).violations(obj, **past)
    found += identity_violations(obj, SCHEMA)
    if old is None or not repeated_items(old, SCHEMA):
        found += repeated_items(obj, SCHEMA)
    return sorted({(item.path, item.reason, item.message) for item in found})


def refusals(answer: Answer) -> list[tuple[str, str, str]]:
    assert answer.code == 422, answer
    listed = answer.json()["details"].get("causes", [])
    return sorted({(item["field"], item["reason"], item["message"]) for item in listed})


def content(obj: Any) -> Any:
    """What a write decides: all but what the server writes into metadata, and the times."""
    metadata = obj["metadata"]
    entries = [
        {name: value for name, value in entry.items() if name != "time"}
        for entry in metadata.get("managedFields", ())
    ]
    # ObjectMeta leaves out what is empty.
    names = ("labels", "annotations", "finalizers")
    return {
        **{name: metadata[name] for name in names if metadata.get(name)},
        "spec": obj.get("spec"),
        "managedFields": sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True)),
    }


def body(rnd: random.Random, name: str, spec: Any) -> Any:
    metadata: dict[str, Any] = {"name": name}
    if rnd.random() < 0.3:
        metadata["labels"] = {key: rnd.choice("xy") for key in rnd.sample("ab", rnd.randint(0, 2))}
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": KIND, "metadata": metadata, "spec": spec}


def spec_type() -> Type:
    assert TYPE.atom.map is not None
    return TYPE.atom.map.fields["spec"].type


def specs(rnd: random.Random, before: Any) -> Any:
    type_ = spec_type()
    odd = rnd.choice((0, 0, 0, 0.02))
    if before is None or rnd.random() < 0.1:
        made = value_of(rnd, type_, 4, odd=odd)
    else:
        made = edited(rnd, before, type_, odd=odd)
    made = small(made if isinstance(made, dict) else {})
    template = made.get("template")
    if isinstance(template, dict) and "metadata" in template:
        # The metadata of embedded resources is read as ObjectMeta, which is not merging's.
        made["template"] = {**template, "metadata": {"labels": {"a": rnd.choice("xy")}}}
    return made


def small(value: Any) -> Any:
    """`value` without numbers that JSON parsers read in their own ways."""
    if isinstance(value, dict):
        return {name: small(item) for name, item in value.items()}
    if isinstance(value, list):
        return [small(item) for item in value]
    return 3 if isinstance(value, float) or value in (-1, 12345678901) else value


def test_the_type_made_from_a_crd_is_the_published_one(
    apiserver: TestCluster, client: Client
) -> None:
    path = f"/openapi/v3/apis/{GROUP}/{VERSION}"
    apiserver.wait_for(lambda: client.request("GET", path).code == 200, path)
    document = client.request("GET", path).ok()
    published = Schema.from_documents([document]).kind(GROUP, VERSION, KIND)
    assert published is not None
    name, _ = crd_definition(GROUP, VERSION, KIND, SCHEMA)
    assert published.name == name
    rnd = seeded(600)
    for _ in range(300):
        value = value_of(rnd, published, 5)
        assert field_set_of(value, published) == field_set_of(value, TYPE)


def test_writes(client: Client) -> None:
    rnd = seeded(601)
    outcomes = {"written": 0, "conflict": 0, "invalid": 0, "error": 0}
    for run in range(RUNS):
        name = f"thing-{run}"
        configs: dict[str, Any] = {}
        live: Any = None
        for _ in range(rnd.randint(2, 6)):
            live = _step(client, rnd, name, live, configs, outcomes)
    assert outcomes["written"] > RUNS, outcomes
    assert outcomes["conflict"] > RUNS / 10 and outcomes["invalid"] > RUNS / 10, outcomes


def _step(
    client: Client,
    rnd: random.Random,
    name: str,
    live: Any,
    configs: dict[str, Any],
    outcomes: dict[str, int],
) -> Any:
    manager = rnd.choice(("a", "b", "kubectl"))
    apply = live is None or rnd.random() < 0.7
    if apply:
        given = body(rnd, name, specs(rnd, configs.get(manager)))
        configs[manager] = given["spec"]
    else:
        given = copy_json(live)
        given["spec"] = specs(rnd, live.get("spec"))
    force = apply and rnd.random() < 0.3
    query = {"fieldManager": manager, **({"force": "true"} if force else {})}
    answer = client.request(
        "PATCH" if apply else "PUT",
        f"{THINGS}/{name}",
        given,
        query=query,
        content_type=APPLY if apply else None,
    )
    said = answer.json()
    told = "\n".join(
        (
            f"{manager} {apply=} {force=}",
            *(json.dumps(part) for part in (given, live)),
            f"server {answer.code} {json.dumps(said)}",
        )
    )
    new = admitted(given)
    try:
        if apply:
            done = MANAGER.apply(live, given, manager, force=force, now="2020-01-01T00:00:00Z")
        else:
            done = MANAGER.update(live, new, manager, now="2020-01-01T00:00:00Z")
    except MergeError as error:
        if not apply:
            # Owners that cannot be computed are nothing to an update; its rules come after.
            assert refusals(answer) == causes(new, live) != [], told
            outcomes["invalid"] += 1
            return live
        assert answer.code == 500 and said["message"] == error.message, f"{told}\n{error.message}"
        outcomes["error"] += 1
        return live
    if isinstance(done, Conflicts):
        assert answer.code == 409 and said["message"] == done.message, f"{told}\n{done.message}"
        outcomes["conflict"] += 1
        return live
    wrong = causes(done, live)
    if answer.code == 422:
        assert refusals(answer) == wrong, f"{told}\nmine {wrong}"
        outcomes["invalid"] += 1
        return live
    assert not wrong, f"{told}\nmine {wrong}"
    assert answer.code in (200, 201), told
    outcomes["written"] += 1
    # What comes back was read from the store again, which drops nulls that were let in.
    mine = content(admitted(done))
    assert json_equal(content(said), mine), f"{told}\nmine {json.dumps(mine)}"
    return said
