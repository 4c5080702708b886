"""Sessions of real commands whose processes are killed, stopped and started again.

Times that are asserted are what a user would see; run with -s, the tests tell what they were.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio

from tests.faults import (
    EVERY_S,
    LOST_S,
    RETURN_S,
    Stage,
    Witness,
    assert_none_is_late,
    assert_true_account,
    make_series,
    now_ms,
    open_stage,
    tell,
)
from tests.processes import SAMPLES

HERE = ("--ice-address", "127.0.0.1")

SHORT_STOP_S, STOP_S = 6.0, 10.0
"""Seconds for which a process is stopped: longer than a heartbeat may be silent before the other
side is suspect, and before it is lost."""

FLOW_S = 6.0
"""Seconds from the end of a fault to the first ack after it."""

BOTH_S = 10.0
"""Seconds in which a client that is started again is back where the relay was, too: the evaluator
tries that again after up to 7 seconds, if it takes long to return."""


async def open_session(
    stage: Stage, source: Path = SAMPLES, every: float | None = None
) -> tuple[Witness, Witness]:
    """An evaluator and a client in a session at the stage's relay, one image shown."""
    client = await stage.start_client()
    await client.wait("registered")
    evaluator = await stage.start_evaluator(source=source, every=every)
    await evaluator.wait("connected")
    if every is None:
        await evaluator.child.write("next\n")
    await evaluator.wait("acked")
    # Acked it is first, and told of then: who is killed in between could not say so any more.
    await client.wait("image")
    return evaluator, client


async def show_next(evaluator: Witness, seconds: float = 2.0) -> None:
    """Show one more image and see it acked."""
    since = now_ms()
    await evaluator.child.write("next\n")
    await evaluator.wait("acked", since=since, seconds=seconds)


async def end_session(evaluator: Witness) -> int:
    await evaluator.child.write("end\n")
    return await evaluator.wait_exit()


# ── the client ───────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_is_killed_is_missed_and_its_next_process_shows_the_current_image() -> (
    None
):
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        await show_next(evaluator)
        await client.wait("image", lambda line: line["imageIndex"] == 1)
        killed = await client.kill()
        interrupted = await evaluator.wait_state("interrupted", since=killed, seconds=LOST_S)

        started = now_ms()
        heir = await stage.start_client()
        again = await heir.wait("image", seconds=RETURN_S)
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        resumed = await evaluator.wait_state("resumed", since=started)
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await heir.wait("ended"))["reason"] == "ended"

        assert interrupted["reason"] == "connection_lost"
        assert_true_account(evaluator, client, heir)
        tell(
            "client killed",
            interrupted_after_s=(interrupted["at"] - killed) / 1000,
            resumed_after_start_s=(resumed["at"] - started) / 1000,
            image_after_start_s=(again["receivedAt"] - started) / 1000,
        )


async def test_a_client_that_is_started_again_at_once_does_not_wait_to_be_missed() -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        await client.kill()
        started = now_ms()
        heir = await stage.start_client()
        again = await heir.wait("image", seconds=RETURN_S)
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        assert evaluator.states == ["interrupted", "resumed"]
        assert_true_account(evaluator, client, heir)
        tell("client replaced", image_after_start_s=(again["receivedAt"] - started) / 1000)


# ── the relay ────────────────────────────────────────────────────────────────────────────────────


async def test_a_relay_that_is_killed_disturbs_no_image_and_its_next_process_serves_for_repair(
    tmp_path: Path,
) -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        source = make_series(tmp_path, 50)
        evaluator, client = await open_session(stage, source, EVERY_S)
        relay.process.kill()
        await relay.wait_exit()
        await trio.sleep(1)
        await stage.start_relay(port=stage.port)
        await trio.sleep(3)
        assert evaluator.states == client.states == []
        late = assert_none_is_late(client)
        assert evaluator.all("not_acked") == []

        await client.kill()
        started = now_ms()
        heir = await stage.start_client()
        again = await heir.wait("image", seconds=RETURN_S)
        await evaluator.wait("acked", since=again["seen"], seconds=RETURN_S)
        await evaluator.wait_exit(15)
        assert evaluator.states == ["interrupted", "resumed"]
        acked, not_acked = assert_true_account(evaluator, client, heir)
        tell(
            "relay killed and restarted, then the client",
            latest_ms=late,
            image_after_start_s=(again["receivedAt"] - started) / 1000,
            acked=acked,
            not_acked=not_acked,
        )


async def test_a_relay_and_a_client_that_are_killed_together_both_come_back_into_the_session() -> (
    None
):
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage)
        relay.process.kill()
        await client.kill()
        await relay.wait_exit()
        await stage.start_relay(port=stage.port)
        started = now_ms()
        heir = await stage.start_client()
        again = await heir.wait("image", seconds=BOTH_S)
        assert again["sentAt"] == client.all("image")[-1]["sentAt"]
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert_true_account(evaluator, client, heir)
        tell("relay and client", image_after_start_s=(again["receivedAt"] - started) / 1000)


async def test_a_session_whose_relay_is_gone_goes_on_and_ends_in_good_order() -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage)
        relay.process.kill()
        await relay.wait_exit()
        await show_next(evaluator)
        assert await end_session(evaluator) == 0
        assert (await client.wait("ended"))["reason"] == "ended"
        assert evaluator.states == client.states == []


# ── the evaluator ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_missed", [True, False])
async def test_an_evaluator_that_is_killed_can_start_anew_and_the_old_session_is_replaced(
    is_missed: bool,
) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage)
        killed = await evaluator.kill()
        if is_missed:
            lost = await client.wait_state("interrupted", since=killed, seconds=LOST_S)
            tell("evaluator killed", interrupted_after_s=(lost["at"] - killed) / 1000)

        started = now_ms()
        heir = await stage.start_evaluator(source=SAMPLES, every=None)
        await heir.wait("connected")
        [ended] = client.all("ended")
        assert ended["reason"] == "replaced"
        await show_next(heir)
        connected = heir.all("connected")[0]
        assert await end_session(heir) == 0
        await client.wait("ended", lambda line: line["sessionId"] == connected["sessionId"])
        assert len(client.all("image")) == 2
        assert connected["seen"] - started <= 1000 * RETURN_S
        tell("evaluator anew", connected_after_start_s=(connected["seen"] - started) / 1000)


# ── stopped, and carried on ──────────────────────────────────────────────────────────────────────


async def stop_for_a_while(process: trio.Process, seconds: float) -> tuple[float, float]:
    """When it was stopped and when it was let go on; one that never is could not be ended."""
    pid, stopped = process.pid, now_ms()
    os.kill(pid, signal.SIGSTOP)
    try:
        await trio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
    return stopped, now_ms()


async def test_a_process_that_is_stopped_for_seconds_loses_no_image_without_a_word(
    tmp_path: Path,
) -> None:
    # At the same time, as most of it is waiting.
    async with trio.open_nursery() as nursery:
        for number, who in enumerate(("client", "evaluator", "relay", "client", "evaluator")):
            folder = tmp_path / str(number)
            folder.mkdir()
            stop = stop_for_long if number < 3 else stop_for_a_moment
            nursery.start_soon(stop, who, folder)


async def stop_for_long(who: str, tmp_path: Path) -> None:
    async with open_stage(*HERE) as stage:
        relay = await stage.start_relay()
        evaluator, client = await open_session(stage, make_series(tmp_path, 70), EVERY_S)
        of = {"client": client.child, "evaluator": evaluator.child, "relay": relay}
        stopped, going = await stop_for_a_while(of[who].process, STOP_S)
        first = await evaluator.wait("acked", since=going, seconds=FLOW_S)
        code = await evaluator.wait_exit(15)
        await client.wait("ended")
        acked, not_acked = assert_true_account(evaluator, client)
        assert code == (0 if not_acked == 0 else 1)

        tell(
            f"{who} stopped: {evaluator.states} at the evaluator, {client.states} at the client",
            acks_after_s=(first["seen"] - going) / 1000,
            acked=acked,
            not_acked=not_acked,
        )
        if who == "relay":
            assert evaluator.states == client.states == []
            assert not_acked == 0
        else:
            other = evaluator if who == "client" else client
            assert other.states[0] == "suspect"
            assert other.states[-1] in ("resumed", "connected")
            assert other.all("state")[0]["at"] - stopped <= 1000 * LOST_S


async def stop_for_a_moment(who: str, tmp_path: Path) -> None:
    async with open_stage(*HERE) as stage:
        await stage.start_relay()
        evaluator, client = await open_session(stage, make_series(tmp_path, 45), EVERY_S)
        stopped, other = (client, evaluator) if who == "client" else (evaluator, client)
        _, going = await stop_for_a_while(stopped.child.process, SHORT_STOP_S)
        connected = await other.wait_state("connected", since=going, seconds=FLOW_S)
        assert await evaluator.wait_exit(15) == 0
        await client.wait("ended")
        assert assert_true_account(evaluator, client) == (45, 0)
        assert other.states == ["suspect", "connected"]
        assert stopped.states == []
        tell(f"{who} stopped for 6 s", connected_after_s=(connected["at"] - going) / 1000)
