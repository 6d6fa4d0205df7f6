"""A plan kept in a file: what it was decided on, as digests, and no value of any object.

It says which cluster, which manager and flags, and for each object the digests of the manifest,
of the live object and of the difference that was shown, with the live object's uid and
resourceVersion, or that there was none. `stale` compares it with the same plan made anew.

Digests are HMAC-SHA256 under a key that is not in the file: values of Secrets, and short values of
anything, could be guessed from plain ones. Without a key the digests of Secrets are left out, so
that these are bound by uid and resourceVersion alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kapply.errors import InputError
from kapply.meta import GroupVersionKind, JsonObject, ObjectRef, is_secret
from kapply.planning.model import Change, Plan, Seen
from kapply.planning.preconditions import difference

API_VERSION = "kapply.dev/plan/v1"
KIND = "SavedPlan"

_SERVER_TEXT = frozenset({"resourceVersion", "managedFields"})


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a plan holds: the uid of kube-system, and the server's address for people."""

    uid: str
    server: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A CustomResourceDefinition that objects of the plan depend on, as it was."""

    name: str
    uid: str
    generation: int


@dataclass(frozen=True, slots=True)
class SavedObject:
    """What the plan saw of one object, and what it decided.

    Attributes:
        input: digest of the manifest; "" for a deletion, and for a Secret without a key.
        live: digest of the live object without status and what the server counts; "" when it is
            not there, and for a Secret without a key.
        diff: digest of the difference that was shown; "" for a Secret without a key.
    """

    apiVersion: str  # noqa: N815 - as it stands in the file
    kind: str
    namespace: str
    name: str
    action: str
    uid: str
    resourceVersion: str  # noqa: N815
    input: str
    live: str
    diff: str

    @property
    def ref(self) -> ObjectRef:
        """Which object."""
        gvk = GroupVersionKind.parse(self.apiVersion, self.kind)
        return ObjectRef(gvk, self.namespace, self.name)

    @property
    def seen(self) -> Seen:
        """The live object as it was."""
        return Seen(self.uid, self.resourceVersion)


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan as it stands in a file.

    Attributes:
        cluster: where it holds.
        manager: the field manager.
        flags: the other flags that decide what is written, by name.
        key: names the key of the digests; "" for none.
        definitions: the CRDs of its custom resources.
        objects: one for each Change, in order.
    """

    cluster: Cluster
    manager: str
    flags: Mapping[str, Any]
    key: str
    definitions: tuple[Definition, ...]
    objects: tuple[SavedObject, ...]


class Digester:
    """Makes digests: HMAC-SHA256 under `key`, or plain SHA-256 for b"" (then not for Secrets)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def name(self) -> str:
        """A name of the key that tells nothing about it; "" for none."""
        return self.of("kapply plan key")[-16:] if self._key else ""

    def of(self, value: Any) -> str:
        """The digest of a JSON value; `...` in it stands for "not there".

        Raises:
            InputError: it is nested too deeply.
        """
        try:
            text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_absent)
        except RecursionError:
            raise InputError("an object is nested too deeply for a saved plan") from None
        data = text.encode("utf-8", "surrogatepass")
        if self._key:
            return f"hmac-sha256:{hmac.new(self._key, data, hashlib.sha256).hexdigest()}"
        return f"sha256:{hashlib.sha256(data).hexdigest()}"

    def may_digest(self, ref: ObjectRef) -> bool:
        """Whether a digest of this object tells nothing of its values."""
        return bool(self._key) or not is_secret(ref.gvk)


def _absent(value: Any) -> Any:
    if value is ...:
        return {"": "not there"}
    raise TypeError(f"no JSON: {type(value).__name__}")


def saved(
    plan: Plan,
    cluster: Cluster,
    flags: Mapping[str, Any],
    definitions: Iterable[Definition],
    digester: Digester,
) -> SavedPlan:
    """The plan as it is kept."""
    return SavedPlan(
        cluster,
        plan.manager,
        dict(flags),
        digester.name,
        tuple(definitions),
        tuple(_object(change, digester) for change in plan.changes),
    )


def _object(change: Change, digester: Digester) -> SavedObject:
    ref, seen = change.ref, change.seen
    may = digester.may_digest(ref)
    desired = change.desired
    result = change.result
    if result is None and desired is not None:
        result = desired.obj
    return SavedObject(
        ref.gvk.api_version,
        ref.gvk.kind,
        ref.namespace,
        ref.name,
        change.action.value,
        *seen,
        input=digester.of(desired.obj) if may and desired is not None else "",
        live=digester.of(_stated(change.live)) if may and change.live is not None else "",
        diff=digester.of(_difference(change, result)) if may else "",
    )


def _difference(change: Change, result: JsonObject | None) -> Any:
    return [change.action.value, difference(change.live, result)]


def _stated(live: JsonObject) -> JsonObject:
    """The live object without status, and without what a write to status moves."""
    metadata = {k: v for k, v in live["metadata"].items() if k not in _SERVER_TEXT}
    metadata["managedFields"] = sorted(
        (
            [entry.get(name) for name in ("manager", "operation", "apiVersion", "fieldsV1")]
            for entry in live["metadata"].get("managedFields") or ()
            if entry.get("subresource") != "status"
            and (entry.get("fieldsV1") or {}).keys() != {"f:status"}
        ),
        key=lambda entry: json.dumps(entry, sort_keys=True),
    )
    return {**{k: v for k, v in live.items() if k != "status"}, "metadata": metadata}


def stale(before: SavedPlan, now: SavedPlan) -> list[tuple[ObjectRef | str, str]]:
    """What has moved since `before` was saved: each object, or CRD, and how; [] when nothing has.

    Both are of the same cluster, manager, flags and key.
    """
    found: list[tuple[ObjectRef | str, str]] = []
    kept = {one.name: one for one in now.definitions}
    for definition in before.definitions:
        other = kept.get(definition.name)
        name = f"CustomResourceDefinition {definition.name}"
        if other is None:
            found.append((name, "was deleted, or may no longer be read"))
        elif other.uid != definition.uid:
            found.append((name, "was deleted and created anew"))
        elif other.generation != definition.generation:
            found.append((name, "has changed"))
    known = {one.name for one in before.definitions}
    found += [
        (f"CustomResourceDefinition {name}", "was created") for name in kept if name not in known
    ]
    olds, news = _by_key(before.objects), _by_key(now.objects)
    for key, old in olds.items():
        new = news.get(key)
        moved = "is no longer in the input" if new is None else _moved(old, new)
        if moved:
            found.append((old.ref, moved))
    found += [(new.ref, "is new in the input") for key, new in news.items() if key not in olds]
    return found


def _by_key(objects: Iterable[SavedObject]) -> dict[tuple[Any, ...], SavedObject]:
    found: dict[tuple[Any, ...], SavedObject] = {}
    for position, one in enumerate(objects):
        # Objects without a name (generateName) are told apart by their place.
        unnamed = () if one.name else (position,)
        found[(one.apiVersion, one.kind, one.namespace, one.name, *unnamed)] = one
    return found


def _moved(old: SavedObject, new: SavedObject) -> str:
    """How an object moved; "" when nothing but its status did."""
    if old.input != new.input:
        return "its manifest has changed"
    if not old.uid and new.uid:
        return "was created"
    if old.uid and not new.uid:
        return "was deleted"
    if old.uid != new.uid:
        return "was deleted and created anew"
    if old.live != new.live:
        return "has changed on the server"
    # Without a digest there is nothing else to go by.
    if old.resourceVersion != new.resourceVersion and not new.live:
        return "has changed on the server"
    if old.action != new.action or old.diff != new.diff:
        return f"the server would make something else of it now ({old.action}, now {new.action})"
    return ""


def to_text(plan: SavedPlan, digester: Digester) -> str:
    """The file: JSON, one line for each object, and a digest over all of it."""
    content = _content(plan)
    lines = [
        f"  {json.dumps(name)}: {json.dumps(value)}"
        for name, value in content.items()
        if name != "objects"
    ]
    objects = ",\n".join(f"    {json.dumps(one)}" for one in content["objects"])
    lines.append(f'  "objects": [\n{objects}\n  ]' if objects else '  "objects": []')
    lines.append(f'  "digest": {json.dumps(digester.of(content))}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _content(plan: SavedPlan) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "cluster": asdict(plan.cluster),
        "manager": plan.manager,
        "flags": dict(plan.flags),
        "key": plan.key,
        "definitions": [asdict(one) for one in plan.definitions],
        "objects": [asdict(one) for one in plan.objects],
    }


def from_text(text: str | bytes, digester: Digester) -> SavedPlan:
    """The plan in a file.

    Raises:
        InputError: it is no plan, is of another key, or is not as it was written.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("it is not JSON") from None
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise InputError("it is no saved plan", hint="`kapply plan --save FILE` makes one.")
    if data.get("apiVersion") != API_VERSION:
        raise InputError(
            f"its version is {data.get('apiVersion')!r}, this kapply reads {API_VERSION}",
            hint="Make the plan anew.",
        )
    if data.get("key") != digester.name:
        raise InputError(
            "it was made with another key" if data.get("key") else "it was made without a key",
            hint="KAPPLY_PLAN_KEY has to be the same for plan and apply.",
        )
    digest = data.pop("digest", None)
    try:
        plan = SavedPlan(
            _read(Cluster, data["cluster"]),
            _text(data["manager"]),
            dict(data["flags"]),
            data["key"],
            tuple(_read(Definition, one) for one in data["definitions"]),
            tuple(_read(SavedObject, one) for one in data["objects"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError("it is damaged", hint="Make the plan anew.") from None
    if not isinstance(digest, str) or not hmac.compare_digest(
        digest.encode("utf-8", "surrogatepass"), digester.of(data).encode()
    ):
        raise InputError("it is not as it was written", hint="Make the plan anew.")
    return plan


def _read(kind: Any, data: Any) -> Any:
    """A dataclass of texts and numbers from JSON that has exactly its fields."""
    types = {"str": str, "int": int}
    wanted = {one.name: types[str(one.type)] for one in fields(kind)}
    if data.keys() != wanted.keys():
        raise ValueError
    for name, type_ in wanted.items():
        if data[name].__class__ is not type_:
            raise ValueError
    return kind(**data)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
