"""Sessions from a network that only a proxy leads out of: a program's, and a page's."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs

from tests.faults.campus import (
    FAR,
    GATE,
    LOGIN,
    LOGIN_PORT,
    OPEN_PORT,
    TURN_PORT,
    TURNS_PORT,
    Campus,
    open_campus,
)
from tests.faults.stage import Stage, Witness, end_session, open_stage, show_next
from tests.kit.chromium import OPTIONS
from tests.kit.foreign import require
from tests.kit.pictures import encode
from tests.kit.processes import START_S, STRICT, open_child
from tests.kit.turn_servers import SECRET


@attrs.frozen
class Scene:
    """A relay outside, which names the TURN server, and an evaluator there that may use no other.

    :param pictures: of the evaluator's folder.
    """

    campus: Campus
    stage: Stage
    pictures: Path

    @property
    def relay(self) -> str:
        """As a proxy is asked for it."""
        return self.stage.url.removeprefix("ws://").removesuffix("/ws")

    async def start_evaluator(self, *options: str) -> Witness:
        # Its other address is on the cable to the inside, which needs no proxy.
        self.stage.options = ("--ice-address", FAR, *options)
        outside = self.campus.network_of("outside")
        return await self.stage.start_evaluator(source=self.pictures, every=None, network=outside)


@asynccontextmanager
async def open_scene(folder: Path, turn: str) -> AsyncIterator[Scene]:
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    pictures = folder / "pictures"
    pictures.mkdir()
    for name in ("1.png", "2.png"):
        (pictures / name).write_bytes(encode("PNG"))
    async with open_campus(folder) as campus, open_stage() as stage:
        servers = ("--stun", "none", "--turn", turn, "--turn-secret-file", str(secret))
        await stage.start_relay(host=FAR, servers=servers, network=campus.network_of("outside"))
        yield Scene(campus, stage, pictures)


async def test_programs_go_through_connect_to_the_relay_and_to_turn_by_tls(tmp_path: Path) -> None:
    turns = f"turns:{FAR}:{TURNS_PORT}?transport=tcp"
    async with open_scene(tmp_path, turns) as scene:
        campus, stage = scene.campus, scene.stage
        inside, trust = campus.network_of("inside"), {"SSL_CERT_FILE": str(campus.authority)}
        lost = await stage.start_client(network=inside, env=STRICT | trust)
        proxy = {"all_proxy": f"http://{LOGIN}@{GATE}:{LOGIN_PORT}"}
        client = await stage.start_client(network=inside, env=STRICT | trust | proxy)
        evaluator = await scene.start_evaluator("--wait", "--pictures", "url")
        await evaluator.wait("connected")
        await show_next(evaluator)
        await client.wait("fetched")
        assert await end_session(evaluator) == 0
        # Without the proxy there is no way.
        assert await lost.wait_exit() == 1
        assert f"no relay at {stage.url}" in lost.child.read_errors()
        asked = campus.asked(LOGIN_PORT)
        assert asked[0] == f"CONNECT {scene.relay} HTTP/1.1"
        assert f"CONNECT {FAR}:{TURNS_PORT} HTTP/1.1" in asked
        assert any(line.startswith(f"GET http://{FAR}:") for line in asked)


async def test_a_page_goes_through_it_to_turn_by_tcp(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    require(chromium, "no Chromium is installed")
    async with open_scene(tmp_path, f"turn:{FAR}:{TURN_PORT}?transport=tcp") as scene:
        campus = scene.campus
        page = f"http://{scene.relay}/client?user=C&door=off"
        command = (str(chromium), *OPTIONS, f"--proxy-server=http://{GATE}:{OPEN_PORT}")
        profile = f"--user-data-dir={tmp_path}/profile"
        async with open_child("page", *campus.on("inside"), *command, profile, page):
            evaluator = await scene.start_evaluator("--wait")
            await evaluator.wait("connected", seconds=START_S)
            await show_next(evaluator)
            await evaluator.wait("stage", lambda line: line["stage"] == "shown")
            assert await end_session(evaluator) == 0
        asked = campus.asked(OPEN_PORT)
        assert f"CONNECT {FAR}:{TURN_PORT} HTTP/1.1" in asked
        assert f"CONNECT {scene.relay} HTTP/1.1" in asked
