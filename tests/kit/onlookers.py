"""A client inside the test, for commands that have a client to show images to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from imgsync import open_client
from imgsync.client.client import Client
from imgsync.core.protocol.signalling import EndReason
from tests.kit.command_lines import LOOPBACK
from tests.kit.processes import EXIT_S


class Onlooker:
    """A client inside the test, which follows one session and notes what it is shown.

    It tells of each image that it has been shown: an evaluator waits for that in the end.
    """

    def __init__(self) -> None:
        self.indices: list[int] = []
        self.end_reason: EndReason | None = None
        self.done = trio.Event()

    async def follow(self, client: Client) -> None:
        session = await client.next_session()
        async with session:
            async for image in session.images():
                self.indices.append(image.index)
                image.fetched()
                image.shown()
        self.end_reason = session.end_reason
        self.done.set()


@asynccontextmanager
async def open_onlooker(url: str, user: str) -> AsyncIterator[Onlooker]:
    """A registered onlooker; leaving the block waits for the end of its session."""
    onlooker = Onlooker()
    async with (
        open_client(url, user_id=user, ice_addresses=[LOOPBACK]) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(onlooker.follow, client)
        yield onlooker
        with trio.fail_after(EXIT_S):
            await onlooker.done.wait()
