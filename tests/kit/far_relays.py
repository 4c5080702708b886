"""An in-memory relay that is far away: each frame takes its time, on the autojump clock."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio

from imgsync.core.protocol.errors import SocketClosed
from imgsync.core.protocol.signalling import IceServer
from imgsync.tasks import open_background
from imgsync.testing import MemoryLink, MemoryNetwork, MemorySocket

ONE_WAY = 0.1
"""Seconds from a peer to the relay, or back. Nothing else takes any time."""


def without_early_offers(text: str) -> str:
    """A frame as whoever does not know of early offers says it."""
    frame = json.loads(text)
    features = frame["data"].get("features")
    if frame["event"] not in ("register", "registered") or features is None:
        return text
    frame["data"]["features"] = [name for name in features if name != "early_offer"]
    return json.dumps(frame)


class FarSocket:
    """One end of a connection to it; what was said and heard is kept, with when it got there."""

    def __init__(self, near: MemorySocket, network: FarNetwork) -> None:
        self._near = near
        self._network = network
        self._out, self._to_relay = trio.open_memory_channel[tuple[float, str]](math.inf)
        self._in, self._to_peer = trio.open_memory_channel[tuple[float, str | SocketClosed]](
            math.inf
        )
        #: Until then nothing of ours gets there.
        self.held_until = 0.0
        self.said: list[str] = []
        self.heard: list[str] = []

    def post(self, text: str) -> None:
        if not self._network.knows_early:
            text = without_early_offers(text)
        self.said.append(text)
        self._out.send_nowait((trio.current_time() + ONE_WAY, text))

    async def receive(self) -> str:
        due, text = await self._to_peer.receive()
        await trio.sleep_until(due)
        if isinstance(text, SocketClosed):
            raise text
        if not self._network.is_known_to_pass:
            text = without_early_offers(text)
        self.heard.append(text)
        return text

    def probe(self, deadline: float) -> None:
        """It is there."""

    async def carry_out(self) -> None:
        async for due, text in self._to_relay:
            await trio.sleep_until(max(due, self.held_until))
            self._near.post(text)

    async def carry_in(self) -> None:
        while True:
            try:
                text: str | SocketClosed = await self._near.receive()
            except SocketClosed as exc:
                text = exc
            due = trio.current_time() + (ONE_WAY if isinstance(text, str) else 0)
            self._in.send_nowait((due, text))
            if isinstance(text, SocketClosed):
                return


class FarNetwork(MemoryNetwork):
    """One for each peer of a test, all at the relay of the first.

    :param knows_early: whether the peer says that it takes an early offer.
    :param is_known_to_pass: whether the relay seems to it to pass them on.
    """

    def __init__(
        self,
        at: MemoryNetwork | None = None,
        *,
        knows_early: bool = True,
        is_known_to_pass: bool = True,
    ) -> None:
        super().__init__()
        if at is not None:
            self.relay, self.links = at.relay, at.links
        self.knows_early = knows_early
        self.is_known_to_pass = is_known_to_pass
        self.sockets: list[FarSocket] = []
        self.open_links = 0

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[FarSocket]:  # type: ignore[override]
        async with super().open_socket(url) as near, open_background() as nursery:
            socket = FarSocket(near, self)
            self.sockets.append(socket)
            nursery.start_soon(socket.carry_out)
            nursery.start_soon(socket.carry_in)
            yield socket

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[MemoryLink]:
        async with super().open_link(ice_servers) as link:
            self.open_links += 1
            try:
                yield link
            finally:
                self.open_links -= 1

    def said(self, *events: str) -> list[tuple[str, dict[str, Any]]]:
        """What this peer has said of these events, on all its sockets."""
        frames = [json.loads(text) for socket in self.sockets for text in socket.said]
        return [(f["event"], f["data"]) for f in frames if f["event"] in events]
