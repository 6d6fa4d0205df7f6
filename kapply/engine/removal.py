"""Delete members of a set: what holds others last, and only once nothing else is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kapply.engine.contents import contents, holds_others
from kapply.engine.events import Event, ObjectDone, Outcome
from kapply.engine.inventory import Kinds
from kapply.engine.remover import Doomed, Remover, in_waves
from kapply.planning.inventory_rules import Member, deletion_rank


def remove_members(
    remover: Remover, kinds: Kinds, members: Sequence[Member], *, ignore: Sequence[str] = ()
) -> Iterator[Event]:
    """Delete members in the reverse order of apply; events as they happen.

    Deleting the others may have taken long: Namespaces and CRDs are looked into again before
    their turn, and stay if anything has come into them.

    Args:
        remover: how to delete; its result has an entry for each.
        kinds: what the server serves.
        members: what is to go.
        ignore: uids of objects that are no reason to stay.

    Raises:
        KapplyError: there is no way to the server.
    """
    holders = [member for member in members if holds_others(member)]
    yield from _remove(remover, [member for member in members if not holds_others(member)])
    if not holders:
        return
    options = remover.options
    waited = options.wait and not options.dry_run
    # What is still leaving is no reason either.
    going = [] if waited else [member.uid for member in members]
    inside = contents(
        remover.client,
        kinds,
        holders,
        ignore=(*ignore, *going),
        concurrency=options.concurrency,
        stop=remover.stop,
    )
    if not remover.stop:
        for member in holders:
            if member.uid in inside:
                done = ObjectDone(
                    member.ref, Outcome.KEPT, why=inside[member.uid], dry_run=options.dry_run
                )
                remover.result.done.append(done)
                yield done
        holders = [member for member in holders if member.uid not in inside]
    yield from _remove(remover, holders)


def _remove(remover: Remover, members: Sequence[Member]) -> Iterator[Event]:
    doomed = [
        Doomed(member.mapping, member.ref, member.uid, member.version, leaving=member.leaving)
        for member in members
    ]
    yield from remover.remove(in_waves(doomed, deletion_rank))
