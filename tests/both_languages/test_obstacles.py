"""What is in the way to a relay is the same in both languages, and each has words of its own."""

from __future__ import annotations

import pytest

from imgsync.core.protocol.obstacles import Obstacle, obstacle_at_health, obstacle_of
from imgsync.core.protocol.signalling import CloseCode, ErrorCode
from tests.both_languages.replay import Given, Replay

STATUSES = [*range(200, 600), 600, 999]

TEXTS = [
    "ok",
    "ok\n",
    " ok\r\n",
    "OK",
    "",
    "okay",
    "origin\n",
    "draining\n",
    "degraded\n",
    "<html>ok</html>",
]


def value(obstacle: Obstacle | None) -> str | None:
    return None if obstacle is None else obstacle.value


def test_each_status_and_word_means_the_same(replay: Replay) -> None:
    inputs: list[Given] = [["obstacleOf", status] for status in STATUSES]
    expected: list[object] = [obstacle_of(status).value for status in STATUSES]
    for status in (200, 204, 302, 403, 503):
        for text in TEXTS:
            inputs.append(["obstacleAtHealth", status, text])
            expected.append(value(obstacle_at_health(status, text)))
    for code in ErrorCode:
        inputs.append(["obstacleOfError", code.value])
        expected.append(Obstacle.UNAVAILABLE.value if code.is_outage else None)
    for one in Obstacle:
        inputs.append(["mayPass", one.value])
        expected.append(one.may_pass)
    replay.compare("obstacles", inputs, expected, "obstacles")


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (200, "ok\n", None),
        (200, "degraded\n", None),
        (503, "degraded\n", Obstacle.UNAVAILABLE),
        (200, "origin\n", Obstacle.ORIGIN),
        (503, "draining\n", Obstacle.DRAINING),
        # What stands in front of the relay, or in its place, may say anything.
        (200, "<html>Sign in", Obstacle.PORTAL),
        (204, "", Obstacle.PORTAL),
        (403, "origin", Obstacle.BARRED),
        (503, "ok", Obstacle.UNAVAILABLE),
        (301, "ok", Obstacle.MOVED),
        (308, "", Obstacle.MOVED),
        (429, "", Obstacle.TOO_MANY),
        (502, "", Obstacle.NO_RELAY),
        (520, "", Obstacle.BROKEN),
        (418, "", Obstacle.OTHER),
    ],
)
def test_health_tells_the_relay_from_what_stands_before_it(
    status: int, text: str, expected: Obstacle | None
) -> None:
    assert obstacle_at_health(status, text) is expected


def test_a_close_that_says_why_is_understood(replay: Replay) -> None:
    said = {
        code: replay.run("obstacles", [["obstacleOfClose", code.value]])[0] for code in CloseCode
    }
    assert {code: one for code, one in said.items() if one is not None} == {
        CloseCode.RELAY_FULL: "full",
        CloseCode.RATE_LIMITED: "too_many",
    }


def test_pages_have_words_for_each_and_say_whether_to_wait_or_whom_to_tell(replay: Replay) -> None:
    told = {one: replay.run("obstacles", [["words", one.value]])[0] for one in Obstacle}
    for one, (text, hint, server) in told.items():
        assert text.endswith("."), one
        assert ("tries again by itself" in hint) is one.may_pass, one
        assert one.may_pass or "lease tell whoever gave you this link" in hint, one
        assert server.endswith(", trying again") is one.may_pass, one
        assert "undefined" not in f"{text} {hint} {server}", one
    assert len({server for _, _, server in told.values()}) == len(told)
