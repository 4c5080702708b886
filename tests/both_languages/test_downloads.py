"""What is fetched next, and from where on, both languages decide alike."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from imgsync.core.channel.downloads import (
    DownloadOutput,
    Downloads,
    Evict,
    Failure,
    GivenUp,
    Progress,
    Start,
    Stop,
)
from imgsync.core.handshake.patience import pause_after
from imgsync.core.protocol.channel import UpcomingImage
from imgsync.core.protocol.numbers import FETCH_PROGRESS, MAX_ANNOUNCED, MAX_KEPT
from tests.both_languages.replay import Given, Replay, dice_of, time_after

RUNS = 300
INPUTS = 60

REASONS = ["http_403", "http_503", "truncated", "unreachable"]


def tell(outputs: Sequence[DownloadOutput]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case Start(number, name, url, offset, is_urgent):
                told.append(["start", number, name, url, offset, is_urgent])
            case Stop(number):
                told.append(["stop", number])
            case GivenUp(name, reason, detail):
                told.append(["givenUp", name, reason, detail])
            case Evict(name):
                told.append(["evict", name])
            case Progress(announced, there, failed, is_full):
                told.append(["progress", announced, there, failed, is_full])
    return told


def source(dice: random.Random) -> dict[str, str | None]:
    """One of a few images, most often signed as before; now and then it has moved."""
    name = dice.randrange(7)
    if dice.random() < 0.2:
        return {"imageUrl": f"{name}", "signedUrl": None}  # it comes over the connection
    place = dice.choice(["h"] * 9 + ["elsewhere"])
    signature = dice.choice(["?s=1"] * 8 + ["?s=2", "#s=1", ""])
    return {"imageUrl": f"{name}", "signedUrl": f"http://{place}/{name}{signature}"}


def choose_input(dice: random.Random, now: float, started: int) -> list[Any]:
    number = max(1, started - dice.choice([0, 0, 0, 1, 1, 2, 3]))
    counts = [0, 1, 1000, FETCH_PROGRESS - 1, FETCH_PROGRESS, MAX_KEPT // 2, MAX_KEPT]
    failure = {
        "reason": dice.choice(REASONS),
        "mayPass": dice.random() < 0.8,
        "keeps": dice.random() < 0.7,
        "detail": "of use to people",
    }
    return dice.choice(
        [
            *[["announce", [source(dice) for _ in range(dice.randrange(5))], now]] * 2,
            *[["show", source(dice), now]] * 2,
            *[["answered", number, dice.choice([0, 0, 1000]), now, dice.random() < 0.7]] * 4,
            *[["came", number, dice.choice(counts), now]] * 4,
            ["unseen", number, now],
            *[["parked", number]] * 2,
            *[["done", number, now]] * 3,
            *[["failed", number, failure, now]] * 3,
            *[["tick", now]] * 4,
        ]
    )


def give(downloads: Downloads, method: str, *given: Any) -> list[DownloadOutput]:
    match method, given:
        case "announce", [images, now]:
            upcoming = [UpcomingImage(one["imageUrl"], one["signedUrl"]) for one in images]
            return downloads.announce(upcoming, now)
        case "show", [image, now]:
            return downloads.show(UpcomingImage(image["imageUrl"], image["signedUrl"]), now)
        case "answered", [number, offset, now, is_resumable]:
            downloads.answered(number, offset, now, is_resumable=is_resumable)
            return []
        case "failed", [number, said, now]:
            failure = Failure(said["reason"], said["mayPass"], said["keeps"], said["detail"])
            return downloads.failed(number, failure, now)
        case _:
            outputs: list[DownloadOutput] = getattr(downloads, method)(*given) or []
            return outputs


def test_what_is_fetched_next_is_decided_alike(replay: Replay) -> None:
    seen = set()
    for run, dice in dice_of("downloads", RUNS):
        chances = [dice.random() for _ in range(17)]
        thrown = iter(chances * 99)
        # The chances are those of this run, which is over before the next one begins.
        downloads = Downloads(lambda failures, thrown=thrown: pause_after(failures, next(thrown)))  # type: ignore[misc]
        now, started = dice.uniform(0, 1e5), 0
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            now = time_after(dice, now, 5)
            if dice.random() < 0.2 and downloads.due < math.inf:
                now = max(now, downloads.due + dice.choice([0, 0, 0.5, 2]))
            inputs.append(choose_input(dice, now, started))
            outputs = give(downloads, *inputs[-1])
            started = max([started, *(one.number for one in outputs if isinstance(one, Start))])
            due = downloads.due if math.isfinite(downloads.due) else None
            expected.append([tell(outputs), due, downloads.coming])
            seen |= {type(output) for output in outputs}
            assert downloads.due > now or inputs[-1][0] != "tick"
        replay.compare("fetching", inputs, expected, run, chances=chances)
    assert seen == {Start, Stop, GivenUp, Evict, Progress}


def test_a_flood_of_announcements_is_bounded_alike(replay: Replay) -> None:
    downloads = Downloads(lambda failures: 0)
    inputs: list[Given] = []
    expected: list[object] = []
    for first in (0, 100, 1000):
        images = [
            {"imageUrl": f"{n}", "signedUrl": f"http://h/{n}"}
            for n in range(first, first + MAX_ANNOUNCED + 3)
        ]
        for method, what in (("announce", images), ("show", images[0])):
            inputs.append([method, what, 1.0])
            outputs = give(downloads, method, what, 1.0)
            due = downloads.due if math.isfinite(downloads.due) else None
            expected.append([tell(outputs), due, downloads.coming])
    replay.compare("fetching", inputs, expected, "flood", chances=[0.5])


def test_a_page_gives_up_what_is_there_and_can_not_be_decoded(replay: Replay) -> None:
    key, image = "0\nhttp://h/0", {"imageUrl": "0", "signedUrl": "http://h/0?s"}
    inputs: list[Given] = [
        ["show", image, 1],
        ["spoiled", key, "decode", 1],
        ["done", 1, 2],
        ["spoiled", key, "decode", 2],
        ["spoiled", key, "decode", 2],
        ["show", image, 3],
    ]
    start = [["start", 1, key, "http://h/0?s", 0, True]]
    again = [["start", 2, key, "http://h/0?s", 0, True]]
    lost = [["givenUp", key, "decode", ""]]
    told = replay.run("fetching", inputs, chances=[0.5])
    assert [outputs for outputs, *_ in told] == [start, [], [], lost, [], again]
