"""In which frame an image is taken away, and how long a refresh of the screen takes.

Only pages put images on a screen, so that only JavaScript decides this: it is replayed by itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from tests.both_languages.replay import Given, Replay, dice_of

HZ_60 = 1000 / 60
BEGAN = 1000.0
"""When the frame was that put it up."""


def taken_in(replay: Replay, asked: Given, frames: Iterable[float], interval: float) -> list[int]:
    """Which of these frames, counted from 1, take it away."""
    inputs = [["frame", at, interval] for at in frames]
    found = replay.run("exposure", inputs, asked=asked, at=BEGAN)
    return [number for number, is_last in enumerate(found, 1) if is_last]


def frames_of(interval: float, count: int) -> list[float]:
    return [BEGAN + number * interval for number in range(1, count + 1)]


# ── in which frame ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("hz", [50, 59.94, 60, 75, 144, 240])
def test_so_many_refreshes_after_it_was_put_up_it_is_taken_away(replay: Replay, hz: float) -> None:
    for count in (1, 2, 3, 6, 12, 100):
        frames = frames_of(1000 / hz, count)
        assert taken_in(replay, {"frames": count}, frames, 1000 / hz) == [count]


@pytest.mark.parametrize(
    ("show_for", "hz", "count"),
    [
        (50, 60, 3),
        (100, 60, 6),
        (200, 60, 12),
        (40, 60, 2),
        (42, 60, 3),
        (16, 60, 1),
        (5, 60, 1),
        (0.001, 60, 1),
        (100, 144, 14),
        (60_000, 59.94, 3596),
    ],
)
def test_a_time_ends_with_the_refresh_that_is_next_to_it(
    replay: Replay, show_for: float, hz: float, count: int
) -> None:
    frames = frames_of(1000 / hz, count)
    assert taken_in(replay, {"showFor": show_for}, frames, 1000 / hz) == [count]


def test_a_long_time_is_told_by_the_clock_though_the_interval_is_not_known_to_the_last_digit(
    replay: Replay,
) -> None:
    frames = frames_of(1000 / 59.94, 30_000)
    expected = round(450_000 / (1000 / 59.94))
    assert taken_in(replay, {"showFor": 450_000}, frames, HZ_60)[0] == expected
    assert taken_in(replay, {"frames": 30_000}, frames, HZ_60) == [30_000]


def test_frames_that_come_twice_are_one_and_those_that_are_missed_count(replay: Replay) -> None:
    one, two, three, four = frames_of(HZ_60, 4)
    assert taken_in(replay, {"frames": 3}, [one, one + 0.5, two, two + 0.5, three], HZ_60) == [5]
    assert taken_in(replay, {"frames": 3}, [one, three], HZ_60) == [2]
    assert taken_in(replay, {"frames": 3}, [one, two, four], HZ_60) == [3]


@pytest.mark.parametrize(
    ("frames", "told"),
    [
        ([1, 2, 3], {"frames": 3, "dropped": 0}),
        ([1, 3], {"frames": 3, "dropped": 1}),
        ([3], {"frames": 3, "dropped": 2}),
        ([1, 2, 6], {"frames": 6, "dropped": 3}),
    ],
)
def test_what_is_told_is_for_how_many_it_was_up_and_how_many_were_missed(
    replay: Replay, frames: list[int], told: Given
) -> None:
    inputs: list[Given] = [["frame", BEGAN + number * HZ_60, HZ_60] for number in frames]
    found = replay.run("exposure", [*inputs, ["end", 0]], asked={"frames": 3}, at=BEGAN)
    assert found == [*([False] * (len(frames) - 1)), True, told]


@pytest.mark.parametrize("late", [0, 1, 2])
def test_what_is_presented_late_is_taken_away_as_much_later(replay: Replay, late: int) -> None:
    frames = [["frame", at, HZ_60] for at in frames_of(HZ_60, 8)]
    for asked in ({"frames": 3}, {"showFor": 50}):
        inputs = [frames[0], ["presented", late], *frames[1:]]
        found = replay.run("exposure", inputs, asked=asked, at=BEGAN)
        assert found.index(True) == 3 + late
        # It was up for what was asked, and not for the refreshes in which it was not there yet.
        inputs = [*inputs[: 4 + late], ["end", 0]]
        told = replay.run("exposure", inputs, asked=asked, at=BEGAN)[-1]
        assert told == {"frames": 3, "dropped": 0}


def test_it_is_up_for_one_refresh_at_least(replay: Replay) -> None:
    inputs = [["presented", 2], ["frame", BEGAN + 0.5, HZ_60]]
    frames = [["frame", at, HZ_60] for at in frames_of(HZ_60, 3)]
    for asked in ({"frames": 1}, {"showFor": 1}):
        found = replay.run("exposure", [*inputs, *frames], asked=asked, at=BEGAN)
        assert found[1:] == [False, False, False, True]


def test_what_was_late_in_the_end_is_in_what_is_told(replay: Replay) -> None:
    frames = [["frame", at, HZ_60] for at in frames_of(HZ_60, 3)]
    for late, began, count in ((0, 0, 3), (0, 1, 2), (1, 0, 4), (2, 2, 3), (0, 9, 0)):
        inputs = [*frames, ["end", late, began]]
        *_, told = replay.run("exposure", inputs, asked={"frames": 3}, at=BEGAN)
        assert told == {"frames": count, "dropped": 0}


def test_on_any_screen_it_is_taken_away_in_the_right_frame_or_the_first_one_after_it(
    replay: Replay,
) -> None:
    for run, dice in dice_of("exposures", 100):
        interval = 1000 / dice.choice([30, 50, 60, 75, 90, 120, 144])
        count = dice.randint(1, 40)
        refreshes = miss_some(dice, count + 10)
        frames = [BEGAN + n * interval + dice.uniform(-0.1, 0.1) * interval for n in refreshes]
        inputs = [["frame", at, interval * 1.002] for at in frames]
        found = replay.run("exposure", inputs, asked={"frames": count}, at=BEGAN)
        last = found.index(True)
        assert refreshes[last] == min(n for n in refreshes if n >= count), run
        told = replay.run(
            "exposure",
            [*inputs[: last + 1], ["end", 0]],
            asked={"frames": count},
            at=BEGAN,
        )[-1]
        missed = refreshes[last] - len(set(refreshes[: last + 1]))
        assert told == {"frames": refreshes[last], "dropped": missed}, run


def miss_some(dice: random.Random, count: int) -> list[int]:
    """Refreshes after the first that have a frame, some of them two."""
    found = []
    for number in range(1, count + 1):
        found += [number] * dice.choice([0, 1, 1, 1, 1, 1, 2])
    return [*found, count + 1]


def late(replay: Replay, greys: Iterable[float], lag: float | None, interval: float = HZ_60) -> int:
    found: int = replay.run("lags", [*greys, ["lateOf", lag, interval]])[-1]
    return found


@pytest.mark.parametrize(
    ("usual", "lag", "count"),
    [
        # By the refreshes that show them.
        (33.3, 33.4, 0),
        (33.3, 31, 0),
        (33.3, 50, 1),
        (33.3, 66.5, 2),
        # By when they are ready, which is anywhere before these.
        (3, 3, 0),
        (3, 9, 0),
        (3, 14, 0),
        (3, 18, 1),
        (3, 35, 2),
        (9, 3, 0),
        (2.9, 16.6, 0),
        (2.9, 16.8, 1),
        (2.3, 16.7, 1),
        (4.5, 16.6, 0),
        (4.5, 33.5, 2),
        (9, 16.6, 0),
        (9, 20, 1),
        (14, 20, 1),
    ],
)
def test_what_misses_a_refresh_is_late(
    replay: Replay, usual: float, lag: float, count: int
) -> None:
    assert late(replay, [usual] * 5, lag) == count
    assert late(replay, [usual / 2] * 5, lag / 2, HZ_60 / 2) == count


def test_what_is_late_is_so_beside_the_quickest_of_the_last_greys(replay: Replay) -> None:
    assert late(replay, [3, 3, 40, 40, 40, 40, 40], 20) == 1
    assert late(replay, [3] * 15 + [33] * 12, 34) == 0
    assert late(replay, [], 90) == late(replay, [3], None) == 0


def test_what_no_screen_can_show_is_known(replay: Replay) -> None:
    given = [[{"showFor": ms}, HZ_60] for ms in (1, 10, 16, 17, 100)] + [[{"frames": 1}, HZ_60]]
    assert replay.run("belowFrame", given) == [True, True, False, False, False, False]


# ── refreshes ────────────────────────────────────────────────────────────────────────────────────


def measure(replay: Replay, frames: Iterable[float]) -> float | None:
    found: float | None = replay.run("refresh", [["frame", at] for at in frames])[-1]
    return found


@pytest.mark.parametrize("hz", [30, 48, 50, 59.94, 60, 75, 90, 120, 144, 240])
@pytest.mark.parametrize("step", [0.005, 0.1, 1])
def test_the_rate_is_found_on_any_clock(replay: Replay, hz: float, step: float) -> None:
    times = [number * 1000 / hz for number in range(120)]
    found = measure(replay, [round(at / step) * step for at in times])
    assert found is not None
    # Of the first and the last time together a step may be missing.
    assert 1000 / found == pytest.approx(hz, rel=0.003)


def test_it_is_not_known_by_a_few_frames(replay: Replay) -> None:
    assert measure(replay, [number * HZ_60 for number in range(20)]) is None
    assert measure(replay, [number * HZ_60 for number in range(21)]) == pytest.approx(HZ_60)


def test_frames_that_are_missed_or_come_twice_and_pauses_change_nothing(replay: Replay) -> None:
    for run, dice in dice_of("refreshes", 50):
        now, frames = 0.0, []
        for _ in range(100):
            now += HZ_60 * dice.choice([1, 1, 1, 1, 2, 3, 30])
            frames.append(now)
            if dice.random() < 0.1:
                frames.append(now + 0.5)
        assert measure(replay, frames) == pytest.approx(HZ_60, rel=0.02), run


def test_what_is_known_is_so_until_it_is_known_anew(replay: Replay) -> None:
    inputs: list[Given] = [["frame", number * HZ_60] for number in range(30)]
    inputs += [["restart"], *(["frame", 9000 + number * 10] for number in range(30))]
    found = replay.run("refresh", inputs)
    assert found[30 + 20] == pytest.approx(HZ_60)
    assert found[-1] == pytest.approx(10)


def test_over_a_pause_there_is_no_interval(replay: Replay) -> None:
    inputs: list[Given] = []
    for number in range(30):
        inputs += [["frame", number * 100], ["frame", number * 100 + HZ_60], ["pause"]]
    assert replay.run("refresh", inputs)[-1] == pytest.approx(HZ_60)
