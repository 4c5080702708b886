"""What one core of the handshake refuses: signals that don't belong, and too many of them."""

from collections.abc import Callable

import pytest

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake.outputs import (
    ApplyAnswer,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Note,
    Phase,
)
from imgsync.core.protocol.numbers import MAX_ASKED, MAX_CANDIDATES
from imgsync.core.protocol.signalling import CandidateSignal, EndReason, RawJson
from tests.kit.handshakes import (
    REQUEST,
    Core,
    added,
    answer,
    answerer,
    candidate,
    connected,
    is_noted,
    line,
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
]
BAD_FOR_OFFERER = [
    ('{"type":"answer"}', "signal.sdp: missing"),
    ('{"type":"answer","sdp":""}', "does not begin with v=0"),
    (answer("cli1").replace("a=mid:0", "a=mud:0"), "a=mid is missing"),
    (answer("cli1").replace("active", "actpass"), "a=setup leaves open"),
]
BAD_FOR_ANSWERER = [
    ('{"type":"offer","sdp":null}', "signal.sdp: expected a string"),
    ('{"type":"offer","sdp":"v=0"}', "no data-channel section"),
    (offer("eva2").replace("a=ice-pwd:", "a=ice-pwd:!"), "a=ice-pwd is malformed"),
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


@pytest.mark.parametrize("make", [offerer, answerer])
@pytest.mark.parametrize(
    "raw",
    [
        '{"candidate":7}',
        '{"candidate":["x"],"type":null}',
        '{"candidate":"1 1 udp 5 10.0.0.1 9 typ host","usernameFragment":7}',
        '{"candidate":null,"usernameFragment":{}}',
    ],
)
def test_a_candidate_that_can_not_be_read_is_only_noted(make: Callable[[], Core], raw: str) -> None:
    core = make()
    assert is_noted(core.receive(RawJson(raw)))
    core.receive(offer("eva1") if make is answerer else answer("cli1"))
    assert is_noted(core.receive(RawJson(raw)))
    assert added(core.receive(candidate(7))) == [(1, 7)]
    assert core.opened(1)


# ── too many ─────────────────────────────────────────────────────────────────────────────────────


FULL = range(1, MAX_CANDIDATES + 1)


@pytest.mark.parametrize("make", [offerer, answerer])
def test_a_hundred_candidates_are_taken_and_more_are_ignored(make: Callable[[], Core]) -> None:
    core = make()
    core.receive(offer("eva1") if make is answerer else answer("cli1"))
    for port in FULL:
        assert added(core.receive(candidate(port))) == [(1, port)]
    for one_more in (candidate(7), candidate(101), candidate(None)):
        assert is_noted(core.receive(one_more))
    assert core.phase is Phase.NEGOTIATING
    assert core.opened(1)


def test_candidates_are_counted_wherever_they_come() -> None:
    half = range(1, MAX_CANDIDATES // 2 + 1)
    core = Core(offers=False)
    core.start()
    for port in half:
        core.receive(candidate(port, "eva1"))
    outputs = core.receive(offer("eva1", *half, 1, 2))
    assert len(added(outputs)) == MAX_CANDIDATES
    assert sum(is_noted([output]) for output in outputs) == 2
    assert is_noted(core.receive(candidate(9)))


def test_candidates_for_no_known_description_are_counted_too() -> None:
    core = answerer()
    for number in range(MAX_CANDIDATES):
        assert core.receive(candidate(9, f"frag{number}")) == []
    assert is_noted(core.receive(candidate(9, "frag")))
    assert is_noted(core.receive(candidate(9)))


def signal_of(text: str, ufrag: str | None = None) -> RawJson:
    return encode_signal(CandidateSignal(text, "0", 0, ufrag))


OF_NO_USE = [
    *(
        "1 1 udp 2130706431 peer.lab.example.org 40000 typ host",
        "x",
        "1 1 udp 5 10.0.0.1 0 typ host",
    ),
    *("1 1 udp 5 10.0.0.1 9 typ quic", "1 1 udp 5 [2001:db8::1] 9 typ host", line(9, "tcp")),
    *("1 2 udp 5 10.0.0.1 9 typ host", "1 1 udp 5 10.0.0.1 99999 typ host", "x" * 60_000),
]


@pytest.mark.parametrize("text", OF_NO_USE, ids=lambda text: text[:60])
@pytest.mark.parametrize("make", [offerer, answerer])
def test_a_candidate_of_no_use_is_noted_beside_good_ones_and_does_not_count(
    make: Callable[[], Core], text: str
) -> None:
    core = make()
    for _ in range(MAX_CANDIDATES + 1):
        assert is_noted(core.receive(signal_of(text)))  # whether its description is there or not
    said = (answer if make is offerer else offer)("them", 1, 0)
    raw = said.replace(line(0), text) if len(text) < 1000 else said
    outputs = core.receive(RawJson(raw))
    attempt = core.attempt
    assert added(outputs) == [(attempt, 1)]
    assert sum(is_noted([output]) for output in outputs) == 1
    for port in FULL[1:]:
        assert added(core.receive(candidate(port))) == [(attempt, port)]
    assert is_noted(core.receive(candidate(1)))
    assert core.phase is Phase.NEGOTIATING


def test_a_candidate_of_no_use_that_waits_for_its_description_is_noted_at_once() -> None:
    core = Core(offers=False)
    core.start()
    assert is_noted(core.receive(signal_of("x", "eva1")))
    assert added(core.receive(offer("eva1", 1))) == [(1, 1)]


def test_what_is_noted_of_a_candidate_is_short_and_of_one_line() -> None:
    [note] = answerer().receive(signal_of("1 1 udp 5 10.0.0.1\n9 typ\x1b[31m " + "x" * 60_000))
    assert isinstance(note, Note)
    assert note.text.isprintable()
    assert len(note.text) < 300


def test_an_offer_with_too_many_candidates_is_answered() -> None:
    core = connected(answerer())
    interrupted, discarded, made, *rest = core.receive(offer("eva2", *FULL, 7))
    assert isinstance(interrupted, Interrupted)
    assert discarded == Discard(1)
    assert isinstance(made, MakeAnswer)
    assert len(added(rest)) == MAX_CANDIDATES


def test_an_answer_with_too_many_candidates_is_applied() -> None:
    core = connected(offerer())
    core.lost(1, EndReason.CONNECTION_LOST)
    core.described(2, sdp("offer", "eva2"))
    outputs = core.receive(answer("cli2", *FULL, 7))
    assert any(isinstance(output, ApplyAnswer) for output in outputs)
    assert len(added(outputs)) == MAX_CANDIDATES


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
