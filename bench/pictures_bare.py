"""The bare side of `pictures.py`: stock aiortc, asyncio, and no signalling but the lines of stdin.

    python bench/pictures_bare.py evaluator
    python bench/pictures_bare.py client

On `image-sync` messages like ours are acked; on `image-data`, whose data follows its opening, comes
what is sent, in chunks: all queued at once, or with so many bytes at most that are not acknowledged
by the other side. No checks, no hashes, no files.
"""

import asyncio
import json
import math
import os
import sys
import time
from typing import Any

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from harness import IMAGE
from worker import read_commands_aio as read_commands

Object = dict[str, Any]

CHUNK = 16 << 10


def _answer(content: Any) -> None:
    print(json.dumps(content), flush=True)


def _new_peer_connection() -> RTCPeerConnection:
    # No list at all would mean Google's STUN server, not none.
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


class Line:
    """A connection to one client."""

    def __init__(self) -> None:
        self.pc = _new_peer_connection()
        self.times: list[float] = []
        self.all_acked = asyncio.Event()
        self._waiting = 0
        self._talk = self.pc.createDataChannel("image-sync")
        self._talk.on("message", self._on_ack)
        self._opened = asyncio.Event()
        self._talk.on("open", self._opened.set)

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def accept(self, sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        await self._opened.wait()

    def show(self) -> None:
        self._waiting += 1
        self.all_acked.clear()
        self._talk.send(json.dumps({"imageIndex": 0, **IMAGE, "sentAt": time.perf_counter()}))

    def _on_ack(self, text: str) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self.all_acked.set()
        self.times.append((time.perf_counter() - json.loads(text)["sentAt"]) * 1000)

    def send(self, picture: bytes, window: float) -> None:
        """Open the channel, and send; what is not acknowledged stays below the window."""
        channel = self.pc.createDataChannel("image-data")
        sent = 0

        def go_on(acked: int) -> None:
            nonlocal sent
            while sent < len(picture) and sent - acked < window:
                channel.send(picture[sent : sent + CHUNK])
                sent += CHUNK

        channel.on("open", lambda: go_on(0))
        channel.on("message", lambda text: go_on(int(text)))


async def evaluator() -> None:
    """Obey commands until stdin ends."""
    lines: list[Line] = []
    talking: asyncio.Task[None] | None = None
    async for command in read_commands():
        match command["do"]:
            case "offer":
                lines = [Line() for _ in range(command["count"])]
                _answer([await line.offer() for line in lines])
            case "accept":
                await asyncio.gather(
                    *(line.accept(sdp) for line, sdp in zip(lines, command["sdp"], strict=True))
                )
                _answer({})
            case "talk":
                talking = asyncio.create_task(_talk(lines, command["every"]))
                _answer({})
            case "send":
                picture = os.urandom(command["bytes"])
                _answer({"at": time.monotonic(), "bytes": len(picture)})
                for line in lines:
                    line.send(picture, command["window"] or math.inf)
            case "hush":
                assert talking is not None
                talking.cancel()
                for line in lines:
                    await line.all_acked.wait()
                _answer([time for line in lines for time in line.times])
                for line in lines:
                    line.times.clear()


async def _talk(lines: list[Line], every: float) -> None:
    while True:
        for line in lines:
            line.show()
            await asyncio.sleep(every / len(lines))


async def client() -> None:
    """Answer offers, ack what is shown, take what comes; tell when so many bytes are there."""
    pcs = []
    async for command in read_commands():
        match command["do"]:
            case "answer":
                answers = []
                for sdp in command["sdp"]:
                    pc = _new_peer_connection()
                    pcs.append(pc)
                    _take(pc, command["bytes"], is_acked=command["window"] is not None)
                    await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
                    await pc.setLocalDescription(await pc.createAnswer())
                    answers.append(pc.localDescription.sdp)
                _answer(answers)


def _take(pc: RTCPeerConnection, size: int, *, is_acked: bool) -> None:
    got = bytearray()

    @pc.on("datachannel")
    def on_datachannel(channel: RTCDataChannel) -> None:
        @channel.on("message")
        def on_message(message: str | bytes) -> None:
            nonlocal got
            if isinstance(message, str):
                said = {"type": "ack", "sentAt": json.loads(message)["sentAt"]}
                channel.send(json.dumps({**said, "receivedAt": time.time() * 1000}))
                return
            got += message
            if is_acked:
                channel.send(str(len(got)))
            if len(got) == size:
                _answer({"at": time.monotonic()})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator"]:
            asyncio.run(evaluator())
        case ["client"]:
            asyncio.run(client())
        case _:
            sys.exit(__doc__)
