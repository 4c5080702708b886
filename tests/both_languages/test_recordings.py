"""How the participant is recorded: the page says it, evaluators of both languages hear it alike."""

from __future__ import annotations

import json
from typing import Any

from imgsync.core.channel.presenter import Presenter
from imgsync.core.protocol.numbers import MAX_RECORDINGS
from tests.both_languages.replay import Given, Replay
from tests.both_languages.test_channel import give


def test_of_recordings_so_many_changes_are_heard_and_no_more(replay: Replay) -> None:
    presenter = Presenter()
    say = {"type": "recording", "devices": ["camera"], "troubles": []}
    texts = [json.dumps({**say, "at": at}) for at in range(MAX_RECORDINGS + 3)]
    inputs: list[Given] = [["received", text] for text in texts]
    expected = [give(presenter, [], *given) for given in inputs]
    assert [len(told) for told, _ in expected] == [1] * MAX_RECORDINGS + [0] * 3
    replay.compare("presenter", inputs, expected, "many recordings")


def test_how_it_is_recorded_is_said_again_on_each_channel_and_told_once(replay: Replay) -> None:
    """The client's side is of the pages alone; the evaluator's takes what it says."""
    first: list[Any] = [["camera"], [], 5]
    second: list[Any] = [[], ["camera_ended"], 7.5]
    inputs = [["recorded", *first], ["opened"], ["recorded", *second], ["opened"], ["opened"]]
    told = replay.run("follower", inputs)
    said = [one if isinstance(one, dict) else one[-1] for one in told]
    assert [one["at"] for one in said] == [5, 5, 7.5, 7.5, 7.5]
    presenter = Presenter()
    heard = [give(presenter, [], "received", json.dumps(one))[0] for one in said]
    assert heard == [[["recorded", *first]], [], [["recorded", *second]], [], []]
