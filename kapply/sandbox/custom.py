"""Custom resources: read, pruned, defaulted and checked by the schema of their CRD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox import content, objectmeta, structural
from kapply.sandbox.bodies import Strict
from kapply.sandbox.fielderr import Errors
from kapply.sandbox.objectmeta import NameRule
from kapply.sandbox.registry import Resource
from kapply.sandbox.request import Call
from kapply.sandbox.strategy import Context, Object, Path, Strategy
from kapply.sandbox.wire import DecodeError, codec_of

__all__ = ["CustomStrategy", "read_custom"]


def read_custom(call: Call, value: Object, strict: Strict) -> Object:
    """A custom object in the form it is kept in: metadata as ObjectMeta, pruned and defaulted.

    Raises DecodeError.
    """
    resource = call.resource
    crd = resource.crd
    assert crd is not None
    gvk = resource.gvk
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        raise DecodeError(f"json: cannot unmarshal {type(metadata).__name__} into Go value")
    # apiVersion, kind and metadata are not the schema's business.
    found: Strict = []
    read = codec_of("meta/v1.ObjectMeta").read(metadata or {}, ((), "metadata"), found)
    strict.extend(found)
    obj: Object = {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": read}
    obj |= {k: v for k, v in value.items() if k not in ("apiVersion", "kind", "metadata")}
    if not crd.preserve_unknown:
        strict.extend(f'unknown field "{path}"' for path in structural.prune(obj, crd.schema))
    structural.default(obj, crd.schema)
    return obj


class CustomStrategy(Strategy):
    """The behaviour of a custom resource."""

    rule: ClassVar[NameRule] = content.path_segment
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
            obj["metadata"], namespaced=self.namespaced, rule=content.path_segment
        )
        return errors + structural.validate(obj, self.crd.schema)

    def validate_update(self, new: Object, old: Object) -> Errors:
        return structural.validate(new, self.crd.schema, old)

    def validate_subresource(self, name: str, new: Object, old: Object) -> Errors:
        return structural.validate(new, self.crd.schema, old)


def _content(obj: Mapping[str, Any]) -> Object:
    return {k: v for k, v in obj.items() if k not in ("metadata", "apiVersion", "kind")}
