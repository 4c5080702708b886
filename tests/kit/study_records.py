"""Records of a study as both sides would have written them, of which the truth is known."""

from __future__ import annotations

from typing import Any

from imgsync.core.protocol.channel import OnsetTiming, PointerKind, ResponseKind, StageKind
from imgsync.core.protocol.numbers import EXPOSURE_OVER
from imgsync.core.protocol.signalling import EndReason
from imgsync.core.protocol.states import SessionState
from imgsync.core.protocol.trials import Respond, Trial
from imgsync.journal.events import (
    Acked,
    Display,
    Mark,
    Received,
    Response,
    Sent,
    Stage,
    Study,
)
from tests.kit.records import EPOCH, World

CONDITIONS = ("left", "right", "both eyes")
FRAMES = 6
KEYS = Trial(frames=FRAMES, respond=Respond(keys=("f", "j"), taps=True))

Row = dict[str, Any]


def study_session(
    images: int = 30, *, session: str = "s-1", client: str = "patient-7", at: float = 0.0
) -> World:
    """Each image for 6 frames of 60 Hz, two seconds one from the next. Every tenth has no answer,
    and of every seventh a frame was dropped."""
    world = World(session=session)
    world.begin(client=client)
    world.by_evaluator(EPOCH + 62, Study(session, "Ache at night", "shuffled", 42, images))
    world.by_evaluator(EPOCH + 63, display_of(world))
    for number in range(20):
        world.probe(EPOCH + 100 + number * 2_000)
    for index in range(images):
        show_trial(world, index, EPOCH + 1_000 + index * 2_000)
    end = EPOCH + 2_000 + images * 2_000
    world.state(end, SessionState.ENDED, EndReason.ENDED)
    return world


def display_of(world: World, **facts: Any) -> Display:
    known = {
        **{"screen_width": 1920, "screen_height": 1080, "window_width": 1280},
        **{"window_height": 720, "pixel_ratio": 1.25, "zoom": 1.25, "refresh_rate": 60.0},
        **{"isolated": False, "resolution": 0.1, "browser": "Firefox 140", "system": "Windows"},
        **{"languages": ("de-DE", "en"), "pointer": PointerKind.FINE, "keyboard": True},
        **{"checked_at": world.theirs(EPOCH), "check_found": ("clock_off", "camera_denied")},
    }
    return Display(world.session, world.theirs(EPOCH + 20), **{**known, **facts})


def show_trial(world: World, index: int, at: float, trial: Trial | None = KEYS) -> None:
    """A trial of it; with marks for every fifth."""
    session, url, extra = world.session, f"http://127.0.0.1/{index}.png", extra_of(index)
    world.by_evaluator(at, Sent(session, index, url, at, 1, extra, trial))
    received_at = world.theirs(at + 10)
    world.by_client(at + 10, Received(session, index, url, at, received_at))
    world.by_evaluator(at + 15, Acked(session, index, at, received_at, at + 15, 15.0, None, None))
    onset, frames = at + 40, FRAMES + (index % 7 == 3)
    gone = onset + frames * 1000 / 60
    shown = Stage(
        *(session, index, at, StageKind.SHOWN, world.theirs(onset), None),
        *(OnsetTiming.PRESENTED, 0.0),
    )
    hidden = Stage(
        *(session, index, at, StageKind.HIDDEN, world.theirs(gone), EXPOSURE_OVER),
        frames=frames,
        dropped=int(index % 7 == 3),
    )
    for event, when in ((shown, onset), (hidden, gone)):
        world.by_client(when, event)
        world.by_evaluator(when + 5, event)
    if index % 10 != 9:
        answer(world, index, at, onset, 400.0 + index * 3.25)
    if index % 5 == 0:
        mark = (session, index, at, round(at + 900, 3))
        world.by_evaluator(at + 900, Mark(*mark, 2.5, None))
        world.by_evaluator(at + 950, Mark(*mark[:3], mark[3] + 50, None, "moved\tthe head"))


def answer(
    world: World, index: int, at: float, onset: float, time: float, number: int | None = None
) -> None:
    """By a key, and every third by a tap."""
    is_tap = index % 3 == 2
    response = Response(
        session_id=world.session,
        image_index=index,
        sent_at=at,
        number=index + 1 if number is None else number,
        response_at=world.theirs(onset + time),
        kind=ResponseKind.TAP if is_tap else ResponseKind.KEY,
        value="picture" if is_tap else "fj"[index % 2],
        reaction_time=time,
        within=8.4,
        x=120.5 if is_tap else None,
        y=80.25 if is_tap else None,
    )
    world.by_client(onset + time, response)
    world.by_evaluator(onset + time + 5, response)


def extra_of(index: int) -> Row:
    return {"id": f"t{index}", "condition": CONDITIONS[index % 3], "contrast": index / 7}
