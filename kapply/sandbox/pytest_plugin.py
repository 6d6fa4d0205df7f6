"""A pytest plugin: the fixture `kapply_sandbox`, an API server of its own for each test.

    def test_my_manifests(kapply_sandbox):
        kapply_sandbox.apply(Path("deploy.yaml"))
        assert kapply_sandbox.get("/apis/apps/v1/namespaces/default/deployments/web")

    def test_my_operator(kapply_sandbox):
        run_operator(kubeconfig=kapply_sandbox.kubeconfig)  # over HTTP: pip install kapply[sandbox]

Nothing is imported before a test asks for the fixture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kapply.meta import Response
    from kapply.sandbox.serving import Served

__all__ = ["SandboxClient", "kapply_sandbox"]


class SandboxClient:
    """An API server with its state in a folder, called in the process or over HTTP.

    Args:
        folder: where the state and the kubeconfig go.
    """

    def __init__(self, folder: Path) -> None:
        from kapply.sandbox.transport import SandboxTransport

        self._data = folder / "kapply-sandbox.db"
        self._stack = ExitStack()
        self._served: Served | None = None
        self.transport = SandboxTransport(self._data)
        self._stack.callback(self.transport.close)

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig for other programs; the first use starts the HTTP server."""
        return self._listening().kubeconfig

    @property
    def url(self) -> str:
        """The address for other programs; the first use starts the HTTP server."""
        return self._listening().url

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
    ) -> Response:
        """One call in the process, answered whatever its status; the path may have a query."""
        from urllib.parse import parse_qsl

        from kapply.meta import Request

        place, _, query = path.partition("?")
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": content_type} if data else {}
        return self.transport.send(Request(method, place, pairs, headers, data))

    def get(self, path: str) -> dict[str, Any]:
        """What stands at a path. Raises AssertionError with the server's words otherwise."""
        return self._done(self.request("GET", path))

    def apply(
        self, manifests: Path | str | Mapping[str, Any], *, namespace: str = "default"
    ) -> list[dict[str, Any]]:
        """Apply (server-side, forced) a file, YAML text or one object; what the server made of it.

        Raises AssertionError with the server's words when it refuses one.
        """
        return [self._apply(obj, namespace) for obj in _objects(manifests)]

    def _apply(self, obj: Mapping[str, Any], namespace: str) -> dict[str, Any]:
        api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        group, _, version = api_version.rpartition("/")
        resource = self.transport.sandbox.registry().of_kind(group, version, kind)
        assert resource is not None, f"the sandbox has no kind {kind!r} in {api_version!r}"
        metadata = obj.get("metadata") or {}
        root = f"/apis/{api_version}" if group else f"/api/{api_version}"
        if resource.namespaced:
            root += f"/namespaces/{metadata.get('namespace') or namespace}"
        path = f"{root}/{resource.resource}/{metadata.get('name', '')}"
        return self._done(
            self.request(
                "PATCH",
                f"{path}?fieldManager=kapply-sandbox&force=true",
                obj,
                content_type="application/apply-patch+yaml",
            )
        )

    def close(self) -> None:
        """End the server; the state file stays."""
        self._stack.close()

    def _done(self, response: Response) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(response.body)
        assert response.status < 400, found.get("message", response.status)
        return found

    def _listening(self) -> Served:
        if self._served is None:
            from kapply.sandbox.serving import Plan, serving

            self._served = self._stack.enter_context(serving(Plan(self._data)))
        return self._served


def _objects(manifests: Path | str | Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if isinstance(manifests, Mapping):
        return [manifests]
    import yaml

    text = manifests.read_text() if isinstance(manifests, Path) else manifests
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [found for found in yaml.load_all(text, Loader=loader) if found]


@pytest.fixture
def kapply_sandbox(tmp_path: Path) -> Iterator[SandboxClient]:
    """An API server without controllers, new for this test: `SandboxClient`."""
    client = SandboxClient(tmp_path)
    yield client
    client.close()
