"""An offer that waits for nothing: what it waits for later, both languages decide the same."""

from __future__ import annotations

import pytest

from imgsync.core.handshake import inputs as i
from imgsync.core.protocol.numbers import ANSWER_DEADLINES, CONNECT_DEADLINE
from tests.both_languages.replay import Replay
from tests.both_languages.test_handshake import OUR_OFFER, Step, compare, make, of, take, wait

EARLY: Step = i.Start(is_early=True), 0.0
BEGUN: Step = i.Begun(), 61.0

SCRIPTS: dict[str, list[Step]] = {
    "made by the time of the relay's answer": [EARLY, of(1, OUR_OFFER), wait(60.0), BEGUN],
    "made only after it": [EARLY, wait(60.0), BEGUN, of(1, OUR_OFFER, 62.0)],
    "never made": [EARLY, wait(60.0), BEGUN],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_waited_for_until_the_relay_has_answered(replay: Replay, name: str) -> None:
    waits = [wait(61.0 + seconds) for seconds in (ANSWER_DEADLINES[0] - 1, 8, CONNECT_DEADLINE)]
    steps = [*SCRIPTS[name], *waits]
    core = make(offers=True)
    found = [take(core, *step) for step in steps]
    kinds = [[output[0] for output in outputs] for outputs, *_ in found]
    begun = steps.index(BEGUN)
    assert kinds[0] == ["makeOffer"]
    assert all("discard" not in each for each in kinds[: begun + 2])
    assert kinds[-1] == ["ended"]
    compare(replay, steps, found, name, True)
