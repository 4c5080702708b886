"""What may stand between a node and Redis, and do to their connections what networks do."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from imgsync.net.ports import open_port, port_of
from imgsync.tasks import Bell, open_background
from tests.kit.redis_servers import HERE

CHUNK = 64 * 1024

NOTHING_NEW = b"_\r\n"
"""What Redis says (RESP3) to who has read for as long as it wanted to wait, and in vain."""


@attrs.define
class RedisProxy:
    """One that runs.

    :param target: the port of the server, for connections to come.
    :param delay: seconds by which all is late that passes.
    :param poll: seconds after which it answers a read that it takes nowhere.
    """

    port: int
    target: int
    delay: float = 0.0
    poll: float = 0.3
    _seen: int = 0
    _swallowed: int = 0
    _deaf: int = 0
    _is_deaf: bool = False
    _is_held: bool = False
    _changed: Bell = attrs.field(factory=Bell)
    _open: set[trio.SocketStream] = attrs.field(factory=set)

    @property
    def url(self) -> str:
        return f"redis://{HERE}:{self.port}"

    def hold(self) -> None:
        """Take nothing any more, nor pass it on; who sends has to wait."""
        self._is_held = True

    def release(self) -> None:
        self._is_held = False
        self._changed.ring()

    def swallow(self) -> None:
        """Take what comes on the connections that there are, and pass nothing on."""
        self._swallowed = self._seen

    async def deafen(self) -> None:
        """On the connections that there are, nobody reads anything new from a stream any more: as
        from a server that nobody writes to. Returns when somebody has read in vain."""
        self._deaf = self._seen
        while not self._is_deaf:
            await self._changed.wait()

    def reset(self) -> None:
        """Break off the connections that there are."""
        for stream in [*self._open]:
            at_once = struct.pack("ii", 1, 0)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            stream.socket.close()
            self._open.discard(stream)

    # ── one connection ──

    async def serve(self, near: trio.SocketStream) -> None:
        self._seen += 1
        number = self._seen
        async with near:
            try:
                far = await trio.open_tcp_stream(HERE, self.target)
            except OSError:
                return
            self._open.add(near)
            async with far, trio.open_nursery() as both:
                both.start_soon(self._carry, number, near, far, both.cancel_scope)
                both.start_soon(self._carry, number, far, near, both.cancel_scope)
            self._open.discard(near)

    async def _carry(
        self,
        number: int,
        source: trio.SocketStream,
        target: trio.SocketStream,
        scope: trio.CancelScope,
    ) -> None:
        try:
            while some := await source.receive_some(CHUNK):
                await trio.sleep(self.delay)
                while self._is_held:
                    await self._changed.wait()
                if number <= self._swallowed:
                    continue
                if number <= self._deaf and b"XREAD" in some:
                    await trio.sleep(self.poll)
                    await source.send_all(NOTHING_NEW)
                    self._is_deaf = True
                    self._changed.ring()
                else:
                    await target.send_all(some)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        scope.cancel()


@asynccontextmanager
async def open_redis_proxy(target: int) -> AsyncIterator[RedisProxy]:
    """Stand before the server at a port."""
    listeners = await open_port(HERE, 0)
    proxy = RedisProxy(port_of(listeners), target)
    async with open_background() as nursery:
        await nursery.start(trio.serve_listeners, proxy.serve, listeners)
        yield proxy
