"""Which picture an image was, byte by byte: what a client says of it, and what is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from imgsync import ClientSession, Facts, PictureReport, open_client, open_evaluator
from imgsync.core.protocol.signalling import Role
from imgsync.journal import events
from imgsync.testing import MemoryNetwork
from tests.kit.own_pictures import make_pictures
from tests.peer.test_record import of, written
from tests.peer.test_sessions import URL, image
from tests.peer.test_stages import open_pair, take_silently

WITHIN = 10
"""Seconds of the real clock, which records need."""


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


# ── of a file of the evaluator's own ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("takes_pictures", [True, False])
async def test_a_picture_of_our_own_is_known_when_it_is_sent(
    tmp_path: Path, takes_pictures: bool
) -> None:
    [own] = make_pictures(tmp_path, 1, 3000)
    assert own.picture is not None
    network = MemoryNetwork()

    async def run_client(*, task_status: trio.TaskStatus[None]) -> None:
        log_file = tmp_path / "client.jsonl"
        async with open_client(
            URL, user_id="c", network=network, log_file=log_file, pictures=takes_pictures
        ) as client:
            task_status.started()
            async with await client.next_session() as session:
                async for received in session.images():
                    # Something on the way has made another one of it.
                    assert (received.signed_url is None) == takes_pictures
                    received.fetched(picture=facts(7))
                    received.shown()

    with trio.fail_after(WITHIN):
        async with trio.open_nursery() as nursery:
            await nursery.start(run_client)
            log_file = tmp_path / "evaluator.jsonl"
            async with (
                open_evaluator(URL, user_id="e", network=network, log_file=log_file) as evaluator,
                evaluator.open_session("c") as session,
            ):
                delivery = await session.show(own)
                await delivery.shown()
                # It is said behind `fetched`, and so has come before `shown`.
                seen = delivery.picture
    # Of what came over the connection nothing is said, as its hash is compared there.
    assert seen == (own.picture.facts if takes_pictures else facts(7))
    expected = [own.picture.facts] if takes_pictures else [own.picture.facts, facts(7)]
    assert [one.picture async for one in session.pictures()] == expected
    recorded = of(events.Picture, written(tmp_path, Role.EVALUATOR))
    assert [one.sha256 for one in recorded] == [one.sha256 for one in expected]
    [clients] = of(events.Picture, written(tmp_path, Role.CLIENT))
    assert clients.sha256 == facts(7).sha256
