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

from aiortc import RTCDataChannel, RTCPeerConnection
from harness import IMAGE
from stock import Line, accept_all, answer_offer, new_peer_connection
from worker import answer
from worker import read_commands_aio as read_commands

CHUNK = 16 << 10


class Show(Line):
    """What is shown and sent to one client."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.all_acked = asyncio.Event()
        self._waiting = 0
        self.channel.on("message", self._on_ack)

    def show(self) -> None:
        self._waiting += 1
        self.all_acked.clear()
        self.channel.send(json.dumps({"imageIndex": 0, **IMAGE, "sentAt": time.perf_counter()}))

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
    lines: list[Show] = []
    talking: asyncio.Task[None] | None = None
    async for command in read_commands():
        match command["do"]:
            case "offer":
                lines = [Show() for _ in range(command["count"])]
                answer([await line.offer() for line in lines])
            case "accept":
                await accept_all(lines, command["sdp"])
                answer({})
            case "talk":
                talking = asyncio.create_task(_talk(lines, command["every"]))
                answer({})
            case "send":
                picture = os.urandom(command["bytes"])
                answer({"at": time.monotonic(), "bytes": len(picture)})
                for line in lines:
                    line.send(picture, command["window"] or math.inf)
            case "hush":
                assert talking is not None
                talking.cancel()
                for line in lines:
                    await line.all_acked.wait()
                answer([time for line in lines for time in line.times])
                for line in lines:
                    line.times.clear()


async def _talk(lines: list[Show], every: float) -> None:
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
                    pc = new_peer_connection()
                    pcs.append(pc)
                    _take(pc, command["bytes"], is_acked=command["window"] is not None)
                    answers.append(await answer_offer(pc, sdp))
                answer(answers)


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
                answer({"at": time.monotonic()})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator"]:
            asyncio.run(evaluator())
        case ["client"]:
            asyncio.run(client())
        case _:
            sys.exit(__doc__)
