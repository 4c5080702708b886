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
from imgsync.core.network.proxies import Destination, Proxy, as_address, is_never_proxied
from imgsync.core.network.reach import RelayPlace
from imgsync.core.network.tunnel import Tunnel
from imgsync.core.protocol.errors import (
    ConnectRefused,
    ConnectTimeout,
    InputError,
    ProxyFailed,
    TlsFailed,
    UpgradeRefused,
)
from imgsync.environment import proxy_towards, trusted_context
from imgsync.net.hosts import in_url, with_port
from imgsync.net.http import fold
from imgsync.net.limits import NetLimits
from imgsync.net.pace import PacedStream
from imgsync.net.pinger import open_pinger
from imgsync.net.queues import QUEUE_SIZE
from imgsync.net.refusals import refused_upgrade
from imgsync.net.websocket import Reader, WebSocket, open_websocket

SOCKET_DEADLINE = 10.0
"""Seconds for name, TCP and TLS together, and once more for the WebSocket handshake."""

_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL")
"""What OpenSSL, of whatever version, says where the first bytes are none of TLS."""

_LIMITS = NetLimits(max_message=MAX_RELAY_FRAME)

_READ_SIZE = 4096

_TEST_NET = "192.0.2.1"
"""Nobody's (RFC 5737), so the way there is the one to all that is elsewhere."""

ClientStream = trio.SocketStream | trio.SSLStream[trio.abc.Stream]


@attrs.frozen
class Target:
    """The parts of a relay's URL."""

    host: str
    port: int
    tls: bool
    resource: str

    @property
    def destination(self) -> Destination:
        """Where to connect to."""
        return Destination("wss" if self.tls else "ws", self.host, self.port)

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
    # A zone is written with its mark encoded (RFC 6874), or as it is.
    host = parts.hostname.replace("%25", "%") if ":" in parts.hostname else parts.hostname
    tls = parts.scheme == "wss"
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # wsproto takes ASCII alone; as in browsers, what is quoted already stays as it is.
    quoted = quote(resource, safe=string.punctuation)
    return Target(host, port or (443 if tls else 80), tls, quoted)


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

    :param tls: for wss; by default see `trusted_context`.
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
    """TCP, through a proxy where the environment names one, and TLS where the target asks for it.

    Raises one of the ConnectErrors, and InputError for what the environment says.
    """
    proxy = proxy_towards(target.destination)
    # Read before the clock runs; to do so can take a moment.
    context = (tls or trusted_context()) if target.tls else None
    with trio.move_on_after(deadline):
        stream = await (_open_tcp(target, url) if proxy is None else _open_tunnel(target, proxy))
        if context is None:
            return stream
        try:
            return await _encrypt(stream, context, target.host)
        except (trio.BrokenResourceError, ssl.SSLError) as exc:
            why = exc.__cause__ or exc
            advice = "is its certificate trusted here, and is it wss or ws?"
            if getattr(why, "reason", None) in _NO_TLS:
                advice = "what answers speaks no TLS: its URL begins with ws:// then"
            elif isinstance(why, ssl.SSLCertVerificationError):
                advice = "is its certificate trusted here, and for this very name?"
            if proxy is not None:
                advice += f" The proxy {proxy} may show one of its own: name its authority's"
                advice += " in SSL_CERT_FILE"
            raise TlsFailed(f"no TLS with {url}: {why}; {advice}") from exc
    by = "" if proxy is None else f", through the proxy {proxy},"
    raise ConnectTimeout(f"no answer from {url}{by} within {deadline:g} s")


async def _open_tcp(target: Target, url: str) -> trio.SocketStream:
    try:
        return await trio.open_tcp_stream(target.host, target.port)
    except OSError as exc:
        raise ConnectRefused(f"no relay at {url}: {_why(exc)}; is it running?") from exc


@asynccontextmanager
async def open_proxy(proxy: Proxy, target: Target | None, deadline: float) -> AsyncIterator[None]:
    """Own a connection to a proxy. Raises ProxyFailed, ConnectTimeout and InputError.

    :param target: where it is to let us through to; None for a look whether it is there.
    """
    with trio.move_on_after(deadline) as patience:
        stream = await (_open_proxy(proxy) if target is None else _open_tunnel(target, proxy))
    if patience.cancelled_caught:
        raise ConnectTimeout(f"no answer from the proxy {proxy} within {deadline:g} s")
    try:
        yield
    finally:
        await trio.aclose_forcefully(stream)


async def _open_proxy(proxy: Proxy) -> ClientStream:
    context = trusted_context() if proxy.tls else None
    try:
        stream = await trio.open_tcp_stream(proxy.host, proxy.port)
    except OSError as exc:
        raise ProxyFailed(f"the proxy {proxy} can't be reached: {_why(exc)}") from exc
    if context is None:
        return stream
    try:
        return await _encrypt(stream, context, proxy.host)
    except (trio.BrokenResourceError, ssl.SSLError) as exc:
        why = exc.__cause__ or exc
        raise ProxyFailed(f"no TLS with the proxy {proxy}: {why}") from exc


async def _open_tunnel(target: Target, proxy: Proxy) -> ClientStream:
    stream = await _open_proxy(proxy)
    tunnel = Tunnel(proxy, target.destination)
    try:
        await stream.send_all(tunnel.request)
        while not tunnel.receive(bytes(await stream.receive_some(_READ_SIZE))):
            pass
    except trio.BrokenResourceError as exc:
        await trio.aclose_forcefully(stream)
        raise ProxyFailed(f"the proxy {proxy} broke off: {exc.__cause__ or exc}") from exc
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


async def _encrypt(
    stream: trio.abc.Stream, context: ssl.SSLContext, host: str
) -> trio.SSLStream[trio.abc.Stream]:
    """TLS on a stream, which is closed where there is none."""
    encrypted = trio.SSLStream(stream, context, server_hostname=host, https_compatible=True)
    try:
        await encrypted.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(encrypted)
        raise
    return encrypted


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

    Where a proxy is on the way, the one that faces the proxy, as the relay's name may be known
    to the proxy alone; and where that is on this machine, the one that faces all others.

    Raises InputError for the URL and ConnectRefused where the name or the way is unknown.
    """
    target = parse_relay_url(url)
    proxy = proxy_towards(target.destination)
    try:
        if proxy is None:
            return await _address_towards(target.host, target.port)
        if not is_never_proxied(proxy.host):
            return await _address_towards(proxy.host, proxy.port)
    except OSError as exc:
        what = f"the relay at {url}" if proxy is None else f"the proxy {proxy}"
        raise ConnectRefused(f"no way to {what}: {_why(exc)}") from exc
    try:
        return await _address_towards(_TEST_NET, target.port)
    except OSError:
        return "127.0.0.1"


async def place_of_relay(url: str) -> RelayPlace:
    """Where it is; nothing is sent. Raises InputError for the URL and the environment."""
    target = parse_relay_url(url)
    if proxy_towards(target.destination) is not None:
        # Who is behind the proxy alone can't say where a name leads.
        address = as_address(target.host)
        return RelayPlace(target.tls, target.host, None if address is None else str(address))
    try:
        found = await trio.socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
    except OSError:
        return RelayPlace(target.tls, target.host, None)
    return RelayPlace(target.tls, target.host, str(found[0][4][0]))


async def _address_towards(host: str, port: int) -> str:
    found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    failures: list[OSError] = []
    for family, kind, protocol, _, sockaddr in found:
        try:
            with trio.socket.socket(family, kind, protocol) as probe:
                await probe.connect(sockaddr)
                address: str = probe.getsockname()[0]
                return address
        except OSError as exc:  # of a family that this machine has no way for
            failures.append(exc)
    raise failures[-1]
