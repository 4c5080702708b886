"""When a study that runs by itself goes on, by the rules of both languages."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

from imgsync.core.protocol.channel import StageKind
from imgsync.core.protocol.numbers import FEATURES
from imgsync.core.study.running import Entry, ends_by_itself, needs_of
from tests.both_languages.replay import Replay
from tests.kit.channels import TRIALS, trial_of

ENTRIES: list[Any] = [
    *TRIALS,
    {"showFor": 500, "respond": {"keys": ["f"]}},
    {"frames": 3, "respond": {"taps": True, "ends": True}},
    {"showFor": 500, "text": "Ready?"},
    {"text": "Ready?", "respond": {"keys": ["y"]}},
]
SPOKEN = [
    [*FEATURES, *(one for one, is_spoken in zip(words, spoken, strict=True) if is_spoken)]
    for words in [("exposure", "response", "text")]
    for spoken in itertools.product((True, False), repeat=3)
] + [["exposure", "response"], ["ping"], []]
INPUTS: list[Any] = [
    ["begun"],
    ["staged", "fetched", None, 90],
    ["staged", "shown", None, 100],
    ["staged", "hidden", "exposure_over", 600],
    ["staged", "hidden", "answered", 600],
    ["staged", "hidden", "hidden_tab", 300],
    ["staged", "hidden", "resized", 300],
    ["staged", "failed", "hidden_tab", 100],
    ["staged", "failed", "superseded", 100],
    ["staged", "failed", "http_404", 100],
    ["responded"],
    ["refused"],
    ["tick", 200],
    ["tick", 100 + 500],
]


def feed(entry: Entry, given: Any) -> bool:
    match given:
        case ["begun"]:
            return entry.is_over
        case ["staged", stage, reason, now]:
            return entry.staged(StageKind(stage), reason, now)
        case ["responded"]:
            return entry.responded()
        case ["refused"]:
            return entry.refused()
        case ["tick", now]:
            return entry.tick(now)
        case _:
            raise AssertionError(given)


def test_both_languages_go_on_at_the_same_moments(replay: Replay) -> None:
    dice = random.Random(17)
    for trial, spoken in itertools.product(ENTRIES, SPOKEN):
        asked = trial_of(trial or {})
        assert asked is not None
        entry = Entry(asked, tuple(spoken), 10)
        inputs = [INPUTS[0], *dice.choices(INPUTS, k=8)]
        expected = [
            [feed(entry, one), None if entry.due == math.inf else entry.due] for one in inputs
        ]
        label = (trial, spoken)
        start = {"trial": trial or {}, "spoken": spoken, "now": 10}
        replay.compare("running", inputs, expected, label, **start)


def test_both_languages_know_what_never_ends_and_what_has_to_be_spoken(replay: Replay) -> None:
    trials = [trial_of(one) for one in ENTRIES]
    assert replay.run("endsByItself", ENTRIES) == [ends_by_itself(one) for one in trials]
    groups = [[], *([one] for one in ENTRIES), ENTRIES]
    needs = [needs_of(map(trial_of, group)) for group in groups]
    assert replay.run("needs", groups) == needs
    assert needs[0] == []
    assert needs[-1] == ["exposure", "response", "text", "size"]
