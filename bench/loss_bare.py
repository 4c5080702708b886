"""The bare side of `loss.py`: stock aiortc, asyncio, and no signalling but the lines of stdin.

    python bench/loss_bare.py evaluator
    python bench/loss_bare.py client

Messages like ours are acked, and nothing else is said. The evaluator obeys `talk`; see `loss.py`.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict

from aiortc import RTCDataChannel, RTCPeerConnection
from harness import IMAGE
from stock import Line, accept_all, answer_offer, new_peer_connection
from worker import Object, answer
from worker import read_commands_aio as read_commands


class Talk(Line):
    """What is shown to one client, and what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[float, float]] = []
        self.asked = 0
        self.end = ""
        self.channel.on("message", self._on_ack)
        self.channel.on("close", self._on_close)

    async def talk(self, pause: float, seconds: float) -> None:
        begin = time.monotonic()
        for number in range(round(seconds / pause)):
            await asyncio.sleep(begin + pause * number - time.monotonic())
            self.asked += 1
            if self.channel.readyState == "open":
                image = {"imageIndex": 0, **IMAGE, "sentAt": time.time() * 1000}
                self.channel.send(json.dumps(image))

    def _on_ack(self, text: str) -> None:
        ack = json.loads(text)
        there, back = ack["receivedAt"] - ack["sentAt"], time.time() * 1000 - ack["sentAt"]
        self.times.append((there, back))

    def _on_close(self) -> None:
        self.end = f"closed after {self.asked} images"


async def evaluator() -> None:
    """Obey commands until stdin ends."""
    lines: list[Talk] = []
    async for command in read_commands():
        match command["do"]:
            case "offer":
                lines = [Talk() for _ in range(command["count"])]
                answer([await line.offer() for line in lines])
            case "accept":
                await accept_all(lines, command["sdp"])
                answer({})
            case "talk":
                answer(await _talk(lines, command))


async def _talk(lines: list[Talk], command: Object) -> Object:
    every = command["every"]
    rates = [every[number % len(every)] for number in range(len(lines))]
    pairs = list(zip(lines, rates, strict=True))
    await asyncio.gather(*(line.talk(rate, command["seconds"]) for line, rate in pairs))
    await asyncio.sleep(command["patience"])
    found: dict[str, Object] = defaultdict(lambda: {"times": [], "asked": 0})
    for line, rate in pairs:
        found[f"{rate:g}"]["times"] += line.times
        found[f"{rate:g}"]["asked"] += line.asked
    return {"rates": found, "failures": [line.end for line in lines if line.end]}


async def client() -> None:
    """Answer offers, and ack what is shown."""
    pcs = []
    async for command in read_commands():
        answers = []
        for sdp in command["sdp"]:
            pc = new_peer_connection()
            pcs.append(pc)
            _take(pc)
            answers.append(await answer_offer(pc, sdp))
        answer(answers)


def _take(pc: RTCPeerConnection) -> None:
    @pc.on("datachannel")
    def on_datachannel(channel: RTCDataChannel) -> None:
        @channel.on("message")
        def on_message(text: str) -> None:
            said = {"type": "ack", "sentAt": json.loads(text)["sentAt"]}
            channel.send(json.dumps({**said, "receivedAt": time.time() * 1000}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["evaluator"]:
            asyncio.run(evaluator())
        case ["client"]:
            asyncio.run(client())
        case _:
            sys.exit(__doc__)
