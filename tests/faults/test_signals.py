"""Sessions whose signals come twice, in the wrong order, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imgsync.core.protocol.numbers import ANSWER_DEADLINES, LOST_AFTER
from tests.faults.signal_proxy import Repeated, Swapped, Thinned, Trouble, open_proxy
from tests.faults.stage import (
    HERE,
    RETURN_S,
    assert_true_account,
    end_session,
    kill_client,
    open_session,
    open_stage,
    show_next,
    tell,
    wait_return,
)
from tests.kit.side_by_side import side_by_side

LOAD_S = 2.0
"""Seconds beside those of the protocol, on a loaded machine."""

CONNECTED_S = sum(ANSWER_DEADLINES) + LOAD_S
"""Seconds to the first connection, where of an offer and its answer one may be lost, twice."""

REPAIRED_S = LOST_AFTER + CONNECTED_S
"""And to be missed, where the request for an offer is lost."""


async def connect_and_repair(
    make_trouble: Callable[[], Trouble], connected_s: float, repaired_s: float, what: str
) -> None:
    """A session comes about through the trouble, and is repaired through it."""
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        async with open_proxy(stage.url, make_trouble) as url:
            evaluator, client = await open_session(stage, url=url)
            [registered] = evaluator.all("registered")
            [connected] = evaluator.all("connected")
            await show_next(evaluator)

            await kill_client(evaluator, client)
            heir = await stage.start_client()
            again, took_s = await wait_return(heir, repaired_s)
            assert again["sentAt"] == client.all("image")[-1]["sentAt"]
            for _ in range(3):
                await show_next(evaluator)
            assert await end_session(evaluator) == 0
            assert (await heir.wait("ended"))["reason"] == "ended"
            assert assert_true_account(evaluator, client, heir) == (5, 0)
            connecting_s = (connected["seen"] - registered["seen"]) / 1000
            assert connecting_s <= connected_s
            tell(
                what,
                connected_after_s=connecting_s,
                image_after_return_s=took_s,
            )


@pytest.mark.parametrize("make_trouble", [Repeated, Swapped])
@side_by_side(5)
async def test_signals_that_come_twice_or_in_the_wrong_order_change_nothing(
    folder: Path, make_trouble: Callable[[], Trouble]
) -> None:
    await connect_and_repair(make_trouble, LOAD_S, RETURN_S, make_trouble.__name__)


@pytest.mark.parametrize("which", [0, 1, 2])
@side_by_side(20)
async def test_where_every_third_signal_is_lost_sessions_come_about_and_are_repaired(
    folder: Path, which: int
) -> None:
    thinned = Thinned(which)
    await connect_and_repair(
        lambda: thinned, CONNECTED_S, REPAIRED_S, f"every third signal lost, from the {which}th"
    )
    assert len(thinned.lost) == (thinned.passed + 2 - which) // 3
    assert thinned.lost
