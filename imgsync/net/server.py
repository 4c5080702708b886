"""One port for plain HTTP and WebSocket; a hostile connection hurts nobody but itself.

h11 reads each head. What is not an upgrade is answered; an upgrade's bytes are played again to
trio-websocket. Each connection is a task inside a try/except of its own, so that whatever goes
wrong in it, in our code or a library's, ends with it.
"""

import errno
import logging
import ssl
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

import attrs
import trio
from trio_websocket import WebSocketConnection, wrap_server_stream

from imgsync.core.codec import MAX_FRAME
from imgsync.core.errors import ConnectError, InputError
from imgsync.net.http import Handler, HttpConnection, Request, refuse
from imgsync.net.websocket import WebSocket, open_websocket

log = logging.getLogger(__name__)

UPGRADE_DEADLINE = 10.0
LINGER_DEADLINE = 2.0
"""Seconds that a client has to close after us."""

_DISCARD = 64 * 1024
_QUEUE = 16
_KEY_SIZE = 16
"""Bytes, by section 4.2.1 of RFC 6455."""

SocketHandler = Callable[[WebSocket], Awaitable[None]]
Listeners = list[trio.SocketListener] | list[trio.SSLListener[trio.SocketStream]]


@attrs.frozen
class Site:
    """What a port offers.

    :param http: answers GET and HEAD requests.
    :param sockets: owns a WebSocket while it lives, by path.
    """

    http: Handler
    sockets: dict[str, SocketHandler] = attrs.field(factory=dict)


async def open_port(host: str, port: int, tls: ssl.SSLContext | None = None) -> Listeners:
    """Listen; port 0 takes a free one. Raises InputError."""
    if not 0 <= port <= 65535:
        raise InputError(f"there is no port {port}; choose one from 0 to 65535")
    try:
        listeners = await trio.open_tcp_listeners(port, host=host)
    except OSError as exc:
        raise InputError(f"can't listen on {host}:{port}: {_why(exc)}") from exc
    except UnicodeError as exc:  # of a name that can't be looked up at all
        raise InputError(f"can't listen on {host!r}: no host can have this name") from exc
    if tls is None:
        return listeners
    return [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]


def _why(exc: OSError) -> str:
    match exc.errno:
        case errno.EADDRINUSE:
            return "the port is taken; stop what uses it, or choose another (0 takes a free one)"
        case errno.EACCES:
            return "not allowed; ports below 1024 need privileges"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return str(exc)


def port_of(listeners: Listeners) -> int:
    """The port that is listened on."""
    listener = listeners[0]
    inner = listener.transport_listener if isinstance(listener, trio.SSLListener) else listener
    assert isinstance(inner, trio.SocketListener)
    port: int = inner.socket.getsockname()[1]
    return port


async def serve_site(
    site: Site,
    listeners: Listeners,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled."""
    serve: Any = trio.serve_listeners  # its type parameters don't allow for either kind of listener
    await serve(partial(_serve_connection, site), listeners, task_status=task_status)


async def _serve_connection(site: Site, stream: trio.abc.HalfCloseableStream) -> None:
    try:
        await _serve_requests(site, stream)
        with trio.move_on_after(LINGER_DEADLINE):
            await _linger(stream)
    except Exception:
        log.exception("a connection failed; it is closed, the others go on")
    finally:
        await trio.aclose_forcefully(stream)


async def _linger(stream: trio.abc.HalfCloseableStream) -> None:
    """Wait for the client to close, too.

    A socket that is closed with input unread sends a reset, which can overtake the last answer:
    https://www.rfc-editor.org/rfc/rfc9112#section-9.6.
    """
    transport = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await transport.send_eof()
        while await transport.receive_some(_DISCARD):
            pass


async def _serve_requests(site: Site, stream: trio.abc.HalfCloseableStream) -> None:
    connection = HttpConnection(stream)
    go_on = True
    while go_on and (request := await connection.next_request()) is not None:
        if request.headers.get("upgrade", "").lower() == "websocket":
            await _upgrade(site, stream, connection, request)
            return
        if request.method not in ("GET", "HEAD"):
            response = refuse(405, "", ("allow", "GET, HEAD"))
        elif request.path in site.sockets:
            response = refuse(426, "This path speaks WebSocket only.", ("upgrade", "websocket"))
        else:
            response = await site.http(request)
        go_on = await connection.respond(response, head_only=request.method == "HEAD")


async def _upgrade(
    site: Site, stream: trio.abc.HalfCloseableStream, connection: HttpConnection, request: Request
) -> None:
    handler = site.sockets.get(request.path)
    if handler is None:
        await connection.respond(refuse(404, "No WebSocket is served at this path."))
        return
    if not _is_sound(request.headers):
        await connection.respond(refuse(400))
        return
    replay = _Replay(connection.raw, stream)
    try:
        async with open_websocket(
            partial(_accept, replay), peer="the client", deadline=UPGRADE_DEADLINE
        ) as socket:
            await handler(socket)
    except ConnectError as exc:
        log.info("an upgrade failed: %s", exc)


def _is_sound(headers: Mapping[str, str]) -> bool:
    """Whether a head has nothing in it that wsproto dies of without an answer, or lets pass."""
    try:
        for value in headers.values():
            value.encode("ascii")
        headers.get("host", "").encode().decode("idna")
        key = b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except ValueError:  # UnicodeError and binascii.Error
        return False
    return len(key) == _KEY_SIZE


async def _accept(stream: "_Replay", nursery: trio.Nursery) -> WebSocketConnection:
    request = await wrap_server_stream(
        nursery,
        cast("trio.SocketStream", stream),
        message_queue_size=_QUEUE,
        max_message_size=MAX_FRAME,
    )
    return await request.accept()


class _Replay(trio.abc.HalfCloseableStream):
    """A stream whose first bytes have been read already."""

    def __init__(self, prefix: bytes, stream: trio.abc.HalfCloseableStream) -> None:
        self._prefix = prefix
        self._stream = stream

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        if not self._prefix:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        size = len(self._prefix) if max_bytes is None else max_bytes
        part, self._prefix = self._prefix[:size], self._prefix[size:]
        return part

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()
