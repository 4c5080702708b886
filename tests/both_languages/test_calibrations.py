"""How large the pixels of a screen are, for which screen that is good, and from how far it is seen.

Only pages measure that, so that only JavaScript decides it: it is replayed by itself.
"""

from __future__ import annotations

from math import radians, tan
from typing import Any

import pytest

from tests.both_languages.replay import Replay

SCREEN: dict[str, Any] = {"width": 1920, "height": 1080, "base": 1}
KEPT: dict[str, Any] = {"pxPerMm": 4, "calibratedBy": "card", "screen": SCREEN}


def test_what_was_measured_is_told_in_pixels_of_the_page_at_any_zoom(replay: Replay) -> None:
    inputs = [[KEPT, SCREEN, zoom] for zoom in (0.8, 1, 1.5, 2)]
    found = replay.run("calibrations", inputs)
    assert [one["pxPerMm"] for one in found] == pytest.approx([5, 4, 4 / 1.5, 2])
    assert {one["calibratedBy"] for one in found} == {"card"}
    distance = {"distanceMm": 570, "distanceBy": "typed", "distanceWithinMm": 4}
    [told] = replay.run("calibrations", [[{**KEPT, **distance}, SCREEN, 1]])
    assert told == {"pxPerMm": 4, "calibratedBy": "card", **distance}


def screen(width: int, height: int, base: float | None) -> dict[str, Any]:
    return {"width": width, "height": height, "base": base}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (screen(1920, 1080, 1), screen(1920, 1080, 1), True),
        # A tablet that is turned,
        (screen(800, 1280, 1.5), screen(1280, 800, 1.5), True),
        # a browser that tells the size in pixels of the page, which is zoomed,
        (screen(1366, 768, 1), screen(1708, 960, 0.8), True),
        (screen(1366, 768, 1), screen(911, 512, 1.5), True),
        # and what nobody can tell of the zoom.
        (screen(1920, 1080, None), screen(1920, 1080, 1.25), True),
        (screen(1920, 1080, 2), screen(1920, 1080, None), True),
        # A screen of finer pixels beside it, which is as large for the system,
        (screen(1920, 1080, 2), screen(1920, 1080, 1), False),
        # and others.
        (screen(1920, 1080, 1), screen(1680, 1050, 1), False),
        (screen(1920, 1080, None), screen(1680, 1050, None), False),
    ],
)
def test_a_calibration_is_good_for_the_screen_on_which_it_was_made(
    replay: Replay, one: dict[str, Any], other: dict[str, Any], is_same: bool
) -> None:
    assert replay.run("screens", [[one, other], [other, one]]) == [is_same] * 2
    [told] = replay.run("calibrations", [[{**KEPT, "screen": one}, other, 1]])
    assert told == ({"pxPerMm": 4, "calibratedBy": "card"} if is_same else {})


def test_the_distance_is_the_mean_and_tells_how_far_single_ones_were_off(replay: Replay) -> None:
    [found] = replay.run("distances", [[120, 140, 130, 126, 134]])
    assert found["distanceMm"] == pytest.approx(130 / tan(radians(13.5)))
    assert found["distanceWithinMm"] == pytest.approx(10 / tan(radians(13.5)))
    [found] = replay.run("distances", [[24]])
    assert (round(found["distanceMm"]), found["distanceWithinMm"]) == (100, 0)


def test_what_a_device_remembers_is_nothing_where_it_is_none(replay: Replay) -> None:
    odd: list[Any] = [
        *(None, 5, "4", [], {}, {"pxPerMm": 4}, {**KEPT, "pxPerMm": 0}, {**KEPT, "pxPerMm": "4"}),
        *({**KEPT, "screen": None}, {**KEPT, "screen": {"width": 5}}, {**KEPT, "distanceMm": -1}),
        {**KEPT, "calibratedBy": "x" * 129},
    ]
    assert replay.run("kept", odd) == [False] * len(odd)
    assert (
        replay.run("kept", [KEPT, {**KEPT, "screen": screen(5, 5, None), "more": 1}]) == [True] * 2
    )
