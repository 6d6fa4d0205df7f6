"""What a write carries of what the plan saw, and whether two diffs are one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.client import encode
from kapply.errors import Status
from kapply.planning.model import Seen
from kapply.planning.preconditions import (
    difference,
    guarded,
    is_precondition_failure,
    metadata_first,
)

OBJ: dict[str, Any] = {
    "spec": {"metadata": {"name": "inner"}},
    "kind": "X",
    "metadata": {"name": "a"},
}
BODY = encode(metadata_first(OBJ))


def test_a_create_only_body_is_the_object_with_a_version_that_no_object_has() -> None:
    sent = json.loads(guarded(BODY, OBJ, Seen()))
    assert sent == {**OBJ, "metadata": {"name": "a", "resourceVersion": "1"}}


def test_an_update_names_the_object_and_its_version() -> None:
    sent = json.loads(guarded(BODY, OBJ, Seen("u-1", "77")))
    assert sent["metadata"] == {"name": "a", "uid": "u-1", "resourceVersion": "77"}
    assert sent["spec"] == OBJ["spec"]


@pytest.mark.parametrize("own", ["uid", "resourceVersion"])
def test_preconditions_of_the_manifest_stay_the_only_ones(own: str) -> None:
    obj = {"metadata": {"name": "a", own: "theirs"}}
    body = encode(obj)
    assert guarded(body, obj, Seen("u-1", "77")) == body


def test_which_refusals_are_of_preconditions() -> None:
    def status(code: int, why: str, **cause: str) -> Status:
        causes = [cause] if cause else []
        details = {"causes": causes}
        return Status.from_json({"code": code, "reason": why, "details": details})

    assert is_precondition_failure(status(409, "Conflict"))
    assert not is_precondition_failure(
        status(409, "Conflict", reason="FieldManagerConflict", field=".data.k")
    )
    assert is_precondition_failure(
        status(422, "Invalid", field="metadata.uid", message="field is immutable")
    )
    assert not is_precondition_failure(
        status(422, "Invalid", field="spec.x", message="field is immutable")
    )


def live(**data: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a", "resourceVersion": "5"}, "data": data}


def test_the_same_change_on_a_moved_object_is_the_same_difference() -> None:
    before = difference(live(k="1"), live(k="2"))
    moved = {**live(k="1"), "status": {"seen": 3}}
    moved["metadata"] = {"name": "a", "resourceVersion": "9", "generation": 4}
    assert difference(moved, {**live(k="2"), "status": {"seen": 3}}) == before
    assert before == {"data": {"k": ("1", "2")}}


@pytest.mark.parametrize(
    ("now", "result"),
    [
        (live(k="other"), live(k="2")),
        (live(k="1"), live(k="2", more="x")),
        (live(k="2"), live(k="2")),
        (None, live(k="2")),
        (live(k=True), live(k=1)),
    ],
)
def test_another_change_is_another_difference(now: Any, result: Any) -> None:
    assert difference(now, result) != difference(live(k="1"), live(k="2"))
