"""One task that looks after many WebSockets: whether their other sides are still there."""

import logging
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from imgsync.core.protocol.numbers import KEEPALIVE_INTERVAL
from imgsync.tasks import open_background

log = logging.getLogger(__name__)

Ping = Callable[[], Awaitable[None]]
"""Sends a ping and waits for its pong; it bounds that by itself."""


class Pinged(Protocol):
    """What is looked after."""

    def ping(self) -> None:
        """Look whether the other side is still there; never waits, never raises."""


class Pinger:
    """Pings each socket every KEEPALIVE_INTERVAL, and when it asks. Made by `open_pinger`."""

    def __init__(self) -> None:
        #: When it is whose turn; in order, as the interval is the same for all. A plain dict would
        #: pass over all that were taken from its beginning, each time.
        self._turns: OrderedDict[Pinged, float] = OrderedDict()
        # Unbounded: a socket has one ping under way at most.
        self._send, self._to_send = trio.open_memory_channel[Ping](math.inf)

    def add(self, socket: Pinged) -> None:
        """Look after it from now on."""
        self._turns[socket] = trio.current_time() + KEEPALIVE_INTERVAL

    def discard(self, socket: Pinged) -> None:
        """Look after it no more."""
        self._turns.pop(socket, None)

    def send(self, ping: Ping) -> None:
        """Run this, in a task that lives no longer than the ping."""
        self._send.send_nowait(ping)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run what is sent until cancelled, and what is due."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take_turns)
            task_status.started()
            while True:
                # Not by a name, which would hold on to the last one, and to its socket.
                nursery.start_soon(_run, await self._to_send.receive())

    async def _take_turns(self) -> None:
        while True:
            # Whoever is added meanwhile has a turn that is later than this.
            soonest = trio.current_time() + KEEPALIVE_INTERVAL
            await trio.sleep_until(next(iter(self._turns.values()), soonest))
            now = trio.current_time()
            while self._turns and next(iter(self._turns.values())) <= now:
                socket = next(iter(self._turns))
                del self._turns[socket]
                self.add(socket)
                socket.ping()


async def _run(ping: Ping) -> None:
    try:
        await ping()
    except Exception:
        log.exception("a ping failed; those of the others go on")


@asynccontextmanager
async def open_pinger() -> AsyncIterator[Pinger]:
    """Own a pinger that works until the block is left."""
    async with open_background() as nursery:
        pinger = Pinger()
        await nursery.start(pinger.run)
        yield pinger
