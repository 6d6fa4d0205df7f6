"""The verbs of the library's client, by the names people use for kinds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kapply.client import Answer, WatchEvent
    from kapply.meta import JsonObject, Response, RESTMapping
    from kapply.session import Session

#: Content types of `Client.patch`, by the names of `kubectl patch --type`.
PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


def to_stderr(text: str) -> None:
    """A warning, where nobody else wants it."""
    sys.stderr.write(f"warning: {text}\n")


class Verbs:
    """What a `Client` does once it is open; `kapply.Client` says what kinds and namespaces are."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def session(self) -> Session:
        """What the functions of the library work with; its parts are not a stable interface."""
        return self._session

    @property
    def server(self) -> str:
        """The server's URL, or "the sandbox"."""
        return self._session.server

    @property
    def namespace(self) -> str:
        """Where objects go that name no namespace."""
        return self._session.namespace

    # --- discovery -------------------------------------------------------------------------

    def version(self) -> dict[str, Any]:
        """What the server says of its version (GET /version).

        >>> import kapply
        >>> kapply.Client.sandbox().version()["major"]
        '1'
        """
        found: dict[str, Any] = self._session.client.get_json("/version")
        return found

    def resources(self) -> Sequence[RESTMapping]:
        """The resources that the server serves, each in its preferred version.

        >>> import kapply
        >>> sorted(r.resource for r in kapply.Client.sandbox().resources())[:2]
        ['apiservices', 'bindings']
        """
        return self._session.discovery.mapper.preferred()

    def resource(self, kind: str) -> RESTMapping:
        """The resource that a name stands for.

        Raises:
            UsageError: the server has none.

        >>> import kapply
        >>> kapply.Client.sandbox().resource("deploy").group_resource
        'deployments.apps'
        """
        from kapply.errors import UsageError

        discovery = self._session.discovery
        found = discovery.mapper.find(kind) or discovery.refresh().find(kind)
        if not found:
            near = discovery.mapper.close_to_word(kind)
            raise UsageError(
                f"the server has no resource {kind!r}",
                hint=f"Did you mean {' or '.join(near)}?" if near else "",
            )
        return found[0]

    # --- reading ---------------------------------------------------------------------------

    def get(
        self, kind: str, name: str, namespace: str | None = None, *, subresource: str = ""
    ) -> JsonObject:
        """GET one object.

        >>> import kapply
        >>> try:
        ...     kapply.Client.sandbox().get("pod", "nobody")
        ... except kapply.NotFoundError as error:
        ...     print(error.message)
        pods "nobody" not found
        """
        mapping = self.resource(kind)
        place = self._place(mapping, namespace)
        return self._session.client.get(mapping, name, place, subresource=subresource)

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        page_size: int = 500,
    ) -> Iterator[JsonObject]:
        """LIST a collection, page by page; `namespace=""` is that of all namespaces.

        >>> import kapply
        >>> [ns["metadata"]["name"] for ns in kapply.Client.sandbox().list("namespaces")]
        ['default', 'kube-node-lease', 'kube-public', 'kube-system']
        """
        mapping = self.resource(kind)
        for page in self._session.client.pages(
            mapping,
            self._place(mapping, namespace),
            label_selector=label_selector,
            field_selector=field_selector,
            limit=page_size,
        ):
            yield from page.items

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        warn: Callable[[str], None] = to_stderr,
    ) -> Iterator[WatchEvent]:
        """What is there now as ADDED, and every change from then on, until the caller leaves.

        Drops and expired versions (410) are survived by a new list; no change is told twice, and
        none is lost but those that a later one of the same object has overtaken.

        >>> import kapply
        >>> events = kapply.Client.sandbox().watch("namespaces")
        >>> event = next(events)
        >>> event.type, event.obj["metadata"]["name"]
        ('ADDED', 'default')
        """
        from kapply.client import WatchEvent
        from kapply.engine.listing import Query
        from kapply.engine.watching import Follower

        mapping = self.resource(kind)
        query = Query(
            mapping,
            self._place(mapping, namespace),
            label_selector=label_selector,
            field_selector=field_selector,
        )
        follower = Follower(self._session.client, query, wait=self._session.stop.wait, warn=warn)
        for document in follower.start():
            for item in document.get("items") or ():
                yield WatchEvent("ADDED", item)
        yield from follower.events()

    # --- writing ---------------------------------------------------------------------------

    def apply(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str = "kapply",
        force: bool = False,
        dry_run: bool = False,
        subresource: str = "",
    ) -> Answer:
        """Server-side apply of one object (KEP-555).

        Args:
            obj: apiVersion, kind, metadata.name and the fields to own.
            field_manager: who owns them.
            force: take over fields of other managers.
            dry_run: have the server do everything but store it.
            subresource: such as "status".

        Gives the object as the server has it, warnings, and whether it was created.

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}}
        >>> client.apply(settings).created, client.apply(settings).created
        (True, False)
        """
        from kapply.client import WriteOptions, encode

        mapping, name, place = self._target(obj)
        return self._session.client.apply(
            mapping,
            encode(obj),
            name,
            place,
            WriteOptions(field_manager, dry_run, force),
            subresource=subresource,
        )

    def create(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str = "kapply-create",
        dry_run: bool = False,
    ) -> Answer:
        """POST a new object; never repeated on its own.

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
        >>> client.create(team).created
        True
        >>> try:
        ...     client.create(team)
        ... except kapply.AlreadyExistsError as error:
        ...     print(error.message)
        namespaces "team" already exists
        """
        from kapply.client import WriteOptions, encode

        mapping, _, place = self._target(obj)
        options = WriteOptions(field_manager, dry_run)
        return self._session.client.create(mapping, encode(obj), place, options)

    def replace(
        self,
        obj: Mapping[str, Any],
        *,
        field_manager: str = "kapply-edit",
        dry_run: bool = False,
        subresource: str = "",
    ) -> Answer:
        """PUT an object; with metadata.resourceVersion only that version of it is replaced.

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> space = client.get("ns", "default")
        >>> space["metadata"]["labels"]["team"] = "a"
        >>> client.replace(space).obj["metadata"]["labels"]["team"]
        'a'
        """
        from kapply.client import WriteOptions, encode

        mapping, name, place = self._target(obj)
        return self._session.client.replace(
            mapping,
            encode(obj),
            name,
            place,
            WriteOptions(field_manager, dry_run),
            subresource=subresource,
        )

    def patch(
        self,
        kind: str,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        type: str = "strategic",  # noqa: A002 - kubectl's word
        field_manager: str = "kapply-edit",
        dry_run: bool = False,
        subresource: str = "",
    ) -> Answer:
        """PATCH one object.

        Args:
            kind: what the object is.
            name: its name.
            patch: JSON values; a list of operations for type "json".
            namespace: where it is.
            type: "strategic", "merge" (RFC 7386) or "json" (RFC 6902).
            field_manager: who owns what is changed.
            dry_run: have the server do everything but store it.
            subresource: such as "status".

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> labels = {"metadata": {"labels": {"team": "a"}}}
        >>> client.patch("ns", "default", labels, type="merge").obj["metadata"]["labels"]["team"]
        'a'
        """
        import json

        from kapply.client import WriteOptions
        from kapply.errors import UsageError

        if type not in PATCH_TYPES:
            raise UsageError(f"type={type!r}: expected one of {', '.join(PATCH_TYPES)}")
        mapping = self.resource(kind)
        return self._session.client.patch(
            mapping,
            json.dumps(patch).encode(),
            name,
            self._place(mapping, namespace),
            WriteOptions(field_manager, dry_run),
            content_type=PATCH_TYPES[type],
            subresource=subresource,
        )

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: str = "Background",
        uid: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """DELETE one object; with a uid that very object or none (ConflictError).

        Gives the object while it terminates, or a Status when it is gone at once.

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> _ = client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}})
        >>> client.delete("configmap", "s")["status"]
        'Success'
        """
        mapping = self.resource(kind)
        place = self._place(mapping, namespace)
        return self._session.client.delete(
            mapping, name, place, propagation=propagation, uid=uid, dry_run=dry_run
        )

    def delete_collection(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        dry_run: bool = False,
    ) -> JsonObject:
        """DELETE a collection, or what the selectors choose of it; gives the List of it.

        >>> import kapply
        >>> client = kapply.Client.sandbox()
        >>> client.delete_collection("configmaps", label_selector="app=web")["kind"]
        'ConfigMapList'
        """
        mapping = self.resource(kind)
        return self._session.client.delete_collection(
            mapping,
            self._place(mapping, namespace),
            label_selector=label_selector,
            field_selector=field_selector,
            dry_run=dry_run,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """Send any request; the answer with status, headers and body.

        >>> import kapply
        >>> kapply.Client.sandbox().request("GET", "/readyz").body
        b'ok'
        """
        from kapply.meta import Request

        return self._session.client.request(
            Request(method, path, tuple(query), headers or {}, body)
        )

    # --- where objects go ------------------------------------------------------------------

    def _place(self, mapping: RESTMapping, namespace: str | None) -> str:
        if not mapping.namespaced:
            return ""
        return self.namespace if namespace is None else namespace

    def _target(self, obj: Mapping[str, Any]) -> tuple[RESTMapping, str, str]:
        from kapply.errors import UsageError
        from kapply.meta import GroupVersionKind

        kind, version = obj.get("kind"), obj.get("apiVersion")
        metadata = obj.get("metadata") or {}
        if not (kind and version):
            raise UsageError("the object has no apiVersion or no kind")
        gvk = GroupVersionKind.parse(version, kind)
        discovery = self._session.discovery
        mapping = discovery.mapper.for_kind(gvk) or discovery.refresh().for_kind(gvk)
        if mapping is None:
            raise UsageError(f"the server has no kind {kind} of {version}")
        namespace = metadata.get("namespace") or None
        return mapping, metadata.get("name") or "", self._place(mapping, namespace)
