"""The way that an image, its ack, a ping and a signal take through the code, and what it costs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import trio
import trio.testing

import imgsync
from imgsync import EvaluatorSession, ImageRef, open_client, open_evaluator
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import Image
from imgsync.core.protocol.numbers import PING_BURST, PING_BURST_INTERVAL, PING_INTERVAL
from imgsync.testing import MemoryNetwork

PACKAGE = Path(imgsync.__file__).parent
URL = "memory:"


def image(index: int) -> ImageRef:
    url = f"http://h/{index}.png"
    return ImageRef(index=index, name=f"{index}.png", image_url=url, signed_url=f"{url}?sig")


@asynccontextmanager
async def open_pair(network: MemoryNetwork) -> AsyncIterator[EvaluatorSession]:
    """A session with a client that takes each image as it comes."""

    async def follow() -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            async for session in client.sessions():
                async with session:
                    async for _ in session.images():
                        pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(follow)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            await evaluator.wait_available("c")
            async with evaluator.open_session("c") as session:
                yield session
        nursery.cancel_scope.cancel()


@contextmanager
def watch_calls(watch: Callable[[FrameType], None]) -> Iterator[None]:
    """Look at each function of ours as it is called."""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(str(PACKAGE)):
            watch(frame)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def watch_files() -> Iterator[set[str]]:
    """The files of ours in which something is called."""
    seen: set[str] = set()

    def watch(frame: FrameType) -> None:
        seen.add(str(Path(frame.f_code.co_filename).relative_to(PACKAGE)))

    with watch_calls(watch):
        yield seen


async def test_an_image_is_encoded_once_however_often_it_is_sent(
    autojump_clock: trio.testing.MockClock,
) -> None:
    encoded: list[int] = []

    def watch(frame: FrameType) -> None:
        if frame.f_code is encode_channel.__code__:
            message = frame.f_locals["message"]
            if isinstance(message, Image):
                encoded.append(message.image_index)

    copies: list[int] = []

    async def show_again() -> None:
        copies.append((await session.show(image(2))).copies)

    network = MemoryNetwork()
    async with open_pair(network) as session:
        with watch_calls(watch):
            await session.show(image(1))
            network.is_silent = True
            async with trio.open_nursery() as nursery:
                nursery.start_soon(show_again)
                await trio.testing.wait_all_tasks_blocked()
                network.is_silent = False
                network.links[-1].break_off()
            await session.show(image(3))
    assert copies == [3]  # the one that was lost, and for the new channel and its ready
    assert encoded == [1, 2, 3]


async def test_an_image_and_its_ack_pass_through_these_files_and_no_more(
    autojump_clock: trio.testing.MockClock,
) -> None:
    second = image(2)
    async with open_pair(MemoryNetwork()) as session:
        await session.show(image(1))
        await trio.sleep(PING_INTERVAL / 4)
        with watch_files() as seen:
            await session.show(second)
    assert seen == {
        "evaluator/evaluator.py",
        "evaluator/delivery.py",
        "evaluator/sharing.py",
        "client/client.py",
        "client/answers.py",
        "tasks.py",
        "peer/session.py",
        "peer/session_journal.py",
        "core/protocol/channel.py",
        "core/protocol/trials.py",
        "core/channel/presenter.py",
        "core/channel/follower.py",
        "core/channel/line.py",
        "core/channel/early.py",
        "core/channel/preload.py",
        "core/channel/prompt.py",
        "core/channel/sharing.py",
        "core/channel/showings.py",
        "core/channel/clocks.py",
        "core/channel/drift.py",
        "core/codec/codec.py",
        "core/codec/strict.py",
        "testing.py",
        "wallclock.py",
    }


async def test_a_ping_does_not_leave_the_session(autojump_clock: trio.testing.MockClock) -> None:
    async with open_pair(MemoryNetwork()) as session:
        await session.show(image(1))
        await trio.sleep(PING_BURST * PING_BURST_INTERVAL + PING_INTERVAL / 2)
        with watch_files() as seen:
            await trio.sleep(PING_INTERVAL)
    assert {"peer/session.py", "core/channel/line.py", "core/channel/heartbeat.py"} <= seen
    assert not [name for name in seen if name.startswith(("evaluator", "client"))]
