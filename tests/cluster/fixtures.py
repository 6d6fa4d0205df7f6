"""pytest fixtures over the real API server; tests/conftest.py imports them for all tests.

- `apiserver`: a cluster of the session without controllers. Fast; nothing acts on objects.
- `cluster`: a cluster of the session with kube-controller-manager and a played kubelet.
- `api_namespace`, `namespace`: a fresh namespace on each, removed after the test.
- `cluster_factory`: make clusters of one's own (faults, flags), stopped after the test.

A test that asks for one of them is in the tier `full`. Without Go and without KAPPLY_TEST_ASSETS
it skips and says what to do; where CI=true it fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cluster.build import Assets, AssetsMissingError, find_assets
from tests.cluster.cluster import TestCluster

FIXTURES = frozenset(
    {"cluster_assets", "apiserver", "cluster", "api_namespace", "namespace", "cluster_factory"}
)

ClusterFactory = Callable[..., TestCluster]


def mark_full(items: list[pytest.Item]) -> None:
    """Put the tests that use a real API server into the tier `full`."""
    for item in items:
        # Those of the tier `long` stay out of `full`.
        if FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            continue
        if item.get_closest_marker("long") is None:
            item.add_marker(pytest.mark.full)


def must_not_skip() -> bool:
    """Whether a missing API server is a failure: in CI a skipped test would hide for good."""
    return os.environ.get("CI", "").lower() in ("true", "1")


@pytest.fixture(scope="session")
def cluster_assets(pytestconfig: pytest.Config) -> Assets:
    """The programs, built on first use (12 minutes, with progress past pytest's capture)."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with ExitStack() as stack:
        if capture is not None:
            stack.enter_context(capture.global_and_fixture_disabled())
        try:
            return find_assets()
        except AssetsMissingError as error:
            if must_not_skip():
                pytest.fail(str(error), pytrace=False)
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def apiserver(cluster_assets: Assets) -> Iterator[TestCluster]:
    """An API server without controllers, for the whole session. Leave no global objects behind."""
    with TestCluster(cluster_assets) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(cluster_assets: Assets) -> Iterator[TestCluster]:
    """A control plane with controllers and a played kubelet, for the whole session."""
    need_controllers(cluster_assets)
    with TestCluster(cluster_assets, controllers=True, kubelet=True) as running:
        yield running


@pytest.fixture
def api_namespace(apiserver: TestCluster) -> Iterator[str]:
    """A fresh namespace on `apiserver`."""
    name = apiserver.create_namespace()
    yield name
    apiserver.delete_namespace(name)


@pytest.fixture
def namespace(cluster: TestCluster) -> Iterator[str]:
    """A fresh namespace on `cluster`. Its removal is only begun: it would cost each test 5 s."""
    name = cluster.create_namespace()
    yield name
    cluster.delete_namespace(name)


@pytest.fixture
def cluster_factory(cluster_assets: Assets) -> Iterator[ClusterFactory]:
    """Start clusters with TestCluster's own arguments; they are stopped after the test."""
    with ExitStack() as stack:

        def make(**options: Any) -> TestCluster:
            if options.get("controllers"):
                need_controllers(cluster_assets)
            return stack.enter_context(TestCluster(cluster_assets, **options))

        yield make


def need_controllers(assets: Assets) -> None:
    """Skip (in CI fail) when the assets came without kube-controller-manager, as envtest's do."""
    if assets.kube_controller_manager is None:
        message = f"no kube-controller-manager beside {assets.kube_apiserver}"
        if must_not_skip():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
