"""One connection of coredis, over a stream of Trio: the one home of coredis.

It is loaded with the first link, as it takes 0.3 s, which a relay that is alone does not pay.
"""

from __future__ import annotations

from typing import Any

import trio
from coredis import BaseConnection
from coredis.connection import TCPLocation
from coredis.exceptions import (
    AuthenticationFailureError,
    AuthenticationRequiredError,
    NoScriptError,
)

from imgsync.relay.nodes.address import Address

MAX_SAID = 200
"""Characters of what Redis says that are repeated."""


class Connection(BaseConnection):
    """Has its stream from the beginning: coredis leaks what it holds where it can't connect.

    :ivar server: the id of the process that answers, which no other one has; once it is known.
    """

    def __init__(self, address: Address, stream: trio.abc.Stream) -> None:
        super().__init__(
            TCPLocation(address.host, address.port),
            db=address.database,
            username=address.username,
            password=address.password,
        )
        self.server = ""
        self._address = address
        self._wire = _Wire(stream)
        self.register_connect_callback(Connection._learn_server)

    async def _connect(self) -> Any:
        return self._wire

    def describe(self) -> str:
        return str(self._address)

    async def _learn_server(self) -> None:
        info: Any = await self.create_request(b"INFO", b"server")
        self.server = info.partition(b"run_id:")[2].split(maxsplit=1)[0].decode()


class _Wire(trio.abc.AsyncResource):
    """A stream of Trio, by the names that coredis knows."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def receive(self) -> bytes:
        if data := await self._stream.receive_some():
            return bytes(data)
        raise trio.BrokenResourceError("it has closed the connection")

    async def send(self, data: bytes) -> None:
        await self._stream.send_all(data)

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self._stream)


async def open_stream(address: Address) -> trio.abc.Stream:
    """Raises OSError, and trio.BrokenResourceError where TLS fails."""
    if address.path:
        return await trio.open_unix_socket(address.path)
    stream = await trio.open_tcp_stream(address.host, address.port)
    if address.tls is None:
        return stream
    secured = trio.SSLStream(
        stream, address.tls, server_hostname=address.host, https_compatible=True
    )
    try:
        await secured.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secured


def knows_no_script(exc: Exception) -> bool:
    """Whether it is said that a script has to be sent with its text: nothing was done."""
    return isinstance(exc, NoScriptError)


def explain(exc: BaseException) -> str:
    """What went wrong, as the end of a sentence."""
    if isinstance(exc, AuthenticationFailureError):
        return "it refuses the password; see the URL or the file that has it"
    if isinstance(exc, AuthenticationRequiredError):
        return "it asks for a password; name one in the URL or in a file"
    if exc.__cause__ is not None:
        return explain(exc.__cause__)
    if isinstance(exc, BaseExceptionGroup):
        return explain(exc.exceptions[0])
    why = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
    return (why or type(exc).__name__)[:MAX_SAID]
