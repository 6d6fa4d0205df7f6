"""What a saved plan is bound to beside its objects: the cluster, and the CRDs of its kinds."""

from __future__ import annotations

from collections.abc import Iterable

from kapply.client import Client
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ApiError, StalePlanError, UnauthorizedError
from kapply.meta import GroupVersionKind, RESTMapping
from kapply.planning.model import Change
from kapply.planning.resolve import CRD
from kapply.planning.saved import Definition, SavedPlan, stale
from kapply.planning.unchanged import BUILT_IN_GROUPS

_CRDS = RESTMapping(
    GroupVersionKind(CRD.group, "v1", CRD.kind), "customresourcedefinitions", namespaced=False
)


def definitions(
    client: Client, changes: Iterable[Change], *, concurrency: int, stop: Stop
) -> list[Definition]:
    """The CRDs of the custom resources among `changes`, by name.

    Those of the input are objects of the plan themselves. A CRD that is not there (the kind is an
    aggregated API's) or may not be read binds nothing.
    """
    changes = list(changes)
    brought = {change.ref.name for change in changes if change.ref.gvk.group_kind == CRD}
    names = {
        change.desired.mapping.group_resource
        for change in changes
        if change.desired is not None and change.ref.gvk.group not in BUILT_IN_GROUPS
    }

    def read(name: str) -> Definition | None:
        try:
            crd = client.get(_CRDS, name)
        except UnauthorizedError:
            raise
        except ApiError:
            return None
        metadata = crd["metadata"]
        return Definition(name, metadata.get("uid") or "", int(metadata.get("generation") or 0))

    found = run_parallel(read, sorted(names - brought), concurrency=concurrency, stop=stop)
    return sorted(
        (definition for _, definition in found if definition is not None),
        key=lambda definition: definition.name,
    )


def require_same(before: SavedPlan, now: SavedPlan) -> None:
    """Nothing, when the plan made now is the one that was saved.

    Raises:
        StalePlanError: anything moved; each object is named, with how.
    """
    if before.cluster.uid != now.cluster.uid:
        raise StalePlanError(
            f"the plan was made for another cluster: {before.cluster.server}",
            hint=f"This is {now.cluster.server}, and its kube-system has another uid.",
        )
    moved = stale(before, now)
    if moved:
        lines = "\n".join(f"  {what}: {how}" for what, how in moved)
        count = f"{len(moved)} object{'s' if len(moved) > 1 else ''}"
        raise StalePlanError(
            f"the plan is stale, {count} moved since; nothing was written\n{lines}",
            hint="Make the plan anew, and look at it.",
        )
