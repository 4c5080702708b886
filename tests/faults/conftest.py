"""Fixtures of the fault tests: those that run side by side, and a quiet machine for the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.side_by_side import Running, open_running

# Asserts there are to say what they saw, as those in tests do.
pytest.register_assert_rewrite("tests.faults.stage", "tests.faults.hosts")

MAX_RUNNING = 14
"""Each is three processes, which do next to nothing once they run."""


@pytest.fixture(scope="package")
def running(
    request: pytest.FixtureRequest,
) -> Iterator[Running]:
    here = Path(__file__).parent
    items = [item for item in request.session.items if item.path.parent == here]
    with open_running(items, request, MAX_RUNNING) as found:
        yield found


@pytest.fixture
def quiet(running: Running) -> None:
    """For tests that judge by milliseconds: nothing of ours runs beside them."""
    running.wait_all()
