"""Probes and lifecycle hooks of containers."""

from __future__ import annotations

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object, items
from kapply.sandbox.checks.podfacts import PodFacts

_ONE_HANDLER = "may not specify more than 1 handler type"


def check_lifecycle(found: Found, path: str, lifecycle: Object | None, facts: PodFacts) -> None:
    """What runs after a container starts and before it stops."""
    for hook in ("postStart", "preStop"):
        if lifecycle and lifecycle.get(hook) is not None:
            check_handler(found, f"{path}.{hook}", lifecycle[hook], facts.grace)


def check_handler(found: Found, path: str, handler: Object, grace: int | None) -> None:
    """What a probe or hook does: exactly one of exec, httpGet, tcpSocket, grpc, sleep."""
    count = 0
    for kind in ("exec", "httpGet", "tcpSocket", "grpc", "sleep"):
        action = handler.get(kind)
        if action is None:
            continue
        where = f"{path}.{kind}"
        if count:
            found.forbidden(where, _ONE_HANDLER)
            continue
        count += 1
        if kind == "exec":
            if not action.get("command"):
                found.required(f"{where}.command")
        elif kind == "httpGet":
            _http_get(found, where, action)
        elif kind == "tcpSocket":
            found.port_or_name(f"{where}.port", action.get("port", 0))
        elif kind == "grpc":
            found.port(f"{where}.port", action.get("port") or 0)
        elif grace is not None and not 0 <= (action.get("seconds") or 0) <= grace:
            text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            found.invalid(where, action.get("seconds") or 0, text)
    if not count:
        found.required(path, "must specify a handler type")


def _http_get(found: Found, path: str, action: Object) -> None:
    if not action.get("path"):
        found.required(f"{path}.path")
    found.port_or_name(f"{path}.port", action.get("port", 0))
    found.one_of(f"{path}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in items(action, "httpHeaders"):
        name = header.get("name") or ""
        found.invalid(f"{path}.httpHeaders", name, *content.http_header_name(name))


def check_probes(found: Found, path: str, container: Object, facts: PodFacts) -> None:
    """The probes of a container."""
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(kind)
        if probe is None:
            continue
        where = f"{path}.{kind}"
        check_handler(found, where, probe, facts.grace)
        for name in (
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
            "failureThreshold",
        ):  # fmt: skip
            found.not_negative(f"{where}.{name}", probe.get(name))
        grace = probe.get("terminationGracePeriodSeconds")
        place = f"{where}.terminationGracePeriodSeconds"
        if grace is not None and grace <= 0:
            found.invalid(place, grace, "must be greater than 0")
        if kind == "readinessProbe":
            if grace is not None:
                found.invalid(place, grace, "must not be set for readinessProbes")
        elif probe.get("successThreshold") != 1:
            value = probe.get("successThreshold") or 0
            found.invalid(f"{where}.successThreshold", value, "must be 1")
