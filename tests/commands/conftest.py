"""A relay for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.kit.forks import shared_relay


@pytest.fixture(scope="module")
def relay_url() -> Iterator[str]:
    # A peer that was killed is given up soon, and one that floods is not held back.
    with shared_relay("--grace", "0.5", "--rate-limit", "0") as url:
        yield url
