"""What people are told of recordings: the participant in words, the evaluator in short ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.rules import CAMERA, MICROPHONE, Rules, open_rules


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rules]:
    with open_rules(tmp_path_factory.mktemp("rules")) as rules:
        yield rules


def situation(**news: object) -> str:
    known = {
        "obstacle": None,
        "record": BOTH,
        "lost": "",
        "isFull": False,
        "isStoreGone": False,
        "isLive": True,
        **{name: value for name, value in news.items() if name != "states"},
    }
    states = json.dumps(news.get("states", []))
    return f"{{ ...{json.dumps(known)}, states: new Map({states}) }}"


BOTH = "camera,microphone"
ON = "Your microphone is on. You are recorded while an image is shown."
ALL = "The session goes on without recording."
AGAIN = "This page tries again by itself."


@pytest.mark.parametrize(
    ("news", "words"),
    [
        ({"states": [[MICROPHONE, "on"]]}, [ON]),
        ({"states": [[CAMERA, "ended"], [MICROPHONE, "on"]]}, ["camera has gone", AGAIN, ON]),
        ({"states": [[CAMERA, "ended"], [MICROPHONE, "ended"]]}, ["have gone", AGAIN, ALL]),
        ({"states": [[MICROPHONE, "muted"]]}, ["Your microphone is muted", AGAIN, ALL]),
        (
            {"states": [[CAMERA, "missing"], [MICROPHONE, "missing"]]},
            ["No camera or microphone was found.", AGAIN, ALL],
        ),
        (
            {"states": [[CAMERA, "denied"], [MICROPHONE, "in_use"]]},
            ["perhaps another program does", "does not let this page use your camera.", AGAIN, ALL],
        ),
        ({"states": [[CAMERA, "policy"]]}, ["The website does not let its page", ALL]),
        ({"states": [[CAMERA, "system"]]}, ["settings of this device", ALL]),
        ({"obstacle": "not_secure"}, ["begins with https", ALL]),
        ({"obstacle": "cant_record"}, ["can\u2019t record.", ALL]),
        ({"obstacle": "not_kept"}, ["keeps no recordings", ALL]),
        (
            {"obstacle": "unknown_request", "record": "smell"},
            ["asks to record", "smell", ALL],
        ),
        (
            {"isStoreGone": True, "states": [[MICROPHONE, "on"]]},
            ["be reached at this moment", ON],
        ),
    ],
)
def test_each_state_has_its_words(rules: Rules, news: dict[str, Any], words: list[str]) -> None:
    said = rules.run("words/recording.js", f"return m.describeNow({situation(**news)})")
    places = [said.find(word) for word in words]
    assert -1 not in places, said
    assert places == sorted(places)
    assert (AGAIN in said, ALL in said) == (AGAIN in words, ALL in words)


def left(**news: object) -> str:
    known = {
        "unsent": 0,
        "refused": [],
        "kept": [],
        "failures": 0,
        "isUnreadable": False,
        "isLive": False,
        "folder": "",
    }
    return f"return m.describeLeft({json.dumps(known | news)})"


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (["http_403"], "The server does not let this page send them (403)."),
        (["http_401"], "wants a permission that this page does not have (401)"),
        (["http_413", "http_413"], "too large for the server (413)"),
        (["http_418"], "The server does not take them (418)."),
        (["redirect"], "leads to another one"),
        (["not_https"], "begins with http,"),
        (["damaged"], "has lost a part"),
    ],
)
def test_what_was_refused_is_told_with_its_reason_and_what_to_do(
    rules: Rules, reasons: list[str], words: str
) -> None:
    said = rules.run("words/recording.js", left(refused=reasons))
    assert said["text"] == f"{len(reasons)} recording{'s'[: len(reasons) - 1]} can\u2019t be sent."
    assert said["hint"].count(words) == 1
    assert "you can save them here. Please tell whoever runs the study." in said["hint"]
    live = rules.run("words/recording.js", left(refused=reasons, isLive=True))
    assert "after the session" in live["hint"]


def test_a_server_that_can_not_be_read_is_told_of(rules: Rules) -> None:
    said = rules.run("words/recording.js", left(unsent=2, isUnreadable=True, failures=3))
    assert said["text"] == "2 recordings can\u2019t be sent."
    assert "Access-Control-Allow-Origin" in said["hint"]
    assert "tries again" not in said["hint"]


def test_the_evaluator_is_told_what_is_recorded_and_each_trouble_once(rules: Rules) -> None:
    body = f"""
        const row = (key, destination) => ({{ key, destination }});
        const sent = {{ host: "h", isUnreadable: false, refused: new Map([
          [1, "http_403"], [2, "http_403"], [3, "http_413"], [4, "http_500"]]) }};
        const rows = [row(1, "h"), row(2, "h"), row(3, "h"), row(4, "another"), row(5, "h")];
        const known = {situation(states=[[CAMERA, "ended"], [MICROPHONE, "on"]])};
        const base = {{ ...known, rows, sent }};
        const full = {{ ...base, isFull: true, rows: [] }};
        const unread = {{ ...base, sent: {{ ...sent, refused: new Map(), isUnreadable: true }} }};
        const gone = {{ ...base, obstacle: "refused", states: new Map(), rows: [] }};
        return [base, full, unread, gone].map(m.reportOf);
    """
    assert rules.run("recording/report.js", body) == [
        {
            "devices": [MICROPHONE],
            "troubles": ["camera_ended", "upload_http_403", "upload_http_413"],
        },
        {"devices": [], "troubles": ["camera_ended", "storage_full"]},
        {"devices": [MICROPHONE], "troubles": ["camera_ended", "upload_unreadable"]},
        {"devices": [], "troubles": ["refused"]},
    ]
