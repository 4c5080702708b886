"""How the participant of a session is recorded, for whoever iterates over that."""

from collections.abc import AsyncIterator

import trio

from imgsync.core.protocol.channel import Recording
from imgsync.tasks import Bell, Pull


class Recordings:
    """The last that was told of it."""

    def __init__(self) -> None:
        self._last: Recording | None = None
        self._is_over = False
        #: Of any change.
        self._news = Bell()

    def tell(self, said: Recording) -> None:
        """It is another one now."""
        self._last = said
        self._news.ring()

    def end(self) -> None:
        """The session is over."""
        self._is_over = True
        self._news.ring()

    def changes(self) -> AsyncIterator[Recording]:
        """What is told now, and each time that it is something else; stops at the end."""
        seen: Recording | None = None

        async def next_change() -> Recording | None:
            nonlocal seen
            await trio.lowlevel.checkpoint()
            while self._last is seen:
                if self._is_over:
                    return None
                await self._news.wait()
            seen = self._last
            return seen

        return Pull(next_change)
