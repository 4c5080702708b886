"""One WebSocket, either side of it: a bounded outbox with one writer, and an honest end.

Four things of trio-websocket 0.12 shape this file. Its reader task lets exceptions of wsproto
through to the nursery it is given, so it is given one that contains them. A send that is cancelled
half-way leaves a stream that swallows the next frame as payload, so after one the TCP connection is
dropped. Pings are answered only while messages are taken, so whoever owns a socket must keep
receiving. A ping waits for its pong in a task; that task lives no longer than the ping.

And each message costs it a turn of Trio's loop where it comes in, and another one and a system call
where it goes out. Here, what came in with one read can be taken at once, and what waits in an
outbox is written at once, up to BLOCK bytes.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from sys import getsizeof
from typing import TYPE_CHECKING, Any, cast

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import Event, Message, Ping, Pong, TextMessage

from imgsync.core.protocol.errors import SocketClosed
from imgsync.core.protocol.numbers import PONG_DEADLINE
from imgsync.core.protocol.signalling import CloseCode
from imgsync.core.relay.limits import TokenBucket
from imgsync.net.held import Account, Held
from imgsync.net.limits import NetLimits
from imgsync.net.pace import PacedStream
from imgsync.net.pinger import Pinger
from imgsync.net.queues import QUEUE_SIZE, Inbox, Outbox
from imgsync.tasks import lone_errors

if TYPE_CHECKING:
    from wsproto import WSConnection

log = logging.getLogger(__name__)

CLOSE_DEADLINE = 2.0
"""Seconds for what is queued and the close handshake together."""

READ_SIZE = 16 * 1024
"""Bytes of one read."""

MAX_PARTS = 256
"""Parts of a message that are kept apart."""

MAX_FRAMES = 64
"""Frames of one message: each takes its time, be it empty, and nobody needs so many."""


CONTROL_RATE = 100.0
"""Pings and pongs of a peer, a second: each costs as much as a short message, and no limit of
messages sees it."""

CONTROL_BURST = 2500.0
"""As many may come at once."""


class TooManyControls(Exception):
    """A peer does nothing but ping."""


class Reader:
    """What trio-websocket takes for a nursery: runs its reader, and keeps what it raises.

    A cancellation from outside does not reach the reader: whoever is cancelled closes first.
    """

    def __init__(self) -> None:
        self._scope = trio.CancelScope(shield=True)
        self._read: Callable[[], Awaitable[object]] | None = None
        self._is_there = trio.Event()
        self.failure: Exception | None = None
        #: Told when the reader has ended, by a failure or not.
        self.on_end: Callable[[Exception | None], None] = lambda failure: None

    def start_soon(self, read: Callable[[], Awaitable[object]]) -> None:
        """Called by trio-websocket, or in its place."""
        self._read = read
        self._is_there.set()

    async def run(self) -> None:
        """Run the reader, once it is there."""
        try:
            with self._scope:
                await self._is_there.wait()
                assert self._read is not None
                await self._read()
        except Exception as exc:
            self.failure = exc
        finally:
            self.on_end(self.failure)

    def cancel(self) -> None:
        """End the reader."""
        self._scope.cancel()


Handshake = Callable[[Reader], Awaitable[WebSocketConnection]]


class WebSocket:
    """A connected WebSocket; implements `imgsync.seams.Socket`. Made by `open_websocket`."""

    def __init__(
        self,
        connection: WebSocketConnection,
        stream: PacedStream,
        pinger: Pinger,
        outbox: Outbox,
    ) -> None:
        self._connection = connection
        self._inbox = Inbox(connection._send_channel)
        connection._send_channel = cast(Any, self._inbox)
        self._stream = stream
        self._pinger = pinger
        self._outbox = outbox
        #: Set when there is something to write or to close; made anew by the writer.
        self._filled = trio.Event()
        #: Nothing is posted behind a close frame.
        self._closing = False
        #: Code and reason, where it is this side that ends it.
        self._cause: tuple[int, str] | None = None
        self._writer_done = trio.Event()
        #: Of the writer; where it is cancelled, the connection is dropped.
        self._scope = trio.CancelScope(shield=True)
        #: Of the one ping that is under way.
        self._ping: trio.CancelScope | None = None
        #: Whom to tell of the pong to the next one, and when it is due.
        self._asked: list[tuple[float, Callable[[], None]]] = []

    def post(self, text: str) -> None:
        """Put a frame on the outbox; never waits. A full outbox closes the socket with 4013."""
        if self._closing:
            return
        if self._outbox.put(text):
            self._filled.set()
        else:
            self.close(CloseCode.TOO_SLOW, "too slow: the outbox is full")

    @property
    def has_room(self) -> bool:
        """Whether most of what was posted has been written: three quarters are free."""
        return self._outbox.has_room

    def await_room(self, tell: Callable[[], None]) -> None:
        """Have that told once it is so, as it is not now; never waits."""
        self._outbox.await_room(tell)

    def close(self, code: int = CloseCode.NORMAL, reason: str = "") -> None:
        """Send what is queued, then a close frame, all within CLOSE_DEADLINE; never waits."""
        if not self._closing:
            self._end(code, reason)
            self._inbox.end()
            self._filled.set()
            self._scope.deadline = trio.current_time() + CLOSE_DEADLINE

    def drop(self, code: int, why: str) -> None:
        """End it now, without a close frame; `receive` raises SocketClosed with this code."""
        if not self._writer_done.is_set():
            log.info("dropping a WebSocket (%d): %s", code, why)
            self._end(code, why)
            self._scope.cancel()

    def shed(self) -> None:
        """End it because all sockets together hold too much, and give back what it holds; never
        waits. What is under way can't be ended by a close frame."""
        end = self.drop if self._outbox.is_under_way else self.close
        self._outbox.clear()
        end(CloseCode.TOO_SLOW, "too slow: too much waits for all together, and most for this one")

    def _end(self, code: int, reason: str) -> None:
        self._closing = True
        if self._cause is None and self._connection.closed is None:
            self._cause = (code, reason)

    async def receive(self) -> str | bytes:
        """The next frame. Raises SocketClosed, which says whether it was this side."""
        if self._cause is not None and self._scope.cancel_called:
            raise self._closed()
        try:
            message = await self._connection.get_message()
        except ConnectionClosed as exc:
            if exc.reason is None:
                # The reader has failed; it drops the socket next.
                await self._writer_done.wait()
            raise self._closed() from None
        self._inbox.taken(message)
        return message

    async def receive_all(self) -> list[str | bytes]:
        """The next frame, and those that have come in with it. Raises SocketClosed."""
        frames = [await self.receive()]
        with suppress(trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
            while True:
                frame = self._connection._recv_channel.receive_nowait()
                self._inbox.taken(frame)
                frames.append(frame)
        return frames

    def _closed(self) -> SocketClosed:
        if self._cause is not None:
            return SocketClosed(*self._cause, ours=True)
        found = self._connection.closed
        if found is None or found.code == CloseCode.ABNORMAL:
            return SocketClosed(CloseCode.ABNORMAL)
        return SocketClosed(found.code, found.reason or "", ours=not _is_closed_by_peer(self))

    def probe(self, deadline: float, answered: Callable[[], None] | None = None) -> None:
        """Ask for a pong now, and drop the socket if none comes within these seconds; never waits.

        While a ping is under way, its deadline is brought forward instead.

        :param answered: told when a pong has come to a ping that was sent after this call.
        """
        if self._closing or self._writer_done.is_set():
            return
        until = trio.current_time() + deadline
        if answered is not None:
            self._asked.append((until, answered))
        if self._ping is None:
            self._send_ping(until)
        else:
            self._ping.deadline = min(self._ping.deadline, until)

    def _send_ping(self, until: float) -> None:
        self._ping = trio.CancelScope(deadline=until, shield=True)
        asked, self._asked = self._asked, []
        told = [answered for _, answered in asked]
        self._pinger.send(partial(self._await_pong, self._ping, told))

    def ping(self) -> None:
        """It is its turn. What is being written to is judged by its pace instead."""
        if not self._outbox.size:
            self.probe(PONG_DEADLINE)

    async def _await_pong(
        self, scope: trio.CancelScope, answered: list[Callable[[], None]]
    ) -> None:
        try:
            with scope:
                await self._connection.ping()
        except ConnectionClosed:
            return
        except trio.TooSlowError as exc:
            self.drop(*_find_why(exc))
            return
        finally:
            self._ping = None
        if scope.cancelled_caught:
            self.drop(CloseCode.ABNORMAL, "no pong in time")
            return
        try:
            for tell in answered:
                tell()
        finally:
            if self._asked and not self._closing:
                self._send_ping(min(until for until, _ in self._asked))

    def reader_ended(self, failure: Exception | None) -> None:
        """Without a reader there are no pongs, and the close handshake would wait for ever."""
        if failure is not None or self._connection.closed is None:
            self.drop(*_find_why(failure))

    async def run(self) -> None:
        """Write until the connection is closed."""
        try:
            with self._scope:
                await self._write()
            if self._scope.cancel_called:
                # A frame may be half written, so that a close frame would be read as its payload.
                await trio.aclose_forcefully(self._stream)
        finally:
            self._writer_done.set()

    async def flush_and_close(self) -> None:
        """Close in good order; returns when the close frame is out or its deadline has passed."""
        self.close()
        self._inbox.discard()
        await self._writer_done.wait()
        if self._ping is not None:
            self._ping.cancel()

    async def _write(self) -> None:
        try:
            while True:
                while self._outbox:
                    # By no name, which would hold on to it. The texts go once they are encoded.
                    await _send(self._connection, _encode(self._connection, self._outbox.pop()))
                    self._outbox.written()
                if self._closing:
                    await self._connection.aclose(*self._cause or ())
                    return
                self._filled = trio.Event()
                await self._filled.wait()
        except ConnectionClosed:
            pass
        except trio.TooSlowError as exc:
            self.drop(*_find_why(exc))


def _find_why(failure: Exception | None) -> tuple[int, str]:
    """Code and reason of what ends a connection that can't be read, or written, any more."""
    match failure:
        case trio.TooSlowError():
            return CloseCode.TOO_SLOW, "too slow: what was sent is not taken in time"
        case TooManyControls():
            return CloseCode.RATE_LIMITED, "too many pings"
        case _:
            return CloseCode.ABNORMAL, f"it can't be read any more: {failure!r}"


def _encode(connection: WebSocketConnection, texts: list[str]) -> bytes:
    """As its own `send_message` does it for each. Raises ConnectionClosed."""
    if connection._close_reason is not None:
        raise ConnectionClosed(connection._close_reason)
    return b"".join([connection._wsproto.send(TextMessage(data=text)) for text in texts])


async def _send(connection: WebSocketConnection, block: bytes) -> None:
    """Raises ConnectionClosed."""
    async with connection._stream_lock:
        try:
            await connection._stream.send_all(block)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await connection._abort_web_socket()
            raise ConnectionClosed(connection._close_reason) from None


def _is_closed_by_peer(socket: WebSocket) -> bool:
    """Whether a close frame came in; trio-websocket closes by itself what breaks the protocol."""
    state = socket._connection._wsproto.state
    return state in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)


class Frames:
    """A server's frames, as trio-websocket uses what wsproto offers for a whole connection.

    wsproto's own would read the request once more, and hold on to it. Messages are put together
    here, because trio-websocket keeps each part, at up to 90 bytes for a character, and empty ones
    uncounted. Pings behind our close frame are left out: it would try to answer, and die of it. And
    who floods us with pings is read no further.

    :param account: what has come of a message counts there.
    """

    __slots__ = (
        *("_account", "_controls", "_finished_frames", "_frames", "_max_message", "_memory"),
        *("_parts", "_size", "receive_data", "send"),
    )

    client = False

    def __init__(self, early: bytes, max_message: int, account: Account) -> None:
        self._frames = Connection(ConnectionType.SERVER, trailing_data=early)
        self._max_message = max_message
        self._account = account
        #: Of the message that is coming in.
        self._parts: list[Any] = []
        self._size = self._memory = 0
        self._finished_frames = 0
        self._controls = TokenBucket(CONTROL_RATE, CONTROL_BURST)
        self.send = self._frames.send
        self.receive_data = self._frames.receive_data

    @property
    def state(self) -> ConnectionState:
        """How far the connection has come to its end."""
        return self._frames.state

    def events(self) -> Iterator[Event]:
        """What has come in; messages as a whole. Raises TooManyControls."""
        for event in self._frames.events():
            match event:
                case Message():
                    message = self._assemble(event)
                    if message is not None:
                        yield message
                        # Else its reader holds on to the last one until there is another.
                        object.__setattr__(message, "data", "")
                case Ping() | Pong() if not self._controls.take(trio.current_time()):
                    raise TooManyControls
                case Ping() if self.state is not ConnectionState.OPEN:
                    pass
                case _:
                    yield event

    def _assemble(self, part: Message[Any]) -> Message[Any] | None:
        """The message that this part completes. One that is too long already counts as complete."""
        if part.message_finished and not self._parts:
            self._finished_frames = 0
            return part
        self._finished_frames += part.frame_finished
        if part.data:
            self._parts.append(part.data)
            self._size += len(part.data)
            self._memory += getsizeof(part.data)
        if len(self._parts) > MAX_PARTS:
            self._parts = [part.data[:0].join(self._parts)]
            self._memory = getsizeof(self._parts[0])
        is_too_much = self._size > self._max_message or self._finished_frames > MAX_FRAMES
        if not part.message_finished and not is_too_much:
            self._account.expect(self._memory)
            return None
        whole = part.data[:0].join(self._parts)
        if self._finished_frames > MAX_FRAMES:
            # trio-websocket knows one limit; this goes beyond it.
            whole = part.data[:0].ljust(self._max_message + 1)
        self._parts, self._size, self._memory, self._finished_frames = [], 0, 0, 0
        self._account.expect(0)
        return type(part)(data=whole)


async def take_over(
    reader: Reader, *, stream: PacedStream, early: bytes, limits: NetLimits, account: Account
) -> WebSocketConnection:
    """The server's side of a stream on which the upgrade has been answered: a `Handshake`.

    :param early: what came in behind the request.
    :param account: that of the WebSocket.
    """
    connection = WebSocketConnection(
        stream,
        cast("WSConnection", Frames(early, limits.max_message, account)),
        message_queue_size=QUEUE_SIZE,
        max_message_size=limits.max_message,
        receive_buffer_size=READ_SIZE,
    )
    reader.start_soon(connection._reader_task)
    return connection


@asynccontextmanager
async def open_websocket(
    handshake: Handshake,
    stream: PacedStream,
    *,
    limits: NetLimits,
    pinger: Pinger,
    account: Account | None = None,
) -> AsyncIterator[WebSocket]:
    """Complete a handshake, either side's, and own the WebSocket that comes of it.

    Leaving the block, by whatever way, closes it in good order within CLOSE_DEADLINE.

    :param account: what it holds counts there; by default together with nobody's.
    """
    account = account or Held(limits.outbox_total).open()
    outbox = Outbox(limits.outbox_size, account)
    with lone_errors():
        async with trio.open_nursery() as nursery:
            reader = Reader()
            nursery.start_soon(reader.run)
            try:
                connection = await handshake(reader)
                socket = WebSocket(connection, stream, pinger, outbox)
                account.on_shed = socket.shed
                reader.on_end = socket.reader_ended
                nursery.start_soon(socket.run)
                pinger.add(socket)
                try:
                    yield socket
                finally:
                    pinger.discard(socket)
                    with trio.CancelScope(shield=True):
                        await socket.flush_and_close()
            finally:
                reader.cancel()
                outbox.clear()
                account.close()
