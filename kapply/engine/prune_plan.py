"""What a plan says of a set: what is to be pruned, and what is not the run's to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kapply.client import Client
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ApiError, ConflictError, NotFoundError, UnauthorizedError
from kapply.planning.inventory import Parent, set_of
from kapply.planning.inventory_rules import Member, Verdict, controller_of, deletion_rank
from kapply.planning.model import Action, Change


def not_stolen(change: Change, parent: Parent) -> Change:
    """The change, or why it must not be made: objects of other sets or of controllers stay so."""
    live = change.live
    if live is None or live["metadata"].get("deletionTimestamp"):
        return change
    other, controller = set_of(live), controller_of(live)
    if other and other != parent.id:
        why = f"it is part of another ApplySet: {other}"
    elif controller and other != parent.id:
        why = f"it belongs to {controller}, which decides over it"
    else:
        return change
    return replace(change, action=Action.INVALID, why=why, causes=(), deferred=False)


def refused_deletions(
    client: Client, goes: Sequence[Member], *, concurrency: int, stop: Stop
) -> dict[str, str]:
    """What the server would not delete, asked by dry runs: uids, and why.

    Raises:
        UnauthorizedError, UnreachableError: there is no way to the server.
    """

    def ask(member: Member) -> str:
        ref = member.ref
        try:
            client.delete(member.mapping, ref.name, ref.namespace, uid=member.uid, dry_run=True)
        except (NotFoundError, ConflictError):
            # It has gone, or changed; that is looked at again before it is deleted.
            return ""
        except UnauthorizedError:
            raise
        except ApiError as error:
            return error.message
        return ""

    asked = [member for member in goes if not member.leaving]
    found = run_parallel(ask, asked, concurrency=concurrency, stop=stop)
    return {member.uid: why for member, why in found if why}


def deletions(verdict: Verdict, refused: Mapping[str, str]) -> list[Change]:
    """The changes of a plan, in the order in which objects go; `refused` are uids, and why."""
    changes = []
    for member in sorted(
        verdict.goes, key=lambda m: (-deletion_rank(m.ref), m.ref.namespace, m.ref.name)
    ):
        action, why = Action.DELETE, "left out by the input, and part of the set"
        if member.leaving:
            why = "it is being deleted already"
        if member.uid in refused:
            action, why = Action.INVALID, f"it cannot be pruned: {refused[member.uid]}"
        changes.append(Change(member.ref, action, live=member.obj, why=why))
    return changes
