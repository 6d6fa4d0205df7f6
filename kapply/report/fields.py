"""Field paths as the server writes them ("spec.containers[0].image") and as data."""

from __future__ import annotations

import re

_PART = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|([^.\[\]]+)")


def parse_field(text: str) -> tuple[str | int, ...]:
    """The steps of a field path; `metadata.labels[a.b/c]` names a key in brackets."""
    steps: list[str | int] = []
    for found in _PART.finditer(text):
        if found[1] is not None:
            steps.append(int(found[1]))
        else:
            steps.append(found[2] if found[2] is not None else found[3])
    return tuple(steps)
