"""Whose fields a server-side apply takes over: those of client-side applies before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What `kubectl apply` calls itself without --server-side.
KUBECTL = "kubectl-client-side-apply"


def predecessors(live: Mapping[str, Any] | None, manager: str) -> tuple[str, ...]:
    """Managers whose Update entries on the object itself are client-side applies of ours.

    An Update entry under our own name counts too: it would keep removed fields alive.

    Args:
        live: the object; None when it is not there.
        manager: our field manager.
    """
    names = {KUBECTL, f"{manager}-client-side-apply", manager}
    found = {
        str(entry.get("manager"))
        for entry in ((live or {}).get("metadata") or {}).get("managedFields") or ()
        if entry.get("operation") == "Update"
        and not entry.get("subresource")
        and entry.get("manager") in names
    }
    return tuple(sorted(found))
