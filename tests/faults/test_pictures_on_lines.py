"""Pictures over the connection where the network is slow or fails, and where many want them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

from imgsync import open_client, open_evaluator, open_images
from imgsync.images.fetch import open_fetcher
from imgsync.images.gallery import open_gallery
from tests.faults.hosts import ADDRESSES, Hosts, open_hosts
from tests.faults.stage import (
    Stage,
    Witness,
    assert_uninterrupted,
    end_session,
    now_ms,
    open_stage,
    tell,
)
from tests.kit.forks import open_relay
from tests.kit.own_pictures import bmp_of
from tests.kit.processes import JSON
from tests.kit.side_by_side import side_by_side

MB = 1_000_000

SLOW = 10e6 / 8
"""Bytes a second; a picture of 1 MB takes 0.9 s there."""

DELAY = 0.025

ROOM = 256_000
"""Bytes that wait on a line, as with many a router."""

CUT_S = 12.0
"""More than 8, after which a connection counts as dead."""

STALLED_S = 20

OVERHEAD = 1.3
"""Times the bytes of a picture that are on the wire for it, at most: headers of five protocols in
packets of some 1,200 bytes, what is lost where a queue is full, and what is sent twice because a
loaded machine acknowledges late. To begin anew behind 8 of 20 MB is 1.4 without all of that."""

CLIENTS = 20


@attrs.define
class Scene:
    """A session of two commands, on two hosts, with nothing shown yet."""

    hosts: Hosts
    stage: Stage
    evaluator: Witness
    client: Witness

    async def goto(self, index: int) -> float:
        """Show this one; returns when."""
        at = now_ms()
        await self.evaluator.child.write(f"goto {index}\n")
        return at

    async def wait_fetched(self, index: int, since: float, seconds: float) -> float:
        """Until the client has told so; returns the seconds since then."""

        def is_it(line: JSON) -> bool:
            assert line["stage"] != "failed", line
            return (line["imageIndex"], line["stage"]) == (index, "fetched")

        told = await self.evaluator.wait("stage", is_it, since=since, seconds=seconds)
        return float(told["seen"] - since) / 1000

    async def wait_fetched_at_last(self, index: int, since: float) -> None:
        """The same, as long as it goes on: on a loaded machine that may be slowly."""
        before = -math.inf
        # Pings alone are some kB in that time.
        while (passed := (await self.hosts.count())["client"].size) > before + MB / 10:
            before = passed
            with trio.move_on_after(STALLED_S):
                await self.wait_fetched(index, since, seconds=math.inf)
                return
        raise AssertionError(f"it stands still for {STALLED_S} s behind {passed} bytes")

    async def wait_passed(self, count: float) -> None:
        """Until so many bytes have come to the client's host."""
        while (await self.hosts.count())["client"].size < count:  # noqa: ASYNC110 (nobody tells us)
            await trio.sleep(0.05)


@asynccontextmanager
async def open_scene(pictures: Path, kept: Path, rate: float) -> AsyncIterator[Scene]:
    async with open_hosts() as hosts, open_stage() as stage:
        network = hosts.network_of("evaluator")
        await stage.start_relay(host=ADDRESSES["evaluator"], network=network)
        client = await stage.start_client(("--save", str(kept)), network=hosts.network_of("client"))
        await client.wait("registered")
        await hosts.delay(DELAY)
        await hosts.limit(rate, ROOM)
        evaluator = await stage.start_evaluator(source=pictures, every=None, network=network)
        await evaluator.wait("connected")
        yield Scene(hosts, stage, evaluator, client)


def make_folder(folder: Path, count: int, size: int) -> Path:
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(count):
        (pictures / f"{number:03}.bmp").write_bytes(bmp_of(size))
    return pictures


def hash_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@side_by_side(15)
async def test_of_forty_pictures_on_a_slow_line_the_one_that_is_shown_comes_first(
    folder: Path,
) -> None:
    pictures, kept = make_folder(folder, 40, MB), folder / "kept"
    async with open_scene(pictures, kept, SLOW) as scene:
        first = await scene.wait_fetched(0, await scene.goto(0), seconds=10)
        # Thirty-nine are announced and under way, and all of them would take half a minute.
        await trio.sleep(1)
        last = await scene.wait_fetched(39, await scene.goto(39), seconds=10)
        since = now_ms()
        for index in range(4):
            await scene.goto(index)
            await scene.evaluator.wait("acked", since=since)
            since = now_ms()
        ways = [line["roundTripMs"] for line in scene.evaluator.all("acked")]
        # Those that were passed by are to be saved as well: 3 MB, of which nobody asks how fast.
        assert await end_session(scene.evaluator, seconds=60) == 0
        assert_uninterrupted(scene.evaluator, scene.client)
        [saved] = kept.glob("0039-*")
        assert hash_of(saved) == hash_of(pictures / "039.bmp")
        tell("1 MB of 40 at 10 Mbit/s", first_s=first, last_s=last, slowest_ack_ms=max(ways))


@side_by_side(40)
async def test_a_picture_goes_on_after_a_repair_where_it_was(folder: Path) -> None:
    size = 20 * MB
    pictures, kept = make_folder(folder, 1, size), folder / "kept"
    async with open_scene(pictures, kept, 4 * SLOW) as scene:
        begun = await scene.goto(0)
        await scene.wait_passed(8 * MB)
        await scene.hosts.set_link("client", "down")
        await trio.sleep(CUT_S)
        back = await scene.hosts.set_link("client", "up")
        await scene.evaluator.wait_state("resumed", since=back)
        await scene.wait_fetched_at_last(0, begun)
        passed = (await scene.hosts.count())["client"].size
        assert await end_session(scene.evaluator) == 0
        assert "interrupted" in scene.evaluator.states
        # To begin anew would be 8 MB more.
        assert size < passed < OVERHEAD * size
        [saved] = kept.iterdir()
        assert hash_of(saved) == hash_of(pictures / "000.bmp")
        tell("20 MB, cut at 8", on_the_wire_mb=passed / MB)


@side_by_side(10)
async def test_twenty_clients_have_their_pictures_at_once(folder: Path) -> None:
    pictures = make_folder(folder, 1, MB // 4)
    got: dict[str, str] = {}

    async def follow(
        url: str, user: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with (
            open_fetcher() as fetcher,
            open_client(url, user_id=user, pictures=True) as client,
        ):
            task_status.started()
            session = await anext(client.sessions())
            async with session, open_gallery(fetcher, receiving=session.receiving) as gallery:
                async for image in session.images():
                    fetched = await gallery.show(image.image_url, image.signed_url).wait()
                    got[user] = hashlib.sha256(fetched.body).hexdigest()
                    image.fetched()

    async with (
        open_relay("--no-auth") as url,
        open_images(pictures) as images,
        open_evaluator(url, user_id="E") as evaluator,
        trio.open_nursery() as clients,
    ):

        async def show(user: str) -> None:
            async with evaluator.open_session(user) as session:
                await session.show(images[0])
                await anext(session.stages())

        users = [f"C{number}" for number in range(CLIENTS)]
        for user in users:
            await clients.start(follow, url, user)
        async with trio.open_nursery() as sessions:
            for user in users:
                sessions.start_soon(show, user)
    assert got == dict.fromkeys(users, hash_of(pictures / "000.bmp"))
