"""A page looks at what comes of a picture in small parts, and lets others have their turn."""

from __future__ import annotations

from itertools import chain

import pytest

from tests.both_languages.replay import Replay

PART = 64 * 1024
TURN_MS = 4


@pytest.mark.parametrize("cost", [0.4, 1.5, 4.5])
@pytest.mark.parametrize(
    "sizes", [[2_000_000], [PART] * 30, [1, PART, PART + 1, 0, 2 * PART], [41_000_000 // 8]]
)
def test_none_of_a_pages_turns_is_long_however_much_comes_at_once(
    replay: Replay, sizes: list[int], cost: float
) -> None:
    [groups] = replay.run("inTurns", [[sizes, cost]])
    parts = list(chain.from_iterable(groups))
    assert sum(parts) == sum(sizes)
    assert max(parts) <= PART
    # The part that is over the time is still finished.
    assert max(map(len, groups)) * cost < TURN_MS + 2 * cost
    # And a turn is not given away for nothing.
    assert len(groups) <= len(parts) * cost / TURN_MS + 2
