"""Plan what no server can be asked yet: objects of a Namespace or CRD that the same input brings.

Custom resources are computed from their CRD. Objects of built-in kinds are dry-run on a scratch
API server, an empty one with nothing in it but the namespace: its defaults are the real server's,
and neither quotas nor policies nor namesakes of another namespace get in the way. What it refuses
is told and decides nothing: the real server is asked when the Namespace or the CRD is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kapply.client import Answer, Client, WriteOptions, encode
from kapply.errors import ApiError, UnauthorizedError
from kapply.meta import GroupVersionKind, JsonObject, RESTMapping
from kapply.planning.allocated import with_allocated
from kapply.planning.model import Action, Change, Desired
from kapply.planning.resolve import CRD
from kapply.planning.unchanged import BUILT_IN_GROUPS

if TYPE_CHECKING:
    from kapply.planning.custom import CustomKind

#: Makes the client of a scratch API server; called at most once.
Scratch = Callable[[], Client]

_NAMESPACES = RESTMapping(GroupVersionKind("", "v1", "Namespace"), "namespaces", namespaced=False)
_CRDS = RESTMapping(
    GroupVersionKind(CRD.group, "v1", CRD.kind), "customresourcedefinitions", namespaced=False
)
# A generated name is this long at most, with the server's suffix still a label.
_LONGEST = 50


class Simulation:
    """Simulated Changes of one plan; for one thread, but for `refusal`.

    Args:
        client: the real server, which is asked for CRDs that it has already.
        items: the input.
        scratch: makes the scratch API server; None leaves built-in kinds without a result.
        stand_in: a namespace of the real server in which the objects of a new namespace are
            dry-run under generated names, for its refusals alone; "" for none.
    """

    def __init__(
        self,
        client: Client,
        items: Iterable[Desired],
        *,
        scratch: Scratch | None = None,
        stand_in: str = "",
    ) -> None:
        self._client = client
        self._make_scratch = scratch
        self._scratch: Client | None = None
        self._stand_in = stand_in
        self._namespaces: set[str] = set()
        self._crds: dict[str, Mapping[str, Any] | None] = {
            item.ref.name: item.obj for item in items if item.ref.gvk.group_kind == CRD
        }
        self._kinds: dict[tuple[str, str], CustomKind | None] = {}

    def change(
        self, item: Desired, live: JsonObject | None, write: WriteOptions, why: str
    ) -> Change:
        """The simulated Change of `item`; without a result where nothing is known of its kind."""
        kind = self._custom(item)
        if kind is not None:
            return kind.apply(item, live, write.field_manager, force=write.force, why=why)
        unknown = Change(item.ref, Action.CREATE, item, live, why=why, deferred=True)
        if live is not None or self._make_scratch is None:
            return unknown
        try:
            answer = self._on_scratch(item, write)
        except ApiError as error:
            if error.status.code == 404:
                # A kind that the scratch server does not have.
                return unknown
            text = f"it may be refused when it is checked: {error.message}"
            return replace(unknown, warnings=(text,))
        return replace(unknown, result=with_allocated(item, None, answer.obj), simulated=True)

    def refusal(self, change: Change, write: WriteOptions) -> Change:
        """The Change with what the stand-in namespace refuses of it, as a warning.

        Thread-safe. Its verdict stays as it is: the stand-in has other quotas, policies and
        limits than the namespace that is to come.
        """
        item = change.desired
        if not self._stand_in or item is None or not item.pending.startswith("Namespace "):
            return change
        metadata = {k: v for k, v in item.obj["metadata"].items() if k != "name"}
        # Under a name of its own: a namesake there would be merged with.
        metadata["namespace"] = self._stand_in
        metadata["generateName"] = f"{(item.ref.name or 'x')[:_LONGEST]}-"
        body = encode({**item.obj, "metadata": metadata})
        asked = write._replace(dry_run=True, force=False, origin=item.origin)
        try:
            self._client.create(item.mapping, body, self._stand_in, asked)
        except UnauthorizedError:
            raise
        except ApiError as error:
            text = f"in the stand-in namespace {self._stand_in} it is refused: {error.message}"
            return replace(change, warnings=(*change.warnings, text))
        return change

    def _custom(self, item: Desired) -> CustomKind | None:
        gvk = item.ref.gvk
        if gvk.group in BUILT_IN_GROUPS:
            return None
        name = item.mapping.group_resource
        key = (name, gvk.version)
        if key not in self._kinds:
            if name not in self._crds:
                self._crds[name] = self._read_crd(name)
            # Imported here: few plans hold what has to be simulated.
            from kapply.planning.custom import CustomKind

            crd = self._crds[name]
            self._kinds[key] = CustomKind.of(crd, gvk.version) if crd else None
        return self._kinds[key]

    def _read_crd(self, name: str) -> JsonObject | None:
        """The CRD that the server has; None for an aggregated kind, or without the right to it."""
        try:
            return self._client.get(_CRDS, name)
        except UnauthorizedError:
            raise
        except ApiError:
            return None

    def _on_scratch(self, item: Desired, write: WriteOptions) -> Answer:
        if self._scratch is None:
            assert self._make_scratch is not None
            self._scratch = self._make_scratch()
        namespace = item.ref.namespace
        quiet = write._replace(field_validation="Ignore", origin=None, dry_run=False)
        if namespace and namespace not in self._namespaces:
            self._namespaces.add(namespace)
            made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            self._scratch.apply(_NAMESPACES, encode(made), namespace, "", quiet)
        quiet = quiet._replace(dry_run=True)
        if item.ref.name:
            return self._scratch.apply(item.mapping, item.body, item.ref.name, namespace, quiet)
        return self._scratch.create(item.mapping, item.body, namespace, quiet._replace(force=False))
