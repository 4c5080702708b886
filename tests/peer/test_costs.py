"""What a session and an image cost, counted: nothing of it depends on how fast the machine is.

Relay, evaluator and client are in this process, over the real network on loopback, and so are in
the counts together. System calls are those on sockets and selectors that Python code makes, and a
loop wakes up as often as it waits. What comes by a clock, such as a probe of the path, adds to what
happens to be counted then, so that the least of some rounds is what is held to the ceiling.

A ceiling is what was counted, and a tenth. Whoever makes it cheaper lowers it.
"""

from __future__ import annotations

import select
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Any, cast

import attrs
import trio

import imgsync
from imgsync.core.protocol.signalling import IceServer, Milliseconds
from imgsync.net.ports import open_port, port_of
from imgsync.peer.network import open_internet
from imgsync.relay.server import open_relay
from imgsync.seams import Link, Network, Socket

Counts = Counter[str]

IMAGE = imgsync.ImageRef(0, "http://127.0.0.1/image.png", "http://127.0.0.1/image.png")

SESSIONS = 5
BLOCKS = 12
IMAGES = 25  # in each block

A_SESSION = {
    "system calls": 620,
    "wake-ups": 265,
    "datagrams": 47,
    "messages": 29,
    "bytes": 5750,
}

AN_IMAGE = {
    "system calls": 46.5,
    "wake-ups": 19.0,
    "datagrams": 4.6,
    "messages": 2.4,
    "bytes": 245.0,
}


@attrs.frozen
class CountingSocket:
    """A socket to the relay; what is not here is the real one's."""

    socket: Socket
    counts: Counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)

    def post(self, text: str) -> None:
        count(self.counts, text)
        self.socket.post(text)

    async def receive(self) -> str | bytes:
        frame = await self.socket.receive()
        count(self.counts, frame)
        return frame


@attrs.frozen
class CountingLink:
    """A link; what is not here is the real one's."""

    link: Link
    counts: Counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self.link, name)

    def send(self, text: str) -> None:
        count(self.counts, text)
        self.link.send(text)

    def send_stamped(self, make: Callable[[Milliseconds], str]) -> None:
        def make_counted(at: Milliseconds) -> str:
            text = make(at)
            count(self.counts, text)
            return text

        self.link.send_stamped(make_counted)


@attrs.frozen
class CountingNetwork:
    """The real one."""

    network: Network
    counts: Counts

    @asynccontextmanager
    async def open_socket(self, url: str) -> AsyncIterator[Socket]:
        async with self.network.open_socket(url) as socket:
            yield cast("Socket", CountingSocket(socket, self.counts))

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[Link]:
        async with self.network.open_link(ice_servers) as link:
            yield cast("Link", CountingLink(link, self.counts))


def count(counts: Counts, message: str | bytes) -> None:
    counts["messages"] += 1
    counts["bytes"] += len(message)


@contextmanager
def counting_calls(counts: Counts) -> Iterator[None]:
    """On sockets and selectors, in this thread and in those that are started meanwhile."""

    def hear(_: FrameType, event: str, function: Any) -> None:
        owner = getattr(function, "__self__", None) if event == "c_call" else None
        if not isinstance(owner, (socket.socket, select.epoll)) or function.__name__ == "fileno":
            return
        counts["system calls"] += 1
        counts["wake-ups"] += function.__name__ == "poll"
        counts["datagrams"] += function.__name__ == "sendto"

    before = sys.getprofile()
    threading.setprofile(hear)
    sys.setprofile(hear)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(cast("Any", before))


@attrs.frozen
class Scene:
    """An evaluator, and a client that follows it.

    :param ended: is told when the client has left a session.
    """

    counts: Counts
    evaluator: imgsync.Evaluator
    ended: trio.MemoryReceiveChannel[None]

    async def have_session(self) -> Counts:
        """Of one image; what it cost."""
        before = self.counts.copy()
        async with self.evaluator.open_session("C") as session:
            await session.show(IMAGE)
        await self.ended.receive()
        return self.counts - before

    async def show_images(self) -> list[Counts]:
        """In one session; what each block of them cost."""
        found = []
        async with self.evaluator.open_session("C") as session:
            for _ in range(BLOCKS):
                before = self.counts.copy()
                for _ in range(IMAGES):
                    await session.show(IMAGE)
                found.append(self.counts - before)
        return found


@asynccontextmanager
async def open_scene() -> AsyncIterator[Scene]:
    counts: Counts = Counter()
    listeners = await open_port("127.0.0.1", 0)
    url = f"ws://127.0.0.1:{port_of(listeners)}/ws"
    ending, ended = trio.open_memory_channel[None](SESSIONS + 1)

    async def follow(client: imgsync.Client) -> None:
        async for session in client.sessions():
            async with session:
                async for _ in session.images():
                    pass
            ending.send_nowait(None)

    with counting_calls(counts):
        async with (
            open_relay(listeners),
            open_network(counts) as here,
            open_network(counts) as there,
            imgsync.open_client(url, user_id="C", network=there) as client,
            imgsync.open_evaluator(url, user_id="E", network=here) as evaluator,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(follow, client)
            yield Scene(counts, evaluator, ended)
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_network(counts: Counts) -> AsyncIterator[Network]:
    """With a thread of its own, which is counted."""
    async with open_internet(["127.0.0.1"]) as network:
        yield CountingNetwork(network, counts)


def over(
    rounds: Sequence[Counts], ceilings: Mapping[str, float], each: int = 1
) -> dict[str, float]:
    """What even the least of them has more of than it may have."""
    least = {what: min(one[what] for one in rounds) / each for what in ceilings}
    assert all(least.values()), least
    return {what: found for what, found in least.items() if found > ceilings[what]}


async def test_a_session_and_an_image_cost_no_more_than_they_did() -> None:
    with trio.fail_after(30):
        async with open_scene() as scene:
            sessions = [await scene.have_session() for _ in range(SESSIONS)]
            blocks = await scene.show_images()
    assert over(sessions, A_SESSION) == {}
    assert over(blocks, AN_IMAGE, IMAGES) == {}
