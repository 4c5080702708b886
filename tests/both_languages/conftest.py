"""Node with the pages' modules in it, for all tests of a process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.both_languages.replay import Replay, open_replay


@pytest.fixture(scope="session")
def living_replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Replay]]:
    """The one that there is; another one where it has ended with a test that failed."""
    with ExitStack() as stack:
        started: list[Replay] = []

        def find() -> Replay:
            if not started or not started[-1].is_alive:
                folder = tmp_path_factory.mktemp("replay")
                started.append(stack.enter_context(open_replay(folder)))
            return started[-1]

        yield find


@pytest.fixture(scope="module")
def replay(living_replay: Callable[[], Replay]) -> Replay:
    return living_replay()
