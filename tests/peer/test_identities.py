"""Which picture an image was, byte by byte: what a client says of it, and what is recorded."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from imgsync import ClientSession, Facts, PictureReport, open_client, open_evaluator
from imgsync.core.protocol.signalling import Role
from imgsync.journal import events
from imgsync.testing import MemoryNetwork
from tests.peer.test_record import of, written
from tests.peer.test_sessions import URL, image
from tests.peer.test_stages import open_pair, take_silently


def facts(content: int, width: int | None = 800) -> Facts:
    return Facts(f"{content:064x}", "image/png", content, width, 600)


async def fetch_all(session: ClientSession) -> None:
    async for received in session.images():
        received.fetched(100, facts(received.index, None if received.index else 800))


async def test_what_a_client_has_got_is_known_with_its_delivery_and_told_once(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork()
    async with open_pair(fetch_all, network) as session:
        told = session.pictures()
        first = await session.show(image(0))
        report = await anext(told)
        assert report == PictureReport(image(0), first.sent_at, facts(0))
        assert first.picture == facts(0)
        # What is lost with a connection is said again, and what has been heard is no news.
        network.links[-1].break_off()
        second = await session.show(image(1))
        assert (await anext(told)).sent_at == second.sent_at
        assert second.picture == facts(1, None)
    assert [one async for one in told] == []
    assert [one.picture async for one in session.pictures()] == [facts(0), facts(1, None)]


async def test_a_client_that_does_not_say_it_leaves_it_unknown(autojump_clock: MockClock) -> None:
    async with open_pair(take_silently) as session:
        delivery = await session.show(image(0))
    assert delivery.picture is None
    assert [one async for one in session.pictures()] == []


async def test_both_records_have_what_was_fetched_once_for_each_showing(tmp_path: Path) -> None:
    network = MemoryNetwork()

    async def run_client(*, task_status: trio.TaskStatus[None]) -> None:
        log_file = tmp_path / "client.jsonl"
        async with open_client(URL, user_id="c", network=network, log_file=log_file) as client:
            task_status.started()
            async with await client.next_session() as session:
                async for received in session.images():
                    for _ in range(2):
                        received.fetched(picture=facts(7))

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        log_file = tmp_path / "evaluator.jsonl"
        async with (
            open_evaluator(URL, user_id="e", network=network, log_file=log_file) as evaluator,
            evaluator.open_session("c") as session,
        ):
            told = session.pictures()
            sent = []
            for _ in range(2):
                sent.append((await session.show(image(3))).sent_at)
                await anext(told)
    identity = (facts(7).sha256, "image/png", 7, 800, 600)
    for role in (Role.EVALUATOR, Role.CLIENT):
        pictures = of(events.Picture, written(tmp_path, role))
        assert pictures == [events.Picture("session-1", 3, at, *identity) for at in sent]
