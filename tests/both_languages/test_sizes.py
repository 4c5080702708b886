"""How large images are to be, by the rules of both languages; how large pages draw them.

Only pages draw, so that only JavaScript decides that: it is replayed by itself.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from imgsync.core.study.displays import ScreenNeeds
from imgsync.core.study.sizes import length_of
from tests.both_languages.replay import Replay
from tests.kit.channels import TRIALS, trial_of

WINDOW = {"width": 1200, "height": 800}
SURFACE: dict[str, Any] = {"room": WINDOW, "pixelRatio": 1}
MEASURED = {**SURFACE, "pxPerMm": 4}
SEEN = {**MEASURED, "distanceMm": 600}

WIDE, HIGH = {"width": 400, "height": 100}, {"width": 100, "height": 400}


def drawn(
    replay: Replay, asked: dict[str, Any], picture: dict[str, int], surface: dict[str, Any]
) -> dict[str, Any]:
    [found] = replay.run("drawings", [[asked, picture, surface]])
    return dict(found)


def test_an_angle_has_the_same_length_in_both_languages(replay: Replay) -> None:
    inputs = [[angle, far] for angle in (0.01, 1, 5.5, 45, 90, 159) for far in (1, 300, 572.9)]
    for given, found in zip(inputs, replay.run("lengths", inputs), strict=True):
        assert found == pytest.approx(length_of(*given), rel=1e-12)
    assert length_of(1, 572.9) == pytest.approx(10, rel=1e-3)  # a centimetre for each degree
    assert length_of(90, 300) == pytest.approx(600)


def test_what_a_series_needs_of_a_screen_is_gathered_alike(replay: Replay) -> None:
    series = [[trial] for trial in TRIALS if trial is not None] + [[], [{}, {"sizeMm": 4}]]
    for trials, found in zip(series, replay.run("screenNeeds", series), strict=True):
        needs = ScreenNeeds.of(map(trial_of, trials))
        told = {"frames": needs.frames, "keys": needs.keys, "size": needs.size}
        assert found == {**told, "distance": needs.distance}, trials


def test_the_longer_side_has_the_millimetres_that_are_asked(replay: Replay) -> None:
    large = {"widthPx": 400, "heightPx": 100, "widthMm": 100, "heightMm": 25}
    assert drawn(replay, {"sizeMm": 100}, WIDE, MEASURED) == large
    long = {"widthPx": 100, "heightPx": 400, "widthMm": 25, "heightMm": 100}
    assert drawn(replay, {"sizeMm": 100}, HIGH, MEASURED) == long


def test_degrees_are_those_from_where_it_is_seen(replay: Replay) -> None:
    found = drawn(replay, {"sizeDeg": 10}, WIDE, SEEN)
    assert found["widthMm"] == pytest.approx(2 * 600 * math.tan(math.radians(5)))
    assert found["widthPx"] == pytest.approx(4 * found["widthMm"])
    assert found["heightPx"] == pytest.approx(found["widthPx"] / 4)
    assert "fitted" not in found


@pytest.mark.parametrize("ratio", [1, 1.25, 1.5, 2, 3])
def test_one_pixel_of_the_image_is_one_of_the_screen(replay: Replay, ratio: float) -> None:
    found = drawn(replay, {"scale": "1:1"}, WIDE, {**SURFACE, "pixelRatio": ratio})
    assert found["widthPx"] * ratio == pytest.approx(400)
    assert found["heightPx"] * ratio == pytest.approx(100)
    assert "widthMm" not in found


def test_without_a_size_it_fills_the_window(replay: Replay) -> None:
    assert drawn(replay, {}, WIDE, SURFACE) == {"widthPx": 1200, "heightPx": 300}
    assert drawn(replay, {}, HIGH, SURFACE) == {"widthPx": 200, "heightPx": 800}
    assert drawn(replay, {}, HIGH, MEASURED)["heightMm"] == 200


@pytest.mark.parametrize(
    ("asked", "surface", "why"),
    [
        ({"sizeMm": 10}, SURFACE, "not_calibrated"),
        ({"sizeDeg": 1}, {**SURFACE, "distanceMm": 600}, "not_calibrated"),
        ({"sizeDeg": 1}, MEASURED, "no_distance"),
        ({"sizeMm": 301}, MEASURED, "no_room"),
        ({"sizeDeg": 150}, SEEN, "no_room"),
        ({"scale": "1:1"}, {**SURFACE, "room": {"width": 399, "height": 800}}, "no_room"),
    ],
)
def test_where_that_cannot_be_had_it_is_fitted_and_told_why(
    replay: Replay, asked: dict[str, Any], surface: dict[str, Any], why: str
) -> None:
    found = drawn(replay, asked, WIDE, surface)
    window = surface["room"]["width"]
    assert (found["widthPx"], found["heightPx"], found["fitted"]) == (window, window / 4, why)


def test_what_just_fits_is_not_fitted(replay: Replay) -> None:
    assert "fitted" not in drawn(replay, {"sizeMm": 300}, WIDE, MEASURED)
    assert "fitted" not in drawn(replay, {"sizeMm": 300.1}, WIDE, MEASURED)  # 0.4 px


def test_a_picture_without_a_size_of_its_own_is_a_square(replay: Replay) -> None:
    found = drawn(replay, {"sizeMm": 50}, {"width": 0, "height": 0}, MEASURED)
    assert (found["widthPx"], found["heightPx"]) == (200, 200)
