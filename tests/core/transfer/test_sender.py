"""What of the pictures goes out, when, and what is refused."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from imgsync.core.protocol.numbers import (
    LARGE_CHUNK,
    LARGEST_WINDOW,
    MAX_DATA_TEXT,
    MAX_UNSENT,
    MAX_WANTS,
    READ_BLOCK,
    SHARED_WINDOW,
    SMALL_CHUNK,
    SMALLEST_BLOCK,
    SMALLEST_WINDOW,
)
from imgsync.core.protocol.pictures import Chunk, pack_chunk, unpack_chunk
from imgsync.core.transfer.budget import Budget
from imgsync.core.transfer.outputs import (
    Done,
    Drop,
    NotSent,
    Read,
    SendChunk,
    SenderOutput,
    Tell,
)
from imgsync.core.transfer.sender import Offered, Sender

PICTURES = {
    "images/0a1b2c3d/small.png": b"s" * 1000,
    "images/0a1b2c3d/large.png": bytes(range(256)) * 4000,
    "images/0a1b2c3d/empty.png": b"",
}
SMALL, LARGE, EMPTY = PICTURES


def offered(data: bytes) -> Offered:
    return Offered("image/png", len(data), sha256(data).hexdigest())


class Side:
    """A sender whose link passes everything on when `drain` is called."""

    def __init__(self, budget: Budget | None = None) -> None:
        offers = {name: offered(data) for name, data in PICTURES.items()}
        self.sender = Sender(offers, budget or Budget())
        self.now = 100.0
        self.said: list[dict[str, object]] = []
        self.chunks: list[Chunk] = []
        self.reads: list[Read] = []
        self.over: list[int] = []
        self.not_sent: list[NotSent] = []
        self.dropped: list[str] = []
        #: Of the chunks.
        self.answered = 0
        #: Whether what is to be read is.
        self.disk_answers = True

    def perform(self, outputs: list[SenderOutput]) -> None:
        for output in outputs:
            match output:
                case Tell(text):
                    self.said.append(json.loads(text))
                case SendChunk(data):
                    chunk = unpack_chunk(data)
                    assert isinstance(chunk, Chunk)
                    self.chunks.append(chunk)
                case Read():
                    self.reads.append(output)
                    if self.disk_answers:
                        self.answer_read()
                case Done(id):
                    self.over.append(id)
                case NotSent():
                    self.not_sent.append(output)
                case Drop(why):
                    self.dropped.append(why)

    def answer_read(self) -> None:
        read = self.reads[-1]
        data = PICTURES[read.image_url][read.offset : read.offset + read.size]
        self.perform(self.sender.read(read.id, data, self.now))

    def hear(self, kind: str, **fields: object) -> None:
        self.perform(self.sender.receive(json.dumps({"type": kind, **fields}), self.now))

    def want(self, id: int, name: str = LARGE, offset: object = 0, **more: object) -> None:
        self.hear("want", id=id, imageUrl=name, offset=offset, **more)

    def drain(self) -> None:
        self.perform(self.sender.drained(self.now))

    def drain_all(self) -> None:
        """Let everything out for which there is room."""
        count = -1
        while count != (count := len(self.chunks) + len(self.said)):
            self.drain()

    def acknowledge(self) -> None:
        """What is on its way comes a moment later, all at once, and more goes out."""
        self.now += 0.01
        on_their_way, self.answered = self.chunks[self.answered :], len(self.chunks)
        for chunk in on_their_way:
            self.hear("got", id=chunk.id, offset=chunk.offset + len(chunk.data))
        self.drain_all()

    def acknowledge_all(self) -> None:
        """The same, until nothing is left."""
        while self.answered < len(self.chunks):
            self.acknowledge()

    @property
    def in_flight(self) -> int:
        return sum(len(chunk.data) for chunk in self.chunks[self.answered :])

    @property
    def refusals(self) -> list[tuple[object, object]]:
        return [(one["id"], one["reason"]) for one in self.said if one["type"] == "refused"]

    def body(self, id: int) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks if chunk.id == id)


def test_a_picture_is_announced_and_comes_byte_for_byte() -> None:
    side = Side()
    side.want(1, LARGE)
    data = PICTURES[LARGE]
    assert side.said == [
        {
            "type": "picture",
            "id": 1,
            "offset": 0,
            "length": len(data),
            "contentType": "image/png",
            "sha256": sha256(data).hexdigest(),
        }
    ]
    side.drain_all()
    side.acknowledge_all()
    assert side.body(1) == data
    assert side.over == [1]
    assert [chunk.offset for chunk in side.chunks[:2]] == [0, SMALL_CHUNK]


def test_a_picture_goes_on_from_the_byte_that_is_asked_for() -> None:
    side = Side()
    data = PICTURES[LARGE]
    side.want(1, LARGE, 5000, sha256=sha256(data).hexdigest())
    side.drain_all()
    side.acknowledge_all()
    assert side.said[0]["offset"] == 5000
    assert side.body(1) == data[5000:]
    assert side.reads[0] == Read(1, LARGE, 5000, READ_BLOCK)


@pytest.mark.parametrize("offset", [5000, 10**9])
def test_what_is_there_of_another_picture_is_of_no_use(offset: int) -> None:
    side = Side()
    side.want(1, LARGE, offset, sha256="0" * 64)
    side.drain()
    assert side.said[0]["offset"] == side.chunks[0].offset == 0


def test_of_what_is_there_to_the_end_nothing_more_comes() -> None:
    side = Side()
    side.want(1, LARGE, len(PICTURES[LARGE]))
    side.want(2, EMPTY)
    side.want(3, SMALL)
    side.drain_all()
    assert [one["id"] for one in side.said] == [1, 2, 3]
    assert [chunk.id for chunk in side.chunks] == [3]
    assert side.over == [1, 2, 3]


def test_pictures_are_sent_one_after_the_other_in_the_order_of_the_wants() -> None:
    side = Side()
    for id, name in enumerate((LARGE, SMALL, LARGE), 1):
        side.want(id, name)
    assert [one["id"] for one in side.said] == [1]
    side.drain_all()
    side.acknowledge_all()
    ids = [chunk.id for chunk in side.chunks]
    assert ids == sorted(ids)
    assert [side.body(id) for id in (1, 2, 3)] == [PICTURES[n] for n in (LARGE, SMALL, LARGE)]


# ── the pace ─────────────────────────────────────────────────────────────────────────────────────


def test_the_next_chunk_waits_until_nothing_waits_in_the_link() -> None:
    side = Side()
    side.want(1)
    assert side.chunks == []
    side.drain()
    assert len(side.chunks) == 1
    side.want(2)
    side.hear("got", id=1, offset=SMALL_CHUNK)
    assert len(side.chunks) == 1
    side.drain()
    assert len(side.chunks) == 2


def test_no_more_is_on_its_way_than_the_window_has_room_for() -> None:
    side = Side()
    side.want(1)
    side.drain_all()
    assert len(side.body(1)) == SMALL_CHUNK
    for _ in range(4):
        side.acknowledge()
    assert len(side.body(1)) > 3 * SMALLEST_WINDOW
    assert len(side.chunks[-1].data) == LARGE_CHUNK


def test_where_nothing_is_delayed_the_window_grows_to_its_largest() -> None:
    side = Side()
    side.want(1)
    side.drain_all()
    side.acknowledge_all()
    assert max(len(chunk.data) for chunk in side.chunks) == LARGE_CHUNK
    in_flight = len(side.chunks)
    side.want(2)
    side.drain_all()
    assert sum(len(chunk.data) for chunk in side.chunks[in_flight:]) == LARGEST_WINDOW


def test_of_twenty_who_send_at_a_time_each_has_one_chunk_on_its_way() -> None:
    budget = Budget()
    sides = [Side(budget) for _ in range(20)]
    for side in sides:
        side.want(1)
    for side in sides:
        side.drain_all()
        side.acknowledge()
        side.acknowledge()
    assert all(side.in_flight == LARGE_CHUNK for side in sides)
    assert budget.share == SHARED_WINDOW // 20
    for side in sides[1:]:
        side.hear("stop", id=1)
    assert budget.share == LARGEST_WINDOW
    sides[0].sender.closed()
    assert budget.share == LARGEST_WINDOW


def test_however_many_share_one_small_chunk_is_always_allowed() -> None:
    budget = Budget()
    for _ in range(1000):
        budget.join()
    side = Side(budget)
    side.want(1)
    side.drain_all()
    assert [len(chunk.data) for chunk in side.chunks] == [SMALL_CHUNK]
    side.acknowledge_all()
    assert side.body(1) == PICTURES[LARGE]


def test_what_was_stopped_is_in_the_way_of_nothing_and_counts_until_something_behind_it_comes() -> (
    None
):
    side = Side()
    side.want(1)
    side.drain_all()
    side.hear("stop", id=1)
    side.want(2)
    side.drain_all()
    assert [len(chunk.data) for chunk in side.chunks if chunk.id == 2] == [SMALL_CHUNK]
    side.hear("got", id=1, offset=SMALL_CHUNK)
    assert side.dropped == []
    side.hear("got", id=2, offset=SMALL_CHUNK)
    side.drain_all()
    assert len(side.body(2)) > SMALL_CHUNK


def test_it_is_read_in_blocks_and_before_the_last_one_is_used_up() -> None:
    side = Side()
    side.disk_answers = False
    side.want(1)
    assert side.reads == [Read(1, LARGE, 0, READ_BLOCK)]
    side.drain_all()
    assert side.chunks == []
    side.answer_read()
    side.drain_all()
    assert len(side.reads) == 1
    side.disk_answers = True
    side.acknowledge_all()
    data = PICTURES[LARGE]
    blocks = range(0, len(data), READ_BLOCK)
    assert [(read.offset, read.size) for read in side.reads] == [
        (at, min(READ_BLOCK, len(data) - at)) for at in blocks
    ]
    assert side.body(1) == data


def test_twenty_who_send_at_a_time_have_about_a_megabyte_in_memory() -> None:
    budget = Budget()
    sides = [Side(budget) for _ in range(20)]
    for side in sides:
        side.want(1)
    assert sum(side.reads[0].size for side in sides) < 1_200_000
    sides[0].drain_all()
    sides[0].acknowledge_all()
    assert sides[0].body(1) == PICTURES[LARGE]
    assert {read.size for read in sides[0].reads[1:-1]} == {SMALLEST_BLOCK}


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../secret.png", "images/0a1b2c3d/other.png", "", LARGE.upper()]
)
def test_what_was_not_offered_is_refused_and_not_read(name: str) -> None:
    side = Side()
    side.want(1, name)
    assert side.refusals == [(1, "not_offered")]
    assert side.reads == []
    side.want(2, SMALL)
    side.drain_all()
    assert side.body(2) == PICTURES[SMALL]


@pytest.mark.parametrize("offset", [-1, 1_024_001, 2**53 - 1, -(2**53) + 1])
def test_a_byte_that_it_does_not_have_is_refused(offset: int) -> None:
    side = Side()
    side.want(1, LARGE, offset)
    assert side.refusals == [(1, "bad_offset")]
    assert side.reads == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("imageUrl", 7), ("offset", "0"), ("offset", 1.5), ("offset", None), ("sha256", "AB" * 32)],
)
def test_a_want_that_makes_no_sense_is_refused_by_its_number(field: str, value: object) -> None:
    side = Side()
    side.hear("want", **{"id": 3, "imageUrl": LARGE, "offset": 0, field: value})
    assert side.refusals == [(3, "bad_message")]
    assert field in str(side.said[0]["detail"])


@pytest.mark.parametrize(
    "message",
    [
        b"\0\0\0\1",
        pack_chunk(1, 0, b"x"),
        "",
        "[]",
        "{",
        '{"type":"image"}',
        '{"type":["want"]}',
        '{"type":"want","id":0,"imageUrl":"a","offset":0}',
        '{"type":"want","id":4294967296,"imageUrl":"a","offset":0}',
        '{"type":"got","id":1}',
        '{"type":"got","id":1,"offset":-1}',
        '{"type":"stop"}',
        " " * (MAX_DATA_TEXT + 1),
    ],
)
def test_what_can_not_be_understood_is_dropped_and_it_goes_on(message: str | bytes) -> None:
    side = Side()
    side.want(1)
    side.perform(side.sender.receive(message, side.now))
    assert len(side.dropped) == 1
    side.drain_all()
    side.acknowledge_all()
    assert side.body(1) == PICTURES[LARGE]


def test_a_want_that_is_said_again_is_passed_over() -> None:
    side = Side()
    side.want(5, SMALL)
    side.want(5, LARGE)
    side.want(4, LARGE)
    side.drain_all()
    assert [one["id"] for one in side.said] == [5]
    assert side.body(5) == PICTURES[SMALL]


def test_who_asks_for_too_many_is_refused_those_and_gets_the_others() -> None:
    side = Side()
    for id in range(1, 101):
        side.want(id, SMALL)
    assert [id for id, _ in side.refusals] == list(range(MAX_WANTS + 1, 101))
    assert {reason for _, reason in side.refusals} == {"too_many"}
    side.drain_all()
    side.acknowledge_all()
    assert [side.body(id) for id in range(1, 17)] == [PICTURES[SMALL]] * MAX_WANTS
    side.want(101, SMALL)
    side.drain_all()
    assert side.body(101) == PICTURES[SMALL]


def test_who_acknowledges_nothing_is_sent_no_more_than_so_many() -> None:
    side = Side()
    for id in range(1, 1000):
        side.want(id, SMALL)
        side.drain_all()
    assert {chunk.id for chunk in side.chunks} == set(range(1, MAX_WANTS + 1))


def test_wants_are_dropped_while_too_much_text_waits_to_be_sent() -> None:
    side = Side()
    for id in range(1, 5000):
        side.want(id, "no/such")
    said = sum(len(json.dumps(one, separators=(",", ":"))) for one in side.said)
    assert MAX_UNSENT < said < MAX_UNSENT + 500
    assert len(side.dropped) + len(side.said) == 4999
    side.drain_all()
    side.want(5000, SMALL)
    side.drain_all()
    assert side.body(5000) == PICTURES[SMALL]


@pytest.mark.parametrize("offset", [0, SMALL_CHUNK * 4 + 1, 10**9])
def test_bytes_that_are_not_on_their_way_are_not_acknowledged(offset: int) -> None:
    side = Side()
    side.want(1)
    side.drain_all()
    sent = len(side.body(1))
    side.hear("got", id=1, offset=offset)
    side.hear("got", id=99, offset=1)
    side.drain_all()
    assert len(side.body(1)) == sent
    assert len(side.dropped) == 1


# ── a file that goes ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("reason", ["changed", "unreadable"])
def test_what_can_not_be_read_to_the_end_is_told_to_both_sides(reason: str) -> None:
    side = Side()
    side.disk_answers = False
    side.want(1, LARGE)
    side.want(2, SMALL)
    side.answer_read()
    side.drain()
    side.perform(side.sender.failed(1, reason, "its size is another", side.now))
    assert side.refusals == [(1, reason)]
    assert side.not_sent == [NotSent(LARGE, reason, "its size is another")]
    assert side.over == [1]
    side.disk_answers = True
    side.drain_all()
    side.answer_read()
    side.drain_all()
    assert side.body(2) == PICTURES[SMALL]


def test_a_file_that_ends_too_soon_has_changed() -> None:
    side = Side()
    side.disk_answers = False
    side.want(1, LARGE)
    side.perform(side.sender.read(1, b"", side.now))
    assert side.refusals == [(1, "changed")]


def test_what_is_read_of_a_picture_that_was_stopped_is_of_no_use() -> None:
    side = Side()
    side.disk_answers = False
    side.want(1, LARGE)
    side.hear("stop", id=1)
    assert side.over == [1]
    side.answer_read()
    side.perform(side.sender.failed(1, "changed", "", side.now))
    side.drain_all()
    assert side.chunks == []
    assert side.not_sent == []


def test_a_channel_that_closes_lets_go_of_the_file_that_is_read() -> None:
    side = Side()
    side.want(1, LARGE)
    side.want(2, LARGE)
    assert side.sender.closed() == [Done(1)]
    side.drain_all()
    assert side.chunks == []
