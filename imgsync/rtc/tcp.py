"""TCP to a TURN server, and TLS on it; through a proxy where the environment names one."""

import asyncio
import ssl
from functools import partial
from typing import TypeVar

from imgsync.core.network.proxies import Destination, Proxy
from imgsync.core.network.tunnel import Tunnel
from imgsync.core.protocol.errors import ImgsyncError, ProxyFailed
from imgsync.environment import proxy_towards, trusted_context
from imgsync.rtc.names import first_answer, resolve
from imgsync.rtc.servers import TurnServer

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


def proxy_to(server: TurnServer) -> Proxy | None:
    """The proxy on the way to a server, which may alone know its name. Raises InputError."""
    return proxy_towards(_destination(server)) if server.transport == "tcp" else None


def _destination(server: TurnServer) -> Destination:
    return Destination("turns" if server.tls else "turn", server.host, server.port)


async def connect_tcp(
    server: TurnServer, address: tuple[str, int], proxy: Proxy | None, protocol: P
) -> P:
    """Connect a protocol to a server. Raises ProxyFailed, InputError, OSError and SSLError.

    :param address: the server's, where no proxy is on the way.
    """
    loop = asyncio.get_running_loop()
    tls = await _load_trust() if server.tls else None
    if proxy is not None:
        await _connect_through(proxy, _destination(server), protocol, tls)
    else:
        name = server.host if server.tls else None
        await loop.create_connection(lambda: protocol, *address, ssl=tls, server_hostname=name)
    return protocol


async def _load_trust() -> ssl.SSLContext:
    # To read all the authorities takes 20 ms, which the loop does not have.
    return await asyncio.to_thread(trusted_context, for_http=False)


async def _connect_through(
    proxy: Proxy, destination: Destination, protocol: asyncio.Protocol, tls: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    context = await _load_trust() if proxy.tls else None

    async def ask_at(address: str) -> tuple[asyncio.Transport, _Asking]:
        return await loop.create_connection(
            lambda: _Asking(Tunnel(proxy, destination)),
            address,
            proxy.port,
            ssl=context,
            server_hostname=proxy.host if proxy.tls else None,
        )

    try:
        tries = [partial(ask_at, address) for address in await resolve(proxy.host)]
        transport, asking = await first_answer(tries, lambda unused: unused[0].abort())
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
