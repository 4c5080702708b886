"""What of a client's screen is worth a warning is decided alike."""

from __future__ import annotations

import itertools
import json
from typing import Any

from imgsync.core.codec.codec import decode_channel
from imgsync.core.protocol.channel import Display
from imgsync.core.study.displays import warnings_of
from tests.both_languages.replay import Given, Replay

FACTS: dict[str, list[Any]] = {
    "refreshRate": [None, 30, 49.99, 50, 57.9, 58, 59.94, 62, 62.1, 120],
    "zoom": [None, 0.9, 0.995, 1, 1.1],
    "isolated": [None, True, False],
    "pointer": [None, "fine", "coarse", "none"],
    "keyboard": [None, True, False],
}


def warnings(facts: dict[str, Any], *, needs_frames: bool, needs_keys: bool) -> list[str]:
    display = decode_channel(json.dumps({"type": "display", "at": 0, **facts}))
    assert isinstance(display, Display)
    return warnings_of(display, needs_frames=needs_frames, needs_keys=needs_keys)


def test_every_display_is_warned_of_alike(replay: Replay) -> None:
    inputs: list[Given] = []
    expected: list[list[str]] = []
    for values in itertools.product(*FACTS.values(), [False, True], [False, True]):
        *told, frames, keys = values
        facts = {n: one for n, one in zip(FACTS, told, strict=True) if one is not None}
        inputs.append([{"at": 0, **facts}, frames, keys])
        expected.append(warnings(facts, needs_frames=frames, needs_keys=keys))
    replay.compare("warnings", inputs, expected, "displays")


def test_what_is_warned_of() -> None:
    ideal = {"refreshRate": 59.94, "zoom": 1, "isolated": True, "pointer": "fine"}
    worst = {"refreshRate": 144, "zoom": 1.25, "isolated": False, "pointer": "coarse"}
    everything = ["refresh_not_60", "zoomed", "not_isolated", "no_keyboard"]
    assert warnings(ideal, needs_frames=True, needs_keys=True) == []
    assert warnings(worst, needs_frames=True, needs_keys=True) == everything
    assert warnings(worst, needs_frames=False, needs_keys=False) == ["zoomed", "not_isolated"]
    slow = {"refreshRate": 30, "pointer": "coarse", "keyboard": True}
    assert warnings(slow, needs_frames=True, needs_keys=True) == ["refresh_low"]
    assert warnings(slow, needs_frames=False, needs_keys=True) == ["refresh_low"]
    assert warnings({}, needs_frames=True, needs_keys=True) == ["refresh_unknown"]
    assert warnings({}, needs_frames=False, needs_keys=True) == []
