"""Sessions of real commands whose processes are stopped, and carried on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio

from tests.faults.stage import (
    EVERY_S,
    HERE,
    LOST_S,
    assert_true_account,
    assert_uninterrupted,
    make_series,
    now_ms,
    open_session,
    open_stage,
    tell,
)
from tests.kit.processes import Child
from tests.kit.side_by_side import side_by_side

SHORT_S, LONG_S = 6.0, 20.0
"""Seconds for which a process is stopped: longer than a heartbeat may be silent before the other
side is suspect; and so long that the other side has given the connection up, and the relay may
have."""

FLOW_S = 12.0
"""Seconds from the end of the stop to the first ack after it."""


async def stop_for_a_while(child: Child, seconds: float) -> tuple[float, float]:
    """When it was stopped and when it was let go on; one that never is could not be ended."""
    pid, stopped = child.process.pid, now_ms()
    os.kill(pid, signal.SIGSTOP)
    try:
        await trio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
    return stopped, now_ms()


@pytest.mark.parametrize("who", ["client", "evaluator", "relay"])
@side_by_side(38)
async def test_a_process_that_is_stopped_for_long_loses_no_image_without_a_word(
    folder: Path, who: str
) -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage, make_series(folder, 175), EVERY_S)
        of = {"client": client.child, "evaluator": evaluator.child, "relay": relay}
        stopped, going = await stop_for_a_while(of[who], LONG_S)
        first = await evaluator.wait("acked", since=going, seconds=FLOW_S)
        code = await evaluator.wait_exit(40)
        await client.wait("ended")
        acked, not_acked = assert_true_account(evaluator, client)
        assert code == 1  # nobody serves these images

        tell(
            f"{who} stopped: {evaluator.states} at the evaluator, {client.states} at the client",
            acks_after_s=(first["seen"] - going) / 1000,
            acked=acked,
            not_acked=not_acked,
        )
        if who == "relay":
            assert_uninterrupted(evaluator, client)
            assert not_acked == 0
        else:
            other = evaluator if who == "client" else client
            lost = await other.wait_state("interrupted", since=stopped)
            assert lost["at"] - stopped <= 1000 * LOST_S
            assert other.states[-1] == "resumed"


@pytest.mark.parametrize("who", ["client", "evaluator"])
@side_by_side(14)
async def test_a_process_that_is_stopped_for_a_moment_is_suspect_and_no_more(
    folder: Path, who: str
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage, make_series(folder, 45), EVERY_S)
        stopped, other = (client, evaluator) if who == "client" else (evaluator, client)
        _, going = await stop_for_a_while(stopped.child, SHORT_S)
        connected = await other.wait_state("connected", since=going, seconds=FLOW_S)
        assert await evaluator.wait_exit(40) == 1  # nobody serves these images
        await client.wait("ended")
        assert assert_true_account(evaluator, client) == (45, 0)
        assert other.states[:2] == ["suspect", "connected"]
        assert_uninterrupted(stopped, other)
        tell(f"{who} stopped for 6 s", connected_after_s=(connected["at"] - going) / 1000)
