"""Connect to a relay within a deadline, with an error for each way in which it can fail.

trio-websocket's own connect hides every cause behind a time-out and does not keep its deadline
where a server stays silent; so the stream is opened here and owned until the end.
"""

import socket
import ssl
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast
from urllib.parse import quote, urlsplit

import attrs
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    WebSocketConnection,
    wrap_client_stream,
)

from imgsync.core.codec.codec import MAX_RELAY_FRAME
from imgsync.core.protocol.errors import (
    ConnectRefused,
    ConnectTimeout,
    InputError,
    TlsFailed,
    UpgradeRefused,
)
from imgsync.net.hosts import in_url, with_port
from imgsync.net.http import fold
from imgsync.net.limits import NetLimits
from imgsync.net.pace import PacedStream
from imgsync.net.pinger import open_pinger
from imgsync.net.refusals import refused_upgrade
from imgsync.net.websocket import QUEUE_SIZE, Reader, WebSocket, open_websocket

SOCKET_DEADLINE = 10.0
"""Seconds for name, TCP and TLS together, and once more for the WebSocket handshake."""

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""What OpenSSL, of whatever version, says where the first bytes are none of TLS."""

_LIMITS = NetLimits(max_message=MAX_RELAY_FRAME)

ClientStream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


@attrs.frozen
class Target:
    """The parts of a relay's URL."""

    host: str
    port: int
    tls: bool
    resource: str

    @property
    def host_header(self) -> str:
        """What stands in `Host:`."""
        is_usual = self.port == (443 if self.tls else 80)
        return in_url(self.host) if is_usual else with_port(self.host, self.port)


def parse_relay_url(url: str) -> Target:
    """Take a ws:// or wss:// URL apart. Raises InputError."""
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")  # name look-up lets this one's UnicodeError through
    except ValueError as exc:
        raise InputError(f"the relay's URL {url!r} can't be read: {exc}") from None
    if parts.scheme not in ("ws", "wss") or not parts.hostname or port == 0:
        raise InputError(
            f"the relay's URL {url!r} is not of the form ws://HOST:PORT/ws or wss://HOST/ws"
        )
    if "@" in parts.netloc:  # which is not repeated: it may be a password
        raise InputError(
            f"the relay's URL has something before {parts.hostname!r} that no relay asks for;"
            " a token is given with --token-file, --token or IMGSYNC_TOKEN"
        )
    tls = parts.scheme == "wss"
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # wsproto takes ASCII alone; as in browsers, what is quoted already stays as it is.
    quoted = quote(resource, safe=string.punctuation)
    return Target(parts.hostname, port or (443 if tls else 80), tls, quoted)


@asynccontextmanager
async def open_relay_socket(
    url: str,
    *,
    tls: ssl.SSLContext | None = None,
    connect_deadline: float = SOCKET_DEADLINE,
    origin: str | None = None,
) -> AsyncIterator[WebSocket]:
    """Own a WebSocket to the relay.

    Raises InputError for the URL and one of the ConnectErrors, each within its deadline.

    :param tls: for wss; by default the system's certificates are trusted.
    :param origin: what a browser would say of a page.
    """
    target = parse_relay_url(url)
    stream = await open_stream(target, url, tls, connect_deadline)
    paced = PacedStream(stream, _LIMITS.write_deadline)
    handshake = partial(
        _shake_hands,
        target=target,
        stream=paced,
        peer=url,
        deadline=connect_deadline,
        headers=[] if origin is None else [(b"Origin", origin.encode("latin-1"))],
    )
    try:
        async with (
            open_pinger() as pinger,
            open_websocket(handshake, paced, limits=_LIMITS, pinger=pinger) as socket,
        ):
            yield socket
    finally:
        # trio-websocket leaves the stream to the garbage collector where the server closes first.
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(stream)


async def open_stream(
    target: Target, url: str, tls: ssl.SSLContext | None, deadline: float
) -> ClientStream:
    """TCP, and TLS where the target asks for it. Raises one of the ConnectErrors."""
    stream: ClientStream
    with trio.move_on_after(deadline):
        try:
            stream = await trio.open_tcp_stream(target.host, target.port)
        except OSError as exc:
            raise ConnectRefused(f"no relay at {url}: {_why(exc)}; is it running?") from exc
        if not target.tls:
            return stream
        context = tls or ssl.create_default_context()
        stream = trio.SSLStream(stream, context, server_hostname=target.host, https_compatible=True)
        try:
            await stream.do_handshake()
        except (trio.BrokenResourceError, ssl.SSLError) as exc:
            await trio.aclose_forcefully(stream)
            why = exc.__cause__ or exc
            advice = "is its certificate trusted here, and is it wss or ws?"
            if getattr(why, "reason", None) in _NO_TLS:
                advice = "what answers speaks no TLS: its URL begins with ws:// then"
            elif isinstance(why, ssl.SSLCertVerificationError):
                advice = "is its certificate trusted here, and for this very name?"
            raise TlsFailed(f"no TLS with {url}: {why}; {advice}") from exc
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream
    raise ConnectTimeout(f"no answer from {url} within {deadline:g} s")


async def _shake_hands(
    reader: Reader,
    *,
    target: Target,
    stream: PacedStream,
    peer: str,
    deadline: float,
    headers: list[tuple[bytes, bytes]],
) -> WebSocketConnection:
    closed: Exception | None = None
    with trio.move_on_after(deadline) as timeout, trio.CancelScope() as scope:
        # Without its reader the handshake would wait for its answer for ever.
        reader.on_end = lambda failure: scope.cancel()
        try:
            return await wrap_client_stream(
                cast("trio.Nursery", reader),
                cast("trio.SocketStream", stream),
                target.host_header,
                target.resource,
                extra_headers=headers,
                message_queue_size=QUEUE_SIZE,
                max_message_size=_LIMITS.max_message,
            )
        except ConnectionClosed as exc:
            closed = exc
    if timeout.cancelled_caught:
        raise ConnectTimeout(f"{peer} did not complete the WebSocket handshake in {deadline:g} s")
    match reader.failure:
        case ConnectionRejected(status_code=status, headers=answered) as refusal:
            raise refused_upgrade(peer, status, fold(answered)) from refusal
        case None:
            why = "closed the connection during the WebSocket handshake"
            advice = "is it a relay, and is it ws or wss?"
        case _:
            why = "answered, but not with a WebSocket"
            advice = "is it a relay, and is it ws or wss?"
    raise UpgradeRefused(f"{peer} {why}; {advice}") from (reader.failure or closed)


def _why(exc: OSError) -> str:
    """The innermost reason; happy eyeballs wraps what each address said in a group."""
    inner: BaseException = exc
    while inner.__cause__ is not None:
        inner = inner.__cause__
    if isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return getattr(inner, "strerror", None) or str(inner)


async def local_address_towards_relay(url: str) -> str:
    """The local address that connections to the relay come from; nothing is sent.

    Raises InputError for the URL and ConnectRefused where the name or the way is unknown.
    """
    target = parse_relay_url(url)
    try:
        found = await trio.socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, sockaddr = found[0]
        with trio.socket.socket(family, kind, protocol) as probe:
            await probe.connect(sockaddr)
            address: str = probe.getsockname()[0]
            return address
    except OSError as exc:
        raise ConnectRefused(f"no way to the relay at {url}: {_why(exc)}") from exc
