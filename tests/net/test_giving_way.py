"""What becomes of new connections where there is no room for them: idle ones go, or they wait."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from imgsync.net.http import Request, Response
from imgsync.net.limits import NetLimits
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from tests.kit.descriptors import none_left
from tests.net.test_frames import RawPeer, open_raw

WITHIN = 10.0
"""Seconds for one test on a loaded machine; each needs a small part of one."""


async def greet(request: Request) -> Response:
    return Response(200, b"hello")


@asynccontextmanager
async def serve(site: Site) -> AsyncIterator[int]:
    listeners = await open_port("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_site, site, listeners)
        with trio.fail_after(WITHIN):
            yield port_of(listeners)
        nursery.cancel_scope.cancel()


async def ask(peer: RawPeer) -> int | None:
    await peer.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    status = await peer.read_status()
    await peer.read_exactly(len(b"hello"))
    return status


async def test_the_connection_that_has_waited_longest_gives_way() -> None:
    site = Site(greet, limits=NetLimits(max_streams=2, idle_gives_way=True))
    async with serve(site) as port, open_raw(port) as one, open_raw(port) as other:
        assert await ask(one) == await ask(other) == 200
        assert await ask(one) == 200
        async with open_raw(port) as new:
            assert await ask(new) == 200
            assert await other.read_rest() == b""
            assert await ask(one) == 200


async def test_of_an_address_that_has_too_many_its_own_connections_give_way() -> None:
    limits = NetLimits(max_streams=9, max_streams_per_address=2, idle_gives_way=True)
    site = Site(greet, limits=limits, is_proxy=lambda address: False)
    async with serve(site) as port, open_raw(port) as one, open_raw(port) as other:
        assert await ask(one) == await ask(other) == 200
        async with open_raw(port) as new:
            assert await ask(new) == 200
            assert await one.read_rest() == b""
        assert await ask(other) == 200
    assert not site.streams.open


async def test_none_gives_way_where_that_was_not_said() -> None:
    site = Site(greet, limits=NetLimits(max_streams=1))
    async with serve(site) as port, open_raw(port) as one:
        assert await ask(one) == 200
        async with open_raw(port) as new:
            assert await new.read_status() == 503
        assert await ask(one) == 200


async def test_a_connection_for_which_there_is_no_descriptor_waits_for_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    complained = trio.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complained.set()

    handler = Listener()
    log = logging.getLogger("imgsync.net.server")
    log.addHandler(handler)
    try:
        async with serve(Site(greet)) as port, open_raw(port) as known:
            assert await ask(known) == 200
            socket = trio.socket.socket()
            with none_left():
                await socket.connect(("127.0.0.1", port))
                await complained.wait()
                assert await ask(known) == 200
            async with trio.SocketStream(socket) as stream:
                assert await ask(RawPeer(stream)) == 200
    finally:
        log.removeHandler(handler)
    complaints = [record.getMessage() for record in caplog.records]
    assert complaints == ["connections can't be taken now, and wait: Too many open files"]


async def test_an_idle_connection_makes_room_also_where_descriptors_are_short() -> None:
    limits = NetLimits(idle_gives_way=True)
    async with serve(Site(greet, limits=limits)) as port, open_raw(port) as idle:
        assert await ask(idle) == 200
        socket = trio.socket.socket()
        with none_left():
            await socket.connect(("127.0.0.1", port))
            async with trio.SocketStream(socket) as stream:
                assert await ask(RawPeer(stream)) == 200
            assert await idle.read_rest() == b""
