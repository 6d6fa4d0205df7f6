"""Fixtures for all tests, and the tier of those that need the real API server."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

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


# CI draws the same examples each time: what it says is about the change. Runs by hand look further.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dev")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Before pytest's own hook, which deselects by mark.
    mark_full(items)
