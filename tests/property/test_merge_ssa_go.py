"""Several managers writing one object, as apimachinery's field manager has it."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from kapply.merge.jsonvalue import json_equal
from kapply.merge.managed_fields import decode_managed_fields
from kapply.merge.ssa import upgrade_managed_fields
from tests.oracle.driver import Oracle, go_oracle
from tests.property.merge_cases import BATCH, CASES, any_fields
from tests.property.merge_oracle import REQUIRED, seeded
from tests.property.merge_runs import BOTH, Run, make_run

__all__ = ["go_oracle"]

pytestmark = pytest.mark.full


def same(mine: dict[str, Any], go: dict[str, Any]) -> bool:
    if "error" in go:
        if "conflicts" in go:
            theirs, ours = (
                sorted((item["message"], item["field"]) for item in side.get("conflicts", ()))
                for side in (go, mine)
            )
            return theirs == ours and go["error"] == mine["error"]
        return "error" in mine and "conflicts" not in mine and not go["error"].startswith("panic")
    if "error" in mine:
        return False
    # Entries are a list, so their order counts too.
    return json_equal(go["object"], mine["object"])


# A case is a run of two to seven writes, so half as many do where there is no schema to follow.
@pytest.mark.parametrize(
    ("deduced", "count"), [(False, CASES), (True, CASES // 2)], ids=["schema", "deduced"]
)
def test_managers(go_oracle: Oracle, deduced: bool, count: int) -> None:
    rnd = seeded(10 + deduced)
    request = {} if deduced else {"definitions": BOTH}
    outcomes = {"object": 0, "conflicts": 0, "error": 0}
    agreed = 0

    def ask(runs: list[Run]) -> Any:
        return go_oracle.ask("smd.manager", cases=[run.request() for run in runs], **request)

    def check(runs: list[Run], answers: Any) -> None:
        nonlocal agreed
        for run, answer in zip(runs, answers, strict=True):
            assert isinstance(answer, list), answer
            for number, (mine, go) in enumerate(zip(run.answers, answer, strict=True)):
                outcome = next(name for name in ("conflicts", "error", "object") if name in mine)
                outcomes[outcome] += 1
                assert same(mine, go), "\n".join(
                    json.dumps(part) for part in (run.request(), run.steps[: number + 1], go, mine)
                )
            agreed += 1

    # Go answers one batch while the next is made up.
    with ThreadPoolExecutor(1) as beside:
        asked: tuple[list[Run], Future[Any]] | None = None
        for _ in range(0, count, BATCH):
            runs = [make_run(rnd, deduced=deduced) for _ in range(BATCH)]
            if asked is not None:
                check(asked[0], asked[1].result())
            asked = runs, beside.submit(ask, runs)
        assert asked is not None
        check(asked[0], asked[1].result())
    assert agreed == count >= (REQUIRED // 2 if deduced else REQUIRED)
    assert outcomes["object"] > count * 2, outcomes
    assert outcomes["conflicts"] > count / 10, outcomes


def test_entries_after_client_side_apply(go_oracle: Oracle) -> None:
    rnd = seeded(12)

    def entry() -> dict[str, Any]:
        return {
            "manager": rnd.choice(("csa", "ssa", "other")),
            "operation": rnd.choice(("Apply", "Update", "Update")),
            "apiVersion": rnd.choice(("v1", "v2")),
            "fieldsType": "FieldsV1",
            "fieldsV1": any_fields(rnd, 2),
            "subresource": rnd.choice(("", "", "status")),
        }

    cases = [
        {
            "managedFields": [entry() for _ in range(rnd.randint(0, 5))],
            "from": ["csa"],
            "to": "ssa",
            "subresource": rnd.choice(("", "", "status")),
        }
        for _ in range(1000)
    ]

    def mine(case: dict[str, Any]) -> Any:
        done = upgrade_managed_fields(
            decode_managed_fields(case["managedFields"]),
            case["from"],
            case["to"],
            subresource=case["subresource"],
        )
        return [(item.manager, item.operation, item.api_version, item.fields) for item in done]

    for case, answer in zip(cases, go_oracle.ask("smd.csaupgrade", cases=cases), strict=True):
        done = decode_managed_fields(answer["managedFields"])
        theirs = [(item.manager, item.operation, item.api_version, item.fields) for item in done]
        assert mine(case) == theirs, case
