"""Field paths: tuples of names and indexes, and how they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable

Path = tuple[str | int, ...]

_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*\Z", re.ASCII)


def path_text(path: Iterable[str | int]) -> str:
    """As the API server writes a field path: spec.containers[0].ports, data[a.b]."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        elif _PLAIN.match(part):
            out += f".{part}" if out else part
        else:
            out += f"[{part}]"
    return out
