"""Two SCTP associations of aiortc's on a wire of the test's own, in time that passes at once.

Time is that of the loop, which jumps to when something is due, so that seconds take milliseconds
and what happens is the same each time.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from unittest import mock

from aiortc import RTCDataChannel, RTCSctpTransport
from aiortc.rtcdatachannel import RTCDataChannelParameters
from aiortc.rtcsctptransport import Chunk, parse_packet

T = TypeVar("T")

ONE_WAY = 0.01

Loses = Callable[["Side", list[Chunk]], bool]
"""Whether a packet is lost: who sends it, and what is in it."""


class _NoWait(selectors.SelectSelector):
    """Has its loop's time go on by what it is asked to wait."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "nothing will ever happen again"
        self.now += timeout
        return super().select(0)


def run_at_once(main: Callable[[], Awaitable[T]]) -> T:
    """Run it on a loop whose time, and that of aiortc's measurements, passes at once."""
    selector = _NoWait()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]

    async def run() -> T:
        return await main()

    with mock.patch.object(time, "time", loop.time):
        try:
            return loop.run_until_complete(run())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.close()


class _Transport:
    """What aiortc takes for DTLS: hands what is sent to the other side, unless it is lost."""

    state = "connected"

    def __init__(self, side: Side, role: str) -> None:
        self._side = side
        self._role = role

    def _register_data_receiver(self, receiver: object) -> None: ...

    def _unregister_data_receiver(self, receiver: object) -> None: ...

    async def _send_data(self, data: bytes) -> None:
        self._side.carry(data)


class Side:
    """One end.

    :ivar sent: what was sent, lost or not, and when.
    :ivar came: the messages that came, and when.
    """

    def __init__(self, role: str, loses: Loses) -> None:
        self._loses = loses
        self._loop = asyncio.get_running_loop()
        self.sctp = RTCSctpTransport(_Transport(self, role))  # type: ignore[arg-type]
        self.sent: list[tuple[float, list[Chunk]]] = []
        self.came: list[tuple[float, Any]] = []
        self.other: Side = self
        self.channel: RTCDataChannel | None = None
        self.sctp.on("datachannel", self._listen)

    def _listen(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        channel.on("message", lambda text: self.came.append((self._loop.time(), text)))

    def open_channel(self) -> None:
        """One, which the other side takes."""
        self._listen(RTCDataChannel(self.sctp, RTCDataChannelParameters(label="any")))

    def say(self, text: str) -> None:
        assert self.channel is not None
        self.channel.send(text)

    def sent_since(self, begin: float, kind: type[Chunk]) -> list[tuple[float, Chunk]]:
        """When which chunks of this kind left."""
        return [
            (at, chunk)
            for at, chunks in self.sent
            for chunk in chunks
            if at >= begin and isinstance(chunk, kind)
        ]

    def carry(self, packet: bytes) -> None:
        chunks = parse_packet(packet)[3]
        self.sent.append((self._loop.time(), chunks))
        if not self._loses(self, chunks):
            self._loop.call_later(ONE_WAY, self.other._take, packet)

    def _take(self, packet: bytes) -> None:
        self._loop.create_task(self.sctp._handle_data(packet))


async def connect_sides(loses: Loses, adapt: Callable[[RTCSctpTransport], object]) -> list[Side]:
    """Two that have a channel, with all that goes with its opening behind them.

    :param adapt: done to each association before it begins.
    """
    near, far = Side("client", loses), Side("server", loses)
    near.other, far.other = far, near
    for side in (near, far):
        adapt(side.sctp)
    near.open_channel()
    for side in (near, far):
        await side.sctp.start(None, 5000)
    await asyncio.sleep(1)
    assert near.channel is not None
    assert (near.channel.readyState, far.channel is not None) == ("open", True)
    return [near, far]
