"""What a session leaves in the records of both sides, over the in-memory network.

On the real clock: one that jumps would jump over what the records' threads do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync import ImageRef, StageKind, open_client, open_evaluator
from imgsync.client.client import ReceivedImage
from imgsync.client.hooks import follow
from imgsync.core.channel.clocks import Bounded
from imgsync.core.protocol.errors import Superseded
from imgsync.core.protocol.numbers import LAST_WORDS_DEADLINE
from imgsync.core.protocol.signalling import EndReason, Role
from imgsync.core.protocol.states import SessionState
from imgsync.evaluator.evaluator import EvaluatorSession
from imgsync.journal import events
from imgsync.journal.events import Event
from imgsync.journal.reader import Entry, read_journal
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image

T = TypeVar("T")

TOKEN = "a-token-that-nobody-may-read"

CONNECTING, CONNECTED = SessionState.CONNECTING, SessionState.CONNECTED
INTERRUPTED, RESUMED, ENDED = SessionState.INTERRUPTED, SessionState.RESUMED, SessionState.ENDED


@attrs.define
class Scene:
    """A connected session, both sides of which keep a record in this folder."""

    network: MemoryNetwork
    session: EvaluatorSession
    folder: Path

    async def wait_state(self, state: SessionState) -> None:
        async for _ in self.session.changes():
            if self.session.state is state:
                return


@asynccontextmanager
async def open_scene(folder: Path, *, shows: bool = True) -> AsyncIterator[Scene]:
    network = MemoryNetwork()

    async def take(received: ReceivedImage) -> None:
        if shows:
            received.fetched()
            received.shown()

    async def run_client(*, task_status: trio.TaskStatus[None]) -> None:
        async with open_client(
            URL, user_id="c", token=TOKEN, network=network, log_file=folder / "client.jsonl"
        ) as client:
            task_status.started()
            async with await client.next_session() as session:
                async for received in session.images():
                    await take(received)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(
                URL, user_id="e", token=TOKEN, network=network, log_file=folder / "evaluator.jsonl"
            ) as evaluator,
            evaluator.open_session("c") as session,
        ):
            yield Scene(network, session, folder)


def written(folder: Path, role: Role) -> list[Event]:
    """All lines of one side, each of which tells something."""
    entries = list(read_journal(folder / f"{role.value}.jsonl"))
    assert all(isinstance(entry, Entry) for entry in entries), entries
    return [entry.event for entry in entries if isinstance(entry, Entry)]


def of(kind: type[T], told: Sequence[Event]) -> list[T]:
    return [event for event in told if isinstance(event, kind)]


def states(told: Sequence[Event]) -> list[SessionState]:
    return [event.state for event in of(events.State, told)]


async def test_both_sides_tell_of_a_session_in_its_order(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        deliveries = [await scene.session.show(image(index)) for index in range(3)]
        await wait_all_tasks_blocked()
    evaluator, client = (written(tmp_path, role) for role in (Role.EVALUATOR, Role.CLIENT))

    for told, user_id, peer_id in ((evaluator, "e", "c"), (client, "c", "e")):
        header, session = told[:2]
        assert isinstance(header, events.Header)
        assert header.user_id == user_id
        assert session == events.Session("session-1", peer_id, False)
        assert states(told) == [CONNECTING, CONNECTED, ENDED]
        assert of(events.State, told)[-1].reason is EndReason.ENDED
        assert not of(events.ClockStep, told)
    assert of(events.Probe, evaluator)
    assert [one.image_index for one in of(events.Sent, evaluator) if one.copy == 1] == [0, 1, 2]
    for delivery, acked, received in zip(
        deliveries, of(events.Acked, evaluator), of(events.Received, client), strict=True
    ):
        times = (delivery.sent_at, delivery.received_at, delivery.acked_at, delivery.round_trip)
        how_long = (float(delivery.latency), delivery.latency.bound)
        assert acked == events.Acked("session-1", delivery.image.index, *times, *how_long)
        assert (received.sent_at, received.received_at) == times[:2]
        assert received.image_url == delivery.image.image_url
    told_stages = [(stage.image_index, stage.stage) for stage in of(events.Stage, evaluator)]
    expected = [
        (index, stage) for index in range(3) for stage in (StageKind.FETCHED, StageKind.SHOWN)
    ]
    assert told_stages == expected
    assert of(events.Stage, evaluator) == of(events.Stage, client)


async def test_what_else_is_said_of_an_image_is_written_once_and_told_to_nobody(
    tmp_path: Path,
) -> None:
    extra = {"condition": "A-17", "block": 2, "levels": [0.5, None]}
    async with open_scene(tmp_path) as scene:
        told = attrs.evolve(image(0), extra=extra)
        assert "A-17" not in repr(told)
        scene.session.preload([told])
        await scene.session.show(told)
        extra["condition"] = "changed later"
        await scene.session.show(image(1))
        await scene.session.show(told)
        scene.network.links[-1].break_off()
        await scene.wait_state(RESUMED)
        await wait_all_tasks_blocked()
    sent = of(events.Sent, written(tmp_path, Role.EVALUATOR))
    assert {(one.image_index, one.copy) for one in sent} >= {(0, 1), (0, 2), (1, 1)}
    for one in sent:
        is_told = (one.image_index, one.copy) == (0, 1)
        expected = {"condition": "A-17", "block": 2, "levels": [0.5, None]} if is_told else None
        assert one.extra == expected
    # The client writes what it was told, and this was not.
    assert "A-17" not in (tmp_path / "client.jsonl").read_text()


async def test_the_last_picture_of_a_session_is_told_as_hidden(tmp_path: Path) -> None:
    """As hooks, pages and programs do it: what is up goes when the images are over."""
    network = MemoryNetwork()
    record = tmp_path / "evaluator.jsonl"

    async def run_client(*, task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async for session in client.sessions():

                async def show(received: ReceivedImage) -> None:
                    received.fetched()

                await follow(session, on_show=show)

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with open_evaluator(URL, user_id="e", network=network, log_file=record) as evaluator:
            for _ in range(2):
                async with evaluator.open_session("c") as session:
                    for index in range(3):
                        await (await session.show(image(index))).shown()
                assert (await session.wait_ended()) is EndReason.ENDED
                told = [(one.image.index, one.stage) async for one in session.stages()]
                assert told[-1] == (2, StageKind.HIDDEN)
        nursery.cancel_scope.cancel()
    stages = of(events.Stage, written(tmp_path, Role.EVALUATOR))
    assert [one.image_index for one in stages if one.stage is StageKind.HIDDEN] == [0, 1, 2] * 2


async def test_who_never_says_so_is_not_waited_for_for_long(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()

    async def run_client(*, task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network) as client:
            task_status.started()
            async with await client.next_session() as session:
                async for received in session.images():
                    received.shown()
                await trio.sleep_forever()  # something that does not come to its end

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with open_evaluator(URL, user_id="e", network=network) as evaluator:
            async with evaluator.open_session("c") as session:
                await (await session.show(image(0))).shown()
                begin = trio.current_time()
            assert trio.current_time() - begin == pytest.approx(LAST_WORDS_DEADLINE, abs=0.01)
        nursery.cancel_scope.cancel()


async def test_no_token_and_no_signed_url_is_in_a_record(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        secret = ImageRef(0, "http://h/0.png?who=secret-1", "http://u:secret-2@h/0.png?secret-3")
        scene.session.preload([secret])
        await scene.session.show(secret)
    for role in Role:
        text = (tmp_path / f"{role.value}.jsonl").read_text()
        assert '"http://h/0.png"' in text
        assert "secret" not in text
        assert TOKEN not in text


async def test_an_image_that_is_sent_again_is_told_by_its_copies(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        await scene.session.show(image(0))
        scene.network.links[-1].break_off()
        await scene.wait_state(RESUMED)
        await scene.session.show(image(1))
    evaluator, client = (written(tmp_path, role) for role in (Role.EVALUATOR, Role.CLIENT))
    for told in (evaluator, client):
        assert states(told) == [CONNECTING, CONNECTED, INTERRUPTED, RESUMED, ENDED]
        assert of(events.State, told)[2].reason is EndReason.CONNECTION_LOST
        assert not of(events.ClockStep, told)
    # Each time that the client says that it is ready, it is sent what is current.
    for index, at_least in ((0, 2), (1, 1)):
        copies = [one.copy for one in of(events.Sent, evaluator) if one.image_index == index]
        assert copies == list(range(1, len(copies) + 1))
        assert len(copies) >= at_least
    assert [acked.image_index for acked in of(events.Acked, evaluator)] == [0, 1]
    assert [received.image_index for received in of(events.Received, client)] == [0, 1]


async def test_an_image_whose_turn_passed_is_told_as_superseded(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene, trio.open_nursery() as nursery:
        await scene.session.show(image(0))
        scene.network.relay.go_down()  # which nothing can be repaired without
        scene.network.links[-1].break_off()
        await scene.wait_state(INTERRUPTED)

        async def show_in_vain() -> None:
            with pytest.raises(Superseded):
                await scene.session.show(image(1))

        nursery.start_soon(show_in_vain)
        await wait_all_tasks_blocked()
        nursery.start_soon(scene.session.show, image(2))
        await wait_all_tasks_blocked()
        scene.network.relay.come_back()
        await scene.wait_state(RESUMED)
    evaluator, client = (written(tmp_path, role) for role in (Role.EVALUATOR, Role.CLIENT))
    [superseded] = of(events.Superseded, evaluator)
    assert superseded.image_index == 1
    assert [sent.image_index for sent in of(events.Sent, evaluator) if sent.copy == 1] == [0, 2]
    assert [received.image_index for received in of(events.Received, client)] == [0, 2]


async def test_a_record_that_is_there_is_continued(tmp_path: Path) -> None:
    for _ in range(2):
        async with open_scene(tmp_path, shows=False) as scene:
            await scene.session.show(image(0))
    evaluator = written(tmp_path, Role.EVALUATOR)
    assert len(of(events.Header, evaluator)) == 2
    assert len(of(events.Acked, evaluator)) == 2


async def test_a_latency_is_within_its_bound(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        deliveries = [await scene.session.show(image(index)) for index in range(20)]
        for delivery in deliveries:
            await delivery.shown()
    for delivery in deliveries:
        # There is one clock here, so what is true is known.
        true = delivery.received_at - delivery.sent_at
        assert isinstance(delivery.latency, Bounded)
        assert abs(delivery.latency - true) <= delivery.latency.bound
        assert 0 <= delivery.latency <= delivery.round_trip + delivery.latency.bound
        onset = delivery.onset_latency
        assert onset is not None
        assert abs(onset - (await delivery.shown() - delivery.sent_at)) <= onset.bound


async def test_a_stage_has_its_latency_too(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        delivery = await scene.session.show(image(0))
        await delivery.shown()
        reports = scene.session.stages()
        for stage in (StageKind.FETCHED, StageKind.SHOWN):
            report = await anext(reports)
            assert report.stage is stage
            assert report.latency is not None
            assert abs(report.latency - (report.at - report.sent_at)) <= report.latency.bound


async def test_at_the_end_what_nobody_acked_is_superseded_but_for_what_is_current(
    tmp_path: Path,
) -> None:
    async with open_scene(tmp_path) as scene:
        await scene.session.show(image(0))
        scene.network.is_silent = True
        async with trio.open_nursery() as nursery:
            for index in (1, 2):
                nursery.start_soon(scene.session.show, image(index))
                await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    told = written(tmp_path, Role.EVALUATOR)
    assert [event.image_index for event in of(events.Superseded, told)] == [1]
