"""What of a client's screen is worth a warning is decided alike."""

from __future__ import annotations

import itertools
import json
from typing import Any

from imgsync.core.codec.codec import decode_channel
from imgsync.core.protocol.channel import Display
from imgsync.core.study.displays import ScreenNeeds, warnings_of
from tests.both_languages.replay import Given, Replay

FACTS: dict[str, list[Any]] = {
    "refreshRate": [None, 30, 49.99, 50, 57.9, 58, 59.94, 62, 62.1, 120],
    "zoom": [None, 0.9, 0.995, 1, 1.1],
    "isolated": [None, True, False],
    "pointer": [None, "fine", "coarse", "none"],
    "keyboard": [None, True, False],
}

NEEDS = ("frames", "keys", "size", "distance")


def warnings(facts: dict[str, Any], *needs: str) -> list[str]:
    display = decode_channel(json.dumps({"type": "display", "at": 0, **facts}))
    assert isinstance(display, Display)
    return warnings_of(display, ScreenNeeds(**dict.fromkeys(needs, True)))


def needs_of(*needs: str) -> dict[str, bool]:
    """As pages have it."""
    return {need: need in needs for need in NEEDS}


def test_every_display_is_warned_of_alike(replay: Replay) -> None:
    inputs: list[Given] = []
    expected: list[list[str]] = []
    for values in itertools.product(*FACTS.values(), [False, True], [False, True]):
        *told, frames, keys = values
        facts = {n: one for n, one in zip(FACTS, told, strict=True) if one is not None}
        needs = [*(["frames"] if frames else []), *(["keys"] if keys else [])]
        inputs.append([{"at": 0, **facts}, needs_of(*needs)])
        expected.append(warnings(facts, *needs))
    replay.compare("warnings", inputs, expected, "displays")


def test_a_screen_that_nobody_has_measured_is_warned_of_alike(replay: Replay) -> None:
    inputs: list[Given] = []
    expected: list[list[str]] = []
    for facts in ({}, {"pxPerMm": 3.8}, {"distanceMm": 600}, {"pxPerMm": 3.8, "distanceMm": 600}):
        for needs in ((), ("size",), ("size", "distance")):
            inputs.append([{"at": 0, **facts}, needs_of(*needs)])
            expected.append(warnings(facts, *needs))
    replay.compare("warnings", inputs, expected, "displays")
    assert expected == [
        *([], ["not_calibrated"], ["not_calibrated", "no_distance"]),
        *([], [], ["no_distance"]),
        *([], ["not_calibrated"], ["not_calibrated"]),
        *([], [], []),
    ]


def test_what_is_warned_of() -> None:
    ideal = {"refreshRate": 59.94, "zoom": 1, "isolated": True, "pointer": "fine"}
    worst = {"refreshRate": 144, "zoom": 1.25, "isolated": False, "pointer": "coarse"}
    everything = ["refresh_not_60", "zoomed", "not_isolated", "no_keyboard"]
    assert warnings(ideal, "frames", "keys") == []
    assert warnings(worst, "frames", "keys") == everything
    assert warnings(worst) == ["zoomed", "not_isolated"]
    slow = {"refreshRate": 30, "pointer": "coarse", "keyboard": True}
    assert warnings(slow, "frames", "keys") == ["refresh_low"]
    assert warnings(slow, "keys") == ["refresh_low"]
    assert warnings({}, "frames", "keys") == ["refresh_unknown"]
    assert warnings({}, "keys") == []
