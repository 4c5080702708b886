"""The client's side of the talk is one in both languages."""

from __future__ import annotations

import json
from typing import Any

from imgsync.core.channel import outputs as c
from imgsync.core.channel.follower import Follower
from imgsync.core.protocol.channel import Identity, OnsetTiming, Stage, StageKind
from imgsync.core.protocol.numbers import MAX_IDENTITIES, MAX_STAGES
from tests.both_languages.replay import Given, Replay, dice_of, time_after
from tests.kit.channels import IDENTITY, NO_SIZE, ONSETS, REASONS, SPOKEN, STAGES, hear

RUNS = 300
INPUTS = 60


def follow(follower: Follower, method: str, *given: Any) -> list[object]:
    match method, given:
        case "received", [image, at]:
            told: list[object] = []
            for output in hear(follower, json.dumps(image), at):
                if isinstance(output, c.Deliver):
                    is_new, ack = follower.taken(output)
                    told += [["new", output.image.sent_at]] * is_new
                    output = ack
                assert isinstance(output, c.Transmit)
                told.append(json.loads(output.text))
            return told
        case "reached", [image, stage, at, reason, onset]:
            about = (image["imageIndex"], image["sentAt"], StageKind(stage), at, reason)
            known = onset and {**onset, "timing": OnsetTiming(onset["timing"])}
            said = [json.loads(one.text) for one in follower.staged(Stage(*about, **(known or {})))]
            return said or ["not said"]
        case "identified", [image, facts]:
            of = (image["imageIndex"], image["sentAt"], facts["sha256"], facts["contentType"])
            identity = Identity(*of, facts["bytes"], facts["width"], facts["height"])
            said = [json.loads(one.text) for one in follower.identified(identity)]
            return said or ["not said"]
        case _:
            return [json.loads(output.text) for output in follower.opened()]


def test_the_follower_acks_and_says_alike_on_several_channels(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("follower", RUNS):
        follower = Follower()
        images = [
            {"imageIndex": n % 3, "imageUrl": "u", "signedUrl": "s", "sentAt": n // 2 - 1}
            for n in range(6)
        ]
        inputs: list[Given] = []
        expected: list[object] = []
        now = 5000.0
        for _ in range(INPUTS):
            now = time_after(dice, now, 3000)
            image = dice.choice(images)
            stage = dice.choice(STAGES)
            reason = dice.choice(REASONS) if stage in ("failed", "hidden") else None
            onset = dice.choice(ONSETS) if stage == "shown" else None
            choice: Given = dice.choice(
                [
                    *[["received", image, now]] * 4,
                    *[["reached", image, stage, now, reason, onset]] * 12,
                    *[["identified", image, dice.choice([IDENTITY, NO_SIZE])]] * 2,
                    ["opened"],
                    *[["another", dice.choice(SPOKEN)]] * (dice.random() < 0.1),
                ]
            )
            inputs.append(choice)
            if choice[0] == "another":
                follower = Follower(tuple(choice[1]))
                expected.append([])
                continue
            told = follow(follower, *choice)
            seen |= {one if isinstance(one, str) else type(one) for one in told}
            expected.append(told)
        replay.compare("follower", inputs, expected, run)
    assert seen == {"not said", list, dict}


def test_the_oldest_identities_are_given_up_alike(replay: Replay) -> None:
    follower = Follower()
    inputs: list[Given] = [
        ["identified", {"imageIndex": n, "sentAt": n}, IDENTITY] for n in range(MAX_IDENTITIES + 2)
    ]
    inputs += [["opened"], inputs[0], inputs[-1]]
    expected = [follow(follower, *given) for given in inputs]
    assert len(expected[-3]) == 1 + MAX_IDENTITIES
    assert expected[-2] != ["not said"]
    assert expected[-1] == ["not said"]
    replay.compare("follower", inputs, expected, "many identities")


def test_the_oldest_stages_are_given_up_alike(replay: Replay) -> None:
    follower = Follower()
    inputs: list[Given] = [
        ["reached", {"imageIndex": n, "sentAt": n}, "fetched", n, None, None]
        for n in range(MAX_STAGES + 2)
    ]
    inputs += [["opened"], inputs[0], inputs[-1]]
    expected = [follow(follower, *given) for given in inputs]
    assert len(expected[-3]) == 1 + MAX_STAGES
    assert expected[-2] != ["not said"]
    assert expected[-1] == ["not said"]
    replay.compare("follower", inputs, expected, "many stages")
