"""The relay's decisions within a session: signals, the claim of one socket, and the end."""

import pytest

from imgsync.core.protocol.numbers import MAX_DETAIL
from imgsync.core.protocol.signalling import (
    PEER_REASONS,
    EndReason,
    ErrorCode,
    ForwardedSignal,
    Presence,
    RawJson,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import Probe, SessionAnswered, SessionOver
from tests.kit.relay_states import (
    AVAILABLE,
    CLIENT,
    EVALUATOR,
    Relay,
    refused,
    relay_with,
    signal_from,
)

# ── webrtc_signal ────────────────────────────────────────────────────────────────────────────────


def test_a_signal_is_forwarded_to_the_letter_with_the_relays_word_for_the_sender() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    raw = r'{"b" : 1.50, "a":"\u00e9", "a":[1e5 ]}'
    text = (
        '{"event":"webrtc_signal","data":{"fromUserId":"mallory","targetUserId":"carl",'
        f'"signal":{raw}}}}}'
    )
    assert relay.receive("e1", text) == [("c1", ForwardedSignal("eve", RawJson(raw), "s1"))]


def test_signals_are_for_the_two_of_a_live_session_only() -> None:
    relay = relay_with(e1="eve", e2="ada", e3="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    relay.start("e2", "cleo")
    for socket, target in [
        ("e1", "cleo"),  # another's client
        ("e1", "eve"),
        ("e1", "ada"),
        ("e1", "nobody"),
        ("e2", "carl"),
        ("e3", "carl"),  # the same evaluator, but not the socket that has the session
        ("c1", "ada"),
        ("c1", "cleo"),
        ("c1", "carl"),
    ]:
        outputs = relay.signal(socket, target)
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal"), (socket, target)


def test_a_session_id_that_is_named_has_to_be_the_live_one() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    relay.start("e1", "carl")
    relay.start("e1", "cleo")
    for session in ("s1", "s3", "s9"):
        for socket, target in (("e1", "carl"), ("c1", "eve")):
            outputs = relay.signal(socket, target, sessionId=session)
            assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.signal("e1", "carl", sessionId="s2") == [("c1", signal_from("eve", "s2"))]
    assert relay.signal("c1", "eve", sessionId="s2") == [("e1", signal_from("carl", "s2"))]


def test_after_the_end_there_is_no_session_to_signal_in() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    relay.end("c1", "s1")
    for socket, target in (("e1", "carl"), ("c1", "eve")):
        outputs = relay.signal(socket, target)
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "webrtc_signal")


# ── several sockets of one client ────────────────────────────────────────────────────────────────


def claimed_by_c2() -> Relay:
    relay = relay_with(e1="eve", c1="carl", c2="carl", c3="carl")
    relay.start("e1", "carl")
    relay.signal("c2", "eve")
    return relay


def test_all_sockets_of_a_client_are_in_the_session_until_one_claims_it() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl", c3="carl")
    started = SessionStarted("s1", evaluator_id="eve", evaluator_name="eve")
    outputs = relay.start("e1", "carl")
    assert outputs[:3] == [("c1", started), ("c2", started), ("c3", started)]
    signal = signal_from("eve", "s1")
    assert relay.signal("e1", "carl") == [("c1", signal), ("c2", signal), ("c3", signal)]
    claimed = SessionEndedEvent("s1", EndReason.CLAIMED_ELSEWHERE)
    assert relay.signal("c2", "eve") == [
        ("c1", claimed),
        ("c3", claimed),
        ("e1", signal_from("carl", "s1")),
    ]
    assert relay.signal("e1", "carl") == [("c2", signal)]
    assert relay.signal("c2", "eve") == [("e1", signal_from("carl", "s1"))]


def test_a_refused_signal_claims_nothing() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    relay.signal("c1", "eve", sessionId="s9")
    relay.signal("c1", "ada")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c1", "c2"]


def test_who_lost_the_claim_is_out_of_the_session() -> None:
    relay = claimed_by_c2()
    outputs = relay.signal("c1", "eve", sessionId="s1")
    assert refused(outputs, "c1", ErrorCode.NO_SESSION, "webrtc_signal")
    outputs = relay.end("c1", "s1")
    assert refused(outputs, "c1", ErrorCode.NO_SESSION, "end_session")
    assert relay.lose("c1") == []
    assert relay.signal("e1", "carl") == [("c2", signal_from("eve", "s1"))]


def test_a_socket_that_comes_later_is_not_in_the_session() -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    relay.register("c2", CLIENT, "carl")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c1"]
    outputs = relay.signal("c2", "eve")
    assert refused(outputs, "c2", ErrorCode.NO_SESSION, "webrtc_signal")


def test_a_new_session_is_offered_to_all_sockets_again() -> None:
    relay = claimed_by_c2()
    outputs = relay.start("e1", "carl")
    ended = [s for s, message in outputs if isinstance(message, SessionEndedEvent)]
    started = [s for s, message in outputs if isinstance(message, SessionStarted)]
    assert ended == ["e1", "c2"]
    assert started == ["c1", "c2", "c3", "e1"]


# ── end_session and lost ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("socket", "user"), [("e1", "eve"), ("c1", "carl")])
def test_either_side_ends_the_session_for_both(socket: str, user: str) -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    ended = SessionEndedEvent("s1", EndReason.ENDED, user)
    assert relay.end(socket, "s1") == [
        ("e1", ended),
        ("c1", ended),
        ("e1", Presence("carl", AVAILABLE, "carl")),
    ]
    assert relay.noted == [SessionOver("s1", EndReason.ENDED)]
    outputs = relay.end(socket, "s1")
    assert refused(outputs, socket, ErrorCode.NO_SESSION, "end_session")


@pytest.mark.parametrize("reason", [*PEER_REASONS, None])
@pytest.mark.parametrize("detail", ["no path", "é" * MAX_DETAIL, "", None])
def test_a_peers_reason_and_detail_go_on_to_both_sides(
    reason: EndReason | None, detail: str | None
) -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    said = None if reason is None else reason.value
    outputs = relay.end("c1", "s1", reason=said, detail=detail)
    ended = SessionEndedEvent("s1", reason or EndReason.ENDED, "carl", detail)
    assert outputs[:2] == [("e1", ended), ("c1", ended)]
    assert relay.noted == [SessionOver("s1", reason or EndReason.ENDED)]


RELAYS_OWN = [reason.value for reason in EndReason if reason not in PEER_REASONS]
WORDS: list[object] = [*RELAYS_OWN, "ENDED", "", "none", 1, True, ["ended"], {}]
TEXTS: list[object] = ["x" * (MAX_DETAIL + 1), "a\nb", "\x1b[31m", 7, []]
BAD = [*(("reason", word) for word in WORDS), *(("detail", text) for text in TEXTS)]


@pytest.mark.parametrize(("name", "bad"), BAD)
def test_what_is_not_a_peers_to_say_is_refused_and_ends_nothing(name: str, bad: object) -> None:
    relay = relay_with(e1="eve", c1="carl")
    relay.start("e1", "carl")
    outputs = relay.end("c1", "s1", **{name: bad})
    assert refused(outputs, "c1", ErrorCode.BAD_MESSAGE, "end_session")
    assert relay.noted == []
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "s1"))]


def test_nobody_else_ends_a_session() -> None:
    relay = relay_with(e1="eve", e2="ada", e3="eve", c1="carl", c2="cleo")
    relay.start("e1", "carl")
    for socket in ("e2", "e3", "c2"):
        outputs = relay.end(socket, "s1")
        assert refused(outputs, socket, ErrorCode.NO_SESSION, "end_session")
        assert relay.noted == []
    assert relay.signal("e1", "carl") == [("c1", signal_from("eve", "s1"))]


def test_the_end_is_told_to_all_sockets_of_a_client_that_has_not_answered() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    ended = SessionEndedEvent("s1", EndReason.ENDED, "carl")
    assert relay.end("c2", "s1")[:3] == [("e1", ended), ("c1", ended), ("c2", ended)]


def test_a_socket_that_never_registered_is_lost_without_a_word() -> None:
    relay = relay_with(e1="eve", c1="carl")
    assert relay.lose("new") == []
    assert relay.lose("c1") != []
    assert relay.lose("c1") == []


def test_a_lost_socket_says_nothing_while_others_are_in_the_session() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    assert relay.lose("c1") == []
    assert relay.noted == []
    assert relay.signal("e1", "carl") == [("c2", signal_from("eve", "s1"))]


def test_the_first_word_of_the_client_is_noted_once() -> None:
    relay = relay_with(e1="eve", c1="carl", c2="carl")
    relay.start("e1", "carl")
    noted = []
    for socket, target in (("e1", "carl"), ("c1", "ada"), ("c2", "eve"), ("c2", "eve")):
        relay.signal(socket, target)
        noted.append(relay.noted)
    assert noted == [[], [], [SessionAnswered("s1")], []]
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    assert relay.noted == [SessionAnswered("s2")]


def test_the_older_sockets_of_a_user_are_probed_when_it_opens_another_one() -> None:
    relay = relay_with(e1="sam", c1="sam", c2="carl")
    relay.register("c3", CLIENT, "sam")
    assert relay.noted == [Probe("c1", "c3")]
    relay.register("c4", CLIENT, "sam")
    assert relay.noted == [Probe("c1", "c4"), Probe("c3", "c4")]
    relay.register("e2", EVALUATOR, "sam")
    assert relay.noted == [Probe("e1", "e2")]
    relay.lose("c1")
    relay.register("c5", CLIENT, "sam")
    assert relay.noted == [Probe("c3", "c5"), Probe("c4", "c5")]
    relay.register("c5", CLIENT, "sam")  # refused
    assert relay.noted == []
