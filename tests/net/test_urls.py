"""The relay's URL taken apart, and the way to it found."""

import pytest
import trio

from imgsync.core.protocol.errors import ConnectRefused, InputError
from imgsync.net.connect import (
    Target,
    local_address_towards_relay,
    open_relay_socket,
    parse_relay_url,
)
from imgsync.net.hosts import in_url, with_port
from tests.kit.resolvers import Addresses
from tests.net.test_connect import Names
from tests.net.test_frames import open_descriptors


async def test_the_local_address_towards_a_relay_is_that_of_its_network() -> None:
    before = open_descriptors()
    assert await local_address_towards_relay("ws://127.0.0.1:8765/ws") == "127.0.0.1"
    assert await local_address_towards_relay("wss://127.0.0.1/ws") == "127.0.0.1"
    assert open_descriptors() == before


async def test_there_is_no_way_to_an_unknown_name() -> None:
    trio.socket.set_custom_hostname_resolver(Names(silent=False))
    with pytest.raises(ConnectRefused, match=r"ws://relay.example:8765/ws.*not known"):
        await local_address_towards_relay("ws://relay.example:8765/ws")


@pytest.mark.parametrize(
    ("url", "target", "host_header"),
    [
        ("ws://relay:8765/ws", Target("relay", 8765, False, "/ws"), "relay:8765"),
        ("ws://relay/ws", Target("relay", 80, False, "/ws"), "relay"),
        ("ws://relay:80/ws", Target("relay", 80, False, "/ws"), "relay"),
        ("ws://relay:443/ws", Target("relay", 443, False, "/ws"), "relay:443"),
        ("ws://relay:/ws", Target("relay", 80, False, "/ws"), "relay"),
        ("wss://relay/ws", Target("relay", 443, True, "/ws"), "relay"),
        ("wss://relay:443/ws", Target("relay", 443, True, "/ws"), "relay"),
        ("wss://relay:80/ws", Target("relay", 80, True, "/ws"), "relay:80"),
        ("WS://Relay.Example/Ws", Target("relay.example", 80, False, "/Ws"), "relay.example"),
        ("ws://relay", Target("relay", 80, False, "/"), "relay"),
        ("ws://relay?a=b", Target("relay", 80, False, "/?a=b"), "relay"),
        ("ws://relay/a/b?c=d&e#f", Target("relay", 80, False, "/a/b?c=d&e"), "relay"),
        ("ws://relay/%77s?%C3%B6", Target("relay", 80, False, "/%77s?%C3%B6"), "relay"),
        ("ws://relay/a b?ö", Target("relay", 80, False, "/a%20b?%C3%B6"), "relay"),
        ("ws://bücher.example/", Target("bücher.example", 80, False, "/"), "bücher.example"),
        ("ws://127.0.0.1:1/ws", Target("127.0.0.1", 1, False, "/ws"), "127.0.0.1:1"),
        ("ws://[::1]/ws", Target("::1", 80, False, "/ws"), "[::1]"),
        ("wss://[::1]:65535/ws", Target("::1", 65535, True, "/ws"), "[::1]:65535"),
    ],
)
def test_a_url_is_taken_apart(url: str, target: Target, host_header: str) -> None:
    assert parse_relay_url(url) == target
    assert target.host_header == host_header


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ws",
        "relay:8765",
        "//relay/ws",
        "ws://",
        "ws:///ws",
        "ws://:8765/ws",
        "ws:relay",
        "http://relay/ws",
        "https://relay/ws",
        "ws://relay:0/ws",
        "ws://relay:-1/ws",
        "ws://relay:65536/ws",
        "ws://relay:http/ws",
        "ws://[::1/ws",
        "ws://[relay]/ws",
        "ws://.relay/ws",
        "ws://relay..example/ws",
        f"ws://{'a' * 64}.example/ws",
    ],
)
async def test_a_url_that_makes_no_sense_is_an_error_of_input(url: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_relay_url(url)
    assert repr(url) in str(caught.value)
    with pytest.raises(InputError):
        async with open_relay_socket(url):
            pass
    with pytest.raises(InputError):
        await local_address_towards_relay(url)


@pytest.mark.parametrize("url", ["ws://ann:hush@relay/ws", "wss://hush@relay", "ws://:hush@[::1]/"])
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match=r"before '(relay|::1)' .* --token-file") as refusal:
        parse_relay_url(url)
    assert "hush" not in str(refusal.value)


def test_an_ipv6_address_stands_in_brackets_before_its_port_and_other_hosts_do_not() -> None:
    assert with_port("::1", 8765) == "[::1]:8765"
    assert with_port("127.0.0.1", 8765) == "127.0.0.1:8765"
    assert with_port("relay.example", "443") == "relay.example:443"
    assert in_url("2001:db8::1") == "[2001:db8::1]"
    assert in_url("relay.example") == "relay.example"


@pytest.mark.parametrize("zone", ["%eth0", "%25eth0"])
def test_a_zone_leads_to_the_relay_and_is_told_to_nobody(zone: str) -> None:
    target = parse_relay_url(f"ws://[fe80::1{zone}]:8765/ws")
    assert target == Target("fe80::1%eth0", 8765, False, "/ws")
    assert target.host_header == "[fe80::1]:8765"
    assert with_port("fe80::1%eth0", 1) == "[fe80::1]:1"


@pytest.mark.parametrize("addresses", [("255.255.255.255", "::1"), ("::1", "127.0.0.1")])
async def test_the_way_to_a_relay_is_that_of_its_first_address_that_has_one(
    addresses: tuple[str, ...],
) -> None:
    trio.socket.set_custom_hostname_resolver(Addresses(*addresses))
    assert await local_address_towards_relay("ws://relay.example:8765/ws") == "::1"
