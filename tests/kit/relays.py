"""A relay on a port of this machine, and peers that talk to it event by event."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import trio

from imgsync.core.protocol.errors import SocketClosed
from imgsync.net.connect import open_relay_socket
from imgsync.net.ports import open_port, port_of
from imgsync.net.websocket import WebSocket
from imgsync.relay.server import open_relay
from imgsync.relay.settings import Settings
from imgsync.relay.turn import IceOffer

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.5
"""Seconds for what must not wait for any of the real deadlines."""

STUN = IceOffer(stun=["stun:stun.example"])

PLAIN = Settings(ice=STUN)

Object = dict[str, Any]


def event(name: str, /, **content: object) -> str:
    return json.dumps({"event": name, "data": content})


def register(user: str, role: str, /, **content: object) -> str:
    return event("register", userId=user, role=role, package="webrtc", **content)


class Peer:
    """A socket to the relay that speaks in events."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket

    def post(self, name: str, /, **content: object) -> None:
        self.socket.post(event(name, **content))

    async def next(self, name: str) -> Object:
        """The next event, which has to be this one."""
        message = json.loads(await self.socket.receive())
        assert message["event"] == name, message
        content: Object = message["data"]
        return content

    async def wait_for(self, name: str) -> Object:
        """The next event of this name, whatever comes before."""
        while True:
            message = json.loads(await self.socket.receive())
            if message["event"] == name:
                content: Object = message["data"]
                return content

    async def wait_close(self) -> SocketClosed:
        """What closed the socket, whatever comes before."""
        try:
            while True:
                await self.socket.receive()
        except SocketClosed as exc:
            return exc

    async def says_nothing_more(self) -> bool:
        """Whether nothing waits here that was sent before the answer to a question asked now."""
        self.post("end_session", sessionId="asked for the answer")
        message = json.loads(await self.socket.receive())
        return bool(message["event"] == "error" and message["data"]["event"] == "end_session")


@asynccontextmanager
async def open_running_relay(
    settings: Settings = PLAIN, within: float = WITHIN
) -> AsyncIterator[int]:
    """Yields the port.

    :param within: seconds for all that is done with it.
    """
    with trio.fail_after(within):
        listeners = await open_port("127.0.0.1", 0)
        # The kernel would take megabytes for a peer that does not read.
        assert isinstance(listeners[0], trio.SocketListener)
        listeners[0].socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 64 * 1024)
        async with open_relay(listeners, settings):
            yield port_of(listeners)


@asynccontextmanager
async def open_peer(
    port: int, user: str = "", role: str = "client", **content: object
) -> AsyncIterator[Peer]:
    """A peer, registered if it has a name."""
    async with open_relay_socket(f"ws://127.0.0.1:{port}/ws") as socket:
        peer = Peer(socket)
        if user:
            socket.post(register(user, role, **content))
            await peer.next("registered")
        yield peer
