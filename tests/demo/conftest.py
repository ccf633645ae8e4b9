from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.demo.ports import Port


@pytest.fixture
def port() -> Iterator[Port]:
    """A UDP port for one agent."""
    with Port.reserve() as reserved:
        yield reserved
