"""From the offer to the first message, over sockets whose packets take their time or are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import trio
from aioice.stun import Message

from imgsync.core.handshake.inputs import Opened
from imgsync.rtc import ice as our_ice
from imgsync.rtc.association import FIRST_RTO
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.seams import Received
from tests.rtc.test_link import DEADLINE, End, introduce, open_ends

HALF_TRIP = 0.15

DTLS_AGAIN = 1.0
"""Seconds until OpenSSL sends again what is not answered (RFC 6347, section 4.2.4.1)."""

SLACK = 1.4
"""Seconds that a loaded machine may take beside; with the first timeout of stock it takes 3."""

Loses = Callable[[str, int], bool]


def lose_none(side: str, number: int) -> bool:
    return False


class Wire:
    """Between all sockets of this process.

    :param loses: of each pair of connections, in the order in which they were made, whether a
        packet is lost: by the side that sends it ("evaluator" or "client") and its number, from 1.
    """

    def __init__(self, half_trip: float, loses: Sequence[Loses] = ()) -> None:
        self._half_trip = half_trip
        self._loses = loses
        self.lost = 0
        #: How many packets each has sent, of either side in the order in which they began.
        self.sent: dict[str, dict[our_ice.Connection, int]] = {"evaluator": {}, "client": {}}

    def put(self, connection: our_ice.Connection, deliver: Callable[[], None]) -> None:
        """A packet leaves one."""
        side = "evaluator" if connection.ice_controlling else "client"
        counts = self.sent[side]
        counts[connection] = counts.get(connection, 0) + 1
        pair = list(counts).index(connection)
        loses = self._loses[pair] if pair < len(self._loses) else lose_none
        if loses(side, counts[connection]):
            self.lost += 1
        else:
            asyncio.get_running_loop().call_later(self._half_trip, deliver)


AT_LEAST = 9
"""Packets that each side sends until the first message is there."""

POSITIONS = [(side, number) for side in ("evaluator", "client") for number in range(1, 13)]


def lose_one(side: str, number: int) -> Loses:
    return lambda *one: one == (side, number)


@contextmanager
def between_all(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> Iterator[None]:
    """Have it between all sockets."""

    def put(sock: our_ice.Socket, packet: bytes, addr: tuple[str, int]) -> None:
        def deliver() -> None:
            if not sock.transport.is_closing():
                sock.transport.sendto(packet, addr)

        wire.put(sock.receiver, deliver)

    async def send_data(self: our_ice.Socket, data: bytes, addr: tuple[str, int]) -> None:
        put(self, data, addr)

    def send_stun(self: our_ice.Socket, message: Message, addr: tuple[str, int]) -> None:
        put(self, bytes(message), addr)

    with monkeypatch.context() as patch:
        patch.setattr(our_ice.Socket, "send_data", send_data)
        patch.setattr(our_ice.Socket, "send_stun", send_stun)
        yield


async def time_start(offerer: End, answerer: End) -> float:
    """Seconds from descriptions that have crossed to the first message."""
    await introduce(offerer, answerer)
    began = trio.current_time()
    await offerer.expect(Opened)
    offerer.link.send("image")
    await answerer.expect(Opened)
    assert (await answerer.expect(Received)).text == "image"
    return trio.current_time() - began


async def test_the_first_message_is_there_after_four_round_trips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with between_all(monkeypatch, Wire(HALF_TRIP)), trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, open_ends(bridge) as (offerer, answerer):
            took = await time_start(offerer, answerer)
    # One of ICE, two of DTLS but for its last half, and one and a half of SCTP.
    assert 4 <= took / (2 * HALF_TRIP) < 4.9


async def test_each_lost_packet_of_the_start_is_made_up_for_when_its_timer_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire(0.005, [lose_one(*one) for one in POSITIONS])
    times: list[float] = []

    async def start(bridge: Bridge) -> None:
        async with open_ends(bridge) as (offerer, answerer):
            times.append(await time_start(offerer, answerer))

    with between_all(monkeypatch, wire), trio.fail_after(DEADLINE):
        async with open_bridge() as bridge, trio.open_nursery() as nursery:
            for _ in POSITIONS:
                nursery.start_soon(start, bridge)
    assert wire.lost >= 2 * AT_LEAST
    assert max(times) < max(DTLS_AGAIN, FIRST_RTO) + SLACK
