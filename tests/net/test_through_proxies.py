"""Requests as proxies pass them on: absolute targets, and upgrades to more than WebSocket."""

import pytest

from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.net.websocket import WebSocket
from imgsync.tasks import open_background
from tests.net.test_frames import CLOSE, TEXT, RawPeer, frame, open_raw, upgrade_head
from tests.net.test_http import open_site, read_response, request


async def tell_all(request: Request) -> Response:
    text = f"{request.path} {request.query} {request.headers['host']}"
    return Response(200, text.encode())


async def tell_host(socket: WebSocket, request: Request) -> None:
    socket.post(request.headers["host"])
    await socket.receive()


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("/a?b", "/a", "b", "a"),
        ("http://relay.example/a?b", "/a", "b", "relay.example"),
        ("http://relay.example:8765/", "/", "", "relay.example:8765"),
        ("HTTPS://Relay.Example/a%20b", "/a b", "", "Relay.Example"),
        ("http://relay.example", "/", "", "relay.example"),
        ("http://relay.example?b", "/", "b", "relay.example"),
        ("http://[fd00::1]:8765/ws?x=http://y/", "/ws", "x=http://y/", "[fd00::1]:8765"),
        ("ws://relay.example/", "/", "", "relay.example"),
        ("wss://relay.example/", "/", "", "relay.example"),
        # Paths, however they look.
        ("/http://b/", "/http://b/", "", "a"),
        ("//b/c", "//b/c", "", "a"),
    ],
)
async def test_a_target_that_names_the_host_is_read_as_path_and_host(
    target: str, path: str, query: str, host: str
) -> None:
    listeners = await open_port("127.0.0.1", 0)
    async with open_background() as nursery:
        await nursery.start(serve_site, Site(tell_all), listeners)
        async with open_raw(port_of(listeners)) as raw:
            await raw.send(request(target) * 2)
            for _ in "ab":
                assert (await read_response(raw)).body.decode() == f"{path} {query} {host}"


@pytest.mark.parametrize("target", ["http:///a", "http://?b", "https://user@host/", "ws://"])
async def test_a_target_that_names_no_host_or_a_user_is_refused(target: str) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request(target))
        response = await read_response(raw)
        assert (response.status, response.headers[b"connection"]) == (400, b"close")


@pytest.mark.parametrize("target", [b"/ws", b"http://relay.example:80/ws", b"ws://[fd00::1]/ws"])
@pytest.mark.parametrize(
    "upgrade",
    [b"websocket", b"WebSocket", b"h2c, websocket", b"websocket,h2c", b"HTTP/2.0 ,\twebsocket"],
)
async def test_an_upgrade_may_be_to_one_of_several_and_name_the_host(
    target: bytes, upgrade: bytes
) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(upgrade_head(target, Upgrade=upgrade))
        await expect_greeting(raw)


async def test_two_lines_of_upgrades_are_one_list() -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(upgrade_head(Upgrade=b"h2c\r\nUpgrade: websocket"))
        await expect_greeting(raw)


async def expect_greeting(raw: RawPeer) -> None:
    assert await raw.read_status() == 101
    assert await raw.read_frame() == (TEXT, b"hello")
    await raw.send(frame(CLOSE))


@pytest.mark.parametrize(
    "upgrade", ["h2c", "TLS/1.2", "websockets", "xwebsocket, h2c", "web socket"]
)
async def test_an_upgrade_to_something_else_is_passed_over(upgrade: str) -> None:
    async with open_site() as port, open_raw(port) as raw:
        await raw.send(request("/a", "GET", f"Upgrade: {upgrade}", "Connection: upgrade"))
        assert (await read_response(raw)).body == b"GET /a "


async def test_the_host_of_the_target_is_the_one_that_counts() -> None:
    listeners = await open_port("127.0.0.1", 0)
    async with open_background() as nursery:
        site = Site(tell_all, {"/ws": tell_host})
        await nursery.start(serve_site, site, listeners)
        async with open_raw(port_of(listeners)) as raw:
            await raw.send(upgrade_head(b"http://relay.example/ws", Host=b"other.example"))
            assert await raw.read_status() == 101
            assert await raw.read_frame() == (TEXT, b"relay.example")
            await raw.send(frame(CLOSE))
