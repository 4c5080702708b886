"""How an association starts: in how many round trips, and what each lost packet costs."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import trio
from aiortc.rtcsctptransport import DataChunk, InitAckChunk, InitChunk, RTCSctpTransport

from imgsync.core.handshake.inputs import LinkLost, Opened
from imgsync.core.handshake.packets import LARGEST, SMALLEST
from imgsync.rtc import association
from imgsync.rtc.association import FIRST_RTO
from imgsync.rtc.bridge import open_bridge
from imgsync.seams import Received
from tests.kit.associations import (
    HALF_TRIP,
    ROUND_TRIP,
    Side,
    chunks_of,
    lose_none,
    run_jumping,
    wire_up,
)
from tests.rtc.test_link import DEADLINE, introduce, open_ends

Loses = Callable[[int], bool]
LONG = 60.0

APART = HALF_TRIP - 0.001
"""Seconds that DTLS is done sooner at its server: its last words come right before what follows."""


def lose_one(lost: int) -> Loses:
    return lambda number: number == lost


async def start(offerer: Side, answerer: Side, *, apart: float = APART) -> None:
    """DTLS is done at its server first, and half a round trip later at its client."""
    wire_up(offerer, answerer)
    await offerer.start()
    await asyncio.sleep(apart)
    await answerer.start()


async def run_start(
    says: list[str],
    *,
    offerer: Side,
    answerer: Side,
    apart: float = APART,
    until: float = LONG,
) -> list[float]:
    """When each was there, from the end of DTLS at the server."""
    offerer.open(says)
    await start(offerer, answerer, apart=apart)
    await asyncio.sleep(until)
    assert [text for text, _ in answerer.came] == says
    return [at for _, at in answerer.came]


def test_what_is_written_at_once_is_there_after_one_round_trip_and_a_half() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        [at] = await run_start(["image"], offerer=offerer, answerer=answerer)
        assert at == pytest.approx(1.5 * ROUND_TRIP)
        first = next(one for one in offerer.wire.packets if one[0] == "CookieEchoChunk")
        assert first == ["CookieEchoChunk", "DataChunk", "DataChunk"]
        # Nothing follows that packet before it is answered.
        place = offerer.wire.packets.index(first)
        assert offerer.wire.packets[place + 1] != ["DataChunk"]
        assert offerer.lost == answerer.lost == []

    run_jumping(check)


@pytest.mark.parametrize("is_client_ours", [True, False])
def test_ours_gets_along_with_the_stock_association_on_either_side(is_client_ours: bool) -> None:
    async def check() -> None:
        offerer = Side("server", is_ours=not is_client_ours)
        answerer = Side("client", is_ours=is_client_ours)
        [at] = await run_start(["image"], offerer=offerer, answerer=answerer)
        assert at <= 1.5 * ROUND_TRIP + (2 * ROUND_TRIP if is_client_ours else 0.001)

    run_jumping(check)


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("number", range(1, 9))
def test_one_lost_packet_of_the_start_costs_the_first_timeout_at_most(
    side: str, number: int
) -> None:
    async def check() -> None:
        losses: dict[str, Loses] = {side: lose_one(number)}
        offerer = Side("server", loses=losses.get("server", lose_none))
        answerer = Side("client", loses=losses.get("client", lose_none))
        times = await run_start(["image", "image2"], offerer=offerer, answerer=answerer)
        assert times[-1] <= 1.5 * ROUND_TRIP + FIRST_RTO + 0.001
        assert offerer.is_established
        assert answerer.is_established

    run_jumping(check)


@pytest.mark.parametrize("lost", range(1, 5))
def test_two_lost_packets_in_a_row_are_made_up_for_too(lost: int) -> None:
    async def check() -> None:
        offerer = Side("server", loses=lambda number: number in (lost, lost + 1))
        answerer = Side("client")
        [at] = await run_start(["image"], offerer=offerer, answerer=answerer)
        assert at <= 1.5 * ROUND_TRIP + 2 * FIRST_RTO + 0.001

    run_jumping(check)


def test_a_large_first_packet_that_does_not_get_through_goes_again_in_small_ones() -> None:
    async def check() -> None:
        says = ["x" * 300, "y" * 300, "z" * 300]
        offerer, answerer = Side("server"), Side("client")
        offerer.wire._loses = lambda number: len(offerer.wire.raw[-1]) > SMALLEST
        times = await run_start(says, offerer=offerer, answerer=answerer)
        assert times[-1] <= 3 * ROUND_TRIP + FIRST_RTO + 0.001
        assert any(SMALLEST < len(one) <= LARGEST for one in offerer.wire.raw)

    run_jumping(check)


def test_what_finds_no_room_in_the_first_packet_comes_behind_it_in_order() -> None:
    async def check() -> None:
        says = [letter * 500 for letter in "abcd"]
        offerer, answerer = Side("server"), Side("client")
        times = await run_start(says, offerer=offerer, answerer=answerer)
        assert times[0] == pytest.approx(1.5 * ROUND_TRIP)
        assert times[-1] == pytest.approx(2.5 * ROUND_TRIP, abs=0.002)
        assert max(map(len, offerer.wire.raw)) <= LARGEST

    run_jumping(check)


def test_a_channel_that_may_be_out_of_order_waits_for_the_other_side() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        channel = offerer.open(["image"], ordered=False)
        await start(offerer, answerer)
        assert channel.readyState == "connecting"
        await asyncio.sleep(LONG)
        [(text, at)] = answerer.came
        assert text == "image"
        assert at == pytest.approx(2.5 * ROUND_TRIP, abs=0.002)

    run_jumping(check)


def test_a_later_channel_is_written_on_at_once() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        await run_start(["first"], offerer=offerer, answerer=answerer, until=1.0)
        before = asyncio.get_running_loop().time()
        offerer.open(["second"])
        await asyncio.sleep(LONG)
        text, at = answerer.came[-1]
        assert text == "second"
        assert at - before == pytest.approx(HALF_TRIP)

    run_jumping(check)


# ── late and repeated INITs ──────────────────────────────────────────────────────────────────────


def inits_of(side: Side) -> list[bytes]:
    return [raw for raw in side.wire.raw if isinstance(chunks_of(raw)[0], InitChunk)]


def state_of(sctp: RTCSctpTransport) -> tuple[Any, ...]:
    kept = cast(Any, sctp)
    names = "association_state last_received_tsn remote_verification_tag local_tsn ssthresh"
    names += " reconfig_response_seq inbound_streams_count outbound_streams_count"
    return tuple(getattr(kept, f"_{name}") for name in names.split())


def test_a_late_init_leaves_an_association_as_it_was() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        await run_start(["one", "two"], offerer=offerer, answerer=answerer, until=5.0)
        for near, far in ((offerer, answerer), (answerer, offerer)):
            before = state_of(near.sctp)
            near.wire.come(inits_of(far)[0])
            await asyncio.sleep(1.0)
            assert state_of(near.sctp) == before
            [answer] = chunks_of(near.wire.raw[-1])
            assert isinstance(answer, InitAckChunk)
            [init] = chunks_of(inits_of(near)[0])
            assert isinstance(init, InitChunk)
            # It is the answer that was given the first time.
            assert (answer.initiate_tag, answer.initial_tsn) == (
                init.initiate_tag,
                init.initial_tsn,
            )
        channel = next(iter(offerer.sctp._data_channels.values()))
        channel.send("three")
        await asyncio.sleep(1.0)
        assert answerer.came[-1][0] == "three"

    run_jumping(check)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.05, 0.08, 0.11, 0.16, 0.3, 2.0])
def test_an_init_that_comes_twice_disturbs_nothing_whenever_it_does(after: float) -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        offerer.open(["image"])
        await start(offerer, answerer)
        await asyncio.sleep(after)
        offerer.wire.come(inits_of(answerer)[0])
        answerer.wire.come(inits_of(offerer)[0])
        await asyncio.sleep(LONG)
        assert [text for text, _ in answerer.came] == ["image"]
        assert offerer.is_established
        assert answerer.is_established

    run_jumping(check)


def test_data_that_comes_before_any_cookie_is_dropped() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        wire_up(offerer, answerer)
        await answerer.start()
        early = DataChunk()
        early.user_data = b"early"
        await answerer.sctp._receive_chunk(early)
        assert answerer.wire.packets == [["InitChunk"]]
        offerer.open(["image"])
        await offerer.start()
        await asyncio.sleep(LONG)
        assert [text for text, _ in answerer.came] == ["image"]

    run_jumping(check)


# ── of a link ────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_said_at_once_arrives_though_the_channel_is_closed_behind_it() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            await introduce(offerer, answerer)
            await offerer.expect(Opened)
            offerer.link.send("last words")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(offerer.link.close_channel)
                await answerer.expect(Opened)
                assert (await answerer.expect(Received)).text == "last words"


async def test_a_link_without_an_association_is_lost_by_nobodys_will(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hear_nothing(self: RTCSctpTransport, data: bytes) -> None:
        pass

    monkeypatch.setattr(RTCSctpTransport, "_handle_data", hear_nothing)
    monkeypatch.setattr(association, "FIRST_RTO", 0.01)
    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            await introduce(offerer, answerer)
            await offerer.expect(Opened)
            lost = await offerer.expect(LinkLost)
    assert lost == LinkLost("the other side does not answer on SCTP", by_peer=False)


# ── an association that does not come about ──────────────────────────────────────────────────────


def test_one_that_is_not_answered_is_lost() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client", loses=lambda number: True)
        channel = offerer.open()
        await start(offerer, answerer)
        assert channel.readyState == "open"
        await asyncio.sleep(LONG)
        assert offerer.lost == ["the other side does not answer on SCTP"]
        assert offerer.association is not None
        assert offerer.association.is_settled.is_set()

    run_jumping(check)


def test_one_that_is_refused_is_lost_at_once() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        offerer.open()
        wire_up(offerer, answerer)
        await offerer.start()
        answerer.sctp._remote_port = 5000
        answerer.sctp._remote_verification_tag = offerer.sctp._local_verification_tag
        await answerer.sctp._abort()
        await asyncio.sleep(ROUND_TRIP)
        assert offerer.lost == ["the other side refuses the SCTP association"]

    run_jumping(check)
