"""One WebSocket, either side of it: a bounded outbox with one writer, a heartbeat, an honest end.

Three things of trio-websocket 0.12 shape this file. Its reader task lets exceptions of wsproto
through to the nursery it is given, so it is given one that contains them. A send that is cancelled
half-way leaves a stream that swallows the next frame as payload, so only the writer sends, and
after a cancelled send the TCP connection is dropped. Pings are answered only while messages are
taken, so whoever owns a socket must keep receiving.
"""

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import trio
from trio_websocket import ConnectionClosed, ConnectionRejected, WebSocketConnection

from imgsync.core.errors import ConnectTimeout, SocketClosed, UpgradeRefused
from imgsync.core.messages import CloseCode
from imgsync.nursery import open_background

log = logging.getLogger(__name__)

OUTBOX_SIZE = 4 * 1024 * 1024
"""Characters: 64 frames of the largest, thousands of ordinary ones. A limit in frames would hit
healthy peers: reading takes fewer turns of Trio's loop than writing, so that of a burst a half is
queued, and ten clients that trickle at once are a burst of hundreds."""

WRITE_DEADLINE = 10.0
"""Seconds for one frame; a peer that takes longer does not read."""

CLOSE_DEADLINE = 2.0
"""Seconds for what is queued and the close handshake together."""

PING_INTERVAL = 15.0
PONG_DEADLINE = 10.0

Handshake = Callable[[trio.Nursery], Awaitable[WebSocketConnection]]


class _ReaderNursery:
    """What trio-websocket takes for a nursery: runs its reader, and keeps what it raises."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self.handshake_scope = trio.CancelScope()
        self.failure: Exception | None = None
        #: Told when the reader dies after the handshake.
        self.on_failure: Callable[[Exception], None] = lambda exc: None

    def start_soon(self, reader: Callable[[], Awaitable[object]]) -> None:
        self._nursery.start_soon(self._run, reader)

    async def _run(self, reader: Callable[[], Awaitable[object]]) -> None:
        try:
            await reader()
        except Exception as exc:
            self.failure = exc
            self.on_failure(exc)
        finally:
            # Without a reader the handshake would wait for its answer for ever.
            self.handshake_scope.cancel()


class _Close:
    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class WebSocket:
    """A connected WebSocket; implements `imgsync.seams.Socket`. Made by `open_websocket`."""

    def __init__(self, connection: WebSocketConnection, outbox_size: int) -> None:
        self._connection = connection
        self._outbox_size = outbox_size
        self._outbox: deque[str | _Close] = deque()
        #: Characters in the outbox.
        self._queued = 0
        #: Set when there is something to write; made anew by the writer.
        self._filled = trio.Event()
        #: Nothing is queued behind a close frame.
        self._closing: _Close | None = None
        self._writer_done = trio.Event()
        #: Of the writer and the heartbeat; where it is cancelled, the connection is dropped.
        self._scope = trio.CancelScope()

    def post(self, text: str) -> None:
        """Put a frame on the outbox; never waits. A full outbox closes the socket with 4013."""
        if self._closing is not None:
            return
        if self._queued + len(text) > self._outbox_size:
            self._outbox.clear()
            self.close(CloseCode.TOO_SLOW, "too slow: the outbox is full")
            return
        self._outbox.append(text)
        self._queued += len(text)
        self._filled.set()

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Send what is queued, then a close frame, all within CLOSE_DEADLINE; never waits."""
        if self._closing is None:
            self._closing = _Close(code, reason)
            self._outbox.append(self._closing)
            self._filled.set()
            self._scope.deadline = trio.current_time() + CLOSE_DEADLINE

    async def receive(self) -> str | bytes:
        """The next frame. Raises SocketClosed."""
        try:
            return await self._connection.get_message()
        except ConnectionClosed as exc:
            if self._closing is not None:
                raise SocketClosed(self._closing.code, self._closing.reason) from None
            if exc.reason is None:
                raise SocketClosed(CloseCode.ABNORMAL) from None
            raise SocketClosed(exc.reason.code, exc.reason.reason or "") from None

    def drop(self, why: str) -> None:
        """End it now, without a close frame."""
        log.info("dropping a WebSocket: %s", why)
        self._scope.cancel()

    async def run(self) -> None:
        """Write and keep the heart beating until the connection is closed."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._beat)
                    await self._write()
                    nursery.cancel_scope.cancel()
            if self._scope.cancelled_caught:
                # A frame may be half written, so that a close frame would be read as its payload.
                await trio.aclose_forcefully(_stream_of(self._connection))
        finally:
            self._writer_done.set()

    async def flush_and_close(self) -> None:
        """Close in good order; returns when the close frame is out or its deadline has passed."""
        self.close()
        await self._writer_done.wait()

    async def _write(self) -> None:
        while True:
            while not self._outbox:
                self._filled = trio.Event()
                await self._filled.wait()
            item = self._outbox.popleft()
            try:
                if isinstance(item, _Close):
                    await self._connection.aclose(item.code, item.reason)
                    return
                self._queued -= len(item)
                with trio.move_on_after(WRITE_DEADLINE) as scope:
                    await self._connection.send_message(item)
            except ConnectionClosed:
                return
            if scope.cancelled_caught:
                self.drop(f"one frame took more than {WRITE_DEADLINE:g} s to write")

    async def _beat(self) -> None:
        while True:
            await trio.sleep(PING_INTERVAL)
            with trio.move_on_after(PONG_DEADLINE) as scope:
                try:
                    await self._connection.ping()
                except ConnectionClosed:
                    return
            if scope.cancelled_caught:
                self.drop(f"no pong within {PONG_DEADLINE:g} s")


def _stream_of(connection: WebSocketConnection) -> trio.abc.AsyncResource:
    """The stream below; trio-websocket has no public way to drop a connection at once."""
    return cast("trio.abc.AsyncResource", connection._stream)


@asynccontextmanager
async def open_websocket(
    handshake: Handshake, *, peer: str, deadline: float, outbox_size: int = OUTBOX_SIZE
) -> AsyncIterator[WebSocket]:
    """Complete a handshake, either side's, and own the WebSocket that comes of it.

    Raises UpgradeRefused (the other side refused, or closed in the middle) and ConnectTimeout.
    Leaving the block closes it in good order within CLOSE_DEADLINE.

    :param handshake: makes the connection, given what trio-websocket takes for a nursery.
    :param peer: names the other side in errors.
    :param deadline: seconds for the handshake.
    """
    async with open_background() as nursery:
        reader = _ReaderNursery(nursery)
        connection = await _complete(handshake, reader, peer, deadline)
        socket = WebSocket(connection, outbox_size)
        # Without a reader there are no pongs, and the close handshake would wait for ever.
        reader.on_failure = lambda exc: socket.drop(f"it can't be read any more: {exc!r}")
        nursery.start_soon(socket.run)
        try:
            yield socket
        finally:
            with trio.CancelScope(shield=True):
                await socket.flush_and_close()


async def _complete(
    handshake: Handshake, reader: _ReaderNursery, peer: str, deadline: float
) -> WebSocketConnection:
    closed: ConnectionClosed | None = None
    with trio.move_on_after(deadline) as timeout, reader.handshake_scope:
        try:
            return await handshake(cast("trio.Nursery", reader))
        except ConnectionClosed as exc:
            closed = exc
    if timeout.cancelled_caught:
        raise ConnectTimeout(f"{peer} did not complete the WebSocket handshake in {deadline:g} s")
    match reader.failure:
        case ConnectionRejected() as refusal:
            why = f"refused the WebSocket with HTTP status {refusal.status_code}"
            advice = "is it a relay, and is the path right?"
        case None:
            why = "closed the connection during the WebSocket handshake"
            advice = "is it a relay, and is it ws or wss?"
        case _:
            why = "answered, but not with a WebSocket"
            advice = "is it a relay?"
    raise UpgradeRefused(f"{peer} {why}; {advice}") from (reader.failure or closed)
