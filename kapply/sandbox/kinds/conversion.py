"""Conversion of the built-in kinds that have several versions (filled in below)."""

from __future__ import annotations

from typing import Any

from kapply.meta import GroupVersionKind


def convert(
    obj: dict[str, Any], source: GroupVersionKind, target: GroupVersionKind
) -> dict[str, Any]:
    """The object in the target version."""
    return obj
