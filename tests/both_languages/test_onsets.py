"""When an image is told as shown, and whose turn it is to be decoded.

Only pages put images on a screen, so that only JavaScript decides this: it is replayed by itself.
"""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tests.both_languages.replay import Given, Replay, dice_of

TELLING = 1000
"""Milliseconds for the browser to tell."""


def onsets(replay: Replay, *inputs: Given) -> list[Any]:
    """What is told in the end, of all steps."""
    return [onset for told, _ in replay.run("onsets", inputs) for onset in told]


# ── onsets ───────────────────────────────────────────────────────────────────────────────────────


def test_what_the_browser_tells_is_the_onset(replay: Replay) -> None:
    put = ["putUp", "a", 100, 103]
    assert onsets(replay, put, ["presented", "a", 131.5, 0, 140]) == [["a", 131.5, "presented", 0]]
    assert onsets(replay, put, ["presented", "a", 132, 4, 140]) == [["a", 132, "presented", 4]]


@pytest.mark.parametrize(
    ("frame_at", "put_at", "at"),
    [
        # A frame that is under way has its time from before the order, by 112 ms once.
        (100, 212, 212),
        (100, 103, 103),
        (100, 100, 100),
        # In Firefox a frame's time may be later than the clock in it.
        (104, 103, 104),
    ],
)
def test_no_onset_lies_before_its_image_was_in_the_document(
    replay: Replay, frame_at: float, put_at: float, at: float
) -> None:
    put = ["putUp", "a", frame_at, put_at]
    late = put_at + TELLING
    for now, end in ((300, ["past", "a", 300]), (300, ["settle", 300]), (late, ["tick", late])):
        assert onsets(replay, put, end) == [["a", at, "frame", now - at]]
    # Where such a time is coarse, it may lie before that as well.
    for presented in (put_at - 4, put_at - 0.001, put_at):
        told = onsets(replay, put, ["presented", "a", presented, 4, 300])
        assert told == [["a", put_at, "presented", 4]]


def test_without_a_word_of_the_browser_it_is_the_frame_and_all_that_passed_is_unknown(
    replay: Replay,
) -> None:
    steps = replay.run(
        "onsets",
        [
            ["putUp", "a", 100, 103],
            ["tick", 103 + TELLING - 1],
            ["tick", 103 + TELLING],
            ["presented", "a", 131, 0, 1200],
        ],
    )
    assert steps == [
        [[], 103 + TELLING],
        [[], 103 + TELLING],
        [[["a", 103, "frame", TELLING]], None],
        [[], None],
    ]
    # A clock that was read before the frame's time makes nothing negative of it.
    assert onsets(replay, ["putUp", "a", 104, 103], ["settle", 103.5]) == [["a", 104, "frame", 0]]


def test_a_later_image_that_is_presented_tells_of_all_that_came_before_it(replay: Replay) -> None:
    put = [["putUp", name, at, at + 1] for name, at in (("a", 100), ("b", 116), ("c", 133))]
    told = onsets(replay, *put, ["presented", "b", 150, 0, 160], ["presented", "a", 155, 0, 161])
    assert told == [["a", 101, "frame", 59], ["b", 150, "presented", 0]]
    told = onsets(replay, *put, ["past", "b", 160], ["settle", 170])
    assert [(name, timing) for name, _, timing, _ in told] == [(name, "frame") for name in "abc"]


def test_an_onset_is_not_before_the_one_before_it(replay: Replay) -> None:
    """What was up goes when the next one comes: it would have been hidden before it was shown."""
    put = [["putUp", "a", 100, 101], ["putUp", "b", 116, 117]]
    told = onsets(replay, *put, ["presented", "a", 140, 0, 150], ["settle", 160])
    assert told == [["a", 140, "presented", 0], ["b", 140, "frame", 43]]


def test_whatever_happens_onsets_come_once_in_order_and_hold_what_is_unknown(
    replay: Replay,
) -> None:
    timings = set()
    for run, dice in dice_of("onsets", 200):
        now, names = 1000.0, 0
        inputs: list[Given] = []
        put_at: dict[str, float] = {}
        for _ in range(60):
            now += dice.choice([0.0, dice.uniform(0, 40), dice.uniform(0, 1500)])
            some = str(dice.randint(0, max(names - 1, 0)))
            match dice.choice(
                ["putUp", "putUp", "presented", "presented", "past", "settle", "tick"]
            ):
                case "putUp":
                    put_at[str(names)] = now
                    inputs.append(["putUp", str(names), now + dice.uniform(-120, 2), now])
                    names += 1
                case "presented":
                    inputs.append(["presented", some, now - dice.uniform(0, 30), 0, now])
                case "past":
                    inputs.append(["past", some, now])
                case other:
                    inputs.append([other, now])
        inputs.append(["settle", now])
        told = onsets(replay, *inputs)
        assert [one[0] for one in told] == [str(name) for name in range(names)], run
        times = [at for _, at, _, _ in told]
        assert times == sorted(times)
        assert all(at >= put_at[name] for name, at, _, _ in told)
        assert all(within >= 0 for *_, within in told)
        timings |= {timing for _, _, timing, _ in told}
    assert timings == {"presented", "frame"}


# ── turns ────────────────────────────────────────────────────────────────────────────────────────


def turns(replay: Replay, *inputs: Given) -> list[list[int]]:
    """The numbers of those that begin, at each step."""
    return replay.run("turns", inputs)


def test_ahead_one_is_decoded_at_a_time(replay: Replay) -> None:
    asked = [["ask", number, f"u{number}", 0] for number in range(3)]
    steps = turns(replay, *asked, ["done", 0], ["done", 1], ["done", 2], ["ask", 3, "u3", 0])
    assert steps == [[0], [], [], [1], [2], [], [3]]


def test_what_comes_next_begins_before_what_was_there_before_it(replay: Replay) -> None:
    asked = [["ask", number, f"u{number}", place] for number, place in enumerate([5, 9, 7, 7, 1])]
    steps = turns(replay, *asked, *[["done", number] for number in (0, 4, 2, 3)])
    assert steps == [[0], [], [], [], [], [4], [2], [3], [1]]


def test_what_comes_next_is_decoded_as_far_as_there_is_room_and_the_first_in_any_case(
    replay: Replay,
) -> None:
    most = 256 * 1024 * 1024
    sizes = [[], [0] * 9, [most // 4] * 9, [most + 1, 1], [most, 1], [1, most, 1], [most // 2] * 3]
    assert replay.run("choose", sizes) == [0, 9, 4, 1, 1, 1, 2]


def test_what_is_to_be_seen_now_waits_for_nothing_and_others_wait_for_it(replay: Replay) -> None:
    steps = turns(
        replay,
        ["ask", 0, "u0", 0],
        ["ask", 1, "u1", 0],
        ["hold", "u1"],  # announced before, and not decoded yet
        ["ask", 2, "u1", 0],  # fetched anew
        ["ask", 3, "u3", 0],
        ["done", 0],
        ["done", 1],
        ["done", 2],
        ["release", "u3"],  # that one is not due
        ["release", "u1"],
    )
    assert steps == [[0], [], [1], [2], [], [], [], [], [], [3]]


def test_the_last_order_is_what_is_due(replay: Replay) -> None:
    steps = turns(
        replay,
        ["hold", "u0"],
        ["hold", "u1"],
        ["ask", 0, "u0", 0],
        ["release", "u0"],
        ["ask", 1, "u1", 0],
        ["release", "u1"],
    )
    assert steps == [[], [], [], [], [1], [0]]


def test_each_has_its_turn_once_and_none_but_the_due_one_begins_while_it_is_held(
    replay: Replay,
) -> None:
    for run, dice in dice_of("turns", 200):
        inputs, begun = play(replay, dice)
        assert sorted(begun) == list(range(sum(one[0] == "ask" for one in inputs))), run


def play(replay: Replay, dice: random.Random) -> tuple[list[Given], list[int]]:
    """Random orders and pictures, until all have had their turn."""
    keys: dict[int, str] = {}
    inputs: list[Given] = []
    for _ in range(40):
        key = f"u{dice.randrange(6)}"
        match dice.choice(["ask", "ask", "hold", "release", "done"]):
            case "ask":
                inputs.append(["ask", len(keys), key, 0])
                keys[len(keys)] = key
            case "done":
                # Also of what has not begun: then it changes nothing that matters here.
                inputs.append(["done", dice.randrange(len(keys) or 1)])
            case other:
                inputs.append([other, key])
    inputs += [["release", f"u{n}"] for n in range(6)]
    for _ in keys:
        inputs += [["done", number] for number in keys]
    begun: list[int] = []
    due: str | None = None
    ahead = math.nan
    for one, numbers in zip(inputs, turns(replay, *inputs), strict=True):
        if one[0] == "hold":
            due = one[1]
        elif one[0] == "release" and one[1] == due:
            due = None
        elif one[0] == "done" and one[1] == ahead:
            ahead = math.nan
        for number in numbers:
            if keys[number] != due:
                assert due is None
                assert math.isnan(ahead)
                ahead = number
        begun += numbers
    return inputs, begun
