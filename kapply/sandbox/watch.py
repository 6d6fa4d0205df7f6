"""watch: changes as they happen, from a version on.

A `Watch` is pulled: `poll()` returns the lines that are due now. Who pulls, and how it waits in
between, is the caller's business (a thread in the process, an event loop in the server); so
nothing here blocks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from kapply.sandbox import fielderr, read, render, status
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.render import Form, dumps, form_of
from kapply.sandbox.request import Call
from kapply.sandbox.selection import selection_of
from kapply.sandbox.status import Failure
from kapply.sandbox.store import Change, CompactedError, Store, View
from kapply.sandbox.strategy import Context

__all__ = ["Watch"]

#: The longest a watch lasts without timeoutSeconds; kube-apiserver picks 30 to 60 minutes.
DEFAULT_TIMEOUT = timedelta(minutes=45)
BOOKMARK_EVERY = timedelta(minutes=1)
_BATCH = 200


class Watch:
    """One watch request.

    Attributes:
        headers: of the answer, lower-case names.
        ended: nothing will follow.
    """

    def __init__(self, call: Call, store: Store) -> None:
        self._call = call
        self._store = store
        self._form = form_of(call.headers.get("accept", ""))
        self._selection = selection_of(call)
        self._namespace = call.target.namespace if call.resource.namespaced else ""
        self._since = 0
        self._bookmarks = call.flag("allowWatchBookmarks")
        self._first_table = True
        self.ended = False
        seconds = call.number("timeoutSeconds")
        self._started = call.env.now()
        self._until = self._started + (timedelta(seconds=seconds) if seconds else DEFAULT_TIMEOUT)
        self._bookmarked = self._started
        self._initial: list[bytes] = []
        with store.read() as view:
            self._begin(view)
        media_type = "application/json"
        self.headers = {
            "content-type": self._form.content_type if self._form.kind else f"{media_type}",
            "cache-control": "no-cache, private",
        }
        if call.warnings:
            self.headers["warning"] = ", ".join(
                f"299 - {status.quoted(text)}" for text in call.warnings
            )

    def _begin(self, view: View) -> None:
        call = self._call
        version = call.params.get("resourceVersion", "")
        self._check_initial(version)
        asked = read.parse_version(version) if version else 0
        if asked > view.version:
            raise read.too_large(asked, view.version)
        with_initial = call.flag("sendInitialEvents")
        if with_initial or ("sendInitialEvents" not in call.params and asked == 0):
            self._send_initial(view, marked=with_initial)
        elif asked == 0:
            self._since = view.version
        else:
            self._since = asked
            if asked < view.compacted:
                self._expire(asked, view.compacted)

    def _check_initial(self, version: str) -> None:
        params = self._call.params
        match = params.get("resourceVersionMatch", "")
        errors: fielderr.Errors = []
        if "sendInitialEvents" in params:
            if match != "NotOlderThan":
                text = "resourceVersionMatch must be set to NotOlderThan"
                errors.append(
                    fielderr.forbidden(
                        "resourceVersionMatch",
                        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                    )
                    if not match
                    else fielderr.not_supported("resourceVersionMatch", match, ["NotOlderThan"])
                )
                del text
            if self._call.flag("sendInitialEvents") and not self._bookmarks:
                pass
        elif match:
            text = (
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
            errors.append(fielderr.forbidden("resourceVersionMatch", text))
            if match != "NotOlderThan":
                allowed = ["NotOlderThan"]
                errors.append(fielderr.not_supported("resourceVersionMatch", match, allowed))
        if errors:
            raise fielderr.invalid_object("ListOptions", "meta.k8s.io", "", errors)

    def _send_initial(self, view: View, *, marked: bool) -> None:
        storage = self._call.resource.storage
        self._since = view.version
        for record in view.select(storage, self._namespace):
            if not self._selection or self._selection.matches(record.load()):
                self._initial.append(self._line("ADDED", record.load(), view))
        if marked and self._bookmarks:
            self._initial.append(self._bookmark(self._since, initial_end=True))

    def poll(self) -> list[bytes]:
        """The lines that are due, [] when there are none yet."""
        if self._initial:
            due, self._initial = self._initial, []
            return due
        if self.ended:
            return []
        now = self._call.env.now()
        lines = self._changes()
        if now >= self._until:
            if self._bookmarks and not self.ended:
                lines.append(self._bookmark(self._since))
            self.ended = True
        elif self._bookmarks and now - self._bookmarked >= BOOKMARK_EVERY:
            self._bookmarked = now
            lines.append(self._bookmark(self._since))
        return lines

    def seconds_left(self, now: datetime) -> float:
        """How long until the watch ends by itself."""
        return (self._until - now).total_seconds()

    def _changes(self) -> list[bytes]:
        lines: list[bytes] = []
        storage = self._call.resource.storage
        with self._store.read() as view:
            newest = view.version
            if newest == self._since:
                return lines
            try:
                changes = view.changes(storage, self._since, _BATCH)
            except CompactedError as error:
                self._expire(self._since, error.oldest)
                return [*self._drain(), *lines]
            for change in changes:
                line = self._line_of(change, view)
                if line:
                    lines.append(line)
            self._since = changes[-1].version if len(changes) == _BATCH else newest
        return lines

    def _drain(self) -> list[bytes]:
        due, self._initial = self._initial, []
        return due

    def _expire(self, asked: int, oldest: int) -> None:
        failure = status.gone(f"too old resource version: {asked} ({oldest})")
        self._initial.append(_event("ERROR", failure.body()))
        self.ended = True

    def _line_of(self, change: Change, view: View) -> bytes:
        if self._namespace and not change.key.startswith(f"{self._namespace}/"):
            return b""
        before = json.loads(change.previous) if change.previous else None
        after = json.loads(change.data) if change.data else None
        was = before is not None and (not self._selection or self._selection.matches(before))
        fits = after is not None and (not self._selection or self._selection.matches(after))
        if fits:
            return self._line("MODIFIED" if was else "ADDED", after, view)
        if was and before is not None:
            # What goes away is shown as it was, at the version of its going.
            before["metadata"]["resourceVersion"] = str(change.version)
            return self._line("DELETED", before, view)
        return b""

    def _line(self, kind: str, hub: dict[str, Any] | None, view: View) -> bytes:
        assert hub is not None
        obj = read.present(self._call, view, hub)
        return _event(kind, self._shaped(obj))

    def _shaped(self, obj: dict[str, Any]) -> dict[str, Any]:
        form = self._form
        if form.kind == "Table":
            from kapply.sandbox.table import table_of

            version = obj["metadata"].get("resourceVersion", "")
            table = table_of(self._call, [obj], {"resourceVersion": version}, form.version)
            if not self._first_table:
                table.pop("columnDefinitions", None)
                table["columnDefinitions"] = None
            self._first_table = False
            return table
        if form.kind:
            return render.partial(obj, form.version)
        return obj

    def _bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        gvk = self._call.resource.gvk
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if initial_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: dict[str, Any] = {
            "kind": gvk.kind,
            "apiVersion": gvk.api_version,
            "metadata": metadata,
        }
        return _event("BOOKMARK", self._shaped(obj))


def _event(kind: str, obj: dict[str, Any]) -> bytes:
    return dumps({"type": kind, "object": obj})


Clock = Callable[[], datetime]
_ = (Context, Failure, Form, strategy_of)
