"""The handshake: one core alone, input by input, and two of them wired together.

The wired ones have fake connections: text that parses as a description, and lists that note what
the cores ask to be applied. Hypothesis chooses who moves next.
"""

import json
from collections import deque
from collections.abc import Callable
from functools import partial

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imgsync.core.codec import encode_signal
from imgsync.core.messages import (
    Answer,
    CandidateSignal,
    EndReason,
    Offer,
    RawJson,
    RequestOffer,
    Signal,
)
from imgsync.core.peer import (
    CONNECT_DEADLINE,
    MAX_ATTEMPTS,
    MAX_CANDIDATES,
    AddCandidate,
    ApplyAnswer,
    Connected,
    Discard,
    Ended,
    Handshake,
    MakeAnswer,
    MakeOffer,
    Note,
    Output,
    Phase,
    Say,
    SetDeadline,
)
from imgsync.core.sdp import Candidate, parse_description

LAW = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def line(port: int, transport: str = "udp") -> str:
    return f"1 1 {transport} 5 10.0.0.1 {port} typ host"


def sdp(kind: str, ufrag: str, *ports: int, complete: bool = False) -> str:
    lines = [
        *("v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"),
        *("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0"),
        *("a=mid:0", "a=sctp-port:5000"),
        *(f"a=candidate:{line(port)}" for port in ports),
        *["a=end-of-candidates"] * complete,
        *(f"a=ice-ufrag:{ufrag}", "a=ice-pwd:7PIZgMdgCwsavahID6SRvX"),
        f"a=fingerprint:sha-256 {':'.join(['0A'] * 32)}",
        f"a=setup:{'actpass' if kind == 'offer' else 'active'}",
    ]
    return "".join(f"{text}\r\n" for text in lines)


def offer(ufrag: str, *ports: int, complete: bool = False) -> RawJson:
    return encode_signal(Offer(sdp("offer", ufrag, *ports, complete=complete)))


def answer(ufrag: str, *ports: int, complete: bool = False) -> RawJson:
    return encode_signal(Answer(sdp("answer", ufrag, *ports, complete=complete)))


def candidate(port: int | None, ufrag: str | None = None) -> RawJson:
    text = None if port is None else line(port)
    return encode_signal(CandidateSignal(text, "0", 0, ufrag))


REQUEST = encode_signal(RequestOffer())


def offerer() -> Handshake:
    """An evaluator's core whose offer, of fragment eva1, has gone out."""
    core = Handshake(offers=True)
    core.start()
    core.described(1, sdp("offer", "eva1"))
    return core


def answerer() -> Handshake:
    """A client's core that has made an answer, of fragment cli1, to the offer eva1."""
    core = Handshake(offers=False)
    core.start()
    core.receive(offer("eva1"))
    core.described(1, sdp("answer", "cli1"))
    return core


def connected(core: Handshake) -> Handshake:
    if core.attempt and core.phase is Phase.NEGOTIATING:
        core.receive(answer("cli1"))
        core.opened(core.attempt)
    return core


def added(outputs: list[Output]) -> list[tuple[int, int | None]]:
    """Attempt and port of the candidates that are to be applied."""
    return [
        (output.attempt, int(output.candidate.line.split()[5]) if output.candidate else None)
        for output in outputs
        if isinstance(output, AddCandidate)
    ]


def is_noted(outputs: list[Output]) -> bool:
    return len(outputs) == 1 and isinstance(outputs[0], Note)


# ── the way it goes ──────────────────────────────────────────────────────────────────────────────


def test_the_evaluator_offers_at_once() -> None:
    core = Handshake(offers=True)
    assert core.start() == [SetDeadline(1), MakeOffer(1)]
    assert core.phase is Phase.NEGOTIATING
    text = sdp("offer", "eva1")
    assert core.described(1, text) == [Say(Offer(text))]


def test_the_client_makes_nothing_before_the_offer() -> None:
    core = Handshake(offers=False)
    assert core.start() == [SetDeadline(0)]
    assert core.phase is Phase.IDLE
    text = sdp("offer", "eva1")
    assert core.receive(offer("eva1")) == [
        SetDeadline(1),
        MakeAnswer(1, parse_description("offer", text)),
    ]
    text = sdp("answer", "cli1")
    assert core.described(1, text) == [Say(Answer(text))]


def test_the_evaluator_applies_the_answer() -> None:
    core = offerer()
    text = sdp("answer", "cli1")
    assert core.receive(answer("cli1")) == [ApplyAnswer(1, parse_description("answer", text))]


@pytest.mark.parametrize("make", [offerer, answerer])
def test_an_open_channel_means_connected(make: Callable[[], Handshake]) -> None:
    core = make()
    assert core.opened(1) == [Connected(1)]
    assert core.phase is Phase.CONNECTED


def test_our_candidates_wait_for_our_description_and_name_it() -> None:
    core = Handshake(offers=True)
    core.start()
    assert core.gathered(1, line(7)) == []
    assert core.gathered(1, line(8)) == []
    text = sdp("offer", "eva1")
    assert core.described(1, text) == [
        Say(Offer(text)),
        Say(CandidateSignal(line(7), "0", 0, "eva1")),
        Say(CandidateSignal(line(8), "0", 0, "eva1")),
    ]
    assert core.gathered(1, line(9)) == [Say(CandidateSignal(line(9), "0", 0, "eva1"))]
    assert core.gathered(1, None) == [Say(CandidateSignal(None, "0", 0, "eva1"))]


def test_their_candidates_are_applied_at_once_when_their_description_is_there() -> None:
    core = answerer()
    assert core.receive(candidate(7, "eva1")) == [AddCandidate(1, Candidate(line(7), usable=True))]
    assert added(core.receive(candidate(8))) == [(1, 8)]
    core.opened(1)
    assert added(core.receive(candidate(9, "eva1"))) == [(1, 9)]


@pytest.mark.parametrize("ufrag", ["them", None])
@pytest.mark.parametrize("place", range(4))
def test_a_candidate_that_comes_before_its_description_waits_for_it(
    place: int, ufrag: str | None
) -> None:
    evaluator, client = offerer(), Handshake(offers=False)
    client.start()
    for core, description in ((client, offer("them")), (evaluator, answer("them"))):
        signals = [candidate(1, ufrag), candidate(2, ufrag), candidate(None, ufrag)]
        signals.insert(place, description)
        outputs = [core.receive(signal) for signal in signals]
        assert not any(outputs[:place])
        assert [entry for part in outputs for entry in added(part)] == [(1, 1), (1, 2), (1, None)]


def test_a_candidate_that_waited_is_not_applied_to_the_next_attempt_too() -> None:
    core = Handshake(offers=False)
    core.start()
    core.receive(candidate(1))
    core.receive(candidate(2, "eva1"))
    assert added(core.receive(offer("eva1"))) == [(1, 1), (1, 2)]
    assert added(core.receive(offer("eva2"))) == []


def test_candidates_inside_a_description_come_before_those_that_waited_for_it() -> None:
    core = Handshake(offers=False)
    core.start()
    core.receive(candidate(3, "eva1"))
    core.receive(candidate(4))
    outputs = core.receive(offer("eva1", 1, 2, complete=True))
    assert added(outputs) == [(1, 1), (1, 2), (1, 3), (1, 4), (1, None)]
    made = next(output for output in outputs if isinstance(output, MakeAnswer))
    assert "a=candidate" not in made.offer.sdp
    assert outputs.index(made) < outputs.index(AddCandidate(1, Candidate(line(1), usable=True)))


@pytest.mark.parametrize(
    "raw",
    [
        "null",
        '{"candidate":null}',
        '{"candidate":""}',
        '{"candidate":"","sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"eva1"}',
        '{"candidate":"","sdpMid":null,"sdpMLineIndex":null,"usernameFragment":null}',
        '{"candidate":"candidate:"}',
    ],
)
def test_the_end_of_candidates_is_understood_however_it_is_spelled(raw: str) -> None:
    assert answerer().receive(RawJson(raw)) == [AddCandidate(1, None)]


@pytest.mark.parametrize("transport", ["tcp", "TCP"])
def test_a_candidate_of_no_use_is_noted_and_not_applied(transport: str) -> None:
    raw = encode_signal(CandidateSignal(line(9, transport), "0", 0, "eva1"))
    assert is_noted(answerer().receive(raw))


# ── the next attempt ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_a_new_offer_replaces_the_connection(prepare: Callable[[Handshake], Handshake]) -> None:
    core = prepare(answerer())
    assert core.receive(offer("eva2")) == [
        Discard(1),
        SetDeadline(2),
        MakeAnswer(2, parse_description("offer", sdp("offer", "eva2"))),
    ]
    assert core.phase is Phase.NEGOTIATING


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_a_request_for_an_offer_gets_a_new_one_whose_answer_replaces_the_connection(
    prepare: Callable[[Handshake], Handshake],
) -> None:
    core = prepare(offerer())
    core.receive(answer("cli1"))
    assert core.receive(REQUEST) == [SetDeadline(2), MakeOffer(2)]
    assert core.phase is Phase.NEGOTIATING
    core.described(2, sdp("offer", "eva2"))
    assert core.receive(answer("cli2")) == [
        Discard(1),
        ApplyAnswer(2, parse_description("answer", sdp("answer", "cli2"))),
    ]


def test_all_connections_that_were_replaced_go_at_the_answer() -> None:
    core = connected(offerer())
    core.receive(REQUEST)
    core.receive(REQUEST)
    core.described(3, sdp("offer", "eva3"))
    assert core.receive(answer("cli3"))[:2] == [Discard(1), Discard(2)]


def test_a_candidate_may_come_before_the_new_offer_that_it_belongs_to() -> None:
    core = connected(answerer())
    assert core.receive(candidate(5, "eva2")) == []
    assert core.receive(candidate(None, "eva2")) == []
    assert added(core.receive(candidate(6, "eva1"))) == [(1, 6)]
    assert added(core.receive(offer("eva2"))) == [(2, 5), (2, None)]


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_what_our_side_says_of_an_earlier_attempt_is_dropped(
    prepare: Callable[[Handshake], Handshake],
) -> None:
    evaluator, client = prepare(offerer()), prepare(answerer())
    evaluator.receive(REQUEST)
    client.receive(offer("eva2"))
    for core in (evaluator, client):
        assert core.described(1, sdp("offer", "late")) == []
        assert core.gathered(1, line(9)) == []
        assert core.gathered(1, None) == []
        assert core.opened(1) == []
        assert core.lost(1, EndReason.CONNECTION_LOST) == []
        assert core.timed_out(1) == []
        assert core.timed_out(0) == []
        assert core.phase is Phase.NEGOTIATING


def test_our_candidates_of_an_earlier_attempt_do_not_go_out_with_the_next() -> None:
    core = Handshake(offers=True)
    core.start()
    core.gathered(1, line(7))
    core.receive(REQUEST)
    text = sdp("offer", "eva2")
    assert core.described(2, text) == [Say(Offer(text))]


def test_what_the_other_side_says_of_an_earlier_attempt_is_dropped() -> None:
    client = answerer()
    client.receive(offer("eva2"))
    for stale in (candidate(9, "eva1"), candidate(None, "eva1"), offer("eva1"), offer("eva2")):
        assert is_noted(client.receive(stale))
    assert added(client.receive(candidate(9, "eva2"))) == [(2, 9)]

    evaluator = offerer()
    evaluator.receive(answer("cli1"))
    evaluator.receive(REQUEST)
    for stale in (candidate(9, "cli1"), candidate(None, "cli1"), answer("cli1")):
        assert is_noted(evaluator.receive(stale))
    evaluator.described(2, sdp("offer", "eva2"))
    assert is_noted(evaluator.receive(answer("cli1")))
    assert added(evaluator.receive(answer("cli2", 8))) == [(2, 8)]


def test_an_answer_that_comes_twice_is_applied_once() -> None:
    core = offerer()
    assert len(core.receive(answer("cli1"))) == 1
    assert is_noted(core.receive(answer("cli1")))


def test_an_answer_before_our_offer_went_out_is_dropped() -> None:
    core = Handshake(offers=True)
    core.start()
    assert is_noted(core.receive(answer("cli1")))


def test_what_waited_for_an_answer_is_gone_with_its_attempt() -> None:
    # A client without a connection has asked for the offer: it can have no candidates for it yet.
    # The end of the old ones would keep the new ones from being tried.
    core = offerer()
    core.receive(candidate(5))
    core.receive(candidate(None))
    core.receive(REQUEST)
    core.described(2, sdp("offer", "eva2"))
    assert added(core.receive(answer("cli2", 8))) == [(2, 8)]


def test_an_answer_to_the_offer_before_does_not_spoil_the_attempt() -> None:
    # The request and the offer that it made needless have crossed on the wire: the client answers
    # the offer eva1, gets the offer eva2, and answers that.
    evaluator = offerer()
    evaluator.receive(REQUEST)
    evaluator.described(2, sdp("offer", "eva2"))
    outputs = evaluator.receive(answer("cli1")) + evaluator.receive(answer("cli2"))
    applied = [output for output in outputs if isinstance(output, ApplyAnswer)]
    if evaluator.attempt == 2:
        assert [output.answer.ufrag for output in applied] == ["cli2"]
    else:
        assert MakeOffer(evaluator.attempt) in outputs  # or it begins anew, which is as good


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
    make: Callable[[], Handshake], raw: RawJson
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
    make: Callable[[], Handshake], raw: str, says: str
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
    make: Callable[[], Handshake], raw: str, says: str
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
        core = Handshake(offers=False)
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


def test_each_attempt_counts_anew() -> None:
    core = answerer()
    for attempt in range(2, 6):
        core.receive(offer(f"eva{attempt}", *range(1, MAX_CANDIDATES - 1)))
        assert added(core.receive(candidate(9))) == [(attempt, 9)]


# ── ends ─────────────────────────────────────────────────────────────────────────────────────────


def test_each_deadline_says_what_was_waited_for() -> None:
    def detail(core: Handshake) -> str:
        [end] = core.timed_out(core.attempt)
        assert isinstance(end, Ended)
        assert end.reason is EndReason.CONNECT_TIMEOUT
        assert f"{CONNECT_DEADLINE:g} s" in end.detail
        assert core.phase is Phase.ENDED
        return end.detail

    lonely = Handshake(offers=False)
    lonely.start()
    answered = offerer()
    answered.receive(answer("cli1"))
    assert "no offer ever came" in detail(lonely)
    assert "answer never came" in detail(offerer())
    assert "no path between the two was found" in detail(answered)
    assert "no path between the two was found" in detail(answerer())


def test_a_deadline_after_the_channel_opened_does_nothing() -> None:
    core = connected(offerer())
    assert core.timed_out(1) == []
    assert core.phase is Phase.CONNECTED


def test_the_deadline_for_the_first_offer_is_over_when_it_came() -> None:
    assert answerer().timed_out(0) == []


SAID_BY_THE_RELAY = [
    *(EndReason.ENDED, EndReason.REPLACED, EndReason.PEER_GONE),
    *(EndReason.CLAIMED_ELSEWHERE, EndReason.RELAY_SHUTDOWN),
]


@pytest.mark.parametrize("reason", SAID_BY_THE_RELAY)
def test_before_the_channel_is_open_the_relay_ends_the_session(reason: EndReason) -> None:
    idle = Handshake(offers=False)
    idle.start()
    for core in (idle, offerer(), answerer()):
        assert core.session_ended(reason) == [Ended(reason)]
        assert core.phase is Phase.ENDED


@pytest.mark.parametrize("reason", SAID_BY_THE_RELAY)
def test_an_open_channel_outlives_the_relay_but_not_the_will_of_a_person(
    reason: EndReason,
) -> None:
    core = connected(offerer())
    outputs = core.session_ended(reason)
    if reason in (EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN):
        assert is_noted(outputs)
        assert core.phase is Phase.CONNECTED
    else:
        assert outputs == [Ended(reason)]
        assert core.phase is Phase.ENDED


def test_the_loss_of_signalling_ends_what_is_not_connected_yet() -> None:
    assert offerer().signalling_lost() == [Ended(EndReason.SIGNALLING_LOST)]
    assert Handshake(offers=False).signalling_lost() == [Ended(EndReason.SIGNALLING_LOST)]
    core = connected(answerer())
    assert is_noted(core.signalling_lost())
    assert core.phase is Phase.CONNECTED


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_a_lost_connection_ends_the_session_with_its_reason(
    prepare: Callable[[Handshake], Handshake],
) -> None:
    core = prepare(offerer())
    assert core.lost(1, EndReason.CONNECTION_LOST, "bye") == [
        Ended(EndReason.CONNECTION_LOST, "bye")
    ]
    assert core.phase is Phase.ENDED


@pytest.mark.parametrize("make", [offerer, answerer])
def test_nothing_follows_the_end(make: Callable[[], Handshake]) -> None:
    core = make()
    core.session_ended(EndReason.ENDED)
    assert core.session_ended(EndReason.PEER_GONE) == []
    assert core.signalling_lost() == []
    assert core.lost(1, EndReason.CONNECTION_LOST) == []
    assert core.timed_out(1) == []
    assert core.opened(1) == []
    assert core.gathered(1, line(9)) == []
    assert core.described(1, sdp("offer", "late")) == []
    for raw in (offer("eva2"), answer("cli1"), REQUEST, candidate(9), RawJson("{")):
        assert core.receive(raw) == []
    assert core.phase is Phase.ENDED


# ── any input ────────────────────────────────────────────────────────────────────────────────────

UFRAGS = st.sampled_from(["aaaa", "bbbb", "cccc"])
PORTS = st.lists(st.integers(0, 5), max_size=2)
RAW = st.one_of(
    st.builds(lambda ufrag, ports: offer(ufrag, *ports), UFRAGS, PORTS),
    st.builds(lambda ufrag, ports: answer(ufrag, *ports), UFRAGS, PORTS),
    st.builds(candidate, st.none() | st.integers(0, 5), st.none() | UFRAGS),
    st.just(REQUEST),
    st.text(max_size=20).map(RawJson),
    st.text(max_size=20).map(lambda text: RawJson(json.dumps({"type": "offer", "sdp": text}))),
    st.text(max_size=20).map(lambda text: RawJson(json.dumps({"candidate": text}))),
)
ATTEMPT = st.integers(1, 3)
REASON = st.sampled_from(EndReason)
INPUT: st.SearchStrategy[Callable[[Handshake], list[Output]]] = st.one_of(
    *[RAW.map(lambda raw: lambda core: core.receive(raw))] * 6,
    ATTEMPT.map(lambda n: lambda core: core.described(n, sdp("answer", "ours"))),
    ATTEMPT.map(lambda n: lambda core: core.gathered(n, line(9))),
    ATTEMPT.map(lambda n: lambda core: core.opened(n)),
    ATTEMPT.map(lambda n: lambda core: core.timed_out(n)),
    st.builds(lambda n, reason: lambda core: core.lost(n, reason), ATTEMPT, REASON),
    REASON.map(lambda reason: lambda core: core.session_ended(reason)),
)
MOVES = {
    Phase.IDLE: {Phase.IDLE, Phase.NEGOTIATING, Phase.ENDED},
    Phase.NEGOTIATING: {Phase.NEGOTIATING, Phase.CONNECTED, Phase.ENDED},
    Phase.CONNECTED: {Phase.CONNECTED, Phase.NEGOTIATING, Phase.ENDED},
    Phase.ENDED: {Phase.ENDED},
}


@given(st.booleans(), st.lists(INPUT, max_size=25))
@settings(LAW, max_examples=300)
def test_no_input_raises_and_what_comes_out_is_of_the_current_attempt(
    offers: bool, inputs: list[Callable[[Handshake], list[Output]]]
) -> None:
    core = Handshake(offers=offers)
    core.start()
    discarded: set[int] = set()
    for give in inputs:
        phase, attempt = core.phase, core.attempt
        outputs = give(core)
        assert core.phase in MOVES[phase]
        assert core.attempt - attempt in (0, 1)
        ends = [output for output in outputs if isinstance(output, Ended)]
        assert len(ends) == (core.phase is Phase.ENDED and phase is not Phase.ENDED)
        assert outputs == [] or phase is not Phase.ENDED
        for output in outputs:
            if isinstance(output, Discard):
                assert output.attempt < core.attempt
                assert output.attempt not in discarded
                discarded.add(output.attempt)
            elif isinstance(output, AddCandidate | MakeOffer | MakeAnswer | ApplyAnswer):
                assert output.attempt == core.attempt
            elif isinstance(output, Connected):
                assert core.phase is Phase.CONNECTED


# ── two of them ──────────────────────────────────────────────────────────────────────────────────


@attrs.define(eq=False, repr=False)
class Side:
    """One peer with its fake connections.

    :param ports: of the candidates that each of its connections finds; an odd one is TCP.
    :param inside: how many of them stand in the description.
    """

    name: str
    core: Handshake
    ports: list[int]
    inside: int
    outgoing: deque[RawJson] = attrs.field(factory=deque)
    to_describe: deque[int] = attrs.field(factory=deque)
    to_gather: deque[tuple[int, str | None]] = attrs.field(factory=deque)
    #: By attempt: fragments of the two descriptions, and what was applied.
    local: dict[int, str] = attrs.field(factory=dict)
    remote: dict[int, str] = attrs.field(factory=dict)
    applied: dict[int, list[str | None]] = attrs.field(factory=dict)
    discarded: set[int] = attrs.field(factory=set)

    def carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case MakeOffer(attempt):
                    self._open(attempt)
                case MakeAnswer(attempt, description):
                    self._open(attempt)
                    self.remote[attempt] = description.ufrag
                case ApplyAnswer(attempt, description):
                    assert attempt in self.local
                    assert attempt not in self.remote
                    self.remote[attempt] = description.ufrag
                case AddCandidate(attempt, found):
                    assert attempt in self.remote
                    assert attempt not in self.discarded
                    self.applied[attempt].append(found.line if found else None)
                case Say(signal):
                    self.say(signal)
                case Discard(attempt):
                    assert attempt not in self.discarded
                    self.discarded.add(attempt)
                case Ended():
                    pytest.fail(f"{self.name}: {output}")
                case Connected() | SetDeadline() | Note():
                    pass

    def say(self, signal: Signal) -> None:
        self.outgoing.append(encode_signal(signal))

    def _open(self, attempt: int) -> None:
        assert attempt not in self.applied
        self.applied[attempt] = []
        self.to_describe.append(attempt)
        trickled = [*self.lines()[self.inside :], None]
        self.to_gather += [(attempt, text) for text in trickled]

    def lines(self) -> list[str]:
        return [line(port, "tcp" if port % 2 else "udp") for port in self.ports]

    def usable(self) -> list[str | None]:
        return [*(text for text in self.lines() if "udp" in text), None]

    def describe(self) -> None:
        attempt = self.to_describe.popleft()
        self.local[attempt] = f"{self.name}{attempt:04}"
        kind = "offer" if self.name.startswith("eva") else "answer"
        text = sdp(kind, self.local[attempt])
        for found in self.lines()[: self.inside]:
            text = text.replace("a=ice-ufrag", f"a=candidate:{found}\r\na=ice-ufrag", 1)
        self.carry_out(self.core.described(attempt, text))

    def gather(self) -> None:
        self.carry_out(self.core.gathered(*self.to_gather.popleft()))

    def open_channel(self) -> None:
        self.carry_out(self.core.opened(self.core.attempt))

    def hear_of_the_past(self) -> None:
        for attempt in range(1, self.core.attempt):
            self.carry_out(self.core.opened(attempt))
            self.carry_out(self.core.timed_out(attempt))
            self.carry_out(self.core.lost(attempt, EndReason.CONNECTION_LOST))

    def hear(self, other: "Side") -> None:
        self.carry_out(self.core.receive(other.outgoing.popleft()))


def fits(one: Side, other: Side) -> bool:
    """Whether their current connections have each other's descriptions."""
    mine, theirs = one.core.attempt, other.core.attempt
    return (
        mine in one.local
        and one.local[mine] == other.remote.get(theirs)
        and theirs in other.local
        and other.local[theirs] == one.remote.get(mine)
    )


def moves(one: Side, other: Side) -> dict[str, Callable[[], None]]:
    possible: dict[str, Callable[[], None]] = {}
    if other.outgoing:
        possible[f"{one.name} hears"] = partial(one.hear, other)
    if one.to_describe:
        possible[f"{one.name} describes"] = one.describe
    if one.to_gather:
        possible[f"{one.name} gathers"] = one.gather
    if one.core.phase is Phase.NEGOTIATING and fits(one, other):
        possible[f"{one.name} opens"] = one.open_channel
    if one.core.attempt > 1 and possible:
        possible[f"{one.name} hears of the past"] = one.hear_of_the_past
    return possible


def new_side(name: str, data: st.DataObject) -> Side:
    ports = data.draw(st.lists(st.integers(1, 9), max_size=4, unique=True))
    inside = data.draw(st.integers(0, len(ports)))
    side = Side(name, Handshake(offers=name.startswith("eva")), ports, inside)
    side.carry_out(side.core.start())
    return side


def play(evaluator: Side, client: Side, data: st.DataObject, limit: int = 1000) -> None:
    """Let hypothesis choose who does what next, until nothing is left to do or `limit` is up."""
    for _ in range(limit):
        possible = moves(evaluator, client) | moves(client, evaluator)
        if not possible:
            return
        possible[data.draw(st.sampled_from([*possible]))]()
    assert limit < 1000, "they don't come to rest"


def check_connected(evaluator: Side, client: Side) -> None:
    assert evaluator.core.phase is client.core.phase is Phase.CONNECTED
    assert fits(evaluator, client)
    assert evaluator.applied[evaluator.core.attempt] == client.usable()
    assert client.applied[client.core.attempt] == evaluator.usable()
    for side in (evaluator, client):
        assert side.discarded == set(range(1, side.core.attempt))


@given(st.data())
@LAW
def test_whatever_the_order_both_connect_with_each_candidate_once_and_in_order(
    data: st.DataObject,
) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    play(evaluator, client, data)
    check_connected(evaluator, client)


@given(st.data())
@LAW
def test_a_request_of_a_connected_client_leads_to_a_new_connection(data: st.DataObject) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    play(evaluator, client, data)
    client.say(RequestOffer())
    play(evaluator, client, data)
    assert evaluator.core.attempt == client.core.attempt == 2
    check_connected(evaluator, client)


@given(st.data())
@LAW
def test_a_client_that_is_restarted_at_any_moment_connects_again(data: st.DataObject) -> None:
    evaluator, client = new_side("eva0", data), new_side("cli0", data)
    for restart in range(1, data.draw(st.integers(1, 2)) + 1):
        play(evaluator, client, data, limit=data.draw(st.integers(0, 30)))
        old, client = client, new_side(f"cli{restart}", data)
        client.outgoing = old.outgoing  # what it had said is on its way still
        client.say(RequestOffer())
        if data.draw(st.booleans()):  # what was on its way to it is lost, or reaches the new one
            evaluator.outgoing.clear()
    play(evaluator, client, data)
    check_connected(evaluator, client)


def test_attempts_that_come_to_nothing_are_limited_and_a_connection_resets_the_count() -> None:
    evaluator = Handshake(offers=True)
    evaluator.start()
    request = RawJson('{"type":"request_offer"}')
    for _ in range(MAX_ATTEMPTS - 1):
        assert MakeOffer(evaluator.attempt + 1) in evaluator.receive(request)
    evaluator.opened(evaluator.attempt)
    assert MakeOffer(evaluator.attempt + 1) in evaluator.receive(request)
    for _ in range(MAX_ATTEMPTS - 1):
        assert MakeOffer(evaluator.attempt + 1) in evaluator.receive(request)
    (ended,) = evaluator.receive(request)
    assert isinstance(ended, Ended)
    assert ended.reason is EndReason.NEGOTIATION_FAILED
    assert "attempts" in ended.detail
