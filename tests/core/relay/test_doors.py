"""The relay's decisions where the pages of a participant have a door: which of them takes part."""

import pytest

from imgsync.core.protocol.numbers import FEATURE_WAITING
from imgsync.core.protocol.signalling import (
    ClientEntry,
    EndReason,
    ErrorCode,
    ErrorEvent,
    PeerAway,
    PeerBack,
    Presence,
    PresenceState,
    Registered,
    SessionEndedEvent,
    SessionStarted,
    Waiting,
)
from imgsync.core.relay.outputs import Probe, SideAway, SideBack
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    OFFLINE,
    WAITING,
    WITH_EVE,
    Grant,
    Relay,
    Said,
    grant,
    has_session,
    read_claims,
    refused,
    relay_with,
)

ALONE, BESIDE, TAKEN = Waiting(OFFLINE), Waiting(AVAILABLE), Waiting(BUSY)
BACK_BESIDE, BACK = Waiting(AVAILABLE, again=True), Waiting(BUSY, again=True)
CLAIMED = SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE)


def arrive(relay: Relay, *sockets: str, state: str = "waiting", its: Grant | None = None) -> Said:
    """Pages of Carl's link are opened."""
    said: Said = []
    for socket in sockets:
        token = {} if its is None else {"token": its.for_(CLIENT, "carl")}
        said += relay.register(socket, CLIENT, "carl", state=state, **token)[1:]
    return said


def with_eve(*sockets: str) -> Relay:
    """Eve, who knows pages that wait, and these of Carl."""
    relay = Relay()
    relay.register("e1", EVALUATOR, "eve", features=[FEATURE_WAITING])
    arrive(relay, *sockets)
    return relay


def state_of(said: Said, socket: str = "e1") -> list[PresenceState]:
    return [told.state for one, told in said if one == socket and isinstance(told, Presence)]


def test_a_page_waits_until_it_was_touched() -> None:
    relay = with_eve()
    said = relay.register("c1", CLIENT, "carl", state="waiting")
    assert said[1:] == [("c1", ALONE), ("e1", Presence("carl", WAITING, "carl"))]
    assert relay.enter("c1") == [("e1", Presence("carl", AVAILABLE, "carl"))]
    assert relay.start("e1", "carl")[0] == (
        "c1",
        SessionStarted("s1", evaluator_id="eve", evaluator_name="eve"),
    )


def test_no_session_starts_with_a_page_that_nobody_has_touched() -> None:
    relay = with_eve("c1", "c2")
    [(receiver, error)] = relay.start("e1", "carl", ref="r")
    assert isinstance(error, ErrorEvent)
    assert (receiver, error.code, error.ref) == ("e1", ErrorCode.CLIENT_BUSY, "r")
    assert "has not touched" in error.message
    # Whether it is in an old one, it can't say: another window may be, which is away.
    said = relay.start("e1", "carl", "old")
    assert refused(said, "e1", ErrorCode.UNKNOWN_CLIENT, "start_session")


def test_an_evaluator_that_knows_of_no_doors_sees_a_page_that_waits_as_busy() -> None:
    relay = relay_with(e1="eve")
    assert state_of(arrive(relay, "c1")) == [BUSY]
    [(_, registered)] = relay.register("e2", EVALUATOR, "eva")
    assert isinstance(registered, Registered)
    assert registered.clients == (ClientEntry("carl", BUSY, "carl"),)
    [(_, registered)] = relay.register("e3", EVALUATOR, "una", features=[FEATURE_WAITING])
    assert isinstance(registered, Registered)
    assert registered.clients == (ClientEntry("carl", WAITING, "carl"),)
    assert state_of(relay.enter("c1")) == [AVAILABLE]


def test_of_many_pages_the_one_that_was_touched_has_the_session_and_the_others_know() -> None:
    relay = with_eve("c1", "c2", "c3", "c4", "c5", "c6")
    others = ["c1", "c2", "c4", "c5", "c6"]
    assert relay.enter("c3")[:-1] == [(one, BESIDE) for one in others]
    said = relay.start("e1", "carl")
    assert [socket for socket, told in said if isinstance(told, SessionStarted)] == ["c3", "e1"]
    assert [socket for socket, told in said if told == TAKEN] == others
    assert has_session(relay, client="c3")


def test_where_the_one_that_was_touched_is_gone_the_next_touch_has_the_session() -> None:
    relay = with_eve("c1", "c2")
    relay.enter("c1")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    gone = relay.lose("c1")
    assert gone == [
        ("e1", PeerAway("s1", "carl")),
        ("c2", ALONE),
        ("e1", Presence("carl", WAITING, "carl")),
    ]
    said = relay.enter("c2")
    assert said[:2] == [("c2", WITH_EVE), ("e1", PeerBack("s1", "carl"))]
    assert state_of(said) == [BUSY]
    assert relay.noted == [SideBack("s1", CLIENT, "carl")]
    assert has_session(relay, client="c2")


def test_a_page_that_is_touched_takes_the_session_from_another_which_waits_from_then_on() -> None:
    relay = with_eve("c1", "c2")
    relay.enter("c1")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert relay.enter("c2") == [("c1", CLAIMED), ("c2", WITH_EVE), ("c1", BACK)]
    assert has_session(relay, client="c2")
    assert refused(relay.signal("c1", "eve"), "c1", ErrorCode.NO_SESSION, "webrtc_signal")
    # And back again.
    assert relay.enter("c1") == [("c2", CLAIMED), ("c1", WITH_EVE), ("c2", BACK)]
    assert relay.enter("c1") == []
    assert has_session(relay)


def test_a_page_that_is_touched_takes_the_place_of_another_that_has_no_session_yet() -> None:
    relay = with_eve("c1", "c2")
    relay.enter("c1")
    assert relay.enter("c2") == [("c1", BACK_BESIDE)]
    said = relay.start("e1", "carl")
    assert [socket for socket, told in said if isinstance(told, SessionStarted)] == ["c2", "e1"]


def test_a_client_without_a_door_is_not_sent_back_and_loses_a_session_to_a_touch_alone() -> None:
    relay = with_eve()
    relay.register("c1", CLIENT, "carl")
    arrive(relay, "c2")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert relay.enter("c2") == [("c1", CLAIMED), ("c2", WITH_EVE)]
    relay.end("e1", "s1")
    said = relay.start("e1", "carl")
    assert [one for one, told in said if isinstance(told, SessionStarted)] == ["c1", "c2", "e1"]
    # One that has none may say so, too.
    claimed = SessionEndedEvent("s2", EndReason.CLAIMED_ELSEWHERE)
    assert relay.enter("c1")[:2] == [("c2", claimed), ("c2", BACK)]


def test_a_page_that_comes_back_inside_does_not_wait() -> None:
    relay = with_eve("c1")
    relay.enter("c1")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    relay.lose("c1")
    assert arrive(relay, "c2", state="entered")[:1] == [("c2", WITH_EVE)]
    assert has_session(relay, client="c2")


@pytest.mark.parametrize("is_in_session", [True, False])
def test_of_two_that_come_back_inside_the_one_that_is_alive_stays(is_in_session: bool) -> None:
    relay = with_eve("c1")
    relay.enter("c1")
    if is_in_session:
        relay.start("e1", "carl")
        relay.signal("c1", "eve")
    arrive(relay, "c2", state="entered")
    assert relay.noted == [Probe("c1", "c2")]
    ended = [("c2", CLAIMED), ("c2", BACK)]
    assert relay.answer_probe("c1", "c2") == (ended if is_in_session else [("c2", BACK_BESIDE)])
    assert relay.answer_probe("c1", "c2") == []
    # That it was sent back is to be seen: it is not there for a session any more.
    relay.lose("c1")
    assert refused(relay.start("e1", "carl"), "e1", ErrorCode.CLIENT_BUSY, "start_session")


def test_a_page_that_waits_inherits_nothing() -> None:
    relay = with_eve()
    arrive(relay, "c1", state="entered")
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert arrive(relay, "c2") == [("c2", TAKEN)]
    relay.lose("c1")
    assert relay.noted == [SideAway("s1", CLIENT, "carl")]
    assert refused(
        relay.signal("c2", "eve", sessionId="s1"), "c2", ErrorCode.NO_SESSION, "webrtc_signal"
    )


def test_the_group_of_a_page_that_waits_does_not_count_where_another_has_entered() -> None:
    relay = Relay(
        RelayState(map("s{}".format, range(1, 9)).__next__, Terms(read_token=read_claims))
    )
    its = grant("A")
    relay.register("e1", EVALUATOR, "eve", token=its.for_(EVALUATOR, "eve"))
    arrive(relay, "c1", state="entered", its=its)
    # This one is in another group, which Eve does not see.
    assert state_of(arrive(relay, "c2", its=grant("B"))) == []
    # Touched, it is what there is of Carl; Eve's session stays where it may be.
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert state_of(relay.enter("c2")) == [OFFLINE]
    assert has_session(relay)


def test_only_a_client_can_enter_and_only_who_has_registered() -> None:
    relay = relay_with(e1="eve")
    assert refused(relay.enter("e1"), "e1", ErrorCode.FORBIDDEN, "enter")
    assert refused(relay.enter("x"), "x", ErrorCode.NOT_REGISTERED, "enter")
    said = relay.register("c1", CLIENT, "carl", state="at home")
    assert refused(said, "c1", ErrorCode.BAD_MESSAGE, "register")


def test_pages_that_wait_take_no_place_of_those_that_take_part() -> None:
    relay = relay_with()
    waiting = [f"c{number}" for number in range(MAX_SOCKETS_PER_USER)]
    arrive(relay, *waiting)
    said = relay.register("x", CLIENT, "carl", state="waiting")
    assert refused(said, "x", ErrorCode.RATE_LIMITED, "register")
    assert relay.enter("c0") == [(one, BESIDE) for one in waiting[1:]]
    assert arrive(relay, "y", state="entered") == []
