"""Each way in which a connection to the relay can fail has an error of its own, in time."""

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

import attrs
import pytest
import trio
import trustme

from imgsync.core.protocol.errors import (
    ConnectError,
    ConnectRefused,
    ConnectTimeout,
    SocketClosed,
    TlsFailed,
    UpgradeRefused,
)
from imgsync.net.connect import (
    local_address_towards_relay,
    open_relay_socket,
)
from imgsync.net.http import Request, Response, refuse
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background
from tests.net.test_frames import RawPeer, accepting, open_descriptors, open_server

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.5
"""Seconds for a failure that nothing has to be waited for; far less than the real deadline."""

DEADLINE = 0.2
"""Seconds that a server which says nothing is waited for."""


@attrs.frozen
class Certificates:
    """Of a server, and what a client needs to trust it."""

    server: ssl.SSLContext
    trusting: ssl.SSLContext


def issue(*names: str) -> Certificates:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(server)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return Certificates(server, trusting)


@pytest.fixture(scope="module")
def ours() -> Certificates:
    return issue("127.0.0.1", "::1")


async def refuse_all(request: Request) -> Response:
    return refuse(404)


async def echo(socket: WebSocket, request: Request) -> None:
    with suppress(SocketClosed):
        while True:
            text = await socket.receive()
            assert isinstance(text, str)
            socket.post(text)


@asynccontextmanager
async def open_echo(
    host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve an echo at /ws. Yields the port."""
    listeners = await open_port(host, 0, tls)
    async with open_background() as nursery:
        await nursery.start(serve_site, Site(refuse_all, {"/ws": echo}), listeners)
        yield port_of(listeners)


async def check_echo(url: str, tls: ssl.SSLContext | None = None) -> None:
    with trio.fail_after(WITHIN):
        async with open_relay_socket(url, tls=tls) as socket:
            socket.post("hello")
            assert await socket.receive() == "hello"


async def find_failure(
    url: str,
    kind: type[ConnectError],
    *,
    tls: ssl.SSLContext | None = None,
    deadline: float | None = None,
) -> str:
    """Connect in vain. Returns the sentence of the error, which must be of this very class.

    Without a deadline that has to pass, the failure has to come at once.
    """
    with trio.fail_after(AT_ONCE), pytest.raises(ConnectError) as caught:
        async with open_relay_socket(url, tls=tls, connect_deadline=deadline or 10.0):
            pass
    text = str(caught.value)
    assert type(caught.value) is kind
    assert url in text
    assert "\n" not in text
    return text


# ── TCP ──────────────────────────────────────────────────────────────────────────────────────────


class Names(trio.abc.HostnameResolver):
    """A name service: every name is unknown, or it never answers."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    async def getaddrinfo(self, *_: object) -> NoReturn:
        if self._silent:
            await trio.sleep_forever()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def getnameinfo(self, *_: object) -> NoReturn:
        raise NotImplementedError


async def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{bound.getsockname()[1]}/ws"
        before = open_descriptors()
        assert "refused" in await find_failure(url, ConnectRefused)
        assert open_descriptors() == before


async def test_an_unknown_name_is_refused() -> None:
    trio.socket.set_custom_hostname_resolver(Names(silent=False))
    text = await find_failure("ws://relay.example:8765/ws", ConnectRefused)
    assert "Name or service not known" in text


async def test_a_name_service_that_says_nothing_is_given_up() -> None:
    trio.socket.set_custom_hostname_resolver(Names(silent=True))
    await find_failure("ws://relay.example:8765/ws", ConnectTimeout, deadline=DEADLINE)


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────


async def test_wss_works_with_a_certificate_that_is_trusted(ours: Certificates) -> None:
    before = open_descriptors()
    async with open_echo(tls=ours.server) as port:
        await check_echo(f"wss://127.0.0.1:{port}/ws", ours.trusting)
    assert open_descriptors() == before


async def test_a_certificate_that_is_not_trusted_is_an_error_of_tls(ours: Certificates) -> None:
    before = open_descriptors()
    async with open_echo(tls=ours.server) as port:
        text = await find_failure(f"wss://127.0.0.1:{port}/ws", TlsFailed)
    assert "certificate verify failed" in text
    assert open_descriptors() == before


async def test_a_certificate_for_another_name_is_an_error_of_tls() -> None:
    other = issue("relay.example")
    async with open_echo(tls=other.server) as port:
        text = await find_failure(f"wss://127.0.0.1:{port}/ws", TlsFailed, tls=other.trusting)
    assert "127.0.0.1" in text


async def test_wss_to_a_plain_relay_is_an_error_of_tls() -> None:
    before = open_descriptors()
    async with open_echo() as port:
        await find_failure(f"wss://127.0.0.1:{port}/ws", TlsFailed)
    assert open_descriptors() == before


async def test_ws_to_a_relay_that_speaks_tls_is_refused(ours: Certificates) -> None:
    before = open_descriptors()
    async with open_echo(tls=ours.server) as port:
        text = await find_failure(f"ws://127.0.0.1:{port}/ws", UpgradeRefused)
    assert "ws or wss" in text
    assert open_descriptors() == before


async def hang_up(raw: RawPeer) -> None:
    pass


async def reset(raw: RawPeer) -> None:
    await raw.read_exactly(1)
    raw.reset()


@pytest.mark.parametrize("behave", [hang_up, reset])
async def test_a_server_that_closes_instead_of_tls_is_an_error_of_tls(
    behave: Callable[[RawPeer], Awaitable[None]],
) -> None:
    before = open_descriptors()
    async with open_server(behave) as port:
        await find_failure(f"wss://127.0.0.1:{port}/ws", TlsFailed)
    assert open_descriptors() == before


# ── the handshake ────────────────────────────────────────────────────────────────────────────────


async def say_nothing(raw: RawPeer) -> None:
    await raw.read_rest()


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_server_that_says_nothing_is_given_up_in_time(scheme: str) -> None:
    before = open_descriptors()
    async with open_server(say_nothing) as port:
        started = trio.current_time()
        await find_failure(f"{scheme}://127.0.0.1:{port}/ws", ConnectTimeout, deadline=DEADLINE)
        assert trio.current_time() - started >= DEADLINE
    assert open_descriptors() == before


async def test_a_server_that_says_nothing_after_tls_is_given_up_in_time(ours: Certificates) -> None:
    async def shake_hands(stream: trio.SSLStream[trio.SocketStream]) -> None:
        await stream.do_handshake()
        with suppress(trio.BrokenResourceError):
            while await stream.receive_some():
                pass
        await trio.aclose_forcefully(stream)

    before = open_descriptors()
    listeners = await trio.open_ssl_over_tcp_listeners(0, ours.server, host="127.0.0.1")
    async with open_background() as nursery:
        await nursery.start(trio.serve_listeners, shake_hands, listeners)
        url = f"wss://127.0.0.1:{port_of(listeners)}/ws"
        started = trio.current_time()
        await find_failure(url, ConnectTimeout, tls=ours.trusting, deadline=DEADLINE)
        assert trio.current_time() - started >= DEADLINE
    assert open_descriptors() == before


def answer(response: bytes) -> Callable[[RawPeer], Awaitable[None]]:
    async def behave(raw: RawPeer) -> None:
        await raw.read_head()
        await raw.send(response)
        await raw.read_rest()

    return behave


async def close_after_the_head(raw: RawPeer) -> None:
    await raw.read_head()


async def reset_after_the_head(raw: RawPeer) -> None:
    await raw.read_head()
    raw.reset()


async def drip(raw: RawPeer) -> None:
    for byte in accepting(b""):
        await raw.send(bytes([byte]))
        await trio.sleep(DEADLINE / 4)


OTHER_KEY = accepting(b"a key that nobody sent")
CLOSED = "closed the connection"
NO_WEBSOCKET = "answered, but not with a WebSocket"


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        pytest.param(hang_up, CLOSED, id="closes at once"),
        pytest.param(close_after_the_head, CLOSED, id="closes after the head"),
        pytest.param(reset_after_the_head, CLOSED, id="resets after the head"),
        pytest.param(
            answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n"),
            "404",
            id="has no page",
        ),
        pytest.param(answer(b"HTTP/1.1 403 \r\nContent-Length: 0\r\n\r\n"), "403", id="forbids"),
        pytest.param(
            answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "200", id="is a page"
        ),
        pytest.param(answer(OTHER_KEY), NO_WEBSOCKET, id="accepts another key"),
        pytest.param(
            answer(b"HTTP/1.1 101 Whatever\r\n\r\n"), NO_WEBSOCKET, id="switches to something else"
        ),
        pytest.param(answer(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), NO_WEBSOCKET, id="speaks SSH"),
        pytest.param(answer(bytes(100_000)), NO_WEBSOCKET, id="sends zeros"),
    ],
)
async def test_what_is_no_relay_refuses(
    behave: Callable[[RawPeer], Awaitable[None]], why: str
) -> None:
    before = open_descriptors()
    async with open_server(behave) as port:
        assert why in await find_failure(f"ws://127.0.0.1:{port}/ws", UpgradeRefused)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(drip, id="answers byte by byte"),
        pytest.param(answer(b"HTTP/1.1 101 Switching"), id="answers by half"),
        pytest.param(answer(b"HTTP/1.1 404 \r\nContent-Length: 9\r\n\r\n"), id="refuses by half"),
    ],
)
async def test_an_answer_that_does_not_end_is_given_up_in_time(
    behave: Callable[[RawPeer], Awaitable[None]],
) -> None:
    before = open_descriptors()
    async with open_server(behave) as port:
        await find_failure(f"ws://127.0.0.1:{port}/ws", ConnectTimeout, deadline=DEADLINE)
    assert open_descriptors() == before


async def test_a_relay_with_another_path_refuses() -> None:
    async with open_echo() as port:
        text = await find_failure(f"ws://127.0.0.1:{port}/other", UpgradeRefused)
    assert "404" in text


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_connect_that_is_cancelled_leaves_nothing(scheme: str) -> None:
    before = open_descriptors()
    connected = trio.Event()

    async def note_and_wait(raw: RawPeer) -> None:
        await raw.read_exactly(1)
        connected.set()
        await raw.read_rest()

    async def connect(url: str) -> None:
        async with open_relay_socket(url):
            raise AssertionError("there is nobody to connect to")

    with trio.fail_after(WITHIN):
        async with open_server(note_and_wait) as port, trio.open_nursery() as nursery:
            nursery.start_soon(connect, f"{scheme}://127.0.0.1:{port}/ws")
            await connected.wait()
            nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert open_descriptors() == before


# ── addresses ────────────────────────────────────────────────────────────────────────────────────


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
async def test_ipv6_works_with_and_without_tls(ours: Certificates) -> None:
    async with open_echo("::1") as port:
        await check_echo(f"ws://[::1]:{port}/ws")
        assert await local_address_towards_relay(f"ws://[::1]:{port}/ws") == "::1"
    async with open_echo("::1", ours.server) as port:
        await check_echo(f"wss://[::1]:{port}/ws", ours.trusting)
