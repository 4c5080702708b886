"""The peers of `relay_capacity.py` and `presence.py`: idle ones, ones that talk, one that stops
reading, and those of `crowd.py`.

    python bench/relay_load.py idle|talking|stalling|flapping|watching

They are made with `websockets`, uncompressed, and obey `{"do": ...}` on stdin; the harness bounds
every wait, and ends them with SIGTERM. All of them ping the relay as its peers do, and answer its
pings. Moments are seconds on the machine's one monotonic clock.
"""

import asyncio
import gc
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from crowd import Flapping, Watching, sleep_until
from websockets.asyncio.client import ClientConnection, connect
from worker import answer, read_commands_aio

Object = dict[str, Any]

PADDING = "x" * 550  # makes a signal of about 600 characters, as a candidate or a small answer is
TRAILING = 5.0  # s; for the last signals of a block to arrive

SMALL_BUFFER = 4096  # bytes; what the peer that does not read asks the kernel to take for it
FLOOD_SIGNAL = 16_000  # characters; large ones fill buffers at little cost for both ends
FLOOD_PAUSE = 0.001  # s; between two of them
TRICKLE_PAUSE = 0.1  # s; between two small signals, once the flood is over
FLOOD_WITHIN = 20.0  # s; for the relay to notice


async def _send(peer: ClientConnection, event: str, **data: Any) -> None:
    await peer.send(json.dumps({"event": event, "data": data}))


async def _receive(peer: ClientConnection, event: str) -> Object:
    """The data of the next frame that is an `event`."""
    while True:
        message = _parse(await peer.recv())
        if message["event"] == event:
            data: Object = message["data"]
            return data


def _parse(frame: str | bytes) -> Object:
    message: Object = json.loads(frame)
    if message["event"] == "error":
        raise RuntimeError(f"the relay says: {message['data']}")
    return message


async def _join(url: str, user: str, role: str, **options: Any) -> ClientConnection:
    """Connect and register."""
    peer = await connect(url, compression=None, ping_interval=15, ping_timeout=10, **options)
    features = ["presences"] if role == "evaluator" else []  # as our evaluators do
    await _send(peer, "register", userId=user, role=role, package="webrtc", features=features)
    await _receive(peer, "registered")
    return peer


# Idle ones


class Idle:
    """Clients that have registered and say nothing more, until they leave without a word."""

    def __init__(self) -> None:
        self._peers: list[ClientConnection] = []
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def obey(self, command: Object) -> Object:
        match command["do"]:
            case "come and go":
                await self._come_and_go(command["url"], command["count"], command["at_once"])
            case "stay":
                await self._stay(command["url"], command["count"], command["within"])
            case "count":
                return {"open": sum(peer.close_code is None for peer in self._peers)}
            case "leave":
                for peer in self._peers:
                    peer.transport.abort()
        return {}

    async def _come_and_go(self, url: str, count: int, at_once: int) -> None:
        for first in range(0, count, at_once):
            users = [f"passer-by-{number}" for number in range(first, first + at_once)]
            peers = await asyncio.gather(*(_join(url, user, "client") for user in users))
            await asyncio.gather(*(peer.close() for peer in peers))

    async def _stay(self, url: str, count: int, within: float) -> None:
        """Come one after the other, evenly spread, so that their pings are as well."""
        start = time.monotonic()
        async with asyncio.TaskGroup() as group:
            joining = []
            for number in range(count):
                await sleep_until(start + within * number / count)
                joining.append(group.create_task(_join(url, f"idle-{number}", "client")))
        self._peers += [task.result() for task in joining]


# Ones that talk


class Talking:
    """Pairs in live sessions that send signals both ways."""

    def __init__(self) -> None:
        #: By relay, each with the user that it talks to.
        self._sides: dict[str, list[tuple[ClientConnection, str]]] = {}

    async def obey(self, command: Object) -> Object:
        url = command["url"]
        match command["do"]:
            case "open":
                self._sides[url] = []
                for number in range(command["pairs"]):
                    users = f"e{number}", f"c{number}"
                    evaluator, client = await _open_session(url, *users)
                    self._sides[url] += [(evaluator, users[1]), (client, users[0])]
            case "talk":
                return {"signals": await self._talk(url, command["rate"], command["seconds"])}
        return {}

    async def _talk(self, url: str, rate: float, seconds: float) -> list[tuple[float, float]]:
        """All signals of a block: when each was sent, and how many ms later it arrived."""
        count = round(rate * seconds)
        # A collection in here would count as the relay's time.
        gc.collect()
        gc.disable()
        start = time.monotonic()
        pause, sides = 1 / rate, self._sides[url]
        async with asyncio.timeout(seconds + TRAILING), asyncio.TaskGroup() as group:
            hearing = [group.create_task(_hear(peer, count)) for peer, _ in sides]
            for number, (peer, other_user) in enumerate(sides):
                first = start + pause * number / len(sides)
                group.create_task(_say(peer, other_user, count, first, pause))
        gc.enable()
        return [signal for task in hearing for signal in task.result()]


async def _say(
    peer: ClientConnection, other_user: str, count: int, first: float, pause: float
) -> None:
    for number in range(count):
        await sleep_until(first + number * pause)
        candidate = {"sentAt": time.monotonic(), "candidate": PADDING}
        await _send(peer, "webrtc_signal", targetUserId=other_user, signal=candidate)


async def _hear(peer: ClientConnection, count: int) -> list[tuple[float, float]]:
    arrived: list[tuple[float, float]] = []
    while len(arrived) < count:
        frame = await peer.recv()
        now = time.monotonic()
        message = _parse(frame)
        if message["event"] == "webrtc_signal":
            sent_at = message["data"]["signal"]["sentAt"]
            arrived.append((sent_at, (now - sent_at) * 1000))
    return arrived


async def _open_session(
    url: str, evaluator_id: str, client_id: str, **client_options: Any
) -> tuple[ClientConnection, ClientConnection]:
    client = await _join(url, client_id, "client", **client_options)
    evaluator = await _join(url, evaluator_id, "evaluator")
    await _send(evaluator, "start_session", clientId=client_id)
    await _receive(evaluator, "session_started")
    await _receive(client, "session_started")
    return evaluator, client


# One that stops reading


class Stalling:
    """Pairs, one at a time, whose client stops reading while its evaluator goes on sending."""

    def __init__(self) -> None:
        self._count = 0

    async def obey(self, command: Object) -> Object:
        match command["do"]:
            case "open":
                await self._open(command["url"])
            case "flood":
                return await self._flood(command["characters"])
        return {}

    async def _open(self, url: str) -> None:
        self._count += 1
        evaluator_id, self._client_id = f"stalling-e{self._count}", f"stalling-c{self._count}"
        parts = urlsplit(url)
        receiver = _connect_small((parts.hostname, parts.port))
        self._evaluator, self._client = await _open_session(
            url, evaluator_id, self._client_id, sock=receiver
        )
        # From here on nothing is taken from the socket, not even a close frame.
        self._client.transport.pause_reading()

    async def _flood(self, characters: int) -> Object:
        """Until the relay says that the client has gone."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(self._send(characters))
            async with asyncio.timeout(FLOOD_WITHIN):
                await _receive(self._evaluator, "peer_away")
            gone = time.monotonic()
            sending.cancel()
        self._client.transport.abort()
        await self._evaluator.close()
        return {"began": began, "filled": self._filled or gone, "gone": gone}

    async def _send(self, characters: int) -> None:
        self._filled = 0.0
        for _ in range(0, characters, FLOOD_SIGNAL):
            await self._send_signal("x" * FLOOD_SIGNAL)
            await asyncio.sleep(FLOOD_PAUSE)
        self._filled = time.monotonic()
        while True:
            await self._send_signal(PADDING)
            await asyncio.sleep(TRICKLE_PAUSE)

    async def _send_signal(self, text: str) -> None:
        to, candidate = self._client_id, {"candidate": text}
        await _send(self._evaluator, "webrtc_signal", targetUserId=to, signal=candidate)


def _connect_small(address: tuple[str | None, int | None]) -> socket.socket:
    """A connection for which the kernel keeps little at the receiving end."""
    receiver = socket.socket()
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    receiver.connect(address)
    return receiver


# Commands


async def main(obey: Callable[[Object], Awaitable[Object]]) -> None:
    """Obey commands until stdin ends."""
    async for command in read_commands_aio():
        answer(await obey(command))
    # Thousands of closing handshakes would take their time, and tell nothing.
    os._exit(0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["idle"]:
            asyncio.run(main(Idle().obey))
        case ["talking"]:
            asyncio.run(main(Talking().obey))
        case ["stalling"]:
            asyncio.run(main(Stalling().obey))
        case ["flapping"]:
            asyncio.run(main(Flapping().obey))
        case ["watching"]:
            asyncio.run(main(Watching().obey))
        case _:
            sys.exit(__doc__)
