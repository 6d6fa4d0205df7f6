"""Which rules look at which kind."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.meta import GroupKind
from kapply.validation.rules.base import Rule

_RULES: Mapping[GroupKind, tuple[Rule, ...]] = {}


def rules_for(kind: GroupKind) -> tuple[Rule, ...]:
    """The rules of a kind; none for kinds that only their schema describes."""
    return _RULES.get(kind, ())
