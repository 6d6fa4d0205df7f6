"""The proof that applying a manifest would change nothing, from the live object alone.

It holds where the manager's Apply entry in managedFields equals the field set of the manifest at
the same apiVersion (so nothing is gained or given up), every value equals the live one, and list
items stand in the same order. Anything else is not "changed" but unproven, and is asked of the
server: see the API concepts page on server-side apply, and KEP-555 for field ownership.

Not seen from the live object, and documented as the proof's limits: a CRD whose storage version
or defaults changed, and admission webhooks or policies added since the last write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.schema import ListType, MapType, Type
from kapply.merge.typed.fieldset import field_set_of
from kapply.merge.typed.items import namer_of
from kapply.meta import GroupVersionKind, JsonObject, is_secret
from kapply.planning.atomic_defaults import ATOMIC_DEFAULTS
from kapply.planning.model import Desired
from kapply.values.quantity import Quantity
from kapply.values.times import parse_time

TypeOf = Callable[[GroupVersionKind], Type | None]

# In a manifest these make the server refuse the apply, or are read by it as preconditions.
_NEVER = ("resourceVersion", "uid", "managedFields", "deletionTimestamp")
# What the server strips from an applied object before it computes ownership (stripMeta).
_STRIPPED = frozenset(
    (
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    )
)
# Kinds compiled into the server; the types of custom resources carry their group's own names.
_BUILT_IN = ("io.k8s.api.", "io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator.")


class UnchangedProof:
    """Proves objects unchanged for one field manager.

    Args:
        manager: whose entry counts.
        type_of: the merge type of a kind as the server publishes it; None when unknown.
    """

    def __init__(self, manager: str, type_of: TypeOf) -> None:
        self._manager = manager
        self._type_of = type_of

    def unchanged(self, desired: Desired, live: JsonObject) -> bool:
        """True only when an apply of `desired` would leave `live` as it is."""
        gvk = desired.ref.gvk
        metadata = desired.obj["metadata"]
        live_metadata = live["metadata"]
        if (
            live_metadata.get("deletionTimestamp")
            or live.get("apiVersion") != gvk.api_version
            or any(metadata.get(name) is not None for name in _NEVER)
        ):
            return False
        owned = self._owned(live_metadata, gvk.api_version)
        if owned is None:
            return False
        type_ = self._type_of(gvk)
        if type_ is None:
            return False
        applied = _applied(desired)
        if applied is None:
            return False
        try:
            if field_set_of(applied, type_).fields_v1() != owned:
                return False
            return _Walk(type_.name.startswith(_BUILT_IN)).same(applied, live, type_)
        except (MergeError, RecursionError):
            return False

    def _owned(self, metadata: Mapping[str, Any], api_version: str) -> Any:
        """FieldsV1 of the manager's one Apply entry; None when it has other entries.

        Who owns no field has no entry: a ServiceAccount with nothing but its name.
        """
        found = False
        owned: Any = {}
        for entry in metadata.get("managedFields") or ():
            if entry.get("manager") != self._manager or entry.get("subresource"):
                continue
            if found or entry.get("operation") != "Apply" or entry.get("apiVersion") != api_version:
                return None
            found, owned = True, entry.get("fieldsV1")
        return owned


def _applied(desired: Desired) -> JsonObject | None:
    """The object as the server takes it: without identity, and status where it is apart."""
    obj = desired.obj
    applied = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _STRIPPED}
    if metadata:
        applied["metadata"] = metadata
    if "status" in applied and any(name == "status" for name, _ in desired.mapping.subresources):
        del applied["status"]
    if is_secret(desired.ref.gvk) and "stringData" in applied:
        # The server owns it as written but moves it to data: the entry names stringData.
        return None
    return applied


class _Walk:
    """Compares a manifest with the live object along their type."""

    def __init__(self, built_in: bool) -> None:
        self._built_in = built_in

    def same(self, value: Any, live: Any, type_: Type) -> bool:
        """Whether `value` merged into `live` changes nothing."""
        kind = value.__class__
        if kind is dict:
            shape = type_.atom.map
            if shape is None or live.__class__ is not dict:
                return False
            if shape.atomic:
                return self._same_atomic(value, live, type_)
            return self._same_map(value, live, shape)
        if kind is list:
            listed = type_.atom.list
            if listed is None or live.__class__ is not list:
                return False
            if listed.atomic:
                return self._same_atomic(value, live, type_)
            return self._same_items(value, live, listed)
        return _same_scalar(value, live, type_)

    def _same_map(self, value: JsonObject, live: JsonObject, shape: MapType) -> bool:
        for name, item in value.items():
            if name not in live:
                # Owned and yet absent: the zero value that omitempty drops, in a built-in type.
                if self._built_in and (item is None or item in ("", [], {}) or item == 0):
                    continue
                return False
            type_ = shape.type_of(name)
            if type_ is None or item is None or not self.same(item, live[name], type_):
                return False
        return True

    def _same_items(self, value: list[Any], live: list[Any], listed: ListType) -> bool:
        """Items by name, in the same relative order; other managers' may stand between."""
        name = namer_of(listed)
        places: dict[Any, int] = {}
        for place, item in enumerate(live):
            element = name(item)
            if element in places:
                return False
            places[element] = place
        last = -1
        for item in value:
            place = places.get(name(item), -1)
            if place <= last:
                return False
            last = place
            if not self.same(item, live[place], listed.element):
                return False
        return True

    def _same_atomic(self, value: Any, live: Any, type_: Type | None) -> bool:
        """Equal as a whole, but for defaults that are known to be filled in there."""
        kind = value.__class__
        if kind is dict:
            if live.__class__ is not dict:
                return False
            shape = type_.atom.map if type_ else None
            for name, item in value.items():
                if name not in live:
                    if self._built_in and (item is None or item in ("", [], {}) or item is False):
                        continue
                    return False
                inner = shape.type_of(name) if shape else None
                if item is None or not self._same_atomic(item, live[name], inner):
                    return False
            added = live.keys() - value.keys()
            return not added or (
                self._built_in
                and type_ is not None
                and all(_is_default(type_.name, name, value, live[name]) for name in added)
            )
        if kind is list:
            listed = type_.atom.list if type_ else None
            element = listed.element if listed else None
            return (
                live.__class__ is list
                and len(live) == len(value)
                and all(
                    self._same_atomic(mine, theirs, element)
                    for mine, theirs in zip(value, live, strict=True)
                )
            )
        return _same_scalar(value, live, type_)


def _is_default(type_name: str, name: str, value: JsonObject, live: Any) -> bool:
    default = ATOMIC_DEFAULTS.get((type_name, name))
    if default is None:
        return False
    expected = default(value) if callable(default) else default
    return bool(expected == live)


def _same_scalar(value: Any, live: Any, type_: Type | None) -> bool:
    # True == 1 in Python, not in JSON; 1 == 1.0 in both.
    if value == live and (value.__class__ is bool) is (live.__class__ is bool):
        return value.__class__ is not float or live.__class__ is not str
    semantic = type_.semantic if type_ is not None else ""
    try:
        if semantic == "quantity":
            return Quantity.parse(_text(value)) == Quantity.parse(_text(live))
        if semantic in ("time", "micro-time") and isinstance(value, str):
            return bool(parse_time(value) == parse_time(live))
    except (ValueError, TypeError):
        return False
    return False


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError("not a quantity")
    return str(value)
