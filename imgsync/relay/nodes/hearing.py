"""What is published, and each time from when on it is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from imgsync.core.protocol.errors import StoreAway
from imgsync.relay.nodes.link import Link

if TYPE_CHECKING:
    from imgsync.relay.nodes.connection import Connection

RETRY_S = 0.5
"""Seconds between two attempts to be told again."""


class Hearing:
    """A subscription that is made anew whenever it is lost. What comes meanwhile is missed."""

    def __init__(self, link: Link, channel: str) -> None:
        self._link = link
        self._channel = channel
        self._connection: Connection | None = None

    async def next(self) -> bytes | None:
        """What is published next; None where it was subscribed to since the last call."""
        while True:
            try:
                if self._connection is not None:
                    return await self._link.next_published(self._connection)
                self._connection = await self._link.subscribe(self._channel)
                return None
            except StoreAway:
                is_first, self._connection = self._connection is not None, None
            if not is_first:
                await trio.sleep(RETRY_S)
