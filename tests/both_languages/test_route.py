"""What the relay says of a session waits for it, up to a bound, in both languages."""

from __future__ import annotations

import pytest

from imgsync.core.handshake.inputs import OwnEnd, PeerCame, RouteInput
from imgsync.core.protocol.numbers import MAX_INPUTS
from imgsync.peer.route import Route
from tests.both_languages.replay import Given, Replay


def tell(given: RouteInput) -> Given:
    match given:
        case PeerCame():
            return {"kind": "peerCame"}
        case OwnEnd(reason, detail):
            return {"kind": "ownEnd", "reason": reason.value, "detail": detail}
    raise AssertionError(given)


def nothing(*_: object) -> None:
    pass


@pytest.mark.parametrize("count", [0, MAX_INPUTS, MAX_INPUTS + 1, 2 * MAX_INPUTS])
def test_so_much_may_wait_for_a_session_and_no_more(replay: Replay, count: int) -> None:
    route = Route(
        *("s", "p", "P"),
        resumed=False,
        owner_unknown=False,
        post=nothing,
        end=nothing,
        take_up=nothing,
        probe=nothing,
        forget=nothing,
    )
    for _ in range(count):
        route.put(PeerCame())
    heard: list[Given] = []
    route.listen(lambda given: heard.append(tell(given)))
    assert len(heard) == (count if count <= MAX_INPUTS else 1)
    replay.compare("flooding", [count], [heard], count)
