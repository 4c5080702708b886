"""Two hosts that have IPv6 alone: relay, TURN server, images and both peers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs

from tests.faults.hosts import IPV6_ADDRESSES, Hosts, open_hosts
from tests.faults.stage import Stage, end_session, open_stage, show_next
from tests.kit.browsers import open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.turn_servers import SECRET, needs_coturn, open_coturn
from tests.kit.web_pages import make_folder, open_client_page

pytestmark = needs_coturn

EVALUATOR = IPV6_ADDRESSES["evaluator"]


@attrs.frozen
class Scene:
    hosts: Hosts
    stage: Stage


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    """A relay on all addresses, and a TURN server, both on the evaluator's host."""
    secret = folder / "secret"
    secret.write_text(SECRET)
    async with open_hosts(IPV6_ADDRESSES) as hosts, open_stage() as stage:
        there = hosts.on("evaluator")
        async with open_coturn(None, *there, hosts=[EVALUATOR]) as turn:
            url = f"turn:[{EVALUATOR}]:{turn.port}"
            named = ("--stun", f"stun:[{EVALUATOR}]:{turn.port}", "--turn", url)
            servers = (*named, "--turn-secret-file", str(secret))
            await stage.start_relay(
                host="::", servers=servers, network=hosts.network_of("evaluator")
            )
            assert stage.url.startswith("ws://[::]:")
            stage.url = stage.url.replace("[::]", f"[{EVALUATOR}]")
            yield Scene(hosts, stage)


async def test_python_peers_have_a_session(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        stage, hosts = scene.stage, scene.hosts
        client = await stage.start_client(
            network=hosts.network_of("client"), options=("--ice-policy", "relay")
        )
        await client.wait("registered")
        images = make_folder(tmp_path, 2)
        evaluator = await stage.start_evaluator(
            network=hosts.network_of("evaluator"), source=images, every=None
        )
        await evaluator.wait("connected")
        await show_next(evaluator)
        fetched = await client.wait("fetched")
        print(fetched)
        assert await end_session(evaluator) == 0


async def test_a_page_has_a_session_with_a_python_peer(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        stage, hosts = scene.stage, scene.hosts
        with shared_chromium(prefix=hosts.on("client")) as started:
            started = attrs.evolve(started, connect=partial(hosts.connect_on, "client"))
            async with (
                open_browser(started) as browser,
                open_client_page(browser, stage.url, "C") as page,
            ):
                images = make_folder(tmp_path, 2)
                there = hosts.network_of("evaluator")
                evaluator = await stage.start_evaluator(network=there, source=images, every=None)
                await evaluator.wait("connected")
                await show_next(evaluator)
                await page.wait_shows(0)
                assert await end_session(evaluator) == 0
