"""The peers of `soak.py`, which can say what they hold.

    python bench/soak_peer.py evaluator|client URL

They obey `{"do": ...}` on stdin: `measure`, and the evaluator `sessions`, which runs one session
after the other, as it says in `ways`. The harness bounds every wait.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import held
import trio
from soak_ways import USUAL
from worker import Object, answer, read_commands

import imgsync
from imgsync.core.handshake.inputs import LinkLost
from imgsync.core.handshake.sdp import Description
from imgsync.core.protocol.errors import SignallingLost, SocketClosed
from imgsync.core.protocol.signalling import CloseCode, IceServer
from imgsync.peer.network import Internet
from imgsync.rtc.bridge import Bridge, open_bridge
from imgsync.seams import Link, LinkEvent, Network, Socket

IMAGES = 3  # in each session
SESSION_WITHIN = 15.0  # s; a repair, or the way back to the relay, takes one
LOOK_AGAIN = 0.02  # s; between two attempts to start a session while the relay is lost

IMAGE_URL = "https://images.example.org/study-12/block-3/"
LEAVE = IMAGE_URL + "leave"  # has the client leave the session once it has acked this image


# What makes sessions end in unusual ways


class SoakNetwork:
    """The real network, with links and sockets that can be lost and steps that can be cancelled."""

    def __init__(self, network: Network, bridge: Bridge) -> None:
        self._network = network
        self.link: LosableLink | None = None
        self.socket: LosableSocket | None = None
        #: To the thread that links live in, which tell of what happens to them there alone.
        self.bridge = bridge
        #: What is cancelled when a link comes to this step.
        self.cancel_at: tuple[str, trio.CancelScope] | None = None

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[Socket]:
        async with self._network.open_socket(url) as socket:
            self.socket = LosableSocket(socket)
            yield cast("Socket", self.socket)

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[Link]:
        async with self._network.open_link(ice_servers) as link:
            self.link = LosableLink(link, self)
            yield cast("Link", self.link)

    def reach(self, step: str) -> None:
        if self.cancel_at is not None and self.cancel_at[0] == step:
            self.cancel_at[1].cancel()


class LosableLink:
    """A link; what is not here is the real one's."""

    def __init__(self, link: Link, network: SoakNetwork) -> None:
        self._link = link
        self._network = network
        self._tell: Callable[[LinkEvent], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)

    def listen(self, tell: Callable[[LinkEvent], None]) -> None:
        self._tell = tell
        self._link.listen(tell)

    async def make_offer(self, *, leads: bool = False) -> str:
        self._network.reach("offer")
        return await self._link.make_offer(leads=leads)

    async def apply_answer(self, answer: Description) -> None:
        self._network.reach("answer")
        await self._link.apply_answer(answer)

    def lose(self) -> None:
        assert self._tell is not None
        self._network.bridge.post(self._tell, LinkLost("lost on purpose"))


class LosableSocket:
    """A socket to the relay; what is not here is the real one's."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._waiting = trio.CancelScope()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    async def receive(self) -> str | bytes:
        with trio.CancelScope() as self._waiting:
            return await self._socket.receive()
        raise SocketClosed(CloseCode.ABNORMAL, "lost on purpose")

    def lose(self) -> None:
        self._waiting.cancel()


# The evaluator


async def evaluator(url: str) -> None:
    """Obey commands until stdin ends."""
    async with open_bridge() as bridge:
        network = SoakNetwork(Internet(bridge, (), relay_only=False, snap=True), bridge)
        async with imgsync.open_evaluator(url, user_id="e", network=network) as peer:
            async for command in read_commands():
                match command["do"]:
                    case "sessions":
                        times = [await _run_session(peer, network, way) for way in command["ways"]]
                        answer({"ms": [each for each in times if each is not None]})
                    case _:
                        answer(held.measure())


async def _run_session(peer: imgsync.Evaluator, network: SoakNetwork, way: str) -> Object | None:
    """One session; the ms of its parts if it is a usual one."""
    with trio.fail_after(SESSION_WITHIN):
        while True:
            try:
                match way.partition(" at "):
                    case "cancelled", _, step:
                        await _cancel_session(peer, network, step)
                        return None
                    case _:
                        return await _show_images(peer, network, way)
            except SignallingLost:  # by the session before; nothing of this one has begun
                await trio.sleep(LOOK_AGAIN)


async def _cancel_session(peer: imgsync.Evaluator, network: SoakNetwork, step: str) -> None:
    with trio.CancelScope() as scope:
        network.cancel_at = step, scope
        async with peer.open_session("c"):
            pass
    network.cancel_at = None
    assert scope.cancelled_caught


async def _show_images(peer: imgsync.Evaluator, network: SoakNetwork, way: str) -> Object | None:
    moments = [time.perf_counter()]
    async with peer.open_session("c") as session:
        moments.append(time.perf_counter())
        await session.show(_image(0))
        match way:
            case "client leaves":
                await session.show(_image(1, LEAVE))
                await session.wait_ended()
                return None
            case "link lost":
                assert network.link is not None
                network.link.lose()
            case "relay lost":
                assert network.socket is not None
                network.socket.lose()
        for index in range(1, IMAGES):
            await session.show(_image(index))
        moments.append(time.perf_counter())
    moments.append(time.perf_counter())
    if way != USUAL:
        return None
    parts = zip(("connect", "show", "end"), itertools.pairwise(moments), strict=True)
    return {name: (until - since) * 1000 for name, (since, until) in parts}


def _image(index: int, url: str | None = None) -> imgsync.ImageRef:
    url = url or f"{IMAGE_URL}{index}.png"
    return imgsync.ImageRef(index=index, name="a.png", image_url=url, signed_url=url)


# The client


async def client(url: str) -> None:
    """Follow sessions until stdin ends."""
    async with imgsync.open_client(url, user_id="c") as peer, trio.open_nursery() as nursery:
        nursery.start_soon(_follow, peer)
        async for _ in read_commands():
            answer(held.measure())
        nursery.cancel_scope.cancel()


async def _follow(peer: imgsync.Client) -> None:
    async for session in peer.sessions():
        async with session:
            async for image in session.images():
                if image.image_url == LEAVE:
                    break


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator", url]:
            trio.run(evaluator, url)
        case ["client", url]:
            trio.run(client, url)
        case _:
            sys.exit(__doc__)
