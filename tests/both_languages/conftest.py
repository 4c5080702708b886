"""Node with the pages' modules in it, for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.both_languages.replay import Replay, open_replay


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    with open_replay(tmp_path_factory.mktemp("replay")) as found:
        yield found
