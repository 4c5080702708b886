"""Peers of `presence.py` that cost next to nothing, so that what is measured is the relay.

Clients that flap, and evaluators that watch: WebSockets without a library and without a task each.
What they send is masked with zeros, and what comes in is cut into frames and kept; it is looked
into when that is asked for. They answer the relay's pings and send none.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINISHED = 0x80
MASKED = 0x80
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
AT_ONCE = 20  # connections that are made at the same time
COME_WITHIN = 20.0  # s; for one to be connected, or registered
KNOW_WITHIN = 10.0  # s; for all evaluators to know who is online
LOOK_AGAIN = 0.05  # s
SHOWN_WRONG = 3  # evaluators that don't know, of which it is said what they believe
MAX_SHARED = 65536  # bytes


def make_frame(opcode: int, payload: bytes) -> bytes:
    """A whole message of a client in one frame, of up to 64 KiB."""
    size = len(payload)
    length = bytes([MASKED | size]) if size < 126 else bytes([MASKED | 126, *size.to_bytes(2)])
    return bytes([FINISHED | opcode]) + length + bytes(4) + payload


def cut_frame(unread: bytearray) -> tuple[int, bytes] | None:
    """The first frame of a server, its opcode and its payload, once all of it is there."""
    if len(unread) < 2:
        return None
    size, start = unread[1], {126: 4, 127: 10}.get(unread[1], 2)
    if len(unread) < start:
        return None
    if start > 2:
        size = int.from_bytes(unread[2:start])
    if len(unread) < start + size:
        return None
    opcode, payload = unread[0] & 0xF, bytes(unread[start : start + size])
    del unread[: start + size]
    return opcode, payload


class Plain(asyncio.Protocol):
    """One WebSocket.

    :param hear: told of each text.
    """

    def __init__(self, url: str, hear: Callable[[bytes], None] = lambda text: None) -> None:
        self._url = urlsplit(url)
        self._hear = hear
        self._unread = bytearray()
        self._transport: asyncio.Transport | None = None
        self._is_open = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        """Returns when it may speak. TimeoutError, OSError or ConnectionError where that fails."""
        loop, url = asyncio.get_running_loop(), self._url
        async with asyncio.timeout(COME_WITHIN):
            host, port = url.hostname or "", url.port or 80
            self._transport, _ = await loop.create_connection(lambda: self, host, port)
            self._transport.write(UPGRADE.format(path=url.path, host=url.netloc).encode())
            await self._is_open

    def say(self, event: str, **data: Any) -> None:
        """An event."""
        assert self._transport is not None
        text = json.dumps({"event": event, "data": data})
        self._transport.write(make_frame(TEXT, text.encode()))

    def leave(self) -> None:
        """Without a word."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._is_open.done():
            head, end, rest = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            self._unread = rest
            if not head.startswith(b"HTTP/1.1 101"):
                self._is_open.set_exception(ConnectionError(f"refused: {head[:80]!r}"))
                return
            self._is_open.set_result(None)
        while (frame := cut_frame(self._unread)) is not None:
            self._take(*frame)

    def _take(self, opcode: int, payload: bytes) -> None:
        assert self._transport is not None
        if opcode == TEXT:
            self._hear(payload)
        elif opcode == PING:
            self._transport.write(make_frame(PONG, payload))
        elif opcode == CLOSE:
            raise RuntimeError(f"the relay closes a connection: {payload!r}")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_open.done():
            self._is_open.set_exception(ConnectionError("the relay hung up"))


# Clients


class Flapping:
    """Clients that leave without a word, and return."""

    def __init__(self) -> None:
        self._clients: dict[str, Plain] = {}

    async def obey(self, command: Object) -> Object:
        match command["do"]:
            case "come":
                self._url = command["url"]
                names = [f"flapping-{number}" for number in range(command["count"])]
                await in_parts(names, self._come)
            case "flap":
                return await self._flap(command["seconds"], command["away"])
            case "leave":
                for client in self._clients.values():
                    client.leave()
        return {}

    async def _come(self, name: str) -> None:
        registered = asyncio.get_running_loop().create_future()

        def hear(text: bytes) -> None:
            if not registered.done():
                registered.set_result(text)

        client = self._clients[name] = Plain(self._url, hear)
        await client.connect()
        client.say("register", userId=name, role="client", package="webrtc")
        async with asyncio.timeout(COME_WITHIN):
            text = await registered
        if b'"registered"' not in text[:40]:
            raise RuntimeError(f"the relay says: {text[:200]!r}")

    async def _flap(self, seconds: float, away: float) -> Object:
        """Each once, evenly spread; the ms that it took them to return."""
        start, pause = time.monotonic(), seconds / len(self._clients)
        ms = list[float]()

        async def flap(number: int, name: str) -> None:
            await sleep_until(start + pause * number)
            self._clients[name].leave()
            await asyncio.sleep(away)
            began = time.monotonic()
            await self._come(name)
            ms.append((time.monotonic() - began) * 1000)

        async with asyncio.TaskGroup() as group:
            for number, name in enumerate(list(self._clients)):
                group.create_task(flap(number, name))
        return {"ms": ms}


# Evaluators


class Watcher:
    """One evaluator, and all that it was told."""

    def __init__(self, url: str, name: str) -> None:
        self._name = name
        self._plain = Plain(url, self._hear)
        self._unread: list[bytes] = []
        self._online: dict[str, str] = {}
        self._wanted = 0
        self._has_list = asyncio.get_running_loop().create_future()
        self.frames = 0
        self.bytes = 0

    async def connect(self) -> None:
        await self._plain.connect()

    async def register(self, clients: int) -> float:
        """When it has been told of so many."""
        self._wanted = clients
        name, features = self._name, ["presences"]
        register = {"userId": name, "role": "evaluator", "package": "webrtc", "features": features}
        self._plain.say("register", **register)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(COME_WITHIN):
                at: float = await self._has_list
                return at
        raise RuntimeError(f"{self._name}: of {clients} clients, {self._wanted} are not told")

    def _hear(self, text: bytes) -> None:
        self.frames += 1
        self.bytes += len(text)
        self._unread.append(text)
        if not self._has_list.done():
            # Itself and clients; that is counted quickly, and each list would take long to read.
            self._wanted -= text.count(b'"userId"') - (self.frames == 1)
            if self._wanted <= 0:
                self._has_list.set_result(time.monotonic())

    def read(self) -> dict[str, str]:
        """Who is online, and how, by all that it was told so far."""
        for text in self._unread:
            # A list is told to one alone; changes are told to all.
            changes = changes_of(text) if len(text) > MAX_SHARED else shared_changes_of(text)
            for user, state in changes:
                if state == "offline":
                    self._online.pop(user, None)
                else:
                    self._online[user] = state
        self._unread.clear()
        return self._online

    def leave(self) -> None:
        self._plain.leave()


def changes_of(text: bytes) -> list[tuple[str, str]]:
    """Clients and their states, in what an evaluator is told."""
    message = json.loads(text)
    data = message["data"]
    match message["event"]:
        case "registered" | "presences":
            return [(one["userId"], one["state"]) for one in data["clients"]]
        case "presence":
            return [(data["userId"], data["state"])]
        case event:
            raise RuntimeError(f"an evaluator is told: {event} {data}")


shared_changes_of = lru_cache(maxsize=4096)(changes_of)


class Watching:
    """Evaluators that are told who is online."""

    def __init__(self) -> None:
        self._watchers: list[Watcher] = []

    async def obey(self, command: Object) -> Object:
        watchers = self._watchers
        match command["do"]:
            case "connect":
                url, prefix = command["url"], command["prefix"]
                new = [Watcher(url, f"{prefix}-{number}") for number in range(command["count"])]
                await in_parts(new, Watcher.connect)
                watchers += new
            case "register":
                return await self._register(command["clients"], at_once=command["at_once"])
            case "told":
                frames = sum(one.frames for one in watchers) / len(watchers)
                return {"frames": frames, "bytes": sum(one.bytes for one in watchers)}
            case "know":
                return {"wrong": await self._know(command["online"])}
            case "leave":
                for watcher in watchers:
                    watcher.leave()
                watchers.clear()
        return {}

    async def _register(self, clients: int, *, at_once: bool) -> Object:
        """All of those that are connected; when that began, and when the last had its list."""
        began = time.monotonic()
        if at_once:
            done = max(await asyncio.gather(*(one.register(clients) for one in self._watchers)))
        else:
            for watcher in self._watchers:
                done = await watcher.register(clients)
        return {"began": began, "done": done}

    async def _know(self, online: dict[str, Any]) -> list[str]:
        """What those believe that don't know it in time; see `expand` for what is known."""
        known, until = expand(online), time.monotonic() + KNOW_WITHIN
        while wrong := [one for one in self._watchers if one.read() != known]:
            if time.monotonic() > until:
                break
            await asyncio.sleep(LOOK_AGAIN)
        shown = [explain(one.read(), known) for one in wrong[:SHOWN_WRONG]]
        return shown + ["..."] * (len(wrong) - len(shown))


def expand(online: dict[str, Any]) -> dict[str, str]:
    """Clients and states, of `{"available": {"idle": 3000}, "busy": {"c": 10}}`: so many of each
    name, which have numbers."""
    return {
        f"{name}{number}": state
        for state, names in online.items()
        for name, count in names.items()
        for number in range(count)
    }


def explain(believed: dict[str, str], known: dict[str, str]) -> str:
    """How far the one is from the other."""
    missing = sum(user not in believed for user in known)
    gone = sum(user not in known for user in believed)
    others = sum(believed.get(user, state) != state for user, state in known.items())
    return f"{missing} unknown, {gone} believed to be online, {others} in another state"


async def in_parts(ones: list[Any], do: Callable[[Any], Any]) -> None:
    """Do it with all of them, some at a time."""
    for first in range(0, len(ones), AT_ONCE):
        await asyncio.gather(*(do(one) for one in ones[first : first + AT_ONCE]))


async def sleep_until(moment: float) -> None:
    """Of the machine's monotonic clock."""
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
