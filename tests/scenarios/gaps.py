"""The known gaps of the sandbox: gaps.yaml, read."""

from __future__ import annotations

import re
from typing import Any

from tests.scenarios.model import FOLDER, load

FILE = FOLDER / "gaps.yaml"


def gaps() -> list[dict[str, Any]]:
    """Every known gap: title, reason, pattern of the differences that it makes, steps."""
    found: list[dict[str, Any]] = load(FILE)["gaps"] if FILE.exists() else []
    return found


def known_patterns() -> list[re.Pattern[str]]:
    """What the differences that are known look like."""
    return [re.compile(gap["pattern"], re.DOTALL) for gap in gaps() if "pattern" in gap]
