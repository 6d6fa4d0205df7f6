"""The versions of a kind: their types, and how an object goes from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kapply.merge.errors import MissingVersionError, TypedError
from kapply.merge.jsonvalue import Json
from kapply.merge.schema import Type
from kapply.merge.typed import validate

#: An object and the apiVersion it is wanted at, to the object at that version.
Convert: TypeAlias = Callable[[Json, str], Json]


@dataclass(frozen=True, slots=True)
class Versions:
    """What is known of the versions of one kind.

    Attributes:
        types: the type of the kind by apiVersion.
        convert: takes an object to another version; raises MissingVersionError where it cannot.
            None for a kind of one version.
    """

    types: Mapping[str, Type]
    convert: Convert | None = None

    def type_at(self, version: str) -> Type:
        """The type at `version`; raises MissingVersionError."""
        found = self.types.get(version)
        if found is None:
            raise MissingVersionError(f"no corresponding type for {version}")
        return found

    def converted(self, value: Json, version: str) -> Json:
        """An object at `version`, itself when it is there already; raises MissingVersionError."""
        if value.__class__ is dict and value.get("apiVersion") == version:
            return value
        self.type_at(version)
        if self.convert is None:
            raise MissingVersionError(f"no conversion to {version}")
        return self.convert(value, version)

    def at(self, value: Json, version: str) -> Json:
        """As `converted`; an object that had to be converted is validated.

        Raises:
            MissingVersionError: nothing is known of that version.
            TypedError: the converted object does not fit its type.
        """
        found = self.converted(value, version)
        errors = [] if found is value else validate(found, self.type_at(version))
        if errors:
            raise TypedError(errors)
        return found
