"""Whoever runs a relay reads in its log whom it refuses, once each, and the option to set."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from trio.testing import MockClock

from imgsync.core.protocol.errors import UpgradeRefused
from imgsync.core.protocol.signalling import CloseCode
from imgsync.net.ask import ask
from imgsync.net.connect import open_relay_socket
from imgsync.net.limits import NetLimits
from imgsync.relay.observer import MAX_WARNED, Observer
from tests.kit.relays import PLAIN, open_peer, open_running_relay
from tests.net.test_frames import open_raw, upgrade_head


@pytest.fixture
async def warnings(caplog: pytest.LogCaptureFixture) -> AsyncIterator[list[str]]:
    """What there is at the level of a warning, as it comes."""
    found: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("imgsync.relay.server")
    log.addHandler(handler)
    yield found
    log.removeHandler(handler)


async def refuse(port: int, origin: str) -> None:
    with pytest.raises(UpgradeRefused, match="403"):
        async with open_relay_socket(f"ws://127.0.0.1:{port}/ws", origin=origin):
            pass


async def test_an_origin_that_is_refused_is_told_once_with_the_option(warnings: list[str]) -> None:
    async with open_running_relay() as port:
        for _ in range(3):
            await refuse(port, "https://app.example.org")
        await refuse(port, "https://other.example.org")
    first, second = warnings
    assert first.startswith("pages of https://app.example.org may not connect: ")
    assert "--allow-origin https://app.example.org lets it in" in first
    assert f"127.0.0.1:{port}" in first
    assert "header Host" in first
    assert "https://other.example.org" in second


async def test_a_page_of_the_relays_own_name_is_told_of_tokens_too(warnings: list[str]) -> None:
    async with open_running_relay() as port, open_raw(port) as raw:
        page, host = b"https://lab.example", b"lab.example:443"
        await raw.send(upgrade_head(Host=host, Origin=page))
        assert await raw.read_status() == 403
    (told,) = warnings
    assert "--allow-origin https://lab.example lets it in" in told
    assert "--auth-secret-file" in told


@pytest.mark.parametrize("origin", ["null", "file://", "not an origin", "https://" + "a" * 5000])
async def test_whatever_the_origin_is_there_is_one_short_line(
    warnings: list[str], origin: str
) -> None:
    async with open_running_relay() as port:
        await refuse(port, origin)
    (told,) = warnings
    assert len(told) < 6000
    assert ("--allow-origin" in told) is (origin != "file://" and " " not in origin)


async def test_too_many_of_each_kind_are_told_with_the_option_that_limits_them(
    warnings: list[str],
) -> None:
    strict = attrs.evolve(PLAIN, connect_rate=0.05)  # one at once
    async with open_running_relay(strict) as port, open_peer(port, "c"):
        for _ in range(2):
            assert await closed_with(port) == CloseCode.RATE_LIMITED
    crowded = attrs.evolve(PLAIN, net=NetLimits(max_streams=0))
    async with open_running_relay(crowded) as port, open_raw(port) as raw:
        assert await raw.read_status() == 503
    options = [re.findall(r"--[a-z-]+", one) for one in warnings]
    assert options == [
        ["--connect-rate", "--forwarded-by"],
        ["--max-connections"],
    ]


async def closed_with(port: int) -> int:
    """The code with which another connection of a client is closed."""
    async with open_peer(port) as peer:
        peer.post("register", userId="c", role="client", package="webrtc")
        return (await peer.wait_close()).code


async def test_a_proxy_that_keeps_the_header_upgrade_is_told_of(warnings: list[str]) -> None:
    async with open_running_relay() as port:
        for upgrade, status in ((None, 426), (b"websocket", 400)):
            async with open_raw(port) as raw:
                page = f"http://127.0.0.1:{port}".encode()
                await raw.send(upgrade_head(Upgrade=upgrade, Connection=b"close", Origin=page))
                assert await raw.read_status() == status
        # A page that asks, or a person who looks, is no proxy.
        assert (await ask(f"ws://127.0.0.1:{port}/ws", "/ws")).status == 426
    (told,) = warnings
    assert "the proxy in front of the relay has to pass on both" in told


async def test_made_up_origins_neither_fill_the_log_nor_the_memory(
    autojump_clock: MockClock, warnings: list[str]
) -> None:
    observer = Observer()
    for number in range(1000):
        observer.refused_origin(f"https://{number}.example", "advice", "192.0.2.1")
    assert len(warnings) == 20
    # There is room again for one that matters, later.
    for hour in range(2 * MAX_WARNED):
        await trio.sleep(3600)
        observer.refused_origin(f"https://late-{hour}.example", "advice", "192.0.2.1")
    assert len(warnings) == 20 + 2 * MAX_WARNED
    assert len(observer._warned) == MAX_WARNED


# ── what a page is told that asks ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "headers", "word"),
    [
        ("", {}, "ok"),
        ("?origin=http%3A%2F%2F127.0.0.1%3APORT", {}, "ok"),
        ("?origin=http%3A%2F%2Fapp.example", {}, "origin"),
        ("?origin=null", {}, "origin"),
        ("?other=1", {}, "ok"),
        ("", {"Origin": b"http://app.example"}, "origin"),
        ("", {"Origin": b"http://127.0.0.1:PORT"}, "ok"),
        # What the page says of itself counts: a browser names it only where it is of elsewhere.
        ("?origin=http%3A%2F%2Fapp.example", {"Origin": b"http://127.0.0.1:PORT"}, "origin"),
    ],
)
async def test_health_says_whether_pages_of_an_origin_may_connect(
    query: str, headers: dict[str, bytes], word: str
) -> None:
    async with open_running_relay() as port, open_raw(port) as raw:
        named = b"".join(b"%b: %b\r\n" % (name.encode(), text) for name, text in headers.items())
        lines = b"GET /health%b HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n%bConnection: close\r\n\r\n"
        request = lines % (query.encode(), named)
        await raw.send(request.replace(b"PORT", str(port).encode()))
        head = await raw.read_head()
        assert head.startswith(b"HTTP/1.1 200 ")
        # Any page may read it.
        assert b"\r\naccess-control-allow-origin: *\r\n" in head.lower()
        assert await raw.read_rest() == f"{word}\n".encode()
