"""One open channel: pings are answered, pongs are measured, all else is heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.channel.heartbeat import Health, Judged, SendPing
from imgsync.core.channel.line import Heard, Line, Ponged, SendPong, Unanswered
from imgsync.core.channel.outputs import Drop
from imgsync.core.codec.codec import encode_channel
from imgsync.core.protocol.channel import (
    Ack,
    Image,
    Ping,
    Pong,
    Preload,
    Ready,
    Stage,
    StageKind,
    TalkMessage,
)
from imgsync.core.protocol.numbers import FEATURES, LOST_AFTER, PING_INTERVAL, SUSPECT_AFTER
from tests.kit.channels import LAW, READY

NOT_FOR_ANYBODY = ["", "{", "[]", "7", '{"type":"dance"}', '{"type":"ack"}', '{"imageIndex":1}']


@pytest.mark.parametrize("ping", [Ping(1, 5), Ping("x", 5.5)])
def test_a_ping_is_answered_at_once_and_begins_ours(ping: Ping) -> None:
    line = Line()
    assert line.due == float("inf")
    assert line.receive(encode_channel(ping), at=7, now=1) == [SendPong(ping, 7), SendPing(1)]
    assert line.receive(encode_channel(ping), at=8, now=1) == [SendPong(ping, 8)]


def test_a_pong_of_a_ping_of_ours_is_measured_and_another_is_not() -> None:
    line = Line()
    assert line.receive(encode_channel(Pong(1, 5, 6, 7)), at=8, now=1) == []
    line.receive(READY, at=0, now=1)
    pong = Pong(1, 5, 6, 7.5)
    assert line.receive(encode_channel(pong), at=8, now=1) == [Ponged(pong, 8)]
    for id in (2, 0, "1", "x"):
        assert line.receive(encode_channel(Pong(id, 5, 6, 7)), at=8, now=1) == []


def test_a_ready_that_names_ping_begins_ours_and_is_heard() -> None:
    assert Line().receive(READY, at=7, now=1)[0] == SendPing(1)
    quiet = Ready(("stage",))
    line = Line()
    assert line.receive(encode_channel(quiet), at=7, now=1) == [Heard(quiet, 7)]
    assert line.due == float("inf")


def run(line: Line, until: float) -> list[tuple[float, object]]:
    """What it says, and when, if it is called whenever it is due."""
    said: list[tuple[float, object]] = []
    while line.due <= until:
        now = line.due
        said += [(now, output) for output in line.tick(now)]
    return said


def test_a_client_that_is_not_pinged_says_its_ready_again_four_times() -> None:
    line = Line(greets=True)
    assert line.due == float("inf")
    assert line.opened((), now=10) == []
    assert run(line, 1e6) == [(10 + pause, Unanswered()) for pause in (0.5, 1, 2, 4)]


@pytest.mark.parametrize("after", [0.0, 0.4, 0.7, 3.9])
@pytest.mark.parametrize("id", [1, "x"])
def test_a_ping_is_an_answer_and_nothing_else_is(after: float, id: int | str) -> None:
    line = Line(greets=True)
    line.opened((), now=0)
    for other in (Image(1, "u", "s", 5), Preload(()), Pong(1, 5, 6, 7), Ready()):
        line.receive(encode_channel(other), at=0, now=0)
    said = run(line, after)
    assert len(said) == sum(pause <= after for pause in (0.5, 1, 2, 4))
    line.receive(encode_channel(Ping(id, 5)), at=7, now=after)
    assert Unanswered() not in [output for _, output in run(line, after + 20)]


def test_what_a_client_has_slept_through_is_said_once() -> None:
    line = Line(greets=True)
    line.opened((), now=0)
    assert line.tick(1.5) == [Unanswered()]
    assert run(line, 1e6) == [(2, Unanswered()), (4, Unanswered())]


def test_an_evaluator_does_not_greet() -> None:
    line = Line()
    line.opened((), now=0)
    assert line.due == float("inf")


def test_a_ready_that_names_ping_again_is_answered_by_a_ping_at_once() -> None:
    line = Line()
    line.opened(FEATURES, now=0)
    assert line.receive(READY, at=7, now=0.5)[0] == SendPing(2)
    assert [type(one) for one in line.receive(READY, at=7, now=0.5)] == [Heard]


@pytest.mark.parametrize("features", [FEATURES, ("ping",), ("new", "ping")])
def test_who_is_known_to_speak_ping_is_pinged_from_the_opening_on_and_once(
    features: tuple[str, ...],
) -> None:
    line = Line()
    assert line.opened(features, now=1) == [SendPing(1)]
    [heard] = line.receive(READY, at=7, now=1)
    assert isinstance(heard, Heard)


@pytest.mark.parametrize("features", [(), ("stage", "preload"), ("pings",)])
def test_of_any_other_nothing_is_expected_before_its_ready(features: tuple[str, ...]) -> None:
    line = Line()
    assert line.opened(features, now=1) == []
    assert line.due == float("inf")
    assert line.receive(READY, at=7, now=1)[0] == SendPing(1)


@pytest.mark.parametrize("seconds", [0.0, 1.0, SUSPECT_AFTER, LOST_AFTER - 0.01])
def test_a_ready_without_ping_counts_for_more_than_what_was_known_before(seconds: float) -> None:
    line, quiet = Line(), Ready(("stage",))
    line.opened(FEATURES, now=0)
    judged: list[Health] = []
    while line.due <= seconds:
        judged += [one.health for one in line.tick(line.due) if isinstance(one, Judged)]
    cleared = [Judged(Health.ALIVE)] if judged else []
    assert line.receive(encode_channel(quiet), at=7, now=seconds) == [*cleared, Heard(quiet, 7)]
    assert line.due == float("inf")


def test_who_is_lost_is_not_brought_back_by_a_ready() -> None:
    line, quiet = Line(), Ready(("stage",))
    line.opened(FEATURES, now=0)
    while line.due < float("inf"):
        line.tick(line.due)
    assert line.receive(encode_channel(quiet), at=7, now=LOST_AFTER) == [Heard(quiet, 7)]


@pytest.mark.parametrize(
    "message",
    [
        Image(1, "u", "s", 5),
        Preload(()),
        Ready(),
        Ack(5, 6, 1),
        Stage(1, 5, StageKind.SHOWN, 7),
    ],
)
def test_all_else_is_heard_with_its_time(message: TalkMessage) -> None:
    assert Line().receive(encode_channel(message), at=7.5, now=1) == [Heard(message, 7.5)]


def test_the_other_side_is_judged_by_its_pongs_alone() -> None:
    line = Line()
    line.receive(READY, at=0, now=0)
    judged: list[tuple[float, Health]] = []
    while line.due < float("inf"):
        now = line.due
        line.receive(encode_channel(Ack(5, 6)), at=0, now=now)
        judged += [(now, one.health) for one in line.tick(now) if isinstance(one, Judged)]
    assert judged == [(SUSPECT_AFTER, Health.SUSPECT), (LOST_AFTER, Health.LOST)]
    assert line.is_one_way


def test_a_side_that_is_not_heard_any_more_is_no_one_way_line() -> None:
    line = Line()
    line.receive(READY, at=0, now=0)
    line.receive(encode_channel(Ack(5, 6)), at=0, now=PING_INTERVAL)  # sent before it went away
    while line.due < float("inf"):
        line.tick(line.due)
        assert not line.is_one_way


def test_a_line_is_one_way_while_it_is_suspected_and_not_once_a_pong_comes() -> None:
    line = Line()
    line.receive(READY, at=0, now=0)
    line.receive(encode_channel(Ack(5, 6)), at=0, now=3)
    assert not line.is_one_way
    while line.due <= SUSPECT_AFTER:
        line.tick(line.due)
    assert line.is_one_way
    line.receive(encode_channel(Pong(1, 0, 0, 0)), at=0, now=SUSPECT_AFTER + 1)
    assert not line.is_one_way


@given(st.text() | st.binary() | st.sampled_from(NOT_FOR_ANYBODY))
@LAW
def test_what_can_not_be_read_is_dropped_with_a_reason(text: str | bytes) -> None:
    [dropped] = Line().receive(text, at=0, now=0)
    assert isinstance(dropped, Drop)
    assert dropped.why
