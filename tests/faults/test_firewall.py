"""A firewall that lets TCP out to two ports alone: to the relay, and to a TURN server by TLS.

The relay names the server by all three transports, as it knows nothing of who is behind what.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
import trustme

from tests.faults.hosts import ADDRESSES, Hosts, open_hosts
from tests.faults.stage import Stage, Witness, end_session, open_stage, show_next
from tests.kit.browsers import open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.processes import LOOK_AGAIN_S, START_S, STRICT
from tests.kit.turn_servers import SECRET, Coturn, needs_coturn, open_coturn
from tests.kit.web_pages import open_client_page

pytestmark = needs_coturn

OUTSIDE = ADDRESSES["evaluator"]


@attrs.frozen
class Scene:
    """An evaluator, the relay and the TURN server outside; who is inside has still to come.

    :param authority: PEM file of the one that the TURN server's certificate is of.
    """

    hosts: Hosts
    stage: Stage
    authority: Path

    async def start_evaluator(self, folder: Path) -> Witness:
        # An image that those inside can fetch: the relay has one of its own.
        image = f"http://{OUTSIDE}:{self.stage.port}/web/icon.svg"
        manifest = folder / "series.csv"
        manifest.write_text(image)
        return await self.stage.start_evaluator(
            source=manifest, every=None, network=self.hosts.network_of("evaluator")
        )

    async def run_session(self, folder: Path, last: str) -> None:
        """Show the image, until this stage of it is told."""
        evaluator = await self.start_evaluator(folder)
        await evaluator.wait("connected")
        await show_next(evaluator)
        await evaluator.wait("stage", lambda line: line["stage"] == last)
        assert await end_session(evaluator) == 0


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = folder / "certificate.pem"
    authority.issue_cert(OUTSIDE).private_key_and_cert_chain_pem.write_to_path(certificate)
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with open_hosts() as hosts, open_stage() as stage:
        prefix = hosts.on("evaluator")
        async with open_coturn(certificate, *prefix, hosts=[OUTSIDE]) as turn:
            await wait_listening(hosts, turn)
            await stage.start_relay(
                host=OUTSIDE,
                servers=("--stun", "none", *named(turn), "--turn-secret-file", str(secret)),
                network=hosts.network_of("evaluator"),
            )
            await hosts.let_pass(stage.port, turn.tls_port)
            yield Scene(hosts, stage, folder / "authority.pem")


async def wait_listening(hosts: Hosts, turn: Coturn) -> None:
    with trio.fail_after(START_S):
        while True:
            try:
                await (await hosts.connect_on("evaluator", OUTSIDE, turn.tls_port)).aclose()
            except OSError:
                await trio.sleep(LOOK_AGAIN_S)
            else:
                return


def named(turn: Coturn) -> list[str]:
    plain, tls = f"{OUTSIDE}:{turn.port}", f"{OUTSIDE}:{turn.tls_port}"
    urls = (f"turn:{plain}", f"turn:{plain}?transport=tcp", f"turns:{tls}?transport=tcp")
    return [word for url in urls for word in ("--turn", url)]


async def test_a_program_behind_it_has_its_session(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        client = await scene.stage.start_client(
            network=scene.hosts.network_of("client"),
            env=STRICT | {"SSL_CERT_FILE": str(scene.authority)},
        )
        await client.wait("registered")
        await scene.run_session(tmp_path, "fetched")


async def test_a_page_behind_it_has_its_session(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        hosts, stage = scene.hosts, scene.stage
        # The server's authority is known to nobody here but us.
        options = ("--ignore-certificate-errors",)
        with shared_chromium(*options, prefix=hosts.on("client")) as started:
            there = attrs.evolve(started, connect=partial(hosts.connect_on, "client"))
            async with (
                open_browser(there) as browser,
                open_client_page(browser, stage.url, "C"),
            ):
                await scene.run_session(tmp_path, "shown")


async def test_without_a_turn_server_by_tls_there_would_be_no_way(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        await scene.hosts.let_pass(scene.stage.port)
        client = await scene.stage.start_client(network=scene.hosts.network_of("client"))
        await client.wait("registered")
        evaluator = await scene.start_evaluator(tmp_path)
        with pytest.raises(AssertionError, match="no 'connected'"):
            await evaluator.wait("connected", seconds=3)
        assert not evaluator.is_silent
