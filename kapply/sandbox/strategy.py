"""What differs from kind to kind when an object is written: defaults, resets, checks.

The counterpart of the strategies in kube-apiserver's registry. A kind that is not told apart
anywhere has the behaviour of `Strategy` itself. Objects are the canonical JSON of the kind, in
its storage version except in `default`, which reads the version of the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from kapply.sandbox import content, objectmeta
from kapply.sandbox.checks.base import Checks, Found
from kapply.sandbox.fielderr import Errors
from kapply.sandbox.request import Call, Env
from kapply.sandbox.store import View, Writer

__all__ = ["Context", "Path", "Strategy"]

Object = dict[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Context:
    """What a strategy may look at besides the object."""

    env: Env
    view: View
    call: Call

    @property
    def writer(self) -> Writer:
        """The transaction; for allocators, which are called only while one is open."""
        assert isinstance(self.view, Writer)
        return self.view


class Strategy:
    """The behaviour of a kind.

    Attributes:
        rule: what its names are held to.
        knows_finalizers: finalizers without a domain are refused, apart from the standard ones.
        checks: what it refuses and warns of, beyond metadata.
        generation: fields whose change raises metadata.generation; () for a kind without one.
        create_on_update: PUT and patches may create.
        unconditional_update: PUT needs no resourceVersion.
        status_resets: fields that a write to /status does not touch, besides spec.
        has_status: main writes keep the status there is.
        marks_grace: a deletion that waits for finalizers sets deletionGracePeriodSeconds.
    """

    rule: ClassVar[objectmeta.NameRule] = content.dns_subdomain
    namespaced: bool = True
    checks: Checks = Checks()
    generation: ClassVar[tuple[Path, ...]] = ()
    knows_finalizers: bool = True
    create_on_update: ClassVar[bool] = False
    unconditional_update: ClassVar[bool] = True
    has_status: ClassVar[bool] = False
    status_resets: ClassVar[tuple[Path, ...]] = ()
    marks_grace: ClassVar[bool] = True
    resets: ClassVar[tuple[Path, ...]] = ()

    def default(self, obj: Object, version: str) -> None:
        """Fill in what was left out, in the request's version."""

    def admit(self, obj: Object, old: Object | None, ctx: Context) -> None:
        """What the default admission plugins change or refuse. Raises Failure."""

    def admit_checked(self, obj: Object, old: Object, ctx: Context) -> None:
        """What admission plugins refuse of a valid update (ValidationInterface). Raises Failure."""

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        """Reset what a creator may not set."""
        if self.has_status:
            self.clear_status(obj)
        if self.generation:
            obj["metadata"]["generation"] = 1

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        """Reset what an update may not touch, and count generations."""
        if self.has_status:
            keep(new, old, "status")
        if self.generation and any(at(new, p) != at(old, p) for p in self.generation):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def prepare_subresource(self, name: str, new: Object, old: Object, ctx: Context) -> None:
        """Reset what a write to a subresource may not touch."""
        for path in self.reset_fields(name):
            keep_at(new, old, path)

    def clear_status(self, obj: Object) -> None:
        """Make the status that of a new object."""
        if obj.get("status"):
            obj["status"] = {}

    def begin_create(self, obj: Object, ctx: Context) -> None:
        """Allocate (cluster IPs) and the like, before prepare_create. Raises Failure."""

    def begin_update(self, new: Object, old: Object, ctx: Context) -> None:
        """Allocate for an update, before prepare_update. Raises Failure."""

    def after_delete(self, obj: Object, ctx: Context) -> None:
        """Release what begin_create took."""

    def validate(self, obj: Object) -> Errors:
        """What is wrong with a new object."""
        return self.validate_meta(obj) + self.validate_spec(obj)

    def validate_meta(self, obj: Object) -> Errors:
        """What is wrong with a new object's metadata."""
        metadata = obj["metadata"]
        errors = objectmeta.validate(metadata, namespaced=self.namespaced, rule=type(self).rule)
        return errors + self._legacy_finalizers(metadata)

    def _legacy_finalizers(self, metadata: Mapping[str, Any]) -> Errors:
        return objectmeta.legacy_finalizers(metadata) if self.knows_finalizers else []

    def validate_spec(self, obj: Object) -> Errors:
        """What is wrong with the rest of a new object."""
        found = Found()
        self.checks.create(found, obj)
        return found.as_errors()

    def validate_update(self, new: Object, old: Object) -> Errors:
        """What is wrong with an update, beyond metadata."""
        found = Found()
        self.checks.update(found, new, old)
        return self._legacy_finalizers(new["metadata"]) + found.as_errors()

    def validate_subresource(self, name: str, new: Object, old: Object) -> Errors:
        """What is wrong with a write to a subresource, beyond metadata."""
        found = Found()
        self.checks.subresource(name, found, new, old)
        return found.as_errors()

    def canonicalize(self, obj: Object) -> None:
        """Bring a valid object into the form it is stored in."""

    def settle(self, obj: Object, old: Object | None, ctx: Context) -> Object:
        """What the server's own controllers make of an object at once; the object to store."""
        return obj

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        """What to warn of."""
        return self.checks.warnings(obj, old)

    def decorate(self, obj: Object, ctx: Context) -> None:
        """Add to an object that is answered what is not stored."""

    def reset_fields(self, subresource: str) -> tuple[Path, ...]:
        """Fields that a write there neither changes nor owns."""
        if subresource == "status":
            return (("spec",), *self.status_resets)
        return (("status",), *self.resets) if self.has_status else self.resets

    def graceful(self, obj: Object, grace: int | None) -> int | None:
        """The grace period of a deletion in seconds; None for a kind that has none."""
        return None

    def holds(self, obj: Object) -> bool:
        """Whether something besides metadata.finalizers holds a deleted object back."""
        return False

    def finalizers_on_delete(self, finalizers: list[str]) -> list[str]:
        """The finalizers of an object as its deletion begins."""
        return finalizers

    def mark_deleting(self, obj: Object) -> None:
        """Say in the object that its deletion waits for finalizers (a namespace's phase)."""

    def delete_warnings(self, options: Mapping[str, Any]) -> list[str]:
        """What to warn of when objects are deleted with such options."""
        return []

    def orphans_by_default(self) -> bool:
        """Whether a delete without a policy orphans the dependents."""
        return False

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """The fields that selectors may name, beyond metadata.name and metadata.namespace."""
        return {}


def at(obj: Any, path: Path) -> Any:
    """The value at a path; None where there is none."""
    for name in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(name)
    return obj


def keep(new: Object, old: Object, name: str) -> None:
    """Make a top-level field what it was."""
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)


def keep_at(new: Object, old: Object, path: Path) -> None:
    """Make the value at a path what it was."""
    *parents, last = path
    source = at(old, tuple(parents))
    target = new
    for name in parents:
        found = target.get(name)
        if not isinstance(found, dict):
            if not source:
                return
            found = target[name] = {}
        target = found
    if isinstance(source, Mapping) and last in source:
        target[last] = source[last]
    else:
        target.pop(last, None)
