"""TCP to a TURN server through a proxy, and TLS inside it."""

import asyncio
import ssl
from typing import TypeVar

from imgsync.core.network.proxies import Destination, Proxy, as_address
from imgsync.core.network.tunnel import Tunnel
from imgsync.core.protocol.errors import ImgsyncError, ProxyFailed
from imgsync.environment import trusted_context
from imgsync.rtc.names import resolve

P = TypeVar("P", bound=asyncio.Protocol)


class _Asking(asyncio.Protocol):
    """Speaks to the proxy until it lets us through."""

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._transport: asyncio.Transport | None = None
        self.through: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._tunnel.request)

    def data_received(self, data: bytes) -> None:
        self._hear(data)

    def eof_received(self) -> None:
        self._hear(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._hear(b"")

    def _hear(self, data: bytes) -> None:
        if self.through.done():
            return
        try:
            if self._tunnel.receive(data):
                self.through.set_result(None)
        except ImgsyncError as exc:
            self.through.set_exception(exc)


async def connect_through(
    proxy: Proxy, destination: Destination, protocol: P, tls: ssl.SSLContext | None
) -> P:
    """Connect a protocol to a server. Raises ProxyFailed, InputError, OSError and SSLError.

    :param tls: whom to trust, where TLS is to be spoken with the server.
    """
    loop = asyncio.get_running_loop()
    # To read all the authorities takes 20 ms, which the loop does not have.
    context = await asyncio.to_thread(trusted_context, for_http=False) if proxy.tls else None
    try:
        is_name = as_address(proxy.host) is None
        address = await resolve(proxy.host) if is_name else proxy.host
        transport, asking = await loop.create_connection(
            lambda: _Asking(Tunnel(proxy, destination)),
            address,
            proxy.port,
            ssl=context,
            server_hostname=proxy.host if proxy.tls else None,
        )
    except (OSError, ssl.SSLError) as exc:
        raise ProxyFailed(f"the proxy {proxy} can't be reached: {exc.strerror or exc}") from exc
    try:
        await asking.through
        transport.set_protocol(protocol)
        inner: asyncio.Transport | None = transport
        if tls is not None:
            host = destination.host
            inner = await loop.start_tls(transport, protocol, tls, server_hostname=host)
        assert inner is not None
    except BaseException:
        transport.abort()
        raise
    protocol.connection_made(inner)
    return protocol
