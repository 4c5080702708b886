"""The repair of a connection while one side or both are away from the relay, or have left for good.

Core by core, input by input.
"""

from collections.abc import Callable

import pytest

from imgsync.core.handshake.outputs import (
    Connected,
    Discard,
    Ended,
    Interrupted,
    MakeAnswer,
    MakeOffer,
    Output,
    Phase,
    Say,
    TakeUp,
)
from imgsync.core.handshake.patience import pause_after
from imgsync.core.protocol.numbers import ABSENCE_DEADLINE, ATTEMPT_DEADLINE, REPAIR_DEADLINE
from imgsync.core.protocol.signalling import CandidateSignal, EndReason, RequestOffer
from tests.kit.handshakes import (
    CHANCE,
    REQUEST,
    Core,
    answer,
    answerer,
    connected,
    interrupted,
    is_noted,
    offer,
    offerer,
    sdp,
    wait_for_end,
)

Make = Callable[[], Core]
LOST = EndReason.CONNECTION_LOST
GONE, SHUTDOWN = EndReason.PEER_GONE, EndReason.RELAY_SHUTDOWN
both = pytest.mark.parametrize("make", [offerer, answerer])


def lose(core: Core) -> list[Output]:
    return core.lost(core.attempt, LOST)


def is_claim(output: Output) -> bool:
    """Whether it tells the relay no more than where the session is."""
    match output:
        case Say(CandidateSignal(candidate=None)):
            return True
        case _:
            return False


def is_tried(outputs: list[Output]) -> bool:
    tries = [output for output in outputs if not is_claim(output)]
    return any(isinstance(output, MakeOffer | MakeAnswer | Say | TakeUp) for output in tries)


def is_pausing(core: Core) -> bool:
    """Whether it waits for as long as it does before its first request."""
    return core.phase is Phase.INTERRUPTED and core.due == core.now + pause_after(1, CHANCE)


# ── who waits, and for what ──────────────────────────────────────────────────────────────────────

Away = Callable[[Core], list[Output]]
AWAY: list[tuple[Away, Away]] = [
    (Core.signalling_lost, Core.signalling_back),
    (Core.peer_away, Core.peer_back),
]
whoever_is_away = pytest.mark.parametrize(("go", "come"), AWAY, ids=["we", "they"])


@both
@whoever_is_away
def test_a_connection_that_is_open_does_not_mind(make: Make, go: Away, come: Away) -> None:
    core = connected(make())
    assert not is_tried(go(core))
    assert not is_tried(come(core))
    assert core.phase is Phase.CONNECTED
    assert core.attempt == 1


@both
@whoever_is_away
def test_nothing_is_tried_while_one_side_is_away(make: Make, go: Away, come: Away) -> None:
    core = connected(make())
    go(core)
    assert lose(core) == [Interrupted(LOST), Discard(1)]
    assert core.phase is Phase.INTERRUPTED
    assert core.due == core.now + REPAIR_DEADLINE


@whoever_is_away
def test_an_evaluator_offers_when_both_are_there_again(go: Away, come: Away) -> None:
    core = connected(offerer())
    go(core)
    lose(core)
    assert come(core) == [MakeOffer(2)]
    assert core.due == core.now + ATTEMPT_DEADLINE


@whoever_is_away
def test_a_client_gives_the_evaluator_time_when_both_are_there_again(go: Away, come: Away) -> None:
    core = connected(answerer())
    go(core)
    lose(core)
    assert not is_tried(come(core))
    assert is_pausing(core)
    assert core.wait_due() == [Say(RequestOffer())]


@whoever_is_away
def test_a_client_does_so_however_often_it_has_asked_before(go: Away, come: Away) -> None:
    core = connected(answerer())
    lose(core)
    for _ in range(3):
        assert is_tried(core.wait_due())
    go(core)
    assert not is_tried(come(core))
    assert is_pausing(core)


@both
@whoever_is_away
def test_a_pause_that_ends_while_one_side_is_away_leads_to_nothing_until_it_is_back(
    make: Make, go: Away, come: Away
) -> None:
    core = connected(make())
    lose(core)
    if core.phase is Phase.NEGOTIATING:
        core.wait_due()
    go(core)
    assert core.wait_due() == []
    assert core.phase is Phase.INTERRUPTED
    assert core.due == REPAIR_DEADLINE
    assert is_tried(come(core)) or is_pausing(core)


@whoever_is_away
@pytest.mark.parametrize("was_connected", [False, True])
def test_an_evaluator_that_negotiates_offers_anew_when_both_are_there_again(
    go: Away, come: Away, was_connected: bool
) -> None:
    core = offerer()
    if was_connected:
        lose(connected(core))
        core.described(2, sdp("offer", "eva2"))
    attempt = core.attempt
    assert not is_tried(go(core))
    assert MakeOffer(attempt + 1) in come(core)
    assert core.phase is Phase.NEGOTIATING


@whoever_is_away
def test_a_client_that_negotiates_waits_for_the_offer(go: Away, come: Away) -> None:
    core = answerer()
    assert not is_tried(go(core) + come(core))
    assert core.receive(offer("eva2")) != []
    assert core.attempt == 2


@both
@whoever_is_away
def test_an_attempt_that_fails_while_one_side_is_away_is_not_repeated_until_it_is_back(
    make: Make, go: Away, come: Away
) -> None:
    core = connected(make())
    lose(core)
    core.receive(offer("eva2"))
    go(core)
    assert core.wait_due() == [Discard(core.attempt)]
    assert core.wait_due() == []
    assert core.due == REPAIR_DEADLINE
    assert is_tried(come(core)) or is_pausing(core)


def test_both_have_to_be_there() -> None:
    core = connected(offerer())
    core.peer_away()
    core.signalling_lost()
    lose(core)
    # The relay says next whether the other side is away; an offer that is lost is made up for.
    core.signalling_back()
    core.peer_away()
    assert core.wait_due() == [Discard(core.attempt)]
    assert core.wait_due() == []
    assert is_tried(core.peer_back())


@pytest.mark.parametrize("prepare", [lambda core: core, interrupted])
def test_while_we_are_away_nothing_is_tried_whatever_is_heard_of_the_other_side(
    prepare: Callable[[Core], Core],
) -> None:
    core = prepare(offerer())
    core.signalling_lost()
    assert core.peer_back() == []
    assert is_tried(core.signalling_back())


def test_a_relay_that_has_us_still_is_no_news() -> None:
    core = connected(offerer())
    lose(core)
    assert core.signalling_back() == []
    assert core.attempt == 2


@both
def test_the_relay_comes_back_to_a_side_whose_first_connection_is_not_there_yet(make: Make) -> None:
    core = make()
    core.signalling_lost()
    assert core.phase is Phase.NEGOTIATING
    core.signalling_back()
    core.receive(offer("eva2"))
    core.described(2, sdp("answer", "ours2").replace("active", "passive"))
    core.receive(answer("cli2"))
    assert core.opened(2) == [Connected(2)]


@both
def test_without_a_relay_the_first_connection_has_its_deadline_still(make: Make) -> None:
    core = make()
    core.signalling_lost()
    assert wait_for_end(core) == [Ended(EndReason.SIGNALLING_LOST)]


# ── a relay that knows the session no more ───────────────────────────────────────────────────────


def test_an_evaluator_has_a_session_that_was_forgotten_taken_up_before_it_offers() -> None:
    core = connected(offerer())
    assert is_noted(core.session_ended(GONE))
    assert lose(core)[-1] == TakeUp()
    assert core.phase is Phase.INTERRUPTED
    assert core.signalling_back()[-1] == MakeOffer(2)


def test_a_client_waits_until_a_session_that_was_forgotten_is_taken_up() -> None:
    core = connected(answerer())
    core.session_ended(GONE)
    assert lose(core) == [Interrupted(LOST), Discard(1)]
    assert core.due == core.now + REPAIR_DEADLINE
    core.signalling_back()
    assert is_pausing(core)


@both
def test_a_session_that_was_taken_up_while_the_channel_was_open_is_an_ordinary_one(
    make: Make,
) -> None:
    core = connected(make())
    core.session_ended(GONE)
    said = core.signalling_back()
    # Of the client's windows, the relay does not know which has the channel.
    assert [is_claim(output) for output in said] == ([True] if make is answerer else [])
    outputs = lose(core)
    assert TakeUp() not in outputs
    assert is_tried(outputs) or is_pausing(core)


@both
def test_the_relay_ends_what_is_interrupted_when_the_other_side_did_not_come_back(
    make: Make,
) -> None:
    negotiating = connected(make())
    lose(negotiating)
    negotiating.receive(offer("eva2"))
    assert negotiating.phase is Phase.NEGOTIATING
    for core in (interrupted(make()), negotiating):
        assert core.session_ended(GONE) == [Ended(GONE)]


@both
def test_a_relay_that_stops_ends_no_repair(make: Make) -> None:
    core = interrupted(make())
    assert is_noted(core.session_ended(SHUTDOWN))
    core.signalling_lost()
    assert core.phase is Phase.INTERRUPTED
    outputs = core.signalling_back()
    assert is_tried(outputs) or is_pausing(core)


# ── an end is told from an absence ───────────────────────────────────────────────────────────────


@both
def test_who_closes_the_connection_may_have_left_or_be_away(make: Make) -> None:
    core = connected(make())
    [interruption, *rest] = core.left(1)
    assert interruption == Interrupted(LOST, "the other side has closed the connection")
    assert rest == [Discard(1)]
    assert core.due == core.now + ABSENCE_DEADLINE
    assert core.phase is Phase.INTERRUPTED


@both
def test_who_is_still_at_the_relay_when_the_verdict_is_due_has_left(make: Make) -> None:
    core = connected(make())
    core.left(1)
    assert core.wait_due() == [Ended(EndReason.ENDED, "the other side has left")]


@both
@pytest.mark.parametrize("first", ["away", "left"])
def test_who_has_lost_the_relay_too_is_waited_for(make: Make, first: str) -> None:
    core = connected(make())
    if first == "away":
        core.peer_away()
    core.left(1)
    core.peer_away()
    assert core.wait(ABSENCE_DEADLINE) == []
    assert core.phase is Phase.INTERRUPTED
    outputs = core.peer_back()
    assert is_tried(outputs) or is_pausing(core)


@both
def test_who_was_away_and_is_back_before_the_verdict_has_not_left(make: Make) -> None:
    core = connected(make())
    core.left(1)
    core.peer_away()
    core.peer_back()
    if core.phase is Phase.NEGOTIATING:
        lose(core)
    assert core.phase is Phase.INTERRUPTED
    assert not any(isinstance(output, Ended) for output in core.wait(ABSENCE_DEADLINE))


def test_a_client_that_asks_for_an_offer_has_not_left() -> None:
    core = connected(offerer())
    core.left(1)
    assert MakeOffer(2) in core.receive(REQUEST)
    lose(core)
    assert not any(isinstance(output, Ended) for output in core.wait(ABSENCE_DEADLINE))


def test_an_evaluator_that_offers_has_not_left() -> None:
    core = connected(answerer())
    core.left(1)
    core.receive(offer("eva2"))
    assert core.phase is Phase.NEGOTIATING
    lose(core)
    assert not any(isinstance(output, Ended) for output in core.wait(ABSENCE_DEADLINE))


@both
def test_there_is_no_verdict_on_the_other_side_without_a_relay_of_ours(make: Make) -> None:
    core = connected(make())
    core.left(1)
    core.signalling_lost()
    assert core.wait(ABSENCE_DEADLINE) == []
    assert core.due == REPAIR_DEADLINE
    outputs = core.signalling_back()
    assert is_tried(outputs) or is_pausing(core)


def test_there_is_no_verdict_on_the_other_side_in_a_session_that_the_relay_has_forgotten() -> None:
    evaluator, client = connected(offerer()), connected(answerer())
    for core in (evaluator, client):
        core.session_ended(GONE)
        core.left(1)
    assert evaluator.wait(ABSENCE_DEADLINE) == [TakeUp()]
    assert client.wait(ABSENCE_DEADLINE) == []
    for core in (evaluator, client):
        assert core.due == REPAIR_DEADLINE


@both
def test_who_leaves_before_there_was_a_connection_is_noticed_by_the_deadline(make: Make) -> None:
    core = make()
    assert core.left(1) == []
    assert core.phase is Phase.NEGOTIATING


@both
def test_a_reset_of_who_has_lost_the_relay_is_an_absence_and_else_the_end(make: Make) -> None:
    core, other = connected(make()), connected(make())
    core.peer_away()
    assert core.lost(1, EndReason.ENDED)[-1] == Discard(1)
    assert core.wait(2 * ABSENCE_DEADLINE) == []
    outputs = core.peer_back()
    assert is_tried(outputs) or is_pausing(core)
    other.peer_away()
    other.peer_back()
    assert other.lost(1, EndReason.ENDED) == [Ended(EndReason.ENDED)]


# ── a channel that is closed, and nobody knows how ───────────────────────────────────────────────


@both
def test_a_bare_close_is_in_doubt_and_its_connection_is_kept_meanwhile(make: Make) -> None:
    core = connected(make())
    assert core.bare_close(1) == [Interrupted(LOST, "the other side has closed the channel")]
    assert core.due == core.now + ABSENCE_DEADLINE
    assert core.phase is Phase.INTERRUPTED


@both
def test_in_doubt_nothing_said_is_an_end_and_what_is_said_is_what_it_is(make: Make) -> None:
    silent, told = (connected(make()) for _ in range(2))
    for core in (silent, told):
        core.bare_close(1)
    assert silent.wait_due() == [Ended(EndReason.ENDED, "the other side closed the channel")]
    told.wait(ABSENCE_DEADLINE / 2)
    assert told.session_ended(EndReason.ENDED) == [Ended(EndReason.ENDED)]


@both
def test_in_doubt_the_loss_of_the_relay_is_an_absence(make: Make) -> None:
    core = connected(make())
    core.bare_close(1)
    core.peer_away()
    assert core.wait(2 * ABSENCE_DEADLINE) == []
    outputs = core.peer_back()
    assert is_tried(outputs) or is_pausing(core)


@both
def test_in_doubt_a_connection_that_fails_is_repaired(make: Make) -> None:
    core = connected(make())
    core.bare_close(1)
    core.wait(ABSENCE_DEADLINE / 2)
    outputs = core.lost(1, EndReason.CONNECTION_LOST)
    assert outputs[0] == Discard(1)
    assert is_tried(outputs) or is_pausing(core)
    core.wait(ABSENCE_DEADLINE)
    assert core.phase is not Phase.ENDED


@both
def test_in_doubt_a_connection_that_is_closed_on_purpose_settles_nothing(make: Make) -> None:
    core = connected(make())
    core.bare_close(1)
    assert core.left(1) == []
    assert core.wait_due() == [Ended(EndReason.ENDED, "the other side closed the channel")]


@both
def test_a_bare_close_before_the_channel_was_open_is_left_to_the_deadline(make: Make) -> None:
    core = make()
    assert core.bare_close(1) == []
    assert core.phase is Phase.NEGOTIATING


@both
def test_another_attempt_settles_the_doubt(make: Make) -> None:
    core = connected(make())
    core.bare_close(1)
    core.receive(REQUEST if make is offerer else offer("eva2"))
    assert core.phase is Phase.NEGOTIATING
    core.wait(ABSENCE_DEADLINE)
    assert core.phase is Phase.NEGOTIATING
