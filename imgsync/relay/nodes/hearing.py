"""What is published, and each time from when on it is heard."""

import trio

from imgsync.core.protocol.errors import StoreAway
from imgsync.relay.nodes.link import Attempt, Link

RETRY_S = 0.5
"""Seconds between two attempts to be told again."""


class Hearing:
    """A subscription that is made anew whenever it is lost. What comes meanwhile is missed."""

    def __init__(self, link: Link, channel: str) -> None:
        self._link = link
        self._channel = channel
        self._attempt: Attempt | None = None

    async def next(self) -> bytes | None:
        """What is published next; None where it was subscribed to since the last call."""
        while True:
            try:
                if self._attempt is not None:
                    return await self._link.next_published(self._attempt)
                self._attempt = await self._link.subscribe(self._channel)
                return None
            except StoreAway:
                is_first, self._attempt = self._attempt is not None, None
            if not is_first:
                await trio.sleep(RETRY_S)
