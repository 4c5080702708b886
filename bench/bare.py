"""The bare side of the benches: asyncio, `websockets` and stock aiortc, used as their docs show.

    python bench/bare.py relay [HOST]
    python bench/bare.py evaluator URL
    python bench/bare.py client URL

It speaks the same events and messages as imgsync and does nothing that the measured path doesn't
need: no resend, no reconnect, no grace time, no checks. Candidates are in the SDP, since aiortc
doesn't trickle. The commands on stdin are those of `ours.py`; the harness bounds every wait.
`bare_socketio.py` is the same over python-socketio.
"""

import asyncio
import json
import sys
import time
import uuid
from typing import Any, Protocol

from aiortc import RTCDataChannel, RTCSessionDescription
from stock import new_peer_connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from worker import answer, read_commands_aio

Object = dict[str, Any]


class Signalling(Protocol):
    """A peer's way to the relay."""

    async def send(self, event: str, data: Object) -> None: ...

    async def receive(self, event: str) -> Object:
        """The data of the next message that is an `event`."""


class _WebSocket:
    """See Signalling."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, event: str, data: Object) -> None:
        await _send(self._socket, event, data)

    async def receive(self, event: str) -> Object:
        while True:
            message: Object = json.loads(await self._socket.recv())
            if message["event"] == event:
                data: Object = message["data"]
                return data


async def _send(socket: ClientConnection | ServerConnection, event: str, data: Object) -> None:
    await socket.send(json.dumps({"event": event, "data": data}))


def now_ms() -> float:
    return time.time() * 1000


async def _register(signalling: Signalling, user: str, role: str) -> None:
    await signalling.send("register", {"userId": user, "role": role, "package": "webrtc"})
    await signalling.receive("registered")


# The relay


async def relay(host: str) -> None:
    """Serve until stdin ends."""
    sockets: dict[str, ServerConnection] = {}

    async def serve_peer(socket: ServerConnection) -> None:
        user = ""
        async for frame in socket:
            message = json.loads(frame)
            data = message["data"]
            match message["event"]:
                case "register":
                    user = data["userId"]
                    sockets[user] = socket
                    await _send(socket, "registered", {"userId": user, "role": data["role"]})
                case "start_session":
                    session, client = uuid.uuid4().hex, data["clientId"]
                    started = {"sessionId": session, "evaluatorId": user, "evaluatorName": user}
                    await _send(sockets[client], "session_started", started)
                    started = {"sessionId": session, "clientId": client}
                    await _send(socket, "session_started", started)
                case "webrtc_signal":
                    signal = {"fromUserId": user, "signal": data["signal"]}
                    await _send(sockets[data["targetUserId"]], "webrtc_signal", signal)

    # Uncompressed on both ends, as imgsync is: deflate would cost the bare side time.
    async with serve(serve_peer, host, 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"listening on ws://{host}:{port}/ws", flush=True)
        async for _ in read_commands_aio():
            pass


# The evaluator


class Evaluator:
    """One session at a time with the client `c`."""

    def __init__(self, signalling: Signalling) -> None:
        self._signalling = signalling
        self._current: Object = {}
        self._acked: asyncio.Future[None] | None = None

    async def open_session(self) -> None:
        """Start a session and see the handshake through up to the applied answer."""
        await self._signalling.send("start_session", {"clientId": "c"})
        await self._signalling.receive("session_started")
        self._pc = new_peer_connection()
        self._channel = self._pc.createDataChannel("image-sync", ordered=True)
        self._channel.on("open", self._send_current)
        self._channel.on("message", self._on_message)
        await self._pc.setLocalDescription(await self._pc.createOffer())
        offer = {"type": "offer", "sdp": self._pc.localDescription.sdp}
        await self._signalling.send("webrtc_signal", {"targetUserId": "c", "signal": offer})
        theirs = (await self._signalling.receive("webrtc_signal"))["signal"]
        await self._pc.setRemoteDescription(RTCSessionDescription(theirs["sdp"], theirs["type"]))

    async def show(self, index: int, image: Object) -> None:
        """Send the image, or leave it to the opening of the channel; returns when it is acked."""
        self._current = {"imageIndex": index, **image, "sentAt": now_ms()}
        self._acked = asyncio.get_running_loop().create_future()
        if self._channel.readyState == "open":
            self._send_current()
        await self._acked

    async def close_session(self) -> None:
        self._channel.close()
        await self._pc.close()

    def _send_current(self) -> None:
        if self._current:
            self._channel.send(json.dumps(self._current))

    def _on_message(self, text: str) -> None:
        message = json.loads(text)
        match message["type"]:
            case "ready":
                self._send_current()
            case "ack" if message["sentAt"] == self._current["sentAt"]:
                if self._acked is not None and not self._acked.done():
                    self._acked.set_result(None)


async def evaluator(url: str) -> None:
    """Obey commands until stdin ends."""
    async with connect(url, compression=None) as socket:
        await run_evaluator(_WebSocket(socket))


async def run_evaluator(signalling: Signalling) -> None:
    """Obey commands until stdin ends."""
    await _register(signalling, "e", "evaluator")
    peer = Evaluator(signalling)
    async for command in read_commands_aio():
        answer(await _obey(peer, command))


async def _obey(peer: Evaluator, command: Object) -> Object:
    match command["do"]:
        case "handshake":
            start = time.perf_counter()
            await peer.open_session()
            await peer.show(0, command["image"])
            took = (time.perf_counter() - start) * 1000
            await peer.close_session()
            return {"ms": took}
        case "open":
            await peer.open_session()
            await peer.show(0, command["image"])
        case "push":
            times = []
            for index in range(command["count"]):
                start = time.perf_counter()
                await peer.show(index, command["image"])
                times.append((time.perf_counter() - start) * 1000)
            return {"ms": times}
        case "close":
            await peer.close_session()
    return {}


# The client


async def client(url: str) -> None:
    """Answer offers and ack images until stdin ends."""
    async with connect(url, compression=None) as socket:
        await run_client(_WebSocket(socket))


async def run_client(signalling: Signalling) -> None:
    """Answer offers and ack images until stdin ends."""
    await _register(signalling, "c", "client")
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(_follow(signalling))
        async for _ in read_commands_aio():
            answer({})
        following.cancel()


async def _follow(signalling: Signalling) -> None:
    while True:
        data = await signalling.receive("webrtc_signal")
        signal = await _answer_offer(data["signal"])
        target = data["fromUserId"]
        await signalling.send("webrtc_signal", {"targetUserId": target, "signal": signal})


async def _answer_offer(offer: Object) -> Object:
    """Make the peer connection for this offer; it closes itself when the evaluator does."""
    pc = new_peer_connection()

    @pc.on("datachannel")
    def on_datachannel(channel: RTCDataChannel) -> None:
        @channel.on("message")
        def on_message(text: str) -> None:
            image = json.loads(text)
            ack = {"type": "ack", "sentAt": image["sentAt"], "receivedAt": now_ms()}
            channel.send(json.dumps(ack))

        channel.send(json.dumps({"type": "ready"}))

    @pc.on("connectionstatechange")
    async def on_connectionstatechange() -> None:
        if pc.connectionState == "failed":
            await pc.close()

    await pc.setRemoteDescription(RTCSessionDescription(offer["sdp"], offer["type"]))
    await pc.setLocalDescription(await pc.createAnswer())
    return {"type": "answer", "sdp": pc.localDescription.sdp}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["relay", *rest] if len(rest) <= 1:
            asyncio.run(relay(rest[0] if rest else "127.0.0.1"))
        case ["evaluator", url]:
            asyncio.run(evaluator(url))
        case ["client", url]:
            asyncio.run(client(url))
        case _:
            sys.exit(__doc__)
