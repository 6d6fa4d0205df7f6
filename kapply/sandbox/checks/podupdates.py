"""What an update of a pod may change."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from kapply.sandbox.checks.base import Found, Object, items

_UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def check_pod_update(found: Found, new: Object, old: Object) -> None:
    """What an update of a pod may change."""
    spec, before = new["spec"], old["spec"]
    for kind in ("containers", "initContainers"):
        ours, theirs = items(spec, kind), items(before, kind)
        if len(ours) != len(theirs):
            found.forbidden(f"spec.{kind}", "pod updates may not add or remove containers")
            return
        for index, container in enumerate(ours):
            if not container.get("image"):
                found.required(f"spec.{kind}[{index}].image")
    deadline, was = spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds")
    if deadline is not None:
        if was is not None and was < deadline:
            text = "must be less than or equal to previous value"
            found.invalid("spec.activeDeadlineSeconds", deadline, text)
            return
    elif was is not None:
        text = "must not update from a positive integer to nil value"
        found.invalid("spec.activeDeadlineSeconds", None, text)
    _only_added_tolerations(found, spec, before)
    known = {gate.get("name") for gate in items(before, "schedulingGates")}
    for index, gate in enumerate(items(spec, "schedulingGates")):
        if gate.get("name") not in known:
            name = gate.get("name") or ""
            text = f"only deletion is allowed, but found new scheduling gate '{name}'"
            found.forbidden(f"spec.schedulingGates[{index}].name", text)
    munged = copy.deepcopy(dict(spec))
    for kind in ("containers", "initContainers"):
        for container, other in zip(items(munged, kind), items(before, kind), strict=True):
            _copy(container, other, "image")
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _copy(munged, before, name)
    if munged != before:
        text = f"pod updates may not change fields other than {','.join(_UPDATABLE)}\n"
        found.forbidden("spec", text)


def _copy(target: dict[str, Any], source: Mapping[str, Any], name: str) -> None:
    if name in source:
        target[name] = source[name]
    else:
        target.pop(name, None)


def _only_added_tolerations(found: Found, spec: Object, before: Object) -> None:
    def without_seconds(toleration: Object) -> Object:
        return {k: v for k, v in toleration.items() if k != "tolerationSeconds"}

    now = [without_seconds(toleration) for toleration in items(spec, "tolerations")]
    for toleration in items(before, "tolerations"):
        if without_seconds(toleration) not in now:
            text = "existing toleration can not be modified except its tolerationSeconds"
            found.forbidden("spec.tolerations", text)
            return
