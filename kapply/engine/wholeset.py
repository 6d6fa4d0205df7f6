"""What an object's plan depends on elsewhere in the same input, after each has its own answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kapply.planning.allocated import claimed_twice, reason_of
from kapply.planning.model import STOPS, Action, Cause, Change, Desired
from kapply.planning.pending import Pending, written


def wait_for_others(decided: dict[int, Change]) -> None:
    """A refusal that another object of the same input explains is asked again in its turn."""
    pending: Pending | None = None
    for number, change in decided.items():
        if change.status is None or change.action is not Action.INVALID:
            continue
        pending = pending or Pending(written(decided.values()))
        waits = pending.explained(change)
        if waits:
            action = Action.CREATE if change.live is None else Action.UPDATE
            decided[number] = Change(
                change.ref,
                action,
                change.desired,
                change.live,
                why=f"checked when its turn comes: it needs {' or '.join(map(str, waits))}",
                deferred=True,
                waits_for=tuple(waits),
            )


def refuse_claims(decided: dict[int, Change], items: Sequence[Desired]) -> None:
    """What two objects of the input claim, the second of them cannot get; nobody else finds out.

    Load balancers may share an IP, so that is told and decides nothing.
    """
    claims = claimed_twice(items)
    numbers = {id(item): number for number, item in enumerate(items)} if claims else {}
    for claim in claims:
        number = numbers[id(claim.second)]
        change = decided.get(number)
        if change is None or change.action in STOPS:
            continue
        text = reason_of(claim)
        if claim.field == "spec.loadBalancerIP":
            warnings = (*change.warnings, f"{claim.field}: {text}")
            decided[number] = replace(change, warnings=warnings)
            continue
        decided[number] = replace(
            change,
            action=Action.INVALID,
            why=f"{claim.field}: {text}",
            causes=(Cause(text, claim.field),),
            deferred=False,
        )


def redefines(change: Change) -> bool:
    """Whether a change of a CRD reaches what it says of its resources."""
    if change.action is not Action.UPDATE or change.live is None or change.result is None:
        return False
    return bool(change.live.get("spec") != change.result.get("spec"))
