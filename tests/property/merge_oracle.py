"""Many cases at once put to the Go oracle and to kapply.merge, and the first difference told."""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.jsonvalue import json_equal
from tests.oracle.driver import Oracle

#: What one side makes of a case: a JSON value, or {"error": message}.
Answer = dict[str, Any]

#: How many cases each operation has to agree on.
REQUIRED = 5000


@dataclass(slots=True)
class Agreement:
    """How many cases agree, and how many of them neither side refused."""

    cases: int = 0
    taken: int = 0


def crashed(go: Any) -> bool:
    """Whether Go panicked at a case."""
    return isinstance(go, dict) and str(go.get("error", "")).startswith("panic")


def answer_of(case: Answer, function: Callable[[Answer], Any]) -> Answer:
    try:
        return {"result": function(case)}
    except MergeError as error:
        return {"error": str(error)}


def agree(go: Any, mine: Answer, *, ordered: bool, panics: bool) -> bool:
    """Whether both sides refuse, or both give the same JSON (with `ordered`, the same text)."""
    if crashed(go):
        return panics
    if isinstance(go, dict) and "error" in go:
        return "error" in mine
    if "error" in mine:
        return False
    found = mine["result"]
    if ordered:
        return json.dumps(found) == json.dumps({name: go[name] for name in found})
    return json_equal(found, go)


def compare(
    oracle: Oracle,
    op: str,
    cases: Sequence[Answer],
    function: Callable[[Answer], Any],
    *,
    ordered: bool = False,
    same_errors: bool = False,
    panics: bool = False,
    **request: Any,
) -> Agreement:
    """Hold `function` to the oracle's answer on each case.

    Args:
        oracle: the running oracle.
        op: the operation that is asked.
        cases: its cases.
        function: our side.
        ordered: the keys of objects have an order too.
        same_errors: the texts of errors agree as well.
        panics: Go may crash on a case; ours has only not to.
        request: what all cases share.

    Returns:
        How many cases Go answered, with a result or an error, and how many both sides took.
    """
    found = Agreement()
    for start in range(0, len(cases), 500):
        batch = cases[start : start + 500]
        for case, go in zip(batch, oracle.ask(op, cases=batch, **request), strict=True):
            mine = answer_of(case, function)
            good = agree(go, mine, ordered=ordered, panics=panics)
            if good and same_errors and "error" in mine:
                good = mine["error"] == go["error"]
            assert good, (
                f"{op}\ncase {json.dumps(case)}\ngo   {json.dumps(go)}\nmine {json.dumps(mine)}"
            )
            found.cases += not crashed(go)
            found.taken += "error" not in mine
    return found


@functools.cache
def published(name: str) -> Any:
    """The definitions of an OpenAPI v3 document that Kubernetes publishes ("apis__apps__v1")."""
    cluster = Path(__file__).parent.parent / "cluster"
    found = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"],
        cwd=cluster,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    document = Path(found) / "api" / "openapi-spec" / "v3" / f"{name}_openapi.json"
    return json.loads(document.read_text())["components"]["schemas"]


def seeded(number: int) -> random.Random:
    """A source of cases; KAPPLY_TEST_SEED varies it."""
    return random.Random(f"{os.environ.get('KAPPLY_TEST_SEED', '0')} {number}")
