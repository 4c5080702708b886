"""A study that goes on by itself, over the in-memory network with the autojump clock."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from imgsync import ImageRef, InputError, ReceivedImage, open_client, open_evaluator
from imgsync.client.client import ClientSession
from imgsync.commands.evaluator.course import Asked, refuse_endless
from imgsync.commands.evaluator.presenting import Series
from imgsync.commands.output import Output
from imgsync.core.protocol.channel import Display, PointerKind
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.testing import MemoryNetwork
from tests.commands.test_presenting import Typed
from tests.peer.test_sessions import URL, image

JSON = dict[str, Any]

ENDING = Respond(("f", "j"), ends=True)
TRIALS = [
    Trial(text="Press any key."),
    Trial(show_for=500),
    Trial(frames=120, respond=Respond(("f",))),
    Trial(respond=ENDING),
    Trial(text="+", show_for=250),
]
THINKS = 0.75
"""Seconds to an answer."""


def images_of(trials: Iterable[Trial | None]) -> list[ImageRef]:
    return [
        ImageRef(index, f"texts/1f8e24a0/{index}", None, f"text {index}", trial=trial)
        if trial is not None and trial.text
        else attrs.evolve(image(index), trial=trial)
        for index, trial in enumerate(trials)
    ]


class Participant:
    """A client that does what is asked, or says that it does not."""

    def __init__(self, *, fails: frozenset[int] = frozenset()) -> None:
        self.seen: list[tuple[int, float]] = []
        self._fails = fails
        self._begin = trio.current_time()

    async def follow(self, session: ClientSession) -> None:
        async with session, trio.open_nursery() as nursery:
            session.tell_display(Display(1, pointer=PointerKind.COARSE, refresh_rate=30))
            async for received in session.images():
                self.seen.append((received.index, round(trio.current_time() - self._begin, 3)))
                if received.index in self._fails:
                    received.failed("http_404")
                    continue
                received.shown()
                if session.keeps_exposures:
                    nursery.start_soon(self._hide, received)
                    nursery.start_soon(self._answer, received)

    async def _hide(self, received: ReceivedImage) -> None:
        trial = received.trial
        if trial.show_for or trial.frames:
            await trio.sleep((trial.show_for or 1000 * (trial.frames or 0) / 60) / 1000)
            received.hidden(reason="exposure_over")

    async def _answer(self, received: ReceivedImage) -> None:
        if received.trial.respond or received.trial.text == "Press any key.":
            await trio.sleep(THINKS)
            received.respond("f")


@asynccontextmanager
async def open_series(
    trials: Iterable[Trial | None], participant: Participant, *, speaks: bool = True
) -> AsyncIterator[Series]:
    network = MemoryNetwork()

    async def run_client(task_status: trio.TaskStatus[None]) -> None:
        async with open_client(URL, user_id="c", network=network, trials=speaks) as client:
            task_status.started()
            await participant.follow(await client.next_session())

    async with trio.open_nursery() as nursery:
        await nursery.start(run_client)
        async with (
            open_evaluator(URL, user_id="e", network=network) as evaluator,
            evaluator.open_session("c") as session,
        ):
            images = images_of(trials)
            yield Series(session, images, Output(as_json=True), Asked.of(images))
        nursery.cancel_scope.cancel()


def told(capsys: pytest.CaptureFixture[str], *events: str) -> list[JSON]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["event"] in events]


async def test_each_entry_is_over_with_its_time_or_its_answer(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    participant = Participant()
    async with open_series(TRIALS, participant) as series:
        await series.go_on_by_itself(Typed(["mark a good start"]))
        await series.hear_out()
    # The text is answered; the second is up for its time, which the third has, too: an answer
    # does not end it. That of the fourth does.
    assert participant.seen == [(0, 0), (1, 0.75), (2, 1.25), (3, 3.25), (4, 4)]
    assert series.score.complaint("c") is None
    events = told(capsys, "response", "mark", "display", "not_spoken")
    kinds = [event["event"] for event in events]
    assert sorted(kinds) == ["display", "mark", *["response"] * 3]
    answers = [event for event in events if event["event"] == "response"]
    assert [(one["imageIndex"], one["value"]) for one in answers] == [(0, "f"), (2, "f"), (3, "f")]
    assert all(one["reactionTimeMs"] >= 0 for one in answers)
    [display] = [event for event in events if event["event"] == "display"]
    assert display["warnings"] == ["refresh_low", "no_keyboard"]
    [mark] = [event for event in events if event["event"] == "mark"]
    assert (mark["score"], mark["text"]) == (None, "a good start")


class Later(AsyncIterator[str]):
    """Lines that are typed each some seconds after the one before."""

    def __init__(self, *lines: tuple[float, str]) -> None:
        self._lines = iter(lines)

    async def __anext__(self) -> str:
        for seconds, line in self._lines:
            await trio.sleep(seconds)
            return line
        raise StopAsyncIteration


async def test_what_is_typed_leads_elsewhere_and_it_goes_on_from_there(
    autojump_clock: MockClock,
) -> None:
    participant = Participant()
    async with open_series([Trial(show_for=1000)] * 5, participant) as series:
        await series.go_on_by_itself(Later((1.25, "goto 3")))
    assert participant.seen == [(0, 0), (1, 1), (3, 1.25), (4, 2.25)]


async def test_the_end_is_where_it_is_typed(autojump_clock: MockClock) -> None:
    participant = Participant()
    async with open_series([Trial(show_for=1000)] * 5, participant) as series:
        await series.go_on_by_itself(Later((1.25, "end")))
    assert participant.seen == [(0, 0), (1, 1)]


async def test_a_client_that_heeds_nothing_is_told_of_once_and_the_time_is_taken_here(
    autojump_clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    participant = Participant()
    trials = [Trial(show_for=500), Trial(text="+"), Trial(frames=60, respond=ENDING)]
    async with open_series(trials, participant, speaks=False) as series:
        await series.go_on_by_itself(Typed([]))
    assert participant.seen == [(0, 0), (2, 0.5)]
    events = told(capsys, "not_spoken", "not_acked")
    assert [event["feature"] for event in events if event["event"] == "not_spoken"] == [
        "exposure",
        "response",
        "text",
    ]
    [missed] = [event for event in events if event["event"] == "not_acked"]
    assert (missed["imageIndex"], missed["reason"]) == (1, "not_spoken")


async def test_an_image_that_can_not_be_shown_holds_nothing_up(autojump_clock: MockClock) -> None:
    participant = Participant(fails=frozenset({0}))
    async with open_series([Trial(respond=ENDING), Trial(show_for=500)], participant) as series:
        await series.go_on_by_itself(Typed([]))
    assert participant.seen == [(0, 0), (1, 0)]


def test_what_would_never_end_is_refused_by_name() -> None:
    refuse_endless(images_of(TRIALS))
    endless = images_of([Trial(show_for=1), None, Trial(respond=Respond(("f",)))])
    with pytest.raises(InputError, match=r"would never end: 1 \(1.png\), 2 \(2.png\)$"):
        refuse_endless(endless)
    with pytest.raises(InputError, match=r"7 \(7.png\) and 2 more$"):
        refuse_endless(images_of([None] * 10))
