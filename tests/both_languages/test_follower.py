"""The client's side of the talk is one in both languages."""

from __future__ import annotations

import json
from typing import Any

from imgsync.core.channel import outputs as c
from imgsync.core.channel.follower import Follower
from imgsync.core.codec.codec import decode_channel
from imgsync.core.protocol.channel import (
    Display,
    Identity,
    OnsetTiming,
    Response,
    Stage,
    StageKind,
)
from imgsync.core.protocol.numbers import (
    MAX_IDENTITIES,
    MAX_RESPONSES,
    MAX_RESPONSES_KEPT,
    MAX_SETTLED,
    MAX_STAGES,
)
from tests.both_languages.replay import Given, Replay, dice_of, time_after
from tests.kit.channels import (
    DISPLAYS,
    DRAWN,
    IDENTITY,
    NO_SIZE,
    ONSETS,
    REASONS,
    RESPONSES,
    SPOKEN,
    STAGES,
    hear,
)

RUNS = 300
INPUTS = 60


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """What else is said of a stage, as Python has it."""
    if "drawn" not in fields:
        return fields
    stage = {"type": "stage", "imageIndex": 0, "sentAt": 0, "stage": "shown", "at": 0}
    message = decode_channel(json.dumps(stage | fields))
    assert isinstance(message, Stage)
    return {"drawn": message.drawn}


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
        case "reached", [image, stage, at, reason, onset, exposed]:
            reached = Stage(
                *(image["imageIndex"], image["sentAt"], StageKind(stage), at, reason),
                timing=onset and OnsetTiming(onset["timing"]),
                within=onset and onset["within"],
                **_told(exposed or {}),
            )
            return [json.loads(one.text) for one in follower.staged(reached)] or ["not said"]
        case "responded", [answer]:
            response = decode_channel(json.dumps(answer))
            assert isinstance(response, Response)
            return [json.loads(one.text) for one in follower.responded(response)]
        case "acknowledged", [ack]:
            return [*hear(follower, json.dumps(ack))]
        case "displayed", [said]:
            display = decode_channel(json.dumps(said))
            assert isinstance(display, Display)
            return [json.loads(follower.displayed(display).text)]
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
            exposed = dice.choice([None, {"frames": 12, "dropped": 0}]) if reason else None
            if onset:
                exposed = dice.choice([None, *({"drawn": drawn} for drawn in DRAWN)])
            of = {"imageIndex": image["imageIndex"], "sentAt": image["sentAt"]}
            number = dice.randrange(1, 5)
            answer = {"type": "response", **of, "number": number, "at": now}
            choice: Given = dice.choice(
                [
                    *[["received", image, now]] * 4,
                    *[["reached", image, stage, now, reason, onset, exposed]] * 12,
                    *[["responded", answer | dice.choice(RESPONSES)]] * 4,
                    *[["acknowledged", {"type": "response_ack", **of, "number": number}]] * 3,
                    ["displayed", {"type": "display", **dice.choice(DISPLAYS)}],
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
        ["reached", {"imageIndex": n, "sentAt": n}, "fetched", n, None, None, None]
        for n in range(MAX_STAGES + 2)
    ]
    inputs += [["opened"], inputs[0], inputs[-1]]
    expected = [follow(follower, *given) for given in inputs]
    assert len(expected[-3]) == 1 + MAX_STAGES
    assert expected[-2] != ["not said"]
    assert expected[-1] == ["not said"]
    replay.compare("follower", inputs, expected, "many stages")


def answer_to(showing: int, number: int) -> dict[str, Any]:
    of = {"imageIndex": 0, "sentAt": showing, "number": number, "at": number}
    return {"type": "response", **of, **RESPONSES[0]}


def test_so_many_answers_to_one_showing_are_told_alike(replay: Replay) -> None:
    follower = Follower()
    inputs: list[Given] = [["responded", answer_to(5, n)] for n in range(1, MAX_RESPONSES + 4)]
    inputs += [["opened"], ["responded", answer_to(6, 900)], ["responded", answer_to(5, 901)]]
    expected = [follow(follower, *given) for given in inputs]
    assert [len(told) for told in expected[:-3]] == [1] * (MAX_RESPONSES + 1) + [0, 0]
    assert len(expected[-3]) == 2 + MAX_RESPONSES
    assert [len(told) for told in expected[-2:]] == [1, 0]
    replay.compare("follower", inputs, expected, "many answers")


def test_of_how_many_answers_the_last_showings_had_so_much_is_remembered(replay: Replay) -> None:
    follower = Follower()
    many: list[Given] = [["responded", answer_to(0, n)] for n in range(1, MAX_RESPONSES + 3)]
    others: list[Given] = [["responded", answer_to(n, 500 + n)] for n in range(1, MAX_SETTLED + 1)]
    again: Given = ["responded", answer_to(0, 1000)]
    inputs = [*many, *others[:-1], again, *others, again]
    expected = [follow(follower, *given) for given in inputs]
    assert [len(told) for told, given in zip(expected, inputs, strict=True) if given is again] == [
        *(0, 1)
    ]
    replay.compare("follower", inputs, expected, "counts")


def test_the_oldest_answers_are_given_up_alike(replay: Replay) -> None:
    follower = Follower()
    inputs: list[Given] = [["responded", answer_to(n, n)] for n in range(1, MAX_RESPONSES_KEPT + 3)]
    inputs += [["opened"], ["acknowledged", {**answer_to(3, 3), "type": "response_ack"}]]
    inputs += [["opened"]]
    expected = [follow(follower, *given) for given in inputs]
    told = [one for one in expected if len(one) > 1]
    assert [len(one) for one in told] == [1 + MAX_RESPONSES_KEPT, MAX_RESPONSES_KEPT]
    replay.compare("follower", inputs, expected, "forgotten answers")
