"""What is sent on the channel of pictures, and what is asked for there, is decided alike."""

from __future__ import annotations

import json
import math
import random
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from imgsync.core.codec.pictures import decode_heads, decode_wants, encode_data
from imgsync.core.protocol.numbers import (
    LARGE_CHUNK,
    LARGEST_WINDOW,
    MAX_DATA_TEXT,
    MAX_IMAGE,
    READ_BLOCK,
    TOO_MANY,
)
from imgsync.core.protocol.pictures import Chunk, Refused, Unreadable, pack_chunk
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.outputs import (
    Answered,
    Came,
    Done,
    Drop,
    Failed,
    Finished,
    NotSent,
    Parked,
    Read,
    ReceiverOutput,
    SendChunk,
    SenderOutput,
    Tell,
)
from imgsync.core.transfer.receiver import Receiver
from imgsync.core.transfer.sender import Offered, Sender
from imgsync.core.transfer.window import Window, chunk_size
from tests.both_languages.replay import Given, Replay, dice_of, time_after

RUNS = 150
INPUTS = 120

HASHES = ["0" * 64, "af" * 32]
SIZES = {"empty": 0, "tiny": 1, "small": 5000, "whole": READ_BLOCK, "large": 3 * READ_BLOCK + 7}
OFFERS = {
    f"images/0/{name}.png": Offered("image/png", size, HASHES[size % 2])
    for name, size in SIZES.items()
}


def outline(data: bytes) -> list[int | None]:
    """How many bytes, and which they begin and end with."""
    return [len(data), *((data[0], data[-1]) if data else (None, None))]


def shown(text: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text)
    return {**message, "detail": ""} if message.get("reason") == "bad_message" else message


def tell(outputs: Sequence[SenderOutput | ReceiverOutput]) -> list[list[object]]:
    told: list[list[object]] = []
    for output in outputs:
        match output:
            case Tell(text):
                told.append(["tell", shown(text)])
            case SendChunk(data):
                told.append(["sendChunk", outline(data)])
            case Drop():
                told.append(["drop"])
            case Came(number, data):
                told.append(["came", number, outline(data)])
            case _:
                name = type(output).__name__
                fields = attrs.astuple(output, recurse=False)
                told.append([name[0].lower() + name[1:], *fields])
    return told


def wire(message: str | bytes) -> Given:
    return message if isinstance(message, str) else [b64encode(message).decode()]


def unwire(given: Given) -> str | bytes:
    return given if isinstance(given, str) else b64decode(given[0])


# ── what can be read ─────────────────────────────────────────────────────────────────────────────

VALUES: list[object] = [
    *(0, 1, -1, 1.0, 1.5, 2**32 - 1, 2**32, 2**53, True, None, "", "1", [], {}),
    *(
        HASHES[1],
        HASHES[1].upper(),
        "a" * 63,
        "images/0/a%20b.png",
        "\u202e",
        "\ud800",
        "\U0001f600",
    ),
    *("x" * 256, "x" * 257, "x" * 4000),
]
GOOD: dict[str, list[object]] = {
    "id": [1, 7, 2**32 - 1],
    "imageUrl": ["images/0/a%20b.png", ""],
    "offset": [0, 5, 2**40],
    "length": [0, 2**40],
    "sha256": [*HASHES],
    "contentType": ["image/png"],
    "reason": ["changed"],
    "detail": ["its file is another one by now", ""],
}
TYPES = ["want", "got", "stop", "picture", "refused", "chunk", "constructor", None]
ODD_TEXTS = ["", "{", "[]", "null", "7", '{"type":["want"]}', '{"type":"stop","id":1}x']


def choose_text(dice: random.Random) -> str:
    if dice.random() < 0.05:
        return dice.choice(ODD_TEXTS)
    message: dict[str, object] = {"type": dice.choice(TYPES)}
    for name, values in GOOD.items():
        if dice.random() < 0.93:
            message[name] = dice.choice(values if dice.random() < 0.93 else VALUES)
    if dice.random() < 0.05:
        message["more"] = "x" * dice.choice([10, MAX_DATA_TEXT])
    return json.dumps(message, ensure_ascii=dice.random() < 0.5)


def choose_binary(dice: random.Random) -> bytes:
    offset = dice.choice([0, 1, 2**32 - 1, 2**32, 2**40 + 5])
    size = dice.choice([0, 1, 5, LARGE_CHUNK, LARGE_CHUNK + 1])
    whole = pack_chunk(dice.choice([0, 1, 2**32 - 1]), offset, dice.randbytes(size))
    return whole if dice.random() < 0.9 else whole[: dice.randrange(13)]


def described(side: str, found: Any) -> dict[str, object]:
    match found:
        case Unreadable(_, id):
            return {"type": "unreadable", "id": id if side == "wants" else None}
        case Chunk(id, offset, data):
            return {"type": "chunk", "id": id, "offset": offset, "data": outline(data)}
        case _:
            message: dict[str, object] = json.loads(encode_data(found))
            # One that is empty is not written in Python.
            return {"detail": "", **message} if isinstance(found, Refused) else message


def test_what_is_said_of_pictures_is_read_alike(replay: Replay) -> None:
    inputs: list[Given] = []
    expected: list[object] = []
    for _, dice in dice_of("transfer texts", 3000):
        message = choose_binary(dice) if dice.random() < 0.1 else choose_text(dice)
        for side, read in (("wants", decode_wants), ("heads", decode_heads)):
            inputs.append([side, wire(message)])
            expected.append(described(side, read(message)))
    assert {"want", "got", "stop", "picture", "refused", "chunk", "unreadable"} == {
        one["type"] for one in expected if isinstance(one, dict)
    }
    replay.compare("transferTexts", inputs, expected, "texts")


# ── how fast ─────────────────────────────────────────────────────────────────────────────────────


def test_a_window_follows_the_delay_alike(replay: Replay) -> None:
    sizes = set()
    for run, dice in dice_of("windows", RUNS):
        window, now, acked, most = Window(), dice.uniform(0, 1e5), 0, LARGEST_WINDOW
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(2 * INPUTS):
            now += dice.choice([0, dice.random() / 1000, dice.random() / 10])
            if window.in_flight == 0 or dice.random() < 0.5:
                inputs.append(
                    ["send", dice.choice([1, chunk_size(window.size, LARGEST_WINDOW)]), now]
                )
            else:
                acked = dice.choice([acked, window.sent, dice.randint(acked, window.sent)])
                most = dice.choice([512 << 10, 512 << 10, 64 << 10, 12 << 10, 4 << 10])
                inputs.append(["acked", acked, most, now])
            method, *given = inputs[-1]
            getattr(window, method)(*given)
            sizes_of_chunks = [chunk_size(window.size, one) for one in (LARGEST_WINDOW, most)]
            expected.append([window.size, window.in_flight, sizes_of_chunks])
            sizes.add(window.size)
        replay.compare("window", inputs, expected, run)
    assert len(sizes) > 100


# ── who sends ────────────────────────────────────────────────────────────────────────────────────


def pattern(offset: int, size: int) -> bytes:
    """Bytes of a picture: each says where it stands."""
    return (bytes(range(256)) * (size // 256 + 2))[offset % 256 :][:size]


@attrs.define
class Channel:
    """One of several channels of an evaluator, and what a client on it may say next."""

    sender: Sender
    #: How eagerly its client asks.
    greed: int = 1
    last_id: int = 0
    #: What was to be read, and is not answered.
    reads: list[Read] = attrs.field(factory=list)
    #: Ends of chunks that were sent, by transfer, in order.
    sent: list[tuple[int, int]] = attrs.field(factory=list)

    def choose(self, dice: random.Random, now: float) -> list[Any]:
        """An input, mostly one that an honest client gives."""
        ways: list[Callable[[random.Random], list[Any]]] = [self._ask] * self.greed
        ways += [lambda _: ["drained"]] * 5 + [self._read] * 3 + [self._got] * 6
        if dice.random() < 0.1:
            ways = [self._stop, self._disturb, lambda _: ["closed"]]
        given = dice.choice(ways)(dice)
        return given if given == ["closed"] else [*given, now]

    def _say(self, **message: object) -> list[Any]:
        return ["receive", json.dumps(message)]

    def _ask(self, dice: random.Random) -> list[Any]:
        self.last_id += dice.choice([1] * 8 + [0, 5])
        name = dice.choice([*OFFERS, *OFFERS, "images/0/other.png"])
        size = OFFERS[name].length if name in OFFERS else 10
        offset = dice.choice([0, 0, 0, size // 2, size, size + 1, -1])
        of = dice.choice([{}, {}, {"sha256": HASHES[0]}, {"sha256": HASHES[1]}])
        return self._say(type="want", id=self.last_id, imageUrl=name, offset=offset, **of)

    def _got(self, dice: random.Random) -> list[Any]:
        if not self.sent:
            return ["drained"]
        id, offset = self.sent.pop(dice.choice([0, 0, 0, 0, -1]))
        return self._say(type="got", id=id, offset=offset + dice.choice([0] * 20 + [1, -1]))

    def _stop(self, dice: random.Random) -> list[Any]:
        return self._say(type="stop", id=max(1, self.last_id - dice.randrange(4)))

    def _disturb(self, dice: random.Random) -> list[Any]:
        if dice.random() < 0.3:
            return ["receive", wire(choose_binary(dice))]
        self.last_id += 1
        bad = {"type": "want", "id": self.last_id, "offset": 0}
        return ["receive", dice.choice([json.dumps(bad), choose_text(dice)])]

    def _read(self, dice: random.Random) -> list[Any]:
        if not self.reads:
            return ["drained"]
        read = self.reads.pop()
        if dice.random() < 0.05:
            return ["failed", read.id, "unreadable", "its file is gone"]
        size = dice.choice([read.size] * 12 + [0, 1, read.size + 1])
        return ["read", read.id, read.offset, size]

    def give(self, method: str, *given: Any) -> list[SenderOutput]:
        outputs: list[SenderOutput]
        if method == "receive":
            outputs = self.sender.receive(unwire(given[0]), given[1])
        elif method == "read":
            id, offset, size, now = given
            outputs = self.sender.read(id, pattern(offset, size), now)
        else:
            outputs = list(getattr(self.sender, method)(*given))
        for output in outputs:
            if isinstance(output, Read):
                self.reads.append(output)
            if isinstance(output, SendChunk):
                id, offset = (int.from_bytes(output.data[at:end]) for at, end in ((0, 4), (4, 12)))
                self.sent.append((id, offset + len(output.data) - 12))
        return outputs


def test_what_is_sent_is_decided_alike(replay: Replay) -> None:
    seen, reasons = set(), set()
    offers = {
        url: {"contentType": one.content_type, "length": one.length, "sha256": one.sha256}
        for url, one in OFFERS.items()
    }
    for run, dice in dice_of("senders", RUNS // 3):
        budget = Budget()
        count, greed = dice.choice([1, 2, 30]), dice.choice([1, 1, 20])
        channels = [Channel(Sender(OFFERS, budget), greed) for _ in range(count)]
        now = dice.uniform(0, 1e5)
        inputs: list[Given] = []
        expected: list[object] = []
        for _ in range(INPUTS * 2):
            now += dice.choice([0, dice.random() / 1000, dice.random() / 10])
            which = dice.randrange(dice.choice([1, len(channels)]))
            given = channels[which].choose(dice, now)
            outputs = channels[which].give(*given)
            inputs.append([which, *given])
            expected.append([tell(outputs), budget.share, budget.block])
            seen |= {type(output) for output in outputs}
            reasons |= {
                shown(output.text).get("reason") for output in outputs if isinstance(output, Tell)
            }
        replay.compare("senders", inputs, expected, run, offers=offers, count=count)
    assert seen == {Tell, SendChunk, Read, Done, NotSent, Drop}
    named = {"not_offered", "bad_offset", "bad_message", "changed", "unreadable", TOO_MANY}
    assert reasons == {None, *named}


# ── who asks ─────────────────────────────────────────────────────────────────────────────────────


@attrs.define
class Asking:
    """A client, and what an evaluator may say to it next."""

    receiver: Receiver = attrs.field(factory=Receiver)
    last_number: int = 0
    #: What was asked for on this channel, by its number there: how far it was told that it is.
    asked: dict[int, int] = attrs.field(factory=dict)
    lengths: dict[int, int] = attrs.field(factory=dict)

    def choose(self, dice: random.Random, now: float) -> list[Any]:
        if dice.random() < 0.03:
            return dice.choice([["opened", now], ["opened", now], ["closed"]])
        if dice.random() < 0.15:
            return [
                "tick",
                max(now, min(self.receiver.due, now + 60)) + dice.choice([0, 0, 0.5, 30]),
            ]
        if dice.random() < 0.15:
            self.last_number += 1
            offset = dice.choice([0, 0, 0, 1000])
            sha256 = dice.choice([None, *HASHES]) if offset else None
            url = dice.choice(["images/0/a.png"] * 9 + ["x" * MAX_DATA_TEXT])
            return ["want", self.last_number, url, offset, sha256, now]
        if dice.random() < 0.05:
            return ["stop", max(1, self.last_number - dice.randrange(3)), now]
        if not self.asked or dice.random() < 0.05:
            message = choose_binary(dice) if dice.random() < 0.3 else choose_text(dice)
            return ["receive", wire(message), now]
        return ["receive", wire(self._answer(dice)), now]

    def _answer(self, dice: random.Random) -> str | bytes:
        id = dice.choice(list(self.asked))
        have = self.asked[id]
        if id in self.lengths and dice.random() < 0.9:
            left = self.lengths[id] - have
            size = max(
                1, min(left, dice.choice([1, 5000, LARGE_CHUNK])) + dice.choice([0] * 20 + [1])
            )
            return pack_chunk(id, have + dice.choice([0] * 20 + [1]), pattern(have, size))
        if dice.random() < 0.1:
            reason = dice.choice(["changed", "bad_offset", TOO_MANY])
            return json.dumps({"type": "refused", "id": id, "reason": reason, "detail": "why"})
        offset = dice.choice([have] * 8 + [0, 0, 1, 50_000])
        length = dice.choice([have + 1, 20_000, 20_000, have, 0, MAX_IMAGE + 1])
        head = {"offset": offset, "length": length, "sha256": dice.choice(HASHES)}
        self.asked[id], self.lengths[id] = offset, length
        return json.dumps({"type": "picture", "id": id, "contentType": "image/png", **head})

    def give(self, method: str, *given: Any) -> list[ReceiverOutput]:
        if method == "receive":
            outputs = self.receiver.receive(unwire(given[0]), given[1])
        else:
            outputs = list(getattr(self.receiver, method)(*given))
        if method in ("opened", "closed"):
            self.asked.clear()
            self.lengths.clear()
        for output in outputs:
            if isinstance(output, Tell):
                said = json.loads(output.text)
                if said["type"] == "stop":
                    self.asked.pop(said["id"], None)
                else:
                    self.asked[said["id"]] = said["offset"]
        return outputs


def test_what_is_asked_for_and_taken_is_decided_alike(replay: Replay) -> None:
    seen, reasons = set(), set()
    for run, dice in dice_of("receivers", RUNS):
        asking, now = Asking(), dice.uniform(0, 1e5)
        inputs: list[Given] = [["opened", now]]
        expected: list[object] = [[tell(asking.give("opened", now)), None]]
        for _ in range(INPUTS):
            given = asking.choose(dice, time_after(dice, now, 5))
            now = max(now, given[-1]) if len(given) > 1 else now
            outputs = asking.give(*given)
            due = asking.receiver.due
            inputs.append(given)
            expected.append([tell(outputs), due if math.isfinite(due) else None])
            seen |= {type(output) for output in outputs}
            reasons |= {output.reason for output in outputs if isinstance(output, Failed)}
        replay.compare("receiver", inputs, expected, run)
    assert seen == {Tell, Parked, Answered, Came, Finished, Failed, Drop}
    assert {"timeout", "bad_range", "too_large", "bad_url", "changed", TOO_MANY} <= reasons
