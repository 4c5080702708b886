"""Several windows of one user answer the same offer; the answer tells which of them it is."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from aioice import ice, stun
from aiortc import RTCSessionDescription
from OpenSSL import SSL

from imgsync.core.handshake.inputs import Opened
from imgsync.core.handshake.sdp import Description, parse_description
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.rtc.link import RtcLink, open_link
from tests.rtc.test_link import DEADLINE, LOOPBACK, End, Foreign, make_foreign

ROUNDS = 10


# ── a window that is nothing but a socket ────────────────────────────────────────────────────────


@attrs.frozen
class Window:
    """Checks an offerer's one address, under a user name fragment of its own."""

    socket: trio.socket.SocketType
    offer: Description
    ufrag: str = "loser"

    def check(self, key: str | None = None) -> bytes:
        """One check; with a wrong key it is no check of anybody."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self.offer.ufrag}:{self.ufrag}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLED"] = 1
        request.add_message_integrity((key or password_of(self.offer)).encode())
        return bytes(request)

    async def send(self, packet: bytes) -> None:
        words = self.offer.candidates[0].line.split()
        await self.socket.sendto(packet, (words[4], int(words[5])))

    async def read(self) -> stun.Message:
        """The next answer to a check; checks of the offerer's are passed over."""
        while True:
            message = stun.parse_message((await self.socket.recvfrom(2048))[0])
            if message.message_class is not stun.Class.REQUEST:
                return message


@asynccontextmanager
async def open_window(offer: Description, ufrag: str = "loser") -> AsyncIterator[Window]:
    with trio.socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        await sock.bind(("127.0.0.1", 0))
        yield Window(sock, offer, ufrag)


def password_of(description: Description) -> str:
    found = re.search(r"a=ice-pwd:(\S+)", description.sdp)
    assert found is not None
    return found[1]


def client_hello() -> bytes:
    context = SSL.Context(SSL.DTLS_METHOD)
    connection = SSL.Connection(context)
    connection.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(1500)


@asynccontextmanager
async def open_offer(bridge: Bridge) -> AsyncIterator[tuple[RtcLink, End, Description]]:
    async with open_link(bridge, (), LOOPBACK) as link:
        end = End(link)
        yield link, end, parse_description("offer", await link.make_offer())


async def answer_by(bridge: Bridge, foreign: Foreign, link: RtcLink, offer: Description) -> None:
    """The peer is the one whose answer is taken, and the channel opens."""
    sdp = await bridge.call(foreign.answer, with_candidates(offer))
    answer = parse_description("answer", sdp)
    await link.apply_answer(answer)
    for candidate in answer.candidates:
        link.add_candidate(candidate)


def with_candidates(offer: Description) -> str:
    return offer.sdp + "".join(f"a=candidate:{one.line}\r\n" for one in offer.candidates)


async def test_a_check_before_the_answer_waits_for_it_and_is_then_refused_or_answered() -> None:
    async with open_bridge() as bridge, open_offer(bridge) as (link, _, offer):
        foreign = await bridge.call(make_foreign)
        answer = await bridge.call(foreign.answer, with_candidates(offer))
        fragment = parse_description("answer", answer).ufrag
        async with open_window(offer) as loser, open_window(offer, fragment) as winner:
            with trio.fail_after(DEADLINE):
                for window in (loser, winner):
                    await window.send(window.check())
                    # Nobody's is refused at once, so that nothing was said to the one before.
                    nobody = window.check("x" * 22)
                    await window.send(nobody)
                    refused = await window.read()
                    assert refused.transaction_id == stun.parse_message(nobody).transaction_id
                await link.apply_answer(parse_description("answer", answer))
                assert (await winner.read()).message_class is stun.Class.RESPONSE
                assert (await loser.read()).error_code == 401
                await loser.send(loser.check())
                assert (await loser.read()).error_code == 401
        await bridge.call(foreign.pc.close)


async def test_a_dtls_handshake_from_an_address_that_no_check_came_from_disturbs_nothing() -> None:
    async with open_bridge() as bridge:
        for _ in range(ROUNDS):
            async with open_offer(bridge) as (link, end, offer), open_window(offer) as loser:
                foreign = await bridge.call(make_foreign)
                with trio.fail_after(DEADLINE):
                    await loser.send(loser.check())
                    await loser.send(client_hello())
                    await answer_by(bridge, foreign, link, offer)
                    await loser.send(client_hello())
                    await end.expect(Opened)
                    await loser.send(client_hello())
                    await bridge.call(foreign.pc.close)


# ── windows that are peers ───────────────────────────────────────────────────────────────────────


class Hasty(Foreign):
    """Begins with DTLS as soon as one check was answered, as Chromium does."""

    async def answer(self, offer: str) -> str:
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        assert self.pc.sctp is not None
        connection = self.pc.sctp.transport.transport._connection
        complete = connection.check_complete

        def check_complete(pair: ice.CandidatePair) -> None:
            pair.nominated = pair.state is ice.CandidatePair.State.SUCCEEDED
            complete(pair)

        connection.check_complete = check_complete  # type: ignore[method-assign]
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)


async def make_hasty() -> Hasty:
    return Hasty()


@pytest.mark.usefixtures("loopback_hosts")
async def test_of_two_windows_that_answer_the_one_whose_answer_comes_connects_each_time() -> None:
    async with open_bridge() as bridge:
        for _ in range(ROUNDS):
            async with open_offer(bridge) as (link, end, offer):
                loser, winner = [await bridge.call(make_hasty) for _ in range(2)]
                with trio.fail_after(DEADLINE):
                    await bridge.call(loser.answer, with_candidates(offer))
                    await answer_by(bridge, winner, link, offer)
                    await end.expect(Opened)
                    await bridge.call(loser.pc.close)
                    await bridge.call(winner.pc.close)
