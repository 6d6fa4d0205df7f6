"""Wait until objects are healthy, by one watch per kind and namespace.

No verdict comes from the past: watches begin at the resourceVersion that a write returned, or
after a consistent list, and an object older than the written generation is not looked at.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime

from kapply.client import Client
from kapply.engine.diagnosis import Diagnosis
from kapply.engine.events import Event, HealthChanged, HealthTick, Warned
from kapply.engine.forensics import Examiner
from kapply.engine.health_facts import POD, REPLICA_SET, Facts
from kapply.engine.health_goals import GoalKind, combined, reached
from kapply.engine.health_judge import Judge, PodBook, pod_matters
from kapply.engine.health_model import BookScope, HealthResult, Item, Target, WaitOptions
from kapply.engine.health_watch import (
    Crashed,
    Listed,
    News,
    Restored,
    Scope,
    ScopeWatch,
    Seen,
    Trouble,
    common_version,
)
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import (
    EXIT_REFUSED,
    ApiError,
    KapplyError,
    UnauthorizedError,
    exit_code_of,
)
from kapply.kstatus import NOT_FOUND, Result, Status, unknown
from kapply.meta import JsonObject

#: Seconds between two looks at what changes with time alone, and at what asks to stop.
TICK = 0.1
REJUDGE = 1.0
#: With no time at all, each object is still looked at once: seconds for that.
FIRST_READ_SECONDS = 30.0
#: How many objects are examined closely when several are not healthy.
EXAMINED = 10


class HealthWaiter:
    """Waits for objects; `result` is whole when the iterator of `wait` ends.

    Args:
        client: the server.
        options: how to wait.
        stop: ends the wait early.
        crds: CustomResourceDefinitions of the input.
        clock, now: monotonic seconds, and the time with a time zone.
    """

    def __init__(
        self,
        client: Client,
        options: WaitOptions,
        stop: Stop,
        *,
        crds: Iterable[JsonObject] = (),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._options = options
        self._stop = stop
        self._clock = clock
        self._now = now
        self._facts = Facts(client, crds)
        self._judge = Judge(self._facts, now, options.rules)
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._watches: dict[Scope, ScopeWatch] = {}
        self._by_scope: dict[Scope, list[Item]] = {}
        self._books: dict[str, PodBook] = {}
        self._troubles: dict[Scope, KapplyError] = {}
        self._warned: set[str] = set()
        self._started = 0.0
        self.result = HealthResult(timeout=options.timeout)

    def wait(self, targets: Sequence[Target]) -> Iterator[Event]:
        """Events as they happen; at the end a Diagnosis of each object that is not healthy.

        Raises:
            TLSError, CredentialError, UnauthorizedError: there is no way back to the server.
        """
        self._started = self._clock()
        items = [Item.of(target) for target in targets]
        try:
            yield from self._at_first(items)
            self._open_watches(items)
            yield from self._until_done(items)
        finally:
            for watch in self._watches.values():
                watch.close()
            self.result.seconds = self._clock() - self._started
            self.result.signal = self._stop.signal
        yield from self._conclude(items)
        for watch in self._watches.values():
            watch.join(1.0)
        self.result.seconds = self._clock() - self._started
        self.result.signal = self._stop.signal

    # --- beginning ------------------------------------------------------------------------

    def _at_first(self, items: list[Item]) -> Iterator[Event]:
        """What can be said from what is known, without reading anything."""
        for item in items:
            obj = item.target.obj
            if obj is None:
                continue
            self._take(item, obj)
            result = self._verdict(item)
            # What was only read before this run's writes may have changed since, if it can.
            settled = item.target.written or "status" not in obj
            if settled or not self._options.controllers:
                yield from self._update(item, result)
            else:
                item.seen = False

    def _open_watches(self, items: list[Item]) -> None:
        for item in items:
            if not item.done:
                self._by_scope.setdefault(item.scope, []).append(item)
        for scope, members in self._by_scope.items():
            written = all(item.target.written for item in members)
            self._watch(
                ScopeWatch(
                    self._client,
                    scope,
                    self._news,
                    names=[item.name for item in members],
                    version=common_version([item.version for item in members]) if written else "",
                    # Whoever runs no controllers is this process itself: nothing changes soon.
                    poll=not self._options.controllers,
                )
            )

    def _watch(self, watch: ScopeWatch) -> None:
        self._watches[watch.scope] = watch
        watch.start()

    def _watch_pods(self, item: Item) -> None:
        """Follow the Pods of a workload that is not there yet, once for each namespace."""
        namespace = item.target.ref.namespace
        if namespace in self._books:
            return
        self._books[namespace] = PodBook()
        for mapping, wanted in ((POD, pod_matters(self._now)), (REPLICA_SET, None)):
            scope = BookScope(mapping, namespace)
            self._watch(ScopeWatch(self._client, scope, self._news, wanted=wanted))

    # --- the loop -------------------------------------------------------------------------

    def _until_done(self, items: list[Item]) -> Iterator[Event]:
        pending = [item for item in items if not item.done]
        once = self._options.timeout == 0
        deadline = self._started + (FIRST_READ_SECONDS if once else self._options.timeout)
        rejudge = self._clock() + REJUDGE
        for item in pending:
            if item.result is not None and item.has_pods:
                self._watch_pods(item)
        while pending and not self._stop:
            left = deadline - self._clock()
            if (left <= 0 or (once and all(i.seen for i in pending))) and self._news.empty():
                return
            touched = self._read_news(max(0.0, min(TICK, left)))
            yield from self._warnings()
            if self._clock() >= rejudge:
                rejudge = self._clock() + REJUDGE
                touched |= {item for item in pending if item.seen}
                yield HealthTick(self._clock() - self._started, len(pending), len(items))
            for item in items:
                if item in touched and not item.done:
                    yield from self._update(item, self._verdict(item))
            pending = [item for item in pending if not item.done]
            self._close_idle(pending)
            if any(item.failed for item in items) and self._news.empty():
                return

    def _read_news(self, seconds: float) -> set[Item]:
        """Take in what the watches saw, waiting at most so long; what it touches."""
        touched: set[Item] = set()
        try:
            touched |= self._take_news(self._news.get(timeout=seconds))
            # All of a burst at once: one verdict instead of many.
            for _ in range(1000):
                touched |= self._take_news(self._news.get_nowait())
        except queue.Empty:
            pass
        return touched

    def _take_news(self, news: News) -> set[Item]:
        if isinstance(news, Crashed):
            raise news.error
        scope = news.scope
        if isinstance(news, Trouble):
            return self._take_trouble(news)
        self._troubles.pop(scope, None)
        if isinstance(news, Restored):
            return set()
        if isinstance(scope, BookScope):
            return self._take_into_book(scope, news)
        members = self._by_scope.get(scope, [])
        if isinstance(news, Listed):
            found = {obj["metadata"]["name"]: obj for obj in news.objects}
            for item in members:
                self._take(item, found.get(item.name))
            return set(members)
        metadata = news.obj["metadata"]
        touched = {item for item in members if item.name == metadata.get("name")}
        for item in touched:
            self._take(item, None if news.gone else news.obj)
        return touched

    def _take_into_book(self, scope: Scope, news: Listed | Seen) -> set[Item]:
        book = self._books[scope.namespace]
        shelf = book.pods if scope.mapping is POD else book.replica_sets
        if isinstance(news, Listed):
            shelf.clear()
            shelf.update((str(obj["metadata"].get("uid")), obj) for obj in news.objects)
        elif news.gone:
            shelf.pop(str(news.obj["metadata"].get("uid")), None)
        else:
            shelf[str(news.obj["metadata"].get("uid"))] = news.obj
        return {
            item
            for members in self._by_scope.values()
            for item in members
            if item.target.ref.namespace == scope.namespace and item.has_pods
        }

    def _take_trouble(self, news: Trouble) -> set[Item]:
        if news.final:
            if not isinstance(news.error, ApiError) or isinstance(news.error, UnauthorizedError):
                raise news.error
            if isinstance(news.scope, BookScope):
                self._warned.add(
                    f"the failures of Pods are not seen: {news.error.message}",
                )
                return set()
            for item in self._by_scope.get(news.scope, []):
                item.seen = True
                item.result = unknown(news.error.message)
                self.result.codes.add(exit_code_of(news.error))
            self._troubles[news.scope] = news.error
            return set(self._by_scope.get(news.scope, []))
        if not self._troubles:
            self._warned.add(f"a watch broke off: {news.error.message}; trying again")
        self._troubles[news.scope] = news.error
        return set()

    def _warnings(self) -> Iterator[Event]:
        for text in sorted(self._warned):
            yield Warned(text)
        self._warned.clear()

    def _close_idle(self, pending: list[Item]) -> None:
        """End the watches of scopes that nothing is waited for in any more."""
        scopes = {item.scope for item in pending}
        namespaces = {i.target.ref.namespace for i in pending if i.has_pods}
        for scope, watch in self._watches.items():
            book = isinstance(scope, BookScope)
            if scope.namespace not in namespaces if book else scope not in scopes:
                watch.close()

    # --- one object -----------------------------------------------------------------------

    def _take(self, item: Item, obj: JsonObject | None) -> None:
        """Keep what is now known of an object, unless it is older than what was written."""
        item.seen = True
        if obj is None:
            item.obj = None
            return
        metadata = obj["metadata"]
        uid, generation = str(metadata.get("uid") or ""), metadata.get("generation")
        if isinstance(generation, int) and uid == item.uid and generation < item.generation:
            return
        item.uid = item.uid or uid
        if obj is item.target.obj and item.target.written and isinstance(generation, int):
            item.generation = generation
        item.obj = obj
        if obj.get("status"):
            self._facts.status_seen(item.target.mapping)

    def _verdict(self, item: Item) -> Result:
        mapping = item.target.mapping
        if item.result is not None and item.result.status is Status.UNKNOWN:
            return item.result
        book = self._books.get(item.target.ref.namespace) if item.has_pods else None
        results = [
            reached(
                goal,
                item.obj,
                first_uid=item.uid,
                judge=lambda obj: self._judge.verdict(mapping, obj, book),
            )
            for goal in self._options.goals
        ]
        return combined(results, any_goal=self._options.any_goal)

    def _update(self, item: Item, result: Result) -> Iterator[Event]:
        before, item.result = item.result, result
        seconds = self._clock() - self._started
        if result.status is Status.CURRENT:
            item.done = True
            self.result.ready.append((item.target.ref, seconds))
        elif result is NOT_FOUND and self._options.must_exist and before is None:
            item.done = True
            self.result.codes.add(EXIT_REFUSED)
        elif result.status in (Status.FAILED, Status.UNKNOWN):
            item.done = True
        elif not self._options.controllers and self._skips(item):
            item.done = True
            self.result.skipped.append(item.target.ref)
            return
        elif item.has_pods and self._by_scope:
            self._watch_pods(item)
        if before == result and not item.done:
            return
        yield HealthChanged(
            item.target.ref,
            result.status,
            result.message,
            result.note,
            seconds,
            item.target.origin,
            final=item.done,
        )

    def _skips(self, item: Item) -> bool:
        """Whether what is missing would be written by a controller, on a server that runs none."""
        if item.obj is None and any(g.kind is GoalKind.CREATE for g in self._options.goals):
            return False
        goals = self._options.goals
        waits = [goal.needs_controller for goal in goals]
        return all(waits) if self._options.any_goal else any(waits)

    # --- the end --------------------------------------------------------------------------

    def _conclude(self, items: list[Item]) -> Iterator[Event]:
        failed = [item for item in items if item.failed]
        pending = [item for item in items if not item.done]
        self.result.failed = [item.target.ref for item in failed]
        if self._stop.signal or failed:
            self.result.unfinished = [item.target.ref for item in pending]
        else:
            self.result.late = [item.target.ref for item in pending]
            for scope in {item.scope for item in pending} & self._troubles.keys():
                self.result.codes.add(exit_code_of(self._troubles[scope]))
        if self._stop.signal:
            return
        # Of what is not there, there is nothing to look at.
        culprits = [i for i in failed if i.result is not NOT_FOUND] if failed else pending
        examiner = Examiner(self._client, self._now)
        found: dict[int, Diagnosis] = {}
        for item, diagnosis in run_parallel(
            lambda item: self._examine(examiner, item),
            culprits[:EXAMINED],
            concurrency=self._options.concurrency,
            stop=self._stop,
        ):
            found[id(item)] = diagnosis
        for item in culprits:
            yield found.get(id(item)) or self._plain(item)

    def _examine(self, examiner: Examiner, item: Item) -> Diagnosis:
        trouble = self._troubles.get(item.scope)
        if trouble is not None or item.obj is None:
            return self._plain(item)
        assert item.result is not None
        return examiner.examine(
            item.target.mapping, item.target.ref, item.obj, item.result, item.target.origin
        )

    def _plain(self, item: Item) -> Diagnosis:
        result = item.result or unknown("it was not read")
        trouble = self._troubles.get(item.scope)
        cause = trouble.message if trouble else result.message
        if item.obj is None and item.seen and not trouble and result is NOT_FOUND:
            cause = "it is not there" if item.uid == "" else "it was deleted during the wait"
        ref = item.target.ref
        return Diagnosis(ref, result.status, result.message, cause, item.target.origin)
