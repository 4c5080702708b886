"""What is asked for on the channel of pictures, and what is taken."""

from __future__ import annotations

import json
import math

import pytest

from imgsync.core.codec.pictures import encode_data
from imgsync.core.protocol.numbers import FETCH_STALL, MAX_DATA_TEXT, MAX_IMAGE, READY_AGAIN
from imgsync.core.protocol.pictures import Head, Refused, pack_chunk
from imgsync.core.transfer.outputs import (
    Answered,
    Came,
    Drop,
    Failed,
    Finished,
    Parked,
    ReceiverOutput,
    Tell,
)
from imgsync.core.transfer.receiver import Receiver

HASH, OTHER_HASH = "a" * 64, "b" * 64


class Side:
    """A receiver, and what it has led to."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.receiver = Receiver()
        self.now = 100.0
        self.said: list[dict[str, object]] = []
        self.parked: list[int] = []
        self.answered: list[Answered] = []
        self.bytes: dict[int, bytes] = {}
        self.finished: list[int] = []
        self.failed: list[Failed] = []
        self.dropped: list[str] = []
        if is_open:
            self.open()

    def perform(self, outputs: list[ReceiverOutput]) -> None:
        for output in outputs:
            match output:
                case Tell(text):
                    self.said.append(json.loads(text))
                case Parked(number):
                    self.parked.append(number)
                case Answered():
                    self.answered.append(output)
                case Came(number, data):
                    self.bytes[number] = self.bytes.get(number, b"") + data
                case Finished(number):
                    self.finished.append(number)
                case Failed():
                    self.failed.append(output)
                case Drop(why):
                    self.dropped.append(why)

    def open(self) -> None:
        self.perform(self.receiver.opened(self.now))

    def close(self) -> None:
        self.perform(self.receiver.closed())

    def want(self, number: int, name: str = "a.png", offset: int = 0, sha: str = "") -> None:
        self.perform(self.receiver.want(number, name, offset, sha or None, self.now))

    def stop(self, number: int) -> None:
        self.perform(self.receiver.stop(number, self.now))

    def hear(self, message: str | bytes) -> None:
        self.perform(self.receiver.receive(message, self.now))

    def head(self, id: int, offset: int = 0, length: int = 10, sha: str = HASH) -> None:
        self.hear(encode_data(Head(id, offset, length, "image/png", sha)))

    def chunk(self, id: int, offset: int, data: bytes) -> None:
        self.hear(pack_chunk(id, offset, data))

    def wait(self, seconds: float) -> None:
        """Do all that is due meanwhile, when it is."""
        until = self.now + seconds
        while self.receiver.due <= until:
            self.now = self.receiver.due
            self.perform(self.receiver.tick(self.now))
        self.now = until

    def told(self, kind: str) -> list[object]:
        return [one["id"] for one in self.said if one["type"] == kind]


def test_a_picture_is_asked_for_and_each_chunk_is_acknowledged() -> None:
    side = Side()
    side.want(7)
    assert side.said == [{"type": "want", "id": 1, "imageUrl": "a.png", "offset": 0}]
    side.head(1)
    assert side.answered == [Answered(7, 0, 10, "image/png", HASH)]
    side.chunk(1, 0, b"01234")
    side.chunk(1, 5, b"56789")
    assert side.said[1:] == [{"type": "got", "id": 1, "offset": at} for at in (5, 10)]
    assert side.bytes == {7: b"0123456789"}
    assert side.finished == [7]
    assert side.receiver.due == math.inf


def test_of_a_picture_that_was_here_no_chunk_has_to_come() -> None:
    side = Side()
    side.want(1, offset=10, sha=HASH)
    side.head(1, offset=10)
    assert side.finished == [1]


def test_an_empty_picture_is_finished_at_once() -> None:
    side = Side()
    side.want(1)
    side.head(1, length=0)
    assert side.finished == [1]


# ── who waits ────────────────────────────────────────────────────────────────────────────────────


def test_what_is_wanted_before_there_is_a_channel_is_parked_and_asked_for_on_it() -> None:
    side = Side(is_open=False)
    side.want(1)
    side.want(2, "b.png")
    assert side.parked == [1, 2]
    assert side.said == []
    assert side.receiver.due == math.inf
    side.open()
    assert [one["imageUrl"] for one in side.said] == ["a.png"]


def test_the_second_picture_is_parked_behind_the_first_one_until_its_turn() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    assert side.parked == [2]
    side.head(1)
    side.chunk(1, 0, b"0123456789")
    side.head(2)
    assert [one.number for one in side.answered] == [1, 2]


def test_until_something_has_come_one_picture_alone_is_asked_for() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    assert side.told("want") == [1]
    side.head(1)
    assert side.told("want") == [1, 2]
    side.want(3, "c.png")
    assert side.told("want") == [1, 2, 3]


def test_the_first_want_is_said_again_until_something_comes_and_a_few_times_at_most() -> None:
    side = Side()
    side.want(1)
    begun = side.now
    times = []
    while side.receiver.due < begun + FETCH_STALL:
        before = len(side.said)
        side.wait(side.receiver.due - side.now)
        assert side.said[-1] == side.said[0]
        times += [side.now - begun] * (len(side.said) - before)
    assert times == list(READY_AGAIN)
    side = Side()
    side.want(1)
    side.wait(0.6)
    side.head(1)
    side.wait(5)
    assert side.told("want") == [1, 1]


def test_on_a_channel_that_was_heard_nothing_is_said_again() -> None:
    side = Side()
    side.want(1)
    side.hear(encode_data(Refused(1, "not_offered")))
    side.want(2)
    side.wait(5)
    assert side.told("want") == [1, 2]


def test_what_is_not_answered_though_it_is_its_turn_fails() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    side.wait(FETCH_STALL)
    assert [(one.number, one.reason) for one in side.failed] == [(1, "timeout")]
    assert side.told("stop") == [1]
    side.wait(FETCH_STALL)
    assert [one.number for one in side.failed] == [1, 2]
    assert side.receiver.due == math.inf


def test_who_has_slept_holds_that_time_against_nobody() -> None:
    side = Side()
    side.want(1)
    side.now += 3600
    side.perform(side.receiver.tick(side.now))
    assert side.failed == []
    side.wait(FETCH_STALL)
    assert len(side.failed) == 1


def test_while_there_is_no_channel_nothing_fails() -> None:
    side = Side()
    side.want(1)
    side.close()
    side.wait(3600)
    assert side.failed == []
    assert side.parked == [1]


# ── another channel ──────────────────────────────────────────────────────────────────────────────


def test_on_the_next_channel_it_goes_on_from_where_it_was() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    side.head(1)
    side.chunk(1, 0, b"0123")
    side.close()
    assert side.parked == [2, 1, 2]
    side.said.clear()
    side.open()
    assert side.said == [
        {"type": "want", "id": 1, "imageUrl": "a.png", "offset": 4, "sha256": HASH}
    ]
    side.head(1, offset=4)
    side.chunk(1, 4, b"456789")
    assert side.bytes[1] == b"0123456789"
    assert side.told("want") == [1, 2]


def test_a_channel_that_takes_the_place_of_one_needs_no_word_of_its_end() -> None:
    side = Side()
    side.want(1)
    side.open()
    assert side.told("want") == [1, 1]
    assert side.parked == [1]


def test_a_picture_that_is_another_one_by_now_begins_anew() -> None:
    side = Side()
    side.want(1, offset=4, sha=HASH)
    side.head(1, offset=0, sha=OTHER_HASH)
    assert side.answered == [Answered(1, 0, 10, "image/png", OTHER_HASH)]
    side.chunk(1, 0, b"x" * 10)
    assert side.finished == [1]


# ── what is of no use ────────────────────────────────────────────────────────────────────────────


def test_what_is_stopped_is_not_taken_any_more_and_the_next_one_goes_on() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    side.head(1)
    side.chunk(1, 0, b"0123")
    side.stop(1)
    side.stop(1)
    assert side.told("stop") == [1]
    side.chunk(1, 4, b"4567")
    assert side.bytes == {1: b"0123"}
    assert side.told("got") == [1]
    side.head(2)
    assert [one.number for one in side.answered] == [1, 2]


def test_what_was_not_asked_for_yet_is_stopped_without_a_word() -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    side.stop(2)
    side.head(1)
    assert side.told("stop") == []
    assert side.told("want") == [1]


@pytest.mark.parametrize(
    "message",
    [
        pack_chunk(1, 3, b"x"),
        pack_chunk(1, 5, b"x"),
        pack_chunk(1, 4, b"1234567"),
        b"",
        b"\0" * 12,
        encode_data(Head(1, 0, 10, "image/png", HASH)),
        '{"type":"picture","id":1}',
        '{"type":"image"}',
        "nonsense",
        " " * (MAX_DATA_TEXT + 1),
    ],
)
def test_what_does_not_go_on_or_makes_no_sense_is_dropped(message: str | bytes) -> None:
    side = Side()
    side.want(1)
    side.head(1)
    side.chunk(1, 0, b"0123")
    side.hear(message)
    assert len(side.dropped) == 1
    side.chunk(1, 4, b"456789")
    assert side.bytes == {1: b"0123456789"}
    assert side.finished == [1]


def test_a_chunk_before_its_answer_is_dropped() -> None:
    side = Side()
    side.want(1)
    side.chunk(1, 0, b"0123")
    assert side.bytes == {}
    assert len(side.dropped) == 1


@pytest.mark.parametrize(
    ("offset", "length", "sha"), [(3, 10, HASH), (4, 10, OTHER_HASH), (4, 3, HASH), (5, 10, HASH)]
)
def test_an_answer_with_another_part_than_was_asked_for_fails(
    offset: int, length: int, sha: str
) -> None:
    side = Side()
    side.want(1, offset=4, sha=HASH)
    side.head(1, offset, length, sha)
    [failed] = side.failed
    assert (failed.reason, failed.may_pass, failed.keeps) == ("bad_range", True, False)
    assert side.told("stop") == [1]


def test_a_picture_that_is_too_large_is_not_taken() -> None:
    side = Side()
    side.want(1)
    side.head(1, length=MAX_IMAGE + 1)
    assert [one.reason for one in side.failed] == ["too_large"]
    assert side.told("stop") == [1]


def test_a_name_that_is_too_long_is_not_asked_for() -> None:
    side = Side()
    side.want(1, "x" * MAX_DATA_TEXT)
    side.want(2)
    assert [one.reason for one in side.failed] == ["bad_url"]
    assert [one["imageUrl"] for one in side.said] == ["a.png"]


@pytest.mark.parametrize(
    ("reason", "may_pass", "keeps"),
    [
        ("not_offered", False, False),
        ("bad_offset", True, False),
        ("too_many", True, True),
        ("changed", False, False),
        ("unreadable", False, False),
        ("bad_message", False, False),
        ("of_tomorrow", False, False),
    ],
)
def test_what_is_refused_fails_with_that_reason_also_in_the_middle(
    reason: str, may_pass: bool, keeps: bool
) -> None:
    side = Side()
    side.want(1)
    side.want(2, "b.png")
    side.head(1)
    side.chunk(1, 0, b"0123")
    side.hear(encode_data(Refused(1, reason, "why")))
    assert side.failed == [Failed(1, reason, may_pass, keeps, "why")]
    assert side.told("stop") == []
    side.head(2)
    assert side.answered[-1].number == 2


def test_what_comes_late_on_a_channel_that_is_given_up_tells_nothing_of_the_next() -> None:
    receiver = Receiver()
    receiver.opened(100.0)
    receiver.want(1, "images/0a1b2c3d/a.png", 0, None, 100.0)
    receiver.closed()
    assert receiver.receive(encode_data(Head(1, 0, 5, "image/png", HASH)), 101.0) == []
    receiver.opened(102.0)
    assert receiver.due == 102.0 + READY_AGAIN[0]  # a page may lose what it says first
