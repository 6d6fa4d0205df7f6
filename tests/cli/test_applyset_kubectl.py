"""Sets that kubectl made and kapply goes on with, and the other way round, on a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {0}\ndata:\n  k: v\n---\n"
ID = "applyset.kubernetes.io/id"
PART_OF = "applyset.kubernetes.io/part-of"
PREFIX = "applyset.kubernetes.io/"


class Shop:
    """One namespace, and both tools."""

    def __init__(self, server: TestCluster, namespace: str, folder: Path) -> None:
        self.kapply: Tool = kapply_tool(folder, server.kubeconfig)
        self.kubectl: Tool = kubectl_tool(folder, server.kubeconfig)
        self.kubectl.env["KUBECTL_APPLYSET"] = "true"
        self._server, self._namespace, self._folder = server, namespace, folder

    def maps(self, *names: str) -> Path:
        path = self._folder / "maps.yaml"
        path.write_text("".join(map(MAP.format, names)))
        return path

    def by_kubectl(self, *names: str, code: int = 0) -> str:
        words = ("apply", "-n", self._namespace, "--prune", "--applyset=shop")
        done = self.kubectl(*words, "-f", self.maps(*names))
        assert done.code == code, done.screen
        return done.screen

    def by_kapply(self, *names: str, code: int = 0, flags: tuple[str, ...] = ()) -> str:
        words = ("apply", "-n", self._namespace, "--prune", "--applyset=shop", *flags)
        done = self.kapply(*words, "-f", self.maps(*names))
        assert done.code == code, done.screen
        return done.screen

    def annotations(self) -> dict[str, str]:
        path = f"/api/v1/namespaces/{self._namespace}/secrets/shop"
        metadata = self._server.request("GET", path).ok()["metadata"]
        assert set(metadata["labels"]) == {ID}
        return {
            key.removeprefix(PREFIX): value
            for key, value in metadata["annotations"].items()
            if key.startswith(PREFIX)
        }

    def there(self) -> set[str]:
        path = f"/api/v1/namespaces/{self._namespace}/configmaps"
        items = self._server.request("GET", path).ok()["items"]
        return {
            item["metadata"]["name"]
            for item in items
            if PART_OF in item["metadata"].get("labels", ())
        }


@pytest.fixture
def shop(apiserver: TestCluster, api_namespace: str, tmp_path: Path) -> Shop:
    return Shop(apiserver, api_namespace, tmp_path)


def test_a_set_of_kubectl_is_taken_over_on_request_alone(shop: Shop) -> None:
    shop.by_kubectl("a", "b", "c")
    before = shop.annotations()
    assert "kept by kubectl/" in shop.by_kapply("a", "b", code=4)
    assert shop.annotations() == before
    assert shop.there() == {"a", "b", "c"}

    taken = shop.by_kapply("a", "b", flags=("--adopt-applyset", "--force-conflicts"))
    assert "configmap/c pruned" in taken
    assert shop.there() == {"a", "b"}
    after = shop.annotations()
    assert after.pop("tooling").startswith("kapply/")
    before.pop("tooling")
    # What kubectl writes, byte for byte.
    assert after == before == {"contains-group-kinds": "ConfigMap", "additional-namespaces": ""}
    # From now on without the flag; kubectl keeps its hands off.
    assert "configmap/b pruned" in shop.by_kapply("a")
    assert "managed by tooling" in shop.by_kubectl("a", code=1)


def test_kubectl_goes_on_with_a_set_that_was_handed_over(shop: Shop) -> None:
    shop.by_kapply("a", "b", "c")
    assert 'managed by tooling "kapply"' in shop.by_kubectl("a", "b", code=1)
    words = ("applyset", "handover", "shop", "--to", "kubectl/v1.37.1", "-n", shop._namespace)
    done = shop.kapply(*words)
    assert done.code == 0, done.screen
    told = shop.by_kubectl("a", "b")
    assert "configmap/c pruned" in told
    assert shop.there() == {"a", "b"}
    assert shop.annotations()["tooling"].startswith("kubectl/")
    assert "kept by kubectl/" in shop.by_kapply("a", code=4)


def test_both_find_the_same_members(shop: Shop) -> None:
    shop.by_kapply("a", "b")
    path = f"/api/v1/namespaces/{shop._namespace}/secrets/shop"
    made = shop._server.request("GET", path).ok()
    assert made["metadata"]["labels"][ID].startswith("applyset-")
    words = ("get", "cm", "-n", shop._namespace, "-o", "json")
    selector = ("-l", f"{PART_OF}={made['metadata']['labels'][ID]}")
    listed = json.loads(shop.kubectl(*words, *selector).out)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a", "b"]
