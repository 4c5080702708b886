"""When a peer asks for new ICE servers because of one is the same in both languages."""

from __future__ import annotations

import math

from imgsync.core.handshake.causes import Cause, asks_anew
from imgsync.core.protocol.numbers import REFUSED_AGAIN
from tests.both_languages.replay import Replay

AGES = [-1.0, 0.0, REFUSED_AGAIN - 0.001, REFUSED_AGAIN, 1e9]


def test_old_credentials_that_are_refused_are_asked_for_anew(replay: Replay) -> None:
    given = [(cause, age) for cause in Cause for age in AGES]
    inputs = [[cause.value, age] for cause, age in given]
    replay.compare("asksAnew", inputs, [asks_anew(*one) for one in given], "causes")


def test_nothing_else_has_a_peer_ask() -> None:
    asking = {(cause, age) for cause in Cause for age in [*AGES, math.inf] if asks_anew(cause, age)}
    assert asking == {(Cause.TURN_UNAUTHORIZED, age) for age in (REFUSED_AGAIN, 1e9, math.inf)}
