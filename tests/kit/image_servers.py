"""Servers for the tests of fetching, some of which misbehave, and how long they may take."""

import socket
import ssl
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

import pytest
import trio
from hypothesis import settings

from imgsync.images.fetch import Fetcher, FetchFailed, open_fetcher
from tests.net.test_frames import RawPeer

SECRET = "c0ffee"

WITHIN = 10.0
"""Seconds for one test on a loaded machine; each needs a small part of one."""

LAW = settings(deadline=None, derandomize=True)

Serve = Callable[[RawPeer], Awaitable[None]]


@asynccontextmanager
async def open_server(serve: Serve, heads: list[bytes] | None = None) -> AsyncIterator[str]:
    """A server that does this with every connection, once it has read a head; yields a URL.

    :param heads: where the heads are noted.
    """

    async def handle(stream: trio.SocketStream) -> None:
        peer = RawPeer(stream)
        while head := await peer.read_head():
            if heads is not None:
                heads.append(head)
            await serve(peer)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, handle, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        with trio.fail_after(WITHIN):
            yield f"http://127.0.0.1:{port}/{SECRET}.png?signature={SECRET}"
        nursery.cancel_scope.cancel()


def answer(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> Serve:
    """A response; a length that is not the body's is a lie."""
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"content-length: {size}", "", ""])
    return say(head.encode() + body)


def say(raw: bytes, *, hang_up: bool = False) -> Serve:
    async def serve(peer: RawPeer) -> None:
        await peer.send(raw)
        if hang_up:
            await peer.stream.send_eof()

    return serve


class NoNames(trio.abc.HostnameResolver):
    """No host has a name; to ask for one could take any time."""

    async def getaddrinfo(self, *_: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "no names here")

    async def getnameinfo(self, *_: object) -> NoReturn:
        raise NotImplementedError


@asynccontextmanager
async def open_quick_fetcher() -> AsyncIterator[Fetcher]:
    """As the real one, but without names and a certificate store, which takes long to load."""
    trio.socket.set_custom_hostname_resolver(NoNames())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with open_fetcher(tls=context) as fetcher:
        yield fetcher


async def failure_of(url: str) -> str:
    """The reason for which fetching this fails; what people are told may not hold the URL."""
    async with open_quick_fetcher() as fetcher:
        with pytest.raises(FetchFailed) as failure:
            await fetcher.fetch(url)
    assert SECRET not in "".join(traceback.format_exception(failure.value))
    assert str(failure.value).startswith(f"the image could not be fetched: {failure.value.reason}")
    return failure.value.reason


async def failure_with(serve: Serve) -> str:
    async with open_server(serve) as url:
        return await failure_of(url)
