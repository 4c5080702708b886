"""Sessions of real commands whose processes are killed and started again.

Times that are asserted are what a user would see; run with -s, the tests tell what they were.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.stage import (
    HERE,
    LOST_S,
    RETURN_S,
    assert_true_account,
    assert_uninterrupted,
    end_session,
    kill_client,
    open_session,
    open_stage,
    show_next,
    tell,
    wait_return,
)
from tests.kit.processes import SAMPLES
from tests.kit.side_by_side import side_by_side

BOTH_S = 10.0
"""Seconds in which a client that is started again is back where the relay was, too: the evaluator
tries that again after up to 7 seconds, if it takes long to return."""


@side_by_side(11)
async def test_a_client_that_is_killed_is_missed_and_its_next_process_shows_the_current_image(
    folder: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        await show_next(evaluator)
        killed = await kill_client(evaluator, client)
        interrupted = await evaluator.wait_state("interrupted", since=killed, seconds=LOST_S)

        heir = await stage.start_client()
        again, took_s = await wait_return(heir)
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        await evaluator.wait_state("resumed", since=heir.started)
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await heir.wait("ended"))["reason"] == "ended"

        assert interrupted["reason"] == "connection_lost"
        assert_true_account(evaluator, client, heir)
        tell(
            "client killed",
            interrupted_after_s=(interrupted["at"] - killed) / 1000,
            image_after_return_s=took_s,
        )


@side_by_side(3)
async def test_a_client_that_is_started_again_at_once_does_not_wait_to_be_missed(
    folder: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        await client.kill()
        heir = await stage.start_client()
        again, took_s = await wait_return(heir)
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        assert evaluator.states[-2:] == ["interrupted", "resumed"]
        assert_true_account(evaluator, client, heir)
        tell("client replaced", image_after_return_s=took_s)


@side_by_side(3)
async def test_a_relay_and_a_client_that_are_killed_together_both_come_back_into_the_session(
    folder: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage)
        relay.process.kill()
        await client.kill()
        await relay.wait_exit()
        await stage.start_relay(port=stage.port)
        heir = await stage.start_client()
        again, took_s = await wait_return(heir, BOTH_S)
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert_true_account(evaluator, client, heir)
        tell("relay and client", image_after_return_s=took_s)


@side_by_side(2)
async def test_a_session_whose_relay_is_gone_goes_on_and_ends_in_good_order(folder: Path) -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage)
        relay.process.kill()
        await relay.wait_exit()
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await client.wait("ended"))["reason"] == "ended"
        assert_uninterrupted(evaluator, client)
        assert_true_account(evaluator, client)


@pytest.mark.parametrize("is_missed", [True, False])
@side_by_side(11)
async def test_an_evaluator_that_is_killed_can_start_anew_and_the_old_session_is_replaced(
    folder: Path, is_missed: bool
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        killed = await evaluator.kill()
        if is_missed:
            lost = await client.wait_state("interrupted", since=killed, seconds=LOST_S)
            tell("evaluator killed", interrupted_after_s=(lost["at"] - killed) / 1000)

        heir = await stage.start_evaluator(source=SAMPLES, every=None)
        registered = await heir.wait("registered")
        connected = await heir.wait("connected", seconds=RETURN_S)
        [ended] = client.all("ended")
        assert ended["reason"] == "replaced"
        await show_next(heir)
        assert await end_session(heir) == 0
        await client.wait("ended", lambda line: line["sessionId"] == connected["sessionId"])
        assert len(client.all("image")) == 2
        assert_true_account(heir, client)
        connecting_s = (connected["seen"] - registered["seen"]) / 1000
        tell("evaluator anew", connected_after_return_s=connecting_s)
