"""What containers wrote: of a Pod, or of every Pod of a workload, once or as it comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.client import Client, status_of
from kapply.engine.health_facts import POD, selector_of
from kapply.engine.parallel import Stop
from kapply.errors import ApiError, KapplyError, UsageError, api_error
from kapply.meta import JsonObject, Replay, Request, Response, RESTMapping

#: Lines that wait for their reader while several logs are followed.
_KEPT_LINES = 1000
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log.

    Attributes:
        container: one container's; "" for the default one.
        all_containers: of every container, init containers too.
        follow: what comes later as well.
        previous: of the container's last run.
        tail: so many lines from the end; None for all.
        since_seconds: no older than that.
        since_time: RFC 3339; no older than that.
        timestamps: a time before each line.
        limit_bytes: at most so much.
    """

    container: str = ""
    all_containers: bool = False
    follow: bool = False
    previous: bool = False
    tail: int | None = None
    since_seconds: int | None = None
    since_time: str = ""
    timestamps: bool = False
    limit_bytes: int | None = None

    def query(self, container: str) -> tuple[tuple[str, str], ...]:
        """The query of GET pods/NAME/log (core/v1 PodLogOptions)."""
        pairs = (
            ("container", container),
            ("follow", "true" if self.follow else ""),
            ("previous", "true" if self.previous else ""),
            ("sinceSeconds", _text(self.since_seconds)),
            ("sinceTime", self.since_time),
            ("tailLines", _text(self.tail)),
            ("timestamps", "true" if self.timestamps else ""),
            ("limitBytes", _text(self.limit_bytes)),
        )
        return tuple(pair for pair in pairs if pair[1])


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


@dataclass(frozen=True, slots=True)
class Source:
    """One log: a container of a Pod."""

    namespace: str
    pod: str
    container: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    source: Source
    text: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """A log that could not be read, or not to its end."""

    source: Source
    error: KapplyError


def pods_of(client: Client, mapping: RESTMapping, name: str, namespace: str) -> list[JsonObject]:
    """The Pod, or the Pods that a workload or Service selects, by name.

    Raises:
        ApiError: it is not there.
        UsageError: it is nothing that has Pods.
    """
    obj = client.get(mapping, name, namespace)
    if mapping.gvk.group_kind == ("", "Pod"):
        return [obj]
    spec = obj.get("spec")
    selector = selector_of(obj)
    if mapping.gvk.kind in ("Service", "ReplicationController"):
        # These two have a plain map, where the others have matchLabels.
        plain = spec.get("selector") if isinstance(spec, dict) else None
        selector = selector_of({"spec": {"selector": {"matchLabels": plain}}})
        if not plain:
            raise UsageError(f"{mapping.gvk.kind} {name} selects no Pods")
    if selector.nothing or not isinstance(spec, dict) or "selector" not in spec:
        raise UsageError(
            f"{mapping.gvk.kind} {name} has no Pods of its own",
            hint="Logs are those of Pods, Deployments, StatefulSets, Jobs, Services and the like.",
        )
    return selected_pods(client, namespace, str(selector))


def selected_pods(client: Client, namespace: str, label_selector: str) -> list[JsonObject]:
    """The Pods of a namespace that a selector selects, by name. Raises ApiError."""
    pages = client.pages(POD, namespace, label_selector=label_selector)
    pods = [pod for page in pages for pod in page.items]
    return sorted(pods, key=lambda pod: str(_mapping(pod.get("metadata")).get("name")))


def sources_of(pod: JsonObject, options: LogOptions) -> list[Source]:
    """The logs of a Pod that are asked for.

    Raises:
        UsageError: it has no such container.
    """
    metadata, spec = _mapping(pod.get("metadata")), _mapping(pod.get("spec"))
    namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name") or "")
    init, main = _names(spec.get("initContainers")), _names(spec.get("containers"))
    every = [*init, *main, *_names(spec.get("ephemeralContainers"))]
    if options.all_containers:
        return [Source(namespace, name, container) for container in every]
    wanted = options.container
    if not wanted:
        noted = _mapping(metadata.get("annotations")).get(_DEFAULT_CONTAINER)
        wanted = str(noted) if noted in every else main[0] if main else ""
    if wanted not in every:
        raise UsageError(
            f"Pod {name} has no container {wanted!r}", hint=f"It has {', '.join(every) or 'none'}."
        )
    return [Source(namespace, name, wanted)]


def read_logs(
    client: Client, sources: Sequence[Source], options: LogOptions, stop: Stop
) -> Iterator[Line | Failed]:
    """Lines of all sources: one after the other, or as they come where they are followed.

    A log that cannot be read is a Failed, and the others go on.
    """
    if not options.follow or len(sources) <= 1:
        for source in sources:
            try:
                yield from _lines(client, source, options)
            except KapplyError as error:
                yield Failed(source, error)
        return
    arrived: queue.Queue[Line | Failed | None] = queue.Queue(_KEPT_LINES)

    def follow(source: Source) -> None:
        try:
            for line in _lines(client, source, options):
                arrived.put(line)
        except KapplyError as error:
            arrived.put(Failed(source, error))
        finally:
            arrived.put(None)

    for source in sources:
        threading.Thread(target=follow, args=(source,), daemon=True).start()
    running = len(sources)
    while running and not stop:
        try:
            found = arrived.get(timeout=0.5)
        except queue.Empty:
            continue
        if found is None:
            running -= 1
        else:
            yield found


def _lines(client: Client, source: Source, options: LogOptions) -> Iterator[Line]:
    path = POD.path(source.namespace, source.pod, "log")
    request = Request(
        "GET",
        path,
        options.query(source.container),
        {"Accept": "text/plain, */*"},
        replay=Replay.SAFE,
    )
    with client.transport.stream(request) as stream:
        if not 200 <= stream.status < 300:
            refused = Response(stream.status, stream.headers, stream.read(1 << 20))
            raise _explained(api_error(status_of(refused)))
        for text in stream.lines():
            yield Line(source, text)


def _explained(error: ApiError) -> ApiError:
    if error.code >= 500 and not error.hint:
        error.hint = "The log is on the Pod's node: the API server has to reach its kubelet."
    return error


def _names(containers: Any) -> list[str]:
    found = containers if isinstance(containers, list) else []
    return [str(one.get("name") or "") for one in found if isinstance(one, dict)]


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}
