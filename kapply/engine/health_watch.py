"""Follow some objects of one kind in one namespace, in a thread, through every loss of connection.

A watch that the server closes or that breaks off goes on where it ended; after a 410 the objects
are listed anew (API concepts, "Efficient detection of changes"). Lists are never read with
resourceVersion=0: they would show a past that is over. Who may not watch reads one by one.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from kapply.client import Client
from kapply.errors import (
    ConflictError,
    ForbiddenError,
    GoneError,
    KapplyError,
    MethodNotAllowedError,
    NotFoundError,
    ProtocolError,
    ServerError,
    Status,
    TLSError,
    TooManyRequestsError,
    UnreachableError,
    api_error,
)
from kapply.kstatus.model import dig
from kapply.meta import JsonObject, RESTMapping
from kapply.query.field_selectors import escape_field_value

#: Seconds after which the server ends a watch; it is then taken up again. One that a middlebox
#: has silently dropped is noticed no later than that.
WATCH_SECONDS = 240
#: Seconds between two reads where watching is not allowed.
POLL_SECONDS = 1.0
#: Seconds before the next try while tries lead to nothing: doubled each time up to this.
MAX_DELAY = 8.0

Wanted = Callable[[JsonObject], bool]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one watch covers: a kind, and a namespace ("" for a cluster-scoped kind)."""

    mapping: RESTMapping
    namespace: str


@dataclass(frozen=True, slots=True)
class Listed:
    """All that is there of a scope, as far as it is wanted; what is missing is not there."""

    scope: Scope
    objects: tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One object as it is now; `gone` is true of one that was deleted."""

    scope: Scope
    obj: JsonObject
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """The scope cannot be read: for a while, or (`final`) for good."""

    scope: Scope
    error: KapplyError
    final: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """After trouble, the scope can be read again."""

    scope: Scope


@dataclass(frozen=True, slots=True)
class Crashed:
    """A bug in the thread; it is raised where the news are read."""

    error: BaseException


News = Listed | Seen | Trouble | Restored | Crashed


class ScopeWatch:
    """One watch and its thread; `start`, and `close` when nothing of it is waited for any more.

    Args:
        client: the server.
        scope: what to follow.
        names: the objects in question; empty for all of the scope.
        version: the resourceVersion to begin after; "" to list first.
        news: where what is seen goes.
        wanted: which objects are told of; deletions always are.
        poll: read one by one, as where watching is forbidden.
    """

    def __init__(
        self,
        client: Client,
        scope: Scope,
        news: queue.SimpleQueue[News],
        *,
        names: Sequence[str] = (),
        version: str = "",
        wanted: Wanted | None = None,
        poll: bool = False,
    ) -> None:
        self._client = client
        self.scope = scope
        self._news = news
        self._names = frozenset(names)
        self._version = version
        self._wanted = wanted
        self._poll = poll
        self._troubled = False
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._open: AbstractContextManager[Any] | None = None
        self._thread = threading.Thread(target=self._run, name="kapply-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the watch; the thread follows on its own."""
        self._closed.set()
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None:
            # Nobody runs in it: the thread reads from a stream that this closes.
            opened.__exit__(None, None, None)

    def join(self, seconds: float) -> None:
        """Wait for the thread."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._follow()
        except BaseException as error:  # noqa: BLE001 - told where the news are read
            if not self._closed.is_set():
                self._news.put(Crashed(error))

    def _follow(self) -> None:
        fruitless = 0
        while not self._closed.is_set():
            alive = False
            try:
                if self._poll:
                    self._read_each()
                    self._closed.wait(POLL_SECONDS)
                    fruitless = 0
                    continue
                if not self._version:
                    self._list()
                alive = self._watch()
            except GoneError:
                self._version = ""
            except (ForbiddenError, MethodNotAllowedError) as error:
                if self._poll or not self._names:
                    self._tell(Trouble(self.scope, error, final=True))
                    return
                self._poll = True
            except TLSError as error:
                self._tell(Trouble(self.scope, error, final=True))
                return
            except NotFoundError:
                # The kind is not served (yet, or any more): nothing of it is there.
                self._tell(Listed(self.scope, ()))
                self._version = ""
            except (
                UnreachableError,
                ProtocolError,
                TooManyRequestsError,
                ServerError,
                ConflictError,
            ) as error:
                self._troubled = True
                self._tell(Trouble(self.scope, error, final=False))
            except KapplyError as error:
                self._tell(Trouble(self.scope, error, final=True))
                return
            fruitless = 0 if alive else fruitless + 1
            if fruitless:
                self._closed.wait(min(MAX_DELAY, 0.1 * 2.0 ** min(fruitless, 10)))

    def _tell(self, news: News) -> None:
        if not self._closed.is_set():
            self._news.put(news)

    @property
    def _field_selector(self) -> str:
        if len(self._names) == 1:
            return f"metadata.name={escape_field_value(next(iter(self._names)))}"
        return ""

    def _list(self) -> None:
        found: list[JsonObject] = []
        version = ""
        pages = self._client.pages(
            self.scope.mapping, self.scope.namespace, field_selector=self._field_selector
        )
        for page in pages:
            found += [item for item in page.items if self._is_wanted(item)]
            version = page.resource_version
        self._version = version
        self._tell(Listed(self.scope, tuple(found)))

    def _watch(self) -> bool:
        """Tell of each event until the stream ends; whether anything came."""
        alive = False
        opening = self._client.watch(
            self.scope.mapping,
            self.scope.namespace,
            resource_version=self._version,
            field_selector=self._field_selector,
            timeout_seconds=WATCH_SECONDS,
        )
        events = opening.__enter__()
        with self._lock:
            self._open = opening
        try:
            # Checked behind the lock's back: `close` may have come before there was a stream.
            if self._closed.is_set():
                return alive
            if self._troubled:
                self._troubled = False
                self._tell(Restored(self.scope))
            for event in events:
                alive = True
                if event.type == "ERROR":
                    raise api_error(Status.from_json(event.obj))
                self._version = str(dig(event.obj, "metadata", "resourceVersion") or self._version)
                gone = event.type == "DELETED"
                if event.type != "BOOKMARK" and self._is_wanted(event.obj, gone=gone):
                    self._tell(Seen(self.scope, event.obj, gone))
                if self._closed.is_set():
                    break
        finally:
            with self._lock:
                mine, self._open = self._open, None
            if mine is not None:
                mine.__exit__(None, None, None)
        return alive

    def _read_each(self) -> None:
        found = []
        for name in sorted(self._names):
            try:
                found.append(self._client.get(self.scope.mapping, name, self.scope.namespace))
            except NotFoundError:
                continue
        self._tell(Listed(self.scope, tuple(found)))

    def _is_wanted(self, obj: JsonObject, *, gone: bool = False) -> bool:
        metadata = obj.get("metadata")
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            return False
        if self._names:
            return metadata["name"] in self._names
        return gone or self._wanted is None or self._wanted(obj)


def common_version(versions: Sequence[str]) -> str:
    """The oldest of some resourceVersions, from which a watch shows what came after each of them.

    They are ordered as numbers (KEP-5504); "" where one is no number, or none is given.
    """
    numbers = [int(text) if text.isascii() and text.isdigit() else 0 for text in versions]
    return str(min(numbers)) if numbers and all(numbers) else ""
