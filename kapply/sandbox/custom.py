"""Custom resources: read, pruned, defaulted and checked by the schema of their CRD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox import content, objectmeta
from kapply.sandbox.bodies import Strict
from kapply.sandbox.customschema import read_metadata
from kapply.sandbox.fielderr import Errors, invalid
from kapply.sandbox.objectmeta import NameRule
from kapply.sandbox.registry import Resource
from kapply.sandbox.request import Call
from kapply.sandbox.status import quoted
from kapply.sandbox.strategy import Context, Object, Path, Strategy, at
from kapply.values.golang import sprint

__all__ = ["CustomStrategy", "read_custom"]

_MAX_INT32 = 2**31 - 1
_SPEC_PATH, _STATUS_PATH = "specReplicasPath", "statusReplicasPath"
_STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def read_custom(call: Call, value: Object, strict: Strict) -> Object:
    """A custom object in the form it is kept in: metadata as ObjectMeta, pruned and defaulted.

    Strict errors are appended. Raises DecodeError.
    """
    resource = call.resource
    assert resource.crd is not None
    gvk = resource.gvk
    metadata = read_metadata(value.get("metadata"), strict)
    obj: Object = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata}
    obj |= {k: v for k, v in value.items() if k not in ("apiVersion", "kind", "metadata")}
    return resource.crd.custom.read(obj, strict)


class CustomStrategy(Strategy):
    """The behaviour of a custom resource."""

    rule: ClassVar[NameRule] = content.dns_subdomain
    unconditional_update = False

    def __init__(self, resource: Resource | None = None) -> None:
        assert resource is not None and resource.crd is not None
        self.resource = resource
        self.crd = resource.crd
        self.namespaced = resource.namespaced

    @property
    def _with_status(self) -> bool:
        return "status" in self.crd.subresources

    def reset_fields(self, subresource: str) -> tuple[Path, ...]:
        if subresource == "status":
            return (("metadata",), ("spec",))
        return (("status",),) if self._with_status else ()

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        if self._with_status:
            obj.pop("status", None)
        obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        if self._with_status:
            if "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)
        if _content(new) != _content(old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def prepare_subresource(self, name: str, new: Object, old: Object, ctx: Context) -> None:
        state = new.get("status")
        fields = new["metadata"].get("managedFields")
        for key in list(new):
            if key not in old:
                del new[key]
        new.update(old)
        new["metadata"] = {**old["metadata"]}
        if fields is not None:
            new["metadata"]["managedFields"] = fields
        if state is None:
            new.pop("status", None)
        else:
            new["status"] = state

    def validate(self, obj: Object) -> Errors:
        errors = objectmeta.validate(
            obj["metadata"], namespaced=self.namespaced, rule=content.dns_subdomain
        )
        custom = self.crd.custom
        errors += custom.errors(obj) + self._scale_errors(obj, _SPEC_PATH, _STATUS_PATH)
        errors += custom.embedded_errors(obj) + custom.list_errors(obj)
        return errors + custom.rule_errors(errors, obj)

    def validate_update(self, new: Object, old: Object) -> Errors:
        custom = self.crd.custom
        errors = custom.errors(new, old) + self._scale_errors(new, _SPEC_PATH, _STATUS_PATH)
        errors += custom.embedded_errors(new) + custom.list_errors(new, old)
        return errors + custom.rule_errors(errors, new, old)

    def validate_subresource(self, name: str, new: Object, old: Object) -> Errors:
        if name != "status":
            return self.validate_update(new, old)
        custom = self.crd.custom
        errors = custom.status_errors(new, old) + self._scale_errors(new, _STATUS_PATH)
        errors += custom.list_errors(new, old)
        return errors + custom.rule_errors(errors, new, old)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        before = (old or {}).get("metadata", {}).get("finalizers") or ()
        added = sorted(set(obj["metadata"].get("finalizers") or ()) - set(before))
        return [text for name in added for text in _finalizer_warnings(name)]

    def _scale_errors(self, obj: Object, *names: str) -> Errors:
        """What is wrong at paths of the scale subresource."""
        scale = self.crd.subresources.get("scale")
        if scale is None:
            return []
        errors: Errors = []
        for path in map(scale.__getitem__, names):
            count = at(obj, tuple(path.removeprefix(".").split(".")))
            if count is None:
                continue
            if isinstance(count, bool) or not isinstance(count, int):
                text = f"is of the type {_go_type(count)}, expected int64"
                errors.append(invalid(path, 0, f"{path} accessor error: {sprint(count)} {text}"))
                continue
            if count < 0:
                errors.append(invalid(path, count, "should be a non-negative integer"))
            elif count > _MAX_INT32:
                text = f"should be less than or equal to {_MAX_INT32}"
                errors.append(invalid(path, count, text))
        return errors


def _go_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    kinds = {str: "string", float: "float64", dict: "map[string]interface {}"}
    return kinds.get(type(value), "[]interface {}")


def _finalizer_warnings(name: str) -> list[str]:
    found = [f"metadata.finalizers: {quoted(name)}: {text}" for text in content.label_key(name)]
    if "/" not in name and name not in _STANDARD_FINALIZERS:
        path = " including a path (/)" if "." in name else ""
        found.append(
            f"metadata.finalizers: {quoted(name)}: prefer a domain-qualified finalizer name{path}"
            " to avoid accidental conflicts with other finalizer writers"
        )
    return found


def _content(obj: Mapping[str, Any]) -> Object:
    return {k: v for k, v in obj.items() if k not in ("metadata", "apiVersion", "kind")}
