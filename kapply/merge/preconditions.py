"""What a patch has to leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from kapply.merge.errors import PreconditionError
from kapply.merge.jsonvalue import Json, go_json

#: Says whether a patch (an object) is acceptable.
Precondition: TypeAlias = Callable[[Json], bool]


def key_unchanged(name: str) -> Precondition:
    """The patch leaves the top-level key `name` alone (kubectl: apiVersion, kind)."""
    return lambda patch: name not in patch


def metadata_unchanged(name: str) -> Precondition:
    """The patch leaves metadata.`name` alone (kubectl: name)."""

    def holds(patch: Json) -> bool:
        metadata = patch.get("metadata")
        return not isinstance(metadata, dict) or name not in metadata

    return holds


def check(patch: Json, preconditions: Iterable[Precondition]) -> Json:
    """`patch` itself; raises PreconditionError when it does not hold to a precondition."""
    for holds in preconditions:
        if not holds(patch):
            raise PreconditionError(f"precondition failed for: {go_json(patch)}")
    return patch
