"""Pictures from an evaluator's folder to a client that has no way to it but a TURN server.

Both reach the relay and that server, and nobody serves a picture by HTTP: they come over the
connection, and are the same there as here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest

from tests.faults.islands import ADDRESSES, MIDDLE, Islands, open_islands
from tests.faults.stage import Stage, Witness, end_session, open_stage
from tests.kit.browsers import Page, open_browser
from tests.kit.chromium import shared_chromium
from tests.kit.pictures import encode
from tests.kit.processes import JSON, SAMPLES
from tests.kit.turn_servers import SECRET, needs_coturn, open_coturn
from tests.kit.web_pages import open_client_page

pytestmark = needs_coturn

# Before anything of the page runs: keep what its images are made of.
KEEP_BLOBS = """
window.blobs = new Map();
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  const url = make.call(URL, blob);
  window.blobs.set(url, blob);
  return url;
};
"""

# What is on the screen, as it came.
ON_SCREEN = """
(async () => {
  const blob = window.blobs.get(document.querySelector("#stage img").src);
  const body = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(body, (byte) => String.fromCharCode(byte)).join(""));
})()
"""


@attrs.frozen
class Scene:
    """The relay and the TURN server in the middle; who is to have a session has still to come.

    :param pictures: what is shown.
    """

    islands: Islands
    stage: Stage
    pictures: Path

    @property
    def hashes(self) -> list[str]:
        """Of the evaluator's files, in the order in which they are shown."""
        return [sha256(file.read_bytes()) for file in sorted(self.pictures.iterdir())]

    async def start_evaluator(self) -> Witness:
        network = self.islands.network_of("evaluator")
        return await self.stage.start_evaluator(source=self.pictures, every=None, network=network)

    async def finish(self, evaluator: Witness, last: str) -> None:
        """Nobody was asked for a picture by HTTP, and all that was shown came."""
        count = len(self.hashes)
        assert await self.islands.listening_on("evaluator") == []
        assert await end_session(evaluator) == 0
        assert [line["imageIndex"] for line in evaluator.all("acked")] == list(range(count))
        told = [line for line in evaluator.all("stage") if line["stage"] == last]
        assert [line["imageIndex"] for line in told] == list(range(count))


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def make_pictures(folder: Path) -> Path:
    """Of kinds and sizes that differ."""
    folder.mkdir()
    (folder / "1.svg").write_bytes((SAMPLES / "2-optotype-chart.svg").read_bytes())
    (folder / "2.png").write_bytes((SAMPLES / "4-grating-gabor.png").read_bytes())
    for name, form in (("3.jpg", "JPEG"), ("4.gif", "GIF"), ("5.webp", "WEBP")):
        (folder / name).write_bytes(encode(form))
    return folder


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with open_islands() as islands, open_stage() as stage:
        for host, other in zip(ADDRESSES, reversed(ADDRESSES), strict=True):
            with pytest.raises(OSError, match="unreachable"):
                await islands.connect_on(host, ADDRESSES[other], 80)
        async with open_coturn(None, *islands.on("middle"), hosts=[MIDDLE]) as turn:
            await islands.wait_listening(turn.port)
            named = ("--turn", f"turn:{MIDDLE}:{turn.port}", "--turn-secret-file", str(secret))
            servers = ("--stun", "none", *named)
            network = islands.network_of("middle")
            await stage.start_relay(host=MIDDLE, servers=servers, network=network)
            yield Scene(islands, stage, make_pictures(folder / "pictures"))


async def show_next(evaluator: Witness, last: str) -> None:
    """One image more, until the client has told this of it."""
    index = len(evaluator.all("acked"))

    def is_it(line: JSON) -> bool:
        return (line["imageIndex"], line["stage"]) == (index, last)

    await evaluator.child.write("next\n")
    await evaluator.wait("stage", is_it)


async def test_the_command_has_each_picture_byte_for_byte(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        kept = tmp_path / "kept"
        network = scene.islands.network_of("client")
        client = await scene.stage.start_client(("--save", str(kept)), network=network)
        await client.wait("registered")
        evaluator = await scene.start_evaluator()
        await evaluator.wait("connected")
        for _ in scene.hashes:
            await show_next(evaluator, "fetched")
        await scene.finish(evaluator, "fetched")
        await client.wait("ended")
        assert [sha256(file.read_bytes()) for file in sorted(kept.iterdir())] == scene.hashes


async def test_the_page_has_each_picture_on_its_screen_byte_for_byte(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        islands, seen = scene.islands, list[str]()
        with shared_chromium(prefix=islands.on("client")) as started:
            there = attrs.evolve(started, connect=partial(islands.connect_on, "client"))
            async with (
                open_browser(there) as browser,
                open_client_page(browser, scene.stage.url, "C", KEEP_BLOBS) as client,
            ):
                evaluator = await scene.start_evaluator()
                await evaluator.wait("connected")
                for _ in scene.hashes:
                    await show_next(evaluator, "shown")
                    seen.append(await hash_on_screen(client.page))
                await scene.finish(evaluator, "shown")
        assert seen == scene.hashes


async def hash_on_screen(page: Page) -> str:
    return sha256(base64.b64decode(await page.run(ON_SCREEN)))
