"""One port for plain HTTP and WebSocket; a hostile connection hurts nobody but itself.

h11 reads each head. What is not an upgrade is answered; after an upgrade, the frames are
trio-websocket's, and nothing is kept of h11. Each connection is a task inside a try/except of its
own, so that whatever goes wrong in it, in our code or a library's, ends with it.
"""

import errno
import ipaddress
import logging
import math
from base64 import b64decode
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import attrs
import trio
from wsproto.handshake import WEBSOCKET_VERSION
from wsproto.utilities import generate_accept_token

from imgsync.core.relay.limits import network_of
from imgsync.net.held import Held
from imgsync.net.http import Handler, HttpConnection, Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.pace import PacedStream
from imgsync.net.pinger import Pinger, open_pinger
from imgsync.net.ports import Listeners
from imgsync.net.websocket import WebSocket, open_websocket, take_over

log = logging.getLogger(__name__)

LINGER_DEADLINE = 2.0
"""Seconds that a client has to close after us; one that is turned away has no more in all."""

MAX_LEAVING = 32
"""Connections that get an answer while they are turned away; each has a descriptor meanwhile."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Retry-After: 10\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

_SIGNS = frozenset(("origin", "via", "forwarded", "x-forwarded-for"))
"""Of a page, or of a proxy on the way."""

ACCEPT_PAUSE = 0.1
"""Seconds until a connection is taken after all, where there was no descriptor for it."""

_COMPLAINT_INTERVAL = 60.0
"""Seconds between two complaints of that."""

_NO_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))

_DISCARD = 64 * 1024
_KEY_SIZE = 16
"""Bytes, by section 4.2.1 of RFC 6455."""

SocketHandler = Callable[[WebSocket, Request], Awaitable[None]]


@attrs.define
class Streams:
    """How many TCP connections a port has.

    :param open: without those that are turned away.
    :param leaving: those that are being turned away.
    :param by_address: of each address that is no proxy; an IPv6 address counts as its /64.
    """

    open: int = 0
    leaving: int = 0
    by_address: Counter[str] = attrs.field(factory=Counter)
    #: Those that wait for a request, the longest first, each with its address.
    _idle: dict[trio.CancelScope, str] = attrs.field(factory=dict, init=False)

    @contextmanager
    def idle(self, address: str) -> Iterator[None]:
        """A connection waits for a request meanwhile. Raises _GaveWay."""
        with trio.CancelScope() as scope:
            self._idle[scope] = address
            try:
                yield
            finally:
                self._idle.pop(scope, None)
        if scope.cancelled_caught:
            raise _GaveWay

    def close_idle(self, address: str | None = None) -> bool:
        """Have the one closed that has waited longest, of this address or any; if there is one."""
        for scope, of in self._idle.items():
            if address in (None, of):
                del self._idle[scope]
                scope.cancel()
                return True
        return False


class _GaveWay(Exception):
    """A connection on which nothing was asked for is closed in favour of another."""


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own, where a reverse proxy may stand."""
    return ipaddress.ip_address(address).is_loopback


def _allow_all(request: Request) -> None:
    return None


def _ignore(reason: str) -> None:
    return None


def _ignore_that() -> None:
    return None


def _ignore_whom(reason: str, remote: str) -> None:
    return None


@attrs.frozen
class Site:
    """What a port offers.

    :param http: answers GET and HEAD requests.
    :param sockets: owns a WebSocket while it lives, by path.
    :param may_upgrade: asked before a request becomes a WebSocket; what it returns is sent instead.
    :param on_shed: told of each WebSocket that was closed because all together held too much.
    :param streams: kept by `serve_site`, for whoever wants to know.
    :param is_proxy: whether an address stands for many people, and is not limited as one.
    :param on_refused: told of who came no further: `full` (there were too many TCP connections),
        `address_full` (of one address) or `head` (no head, one too long or too slow).
    :param on_turned_away: told the same, with the address that it came from, and `upgrade` (a
        WebSocket without the headers Upgrade and Connection, which a proxy has kept).
    """

    http: Handler
    sockets: dict[str, SocketHandler] = attrs.field(factory=dict)
    may_upgrade: Callable[[Request], Response | None] = _allow_all
    limits: NetLimits = attrs.field(factory=NetLimits)
    on_refused: Callable[[str], None] = _ignore
    is_proxy: Callable[[str], bool] = is_loopback
    on_turned_away: Callable[[str, str], None] = _ignore_whom
    on_shed: Callable[[], None] = _ignore_that
    streams: Streams = attrs.field(factory=Streams, init=False)
    held: Held = attrs.field(init=False)

    @held.default
    def _hold_nothing(self) -> Held:
        return Held(self.limits.outbox_total, self.on_shed)

    def turned_away(self, reason: str, remote: str) -> None:
        """Somebody came no further."""
        self.on_refused(reason)
        self.on_turned_away(reason, remote)


async def serve_site(
    site: Site,
    listeners: Listeners,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled."""
    serve: Any = trio.serve_listeners  # its type parameters don't allow for either kind of listener
    patient = [_PatientListener(listener, site) for listener in listeners]
    async with open_pinger() as pinger:
        await serve(partial(_serve_stream, site, pinger), patient, task_status=task_status)


class _PatientListener(trio.abc.Listener[trio.abc.HalfCloseableStream]):
    """Goes on where there was no descriptor for a connection. Trio's would write a traceback each
    time that it looks, ten in a second."""

    def __init__(self, listener: trio.abc.Listener[Any], site: Site) -> None:
        self._listener = listener
        self._site = site
        self._complains_at = -math.inf

    async def accept(self) -> trio.abc.HalfCloseableStream:
        while True:
            try:
                stream: trio.abc.HalfCloseableStream = await self._listener.accept()
                return stream
            except OSError as exc:
                if exc.errno not in _NO_ROOM:
                    raise
                self._complain(exc)
            if self._site.limits.idle_gives_way:
                self._site.streams.close_idle()
            await trio.sleep(ACCEPT_PAUSE)

    def _complain(self, exc: OSError) -> None:
        now = trio.current_time()
        if now >= self._complains_at:
            self._complains_at = now + _COMPLAINT_INTERVAL
            log.warning("connections can't be taken now, and wait: %s", exc.strerror)

    async def aclose(self) -> None:
        await self._listener.aclose()


async def _serve_stream(site: Site, pinger: Pinger, stream: trio.abc.HalfCloseableStream) -> None:
    streams = site.streams
    remote = _remote_of(stream)
    address = "" if remote is None else network_of(remote)
    try:
        if remote is None:
            return
        refusal = _find_no_room(site, remote, address)
        if refusal is not None and not _gives_way(site, refusal, address):
            site.turned_away(refusal, remote)
            await _turn_away(streams, stream)
            return
        streams.open += 1
        streams.by_address[address] += 1
        try:
            await _serve_connection(site, pinger, stream, remote)
        finally:
            streams.open -= 1
            streams.by_address[address] -= 1
            if not streams.by_address[address]:
                del streams.by_address[address]
    except _GaveWay:
        pass
    except Exception:
        log.exception("a connection failed; it is closed, the others go on")
    finally:
        await trio.aclose_forcefully(stream)


def _find_no_room(site: Site, remote: str, address: str) -> str | None:
    if site.streams.open >= site.limits.max_streams:
        return "full"
    is_crowded = site.streams.by_address[address] >= site.limits.max_streams_per_address
    return "address_full" if is_crowded and not site.is_proxy(remote) else None


def _gives_way(site: Site, refusal: str, address: str) -> bool:
    """Whether another connection makes room."""
    whose = address if refusal == "address_full" else None
    return site.limits.idle_gives_way and site.streams.close_idle(whose)


async def _turn_away(streams: Streams, stream: trio.abc.HalfCloseableStream) -> None:
    if streams.leaving >= MAX_LEAVING:
        return
    streams.leaving += 1
    try:
        with trio.move_on_after(LINGER_DEADLINE), suppress(trio.BrokenResourceError):
            await stream.send_all(_FULL)
            await _linger(stream)
    finally:
        streams.leaving -= 1


async def _serve_connection(
    site: Site, pinger: Pinger, stream: trio.abc.HalfCloseableStream, remote: str
) -> None:
    paced = PacedStream(stream, site.limits.write_deadline)
    upgrade = await _serve_requests(site, HttpConnection(paced, remote, site.limits))
    if upgrade is None:
        with trio.move_on_after(LINGER_DEADLINE):
            await _linger(stream)
        return
    limits, account = site.limits, site.held.open()
    handshake = partial(
        take_over, stream=paced, early=upgrade.early, limits=limits, account=account
    )
    async with open_websocket(
        handshake, paced, limits=limits, pinger=pinger, account=account
    ) as socket:
        await site.sockets[upgrade.request.path](socket, upgrade.request)


def _transport_of(stream: trio.abc.HalfCloseableStream) -> trio.abc.HalfCloseableStream:
    """The TCP connection, below TLS or not."""
    if isinstance(stream, trio.SSLStream):
        below: trio.abc.HalfCloseableStream = stream.transport_stream
        return below
    return stream


def _remote_of(stream: trio.abc.HalfCloseableStream) -> str | None:
    """The address that a TCP connection comes from; None where it has been reset already."""
    transport = _transport_of(stream)
    assert isinstance(transport, trio.SocketStream)
    try:
        host = transport.socket.getpeername()[0]
    except OSError:
        return None
    address = ipaddress.ip_address(host)
    return str(getattr(address, "ipv4_mapped", None) or address)


async def _linger(stream: trio.abc.HalfCloseableStream) -> None:
    """Wait for the client to close, too.

    A socket that is closed with input unread sends a reset, which can overtake the last answer:
    https://www.rfc-editor.org/rfc/rfc9112#section-9.6.
    """
    transport = _transport_of(stream)
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await transport.send_eof()
        while await transport.receive_some(_DISCARD):
            pass


@attrs.frozen
class _Upgrade:
    """A request that was answered with 101, and what came in behind it."""

    request: Request
    early: bytes


async def _serve_requests(site: Site, connection: HttpConnection) -> _Upgrade | None:
    go_on, address = True, network_of(connection.remote)
    while go_on:
        with site.streams.idle(address):
            request = await connection.next_request()
        if request is None:
            break
        if "websocket" in _tokens_of(request.headers, "upgrade"):
            return await _upgrade(site, connection, request)
        if request.method not in ("GET", "HEAD"):
            response = refuse(405, "", ("allow", "GET, HEAD"))
        elif request.path in site.sockets:
            response = refuse(426, "This path speaks WebSocket only.", ("upgrade", "websocket"))
            _tell_of_proxy(site, request)
        else:
            response = await site.http(request)
        go_on = await connection.respond(response, head_only=request.method == "HEAD")
    if connection.fault is not None:
        site.turned_away("head", connection.remote)
    return None


async def _upgrade(site: Site, connection: HttpConnection, request: Request) -> _Upgrade | None:
    refusal = _find_fault(site, request) or site.may_upgrade(request)
    if refusal is not None:
        if request.path in site.sockets and not _asks_to_switch(request.headers):
            _tell_of_proxy(site, request)
        await connection.respond(refusal, last=True)
        return None
    key = request.headers["sec-websocket-key"].encode()
    early = await connection.switch(
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-accept", generate_accept_token(key).decode()),
    )
    return None if early is None else _Upgrade(request, early)


def _find_fault(site: Site, request: Request) -> Response | None:
    """What is wrong with a request for an upgrade, by section 4.2.1 of RFC 6455."""
    if request.path not in site.sockets:
        return refuse(404, "No WebSocket is served at this path.")
    headers = request.headers
    if request.method != "GET" or not (_asks_to_switch(headers) and _is_sound(headers)):
        return refuse(400)
    version = WEBSOCKET_VERSION.decode()
    match headers.get("sec-websocket-version"):
        case None:
            return refuse(400)
        case found if found != version:
            return refuse(426, "", ("sec-websocket-version", version))
    return None


def _tokens_of(headers: Mapping[str, str], name: str) -> set[str]:
    """A list: a proxy may add what it speaks itself, as `h2c` (RFC 9110, section 7.8)."""
    return {token.strip() for token in headers.get(name, "").lower().split(",")}


def _tell_of_proxy(site: Site, request: Request) -> None:
    """A proxy keeps the headers that concern this connection alone, and passes on the key."""
    headers = request.headers
    # Without any of these it is no proxy that says so, and nobody's page that waits behind it.
    if "sec-websocket-key" in headers and not _SIGNS.isdisjoint(headers):
        site.on_turned_away("upgrade", request.remote)


def _asks_to_switch(headers: Mapping[str, str]) -> bool:
    return "upgrade" in _tokens_of(headers, "connection")


def _is_sound(headers: Mapping[str, str]) -> bool:
    """Whether the key is one, and no body follows."""
    try:
        key = b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except ValueError:  # binascii.Error
        return False
    has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    return len(key) == _KEY_SIZE and not has_body
