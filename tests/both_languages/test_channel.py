"""The talk on the channel is one in both languages: line, presenter, follower, preloads."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest

from imgsync.core.channel import outputs as c
from imgsync.core.channel.early import Early
from imgsync.core.channel.heartbeat import Heartbeat, HeartbeatOutput, Judged, SendPing
from imgsync.core.channel.line import Heard, Line, LineOutput, Ponged, SendPong, Unanswered
from imgsync.core.channel.presenter import Presenter
from imgsync.core.channel.sharing import ImageSource
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Image,
    Ready,
)
from imgsync.core.protocol.errors import InputError, MessageTooLarge
from imgsync.core.protocol.numbers import (
    MAX_EARLY,
    MAX_SETTLED,
    MAX_STAGES,
    MAX_UNACKED,
    MAX_UNSENT,
    TICK,
)
from tests.both_languages.replay import Given, Replay, dice_of, time_after
from tests.kit.channels import (
    DISPLAYS,
    DRAWN,
    IDENTITY,
    ONSETS,
    REASONS,
    RESPONSES,
    SPOKEN,
    STAGES,
    TRIALS,
    hear,
    trial_of,
)

RUNS = 300
INPUTS = 60


# ── the heartbeat ────────────────────────────────────────────────────────────────────────────────


def tell_beat(outputs: Sequence[HeartbeatOutput]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case SendPing(id):
                told.append(["sendPing", id])
            case Judged(health):
                told.append(["judged", health.name.lower()])
    return told


def test_the_heartbeat_beats_and_judges_alike_on_several_channels(replay: Replay) -> None:
    seen = set()
    for run, dice in dice_of("heartbeat", RUNS):
        heart = Heartbeat()
        # On whole seconds, limits are met exactly.
        is_whole = run % 2 == 0
        now = float(dice.randrange(1000)) if is_whole else dice.uniform(0, 1e5)
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            now = now + dice.randrange(3) if is_whole else time_after(dice, now, 10)
            if dice.random() < 0.6 and heart.due < float("inf"):
                late = dice.choice([0, 0, 0, 1, 2] if is_whole else [0, 0, 0, dice.random(), 2])
                now = max(now, heart.due + late)
            method = dice.choice(
                [*["begin", "tick", "tick", "greeted", "answer"] * 4, "another", "rest"]
            )
            outputs: list[HeartbeatOutput] = []
            if method == "another":
                heart = Heartbeat()
                inputs.append([method])
            else:
                id = dice.choice([dice.randrange(12), str(dice.randrange(12))])
                given = {"answer": [id, now], "rest": []}.get(method, [now])
                outputs = getattr(heart, method)(*given)
                inputs.append([method, *given])
            due = None if heart.due == float("inf") else heart.due
            sent = [heart.has_sent(id) for id in (0, 1, 3, 9, "1")]
            # The last thing given, where there is one, is the time.
            is_one_way = len(inputs[-1]) > 1 and heart.is_one_way(now)
            verdict = [heart.health.name.lower(), is_one_way]
            expected.append([tell_beat(outputs), *verdict, due, sent])
            seen |= {heart.health.name, is_one_way}
        replay.compare("heartbeat", inputs, expected, run)
    assert seen == {"QUIET", "ALIVE", "SUSPECT", "LOST", True, False}


# ── the line ─────────────────────────────────────────────────────────────────────────────────────


def tell_line(outputs: Sequence[LineOutput]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case SendPing() | Judged():
                told += tell_beat([output])
            case SendPong(ping, t1):
                told.append(["sendPong", json.loads(encode_channel(ping)), t1])
            case Ponged(pong, t3):
                told.append(["ponged", json.loads(encode_channel(pong)), t3])
            case Heard(message, at):
                # Python leaves out what is empty.
                said = json.loads(encode_channel(message))
                if isinstance(message, Ready):
                    said.setdefault("features", [])
                told.append(["heard", said, at])
            case Unanswered():
                told.append(["unanswered"])
            case c.Drop():
                told.append(["drop"])
    return told


def choose_message(dice: random.Random, at: float) -> str:
    """What comes in on a channel: most often what is for the heartbeat."""
    id = dice.choice([dice.randrange(12), dice.randrange(12), str(dice.randrange(12))])
    sources = [{"imageUrl": f"http://h/{n}", "signedUrl": "s"} for n in range(dice.randrange(3))]
    of = {"imageIndex": dice.randrange(5), "sentAt": at - 5}
    return dice.choice(
        [
            *[json.dumps({"type": "pong", "id": id, "t0": at - 2, "t1": at - 1, "t2": at})] * 4,
            *[json.dumps({"type": "ping", "id": id, "t0": at - 1})] * 2,
            json.dumps({"type": "ready", "features": dice.choice([["ping", "stage"], ["stage"]])}),
            json.dumps({"type": "ready"}),
            json.dumps({"type": "ack", "receivedAt": at, **of}),
            json.dumps({"type": "stage", "stage": "failed", "at": at, "reason": "decode", **of}),
            json.dumps({"type": "preload", "images": sources}),
            json.dumps({"imageUrl": "http://h/ä", "signedUrl": "s", **of}),
            dice.choice(["", "[]", '{"type":"pong"}', '{"type":"nonsense"}', '{"type":7}']),
        ]
    )


def test_a_line_reads_answers_and_judges_alike_on_several_channels(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("line", RUNS):
        line, now = Line(), dice.uniform(0, 1e5)
        # Some clients are pinged seldom, so that they say all that they say.
        is_silent = run % 3 == 0
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS):
            now = time_after(dice, now, 10)
            method = dice.choice([*["receive", "receive", "tick"] * 8, "another", "opened"])
            if method == "tick" and line.due < float("inf"):
                now = max(now, line.due + dice.choice([0, 0, -0.001, dice.random(), 2]))
            outputs: list[LineOutput] = []
            match method:
                case "receive":
                    at = 1.7e12 + now * 1000
                    text = choose_message(dice, at)
                    if is_silent and '"ping", "id"' in text:
                        text = json.dumps({"type": "ready"})
                    inputs.append([method, text, at, now])
                    outputs = line.receive(*inputs[-1][1:])
                case "opened":
                    features = dice.choice([[], ["stage"], ["ping", "stage"]])
                    inputs.append([method, features, now])
                    outputs = [*line.opened(tuple(features), now)]
                case "tick":
                    inputs.append([method, now])
                    outputs = [*line.tick(now)]
                case _:
                    greets = dice.random() < 0.5
                    inputs.append([method, greets])
                    line = Line(greets=greets)
            due = line.due if line.due < float("inf") else None
            expected.append([tell_line(outputs), due, line.is_one_way])
            seen |= {type(output) for output in outputs}
        replay.compare("line", inputs, expected, run)
    assert seen == {SendPing, Judged, SendPong, Ponged, Heard, Unanswered, c.Drop}


def test_what_comes_before_the_opening_is_kept_alike(replay: Replay) -> None:
    for run, dice in dice_of("early", 20):
        early = Early()
        inputs: list[Given] = []
        expected: list[object] = []
        for number in range(dice.choice([20, MAX_EARLY + 20])):
            text = dice.choice(["a", "é", "😀"]) * dice.choice([0, 1, 9, 9] * 8 + [20_000])
            came = dice.choice([text] * 99 + ["opened"])
            inputs.append([came] if came == "opened" else [came, number])
            out = early.opened() if came == "opened" else early.come(came, number)
            expected.append([[len(one), at] for one, at in out])
        inputs.append(["opened"])
        expected.append([[len(one), at] for one, at in early.opened()])
        replay.compare("early", inputs, expected, run)


# ── the presenter ────────────────────────────────────────────────────────────────────────────────


def choose_saying(dice: random.Random, shown: list[Image], now: float) -> dict[str, Any]:
    """What a client says: most often of an image that was shown, and now and then a second time."""
    index, sent_at = dice.randrange(5), now
    if shown and dice.random() < 0.9:
        image = dice.choice(shown[-6:])
        index, sent_at = image.image_index, image.sent_at
    if dice.random() < 0.1:
        index += 1
    of = {"imageIndex": index, "sentAt": sent_at}
    # A few times only, so that some are told again with the same one.
    at = sent_at + dice.choice([1, 2, 3.5, dice.random()])
    onset = dice.choice(ONSETS) or {}
    staged = {"type": "stage", "stage": dice.choice(STAGES), "at": at, **of, **onset}
    reason = dice.choice(REASONS)
    if dice.random() < 0.3:
        staged["detail"] = dice.choice(["its time was over", "", None])
    if dice.random() < 0.3:
        staged["drawn"] = dice.choice(DRAWN)
    if dice.random() < 0.3:
        staged |= {"frames": dice.choice([12, None]), "dropped": dice.choice([0, 1, None])}
    answer = {"type": "response", "number": dice.randrange(1, 4), "at": at, **of}
    return dice.choice(
        [
            {"type": "ack", "receivedAt": at, **of},
            {"type": "ack", "receivedAt": at, "sentAt": sent_at},
            *[staged | ({} if reason is None else {"reason": reason})] * 4,
            {"type": "ready", "features": dice.choice(SPOKEN)},
            *[answer | dice.choice(RESPONSES)] * 2,
            {"type": "display", **dice.choice(DISPLAYS)},
            {"type": "identity", **IDENTITY, **of},
            {"type": "ready"},
            {"type": "preloaded", "announced": 5, "there": dice.randrange(3), "failed": 1}
            | ({"full": dice.choice([True, None])} if dice.random() < 0.5 else {}),
            {"type": "recording", "at": dice.choice([1, 2.5]), **choose_recording(dice)},
        ]
    )


def choose_recording(dice: random.Random) -> dict[str, list[str]]:
    troubles = dice.choice([[], ["camera_ended"], ["upload_http_403", "a new one"]])
    return {"devices": dice.choice([[], ["microphone"]]), "troubles": troubles}


def choose_input(dice: random.Random, shown: list[Image], now: float) -> list[Any]:
    index = dice.randrange(5)
    long = "x" * 70_000 if dice.random() < 0.03 else ""
    source: dict[str, Any] = {
        "imageUrl": f"http://h/{index}{long}",
        "signedUrl": f"http://h/{index}?ä",
    }
    if dice.random() < 0.5:
        source["extra"] = {"condition": "A"}  # which no client is told
    sources: list[dict[str, Any]] = [
        {"imageUrl": f"http://h/{i}", "signedUrl": "http://h/s"} for i in range(index)
    ]
    for one in [source, *sources]:
        if dice.random() < 0.5:
            one["own"] = {"blob": "its bytes"}
            one["signedUrl"] = dice.choice([one["signedUrl"], None])
        if trial := dice.choice(TRIALS):
            one["trial"] = trial
            if "text" in trial:
                one["signedUrl"] = None
    return dice.choice(
        [
            *[["show", index, source, now]] * 4,
            *[["received", json.dumps(choose_saying(dice, shown, now)), choose_waiting(dice)]] * 8,
            ["received", dice.choice(["", "[]", '{"type":"stage"}', '{"type":"nonsense"}'])],
            ["preload", [*sources, *[source] * bool(long)], choose_waiting(dice)],
            ["preload", [one | {"signedUrl": "x" * 15_000} for one in sources], 0],
            ["preload", [*sources, source, source | {"signedUrl": dice.choice(RESIGNED)}], 0],
            ["opened", dice.choice([[], ["stage"], ["preload", "ping"], *SPOKEN])],
            ["opened", ["preload"], dice.choice([64, 150, 20_000, 70_000])],
            ["drained", choose_waiting(dice)],
            ["closed"],
            ["renew", [source | {"signedUrl": f"http://h/{index}?ä&expires={now}"}]],
            ["renew", [*sources, source | {"signedUrl": dice.choice(RESIGNED)}, source]],
            ["renew", [source | {"signedUrl": f"http://h/{index}?ä&sig={'x' * 70_000}"}]],
        ]
    )


RESIGNED = ["http://h/0?ä&expires=9", "http://h/1?ä#b", "http://h/2", "http://h/3?ä=1", "http://h"]


def choose_waiting(dice: random.Random) -> int:
    return dice.choice([0, 0, 0, MAX_UNSENT - 100, MAX_UNSENT, MAX_UNSENT + 1, 10**6])


def source_of(source: dict[str, Any]) -> ImageSource:
    trial = trial_of(source.get("trial"))
    return ImageSource(source["imageUrl"], source["signedUrl"], "own" in source, trial)


def give(presenter: Presenter, shown: list[Image], method: str, *given: Any) -> list[Any]:
    """What comes out, and whether the client has an image on its screen then."""
    outputs: list[Any]
    try:
        match method, given:
            case "show", [index, source, now]:
                image, outputs = presenter.show(index, source_of(source), now)
                shown.append(image)
            case "received", [text, *waiting]:
                outputs = hear(presenter, text, 0, *waiting)
            case "preload", [images, *waiting]:
                outputs = presenter.preload([source_of(one) for one in images], *waiting)
            case "renew", [images]:
                presenter.renew([source_of(one) for one in images])
                outputs = []
            case "opened", [features, *limit]:
                outputs = [*presenter.opened(tuple(features), *limit)]
            case _:
                outputs = getattr(presenter, method)(*given)
    except (MessageTooLarge, InputError):
        return ["refused", presenter.is_seen]
    return [tell(outputs), presenter.is_seen]


def tell(outputs: Sequence[Any]) -> list[list[object]]:
    """Without what is for the log, for whoever keeps the heartbeat, or for Python's own waits."""
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case c.Transmit(text):
                told.append(["transmit", json.loads(text)])
            case c.Acked(image, ack, copies):
                told.append(["acked", image.sent_at, ack.received_at, copies])
            case c.TooLarge(image):
                told.append(["tooLarge", image.sent_at])
            case c.Unsendable(image, feature):
                told.append(["unsendable", image.sent_at, feature])
            case c.Share():
                told.append(["share"])
            case c.Responded(image, said):
                told.append(["responded", image.sent_at, json.loads(encode_channel(said))])
            case c.Displayed(said):
                display = {"languages": [], "checkFound": [], **json.loads(encode_channel(said))}
                told.append(["displayed", display])
            case c.Identified(image, said):
                told.append(["identified", image.sent_at, json.loads(encode_channel(said))])
            case c.Superseded(image):
                told.append(["superseded", image.sent_at])
            case c.NeverShown(image):
                told.append(["neverShown", image.sent_at])
            case c.Staged(said):
                timing = said.timing and said.timing.value
                staged = [said.sent_at, said.stage.value, said.at, said.reason]
                rest = [said.detail, said.frames, said.dropped]
                drawn = json.loads(encode_channel(said)).get("drawn")
                told.append(["staged", *staged, timing, said.within, *rest, drawn])
            case c.Counted(counts):
                told.append(["counted", json.loads(encode_channel(counts))])
            case c.Recorded(said):
                told.append(["recorded", [*said.devices], [*said.troubles], said.at])
    return told


def test_the_presenter_shows_and_hears_alike_through_several_channels(replay: Replay) -> None:
    seen: set[object] = set()
    for run, dice in dice_of("presenter", RUNS):
        presenter = Presenter()
        shown: list[Image] = []
        inputs: list[Given] = []
        expected: list[object] = []
        now = dice.choice([1000.0, 1.7e12 + dice.random()])
        for _ in range(INPUTS):
            now = time_after(dice, now, 3000)
            inputs.append(choose_input(dice, shown, now))
            told = give(presenter, shown, *inputs[-1])
            outputs, is_seen = told
            seen |= {is_seen, *([outputs] if outputs == "refused" else [one[0] for one in outputs])}
            expected.append(told)
        replay.compare("presenter", inputs, expected, run)
    kinds = {"transmit", "acked", "superseded", "tooLarge", "neverShown", "staged", "refused"}
    own = {"share", "unsendable", "identified"}
    others = {"recorded", "counted", "responded", "displayed"}
    assert seen == kinds | own | others | {True, False}


def test_of_one_showing_so_many_stages_are_heard_and_no_more(replay: Replay) -> None:
    presenter = Presenter()
    shown: list[Image] = []
    source = {"imageUrl": "http://h/1", "signedUrl": "http://h/1"}
    say = {"type": "stage", "stage": "hidden", "imageIndex": 0, "sentAt": 1000}
    stages = [json.dumps({**say, "at": at}) for at in range(MAX_STAGES + 3)]
    inputs: list[Given] = [["opened"], ["show", 0, source, 1000]]
    inputs += [["received", text] for text in stages]
    expected = [give(presenter, shown, *given) for given in inputs]
    assert sum(len(outputs) for outputs, _ in expected[2:]) == MAX_STAGES
    replay.compare("presenter", inputs, expected, "many stages")


def test_what_a_page_before_has_heard_counts_once_in_the_next_one(replay: Replay) -> None:
    """An evaluator that is a page is loaded again; its record says what it has shown and heard."""
    heard = [{"number": 1, "at": 7.5}, {"number": 2, "at": 8}]
    shown = {"imageIndex": 1, "imageUrl": "http://h/1", "isOver": True}
    earlier = [
        {**shown, "sentAt": 5, "responses": heard},
        {**shown, "sentAt": 6, "responses": heard},
    ]
    current = {"imageIndex": 1, "imageUrl": "http://h/1", "signedUrl": "http://h/1?s", "sentAt": 6}
    current["respond"] = {"keys": ["f"]}
    say = {"type": "response", "imageIndex": 1, **RESPONSES[0]}
    asked = [(sent_at, number) for sent_at in (5, 6) for number in (1, 2, 3, 3)]
    inputs: list[Given] = [["opened", []]]
    for sent_at, number in asked:
        at = {1: 7.5, 2: 8, 3: 9}[number]
        text = json.dumps({**say, "sentAt": sent_at, "number": number, "at": at})
        inputs.append(["received", text])
    (opened, _), *told = replay.run(
        "presenter", inputs, lastSentAt=6, current=current, earlier=earlier
    )
    assert opened == [["transmit", current]]
    kinds = [[one[0] for one in outputs] for outputs, _ in told]
    assert kinds == [["transmit"], ["transmit"], ["transmit", "responded"], ["transmit"]] * 2


def test_a_text_that_a_page_before_has_shown_still_goes_to_whom_it_is_no_riddle(
    replay: Replay,
) -> None:
    current = {"imageIndex": 1, "imageUrl": "texts/0a/1", "signedUrl": None, "sentAt": 6}
    current["text"] = "Look."
    inputs: list[Given] = [["opened", ["pictures"]], ["closed"], ["opened", ["text"]]]
    ready = json.dumps({"type": "ready", "features": ["pictures"]})
    inputs += [["closed"], ["opened", []], ["received", ready]]
    told = replay.run("presenter", inputs, lastSentAt=6, current=current)
    assert [outputs for outputs, _ in told] == [
        *([], [], [["transmit", current]]),
        *([], [], [["unsendable", 6, "text"]]),
    ]


@pytest.mark.parametrize("count", [MAX_UNACKED + 2, MAX_UNACKED + MAX_SETTLED + 3])
def test_what_nobody_acks_is_forgotten_alike(replay: Replay, count: int) -> None:
    presenter, shown = Presenter(), list[Image]()
    inputs: list[Given] = [["opened"]]
    for n in range(count):
        source = {"imageUrl": f"http://h/{n}", "signedUrl": "s"}
        inputs.append(["show", n, source, 1000.0 + n])
    for n in range(count):
        for said in (
            {"type": "stage", "stage": "fetched", "at": 5000 + n},
            {"type": "ack", "receivedAt": 5000 + n},
            {"type": "stage", "stage": "failed", "at": 6000 + n},
        ):
            text = json.dumps({**said, "imageIndex": n, "sentAt": 1000.0 + n})
            inputs.append(["received", text])
    expected = [give(presenter, shown, *given) for given in inputs]
    assert ["superseded", 1000.0] in [output for outputs, _ in expected for output in outputs]
    replay.compare("presenter", inputs, expected, count)


@pytest.mark.parametrize("first", [1000.0, 1.7e12, 1.7e12 + 0.125, 8e15])
def test_no_two_showings_have_the_same_time(replay: Replay, first: float) -> None:
    source = {"imageUrl": "http://h/1", "signedUrl": "http://h/1"}
    times = [first, first, first - 1, first + TICK / 2, first + 1000]
    inputs: list[Given] = [["opened"], *[["show", 0, source, now] for now in times]]
    presenter, shown = Presenter(), list[Image]()
    replay.compare("presenter", inputs, [give(presenter, shown, *one) for one in inputs], first)
    told = [image.sent_at for image in shown]
    assert told == sorted(set(told))
    assert (told[0], told[-1]) == (first, first + 1000)
