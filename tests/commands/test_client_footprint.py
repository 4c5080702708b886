"""What a long life leaves behind in a client's process."""

from __future__ import annotations

from pathlib import Path

import attrs
import trio

from imgsync import ImageRef, open_evaluator
from imgsync.images.host import open_image_host
from tests.kit.command_lines import HERE, LOOPBACK, client
from tests.kit.forks import open_fork, open_relay
from tests.kit.processes import SAMPLES, SESSION_S, Child, wait_until


@attrs.frozen
class Footprint:
    """What a process holds."""

    files: int
    threads: int

    @classmethod
    def of(cls, child: Child) -> Footprint:
        proc = Path("/proc") / str(child.process.pid)
        return cls(len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))

    def is_within(self, limit: Footprint) -> bool:
        return self.files <= limit.files and self.threads <= limit.threads


async def test_a_client_holds_no_more_files_and_threads_after_ten_sessions_than_after_two() -> None:
    footprints = []
    async with (
        open_relay("--grace", "0.5", "--rate-limit", "0") as url,
        open_image_host(LOOPBACK, {"a": SAMPLES / "9-blank.png"}) as host,
        open_fork("client", *client(url, "long", *HERE, "--json")) as following,
        open_evaluator(url, user_id="E", ice_addresses=[LOOPBACK]) as library,
    ):
        await following.wait_event("registered")
        image = ImageRef(0, host.url_of("a"), host.signed_url_of("a"), "a")
        for _ in range(10):
            with trio.fail_after(SESSION_S):
                async with library.open_session("long") as session:
                    await session.show(image)
                    await following.wait_event("fetched")
            assert (await following.wait_event("ended"))["reason"] == "ended"
            footprints.append(Footprint.of(following))
        # aioice closes its sockets in the turn of the loop after the one that we wait for.
        await wait_until(
            lambda: Footprint.of(following).is_within(footprints[1]), f"no growth in {footprints}"
        )
