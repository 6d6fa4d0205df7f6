"""Fixtures for all tests, and the tier of those that need the real API server."""

from __future__ import annotations

import pytest

from tests.cluster.fixtures import (
    api_namespace,
    apiserver,
    cluster,
    cluster_assets,
    cluster_factory,
    mark_full,
    namespace,
)

__all__ = [
    "api_namespace",
    "apiserver",
    "cluster",
    "cluster_assets",
    "cluster_factory",
    "namespace",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Before pytest's own hook, which deselects by mark.
    mark_full(items)
