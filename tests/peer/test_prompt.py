"""An image that the application waits for is acked before Trio has its turn; no other one is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from imgsync import EvaluatorSession, open_client, open_evaluator
from imgsync.client.client import ClientSession, ReceivedImage
from imgsync.core.codec.codec import decode_channel, encode_channel
from imgsync.core.protocol.channel import Ack, Image
from imgsync.seams import Received
from imgsync.testing import MemoryLink, MemoryNetwork
from imgsync.wallclock import now_ms
from tests.peer.test_sessions import URL, image


@attrs.define
class Pair:
    """A session, both of its sides, and what the client has acked."""

    network: MemoryNetwork
    evaluator: EvaluatorSession
    client: ClientSession
    acks: list[Ack] = attrs.Factory(list)

    @property
    def link(self) -> MemoryLink:
        """The client's; links are opened by the evaluator first."""
        return self.network.links[-1]

    def watch(self) -> None:
        send = self.link.send

        def send_and_note(text: str) -> None:
            message = decode_channel(text)
            if isinstance(message, Ack):
                self.acks.append(message)
            send(text)

        self.link.send = send_and_note  # type: ignore[method-assign]

    def come(self, sent_at: float) -> None:
        """An image comes in, of which the evaluator knows nothing."""
        shown = Image(0, "http://h/a.png", "http://h/a.png?s", sent_at)
        self.link.put(Received(encode_channel(shown), now_ms()))


@pytest.fixture(autouse=True)
def links_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryLink, "lives_apart", True)


@asynccontextmanager
async def open_pair() -> AsyncIterator[Pair]:
    network = MemoryNetwork()
    async with (
        open_client(URL, user_id="c", network=network) as client,
        open_evaluator(URL, user_id="e", network=network) as evaluator,
        trio.open_nursery() as nursery,
    ):
        give, take = trio.open_memory_channel[ClientSession](1)

        async def follow() -> None:
            session = await client.next_session()
            async with session:
                give.send_nowait(session)
                await trio.sleep_forever()

        nursery.start_soon(follow)
        async with evaluator.open_session("c") as session:
            pair = Pair(network, session, await take.receive())
            await trio.testing.wait_all_tasks_blocked()
            pair.watch()
            yield pair
        nursery.cancel_scope.cancel()


async def take_into(pair: Pair, seen: list[ReceivedImage]) -> None:
    received = await pair.client.next_image()
    assert received is not None
    seen.append(received)


async def test_who_waits_has_acked_before_any_task_runs(autojump_clock: MockClock) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        pair.come(5.5)
        assert [ack.sent_at for ack in pair.acks] == [5.5]
        pair.come(6.5)
        assert len(pair.acks) == 1
        await trio.testing.wait_all_tasks_blocked()
        assert [one.sent_at for one in seen] == [5.5]
        assert seen[0].received_at == pair.acks[0].received_at
        assert len(pair.acks) == 1
        await take_into(pair, seen)
        assert [ack.sent_at for ack in pair.acks] == [5.5, 6.5]


async def test_an_image_is_not_acked_before_another_one_that_has_come_and_was_not_taken(
    autojump_clock: MockClock,
) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair:
        # Somebody begins to wait in the very moment, in the other thread.
        permit = pair.client._following.prompt.permit
        pair.come(5.5)
        permit()
        pair.come(6.5)  # the first one has not had its turn
        assert pair.acks == []
        await trio.testing.wait_all_tasks_blocked()
        pair.come(7.5)  # it has, and was not taken
        assert pair.acks == []
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            await take_into(pair, seen)
        assert [ack.sent_at for ack in pair.acks] == [5.5, 6.5, 7.5]
        assert [ack.received_at for ack in pair.acks] == [one.received_at for one in seen]


async def test_an_ack_does_not_overtake_the_one_of_a_copy_that_came_before(
    autojump_clock: MockClock,
) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair, trio.open_nursery() as nursery:
        pair.come(5.5)
        await take_into(pair, seen)
        assert len(pair.acks) == 1
        pair.link.is_clear = False  # that ack is on its way to the thread of the channel
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        pair.come(5.5)
        assert len(pair.acks) == 1
        await trio.testing.wait_all_tasks_blocked()
        assert [ack.sent_at for ack in pair.acks] == [5.5, 5.5]
        pair.come(6.5)
        await trio.testing.wait_all_tasks_blocked()
        assert [ack.received_at for ack in pair.acks[::2]] == [one.received_at for one in seen]


async def test_nobody_who_does_not_wait_has_an_image_acked(autojump_clock: MockClock) -> None:
    async with open_pair() as pair:
        with trio.move_on_after(1):
            await pair.client.next_image()
        with trio.move_on_after(60) as waiting:
            await pair.evaluator.show(image(0))
        assert waiting.cancelled_caught
        assert pair.acks == []


async def test_what_was_acked_is_handed_out_also_if_the_wait_is_given_up(
    autojump_clock: MockClock,
) -> None:
    async with open_pair() as pair:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pair.client.next_image)
            await trio.testing.wait_all_tasks_blocked()
            pair.come(5.5)
            nursery.cancel_scope.cancel()
        assert len(pair.acks) == 1
        received = await pair.client.next_image()
        assert received is not None
        assert received.sent_at == 5.5
        assert len(pair.acks) == 1


async def test_every_copy_has_an_ack_and_the_application_has_the_image_once(
    autojump_clock: MockClock,
) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            pair.come(5.5)
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        pair.come(5.5)
        await trio.testing.wait_all_tasks_blocked()
        assert len(pair.acks) == 4
        assert len(seen) == 1
        pair.come(6.5)
        await trio.testing.wait_all_tasks_blocked()
        assert [one.sent_at for one in seen] == [5.5, 6.5]


async def test_on_a_channel_that_is_lost_nothing_is_acked_and_on_the_next_one_again(
    autojump_clock: MockClock,
) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        lost = pair.link
        lost.break_off()
        await trio.testing.wait_all_tasks_blocked()
        lost.put(Received(encode_channel(Image(0, "a", "a", 5.5)), now_ms()))
        assert pair.acks == []
        await pair.evaluator.show(image(0))
        assert pair.network.links[-1] is not lost
        await trio.testing.wait_all_tasks_blocked()
        assert [one.image_url for one in seen] == ["http://h/0.png"]
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        pair.watch()
        pair.come(now_ms() + 9)
        assert len(pair.acks) == 1


async def test_an_image_that_was_acked_on_a_channel_that_is_lost_then_is_handed_out(
    autojump_clock: MockClock,
) -> None:
    seen: list[ReceivedImage] = []
    async with open_pair() as pair, trio.open_nursery() as nursery:
        nursery.start_soon(take_into, pair, seen)
        await trio.testing.wait_all_tasks_blocked()
        pair.come(5.5)
        pair.link.break_off()
        assert len(pair.acks) == 1
        await trio.testing.wait_all_tasks_blocked()
        assert [one.sent_at for one in seen] == [5.5]
