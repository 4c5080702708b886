"""Who is told new ICE servers, and when."""

import math

from imgsync.core.codec.codec import encode_event
from imgsync.core.protocol.numbers import FEATURE_ICE_SERVERS
from imgsync.core.protocol.signalling import (
    IceServer,
    IceServersChanged,
    Presence,
    Register,
    Registered,
    Role,
)
from imgsync.core.relay.outputs import Output, Send
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms

LIFE = 1000.0


class Relay:
    """A state whose servers say for whom they are, and which they are."""

    def __init__(self, life: float = LIFE) -> None:
        self.named = 0
        self.state = RelayState(lambda: "s", Terms(ice_servers=self.servers, ice_life=life))

    def servers(self, user_id: str) -> list[IceServer]:
        self.named += 1
        return [IceServer("turn:t", f"{user_id} {self.named}", "c")]

    def register(
        self, socket: int, user: str, now: float, *features: str, role: Role = Role.CLIENT
    ) -> list[Output]:
        message = Register(user, role, "webrtc", features=features)
        return self.state.receive(socket, encode_event(message), now)


def told(outputs: list[Output]) -> list[tuple[object, str | None]]:
    """To which socket, and for whom."""
    return [
        (output.socket, output.message.ice_servers[0].username)
        for output in outputs
        if isinstance(output, Send) and isinstance(output.message, IceServersChanged)
    ]


def test_who_wants_it_is_told_new_ones_before_half_of_their_life_is_over_and_again() -> None:
    relay = Relay()
    relay.register(1, "a", 0.0, FEATURE_ICE_SERVERS)
    relay.register(2, "e", 100.0, "x", FEATURE_ICE_SERVERS, role=Role.EVALUATOR)
    for round_ in range(5):
        at = relay.state.due
        assert at == (round_ + 1) * 400.0
        assert relay.state.tick(at - 1) == []
        assert told(relay.state.tick(at)) == [(1, f"a {3 + 2 * round_}")]
        assert relay.state.due == at + 100.0
        assert told(relay.state.tick(at + 100.0)) == [(2, f"e {4 + 2 * round_}")]


def test_those_that_are_due_together_are_told_together() -> None:
    relay = Relay()
    for socket in range(5):
        relay.register(socket, f"u{socket}", socket / 10, FEATURE_ICE_SERVERS)
    assert [socket for socket, _ in told(relay.state.tick(400.25))] == [0, 1, 2]
    assert relay.state.due == 400.3


def test_who_does_not_ask_for_it_or_has_gone_is_told_nothing() -> None:
    relay = Relay()
    relay.register(1, "a", 0.0)
    relay.register(2, "b", 0.0, "ping")
    assert relay.state.due == math.inf
    relay.register(3, "c", 0.0, FEATURE_ICE_SERVERS)
    relay.state.lost(3, 1.0)
    assert relay.state.due == math.inf
    assert relay.state.renew(2.0) == relay.state.tick(1e9) == []


def test_what_never_expires_is_told_anew_only_when_it_is_another() -> None:
    relay = Relay(math.inf)
    relay.register(1, "a", 0.0, FEATURE_ICE_SERVERS)
    relay.register(2, "b", 0.0)
    relay.register(3, "c", 0.0, FEATURE_ICE_SERVERS)
    assert relay.state.due == math.inf
    assert told(relay.state.renew(50.0)) == [(1, "a 4"), (3, "c 5")]


def test_who_is_told_because_they_are_others_is_due_a_whole_pause_later() -> None:
    relay = Relay()
    relay.register(1, "a", 0.0, FEATURE_ICE_SERVERS)
    relay.register(2, "b", 10.0, FEATURE_ICE_SERVERS)
    assert len(told(relay.state.renew(300.0))) == 2
    assert relay.state.due == 700.0


def test_the_name_of_the_feature_is_for_the_relay_and_not_passed_on() -> None:
    relay = Relay()
    relay.register(1, "e", 0.0, role=Role.EVALUATOR)
    outputs = relay.register(2, "c", 0.0, "ping", FEATURE_ICE_SERVERS, "else")
    sent = [output.message for output in outputs if isinstance(output, Send)]
    assert [message.features for message in sent if isinstance(message, Presence)] == [
        ("ping", "else")
    ]
    late = relay.register(3, "f", 0.0, role=Role.EVALUATOR)
    [registered] = [output.message for output in late if isinstance(output, Send)]
    assert isinstance(registered, Registered)
    assert registered.clients is not None
    assert [client.features for client in registered.clients] == [("ping", "else")]
