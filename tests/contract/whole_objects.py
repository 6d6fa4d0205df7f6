"""Objects of common kinds with most of their fields, from `whole_objects.yaml`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def whole_objects() -> tuple[dict[str, Any], ...]:
    """All of them; not to be changed."""
    text = (Path(__file__).parent / "whole_objects.yaml").read_text("utf-8")
    return tuple(yaml.safe_load_all(text))
