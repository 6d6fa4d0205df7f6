"""The proof that applying a manifest would change nothing, from the live object alone.

It holds where the manager's Apply entry in managedFields equals the field set of the manifest at
the same apiVersion (so nothing is gained or given up), every value equals the live one, and list
items stand in the same order: what the server merges is then what it has already. Anything else
is not "changed" but unproven, and is asked of the server: see the API concepts page on
server-side apply, and KEP-555 for field ownership.

Some values are written differently and mean the same (0.5 and 500m, a default left out, a zero
that the server drops). The server compares them as written, so such a field conflicts when
another manager owns it too: these are proven only where the manager owns them alone.

Not seen from the live object, and documented as the proof's limits: a CRD whose storage version
or defaults changed, and admission webhooks or policies added since the last write.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kapply.merge.errors import MergeError
from kapply.merge.schema import ListType, MapType, Type
from kapply.merge.typed.fieldset import field_set_of
from kapply.merge.typed.items import namer_of
from kapply.meta import GroupVersionKind, JsonObject, is_secret
from kapply.planning.atomic_defaults import is_atomic_default
from kapply.planning.model import Desired
from kapply.values.quantity import Quantity
from kapply.values.times import parse_micro_time, parse_time

TypeOf = Callable[[GroupVersionKind], Type | None]

#: What other managers own at one place: a FieldsV1 tree of each that owns it or something below.
_Others: TypeAlias = "tuple[Mapping[str, Any], ...]"

# In a manifest these make the server refuse the apply, or are read by it as preconditions; with
# a null some kinds refuse it too, for want of a version to update.
_NEVER = ("resourceVersion", "uid", "managedFields", "deletionTimestamp")
# What the server strips from an applied object before it computes ownership (stripMeta).
_STRIPPED = frozenset(("name", "namespace", "creationTimestamp", "selfLink", "generation", *_NEVER))

#: Groups compiled into the server. A custom resource's type may carry a name like theirs, and has
# neither canonical forms nor fields that vanish when they are empty.
BUILT_IN_GROUPS = frozenset(
    (
        "",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
    )
)
_BUILT_IN_NAMES = ("io.k8s.api.", "io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator.")


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
            or not _harmless_metadata(metadata)
        ):
            return False
        ownership = self._ownership(live_metadata, gvk.api_version)
        if ownership is None:
            return False
        type_ = self._type_of(gvk)
        if type_ is None:
            return False
        try:
            applied = _applied(desired, type_)
            if applied is None or field_set_of(applied, type_).tree != ownership[0]:
                return False
            if is_secret(gvk) and "stringData" in applied:
                strings = applied.pop("stringData")
                if not _same_strings(strings, live.get("data"), ownership[1]):
                    return False
            built_in = gvk.group in BUILT_IN_GROUPS and type_.name.startswith(_BUILT_IN_NAMES)
            return _Walk(built_in).same(applied, live, type_, ownership[1])
        except (MergeError, RecursionError):
            return False

    def _ownership(self, metadata: Mapping[str, Any], version: str) -> tuple[Any, _Others] | None:
        """FieldsV1 of the manager's one Apply entry, and of everyone else's.

        None when the manager has another entry as well: an Update, or one at another version.
        Who owns no field has no entry: a ServiceAccount with nothing but its name.
        """
        found = False
        owned: Any = {}
        others: list[Mapping[str, Any]] = []
        for entry in metadata.get("managedFields") or ():
            same_version = entry.get("apiVersion") == version
            fields = entry.get("fieldsV1") or {}
            if entry.get("manager") != self._manager or entry.get("subresource"):
                # Paths of another version may mean other fields: it counts as owning them all.
                others.append(fields if same_version else _EVERYTHING)
            elif found or entry.get("operation") != "Apply" or not same_version:
                return None
            else:
                found, owned = True, fields
        return owned, tuple(others)


class _Everything(dict[str, Any]):
    """The field set of a manager that may own any path."""

    def __contains__(self, _element: object) -> bool:
        return True

    def __getitem__(self, _element: str) -> _Everything:
        return self


_EVERYTHING = _Everything()


def _below(others: _Others, element: str) -> _Others:
    return tuple([tree[element] for tree in others if element in tree])


def _harmless_metadata(metadata: Mapping[str, Any]) -> bool:
    """Whether what is not in the entry, because the server strips it, is nothing to it."""
    for name in _STRIPPED & metadata.keys():
        value = metadata[name]
        if name in _NEVER:
            return False
        if value is None:
            continue
        if name == "creationTimestamp":
            if not _is_time(value):
                return False
        elif value.__class__ is not (int if name == "generation" else str):
            return False
    return True


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_time(value) is not None
    except ValueError:
        return False


def _applied(desired: Desired, type_: Type) -> JsonObject | None:
    """The object as the server takes it: without identity, and status where it is apart.

    None for a status that the server may refuse to read before it drops it.
    """
    obj = desired.obj
    applied = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
    metadata = {k: v for k, v in obj["metadata"].items() if k not in _STRIPPED}
    if metadata:
        applied["metadata"] = metadata
    if "status" in applied and any(name == "status" for name, _ in desired.mapping.subresources):
        status = {"status": applied.pop("status")}
        return applied if _is_hollow(status, type_) else None
    return applied


def _is_hollow(value: Any, type_: Type) -> bool:
    """Whether it holds fields of its type but no value that a decoder could dislike."""
    shape = type_.atom.map
    if value.__class__ is not dict or shape is None:
        return _is_zero(value, type_)
    types = [(item, shape.type_of(name)) for name, item in value.items()]
    return all(inner is not None and _is_hollow(item, inner) for item, inner in types)


def _same_strings(strings: Any, data: Any, others: _Others) -> bool:
    """Whether a Secret's stringData, which the server writes into data, is there already.

    The entry names it as written: who applied stringData owns f:stringData for good.
    """
    if strings.__class__ is not dict or _below(others, "f:stringData"):
        return False
    if not strings:
        return True
    return data.__class__ is dict and all(
        value.__class__ is str and data.get(name) == _base64(value)
        for name, value in strings.items()
    )


def _base64(text: str) -> str | None:
    try:
        return b64encode(text.encode()).decode()
    except UnicodeEncodeError:
        return None


class _Walk:
    """Compares a manifest with the live object along their type."""

    __slots__ = ("_built_in",)

    def __init__(self, built_in: bool) -> None:
        self._built_in = built_in

    def same(self, value: Any, live: Any, type_: Type, others: _Others) -> bool:
        """Whether `value` merged into `live` changes nothing and conflicts with nobody."""
        kind = value.__class__
        if kind is dict:
            shape = type_.atom.map
            if shape is None or live.__class__ is not dict:
                return False
            if not shape.atomic:
                return self._same_map(value, live, shape, others)
        elif kind is list:
            listed = type_.atom.list
            if listed is None or live.__class__ is not list:
                return False
            if not listed.atomic:
                return self._same_items(value, live, listed, others)
        elif _same_json(value, live):
            return True
        return self._same_atomic(value, live, type_, not others)

    def _same_map(self, value: JsonObject, live: JsonObject, shape: MapType, at: _Others) -> bool:
        for name, item in value.items():
            others = _below(at, "f:" + name) if at else at
            if name not in live:
                # Owned and yet absent: the zero value that omitempty drops, in a built-in type.
                declared = shape.fields.get(name)
                if self._built_in and not others and declared and _is_zero(item, declared.type):
                    continue
                return False
            theirs = live[name]
            if item.__class__ is str and item == theirs:
                continue
            type_ = shape.type_of(name)
            if type_ is None or item is None or not self.same(item, theirs, type_, others):
                return False
        return True

    def _same_items(self, value: list[Any], live: list[Any], listed: ListType, at: _Others) -> bool:
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
            element = name(item)
            place = places.get(element, -1)
            if place <= last:
                return False
            last = place
            others = _below(at, element) if at else at
            if not self.same(item, live[place], listed.element, others):
                return False
        return True

    def _same_atomic(self, value: Any, live: Any, type_: Type | None, alone: bool) -> bool:
        """Equal as a whole, but for spellings and for defaults known to be filled in there.

        Nothing that is empty may be left out: absent and {} are as different as they can be in
        the peers of a NetworkPolicy. `alone`: no other manager owns the value.
        """
        kind = value.__class__
        if kind is dict:
            if live.__class__ is not dict:
                return False
            shape = type_.atom.map if type_ else None
            for name, item in value.items():
                if name not in live:
                    # A null is as good as nothing in a field, and "" in a map of strings.
                    declared = shape is not None and name in shape.fields
                    if self._built_in and alone and item is None and declared:
                        continue
                    return False
                inner = shape.type_of(name) if shape else None
                if item is None or not self._same_atomic(item, live[name], inner, alone):
                    return False
            added = live.keys() - value.keys()
            return not added or (
                self._built_in
                and alone
                and type_ is not None
                and all(is_atomic_default(type_.name, name, value, live[name]) for name in added)
            )
        if kind is list:
            listed = type_.atom.list if type_ else None
            element = listed.element if listed else None
            return (
                live.__class__ is list
                and len(live) == len(value)
                and all(
                    self._same_atomic(mine, theirs, element, alone)
                    for mine, theirs in zip(value, live, strict=True)
                )
            )
        if _same_json(value, live):
            return True
        return self._built_in and alone and _same_meaning(value, live, type_)


def _is_zero(value: Any, type_: Type) -> bool:
    """Whether it is null or the zero of its type; of another type it would be refused."""
    atom = type_.atom
    if value is None:
        return True
    if value.__class__ is dict or value.__class__ is list:
        # What may be a scalar as well is raw JSON, and kept.
        fits = atom.map if value.__class__ is dict else atom.list
        return not value and fits is not None and atom.scalar is None
    zero = _ZEROS.get(atom.scalar or "")
    return value.__class__ is zero.__class__ and bool(value == zero)


_ZEROS: Mapping[str, Any] = {"string": "", "boolean": False, "numeric": 0}


def _same_json(value: Any, live: Any) -> bool:
    """Whether two scalars are one JSON value. True == 1 in Python, not in JSON; 1 == 1.0 in both.

    A null is a value nowhere.
    """
    if value is None or (value.__class__ is bool) is not (live.__class__ is bool):
        return False
    return bool(value == live)


def _same_meaning(value: Any, live: Any, type_: Type | None) -> bool:
    """Whether a built-in type spells two values as one."""
    semantic = type_.semantic if type_ is not None else ""
    try:
        if semantic == "quantity":
            # The family of suffixes is kept: 1Ki is stored as 1Ki, 1024 as 1024.
            return bool(Quantity.from_json(value).text == live)
        if semantic == "time":
            return bool(parse_time(value) == parse_time(live))
        if semantic == "micro-time":
            return bool(parse_micro_time(value) == parse_micro_time(live))
    except (ValueError, TypeError):
        return False
    return False
