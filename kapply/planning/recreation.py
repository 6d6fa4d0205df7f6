"""Which objects may be deleted and created anew because a field of theirs cannot change. Pure.

Nothing is recreated unasked: --recreate agrees to it for the objects of a run, except for those
that hold data, which have to be named; a Job agrees by itself with kapply.dev/on-change: replace,
once it has come to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kapply.errors import UsageError
from kapply.meta import GroupKind, JsonObject, ObjectRef
from kapply.planning.model import Action, Change, Desired, Plan

ON_CHANGE = "kapply.dev/on-change"
#: What --recreate without a name means.
EVERYTHING = "*"

_JOB = GroupKind("batch", "Job")


@dataclass(frozen=True, slots=True)
class Recreation:
    """What the user agreed to.

    Args:
        words: the values of --recreate: "*", or KIND/NAME.

    Raises:
        UsageError: a word that is neither.
    """

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for word in self.words:
            kind, slash, name = word.partition("/")
            if (word != EVERYTHING and not (kind and slash and name)) or "/" in name:
                raise UsageError(
                    f"--recreate={word}: expected KIND/NAME",
                    hint="--recreate alone agrees to all that hold no data.",
                )

    def applied_to(self, plan: Plan) -> Plan:
        """The plan with what was agreed to.

        Raises:
            UsageError: a word that names no object of the plan.
        """
        items = [change.desired for change in plan.changes if change.desired]
        for word in self.words:
            if word != EVERYTHING and not any(_is_named(item, word) for item in items):
                raise UsageError(f"--recreate={word}: there is no such object in the input")
        return replace(plan, changes=tuple(map(self.decide, plan.changes)))

    def decide(self, change: Change) -> Change:
        """A recreate with the word on whether it is agreed to; other changes as they are."""
        item = change.desired
        if change.action is not Action.RECREATE or item is None:
            return change
        if any(_is_named(item, word) for word in self.words):
            return replace(change, agreed=True)
        if EVERYTHING in self.words and not change.destroys_data:
            return replace(change, agreed=True)
        if not _replaces_itself(item):
            return change
        if change.live is not None and has_ended(change.live):
            return replace(change, agreed=True)
        why = f"{change.why}; {ON_CHANGE}: replace waits until the Job that is there has ended"
        return replace(change, action=Action.INVALID, why=why)


def has_ended(job: JsonObject) -> bool:
    """Whether a Job is complete or has failed for good (JobConditionType)."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(
        condition.get("type") in ("Complete", "Failed") and condition.get("status") == "True"
        for condition in conditions
    )


def _replaces_itself(item: Desired) -> bool:
    annotations = item.obj["metadata"].get("annotations")
    return (
        item.ref.gvk.group_kind == _JOB
        and isinstance(annotations, dict)
        and annotations.get(ON_CHANGE) == "replace"
    )


def _is_named(item: Desired, word: str) -> bool:
    """Whether KIND/NAME means it: by kind, resource or kind.group, in any case."""
    kind, slash, name = word.partition("/")
    if not slash or name != item.ref.name:
        return False
    return kind.lower() in _kind_words(item.ref, item.mapping.resource)


def _kind_words(ref: ObjectRef, resource: str) -> Sequence[str]:
    words = [ref.gvk.kind.lower(), resource.lower()]
    return [*words, *(f"{word}.{ref.gvk.group}" for word in words if ref.gvk.group)]
