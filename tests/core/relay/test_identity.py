"""The relay's decisions on who somebody is: tokens, names, and how many sockets a user may have."""

import pytest

from imgsync.core.protocol.errors import Unauthorized
from imgsync.core.protocol.numbers import RELAY_FEATURES
from imgsync.core.protocol.signalling import (
    ClientEntry,
    CloseCode,
    ErrorCode,
    Register,
    Registered,
    Role,
    SessionStarted,
)
from imgsync.core.relay.identity import Claims, identify
from imgsync.core.relay.outputs import Close, Probe
from imgsync.core.relay.registry import MAX_SOCKETS_PER_USER
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_states import CLIENT, EVALUATOR, Relay, join, numbered, refused, relay_with

TOKENS = {
    "carl's": Claims("carl", CLIENT),
    "carl's with a name": Claims("carl", CLIENT, "Mr Carl"),
    "eve's": Claims("eve", EVALUATOR, "Dr Eve"),
}


def read_token(token: str) -> Claims:
    try:
        return TOKENS[token]
    except KeyError:
        raise Unauthorized("the token is no token of ours; ask for one") from None


def guarded() -> Relay:
    return Relay(RelayState(numbered("s{}"), Terms(read_token=read_token)))


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("role", "user", "more"),
    [
        (CLIENT, "carl", {}),
        (CLIENT, "carl", {"token": ""}),
        (CLIENT, "carl", {"token": "forged"}),
        (CLIENT, "carl", {"token": "eve's"}),
        (CLIENT, "eve", {"token": "eve's"}),
        (EVALUATOR, "carl", {"token": "carl's"}),
        (EVALUATOR, "carl", {"token": "eve's"}),
        (CLIENT, "Carl", {"token": "carl's"}),
        (CLIENT, "carl ", {"token": "carl's"}),
    ],
)
def test_who_can_not_prove_who_it_is_is_shut_out_and_nothing_is_registered(
    role: Role, user: str, more: dict[str, str]
) -> None:
    relay = guarded()
    relay.register("e0", EVALUATOR, "eve", token="eve's")
    outputs = relay.register("x", role, user, **more)
    assert refused(outputs, "x", ErrorCode.UNAUTHORIZED, "register")
    assert relay.noted == [Close("x", CloseCode.UNAUTHORIZED, "unauthorized")]
    assert relay.state.peer_of("x") is None
    assert relay.lose("x") == []
    [(_, registered)] = relay.register("e1", EVALUATOR, "eve", token="eve's")
    assert isinstance(registered, Registered)
    assert registered.clients == ()


def test_who_is_shut_out_gets_no_session_back_and_sends_no_probe() -> None:
    relay = guarded()
    relay.register("e1", EVALUATOR, "eve", token="eve's")
    relay.register("c1", CLIENT, "carl", token="carl's")
    relay.start("e1", "carl")
    relay.lose("c1")
    assert len(relay.register("c2", CLIENT, "carl", token="forged")) == 1
    assert not any(isinstance(output, Probe) for output in relay.noted)
    outputs = relay.register("c3", CLIENT, "carl", token="carl's")
    assert any(isinstance(message, SessionStarted) for _, message in outputs)


def test_a_refusal_does_not_repeat_the_token() -> None:
    relay = guarded()
    assert "S3CR3T" not in repr(relay.register("x", CLIENT, "carl", token="S3CR3T"))
    assert "S3CR3T" not in repr(relay.noted)


def test_a_token_that_was_read_lets_its_bearer_in() -> None:
    relay = guarded()
    [(socket, registered)] = relay.register("c1", CLIENT, "carl", token="carl's")
    assert (socket, registered) == (
        "c1",
        Registered("carl", CLIENT, "carl", (), features=RELAY_FEATURES),
    )
    assert relay.noted == []


def test_a_relay_that_asks_for_no_token_does_not_read_one() -> None:
    relay = Relay()
    [(_, registered)] = relay.register("c1", CLIENT, "carl", token="forged")
    assert isinstance(registered, Registered)


# ── names ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"token": "carl's"}, "carl"),
        ({"token": "carl's", "name": ""}, "carl"),
        ({"token": "carl's", "name": "Carlo"}, "Carlo"),
        ({"token": "carl's with a name"}, "Mr Carl"),
        ({"token": "carl's with a name", "name": "Carlo"}, "Mr Carl"),
    ],
)
def test_the_name_in_a_token_goes_before_the_one_that_is_said_and_that_before_the_id(
    said: dict[str, str], expected: str
) -> None:
    relay = guarded()
    [(_, registered)] = relay.register("c1", CLIENT, "carl", **said)
    assert isinstance(registered, Registered)
    assert registered.name == expected
    [(_, registered)] = relay.register("e1", EVALUATOR, "eve", token="eve's")
    assert isinstance(registered, Registered)
    assert registered.clients is not None
    assert [entry.name for entry in registered.clients] == [expected]
    assert ("c1", SessionStarted("s1", "eve", "Dr Eve")) in relay.start("e1", "carl")


def test_the_latest_name_of_a_client_is_the_one_that_is_shown() -> None:
    relay = Relay()
    relay.register("c1", CLIENT, "carl", name="Carl")
    relay.register("c2", CLIENT, "carl", name="Carlo")

    def shown() -> tuple[ClientEntry, ...]:
        [(_, registered)] = relay.register("e1", EVALUATOR, "eve")
        relay.lose("e1")
        assert isinstance(registered, Registered)
        return registered.clients or ()

    assert [entry.name for entry in shown()] == ["Carlo"]
    relay.lose("c2")
    assert [entry.name for entry in shown()] == ["Carl"]


def test_identify_says_what_a_token_says() -> None:
    register = Register("carl", CLIENT, "webrtc", "Carlo", "carl's")
    assert identify(register, None) == Claims("carl", CLIENT, "Carlo")
    assert identify(register, read_token) == Claims("carl", CLIENT, "Carlo")
    with pytest.raises(Unauthorized, match="another user or role"):
        identify(Register("carl", EVALUATOR, "webrtc", token="carl's"), read_token)


# ── sockets of one user ──────────────────────────────────────────────────────────────────────────


def crowded() -> Relay:
    """Carl has as many sockets as he may have, c1 to c8."""
    relay = relay_with(e1="eve")
    join(relay, **{f"c{number}": "carl" for number in range(1, MAX_SOCKETS_PER_USER + 1)})
    return relay


def test_a_user_has_so_many_sockets_and_no_more() -> None:
    relay = crowded()
    outputs = relay.register("c0", CLIENT, "carl")
    assert refused(outputs, "c0", ErrorCode.RATE_LIMITED, "register")
    *probes, close = relay.noted
    assert close == Close("c0", CloseCode.RATE_LIMITED, "too many connections")
    # One that is dead gives way to who tries again.
    assert all(isinstance(probe, Probe) for probe in probes)
    assert len(probes) == MAX_SOCKETS_PER_USER
    assert relay.state.peer_of("c0") is None
    assert relay.lose("c0") == []
    assert relay.lose("c1") == []


def test_the_others_are_untouched_by_a_socket_too_many() -> None:
    relay = crowded()
    relay.start("e1", "carl")
    relay.register("c0", CLIENT, "carl")
    assert [socket for socket, _ in relay.signal("e1", "carl")] == [
        f"c{number}" for number in range(1, MAX_SOCKETS_PER_USER + 1)
    ]


def test_other_users_and_the_same_user_in_the_other_role_have_their_own_number() -> None:
    relay = crowded()
    assert isinstance(relay.register("c0", CLIENT, "cleo")[0][1], Registered)
    assert isinstance(relay.register("e2", EVALUATOR, "carl")[0][1], Registered)


def test_when_one_is_lost_the_user_can_register_again() -> None:
    relay = crowded()
    relay.lose("c3")
    assert isinstance(relay.register("c0", CLIENT, "carl")[0][1], Registered)
    assert refused(relay.register("c9", CLIENT, "carl"), "c9", ErrorCode.RATE_LIMITED, "register")


def test_the_number_of_sockets_is_the_operators_choice() -> None:
    relay = Relay(RelayState(numbered("s{}"), Terms(max_sockets_per_user=1)))
    relay.register("c1", CLIENT, "carl")
    outputs = relay.register("c2", CLIENT, "carl")
    assert refused(outputs, "c2", ErrorCode.RATE_LIMITED, "register")
