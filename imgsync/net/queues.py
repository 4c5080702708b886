"""What waits on the two sides of a WebSocket: texts to be written, and messages to be taken."""

import math
from collections import deque
from collections.abc import Callable
from sys import getsizeof

import trio

from imgsync.net.held import Account
from imgsync.net.pace import PAGE

BLOCK = PAGE
"""Bytes that are written at once, or one message that has more: a pong waits for no more."""

ROOM_PART = 4
"""An outbox has room while no more than this part of it is taken: for as much again, and again."""

QUEUE_SIZE = 32
"""Messages that are read before somebody takes them, and so nearly the most that are taken at once:
a peer that sends a thousand in one packet holds the others up for no longer."""

QUEUED = 128 * 1024
"""Characters of those together, or one message that has more."""


LATE = 1024 * 1024
"""Characters that are read behind our close frame: what was on its way may come, and no flood."""


class TooMuchLate(Exception):
    """A peer goes on and on behind our close frame."""


class Outbox:
    """Texts that wait for the writer, up to so many bytes together.

    :param account: what they take in memory counts there.
    """

    __slots__ = ("_account", "_limit", "_on_room", "_texts", "_under_way", "size")

    def __init__(self, limit: int, account: Account) -> None:
        self._limit = limit
        self._account = account
        #: Each with its bytes in UTF-8, and in memory.
        self._texts: deque[tuple[str, int, int]] = deque()
        #: Bytes in UTF-8, with those that are being written.
        self.size = 0
        #: The same two of what is being written.
        self._under_way = (0, 0)
        #: Told once there is room, where somebody waits for that.
        self._on_room: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        """Whether any waits."""
        return bool(self._texts)

    @property
    def is_under_way(self) -> bool:
        """Whether something is being written, or is the half of a message that comes in: neither
        can be ended in good order."""
        return self._under_way != (0, 0) or self._account.incoming > 0

    @property
    def has_room(self) -> bool:
        """Whether most of what was put in has been written."""
        return self.size <= self._limit // ROOM_PART

    def await_room(self, tell: Callable[[], None]) -> None:
        """Tell of it once there is room, which is not so now."""
        self._on_room = tell

    def put(self, text: str) -> bool:
        """Put one in, if there is room; else none of them will be written. Returns which."""
        size = len(text) if text.isascii() else len(text.encode())
        # One frame has its place however long: it may be the list of all clients.
        if self.size and self.size + size > self._limit:
            self.clear()
            return False
        self.size += size
        memory = getsizeof(text)
        self._texts.append((text, size, memory))
        self._account.put(text, memory)  # at last, as it may have all of them taken out again
        return True

    def pop(self) -> list[str]:
        """The next ones, at least one and up to BLOCK bytes; they count until they are written."""
        texts: list[str] = []
        sizes = memory = 0
        while self._texts and (not texts or sizes + self._texts[0][1] <= BLOCK):
            text, size, held = self._texts.popleft()
            self._account.make_own(text, held)
            texts.append(text)
            sizes += size
            memory += held
        self._under_way = (sizes, memory)
        self._account.check()
        return texts

    def written(self) -> None:
        """Those count no more."""
        size, memory = self._under_way
        self._under_way = (0, 0)
        self.size -= size
        self._account.written(memory)
        if self._on_room is not None and self.has_room:
            tell, self._on_room = self._on_room, None
            tell()

    def clear(self) -> None:
        """None that waits will be written."""
        while self._texts:
            text, size, held = self._texts.pop()
            self.size -= size
            self._account.take(text, held)


class Inbox(trio.abc.SendChannel[str | bytes]):
    """Where trio-websocket's reader puts messages: it waits only where there is no room."""

    __slots__ = ("_channel", "_is_wanted", "_late", "_room", "_size")

    def __init__(self, channel: trio.MemorySendChannel[str | bytes]) -> None:
        self._channel = channel
        #: Characters, or bytes, of those that nobody has taken yet.
        self._size = 0
        self._room: trio.Event | None = None
        self._is_wanted = True
        #: How much may still come, once this side has ended it.
        self._late = math.inf

    async def send(self, message: str | bytes) -> None:
        """Put one in. Raises TooMuchLate."""
        if self._late <= 0:
            raise TooMuchLate
        self._late -= len(message)
        while self._size and self._size + len(message) > QUEUED:
            self._room = trio.Event()
            await self._room.wait()
        if not self._is_wanted:
            return
        self._size += len(message)
        try:
            self._channel.send_nowait(message)
        except trio.WouldBlock:
            await self._channel.send(message)

    def taken(self, message: str | bytes) -> None:
        """Somebody has taken one."""
        self._size -= len(message)
        self._make_room()

    def end(self) -> None:
        """What comes from now on comes late."""
        self._late = LATE

    def discard(self) -> None:
        """Nobody will take any more of them."""
        self._is_wanted = False
        self._size = 0
        self._make_room()

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None

    async def aclose(self) -> None:
        """No more will come."""
        await self._channel.aclose()
