"""What evaluators are told of clients, through real sockets, where they read late."""

import json
from collections.abc import Callable

import pytest
import trio

from imgsync.net.limits import NetLimits
from imgsync.net.websocket import WebSocket
from imgsync.relay.settings import Settings
from tests.kit.relays import event, open_peer, open_running_relay, register
from tests.net.test_frames import TEXT, frame, open_raw

BIG = "x" * 60_000

SIGNALS = 100
"""So many of this size are more than kernels take, and what OUTBOX has room for."""

OUTBOX = 8 * 1024 * 1024


async def test_an_evaluator_that_has_not_read_is_told_of_a_client_once_it_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = trio.Event()
    await_room = WebSocket.await_room

    def note(socket: WebSocket, tell: Callable[[], None]) -> None:
        asked.set()
        await_room(socket, tell)

    monkeypatch.setattr(WebSocket, "await_room", note)
    settings = Settings(net=NetLimits(outbox_size=OUTBOX), rate_limit=0)
    async with (
        open_running_relay(settings) as port,
        open_peer(port, "carl") as carl,
        open_raw(port) as deaf,
    ):
        await deaf.upgrade()
        await deaf.send(frame(TEXT, register("eve", "evaluator").encode()))
        await deaf.send(frame(TEXT, event("start_session", clientId="carl").encode()))
        await carl.next("session_started")
        for _ in range(SIGNALS):
            carl.post("webrtc_signal", targetUserId="eve", signal=BIG)
            carl.post("dance")
            await carl.next("error")  # so that our own outbox never fills
        async with open_peer(port, "late"):
            await asked.wait()
            told = ""
            while told != "late":
                found = await deaf.read_frame()
                assert found is not None
                message = json.loads(found[1])
                if message["event"] == "presence":
                    told = message["data"]["userId"]
