"""A host whose first address does not answer is reached by its second one, by all that connects."""

import pytest
import trio

from imgsync.images.fetch import open_fetcher
from imgsync.net.connect import open_relay_socket
from imgsync.net.http import Request, Response
from imgsync.net.ports import open_port, port_of
from imgsync.net.server import Site, serve_site
from imgsync.tasks import open_background
from tests.kit.resolvers import Addresses
from tests.kit.web_pages import make_png
from tests.net.test_http import open_site

DEAD = "192.0.2.1"
"""Of a network that is for documentation alone (RFC 5737)."""


@pytest.mark.parametrize("first", [DEAD, "::1"])
async def test_the_relay_is_reached_by_its_second_address(first: str) -> None:
    trio.socket.set_custom_hostname_resolver(Addresses(first, "127.0.0.1"))
    async with (
        open_site() as port,
        open_relay_socket(f"ws://relay.example:{port}/ws") as socket,
    ):
        assert await socket.receive() == "hello"


@pytest.mark.parametrize("first", [DEAD, "::1"])
async def test_a_picture_is_fetched_from_the_second_address_of_its_host(first: str) -> None:
    async def answer(_: Request) -> Response:
        return Response(200, make_png(8), "image/png")

    trio.socket.set_custom_hostname_resolver(Addresses(first, "127.0.0.1"))
    listeners = await open_port("127.0.0.1", 0)
    with trio.fail_after(8):
        async with open_background() as nursery, open_fetcher() as fetcher:
            await nursery.start(serve_site, Site(answer), listeners)
            url = f"http://images.example:{port_of(listeners)}/1.png"
            assert (await fetcher.fetch(url)).kind == "png"
