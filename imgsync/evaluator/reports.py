"""What a client tells one after the other, and of which all counts, for whoever iterates."""

import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import trio

from imgsync.tasks import Bell, Pull

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_REPORTS = 1000
"""Those that are kept for whoever iterates over them."""


class Reports(Generic[T]):
    """All that was told.

    :param what: they are, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._kept: deque[T] = deque(maxlen=MAX_REPORTS)
        #: Of all that ever came.
        self._count = 0
        self._is_over = False
        self._news = Bell()

    def tell(self, report: T) -> None:
        """One more."""
        self._kept.append(report)
        self._count += 1
        self._news.ring()

    def end(self) -> None:
        """The session is over."""
        self._is_over = True
        self._news.ring()

    def all(self) -> AsyncIterator[T]:
        """Every one, from the first that is still kept; stops at the end."""
        position = 0

        async def next_report() -> T | None:
            nonlocal position
            # Before the first look: what is read of the queue must not be older than what is taken.
            await trio.lowlevel.checkpoint()
            while position >= self._count:
                if self._is_over:
                    return None
                await self._news.wait()
            oldest = self._count - len(self._kept)
            if position < oldest:
                missed = oldest - position
                log.warning("%d %s were missed, nobody asked for them in time", missed, self._what)
            position = max(position, oldest) + 1
            return self._kept[position - 1 - oldest]

        return Pull(next_report)
