"""Fixtures of the fault tests: those that run side by side, and a quiet machine for the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.side_by_side import Running, open_running

# Asserts there are to say what they saw, as those in tests do.
pytest.register_assert_rewrite("tests.faults.stage", "tests.faults.hosts")


@pytest.fixture(scope="package")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    with open_running(request.session.items, tmp_path_factory.mktemp("faults")) as found:
        yield found


@pytest.fixture
def quiet(running: Running) -> None:
    """For tests that judge by milliseconds: nothing of ours runs beside them."""
    running.wait_all()
