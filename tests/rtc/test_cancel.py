"""Whenever a link is cancelled, nothing is left of it: no thread, socket or task on either loop.

Most cycles are cancelled at a random moment, in the stage that they are to be cancelled in.
"""

import asyncio
import math
import os
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from aioice import ice
from aiortc import RTCDtlsTransport

from imgsync.core.handshake.inputs import ChannelClosed, LinkLost
from imgsync.core.handshake.sdp import parse_description
from imgsync.core.protocol.signalling import IceServer
from imgsync.rtc import ice as our_ice
from imgsync.rtc import link as our_link
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.ice import Connection, IceSettings
from imgsync.rtc.link import RtcLink, open_link
from imgsync.seams import Received
from tests.rtc.test_link import (
    DEADLINE,
    LOOPBACK,
    End,
    both_opened,
    connect,
    describe,
    introduce,
    open_ends,
)
from tests.rtc.test_trickle import bind_dead_server

CYCLES = 40

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
"""Several, because aioice opens one socket after the other."""


@pytest.fixture(autouse=True)
def nothing_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What asks a STUN server has to be cancelled; it would be over before we had looked twice."""
    monkeypatch.setattr(our_ice, "GATHERING_DEADLINE", 600.0)


# ── what is there ────────────────────────────────────────────────────────────────────────────────


@attrs.frozen
class Census:
    threads: int
    descriptors: int
    loop_tasks: int
    trio_tasks: int

    def exceeds(self, other: "Census") -> bool:
        pairs = zip(attrs.astuple(self), attrs.astuple(other), strict=True)
        return any(mine > theirs for mine, theirs in pairs)


async def count_tasks() -> int:
    return len(asyncio.all_tasks())


def lasting_threads() -> list[str]:
    """Without the workers that Trio keeps for a while, and a loop up to its end."""
    names = (thread.name for thread in threading.enumerate())
    return [name for name in names if not name.startswith(("Trio thread", "asyncio_"))]


async def take_census(bridge: Bridge) -> Census:
    return Census(
        threads=len(lasting_threads()),
        descriptors=len(os.listdir("/dev/fd")),
        loop_tasks=await bridge.call(count_tasks),
        trio_tasks=trio.lowlevel.current_statistics().tasks_living,
    )


@asynccontextmanager
async def nothing_left(bridge: Bridge) -> AsyncIterator[None]:
    """Whatever the block starts is gone soon after it."""
    before = await take_census(bridge)
    yield
    with trio.move_on_after(DEADLINE / 2):
        while (await take_census(bridge)).exceeds(before):
            await bridge.call(asyncio.sleep, 0.001)
    after = await take_census(bridge)
    assert not after.exceeds(before), f"{before} became {after}: {await bridge.call(name_tasks)}"


async def name_tasks() -> list[str]:
    return [repr(task.get_coro()) for task in asyncio.all_tasks()]


# ── the stages of a handshake ────────────────────────────────────────────────────────────────────

Stage = Callable[[End, End], Awaitable[object]]


async def nothing(_: End, __: End) -> None:
    pass


async def make_offer(offerer: End, _: End) -> None:
    await offerer.link.make_offer()


async def make_answer(offerer: End, answerer: End) -> None:
    offer = parse_description("offer", await offerer.link.make_offer())
    await answerer.link.make_answer(offer)


async def exchange(offerer: End, answerer: End) -> None:
    for number in range(100):
        offerer.link.send(str(number))
        await answerer.expect(Received)


async def close_channel(offerer: End, _: End) -> None:
    for number in range(100):
        offerer.link.send(str(number) * 100)
    await offerer.link.close_channel()


async def close_link(offerer: End, _: End) -> None:
    await offerer.link.aclose()


async def describe_both(offerer: End, answerer: End) -> None:
    await describe(offerer.link, answerer.link)


STAGES: dict[str, tuple[Stage, Stage]] = {
    "before the offer": (nothing, make_offer),
    "during the answer": (nothing, make_answer),
    "between offer and applied answer": (nothing, describe_both),
    "between answer and open": (introduce, both_opened),
    "after open": (connect, exchange),
    "during the channel's close": (connect, close_channel),
}
"""What is done undisturbed, and what is cancelled."""


@pytest.mark.parametrize("stage", STAGES)
async def test_a_link_cancelled_in_any_stage_leaves_nothing(stage: str) -> None:
    prepare, work = STAGES[stage]
    random.seed(stage)
    cancelled = 0
    with bind_dead_server() as server:
        async with open_bridge() as bridge, nothing_left(bridge):

            async def cycle(servers: Sequence[IceServer], patience: float) -> tuple[float, bool]:
                """How long the work took, and whether it was cancelled."""
                async with open_ends(bridge, servers, ADDRESSES) as (offerer, answerer):
                    await prepare(offerer, answerer)
                    before = trio.current_time()
                    with trio.move_on_after(patience) as scope:
                        await work(offerer, answerer)
                    return trio.current_time() - before, scope.cancelled_caught

            with trio.fail_after(DEADLINE):
                undisturbed, _ = await cycle([], math.inf)
                for number in range(CYCLES):
                    servers = [server] * (number % 2)
                    took, was_cancelled = await cycle(servers, random.uniform(0, undisturbed))
                    cancelled += was_cancelled
                    if not was_cancelled:
                        # The first one may have been held up by what else the machine does.
                        undisturbed = min(undisturbed, took)
    assert cancelled >= CYCLES / 10


async def test_a_whole_life_cancelled_at_any_moment_leaves_nothing() -> None:
    async def live(bridge: Bridge) -> None:
        async with open_ends(bridge, (), ADDRESSES) as (offerer, answerer):
            await connect(offerer, answerer)
            await exchange(offerer, answerer)
            await close_channel(offerer, answerer)
            await close_link(offerer, answerer)

    random.seed(1)
    async with open_bridge() as bridge, nothing_left(bridge):
        with trio.fail_after(DEADLINE):
            undisturbed = trio.current_time()
            await live(bridge)
            undisturbed = trio.current_time() - undisturbed
            for _ in range(CYCLES):
                with trio.move_on_after(random.uniform(0, undisturbed)):
                    await live(bridge)


async def test_a_link_whose_owner_and_user_are_cancelled_together_leaves_nothing() -> None:
    # As in a session, where one task owns the link and another one negotiates.
    async def own(bridge: Bridge, task_status: trio.TaskStatus[RtcLink]) -> None:
        async with open_link(bridge, (), ADDRESSES) as link:
            task_status.started(link)
            await trio.sleep_forever()

    async def use(bridge: Bridge, patience: float) -> float:
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = before + patience
            link = await nursery.start(own, bridge)
            await link.make_offer()
            nursery.cancel_scope.cancel()
        return trio.current_time() - before

    random.seed(2)
    async with open_bridge() as bridge, nothing_left(bridge):
        with trio.fail_after(DEADLINE):
            undisturbed = await use(bridge, math.inf)
            for _ in range(5 * CYCLES):
                await use(bridge, random.uniform(0, undisturbed))


async def test_a_link_used_by_somebody_cancelled_after_it_was_closed_leaves_nothing() -> None:
    async with open_bridge() as bridge, nothing_left(bridge):
        with trio.CancelScope() as scope:
            async with open_link(bridge, (), ADDRESSES) as link:
                pass
            scope.cancel()
            await link.make_offer()
        assert scope.cancelled_caught


async def test_a_link_closed_while_it_describes_itself_leaves_nothing() -> None:
    async with open_bridge() as bridge, nothing_left(bridge):
        for _ in range(CYCLES):
            async with open_link(bridge, (), ADDRESSES) as link, trio.open_nursery() as nursery:
                nursery.start_soon(link.make_offer)
                await trio.testing.wait_all_tasks_blocked()
                await link.aclose()


async def test_a_bridge_with_a_link_is_left_without_a_thread_or_a_socket() -> None:
    async def live_briefly(server: IceServer) -> None:
        async with open_bridge() as bridge, open_ends(bridge, [server]) as ends:
            await connect(*ends)

    with bind_dead_server() as server:
        await live_briefly(server)
        threads, descriptors = threading.enumerate(), len(os.listdir("/dev/fd"))
        await live_briefly(server)
        assert set(threading.enumerate()) <= set(threads)
        assert len(os.listdir("/dev/fd")) <= descriptors


# ── a close is never half a close ────────────────────────────────────────────────────────────────


async def test_a_close_that_is_cancelled_is_done_all_the_same_and_a_later_one_returns() -> None:
    async with open_bridge() as bridge, nothing_left(bridge):
        for _ in range(CYCLES):
            async with open_ends(bridge) as (offerer, answerer):
                await connect(offerer, answerer)
                with trio.CancelScope() as scope:
                    scope.cancel()
                    await offerer.link.aclose()
                with trio.fail_after(DEADLINE):
                    await answerer.expect(LinkLost)
                    await offerer.link.aclose()


async def test_a_channel_whose_close_is_cancelled_half_way_closes_all_the_same() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        await connect(offerer, answerer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(offerer.link.close_channel)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        with trio.fail_after(DEADLINE):
            await answerer.expect(ChannelClosed)
            await offerer.link.close_channel()


async def test_a_link_closed_just_before_its_handshake_is_done_sends_nothing_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop = RTCDtlsTransport.stop

    async def stop_late(dtls: RTCDtlsTransport) -> None:
        changed = asyncio.Event()
        dtls.on("statechange", changed.set)
        while dtls.state in ("new", "connecting"):
            changed.clear()
            await changed.wait()
        await stop(dtls)

    monkeypatch.setattr(RTCDtlsTransport, "stop", stop_late)
    monkeypatch.setattr(our_link, "CLOSE_DEADLINE", DEADLINE)
    async with open_bridge() as bridge, open_ends(bridge) as ends:
        await introduce(*ends)
        with trio.fail_after(DEADLINE):
            async with trio.open_nursery() as nursery:
                for end in ends:
                    nursery.start_soon(end.link.aclose)
        assert await bridge.call(find_timers) == []


async def find_timers() -> list[asyncio.TimerHandle]:
    loop: Any = asyncio.get_running_loop()
    return [timer for timer in loop._scheduled if not timer.cancelled()]


async def make_connection(addresses: Sequence[str] = LOOPBACK) -> Connection:
    return Connection(IceSettings(addresses, lambda _: None), ice_controlling=True)


async def test_a_gathering_that_is_cancelled_after_any_step_leaves_no_socket() -> None:
    async def gather(steps: int) -> bool:
        connection = await make_connection(ADDRESSES)
        gathering = asyncio.create_task(connection.gather_candidates())
        for _ in range(steps):
            await asyncio.sleep(0)
        is_done = gathering.done()
        gathering.cancel()
        with suppress(asyncio.CancelledError):
            await gathering
        await connection.close()
        return is_done

    async with open_bridge() as bridge, nothing_left(bridge):
        steps = 0
        while not await bridge.call(gather, steps):
            steps += 1
    assert steps > len(ADDRESSES)


async def test_a_connection_that_is_closed_the_moment_it_is_made_leaves_no_task() -> None:
    async def close_at_once() -> None:
        connection = await make_connection()
        await connection.gather_candidates()
        connecting = asyncio.create_task(connection.connect())
        await asyncio.sleep(0)
        # What a check does when it has nominated the last pair.
        connection._check_list_state.put_nowait(ice.ICE_COMPLETED)
        connection._check_list_done = True
        await connection.close()
        with pytest.raises(ConnectionError):
            await connecting

    async with open_bridge() as bridge, nothing_left(bridge):
        await bridge.call(close_at_once)
