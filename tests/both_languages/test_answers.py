"""What counts as an answer in the page, how long it took, and where on the picture it was.

The page alone has a person before it, so that only JavaScript decides this: it is replayed by
itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from imgsync.core.protocol.keys import plain_key
from imgsync.core.protocol.numbers import MAX_RESPONSES
from tests.both_languages.replay import Given, Replay

FRAME = 1000 / 60
STEP = 0.1
"""Of the clock by which keys are told."""

PRESENTED = {"at": 1030, "timing": "presented", "within": 0}
ON_FRAME = {"at": 1030, "timing": "frame", "within": 50}


def image(number: int = 1, **asked: object) -> Given:
    """One that asks for answers."""
    return {"imageIndex": number, "imageUrl": "i", "signedUrl": "s", "sentAt": 1000, **asked}


def asking(*keys: str, taps: bool = False, ends: bool = False) -> Given:
    return image(respond={"keys": list(keys), "taps": taps, "ends": ends})


def key(name: str, at: float) -> Given:
    return ["key", name, at, STEP]


def tap(point: Given, at: float) -> Given:
    return ["tap", point, at, STEP]


def begun(of: Given, onset: Given = PRESENTED) -> list[Given]:
    return [["ask", of], ["begin", of, onset, FRAME]]


def answers(replay: Replay, *inputs: Given) -> list[Any]:
    """All that is said, or to be done."""
    return [one for step in replay.run("answered", inputs) for one in step]


def test_a_key_that_is_asked_for_is_told_with_the_time_since_the_onset(replay: Replay) -> None:
    of = asking("f", "Space")
    [said] = answers(replay, *begun(of), key("f", 1430.5))
    assert said == {
        "type": "response",
        "imageIndex": 1,
        "sentAt": 1000,
        "number": 1,
        "at": 1430.5,
        "kind": "key",
        "value": "f",
        "reactionTime": 400.5,
        "within": STEP,
    }
    assert answers(replay, *begun(of), key("j", 1430), key("f ", 1430)) == []


def test_where_the_onset_is_a_frame_its_bound_and_a_refresh_are_in_that_of_the_answer(
    replay: Replay,
) -> None:
    [said] = answers(replay, *begun(asking("f"), ON_FRAME), key("f", 1230))
    assert (said["reactionTime"], said["within"]) == (200, pytest.approx(50 + FRAME + STEP))


def test_answers_wait_until_it_is_known_since_when_the_image_is_up(replay: Replay) -> None:
    of = asking("f", "j")
    early = [["ask", of], key("f", 1029.9), key("j", 1031), key("f", 1040)]
    assert answers(replay, *early) == []
    told = answers(replay, *early, ["begin", of, PRESENTED, FRAME])
    # What came before the onset is no answer to it.
    assert [(one["number"], one["value"], one["reactionTime"]) for one in told] == [
        (1, "j", 1),
        (2, "f", 10),
    ]


def test_the_first_onset_counts_and_that_of_another_image_does_not(replay: Replay) -> None:
    of = asking("f")
    again = [["ask", of], ["begin", of, {**PRESENTED, "at": 2000}, FRAME]]
    [said] = answers(replay, *begun(of), *again, key("f", 2100))
    assert said["reactionTime"] == 1070
    other = image(2)
    assert answers(replay, ["ask", of], ["begin", other, PRESENTED, FRAME], key("f", 1100)) == []


def test_answers_are_of_the_image_that_was_put_up_last(replay: Replay) -> None:
    first, second = asking("f"), {**asking("j"), "imageIndex": 2}
    told = answers(replay, *begun(first), *begun(second), key("f", 1100), key("j", 1200))
    assert [(one["imageIndex"], one["value"]) for one in told] == [(2, "j")]
    assert answers(replay, *begun(first), ["close"], key("f", 1100)) == []
    # One that asks for nothing is answered by nothing.
    assert answers(replay, *begun(image()), key("f", 1100), tap(None, 1100)) == []


def test_where_the_first_answer_ends_it_there_is_no_second(replay: Replay) -> None:
    of = asking("f", taps=True, ends=True)
    told = answers(replay, *begun(of), key("f", 1100), key("f", 1200), tap(None, 1300))
    assert [one if one == "over" else one["value"] for one in told] == ["f", "over"]
    early = [["ask", of], key("f", 1020), key("f", 1050), ["begin", of, PRESENTED, FRAME]]
    said, over = answers(replay, *early)
    assert (said["reactionTime"], over) == (20, "over")


def test_taps_are_told_with_their_place_on_the_picture(replay: Replay) -> None:
    of = asking(taps=True)
    on, beside = answers(
        replay, *begun(of), tap({"x": 12.5, "y": 3}, 1100), key("f", 1150), tap(None, 1200)
    )
    assert (on["kind"], on["value"], on["x"], on["y"]) == ("tap", "picture", 12.5, 3)
    assert (beside["value"], "x" in beside, beside["number"]) == ("beside", False, 2)
    assert answers(replay, *begun(asking("f")), tap(None, 1100)) == []


def test_of_a_flood_no_more_wait_than_are_told(replay: Replay) -> None:
    of = asking("f")
    flood = [key("f", 1100 + n) for n in range(MAX_RESPONSES + 50)]
    told = answers(replay, ["ask", of], *flood, begun(of)[1])
    assert [one["number"] for one in told] == [*range(1, MAX_RESPONSES + 2)]


def test_text_that_asks_for_nothing_is_answered_by_any_key_that_says_something_or_a_tap(
    replay: Replay,
) -> None:
    text = image(text="Press any key.", signedUrl=None)
    names = ["f", "é", "1", "Space", "Enter", "ArrowLeft", "PageDown"]
    none = ["Tab", "Escape", "Shift", "F5", "Dead", "AudioVolumeUp", "Meta", "PrintScreen"]
    pressed = [key(name, 1100 + number) for number, name in enumerate([*names, *none])]
    told = answers(replay, *begun(text), *pressed, tap(None, 1200))
    assert [one["value"] for one in told] == [*names, "beside"]
    # Only what is named is kept from what it does in the page.
    assert replay.run("answered", [["ask", text], ["isAskedFor", "Space"]])[-1] is False
    assert replay.run("answered", [["ask", asking("F", "Space")], ["isAskedFor", "f"]])[-1] is True
    asked = {**text, "respond": {"keys": ["f"]}}
    assert answers(replay, *begun(asked), key("j", 1100), tap(None, 1100)) == []


def test_keys_are_named_without_regard_to_case(replay: Replay) -> None:
    given = [" ", "\u00a0", "\u3000", "F", "f", "É", "Enter", "ArrowLeft", "1", "Ω"]
    expected = ["Space", "Space", "Space", "f", "f", "é", "Enter", "ArrowLeft", "1", "ω"]
    assert replay.run("plainKeys", given) == expected == [plain_key(one) for one in given]
    [said] = answers(replay, *begun(asking("F")), key("f", 1100))
    assert said["value"] == "f"


def test_any_key_is_one_whose_name_can_be_told(replay: Replay) -> None:
    given = ["a", "é", "1", "Enter", "Space", "PageUp", "\u200b", "\ue000", "Escape", "F5", "Shift"]
    assert replay.run("anyKeys", given) == [True] * 6 + [False] * 5


@pytest.mark.parametrize(
    ("tap", "picture", "place"),
    [
        # As large as its box.
        ((0, 0), (800, 600), (0, 0)),
        ((400, 300), (800, 600), (400, 300)),
        ((799, 599), (800, 600), (799, 599)),
        ((800, 600), (800, 600), None),
        # Twice as large, and beside it the box is empty: left and right, or above and below.
        ((100, 0), (300, 300), (0, 0)),
        ((400, 300), (300, 300), (150, 150)),
        ((99, 300), (300, 300), None),
        ((701, 300), (300, 300), None),
        ((400, 100), (400, 200), (200, 0)),
        ((400, 99), (400, 200), None),
        # Smaller than it is.
        ((400, 300), (8000, 6000), (4000, 3000)),
        # No size of its own.
        ((400, 300), (0, 0), None),
    ],
)
def test_a_tap_has_its_place_in_the_pictures_own_pixels(
    replay: Replay,
    tap: tuple[int, int],
    picture: tuple[int, int],
    place: tuple[int, int] | None,
) -> None:
    for left, top in ((0, 0), (20, 50)):
        point = {"x": tap[0] + left, "y": tap[1] + top}
        box = {"left": left, "top": top, "width": 800, "height": 600}
        size = {"width": picture[0], "height": picture[1]}
        found = replay.run("placesOnPictures", [[point, box, size]])[0]
        assert found == (None if place is None else {"x": place[0], "y": place[1]})


# ── browsers ─────────────────────────────────────────────────────────────────────────────────────

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("agent", "touches", "browser", "system"),
    [
        (f"{CHROME} Safari/537.36", 0, "Chrome 156", "Linux"),
        (CHROME.replace("Chrome", "HeadlessChrome"), 0, "Chrome 156", "Linux"),
        (f"{CHROME} Safari/537.36 Edg/156.0.1.2", 0, "Edge 156", "Linux"),
        (f"{CHROME} Safari/537.36 OPR/120.0", 0, "Opera 120", "Linux"),
        (
            "Mozilla/5.0 (Linux; Android 10; K) Chrome/120.0 Mobile Safari/537.36",
            5,
            "Chrome 120",
            "Android",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) SamsungBrowser/25.0 Chrome/121.0 Safari/537.36",
            5,
            "Samsung Internet 25",
            "Android",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:153.0) Gecko/20100101 Firefox/153.0",
            0,
            "Firefox 153",
            "Windows",
        ),
        (f"{MAC} Version/17.4 Safari/605.1.15", 0, "Safari 17.4", "macOS"),
        (f"{MAC} Version/17.4 Safari/605.1.15", 5, "Safari 17.4", "iOS"),
        (f"{PHONE} Version/17.4 Mobile/15E148 Safari/604.1", 5, "Safari 17.4", "iOS"),
        (f"{PHONE} CriOS/120.0 Mobile/15E148 Safari/604.1", 5, "Chrome 120", "iOS"),
    ],
)
def test_a_browser_and_its_system_have_names(
    replay: Replay, agent: str, touches: int, browser: str, system: str
) -> None:
    found = replay.run("agents", [[agent, touches]])
    assert found == [{"browser": browser, "system": system}]


def test_of_a_browser_that_is_not_known_nothing_is_said(replay: Replay) -> None:
    assert replay.run("agents", [["", 0], ["something else", 0]]) == [{}, {}]


@pytest.mark.parametrize(
    ("outer", "inner", "pixels", "zoom"),
    [
        (1920, 1920, 1, 1),
        (1920, 1904, 1, 1),
        (1920, 1536, 1.25, 1.25),
        (1920, 1745, 1.1, 1.1),
        (1920, 2400, 1.6, 0.8),
        (412, 412, 2.625, None),
        # A panel beside the page.
        (1920, 1560, 1, None),
        (1920, 1536, 1, None),
    ],
)
def test_how_far_a_page_is_zoomed_is_told_where_that_is_sure(
    replay: Replay, outer: float, inner: float, pixels: float, zoom: float | None
) -> None:
    window = {"outerWidth": outer, "innerWidth": inner, "devicePixelRatio": pixels}
    assert replay.run("zooms", [[window, 1]]) == [zoom]
    assert replay.run("zooms", [[window, 2]]) == [None if zoom is None else 2 * zoom]
