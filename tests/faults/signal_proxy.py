"""A relay as seen through a line that repeats, swaps or loses signals; all else passes."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import attrs
import trio

from imgsync.core.protocol.errors import SocketClosed
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background

HERE = "127.0.0.1"

HELD_S = 0.2
"""Seconds for which a signal is held back for the next one to pass it."""


class Trouble(Protocol):
    """What happens to the signals of one direction of one connection."""

    @property
    def is_holding(self) -> bool:
        """Whether a signal waits for the next one."""

    def take(self, signal: str) -> list[str]:
        """A signal came in; returns what goes out."""

    def release(self) -> list[str]:
        """Nothing else has come; returns what goes out after all."""


@attrs.define
class Repeated:
    """Each signal twice."""

    is_holding = False

    def take(self, signal: str) -> list[str]:
        return [signal, signal]

    def release(self) -> list[str]:
        return []


@attrs.define
class Swapped:
    """Of each two signals, the second one first."""

    held: list[str] = attrs.field(factory=list)

    @property
    def is_holding(self) -> bool:
        return bool(self.held)

    def take(self, signal: str) -> list[str]:
        if not self.held:
            self.held = [signal]
            return []
        return [signal, *self.release()]

    def release(self) -> list[str]:
        held, self.held = self.held, []
        return held


@attrs.define
class Thinned:
    """Of each three signals of a session, whoever they are from, one is lost.

    :param which: of the three, from 0.
    """

    which: int
    passed: int = 0
    lost: list[str] = attrs.field(factory=list)
    is_holding = False

    def take(self, signal: str) -> list[str]:
        self.passed += 1
        if (self.passed - 1) % 3 != self.which:
            return [signal]
        self.lost.append(signal)
        return []

    def release(self) -> list[str]:
        return []


async def _carry(source: WebSocket, target: WebSocket, trouble: Trouble) -> None:
    while True:
        frame = None
        with trio.move_on_after(HELD_S if trouble.is_holding else math.inf):
            frame = await source.receive()
        if frame is None:
            out = trouble.release()
        else:
            assert isinstance(frame, str)
            is_signal = json.loads(frame)["event"] == "webrtc_signal"
            out = trouble.take(frame) if is_signal else [frame]
        for one in out:
            target.post(one)


@asynccontextmanager
async def open_proxy(url: str, make_trouble: Callable[[], Trouble]) -> AsyncIterator[str]:
    """Yields the URL at which the relay is to be had with this trouble.

    :param make_trouble: called for each direction of each connection.
    """

    async def answer(request: Request) -> Response:
        return refuse(404, "Here is a WebSocket, and nothing else.")

    async def serve(socket: WebSocket, request: Request) -> None:
        async with open_relay_socket(url) as relay, trio.open_nursery() as nursery:

            async def carry(source: WebSocket, target: WebSocket) -> None:
                try:
                    await _carry(source, target, make_trouble())
                except SocketClosed:
                    nursery.cancel_scope.cancel()

            nursery.start_soon(carry, socket, relay)
            nursery.start_soon(carry, relay, socket)

    listeners = await open_port(HERE, 0)
    async with open_background() as nursery:
        await nursery.start(serve_site, Site(answer, {"/ws": serve}), listeners)
        yield f"ws://{HERE}:{port_of(listeners)}/ws"
