"""The relay's decisions when a socket is lost: the grace time and the return."""

import math

import pytest

from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    PeerAway,
    PeerBack,
    Presence,
    Role,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import SessionBegan, SessionOver, SideAway, SideBack
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    GRACE,
    OFFLINE,
    WITH_CARL,
    WITH_EVE,
    has_session,
    in_session,
    join,
    refused,
    relay_with,
)

CARL_AWAY, EVE_AWAY = SideAway("s1", CLIENT, "carl"), SideAway("s1", EVALUATOR, "eve")
CARL_BACK, EVE_BACK = SideBack("s1", CLIENT, "carl"), SideBack("s1", EVALUATOR, "eve")


# ── away ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_lost_client_is_away_and_its_session_is_kept() -> None:
    relay = in_session(e2="ada")
    assert relay.lose("c1") == [
        ("e1", PeerAway("s1", "carl")),
        ("e1", Presence("carl", OFFLINE, "carl")),
        ("e2", Presence("carl", OFFLINE, "carl")),
    ]
    assert relay.noted == [CARL_AWAY]


def test_a_lost_evaluator_is_away_in_each_of_its_sessions_and_its_clients_stay_busy() -> None:
    relay = in_session(e2="ada", c2="cleo", c3="other")
    relay.start("e1", "cleo")
    assert relay.lose("e1") == [("c1", PeerAway("s1", "eve")), ("c2", PeerAway("s2", "eve"))]
    assert relay.noted == [EVE_AWAY, SideAway("s2", EVALUATOR, "eve")]
    assert relay.state.peer_of("e1") is None
    assert refused(relay.start("e2", "carl"), "e2", ErrorCode.CLIENT_BUSY, "start_session")


def test_every_socket_of_a_client_that_has_not_answered_is_told_of_the_evaluator() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    away, back = PeerAway("s1", "eve"), PeerBack("s1", "eve")
    assert relay.lose("e1") == [("c1", away), ("c2", away)]
    assert join(relay, e2="eve")[1:] == [("e2", WITH_CARL), ("c1", back), ("c2", back)]


@pytest.mark.parametrize(("gone", "there", "target"), [("c1", "e1", "carl"), ("e1", "c1", "eve")])
def test_a_signal_to_a_side_that_is_away_is_refused_and_the_session_lives(
    gone: str, there: str, target: str
) -> None:
    relay = in_session()
    relay.lose(gone)
    for named in ({}, {"sessionId": "s1"}):
        outputs = relay.signal(there, target, **named)
        assert refused(outputs, there, ErrorCode.NO_SESSION, "webrtc_signal")
        assert relay.noted == []
    join(relay, **{f"{gone[0]}9": target})
    assert has_session(relay, *(("e9", "c1") if gone == "e1" else ("e1", "c9")))


def test_a_signal_that_is_refused_claims_nothing_and_is_no_answer() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.lose("e1")
    relay.signal("c1", "eve")
    assert relay.noted == []
    relay.register("e1", EVALUATOR, "eve")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c1", "c2"]


@pytest.mark.parametrize(
    ("gone", "there", "target", "clients"), [("c1", "e1", "eve", []), ("e1", "c1", "carl", ["e2"])]
)
def test_a_side_ends_the_session_while_the_other_is_away(
    gone: str, there: str, target: str, clients: list[str]
) -> None:
    relay = in_session(e2="ada")
    relay.lose(gone)
    presence = Presence("carl", AVAILABLE, "carl")
    assert relay.end(there, "s1") == [
        (there, SessionEndedEvent("s1", EndReason.ENDED, target)),
        *((socket, presence) for socket in clients),
    ]
    assert relay.noted == [SessionOver("s1", EndReason.ENDED)]
    back = join(relay, **{gone: "carl" if gone == "c1" else "eve"})
    assert not [message for _, message in back if isinstance(message, SessionStarted)]


def test_an_evaluator_can_start_anew_while_it_was_away_itself() -> None:
    relay = in_session(e2="eve")
    relay.lose("e1")
    ended = SessionEndedEvent("s1", EndReason.REPLACED, "eve")
    assert relay.start("e2", "carl") == [
        ("c1", ended),
        ("c1", SessionStarted("s2", evaluator_id="eve", evaluator_name="eve")),
        ("e2", SessionStarted("s2", client_id="carl")),
    ]
    assert relay.noted == [
        SessionOver("s1", EndReason.REPLACED),
        SessionBegan("s2", "eve", "carl", resumed=False),
    ]


@pytest.mark.parametrize(("socket", "session"), [("e1", None), ("e1", "s9"), ("e2", None)])
def test_nobody_starts_a_session_with_a_client_that_is_away(
    socket: str, session: str | None
) -> None:
    relay = in_session(e2="ada")
    relay.lose("c1")
    outputs = relay.start(socket, "carl", session)
    assert refused(outputs, socket, ErrorCode.UNKNOWN_CLIENT, "start_session")
    assert relay.noted == []
    relay.register("c2", CLIENT, "carl")
    assert has_session(relay, client="c2")


# ── back ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_that_is_back_is_in_its_session_and_the_other_side_is_told() -> None:
    relay = in_session(e2="ada")
    relay.lose("c1")
    outputs = relay.register("c2", CLIENT, "carl")
    assert outputs[1:] == [
        ("c2", WITH_EVE),
        ("e1", PeerBack("s1", "carl")),
        ("e1", Presence("carl", BUSY, "carl")),
        ("e2", Presence("carl", BUSY, "carl")),
    ]
    assert relay.noted == [CARL_BACK]
    assert has_session(relay, client="c2")


def test_an_evaluator_that_is_back_is_in_all_its_sessions() -> None:
    relay = in_session(c2="cleo")
    relay.start("e1", "cleo")
    relay.lose("e1")
    assert relay.register("e2", EVALUATOR, "eve")[1:] == [
        ("e2", WITH_CARL),
        ("c1", PeerBack("s1", "eve")),
        ("e2", SessionStarted("s2", client_id="cleo", resumed=True)),
        ("c2", PeerBack("s2", "eve")),
    ]
    assert relay.noted == [EVE_BACK, SideBack("s2", EVALUATOR, "eve")]
    assert has_session(relay, "e2")


@pytest.mark.parametrize(("user", "role"), [("carl", EVALUATOR), ("eve", CLIENT), ("kim", CLIENT)])
def test_only_the_same_user_in_the_same_role_is_back(user: str, role: Role) -> None:
    relay = in_session()
    relay.lose("c1")
    outputs = relay.register("x", role, user)
    assert not [message for _, message in outputs if isinstance(message, SessionStarted | PeerBack)]
    assert relay.noted == []


@pytest.mark.parametrize("first", ["c1", "e1"])
def test_where_both_are_away_each_is_told_of_the_other_when_it_is_back(first: str) -> None:
    relay = in_session()
    relay.lose("e1")
    assert relay.lose("c1") == []
    assert relay.noted == [CARL_AWAY]
    if first == "c1":
        outputs = relay.register("c1", CLIENT, "carl")
        assert outputs[1:] == [("c1", WITH_EVE), ("c1", PeerAway("s1", "eve"))]
        assert relay.noted == [CARL_BACK]
        outputs = relay.register("e1", EVALUATOR, "eve")
        assert outputs[1:] == [("e1", WITH_CARL), ("c1", PeerBack("s1", "eve"))]
        assert relay.noted == [EVE_BACK]
    else:
        outputs = relay.register("e1", EVALUATOR, "eve")
        assert outputs[1:] == [("e1", WITH_CARL), ("e1", PeerAway("s1", "carl"))]
        assert relay.noted == [EVE_BACK]
        outputs = relay.register("c1", CLIENT, "carl")
        assert outputs[1:3] == [("c1", WITH_EVE), ("e1", PeerBack("s1", "carl"))]
        assert relay.noted == [CARL_BACK]
    assert has_session(relay)


def test_a_side_can_go_and_come_back_as_often_as_it_likes() -> None:
    relay = in_session()
    for number in range(2, 6):
        relay.lose(f"c{number - 1}")
        assert relay.noted == [CARL_AWAY]
        relay.register(f"c{number}", CLIENT, "carl")
        assert relay.noted == [CARL_BACK]
    assert has_session(relay, client="c5")


# ── the grace time passes ────────────────────────────────────────────────────────────────────────


def test_when_the_grace_time_of_a_client_has_passed_its_session_ends() -> None:
    relay = in_session(e2="ada")
    relay.lose("c1")
    ended = SessionEndedEvent("s1", EndReason.PEER_GONE, "carl")
    assert relay.pass_grace() == [("e1", ended)]
    assert relay.noted == [SessionOver("s1", EndReason.PEER_GONE)]
    outputs = relay.register("c1", CLIENT, "carl")
    available = Presence("carl", AVAILABLE, "carl")
    assert outputs[1:] == [("e1", available), ("e2", available)]
    assert relay.noted == []


def test_when_the_grace_time_of_an_evaluator_has_passed_its_client_is_free_again() -> None:
    relay = in_session(e2="ada")
    relay.lose("e1")
    assert relay.pass_grace() == [
        ("c1", SessionEndedEvent("s1", EndReason.PEER_GONE, "eve")),
        ("e2", Presence("carl", AVAILABLE, "carl")),
    ]
    assert relay.register("e1", EVALUATOR, "eve")[1:] == []
    assert len(relay.start("e2", "carl")) == 4


@pytest.mark.parametrize("sockets", [("c1", "e1"), ("e1", "c1")])
@pytest.mark.parametrize("between", [0, 1])
def test_where_both_are_away_the_first_whose_time_is_over_ends_the_session_without_a_word(
    sockets: tuple[str, str], between: float
) -> None:
    relay = in_session()
    for socket in sockets:
        relay.lose(socket)
        relay.now += between
    assert relay.state.due == GRACE
    assert relay.pass_grace() == []
    assert relay.noted == [SessionOver("s1", EndReason.PEER_GONE)]
    assert relay.state.due == math.inf
    assert not join(relay, e1="eve", c1="carl")[1:-2]


def test_one_session_of_an_evaluator_that_is_away_can_end_before_the_others() -> None:
    relay = in_session(c2="cleo", e2="eve")
    relay.answer_probe("e1", "e2")
    relay.start("e2", "cleo")
    relay.lose("e1")
    relay.now += 1
    relay.lose("e2")
    relay.pass_grace()
    assert relay.state.due == GRACE + 1
    outputs = relay.register("e3", EVALUATOR, "eve")
    assert outputs[1:] == [
        ("e3", SessionStarted("s2", client_id="cleo", resumed=True)),
        ("c2", PeerBack("s2", "eve")),
    ]


def test_nobody_is_waited_for_who_is_here() -> None:
    relay = in_session()
    assert relay.state.due == math.inf
    relay.lose("c1")
    assert relay.state.due == GRACE
    relay.now = GRACE / 2
    relay.register("c1", CLIENT, "carl")
    assert relay.state.due == math.inf
    assert relay.state.tick(2 * GRACE) == []
    assert has_session(relay)


def test_a_side_that_goes_again_is_waited_for_anew() -> None:
    relay = in_session()
    relay.lose("c1")
    relay.now = GRACE - 1
    relay.register("c1", CLIENT, "carl")
    relay.lose("c1")
    assert relay.state.due == 2 * GRACE - 1


def test_a_late_look_at_the_clock_ends_all_sessions_whose_time_is_over_in_order() -> None:
    relay = in_session(e2="ada", c2="cleo", c3="kim")
    relay.start("e2", "cleo")
    relay.start("e2", "kim")
    for socket in ("c2", "c1", "c3"):
        relay.lose(socket)
        relay.now += 1
    assert relay.noted != []
    relay.now = GRACE + 1
    relay.tick()
    gone = EndReason.PEER_GONE
    assert relay.noted == [SessionOver("s2", gone), SessionOver("s1", gone)]
    assert relay.state.due == GRACE + 2
