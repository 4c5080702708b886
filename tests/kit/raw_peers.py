"""A peer that is no more than a WebSocket, for what no peer of ours would say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from imgsync.net.connect import open_relay_socket
from imgsync.net.websocket import WebSocket
from tests.kit.processes import JSON, START_S


@attrs.frozen
class RawPeer:
    """Says what a test wants it to say, true or not."""

    socket: WebSocket
    user: str

    def say(self, event: str, **content: object) -> None:
        self.socket.post(json.dumps({"event": event, "data": content}))

    def signal(self, to: str, value: object) -> None:
        self.say("webrtc_signal", targetUserId=to, signal=value)

    async def wait_event(self, *events: str, seconds: float = START_S) -> JSON:
        """The next of these events; others are passed over."""
        with trio.fail_after(seconds):
            while True:
                message: JSON = json.loads(await self.socket.receive())
                if message["event"] in events:
                    content: JSON = message["data"]
                    return content

    async def wait_presence(self, user: str, state: str) -> None:
        while True:
            presence = await self.wait_event("presence")
            if presence["userId"] == user and presence["state"] == state:
                return

    async def start(self, client_id: str) -> str:
        """Start a session, and return its id."""
        self.say("start_session", clientId=client_id)
        started = await self.wait_event("session_started", "error")
        session_id: str = started["sessionId"]
        return session_id


@asynccontextmanager
async def open_raw(url: str, role: str, user: str) -> AsyncIterator[RawPeer]:
    async with open_relay_socket(url) as socket:
        peer = RawPeer(socket, user)
        peer.say("register", userId=user, role=role, package="webrtc")
        await peer.wait_event("registered")
        yield peer
