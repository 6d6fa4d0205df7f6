"""The known gaps of the sandbox: gaps.yaml, read; and the table that is made from it.

`python -m tests.scenarios.gaps` writes the table into kapply/sandbox/GAPS.md.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from tests.scenarios.model import FOLDER, load

FILE = FOLDER / "gaps.yaml"
TABLE = Path(__file__).parents[2] / "kapply" / "sandbox" / "GAPS.md"
MOST = 40


@cache
def gaps() -> list[dict[str, Any]]:
    """Every known gap: title, reason, steps with what the server answered; perhaps a pattern.

    The pattern is what a difference that it makes looks like, for the differential machine.
    """
    found: list[dict[str, Any]] = load(FILE)["gaps"]
    return found


@cache
def known_patterns() -> tuple[re.Pattern[str], ...]:
    """What the differences that are known look like."""
    return tuple(re.compile(gap["pattern"], re.DOTALL) for gap in gaps() if "pattern" in gap)


def table() -> str:
    """The gaps for people, in Markdown."""
    rows = "".join(f"| {gap['title']} | {gap['reason']} |\n" for gap in gaps())
    return (
        "# Where the sandbox differs from kube-apiserver\n\n"
        "Made from tests/scenarios/gaps.yaml, where each gap has an example and the answer of the"
        f" real\nserver ({load(FILE)['recorded']}). A gap that closes fails a test until it is"
        " taken off the list.\n\n"
        f"| gap | reason |\n|---|---|\n{rows}"
    )


if __name__ == "__main__":
    TABLE.write_text(table())
