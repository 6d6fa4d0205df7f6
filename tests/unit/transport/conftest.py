"""Shared by the transport's tests."""

from __future__ import annotations

import pytest

from tests.unit.transport.pki import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()
