"""Associations that the descriptions set up, and peers that know nothing of it."""

from __future__ import annotations

import asyncio
import re

import pytest
import trio

from imgsync.core.handshake.inputs import Opened
from imgsync.core.handshake.sdp import parse_description
from imgsync.rtc.association import FIRST_RTO
from imgsync.rtc.bridge import open_bridge
from imgsync.seams import Received
from tests.kit.associations import HALF_TRIP, Side, run_jumping, wire_up
from tests.kit.inits import CHROMIUM_INIT, NO_INITS
from tests.rtc.test_link import DEADLINE, End, describe, open_ends, pass_candidates
from tests.rtc.test_start import Wire, between_all, time_start

BOTH = (True, True)
LINE = re.compile("a=sctp-init:(.*)\r\n")


def agree(one: Side, other: Side) -> None:
    assert one.association is not None
    assert other.association is not None
    one.association.agree(other.association.init)
    other.association.agree(one.association.init)
    wire_up(one, other)


async def bring_image(offerer: Side, answerer: Side) -> float:
    """One that is written at once. When it came, s from the end of DTLS."""
    agree(offerer, answerer)
    offerer.open(["image"])
    await offerer.start()
    await answerer.start()
    await asyncio.sleep(10)
    [(text, at)] = answerer.came
    assert text == "image"
    return at


async def exchange(offerer: End, answerer: End) -> None:
    offerer.link.send("image")
    await answerer.expect(Opened)
    assert (await answerer.expect(Received)).text == "image"
    answerer.link.send("ack")
    assert (await offerer.expect(Received)).text == "ack"


def test_what_is_written_at_once_is_there_half_a_round_trip_after_dtls() -> None:
    async def check() -> None:
        offerer, answerer = Side("server"), Side("client")
        at = await bring_image(offerer, answerer)
        assert at == pytest.approx(HALF_TRIP)
        sent = {name for packet in offerer.wire.packets for name in packet}
        assert sent == {"DataChunk", "SackChunk"}

    run_jumping(check)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_lost_packet_costs_the_first_timeout(number: int) -> None:
    async def check() -> None:
        offerer, answerer = Side("server", loses=lambda one: one == number), Side("client")
        at = await bring_image(offerer, answerer)
        # What is acknowledged of the first begins the time anew (RFC 9260, section 6.3.2).
        assert at <= FIRST_RTO + 3 * HALF_TRIP + 0.001

    run_jumping(check)


def test_an_init_that_comes_all_the_same_changes_nothing() -> None:
    async def check() -> None:
        offerer, answerer, late = Side("server"), Side("client"), Side("client")
        agree(offerer, answerer)
        offerer.open(["image"])
        await offerer.start()
        await answerer.start()
        await asyncio.sleep(1)
        late.wire.far = offerer.wire
        await late.start()
        await asyncio.sleep(1)
        next(iter(offerer.sctp._data_channels.values())).send("more")
        await asyncio.sleep(1)
        assert [text for text, _ in answerer.came] == ["image", "more"]

    run_jumping(check)


async def test_the_first_message_is_there_after_three_round_trips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half_trip = 0.15
    with between_all(monkeypatch, Wire(half_trip)), trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, open_ends(bridge, snap=BOTH) as (offerer, answerer):
            took = await time_start(offerer, answerer)
    assert 3 <= took / (2 * half_trip) < 3.9


@pytest.mark.parametrize("snap", [(True, False), (False, True)])
async def test_a_side_that_does_without_gets_along_with_one_that_does_not(
    snap: tuple[bool, bool],
) -> None:
    async with open_bridge() as bridge, open_ends(bridge, snap=snap) as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            offer, answer = await describe(offerer.link, answerer.link)
            assert bool(offer.sctp_init) == snap[0]
            assert answer.sctp_init == b""  # it was not offered, or is not known
            pass_candidates(offerer, answerer, offer, answer)
            await offerer.expect(Opened)
            await exchange(offerer, answerer)


@pytest.mark.parametrize("what", ["the offer's", *NO_INITS])
async def test_an_answer_that_repeats_the_line_or_garbles_it_is_one_without(what: str) -> None:
    async with (
        open_bridge() as bridge,
        open_ends(bridge, snap=(True, False)) as (offerer, answerer),
    ):
        with trio.fail_after(DEADLINE):
            offer = parse_description("offer", await offerer.link.make_offer())
            made = await answerer.link.make_answer(offer)
            found = LINE.search(offer.sdp)
            assert found is not None
            init = NO_INITS.get(what, found[1])
            answer = parse_description("answer", f"{made}a=sctp-init:{init}\r\n")
            await offerer.link.apply_answer(answer)
            pass_candidates(offerer, answerer, offer, answer)
            await offerer.expect(Opened)
            await exchange(offerer, answerer)


async def test_both_keep_what_they_were_told_of_each_other() -> None:
    async with open_bridge() as bridge, open_ends(bridge, snap=BOTH) as (offerer, answerer):
        with trio.fail_after(DEADLINE):
            offer, answer = await describe(offerer.link, answerer.link)
            assert len({offer.sctp_init, answer.sctp_init, CHROMIUM_INIT.encode()}) == 3
            pass_candidates(offerer, answerer, offer, answer)
            await offerer.expect(Opened)
            await exchange(offerer, answerer)
            await offerer.link.close_channel()
