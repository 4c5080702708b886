"""The handshake of one core, input by input: the way it goes, and the next attempt."""

from collections.abc import Callable

import pytest

from imgsync.core.codec.codec import encode_signal
from imgsync.core.handshake.outputs import (
    AddCandidate,
    ApplyAnswer,
    Connected,
    Discard,
    MakeAnswer,
    MakeOffer,
    Phase,
    Say,
)
from imgsync.core.handshake.sdp import Candidate, parse_description
from imgsync.core.protocol.numbers import ANSWER_DEADLINES, ATTEMPT_DEADLINE, CONNECT_DEADLINE
from imgsync.core.protocol.signalling import Answer, CandidateSignal, EndReason, Offer, RawJson
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

# ── the way it goes ──────────────────────────────────────────────────────────────────────────────


def test_the_evaluator_offers_at_once() -> None:
    core = Core(offers=True)
    assert core.start() == [MakeOffer(1)]
    assert core.due == ATTEMPT_DEADLINE
    assert core.phase is Phase.NEGOTIATING
    text = sdp("offer", "eva1")
    assert core.described(1, text) == [Say(Offer(text))]


def test_the_client_makes_nothing_before_the_offer() -> None:
    core = Core(offers=False)
    assert core.start() == []
    assert core.due == CONNECT_DEADLINE
    assert core.phase is Phase.IDLE
    text = sdp("offer", "eva1")
    core.wait(1)
    assert core.receive(offer("eva1")) == [MakeAnswer(1, parse_description("offer", text))]
    assert core.due == core.now + CONNECT_DEADLINE
    text = sdp("answer", "cli1")
    assert core.described(1, text) == [Say(Answer(text))]


def test_the_evaluator_applies_the_answer() -> None:
    core = offerer()
    text = sdp("answer", "cli1")
    assert core.receive(answer("cli1")) == [ApplyAnswer(1, parse_description("answer", text))]


@pytest.mark.parametrize("make", [offerer, answerer])
def test_an_open_channel_means_connected(make: Callable[[], Core]) -> None:
    core = make()
    assert core.opened(1) == [Connected(1)]
    assert core.phase is Phase.CONNECTED


def test_our_candidates_wait_for_our_description_and_name_it() -> None:
    core = Core(offers=True)
    core.start()
    assert core.gathered(1, line(7)) == []
    assert core.gathered(1, line(8)) == []
    text = sdp("offer", "eva1")
    assert core.described(1, text) == [
        Say(Offer(text)),
        Say(CandidateSignal(line(7), "0", 0, "eva1")),
        Say(CandidateSignal(line(8), "0", 0, "eva1")),
    ]
    assert core.due == core.now + ANSWER_DEADLINES[0]
    assert core.gathered(1, line(9)) == [Say(CandidateSignal(line(9), "0", 0, "eva1"))]
    assert core.gathered(1, None) == [Say(CandidateSignal(None, "0", 0, "eva1"))]


def test_their_candidates_are_applied_at_once_when_their_description_is_there() -> None:
    core = answerer()
    assert core.receive(candidate(7, "eva1")) == [AddCandidate(1, Candidate(line(7)))]
    assert added(core.receive(candidate(8))) == [(1, 8)]
    core.opened(1)
    assert added(core.receive(candidate(9, "eva1"))) == [(1, 9)]


@pytest.mark.parametrize("ufrag", ["them", None])
@pytest.mark.parametrize("place", range(4))
def test_a_candidate_that_comes_before_its_description_waits_for_it(
    place: int, ufrag: str | None
) -> None:
    evaluator, client = offerer(), Core(offers=False)
    client.start()
    for core, description in ((client, offer("them")), (evaluator, answer("them"))):
        signals = [candidate(1, ufrag), candidate(2, ufrag), candidate(None, ufrag)]
        signals.insert(place, description)
        outputs = [core.receive(signal) for signal in signals]
        assert not any(outputs[:place])
        assert [entry for part in outputs for entry in added(part)] == [(1, 1), (1, 2), (1, None)]


def test_a_candidate_that_waited_is_not_applied_to_the_next_attempt_too() -> None:
    core = Core(offers=False)
    core.start()
    core.receive(candidate(1))
    core.receive(candidate(2, "eva1"))
    assert added(core.receive(offer("eva1"))) == [(1, 1), (1, 2)]
    assert added(core.receive(offer("eva2"))) == []


def test_candidates_inside_a_description_come_before_those_that_waited_for_it() -> None:
    core = Core(offers=False)
    core.start()
    core.receive(candidate(3, "eva1"))
    core.receive(candidate(4))
    outputs = core.receive(offer("eva1", 1, 2, complete=True))
    assert added(outputs) == [(1, 1), (1, 2), (1, 3), (1, 4), (1, None)]
    made = next(output for output in outputs if isinstance(output, MakeAnswer))
    assert "a=candidate" not in made.offer.sdp
    assert outputs.index(made) < outputs.index(AddCandidate(1, Candidate(line(1))))


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
def test_a_new_offer_replaces_the_connection(prepare: Callable[[Core], Core]) -> None:
    core = prepare(answerer())
    deadline = ATTEMPT_DEADLINE if core.was_connected else CONNECT_DEADLINE
    core.wait(1)
    assert core.receive(offer("eva2"))[core.was_connected :] == [
        Discard(1),
        MakeAnswer(2, parse_description("offer", sdp("offer", "eva2"))),
    ]
    assert core.due == core.now + deadline
    assert core.phase is Phase.NEGOTIATING


@pytest.mark.parametrize("prepare", [lambda core: core, connected])
def test_a_request_for_an_offer_gets_a_new_one_whose_answer_replaces_the_connection(
    prepare: Callable[[Core], Core],
) -> None:
    core = prepare(offerer())
    core.receive(answer("cli1"))
    core.wait(1)
    assert core.receive(REQUEST)[core.was_connected :] == [MakeOffer(2)]
    assert core.due == core.now + ATTEMPT_DEADLINE
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
    prepare: Callable[[Core], Core],
) -> None:
    evaluator, client = prepare(offerer()), prepare(answerer())
    is_repair = client.was_connected
    for core in (evaluator, client):
        core.wait(ANSWER_DEADLINES[0] - 1)
    evaluator.receive(REQUEST)
    client.receive(offer("eva2"))
    for core in (evaluator, client):
        assert core.described(1, sdp("offer", "late")) == []
        assert core.gathered(1, line(9)) == []
        assert core.gathered(1, None) == []
        assert core.opened(1) == []
        assert core.lost(1, EndReason.CONNECTION_LOST) == []
        is_short = is_repair or core is evaluator
        assert core.due == core.now + (ATTEMPT_DEADLINE if is_short else CONNECT_DEADLINE)
        assert core.phase is Phase.NEGOTIATING


def test_our_candidates_of_an_earlier_attempt_do_not_go_out_with_the_next() -> None:
    core = Core(offers=True)
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
    evaluator.described(2, sdp("offer", "eva2", mid="2"))
    assert is_noted(evaluator.receive(answer("cli1")))
    assert added(evaluator.receive(answer("cli2", 8, mid="2"))) == [(2, 8)]


def test_an_answer_that_comes_twice_is_applied_once() -> None:
    core = offerer()
    assert len(core.receive(answer("cli1"))) == 1
    assert is_noted(core.receive(answer("cli1")))


def test_an_answer_before_our_offer_went_out_is_dropped() -> None:
    core = Core(offers=True)
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
    evaluator.described(2, sdp("offer", "eva2", mid="2"))
    assert is_noted(evaluator.receive(answer("cli1")))
    outputs = evaluator.receive(answer("cli2", mid="2"))
    applied = [output for output in outputs if isinstance(output, ApplyAnswer)]
    assert [output.answer.ufrag for output in applied] == ["cli2"]
