"""What the containers of a pod are checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kapply.sandbox.checks.base import Object


@dataclass(slots=True)
class PodFacts:
    """What containers are checked against."""

    volumes: Mapping[str, Object]
    grace: int | None = None
    claims: frozenset[str] = frozenset()
    host_users: bool = True
    seen_ports: set[tuple[Any, ...]] = field(default_factory=set)
