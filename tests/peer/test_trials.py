"""What is asked of a client and what it answers, over the in-memory network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from imgsync import (
    ClientSession,
    Drawn,
    EvaluatorSession,
    InputError,
    NotSpoken,
    ReceivedImage,
    SessionEnded,
    StageKind,
    Superseded,
    follow,
    open_client,
    open_evaluator,
)
from imgsync.core.protocol.channel import Display, ResponseKind
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.evaluator.delivery import ResponseReport
from imgsync.images.ref import ImageRef
from imgsync.journal import events
from imgsync.journal.reader import Entry, read_journal
from imgsync.testing import MemoryNetwork
from tests.peer.test_sessions import URL, image

ASKED = Trial(show_for=500, respond=Respond(("f", "j"), ends=True))
SCREEN = Display(1000, refresh_rate=59.9, languages=("de",), zoom=1.5)

Play = Callable[[ClientSession], Awaitable[object]]


def asking(index: int, trial: Trial = ASKED) -> ImageRef:
    return attrs.evolve(image(index), trial=trial)


def text(index: int) -> ImageRef:
    return ImageRef(index, f"texts/1f8e24a0/{index}", None, trial=Trial(text="Ready?"))


@asynccontextmanager
async def open_pair(
    play: Play, *, trials: Any = True, folder: Path | None = None
) -> AsyncIterator[EvaluatorSession]:
    network = MemoryNetwork()
    logs = [None if folder is None else folder / f"{side}.jsonl" for side in "ec"]

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        options: Any = {"network": network, "trials": trials, "log_file": logs[1]}
        async with open_client(URL, user_id="c", **options) as client:
            task_status.started()
            await play(await client.next_session())

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(URL, user_id="e", network=network, log_file=logs[0]) as evaluator,
            evaluator.open_session("c") as session,
        ):
            yield session
        nursery.cancel_scope.cancel()


def written(path: Path, kind: type[Any]) -> list[Any]:
    entries = [one.event for one in read_journal(path) if isinstance(one, Entry)]
    return [event for event in entries if isinstance(event, kind)]


async def each(session: ClientSession, show: Callable[[ReceivedImage], None]) -> None:
    async with session:
        async for received in session.images():
            show(received)


def answer(received: ReceivedImage) -> None:
    assert received.trial == ASKED
    received.respond("early", 990)
    received.shown(1000)
    received.hidden(1100)
    received.shown(1200)
    received.respond("yes", 1512.25)
    received.hidden(1512.25, reason="answered", frames=30, dropped=1)


async def test_a_client_that_draws_sizes_says_so_and_how_large_each_image_is(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    asked = Trial(size_deg=4.5)
    drawn = Drawn(170.5, 85, 45.1, 22.5)

    def draw(received: ReceivedImage) -> None:
        assert received.trial == asked
        received.shown(1000, drawn=drawn)

    async with open_pair(lambda one: each(one, draw), trials=("size",), folder=tmp_path) as session:
        assert "size" in session.features
        stages = session.stages()
        await session.show(asking(3, asked))
        assert (await anext(stages)).drawn == drawn
    for side in "ec":
        [stage] = written(tmp_path / f"{side}.jsonl", events.Stage)
        assert stage.drawn == drawn
    sent, *copies = written(tmp_path / "e.jsonl", events.Sent)
    assert (sent.trial, {copy.trial for copy in copies} - {None}) == (asked, set())


async def test_answers_come_once_with_their_reaction_time_and_are_in_both_records(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with open_pair(lambda one: each(one, answer), folder=tmp_path) as session:
        delivery = await session.show(asking(3))
        early = await delivery.responded()
        assert (early.value, early.kind, early.reaction_time) == (
            "early",
            ResponseKind.BUTTON,
            None,
        )
        responses = session.responses()
        assert await anext(responses) == early
        said = await anext(responses)
        expected = (3, delivery.sent_at, 2, 1512.25, "yes", 512.25)
        told = (said.image.index, said.sent_at, said.number, said.at, said.value)
        assert (*told, said.reaction_time) == expected
        await wait_all_tasks_blocked()
        hidden = [one async for one in _now(session.stages())][-1]
        assert (hidden.stage, hidden.reason) == (StageKind.HIDDEN, "answered")
        assert (hidden.frames, hidden.dropped) == (30, 1)
    assert [one async for one in session.responses()] == [early, said]
    for side in "ec":
        answers = written(tmp_path / f"{side}.jsonl", events.Response)
        assert [(one.value, one.reaction_time) for one in answers] == [
            ("early", None),
            ("yes", 512.25),
        ]
        assert written(tmp_path / f"{side}.jsonl", events.Stage)[-1].frames == 30
    sent, *_ = written(tmp_path / "e.jsonl", events.Sent)
    assert sent.trial == ASKED


async def _now(reports: AsyncIterator[Any]) -> AsyncIterator[Any]:
    with trio.move_on_after(0.1):
        async for report in reports:
            yield report


async def test_an_answer_is_awaited_until_another_image_is_up_or_the_session_is_over(
    autojump_clock: MockClock,
) -> None:
    ends: list[str] = []

    async def wait(delivery: Any) -> None:
        try:
            await delivery.responded()
        except (Superseded, SessionEnded) as exc:
            ends.append(type(exc).__name__)

    def show(received: ReceivedImage) -> None:
        received.shown()
        received.hidden()

    async with trio.open_nursery() as nursery:
        async with open_pair(lambda one: each(one, show)) as session:
            nursery.start_soon(wait, await session.show(asking(0)))
            await wait_all_tasks_blocked()
            assert ends == []
            nursery.start_soon(wait, await session.show(asking(1)))
            await wait_all_tasks_blocked()
            assert ends == ["Superseded"]
        await wait_all_tasks_blocked()
        assert ends == ["Superseded", "SessionEnded"]


async def test_a_client_that_speaks_less_is_asked_all_the_same_but_gets_no_text(
    autojump_clock: MockClock,
) -> None:
    asked: list[Trial] = []
    async with open_pair(
        lambda one: each(one, lambda received: asked.append(received.trial)), trials=False
    ) as session:
        delivery = await session.show(asking(0))
        with pytest.raises(NotSpoken, match="'response'"):
            await delivery.responded()
        with pytest.raises(NotSpoken, match="'text'") as excinfo:
            await session.show(text(1))
        assert "URL" not in str(excinfo.value)
        await session.show(image(2))
    assert asked == [ASKED, Trial()]


async def test_a_text_comes_as_an_image_without_a_url_to_who_shows_texts(
    autojump_clock: MockClock,
) -> None:
    def show(received: ReceivedImage) -> None:
        assert received.signed_url is None
        received.shown()
        received.respond(received.trial.text or "")

    async with open_pair(lambda one: each(one, show), trials=["text", "response"]) as session:
        session.preload([text(0), image(1)])
        delivery = await session.show(text(0))
        assert (await delivery.responded()).value == "Ready?"


async def test_hooks_hide_an_image_when_its_time_is_over(autojump_clock: MockClock) -> None:
    calls: list[tuple[str, int, float]] = []

    async def note(what: str, received: ReceivedImage) -> None:
        calls.append((what, received.index, trio.current_time() - begin))

    async def play(session: ClientSession) -> None:
        await follow(
            session,
            on_show=lambda received: note("show", received),
            on_hide=lambda received: note("hide", received),
        )

    async with open_pair(play) as session:
        begin = trio.current_time()
        await session.show(asking(0, Trial(frames=30)))
        await trio.sleep(2)
        await session.show(asking(1, Trial(show_for=500)))
        await trio.sleep(0.2)
        await session.show(image(2))
        await trio.sleep(2)
    rounded = [(what, index, round(when, 2)) for what, index, when in calls]
    assert rounded == [
        *(("show", 0, 0), ("hide", 0, 0.5), ("show", 1, 2)),
        *(("hide", 1, 2.2), ("show", 2, 2.2), ("hide", 2, 4.2)),
    ]
    reasons = [one.reason async for one in session.stages() if one.stage is StageKind.HIDDEN]
    assert reasons[:2] == ["exposure_over", None]


async def test_hooks_of_a_client_that_keeps_to_no_times_do_not(autojump_clock: MockClock) -> None:
    hidden: list[float] = []

    async def do_nothing(_: ReceivedImage) -> None: ...

    async def hide(_: ReceivedImage) -> None:
        hidden.append(trio.current_time())

    async def play(session: ClientSession) -> None:
        await follow(session, on_show=do_nothing, on_hide=hide)

    async with open_pair(play, trials=False) as session:
        await session.show(asking(0))
        await trio.sleep(2)
        assert hidden == []


async def test_what_is_noted_and_what_the_client_shows_on_is_in_the_record(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async def play(session: ClientSession) -> None:
        async with session:
            async for _ in session.images():
                session.tell_display(SCREEN)

    async with open_pair(play, folder=tmp_path) as session:
        session.record_study(name="faces", order="shuffled", seed=7, trials=2)
        before = session.mark("not yet")
        assert (before.image, before.sent_at) == (None, None)
        delivery = await session.show(image(4))
        mark = session.mark(score=2.5)
        assert (mark.image, mark.sent_at) == (delivery.image, delivery.sent_at)
        assert await anext(session.displays()) == SCREEN
        late = session.mark("blurred", score=1)
    record = tmp_path / "e.jsonl"
    of = (session.id, 4, delivery.sent_at)
    assert written(record, events.Mark) == [
        events.Mark(session.id, None, None, before.at, None, "not yet"),
        events.Mark(*of, mark.at, 2.5, None),
        events.Mark(*of, late.at, 1, "blurred"),
    ]
    assert written(record, events.Study) == [events.Study(session.id, "faces", "shuffled", 7, 2)]
    [display] = written(record, events.Display)
    assert (display.since, display.refresh_rate, display.languages) == (1000, 59.9, ("de",))
    for nothing in ({}, {"text": ""}, {"text": "x" * 1025}, {"score": float("nan")}):
        with pytest.raises(InputError):
            session.mark(**nothing)
    with pytest.raises(InputError):
        session.record_study(name="", order="given", seed=None, trials=2)


async def test_an_answer_that_can_not_be_sent_is_refused_where_it_is_given(
    autojump_clock: MockClock,
) -> None:
    refused: list[str] = []

    def show(received: ReceivedImage) -> None:
        for value in ("", "a\nb", "x" * 129):
            with pytest.raises(ValueError, match="an answer has"):
                received.respond(value)
            refused.append(value)
        with pytest.raises(ValueError, match="a reason has"):
            received.hidden(reason="")
        received.respond("x" * 128)

    async with open_pair(lambda one: each(one, show)) as session:
        report: ResponseReport = await (await session.show(asking(0))).responded()
        assert report.value == "x" * 128
    assert len(refused) == 3
    with pytest.raises(InputError, match="telepathy"):
        async with open_client(URL, user_id="c", trials=["telepathy"]):
            pass
