"""A session's block: what is told and what is left, whenever and however it is left."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync import EvaluatorSession, ImageRef, InputError, open_client, open_evaluator
from imgsync.core.protocol.numbers import LOST_AFTER
from imgsync.core.protocol.signalling import EndReason, IceServer, PresenceState
from imgsync.core.protocol.states import SessionState
from imgsync.journal.reader import Entry, read_journal
from imgsync.tasks import find_lone
from imgsync.testing import MemoryLink, MemoryNetwork

URL = "memory:"


def image(index: int) -> ImageRef:
    return ImageRef(index, f"http://h/{index}.png", f"http://h/{index}.png?s", f"{index}.png")


class Network(MemoryNetwork):
    """Counts the links that are open, and may have no address for the next ones."""

    def __init__(self) -> None:
        super().__init__()
        self.open_links = 0
        self.without_address = 0

    @asynccontextmanager
    async def open_link(self, ice_servers: Sequence[IceServer]) -> AsyncIterator[MemoryLink]:
        """See the seam."""
        if self.without_address:
            self.without_address -= 1
            await trio.lowlevel.checkpoint()
            raise InputError("no address can be used")
        async with super().open_link(ice_servers) as link:
            self.open_links += 1
            try:
                yield link
            finally:
                self.open_links -= 1


async def follow(network: Network, *, images: int) -> None:
    """A client that leaves each session after so many images."""
    async with open_client(URL, user_id="c", network=network) as client:
        async for session in client.sessions():
            async with session:
                for _ in range(images):
                    await session.next_image()


@asynccontextmanager
async def open_pair(network: Network, *, images: int = 10) -> AsyncIterator[EvaluatorSession]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: follow(network, images=images))
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            await evaluator.wait_available("c")
            async with evaluator.open_session("c") as session:
                yield session
        nursery.cancel_scope.cancel()


async def test_the_link_of_a_session_that_the_other_side_has_ended_is_closed_at_once(
    autojump_clock: MockClock,
) -> None:
    network = Network()
    async with open_pair(network, images=1) as session:
        assert network.open_links == 2
        await session.show(image(0))
        assert await session.wait_ended() is EndReason.ENDED
        await wait_all_tasks_blocked()
        assert network.open_links == 0


async def test_nothing_is_told_of_a_session_that_has_ended(autojump_clock: MockClock) -> None:
    async with open_pair(Network(), images=1) as session:
        await session.show(image(0))
        await session.wait_ended()
        await trio.sleep(2 * LOST_AFTER)
        assert session.state is SessionState.ENDED
        states = [change.state async for change in session.changes()]
    assert states == [SessionState.CONNECTING, SessionState.CONNECTED, SessionState.ENDED]


async def test_without_an_address_a_repair_is_tried_again_and_a_first_connection_is_not(
    autojump_clock: MockClock,
) -> None:
    network = Network()
    async with open_pair(network) as session:
        await session.show(image(0))
        network.without_address = 2
        network.links[-1].break_off()
        await session.show(image(1))
        assert session.state is SessionState.RESUMED
    network.without_address = 2
    with pytest.raises(ExceptionGroup) as caught:
        async with open_pair(network):
            raise AssertionError("it is open")
    assert isinstance(find_lone(caught.value), InputError)


async def test_a_session_that_is_cancelled_as_it_is_opened_is_ended_at_the_relay(
    autojump_clock: MockClock,
) -> None:
    network = Network()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: follow(network, images=1))
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            for steps in range(12):
                await evaluator.wait_available("c")
                with trio.CancelScope() as scope:
                    nursery.start_soon(cancel_after, scope, steps)
                    async with evaluator.open_session("c"):
                        await trio.sleep_forever()
                await trio.sleep(1)
                assert evaluator.clients == {"c": PresenceState.AVAILABLE}, steps
        nursery.cancel_scope.cancel()


async def cancel_after(scope: trio.CancelScope, steps: int) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_the_record_of_a_session_that_is_left_at_once_begins_with_it(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    network, file = Network(), tmp_path / "client.jsonl"

    async def leave() -> None:
        async with (
            open_client(URL, user_id="c", network=network, log_file=file) as client,
            await client.next_session(),
        ):
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            await evaluator.wait_available("c")
            with pytest.raises(Exception, match="ended"):
                async with evaluator.open_session("c"):
                    raise AssertionError("it is open")
    events = [
        type(entry.event).__name__ for entry in read_journal(file) if isinstance(entry, Entry)
    ]
    assert events == ["Header", "Session", "State", "State"]
