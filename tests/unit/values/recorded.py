"""What Go's libraries answered for the inputs of this folder's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_TABLES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "go.json").read_text(encoding="utf-8")
)


def table(name: str) -> list[Any]:
    rows: list[Any] = _TABLES[name]
    assert rows
    return rows
