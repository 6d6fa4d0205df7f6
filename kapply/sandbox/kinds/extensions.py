"""CustomResourceDefinitions, established as they are written, and APIServices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox.registry import builtin
from kapply.sandbox.strategy import Context, Object, Path, Strategy, at

__all__ = ["STRATEGIES"]

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class Definition(Strategy):
    """CustomResourceDefinitions.

    kube-apiserver's naming and establishing controllers accept the names a moment after the
    write; here it is done with it.
    """

    generation: ClassVar[tuple[Path, ...]] = (("spec",),)
    has_status = True
    marks_grace = False
    unconditional_update = False

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {
            "conditions": None,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": None,
        }

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        _note_storage(obj)

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_update(new, old, ctx)
        _note_storage(new)

    def settle(self, obj: Object, old: Object | None, ctx: Context) -> Object:
        from kapply.sandbox.fields import manage_status

        if obj["metadata"].get("deletionTimestamp"):
            return obj
        before = obj["status"]
        status = _accepted(obj, ctx)
        if status == before:
            return obj
        return manage_status(ctx.call, obj, {**obj, "status": status}, "kube-apiserver")

    def finalizers_on_delete(self, finalizers: list[str]) -> list[str]:
        return [*(name for name in finalizers if name != CLEANUP), CLEANUP]

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        from kapply import cel

        schemas = [
            (version.get("schema") or {}).get("openAPIV3Schema") or {}
            for version in obj["spec"].get("versions") or ()
        ]
        if old is not None or cel.is_available() or not any(map(cel.has_rules, schemas)):
            return []
        return [
            "the kapply sandbox does not evaluate x-kubernetes-validations without a CEL library:"
            " pip install 'kapply[cel]'"
        ]

    def mark_deleting(self, obj: Object) -> None:
        set_condition(
            obj,
            "Terminating",
            "True",
            "InstanceDeletionPending",
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
            obj["metadata"]["deletionTimestamp"],
        )


def _note_storage(obj: Object) -> None:
    status = obj["status"]
    stored = list(status.get("storedVersions") or [])
    for version in obj["spec"].get("versions") or ():
        if version.get("storage") and version.get("name") not in stored:
            stored.append(version.get("name", ""))
            break
    status["storedVersions"] = stored or None


def set_condition(obj: Object, kind: str, value: str, reason: str, message: str, now: str) -> None:
    """Add or change a condition of a CRD."""
    status = obj["status"]
    conditions = [dict(c) for c in status.get("conditions") or ()]
    new = {
        "type": kind,
        "status": value,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    for position, found in enumerate(conditions):
        if found["type"] == kind:
            if found["status"] == value:
                new["lastTransitionTime"] = found["lastTransitionTime"]
            conditions[position] = new
            break
    else:
        conditions.append(new)
    status["conditions"] = conditions


def _accepted(obj: Object, ctx: Context) -> Object:
    """The status once the naming and establishing controllers have seen the CRD."""
    names = dict(obj["spec"]["names"])
    now = ctx.env.timestamp()
    shadow: Object = {"status": dict(obj["status"])}
    taken = _names_taken(obj, ctx)
    accepted = dict(at(obj, ("status", "acceptedNames")) or {})
    reasons: list[tuple[str, str]] = []
    for field, reason in (
        ("plural", "PluralConflict"),
        ("singular", "SingularConflict"),
        ("shortNames", "ShortNamesConflict"),
        ("kind", "KindConflict"),
        ("listKind", "ListKindConflict"),
    ):
        wanted = names.get(field)
        listed = wanted if isinstance(wanted, list) else [wanted] if wanted else []
        used = taken["kinds" if "ind" in field else "resources"]
        clash = [name for name in listed if name in used]
        if clash:
            reasons.append((reason, f'"{clash[0]}" is already in use'))
        elif wanted:
            accepted[field] = wanted
        else:
            accepted.pop(field, None)
    if names.get("categories"):
        accepted["categories"] = names["categories"]
    else:
        accepted.pop("categories", None)
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    shadow["status"]["acceptedNames"] = {
        name: accepted.get(name, "")
        for name in order
        if name in accepted or name in ("plural", "kind")
    }
    if reasons:
        reason = reasons[0][0] if len(reasons) == 1 else "MultipleConflicts"
        message = ", ".join(text for _, text in reasons)
        set_condition(shadow, "NamesAccepted", "False", reason, message, now)
        if not any(c["type"] == "Established" for c in shadow["status"]["conditions"]):
            set_condition(
                shadow, "Established", "False", "NotAccepted", "not all names are accepted", now
            )
    else:
        set_condition(shadow, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now)
        text = "the initial names have been accepted"
        set_condition(shadow, "Established", "True", "InitialNamesAccepted", text, now)
    status: Object = shadow["status"]
    return {
        "conditions": status["conditions"],
        "acceptedNames": status["acceptedNames"],
        "storedVersions": status.get("storedVersions"),
        **{k: v for k, v in status.items() if k == "observedGeneration"},
    }


def _names_taken(obj: Object, ctx: Context) -> dict[str, set[str]]:
    """The names of the other CRDs, and built-in resources, of the same group."""
    group = obj["spec"]["group"]
    resources: set[str] = set()
    kinds: set[str] = set()
    for record in ctx.view.select(CRDS):
        other = record.load()
        if other["spec"]["group"] != group or other["metadata"]["name"] == obj["metadata"]["name"]:
            continue
        accepted = at(other, ("status", "acceptedNames")) or {}
        resources |= {accepted.get("plural", ""), accepted.get("singular", "")}
        resources |= set(accepted.get("shortNames") or ())
        kinds |= {accepted.get("kind", ""), accepted.get("listKind", "")}
    for resource in builtin().all():
        if resource.group == group:
            resources |= {resource.resource, resource.singular, *resource.short_names}
            kinds |= {resource.gvk.kind, resource.list_kind}
    return {"resources": resources - {""}, "kinds": kinds - {""}}


class APIService(Strategy):
    """APIServices: what has a Service behind it is not available here, as nothing runs."""

    has_status = True
    unconditional_update = False

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        if (obj.get("spec") or {}).get("service") is None:
            condition = {
                "type": "Available",
                "status": "True",
                "lastTransitionTime": ctx.env.timestamp(),
                "reason": "Local",
                "message": "Local APIServices are always available",
            }
            obj["status"] = {"conditions": [condition]}

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {}


STRATEGIES: Mapping[str, type[Strategy]] = {
    "APIService": APIService,
    "CustomResourceDefinition": Definition,
}
