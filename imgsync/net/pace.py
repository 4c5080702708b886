"""A stream whose other side has to take what is sent at some pace.

A deadline for each write is no protection from a peer that drips: it takes one small frame after
the other, each just in time, and holds a full outbox for hours. A deadline for all that is queued
would end healthy peers on slow links. So the time that writes wait is kept as a debt: PAGE bytes
that are taken pay `deadline` seconds of it back, and every second in which nothing waits pays one.
Who owes `deadline` seconds is too slow.

A peer that takes nothing is thus gone after `deadline`, and one that drips hardly later, however
small the frames; a link that carries PAGE bytes in that time (by default 52 kbit/s) can take a
burst of any size, and one that stalls for less is forgiven.
"""

import trio

PAGE = 64 * 1024


class PacedStream(trio.abc.Stream):
    """Wraps a stream; `send_all` raises TooSlowError, and may then have sent a part."""

    __slots__ = ("_deadline", "_debt", "_idle_since", "_stream")

    def __init__(self, stream: trio.abc.Stream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline
        #: Seconds.
        self._debt = 0.0
        self._idle_since = trio.current_time()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if len(data) <= PAGE:
            await self._send_page(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), PAGE):
            await self._send_page(view[start : start + PAGE])

    async def _send_page(self, part: bytes | bytearray | memoryview) -> None:
        started = trio.current_time()
        owed = max(0.0, self._debt - (started - self._idle_since))
        scope = trio.CancelScope(deadline=started + self._deadline - owed)
        with scope:
            await self._stream.send_all(part)
        if scope.cancelled_caught:
            raise trio.TooSlowError
        self._idle_since = trio.current_time()
        paid = len(part) / PAGE * self._deadline
        self._debt = max(0.0, owed + (self._idle_since - started) - paid)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        try:
            return await self._stream.receive_some(max_bytes)
        except trio.ClosedResourceError as exc:
            # From Python 3.13 on, Trio's cause and its frames hold each other, and all of ours.
            if exc.__context__ is not None:
                exc.__context__.with_traceback(None)
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()
