"""The order of API versions (apimachinery version.CompareKubeAwareVersionStrings)."""

from __future__ import annotations

import re

_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?", re.ASCII)
_STABILITY = {None: 0, "beta": 1, "alpha": 2}


def rank(version: str) -> tuple[int, int, int, str]:
    """A key that sorts v2 before v1 before v1beta2 before v1alpha1 before anything else."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return (9, 0, 0, version)
    return (_STABILITY[match[2]], -int(match[1]), -int(match[3] or 0), "")
