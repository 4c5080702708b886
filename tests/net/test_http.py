"""Plain HTTP on the port: requests in any rhythm, and clients that are slow or stop."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import SO_SNDBUF, SOL_SOCKET

import attrs
import h11
import pytest
import trio
import trustme
from trio.testing import wait_all_tasks_blocked

from imgsync.core.protocol.errors import InputError, SocketClosed
from imgsync.net import server
from imgsync.net.http import Request, Response, refuse
from imgsync.net.limits import NetLimits
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background
from tests.kit.relays import open_running_relay
from tests.net.test_frames import CLOSE, TEXT, RawPeer, frame, open_raw, upgrade_head

WITHIN = 8.0
"""Seconds for one test on a loaded machine."""

AT_ONCE = 1.5
"""Seconds for what must not wait for any of the real deadlines."""

ORDINARY = NetLimits()

BIG = bytes(range(256)) * 40_960
"""10 MiB."""


async def answer(request: Request) -> Response:
    match request.path:
        case "/big":
            return Response(200, BIG, "application/octet-stream")
        case "/broken":
            raise RuntimeError("a defect of ours")
        case "/empty":
            return Response(200)
        case _:
            text = f"{request.method} {request.path} {request.query}"
            return Response(200, text.encode(), headers=(("x-extra", "yes"),))


async def greet(socket: WebSocket, request: Request) -> None:
    socket.post("hello")
    with pytest.raises(SocketClosed):
        await socket.receive()


@asynccontextmanager
async def open_site(
    tls: ssl.SSLContext | None = None, limits: NetLimits = ORDINARY
) -> AsyncIterator[int]:
    """Yields the port."""
    listeners = await open_port("127.0.0.1", 0, tls)
    if isinstance(listeners[0], trio.SocketListener):
        # The kernel would take megabytes for a client that does not read.
        listeners[0].socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 64 * 1024)
    with trio.fail_after(WITHIN):
        async with open_background() as nursery:
            site = Site(answer, {"/ws": greet}, limits=limits)
            await nursery.start(serve_site, site, listeners)
            yield port_of(listeners)


def request(target: str, method: str = "GET", *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", "Host: a", *headers, "", ""]).encode()


@attrs.frozen
class Answered:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def read_response(raw: RawPeer, *, to_head: bool = False) -> Answered:
    head = await raw.read_head()
    parser = h11.Connection(h11.CLIENT)
    parser.send(
        h11.Request(method="HEAD" if to_head else "GET", target="/", headers=[("host", "a")])
    )
    parser.receive_data(head)
    response = parser.next_event()
    assert isinstance(response, h11.Response), head
    headers = dict(response.headers)
    size = 0 if to_head else int(headers[b"content-length"])
    return Answered(response.status_code, headers, await raw.read_exactly(size))


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


async def test_one_connection_carries_several_requests() -> None:
    async with open_site() as port, open_raw(port) as raw:
        for number in range(5):
            await raw.send(request(f"/{number}?q={number}"))
            response = await read_response(raw)
            assert response.status == 200
            assert response.body == b"GET /%d q=%d" % (number, number)
            assert response.headers[b"content-type"] == b"text/plain; charset=utf-8"
            assert response.headers[b"x-content-type-options"] == b"nosniff"
            assert response.headers[b"x-extra"] == b"yes"


async def test_a_head_request_gets_the_headers_alone_and_the_connection_goes_on() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/big", "HEAD"))
        response = await read_response(raw, to_head=True)
        assert (response.status, response.headers[b"content-length"]) == (200, b"%d" % len(BIG))
        await raw.send(request("/next"))
        assert (await read_response(raw)).body == b"GET /next "


async def test_requests_that_do_not_wait_are_answered_in_order() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(b"".join(request(f"/{number}") for number in range(100)))
        for number in range(100):
            assert (await read_response(raw)).body == b"GET /%d " % number


async def test_an_upgrade_may_follow_requests_without_waiting() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/first") + request("/second", "HEAD") + upgrade_head())
        assert (await read_response(raw)).body == b"GET /first "
        assert (await read_response(raw, to_head=True)).status == 200
        assert await raw.read_status() == 101
        assert await raw.read_frame() == (TEXT, b"hello")
        await raw.send(frame(CLOSE))


async def test_a_request_may_come_byte_by_byte() -> None:
    async with open_site() as port, open_raw(port) as raw:
        for byte in request("/slow"):
            await raw.send(bytes([byte]))
            await wait_all_tasks_blocked()
        assert (await read_response(raw)).body == b"GET /slow "


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_a_method_that_changes_something_is_not_allowed(method: str) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/", method))
        response = await read_response(raw)
        assert (response.status, response.headers[b"allow"]) == (405, b"GET, HEAD")
        assert response.body == b"Method Not Allowed\n"
        await raw.send(request("/next"))
        assert (await read_response(raw)).body == b"GET /next "


async def test_a_path_for_websockets_says_so() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/ws"))
        response = await read_response(raw)
        assert (response.status, response.headers[b"upgrade"]) == (426, b"websocket")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a%20b", "/a b", ""),
        ("/a+b", "/a+b", ""),
        ("/%C3%B6%2f%2E", "/ö/.", ""),
        ("/%77s2", "/ws2", ""),
        ("/%", "/%", ""),
        ("/%zz", "/%zz", ""),
        ("/%ff", "/\N{REPLACEMENT CHARACTER}", ""),
        ("/a%3Fb?c%20d?e", "/a?b", "c%20d?e"),
    ],
)
async def test_the_path_is_decoded_and_the_query_is_not(target: str, path: str, query: str) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request(target))
        assert (await read_response(raw)).body.decode() == f"GET {path} {query}"


async def test_an_answer_without_a_body_leaves_the_connection_in_step() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/empty") + request("/next"))
        assert (await read_response(raw)).body == b""
        assert (await read_response(raw)).body == b"GET /next "


@pytest.mark.parametrize(
    "last", [request("/", "GET", "Connection: close"), request("/", version="1.0")]
)
async def test_a_client_that_wants_one_answer_gets_one(last: bytes) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(last)
        response = await read_response(raw)
        assert response.headers[b"connection"] == b"close"
        assert await raw.read_rest() == b""


async def test_a_client_that_closes_its_side_still_gets_its_answer() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/last"))
        await raw.stream.send_eof()
        assert (await read_response(raw)).body == b"GET /last "
        assert await raw.read_rest() == b""


async def test_a_defect_in_an_answer_ends_its_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_site() as port, open_raw(port) as other, open_raw(port) as raw:
        await raw.send(request("/broken"))
        assert await raw.read_rest() == b""
        await other.send(request("/other"))
        assert (await read_response(other)).body == b"GET /other "
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_no_log_can_hold_a_query_or_a_header() -> None:
    shown = repr(Request("GET", "/path", "token=secret", {"cookie": "secret"}, "192.0.2.1"))
    assert "/path" in shown
    assert "secret" not in shown


async def test_https_is_served_with_a_certificate() -> None:
    authority = trustme.CA()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    async with (
        open_site(theirs) as port,
        await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", port, ssl_context=ours, https_compatible=True
        ) as stream,
    ):
        await stream.send_all(request("/", "GET", "Connection: close"))
        received = b""
        while more := await stream.receive_some():
            received += more
        assert received.endswith(b"\r\n\r\nGET / ")


# ── clients that are slow ────────────────────────────────────────────────────────────────────────


async def wait_alone(tasks: int) -> None:
    """Until no more tasks are left than there were."""
    while trio.lowlevel.current_statistics().tasks_living > tasks:
        await wait_all_tasks_blocked(0.01)


HASTY = NetLimits(head_deadline=0.1, write_deadline=0.2)


@pytest.mark.parametrize(
    "sent", [b"G", request("/")[:-2], b"GET / HTTP/1.1\r\nX", upgrade_head()[:-2]]
)
async def test_a_head_that_began_and_does_not_end_is_answered(sent: bytes) -> None:
    async with open_site(limits=HASTY) as port, open_raw(port) as raw:
        with trio.fail_after(AT_ONCE):
            await raw.send(sent)
            response = await read_response(raw)
            assert (response.status, response.headers[b"connection"]) == (408, b"close")
            assert await raw.read_rest() == b""


async def test_a_head_that_began_behind_another_request_is_answered() -> None:
    async with open_site(limits=HASTY) as port, open_raw(port) as raw:
        await raw.send(request("/") + request("/next")[:-2])
        assert (await read_response(raw)).status == 200
        with trio.fail_after(AT_ONCE):
            assert (await read_response(raw)).status == 408
            assert await raw.read_rest() == b""


async def test_a_connection_that_never_sends_anything_is_closed_without_a_word() -> None:
    async with open_site(limits=HASTY) as port, open_raw(port) as raw:
        with trio.fail_after(AT_ONCE):
            assert await raw.read_rest() == b""


async def test_a_connection_without_a_next_request_is_closed_without_a_word() -> None:
    async with open_site(limits=HASTY) as port, open_raw(port) as raw:
        await raw.send(request("/"))
        assert (await read_response(raw)).status == 200
        with trio.fail_after(AT_ONCE):
            assert await raw.read_rest() == b""


async def test_a_head_that_drips_is_answered() -> None:
    async def drip(raw: RawPeer) -> None:
        while True:
            await raw.send(b"X: y\r\n")
            await trio.sleep(0.02)

    async with (
        open_site(limits=HASTY) as port,
        open_raw(port) as raw,
        trio.open_nursery() as nursery,
    ):
        await raw.send(b"GET / HTTP/1.1\r\n")
        nursery.start_soon(drip, raw)
        with trio.fail_after(AT_ONCE):
            assert await raw.read_status() == 408
        nursery.cancel_scope.cancel()


async def test_a_big_body_arrives_whole() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/big"))
        response = await read_response(raw)
        assert response.body == BIG
        await raw.send(request("/next"))
        assert (await read_response(raw)).body == b"GET /next "


async def test_a_client_that_stops_reading_is_dropped_and_delays_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LINGER_DEADLINE", 0.1)
    async with open_site(limits=HASTY) as port:
        tasks = trio.lowlevel.current_statistics().tasks_living
        async with open_raw(port) as deaf:
            await deaf.send(request("/big"))
            async with open_raw(port) as other:
                await other.send(request("/other", "GET", "Connection: close"))
                assert (await read_response(other)).body == b"GET /other "
            with trio.fail_after(AT_ONCE):
                await wait_alone(tasks)
            assert len(await deaf.read_rest()) < len(BIG)


async def test_a_client_that_never_closes_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LINGER_DEADLINE", 0.1)
    async with open_site() as port:
        tasks = trio.lowlevel.current_statistics().tasks_living
        async with open_raw(port) as raw:
            await raw.send(request("/", "GET", "Connection: close"))
            with trio.fail_after(AT_ONCE):
                await wait_alone(tasks)


# ── the port ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_port_that_is_taken_is_an_error_of_input() -> None:
    async with open_site() as port:
        with pytest.raises(InputError, match=rf"127.0.0.1:{port}: the port is taken"):
            await open_port("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 65_536])
async def test_a_port_that_does_not_exist_is_an_error_of_input(port: int) -> None:
    with pytest.raises(InputError, match=f"no port {port}"):
        await open_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "..", "a" * 64, "127.0.0.1.1"])
async def test_an_address_that_is_not_ours_is_an_error_of_input(host: str) -> None:
    with pytest.raises(InputError, match=host):
        await open_port(host, 0)


def test_a_refusal_says_why() -> None:
    assert refuse(404) == Response(404, b"Not Found\n")
    assert refuse(404, "Gone for good.") == Response(404, b"Gone for good.\n")


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/", 404), ("/ws", 426)])
async def test_the_relay_has_a_page_for_its_health_alone(path: str, status: int) -> None:
    async with open_running_relay() as port, open_raw(port) as raw:
        await raw.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert await raw.read_status() == status
