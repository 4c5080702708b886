"""Ports to listen on, found free or taken by number."""

import errno
import ssl

import trio

from imgsync.core.protocol.errors import InputError
from imgsync.net.hosts import with_port

_BACKLOG = 128
"""Connections that wait to be taken; systems have limits of their own on it."""

_MOST_PASSED_OVER = 64
"""Free ports that were not free for each address; the next one is no more likely to be."""

_NO_SUCH_FAMILY = frozenset((errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL))

Listeners = list[trio.SocketListener] | list[trio.SSLListener[trio.SocketStream]]


class TakenPort:
    """A port that nobody listens on yet: who tries to connect is refused. Made by `take_port`."""

    def __init__(self, socket: trio.socket.SocketType) -> None:
        self._socket = socket

    @property
    def number(self) -> int:
        """Which it is."""
        number: int = self._socket.getsockname()[1]
        return number

    def listen(self) -> Listeners:
        """From now on connections come in; who serves them closes it. Once."""
        self._socket.listen(_BACKLOG)
        return [trio.SocketListener(self._socket)]

    def close(self) -> None:
        """Give it back; any number of times, also behind `listen`."""
        self._socket.close()


async def take_port(host: str) -> TakenPort:
    """A free port of this address, or of the first one of this name. Raises InputError."""
    socket = None
    try:
        found = await trio.socket.getaddrinfo(host, 0, type=trio.socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        socket = trio.socket.socket(family, kind, protocol)
        await socket.bind(address)
    except (OSError, UnicodeError) as exc:
        if socket is not None:
            socket.close()
        why = _why(exc) if isinstance(exc, OSError) else "no host can have this name"
        raise InputError(f"can't listen on {host}: {why}") from exc
    return TakenPort(socket)


async def open_port(host: str, port: int, tls: ssl.SSLContext | None = None) -> Listeners:
    """Listen on all addresses of this host, of `::` on those of both families.

    :param port: 0 takes one that is free for each of them.
    :raises InputError: there is no such port or host, or somebody listens there.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"there is no port {port}; choose one from 0 to 65535")
    try:
        listeners = await _listen_on_one_port(await _addresses_of(host), port)
    except OSError as exc:
        raise InputError(f"can't listen on {with_port(host, port)}: {_why(exc)}") from exc
    except UnicodeError as exc:  # of a name that can't be looked up at all
        raise InputError(f"can't listen on {host!r}: no host can have this name") from exc
    if tls is None:
        return listeners
    return [trio.SSLListener(one, tls, https_compatible=True) for one in listeners]


async def _addresses_of(host: str) -> tuple[str, ...]:
    if host == "::":
        return host, "0.0.0.0"  # Trio has each socket serve one family
    found = await trio.socket.getaddrinfo(host, 0, type=trio.socket.SOCK_STREAM)
    return tuple(dict.fromkeys(_with_zone(*address) for *_, address in found))


def _with_zone(host: str, _port: int, _flow: int = 0, zone: int = 0) -> str:
    """A link-local address is one of a network, which Python leaves out of its text (RFC 4007)."""
    return f"{host}%{zone}" if zone else host


async def _listen_on_one_port(addresses: tuple[str, ...], port: int) -> list[trio.SocketListener]:
    """A free port of one address may be taken for another; each one found is kept until all are
    free, so that the system gives another one each time.
    """
    passed_over: list[trio.SocketListener] = []
    try:
        while True:
            listeners: list[trio.SocketListener] = []
            try:
                await _listen_on_each(addresses, port, listeners)
            except OSError as exc:
                passed_over += listeners
                is_next = port == 0 and listeners and exc.errno == errno.EADDRINUSE
                if not is_next or len(passed_over) > _MOST_PASSED_OVER:
                    raise
            else:
                return listeners
    finally:
        for listener in passed_over:
            await listener.aclose()


async def _listen_on_each(
    addresses: tuple[str, ...], port: int, listeners: list[trio.SocketListener]
) -> None:
    """Those of a family that this machine doesn't have are left out, unless no other is there."""
    lacking: OSError | None = None
    for address in addresses:
        try:
            listeners += await trio.open_tcp_listeners(
                port_of(listeners) if listeners else port, host=address
            )
        except OSError as exc:
            if exc.errno not in _NO_SUCH_FAMILY:
                raise
            lacking = exc
    if not listeners and lacking is not None:
        raise lacking


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
