"""One task that keeps the hearts of many WebSockets beating."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import trio

from imgsync.tasks import open_background

BEAT_INTERVAL = 15.0


class Beating(Protocol):
    """What has a heart."""

    def beat(self) -> None:
        """Look whether the other side is still there; never waits, never raises."""


class Heart:
    """Beats for each socket every BEAT_INTERVAL. Made by `open_heart`."""

    def __init__(self) -> None:
        #: When it is whose turn; in order, as the interval is the same for all. A plain dict would
        #: pass over all that were taken from its beginning, each time.
        self._turns: OrderedDict[Beating, float] = OrderedDict()

    def add(self, socket: Beating) -> None:
        """Beat for it from now on."""
        self._turns[socket] = trio.current_time() + BEAT_INTERVAL

    def discard(self, socket: Beating) -> None:
        """Beat for it no more."""
        self._turns.pop(socket, None)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            # Whoever is added meanwhile has a turn that is later than this.
            soonest = trio.current_time() + BEAT_INTERVAL
            await trio.sleep_until(next(iter(self._turns.values()), soonest))
            now = trio.current_time()
            while self._turns and next(iter(self._turns.values())) <= now:
                socket = next(iter(self._turns))
                del self._turns[socket]
                self.add(socket)
                socket.beat()


@asynccontextmanager
async def open_heart() -> AsyncIterator[Heart]:
    """Own a heart that beats until the block is left."""
    async with open_background() as nursery:
        heart = Heart()
        nursery.start_soon(heart.run)
        yield heart
