"""A proxy on this machine that takes every host for this machine, and tells what it was asked.

So names that nobody knows stand for servers on loopback, which are never asked through a proxy.
"""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
import trio
import trustme

from imgsync.net.ports import open_port, port_of

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method")


@attrs.define
class Proxy:
    """One that runs.

    :ivar asked: the first line of each request.
    :ivar status: of all answers, where it lets nobody through.
    :ivar login: whom it lets through, as USER:PASSWORD; anybody where it is empty.
    """

    port: int = 0
    asked: list[str] = attrs.field(factory=list)
    status: int = 0
    login: str = ""

    async def serve(self, stream: trio.abc.Stream) -> None:
        async with stream:
            with suppress(trio.BrokenResourceError):
                await self._serve(stream)

    async def _serve(self, stream: trio.abc.Stream) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = await stream.receive_some(1)
            if not byte:
                return
            head += byte
        first, *fields = head.decode().split("\r\n")
        self.asked.append(first)
        named = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
        status = self.status or (200 if self._is_known(named) else 407)
        if status != 200:
            await stream.send_all(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
            return
        method, target, _ = first.split(" ")
        is_tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if is_tunnel else target)
        async with await trio.open_tcp_stream("127.0.0.1", parts.port or 80) as server:
            if is_tunnel:
                await stream.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = f"{parts.path}?{parts.query}"
                head = "\r\n".join([f"{method} {path} HTTP/1.1", *fields]).encode()
                await server.send_all(head)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_pipe, stream, server, nursery.cancel_scope)
                nursery.start_soon(_pipe, server, stream, nursery.cancel_scope)

    def _is_known(self, named: dict[str, str]) -> bool:
        login = base64.b64encode(self.login.encode()).decode()
        return not self.login or named.get("proxy-authorization") == f"Basic {login}"


async def _pipe(source: trio.abc.Stream, sink: trio.abc.Stream, over: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError):
        while data := await source.receive_some():
            await sink.send_all(data)
    over.cancel()


@asynccontextmanager
async def open_proxy(tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    proxy = Proxy()
    async with trio.open_nursery() as nursery:
        listeners = await open_port("127.0.0.1", 0, tls)
        proxy.port = port_of(listeners)
        serve: Any = trio.serve_listeners  # its types do not allow for either kind of listener
        await nursery.start(serve, proxy.serve, listeners)
        yield proxy
        nursery.cancel_scope.cancel()


def set_proxies(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Have these variables, in lower case, and no other of them."""
    for name in VARIABLES:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


@attrs.frozen
class Authority:
    """A private one, which this process trusts as users have it trust theirs: SSL_CERT_FILE."""

    ca: trustme.CA

    def serving(self, *names: str) -> ssl.SSLContext:
        """For a server of these names."""
        server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(*names).configure_cert(server)
        return server


def trust_authority(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = trustme.CA()
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return Authority(authority)
