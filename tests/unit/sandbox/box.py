"""A sandbox in memory, with a clock and identities that tests can foresee."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.request import Env
from kapply.sandbox.store import MEMORY, Store
from kapply.sandbox.watch import Watch

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


class Box:
    """A sandbox and a client of it."""

    def __init__(self, path: str = MEMORY) -> None:
        self.now = START
        numbers = itertools.count(1)
        letters: Iterator[str] = (f"{n:05d}" for n in itertools.count(1))
        self.env = Env(
            now=lambda: self.now,
            uid=lambda: f"00000000-0000-0000-0000-{next(numbers):012d}",
            suffix=lambda: next(letters),
            pick=lambda limit: 7 % limit,
        )
        self.store = Store(path, clock=lambda: self.now.timestamp())
        self.sandbox = Sandbox(self.store, self.env)

    def wait(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request; the body is bytes, or anything that JSON can hold."""
        answer = self.open(method, path, body, content_type=content_type, headers=headers)
        assert isinstance(answer, Response), "a watch: use open()"
        return answer

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Response | Watch:
        """One request, a watch perhaps."""
        path, _, query = path.partition("?")
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"User-Agent": "tester/1", "Content-Type": content_type, **(headers or {})}
        request = Request(
            method, path, tuple(parse_qsl(query, keep_blank_values=True)), given, data
        )
        return self.sandbox.handle(request)

    def watch(self, path: str) -> Watch:
        """A watch that was accepted."""
        answer = self.open("GET", path)
        assert isinstance(answer, Watch), answer
        return answer

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The decoded body of a request that must succeed."""
        answer = self.call(method, path, body, **options)
        assert answer.ok, answer.body
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The Status of a request that must fail."""
        answer = self.call(method, path, body, **options)
        assert not answer.ok, answer.body
        status = answer.json()
        assert status["kind"] == "Status"
        assert status["code"] == answer.status
        return status

    def apply(self, path: str, obj: Any, *, manager: str = "tester", **query: str) -> Any:
        """The object after a server-side apply."""
        more = "".join(f"&{k}={v}" for k, v in query.items())
        return self.ok("PATCH", f"{path}?fieldManager={manager}{more}", obj, content_type=APPLY)


def events(lines: list[bytes]) -> list[tuple[str, str]]:
    """(type, name) of watch lines."""
    found = [json.loads(line) for line in lines]
    return [(e["type"], e["object"].get("metadata", {}).get("name", "")) for e in found]


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data,
    }  # fmt: skip


def deployment(name: str, *, image: str = "nginx:1.27", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
            **spec,
        },
    }


def crd(
    kind: str = "Widget",
    *,
    schema: dict[str, Any] | None = None,
    versions: tuple[str, ...] = ("v1",),
    **version: Any,
) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    found = schema or {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {"size": {"type": "integer"}, "name": {"type": "string"}},
            },
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [
                {
                    "name": name,
                    "served": True,
                    "storage": position == 0,
                    "schema": {"openAPIV3Schema": found},
                    **version,
                }
                for position, name in enumerate(versions)
            ],
        },
    }
