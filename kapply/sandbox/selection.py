"""labelSelector and fieldSelector of lists, watches and deletecollection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kapply.query.field_selectors import FieldSelector, parse_field_selector
from kapply.query.selectors import Selector, SelectorError, parse_selector
from kapply.sandbox import status
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.request import Call
from kapply.sandbox.strategy import Strategy

__all__ = ["Selection", "selection_of"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a collection are meant."""

    labels: Selector = field(default_factory=Selector)
    fields: FieldSelector = field(default_factory=FieldSelector)
    name: str = ""
    strategy: Strategy = field(default_factory=Strategy)

    def __bool__(self) -> bool:
        return bool(self.name) or not (self.labels.empty and self.fields.empty)

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether a stored object is meant."""
        metadata = obj["metadata"]
        if self.name and metadata.get("name") != self.name:
            return False
        if not self.labels.empty and not self.labels.matches(metadata.get("labels") or {}):
            return False
        return self.fields.empty or self.fields.matches(fields_of(self.strategy, obj))


def fields_of(strategy: Strategy, obj: Mapping[str, Any]) -> dict[str, str]:
    """The selectable fields of a stored object."""
    metadata = obj["metadata"]
    return {
        "metadata.name": metadata.get("name", ""),
        "metadata.namespace": metadata.get("namespace", ""),
        **strategy.fields(obj),
    }


def _unknown(call: Call, strategy: Strategy, field: str) -> str:
    if call.resource.crd is None and not strategy.fields({"metadata": {}}):
        return (
            f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )
    return f"field label not supported: {field}"


def selection_of(call: Call) -> Selection:
    """The selectors of a request. Raises Failure 400."""
    strategy = strategy_of(call.resource)
    try:
        labels = parse_selector(call.params.get("labelSelector", ""))
        fields = parse_field_selector(call.params.get("fieldSelector", ""))
    except SelectorError as error:
        raise status.bad_request(str(error)) from None
    if not fields.empty:
        known = fields_of(strategy, {"metadata": {}})
        for term in fields.terms:
            if term.field not in known:
                raise status.bad_request(_unknown(call, strategy, term.field))
    return Selection(labels, fields, call.target.name, strategy)
