from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.sandbox.box import Box


@pytest.fixture
def box() -> Iterator[Box]:
    found = Box()
    yield found
    found.sandbox.close()
