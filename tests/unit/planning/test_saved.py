from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kapply.errors import InputError, Origin
from kapply.meta import GroupVersionKind, ObjectRef, RESTMapping
from kapply.planning.model import Action, Change, Desired, Plan
from kapply.planning.saved import (
    Cluster,
    Definition,
    Digester,
    SavedPlan,
    from_text,
    saved,
    stale,
    to_text,
)

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[3] / "schemas" / "plan.schema.json").read_text()
)
KEYED, PLAIN = Digester(b"0123456789abcdef"), Digester(b"")
HERE = Cluster("uid-1", "https://here")
CRDS = (Definition("widgets.example.com", "u", 3),)


def change(kind: str, value: str, *, live: str | None = None, **metadata: Any) -> Change:
    gvk = GroupVersionKind("", "v1", kind)
    ref = ObjectRef(gvk, "ns", "a")
    field = "stringData" if kind == "Secret" else "data"
    obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, field: {"k": value}}
    item = Desired(obj, b"", RESTMapping(gvk, "x", True), ref, Origin("f"), lambda _: Origin("f"))
    stored = None
    if live is not None:
        meta = {"name": "a", "uid": "1", "resourceVersion": "7", "managedFields": [], **metadata}
        stored = {"apiVersion": "v1", "kind": kind, "metadata": meta, "data": {"k": live}}
    action = Action.CREATE if live is None else Action.UPDATE
    return Change(ref, action, item, stored, obj)


def kept(*changes: Change, digester: Digester = KEYED, **more: Any) -> SavedPlan:
    made = saved(Plan(changes, "kapply"), HERE, {"--prune": False}, CRDS, digester)
    return replace(made, **more)


@pytest.mark.parametrize("digester", [KEYED, PLAIN])
def test_what_is_written_is_read_and_fits_the_schema(digester: Digester) -> None:
    plan = kept(change("ConfigMap", "v", live="w"), change("Secret", "s"), digester=digester)
    text = to_text(plan, digester)
    assert from_text(text, digester) == plan
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_no_value_is_in_the_file_and_secrets_have_no_plain_digest() -> None:
    changes = (
        change("ConfigMap", "value-1", live="value-2"),
        change("Secret", "value-3", live="x"),
    )
    for digester in (KEYED, PLAIN):
        assert "value" not in to_text(kept(*changes, digester=digester), digester)
    plain = kept(*changes, digester=PLAIN).objects
    assert plain[0].diff.startswith("sha256:")
    assert (plain[1].input, plain[1].live, plain[1].diff) == ("", "", "")
    assert kept(*changes).objects[1].diff.startswith("hmac-sha256:")
    # Another key, other digests: none can be looked up.
    other = kept(*changes, digester=Digester(b"another key, as long"))
    assert {one.diff for one in other.objects}.isdisjoint(
        one.diff for one in kept(*changes).objects
    )


MOVES: list[tuple[str, Change | None, str]] = [
    ("input", change("ConfigMap", "other", live="w"), "its manifest has changed"),
    ("edit", change("ConfigMap", "v", live="edited"), "has changed on the server"),
    ("label", change("ConfigMap", "v", live="w", labels={"a": "b"}), "has changed on the server"),
    ("delete", change("ConfigMap", "v"), "was deleted"),
    ("anew", change("ConfigMap", "v", live="w", uid="2"), "was deleted and created anew"),
    (
        "other manager",
        change(
            "ConfigMap", "v", live="w", managedFields=[{"manager": "x", "fieldsV1": {"f:a": {}}}]
        ),
        "has changed on the server",
    ),
    ("gone from the input", None, "is no longer in the input"),
]


@pytest.mark.parametrize(("name", "now", "how"), MOVES, ids=[move[0] for move in MOVES])
def test_what_has_moved_is_named(name: str, now: Change | None, how: str) -> None:
    before = kept(change("ConfigMap", "v", live="w"))
    assert stale(before, before) == []
    ((ref, said),) = stale(before, kept(*([now] if now else [])))
    assert (str(ref), said) == ("ConfigMap a in ns", how)


def test_what_was_not_there_was_created_and_what_is_new_is_said_so() -> None:
    absent, there = kept(change("ConfigMap", "v")), kept(change("ConfigMap", "v", live="w"))
    assert [how for _, how in stale(absent, there)] == ["was created"]
    assert [how for _, how in stale(kept(), there)] == ["is new in the input"]


def test_status_alone_may_move_but_not_where_nothing_else_binds() -> None:
    entries = [{"manager": "c", "subresource": "status", "fieldsV1": {"f:status": {}}}]
    for kind in ("ConfigMap", "Secret"):
        before = change(kind, "v", live="w")
        moved = change(kind, "v", live="w", resourceVersion="8", managedFields=entries)
        assert moved.live is not None
        moved.live["status"] = {"ready": True}
        assert stale(kept(before), kept(moved)) == []
        plain = stale(kept(before, digester=PLAIN), kept(moved, digester=PLAIN))
        assert len(plain) == (1 if kind == "Secret" else 0)


def test_another_answer_of_the_server_is_stale() -> None:
    before = change("ConfigMap", "v", live="w")
    assert before.result is not None
    now = replace(before, result={**before.result, "data": {"k": "defaulted"}})
    ((_, how),) = stale(kept(before), kept(now))
    assert "something else" in how


@pytest.mark.parametrize(
    ("now", "how"),
    [
        ((), "was deleted, or may no longer be read"),
        ((Definition("widgets.example.com", "u2", 1),), "was deleted and created anew"),
        ((Definition("widgets.example.com", "u", 4),), "has changed"),
        ((*CRDS, Definition("x.example.com", "u", 1)), "was created"),
    ],
)
def test_crds_bind_too(now: tuple[Definition, ...], how: str) -> None:
    ((name, said),) = stale(kept(), kept(definitions=now))
    assert str(name).startswith("CustomResourceDefinition ")
    assert said == how


def test_a_file_that_was_tampered_with_is_refused_whatever_was_changed() -> None:
    text = to_text(kept(change("ConfigMap", "v", live="w")), KEYED)
    data = json.loads(text)
    edits: list[Any] = [
        {**data, "manager": "other"},
        {**data, "flags": {"--prune": True}},
        {**data, "definitions": []},
        {**data, "objects": []},
        {**data, "cluster": {"uid": "2", "server": ""}},
        {**data, "objects": [{**data["objects"][0], "action": "create"}]},
        {**data, "objects": [{**data["objects"][0], "uid": 1}]},
        {**data, "objects": [{}]},
        {**data, "objects": None},
        {**data, "extra": 1},
        {**data, "digest": "hmac-sha256:" + "0" * 64},
        {**data, "digest": 7},
        {key: value for key, value in data.items() if key != "digest"},
        {**data, "key": ""},
        {**data, "apiVersion": "kapply.dev/plan/v2"},
        {"kind": "SavedPlan"},
        [],
        7,
    ]
    for edit in edits:
        with pytest.raises(InputError):
            from_text(json.dumps(edit), KEYED)
    for broken in ("", "{", "[" * 100_000, b"\xff"):
        with pytest.raises(InputError):
            from_text(broken, KEYED)
    with pytest.raises(InputError, match="another key"):
        from_text(text, Digester(b"fedcba9876543210"))
    with pytest.raises(InputError, match="another key"):
        from_text(text, PLAIN)
    with pytest.raises(InputError, match="without a key"):
        from_text(to_text(kept(digester=PLAIN), PLAIN), KEYED)
