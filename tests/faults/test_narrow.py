"""A path that drops large datagrams without a word, as VPNs and tunnels with a small MTU do.

Image messages have two kilobytes here, more than any datagram.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest

from imgsync.core.handshake.causes import Cause
from tests.faults.hosts import ADDRESSES, Hosts, open_hosts
from tests.faults.stage import (
    Stage,
    assert_true_account,
    assert_uninterrupted,
    end_session,
    open_stage,
    show_next,
)
from tests.kit.browsers import Browser, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.console_pages import open_console
from tests.kit.side_by_side import side_by_side
from tests.kit.web_pages import open_client_page

MTU = 1000
"""Smaller than what browsers send, and not so small that they can't connect at all."""

MISSED_S = 20.0
"""Seconds from an image to the verdict on a connection that does not take it."""


def make_manifest(folder: Path) -> Path:
    """Of images that nobody serves: what is followed here is the session."""
    urls = [f"http://127.0.0.1:9/{number}.png?" + "x" * 2000 for number in range(3)]
    manifest = folder / "series.json"
    manifest.write_text(json.dumps([{"imageUrl": url, "signedUrl": url} for url in urls]))
    return manifest


@asynccontextmanager
async def open_scene(mtu: int, relay_on: str) -> AsyncIterator[tuple[Hosts, Stage]]:
    async with open_hosts() as hosts, open_stage() as stage:
        await stage.start_relay(network=hosts.network_of(relay_on), host=ADDRESSES[relay_on])
        await hosts.narrow(mtu)
        yield hosts, stage


@asynccontextmanager
async def open_browser_on(hosts: Hosts, host: str) -> AsyncIterator[Browser]:
    with shared_chromium(prefix=hosts.on(host)) as started:
        there = attrs.evolve(started, connect=partial(hosts.connect_on, host))
        async with open_browser(there) as browser:
            yield browser


@pytest.mark.parametrize("mtu", [600, MTU])
@side_by_side(10)
async def test_python_peers_have_a_session_as_on_any_path(folder: Path, mtu: int) -> None:
    async with open_scene(mtu, "evaluator") as (hosts, stage):
        client = await stage.start_client(network=hosts.network_of("client"))
        await client.wait("registered")
        there, source = hosts.network_of("evaluator"), make_manifest(folder)
        evaluator = await stage.start_evaluator(network=there, source=source, every=None)
        await evaluator.wait("connected")
        for _ in range(3):
            await show_next(evaluator)
        await end_session(evaluator)
        assert_uninterrupted(evaluator, client)
        assert assert_true_account(evaluator, client) == (3, 0)


@side_by_side(15)
async def test_a_page_is_shown_all_that_a_python_evaluator_shows(folder: Path) -> None:
    async with (
        open_scene(MTU, "evaluator") as (hosts, stage),
        open_browser_on(hosts, "client") as browser,
        open_client_page(browser, stage.url, "C"),
    ):
        there, source = hosts.network_of("evaluator"), make_manifest(folder)
        evaluator = await stage.start_evaluator(network=there, source=source, every=None)
        await evaluator.wait("connected")
        for _ in range(3):
            await show_next(evaluator)
        await end_session(evaluator)
        assert_uninterrupted(evaluator)


@side_by_side(20)
async def test_both_sides_say_why_a_console_is_interrupted_whose_messages_are_lost(
    folder: Path,
) -> None:
    async with open_scene(MTU, "client") as (hosts, stage):
        client = await stage.start_client(network=hosts.network_of("client"))
        await client.wait("registered")
        async with (
            open_browser_on(hosts, "evaluator") as browser,
            open_console(browser, stage.url, "E") as console,
        ):
            await console.paste(make_manifest(folder).read_text())
            await console.start("C")
            await console.press("Home")
            told = await client.wait_state("interrupted", seconds=MISSED_S)
            assert Cause.PATH_MTU.value in told["detail"]
            await console.wait_says("path MTU", "body")
            told = await client.wait_state("resumed", since=told["seen"])
            assert Cause.PATH_MTU.value in told["detail"]
