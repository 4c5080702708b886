"""What one core of the handshake refuses: signals that don't belong, and too many of them."""

import math
from collections.abc import Callable

import pytest

from imgsync.core.handshake.outputs import (
    ApplyAnswer,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Phase,
)
from imgsync.core.protocol.numbers import ANSWER_DEADLINES, MAX_ASKED, MAX_CANDIDATES
from imgsync.core.protocol.signalling import EndReason, RawJson
from tests.kit.handshakes import (
    REQUEST,
    Core,
    added,
    answer,
    answerer,
    candidate,
    connected,
    is_noted,
    offer,
    offerer,
    sdp,
)

# ── what does not belong here ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("make", "raw"),
    [
        (offerer, offer("them")),
        (offerer, RawJson('{"type":"rollback","sdp":""}')),
        (answerer, answer("them")),
        (answerer, REQUEST),
        (answerer, RawJson('{"type":1}')),
    ],
)
def test_a_signal_that_is_not_for_this_side_is_noted(
    make: Callable[[], Core], raw: RawJson
) -> None:
    core = make()
    assert is_noted(core.receive(raw))
    assert core.phase is Phase.NEGOTIATING


BAD_FOR_BOTH = [
    ("", "unreadable signal"),
    ("[]", "expected an object"),
    ("{}", "neither a type nor a candidate"),
    ('{"candidate":7}', "signal.candidate: expected a string"),
    ('{"candidate":"candidate:1 1 udp 5 10.0.0.1 0 typ host"}', "its port is not between"),
    ('{"candidate":"x","usernameFragment":"coming"}', "does not have the form"),
]
BAD_FOR_OFFERER = [
    ('{"type":"answer"}', "signal.sdp: missing"),
    ('{"type":"answer","sdp":""}', "does not begin with v=0"),
    (answer("cli1").replace("a=mid:0", "a=mud:0"), "a=mid is missing"),
    (answer("cli1").replace("active", "actpass"), "a=setup leaves open"),
    (answer("cli1", 0), "its port is not between"),
]
BAD_FOR_ANSWERER = [
    ('{"type":"offer","sdp":null}', "signal.sdp: expected a string"),
    ('{"type":"offer","sdp":"v=0"}', "one data-channel section"),
    (offer("eva2").replace("a=ice-pwd:", "a=ice-pwd:!"), "a=ice-pwd is malformed"),
    (offer("eva2", 99999), "its port is not between"),
]
BAD = [
    *((make, *row) for make in (offerer, answerer) for row in BAD_FOR_BOTH),
    *((offerer, *row) for row in BAD_FOR_OFFERER),
    *((answerer, *row) for row in BAD_FOR_ANSWERER),
]


@pytest.mark.parametrize(("make", "raw", "says"), BAD)
def test_what_makes_no_sense_ends_the_negotiation_and_is_named(
    make: Callable[[], Core], raw: str, says: str
) -> None:
    core = make()
    outputs = core.receive(RawJson(raw))
    assert len(outputs) == 1
    assert isinstance(outputs[0], Ended)
    assert outputs[0].reason is EndReason.NEGOTIATION_FAILED
    assert says in outputs[0].detail
    assert core.phase is Phase.ENDED


@pytest.mark.parametrize(("make", "raw", "says"), BAD)
def test_what_makes_no_sense_is_only_noted_once_the_channel_is_open(
    make: Callable[[], Core], raw: str, says: str
) -> None:
    core = make()
    core.opened(1)
    outputs = core.receive(RawJson(raw))
    assert is_noted(outputs)
    assert says in str(outputs[0])
    assert core.phase is Phase.CONNECTED


# ── too many ─────────────────────────────────────────────────────────────────────────────────────


def test_a_hundred_candidates_are_taken_and_one_more_is_not() -> None:
    core = answerer()
    for port in range(1, MAX_CANDIDATES + 1):
        assert added(core.receive(candidate(port))) == [(1, port)]
    [end] = core.receive(candidate(9))
    assert isinstance(end, Ended)
    assert "more than 100 candidates" in end.detail


def test_candidates_are_counted_wherever_they_come() -> None:
    half = range(1, MAX_CANDIDATES // 2 + 1)
    for extra in (0, 1):
        core = Core(offers=False)
        core.start()
        for port in half:
            core.receive(candidate(port, "eva1"))
        outputs = core.receive(offer("eva1", *half, *range(1, extra + 1)))
        assert (len(added(outputs)) == MAX_CANDIDATES) == (extra == 0)
        assert (core.phase is Phase.ENDED) == (extra == 1)


def test_candidates_for_no_known_description_are_counted_too() -> None:
    core = answerer()
    for number in range(MAX_CANDIDATES):
        assert core.receive(candidate(9, f"frag{number}")) == []
    assert isinstance(core.receive(candidate(9, "frag"))[0], Ended)


def test_once_connected_too_many_candidates_are_noted_and_not_applied() -> None:
    core = connected(answerer())
    for port in range(1, MAX_CANDIDATES + 1):
        core.receive(candidate(port))
    assert is_noted(core.receive(candidate(9)))
    assert core.phase is Phase.CONNECTED


def test_an_offer_with_too_many_candidates_leaves_the_connection_as_it_is() -> None:
    core = connected(answerer())
    assert is_noted(core.receive(offer("eva2", *range(1, MAX_CANDIDATES + 2))))
    assert core.phase is Phase.CONNECTED
    assert core.attempt == 1
    assert core.due == math.inf
    interrupted, discarded, made = core.receive(offer("eva3"))
    assert isinstance(interrupted, Interrupted)
    assert discarded == Discard(1)
    assert isinstance(made, MakeAnswer)


def test_an_answer_with_too_many_candidates_is_as_good_as_none() -> None:
    core = connected(offerer())
    core.lost(1, EndReason.CONNECTION_LOST)
    core.described(2, sdp("offer", "eva2"))
    assert is_noted(core.receive(answer("cli2", *range(1, MAX_CANDIDATES + 2))))
    assert core.wait_due() == [Discard(2), MakeOffer(3)]
    assert core.now == ANSWER_DEADLINES[0]
    core.described(3, sdp("offer", "eva3"))
    assert isinstance(core.receive(answer("cli3"))[-1], ApplyAnswer)


def test_each_attempt_counts_anew() -> None:
    core = answerer()
    for attempt in range(2, 6):
        core.receive(offer(f"eva{attempt}", *range(1, MAX_CANDIDATES - 1)))
        assert added(core.receive(candidate(9))) == [(attempt, 9)]


def test_attempts_that_come_to_nothing_are_limited_and_a_connection_resets_the_count() -> None:
    for times in (1, 2):
        core = Core(offers=True)
        core.start()
        for _ in range(times):
            core.opened(core.attempt)
            for _ in range(MAX_ASKED):
                assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)
        assert is_noted(core.receive(REQUEST))
        assert core.phase is Phase.NEGOTIATING


def test_before_the_first_connection_too_many_attempts_end_the_session() -> None:
    core = Core(offers=True)
    core.start()
    for _ in range(MAX_ASKED):
        assert MakeOffer(core.attempt + 1) in core.receive(REQUEST)
    [ended] = core.receive(REQUEST)
    assert isinstance(ended, Ended)
    assert ended.reason is EndReason.NEGOTIATION_FAILED
    assert "attempts" in ended.detail


# ── what can't happen ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("offers", [False, True])
def test_a_session_begins_once(offers: bool) -> None:
    core = Core(offers=offers)
    core.start()
    with pytest.raises(AssertionError, match="can't come"):
        core.start()


def test_a_connection_is_made_before_anything_happens_to_it() -> None:
    core = Core(offers=False)
    core.start()
    for happens in (core.opened, core.left):
        with pytest.raises(AssertionError, match="can't come"):
            happens(0)
    with pytest.raises(AssertionError, match="can't come"):
        core.gathered(0, None)
    assert core.phase is Phase.IDLE
