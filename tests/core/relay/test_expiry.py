"""The relay's decisions where sessions end with the tokens of their two sides."""

import math

import pytest

from imgsync.core.protocol.signalling import (
    EndReason,
    PeerAway,
    Presence,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import SessionOver
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_states import (
    AVAILABLE,
    GRACE,
    WITH_CARL,
    Relay,
    Said,
    come,
    grant,
    has_session,
    numbered,
    read_claims,
    relay_of_tokens,
)

OVER = [SessionOver("s1", EndReason.TOKEN_EXPIRED)]


def session_until(evaluator: float = math.inf, client: float = math.inf) -> Relay:
    """Eve on e1 with Carl on c1, whose tokens are good for so long."""
    relay = relay_of_tokens(
        e1=("eve", grant(expires_at=evaluator)), c1=("carl", grant(expires_at=client))
    )
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    return relay


def ended_by(user: str, session: str = "s1") -> SessionEndedEvent:
    return SessionEndedEvent(session, EndReason.TOKEN_EXPIRED, user)


def all_told(said: Said, user: str) -> bool:
    """Whether both are told that the session is over by this side's token, and it is."""
    ended = ended_by(user)
    return said == [("e1", ended), ("c1", ended), ("e1", Presence("carl", AVAILABLE, "carl"))]


@pytest.mark.parametrize(
    ("evaluator", "client", "due", "by"),
    [
        (100, math.inf, 100, "eve"),
        (math.inf, 100, 100, "carl"),
        (100, 200, 100, "eve"),
        (200, 100, 100, "carl"),
        (0.25, 0.5, 0.25, "eve"),
    ],
)
def test_a_session_ends_when_the_first_of_the_two_tokens_expires(
    evaluator: float, client: float, due: float, by: str
) -> None:
    relay = session_until(evaluator, client)
    assert relay.state.due == due
    assert all_told(relay.pass_grace(), by)
    assert relay.noted == OVER
    assert relay.state.due == math.inf
    assert relay.state.peer_of("e1")
    assert relay.state.peer_of("c1")


def test_where_tokens_say_nothing_of_it_sessions_outlive_them() -> None:
    relay = Relay(RelayState(numbered("s{}"), Terms(grace=GRACE, read_token=read_claims)))
    come(relay, e1=("eve", grant(expires_at=1)), c1=("carl", grant(expires_at=1)))
    relay.start("e1", "carl")
    assert relay.state.due == math.inf
    relay.now = 1e9
    assert relay.tick() == []
    relay.signal("c1", "eve")
    assert has_session(relay)


def test_without_a_session_nothing_is_due() -> None:
    relay = relay_of_tokens(e1=("eve", grant(expires_at=1)), c1=("carl", grant(expires_at=1)))
    assert relay.state.due == math.inf


def test_each_session_has_its_own_end() -> None:
    relay = relay_of_tokens(
        e1=("eve", grant()),
        c1=("carl", grant(expires_at=30)),
        c2=("cleo", grant(expires_at=10)),
        c3=("cy", grant(expires_at=20)),
    )
    for client in ("carl", "cleo", "cy"):
        relay.start("e1", client)
    over = []
    while relay.state.due < math.inf:
        said = relay.pass_grace()
        over += [
            message.by_user_id for _, message in said if isinstance(message, SessionEndedEvent)
        ]
    assert over == ["cleo", "cleo", "cy", "cy", "carl", "carl"]


def test_those_that_are_due_together_end_together() -> None:
    relay = session_until(evaluator=10)
    come(relay, c2=("cleo", grant()))
    relay.start("e1", "cleo")
    relay.now = 500
    said = relay.tick()
    assert {message for _, message in said if isinstance(message, SessionEndedEvent)} == {
        ended_by("eve", "s1"),
        ended_by("eve", "s2"),
    }
    assert relay.tick() == []


@pytest.mark.parametrize("side", ["e", "c"])
def test_a_newer_token_of_either_side_puts_the_end_off(side: str) -> None:
    user = {"e": "eve", "c": "carl"}[side]
    relay = session_until(**{"evaluator" if side == "e" else "client": 100})
    come(relay, **{f"{side}2": (user, grant(expires_at=300))})
    assert relay.state.due == 300
    # So it is where the newer connection is another window, or an older token comes after it.
    relay.answer_probe(f"{side}1", f"{side}2")
    come(relay, **{f"{side}3": (user, grant(expires_at=50))})
    relay.lose(f"{side}3")
    assert relay.state.due == 300
    assert has_session(relay)
    relay.now = 299
    assert relay.tick() == []


def test_a_token_by_which_a_side_may_not_be_in_the_session_puts_nothing_off() -> None:
    relay = relay_of_tokens(
        e1=("eve", grant("A", expires_at=100)), c1=("carl", grant("A", expires_at=200))
    )
    relay.start("e1", "carl")
    come(relay, e2=("eve", grant("B", expires_at=300)), c2=("carl", grant("B", expires_at=300)))
    assert relay.state.due == 100


def test_who_takes_a_session_up_by_its_id_brings_its_own_token() -> None:
    relay = relay_of_tokens(
        e2=("eve", grant(expires_at=300)),
        e1=("eve", grant(expires_at=100)),
        c1=("carl", grant()),
    )
    relay.start("e1", "carl")
    assert relay.state.due == 100
    assert ("e2", WITH_CARL) in relay.start("e2", "carl", "s1")
    assert relay.state.due == 300


def test_a_side_that_comes_back_with_a_fresh_token_goes_on() -> None:
    relay = session_until(client=100)
    relay.now = 90
    relay.lose("c1")
    relay.now = 95
    come(relay, c1=("carl", grant(expires_at=1000)))
    assert relay.state.due == 1000
    relay.signal("c1", "eve", sessionId="s1")
    assert has_session(relay)


@pytest.mark.parametrize(
    ("expires", "reason"),
    [(70, EndReason.TOKEN_EXPIRED), (69.5, EndReason.TOKEN_EXPIRED), (71, EndReason.PEER_GONE)],
)
def test_a_side_that_is_away_is_waited_for_until_the_token_expires_at_most(
    expires: float, reason: EndReason
) -> None:
    relay = session_until(evaluator=expires)
    relay.now = 11
    assert relay.lose("c1")[0] == ("e1", PeerAway("s1", "carl"))
    [(_, ended), *_] = relay.pass_grace()
    by = "eve" if reason is EndReason.TOKEN_EXPIRED else "carl"
    assert ended == SessionEndedEvent("s1", reason, by)
    assert relay.now == min(expires, 71)
    assert relay.state.due == math.inf


def test_a_session_that_was_ended_or_replaced_before_does_not_end_again() -> None:
    relay = session_until(evaluator=100, client=100)
    relay.end("e1", "s1")
    assert relay.state.due == math.inf
    relay.start("e1", "carl")
    relay.start("e1", "carl")
    relay.now = 100
    ended = [message for _, message in relay.tick() if isinstance(message, SessionEndedEvent)]
    assert ended == [ended_by("eve", "s3")] * 2


@pytest.mark.parametrize("named", [None, "s1"])
def test_a_session_that_is_started_with_an_expired_token_ends_at_once(named: str | None) -> None:
    relay = session_until(client=100)
    relay.pass_grace()
    relay.now = 150
    said = relay.start("e1", "carl", named)
    started = [message for _, message in said if isinstance(message, SessionStarted)]
    assert len(started) == 2
    assert relay.state.due <= relay.now
    ended = ended_by("carl", started[0].session_id)
    assert [m for _, m in relay.tick() if isinstance(m, SessionEndedEvent)] == [ended, ended]


def test_a_session_of_a_relay_before_this_one_ends_with_the_tokens_that_this_one_was_told() -> None:
    relay = relay_of_tokens(e1=("eve", grant()), c1=("carl", grant(expires_at=100)))
    relay.start("e1", "carl", "old")
    come(relay, c2=("carl", grant(expires_at=200)))
    assert relay.state.due == 200
    assert ("e1", ended_by("carl", "old")) in relay.pass_grace()
