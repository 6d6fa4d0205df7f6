"""Conflicts of an apply with other managers, and the texts the server tells them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kapply.merge.fieldpath import Path, format_path
from kapply.merge.fieldset import FieldSet
from kapply.merge.gotext import go_quote
from kapply.merge.managed_fields import ManagerId


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field another manager owns with another value."""

    manager: ManagerId
    path: Path

    @property
    def field(self) -> str:
        """The field as the server prints it: ".spec.replicas"."""
        return format_path(self.path)

    @property
    def message(self) -> str:
        """The message of the cause: 'conflict with "kubectl" using apps/v1'."""
        return f"conflict with {_name(self.manager)}"


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Why an apply was refused (HTTP 409): the fields by manager, each manager's in order."""

    items: tuple[Conflict, ...]

    @classmethod
    def of(cls, sets: Mapping[ManagerId, FieldSet]) -> Conflicts:
        """All paths of the sets as conflicts with their managers."""
        ordered = sorted(sets, key=lambda manager: manager.identifier)
        return cls(tuple(Conflict(manager, path) for manager in ordered for path in sets[manager]))

    def paths(self) -> FieldSet:
        """The fields in conflict, whoever owns them."""
        return FieldSet.of(conflict.path for conflict in self.items)

    def only(self, wanted: Callable[[Conflict], bool]) -> Conflicts:
        """The conflicts for which `wanted` says yes."""
        return Conflicts(tuple(filter(wanted, self.items)))

    @property
    def message(self) -> str:
        """The message of the server's Status."""
        if len(self.items) == 1:
            only = self.items[0]
            return f"Apply failed with 1 conflict: {only.message}: {only.field}"
        managers = dict.fromkeys(conflict.manager for conflict in self.items)
        lines: list[str] = []
        for manager in managers:
            lines.append(f"conflicts with {_name(manager)}:")
            lines += (f"- {item.field}" for item in self.items if item.manager == manager)
        return f"Apply failed with {len(self.items)} conflicts: " + "\n".join(lines)


def _name(manager: ManagerId) -> str:
    name = go_quote(manager.manager)
    if manager.subresource:
        name += f" with subresource {go_quote(manager.subresource)}"
    return f"{name} using {manager.api_version}" if manager.operation == "Update" else name
