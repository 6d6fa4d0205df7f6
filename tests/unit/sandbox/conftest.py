from __future__ import annotations

from collections.abc import Iterator

import pytest

from kapply.sandbox.pytest_plugin import kapply_sandbox
from tests.unit.sandbox.box import Box

__all__ = ["box", "kapply_sandbox"]


@pytest.fixture
def box() -> Iterator[Box]:
    found = Box()
    yield found
    found.sandbox.close()
