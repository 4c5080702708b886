"""What a client tells of now and then, and of which only the last counts, for whoever iterates."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import trio

from imgsync.tasks import Bell, Pull

T = TypeVar("T")


class Latest(Generic[T]):
    """The last that was told of it."""

    def __init__(self) -> None:
        self._last: T | None = None
        self._is_over = False
        #: Of any change.
        self._news = Bell()

    def tell(self, said: T) -> None:
        """It is another one now."""
        self._last = said
        self._news.ring()

    def end(self) -> None:
        """The session is over."""
        self._is_over = True
        self._news.ring()

    def changes(self) -> AsyncIterator[T]:
        """What is told now, and each time that it is something else; stops at the end."""
        seen: T | None = None

        async def next_change() -> T | None:
            nonlocal seen
            await trio.lowlevel.checkpoint()
            while self._last is seen:
                if self._is_over:
                    return None
                await self._news.wait()
            seen = self._last
            return seen

        return Pull(next_change)
