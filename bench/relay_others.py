"""The relays that `relay_cpu.py` measures beside ours, as one writes them in an afternoon.

    python bench/relay_others.py websockets|socketio

They know who has registered, and pass a signal on to whom it names. They say `listening on URL`,
and end when stdin does.
"""

import asyncio
import json
import os
import sys
import threading
from typing import Any


async def serve_websockets() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    peers: dict[str, ServerConnection] = {}

    async def handle(peer: ServerConnection) -> None:
        user = ""
        async for frame in peer:
            message = json.loads(frame)
            data = message["data"]
            if message["event"] == "register":
                user = data["userId"]
                peers[user] = peer
                await peer.send(json.dumps({"event": "registered", "data": {"userId": user}}))
            else:
                signal = {"fromUserId": user, "signal": data["signal"]}
                text = json.dumps({"event": "webrtc_signal", "data": signal})
                await peers[data["targetUserId"]].send(text)

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://127.0.0.1:{port}/ws", flush=True)
        await server.serve_forever()


def serve_socketio() -> None:
    import socketio
    import uvicorn

    relay = socketio.AsyncServer(async_mode="asgi")
    users: dict[str, str] = {}
    peers: dict[str, str] = {}

    @relay.event  # type: ignore[untyped-decorator]
    async def register(sid: str, data: dict[str, Any]) -> None:
        users[sid] = data["userId"]
        peers[data["userId"]] = sid
        await relay.emit("registered", {"userId": data["userId"]}, to=sid)

    @relay.event  # type: ignore[untyped-decorator]
    async def webrtc_signal(sid: str, data: dict[str, Any]) -> None:
        signal = {"fromUserId": users[sid], "signal": data["signal"]}
        await relay.emit("webrtc_signal", signal, to=peers[data["targetUserId"]])

    config = uvicorn.Config(socketio.ASGIApp(relay), port=0, log_level="error")
    listener = config.bind_socket()
    listener.listen()
    port = listener.getsockname()[1]
    print(f"listening on ws://127.0.0.1:{port}/socket.io/", flush=True)
    uvicorn.Server(config).run(sockets=[listener])


def end_with_stdin() -> None:
    """Without a word to the peers, who have gone."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_stdin, daemon=True).start()
    match sys.argv[1:]:
        case ["websockets"]:
            asyncio.run(serve_websockets())
        case ["socketio"]:
            serve_socketio()
        case _:
            sys.exit(__doc__)
