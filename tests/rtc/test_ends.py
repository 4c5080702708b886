"""How a connection ends: closed by the other side on purpose, gone silent, or never made."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

import pytest
import trio
from aiortc import RTCDtlsTransport, RTCSctpTransport

from imgsync.core.handshake import consent
from imgsync.core.handshake.causes import Cause
from imgsync.core.handshake.inputs import ChannelClosed, Hindered, LinkLost, Opened
from imgsync.core.handshake.sdp import parse_description
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.link import open_link
from tests.kit.foreign import find_node_link
from tests.kit.processes import Child, open_child
from tests.kit.turn_servers import needs_coturn, open_coturn
from tests.rtc.test_link import DEADLINE, LOOPBACK, End, connect, introduce, open_ends

AT_ONCE = 0.1
"""Seconds in which an end that is said is heard."""

NOT_BY_CONSENT = 10.0
"""Seconds, on a loaded machine, that it takes at the most; consent expires after 30."""


@pytest.fixture
def quick_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent side is given up after a second or two, and not after half a minute."""
    monkeypatch.setattr(consent, "PERIOD", 0.05)
    monkeypatch.setattr(consent, "EXPIRES", 1.0)


def sctp_of(end: End) -> RTCSctpTransport:
    assert end.link._loop._pc is not None
    assert end.link._loop._pc.sctp is not None
    return end.link._loop._pc.sctp


async def fall_silent(end: End) -> None:
    """Run by `Bridge.call`; drop the sockets without a word."""
    await sctp_of(end).transport.transport.stop()


async def expect_lost(end: End, *, seconds: float = DEADLINE) -> bool:
    """Whether the link, which has to be lost next and once, was closed by the other side."""
    with trio.fail_after(seconds):
        lost = await end.expect(LinkLost)
    assert await end.read_rest() == []
    return lost.by_peer


# ── said by the other side ───────────────────────────────────────────────────────────────────────


async def test_a_connection_that_the_other_side_closes_is_known_at_once_as_its_doing() -> None:
    durations = []
    async with open_bridge() as bridge:
        for leaver in (0, 1) * 5:
            async with open_ends(bridge) as ends:
                await connect(*ends)
                before = trio.current_time()
                await ends[leaver].link.aclose()
                assert await expect_lost(ends[1 - leaver], seconds=NOT_BY_CONSENT)
                durations.append(trio.current_time() - before)
    assert median(durations) < AT_ONCE


@pytest.mark.parametrize("unsaid", ["SCTP's abort", "DTLS's close_notify"])
async def test_one_of_the_two_goodbyes_is_enough(
    unsaid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say_nothing(transport: object) -> None:
        """As if it had been lost on its way."""

    if unsaid == "SCTP's abort":
        monkeypatch.setattr(RTCSctpTransport, "_abort", say_nothing)
    else:
        monkeypatch.setattr(RTCDtlsTransport, "stop", say_nothing)
    async with open_bridge() as bridge, open_ends(bridge) as (stayer, leaver):
        await connect(stayer, leaver)
        await leaver.link.aclose()
        assert await expect_lost(stayer, seconds=NOT_BY_CONSENT)


async def test_a_channel_closed_first_is_no_lost_link() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (stayer, leaver):
        await connect(stayer, leaver)
        with trio.fail_after(DEADLINE):
            await leaver.link.close_channel()
            await stayer.expect(ChannelClosed)
        assert await stayer.read_rest() == []


# ── not said ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("quick_consent")
async def test_a_side_that_falls_silent_has_not_closed_the_connection() -> None:
    async with open_bridge() as bridge:
        for silent in (0, 1):
            async with open_ends(bridge) as ends:
                await connect(*ends)
                await bridge.call(fall_silent, ends[silent])
                assert not await expect_lost(ends[1 - silent])


async def test_a_side_that_loses_its_own_sockets_does_not_blame_the_other() -> None:
    async with open_bridge() as bridge, open_ends(bridge) as (near, far):
        await connect(near, far)
        await bridge.call(fall_silent, near)
        assert not await expect_lost(near)


@needs_coturn
async def test_a_turn_server_that_dies_is_not_the_other_sides_doing() -> None:
    async with (
        open_coturn() as coturn,
        open_bridge() as bridge,
        open_ends(bridge, [coturn.over("tcp")], relay_only=True) as ends,
    ):
        await connect(*ends)
        await coturn.kill()
        assert [await expect_lost(end) for end in ends] == [False, False]


# ── libwebrtc ────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_connected_to_node(bridge: Bridge) -> AsyncIterator[tuple[End, Child]]:
    """Our link as the offerer, with a channel to libwebrtc in Node."""
    async with (
        open_child("Node link", *find_node_link(), stdin=subprocess.PIPE) as child,
        open_link(bridge, (), LOOPBACK) as link,
    ):
        end = End(link)
        await child.write(json.dumps({"type": "offer", "sdp": await link.make_offer()}) + "\n")
        told = await child.wait_event("described")
        answer = parse_description("answer", told["sdp"])
        await link.apply_answer(answer)
        for candidate in answer.candidates:
            link.add_candidate(candidate)
        with trio.fail_after(DEADLINE):
            await end.expect(Opened)
        yield end, child


async def test_libwebrtc_that_closes_its_connection_is_known_at_once_to_have_done_so() -> None:
    async with open_bridge() as bridge, open_connected_to_node(bridge) as (end, child):
        await child.write("close\n")
        await child.wait_event("closed")
        assert await expect_lost(end, seconds=NOT_BY_CONSENT)


@pytest.mark.usefixtures("quick_consent")
async def test_libwebrtc_that_is_killed_has_not_closed_its_connection() -> None:
    async with open_bridge() as bridge, open_connected_to_node(bridge) as (end, child):
        child.process.kill()
        assert not await expect_lost(end)


async def test_a_certificate_that_the_description_does_not_name_is_told_as_dtls_refused() -> None:
    def of_another(sdp: str) -> str:
        return re.sub("(?m)^(a=fingerprint:sha-[0-9]+) ..", r"\1 00", sdp)

    async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
        await introduce(offerer, answerer, change_answer=of_another)
        with trio.fail_after(DEADLINE):
            assert (await offerer.expect(Hindered)).cause is Cause.DTLS_REFUSED
            assert not (await offerer.expect(LinkLost)).by_peer
