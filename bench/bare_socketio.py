"""The same as `bare.py` with python-socketio in the place of `websockets`, as its docs show it.

    python bench/bare_socketio.py relay [HOST]
    python bench/bare_socketio.py evaluator URL
    python bench/bare_socketio.py client URL

The server is aiohttp's. Peers go over a WebSocket from the first, which is what python-socketio is
quickest with.
"""

import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable

import socketio
from aiohttp import web
from bare import Object, Signalling, run_client, run_evaluator
from worker import read_commands_aio

EVENTS = ("registered", "session_started", "webrtc_signal")


class _Socket:
    """See `bare.Signalling`."""

    def __init__(self, client: socketio.AsyncClient) -> None:
        self._client = client
        self._came: dict[str, asyncio.Queue[Object]] = {event: asyncio.Queue() for event in EVENTS}
        for event, queue in self._came.items():
            client.on(event, queue.put_nowait)

    async def send(self, event: str, data: Object) -> None:
        await self._client.emit(event, data)

    async def receive(self, event: str) -> Object:
        return await self._came[event].get()


async def run_peer(url: str, run: Callable[[Signalling], Awaitable[None]]) -> None:
    """Connect, and be this peer."""
    client = socketio.AsyncClient()
    socket = _Socket(client)
    await client.connect(url, transports=["websocket"])
    try:
        await run(socket)
    finally:
        await client.disconnect()


async def relay(host: str) -> None:
    """Serve until stdin ends."""
    server = socketio.AsyncServer(async_mode="aiohttp")
    sids: dict[str, str] = {}
    users: dict[str, str] = {}

    async def on_register(sid: str, data: Object) -> None:
        users[sid] = data["userId"]
        sids[data["userId"]] = sid
        await server.emit("registered", {"userId": users[sid], "role": data["role"]}, to=sid)

    async def on_start_session(sid: str, data: Object) -> None:
        session, client, user = uuid.uuid4().hex, data["clientId"], users[sid]
        started = {"sessionId": session, "evaluatorId": user, "evaluatorName": user}
        await server.emit("session_started", started, to=sids[client])
        await server.emit("session_started", {"sessionId": session, "clientId": client}, to=sid)

    async def on_webrtc_signal(sid: str, data: Object) -> None:
        signal = {"fromUserId": users[sid], "signal": data["signal"]}
        await server.emit("webrtc_signal", signal, to=sids[data["targetUserId"]])

    server.on("register", on_register)
    server.on("start_session", on_start_session)
    server.on("webrtc_signal", on_webrtc_signal)
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"listening on http://{host}:{port}", flush=True)
    async for _ in read_commands_aio():
        pass
    await runner.cleanup()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["relay", *rest] if len(rest) <= 1:
            asyncio.run(relay(rest[0] if rest else "127.0.0.1"))
        case ["evaluator", url]:
            asyncio.run(run_peer(url, run_evaluator))
        case ["client", url]:
            asyncio.run(run_peer(url, run_client))
        case _:
            sys.exit(__doc__)
