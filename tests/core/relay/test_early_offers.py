"""The relay's decisions on offers that come right behind the start_session that they belong to."""

from __future__ import annotations

import pytest

from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    ErrorEvent,
    FromRelay,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.outputs import SignalDropped
from tests.kit.relay_states import (
    CLIENT,
    EVALUATOR,
    Relay,
    Said,
    relay_with,
    signal_from,
)

EARLY = ["ping", "early_offer"]


def relay_of(**windows: list[str]) -> Relay:
    """Eve on e1, and Carl on windows that speak this."""
    relay = relay_with(e1="eve")
    for socket, features in windows.items():
        relay.register(socket, CLIENT, "carl", features=features)
    return relay


def started(said: Said, socket: str) -> SessionStarted:
    [message] = [m for s, m in said if s == socket and isinstance(m, SessionStarted)]
    return message


def dropped(relay: Relay, said: Said) -> bool:
    return (said, relay.noted) == ([], [SignalDropped()])


def test_a_signal_goes_to_the_session_that_the_start_before_it_has_begun() -> None:
    relay = relay_of(c1=EARLY)
    said = relay.start("e1", "carl", ref="a")
    assert started(said, "e1").ref == "a"
    assert started(said, "c1").ref is None
    assert relay.signal("e1", "carl", 7, ref="a") == [("c1", signal_from("eve", "s1", 7))]
    # Whoever knows the id may say either.
    both = relay.signal("e1", "carl", 8, ref="a", sessionId="s1")
    assert both == [("c1", signal_from("eve", "s1", 8))]
    assert relay.signal("e1", "carl", 9, sessionId="s1") == [("c1", signal_from("eve", "s1", 9))]


def test_one_whose_start_was_refused_goes_to_nobody_and_is_not_refused_again() -> None:
    relay = relay_of(c1=EARLY)
    relay.register("e2", EVALUATOR, "eva")
    relay.start("e2", "carl", ref="a")
    [(socket, error)] = relay.start("e1", "carl", ref="a")
    assert socket == "e1"
    assert isinstance(error, ErrorEvent)
    assert (error.code, error.ref) == (ErrorCode.CLIENT_BUSY, "a")
    assert dropped(relay, relay.signal("e1", "carl", ref="a"))
    [(_, unknown)] = relay.start("e1", "nobody", ref="b")
    assert isinstance(unknown, ErrorEvent)
    assert (unknown.code, unknown.ref) == (ErrorCode.UNKNOWN_CLIENT, "b")
    assert dropped(relay, relay.signal("e1", "nobody", ref="b"))
    [(_, forbidden)] = relay.start("c1", "carl", ref="c")
    assert isinstance(forbidden, ErrorEvent)
    assert (forbidden.code, forbidden.ref) == (ErrorCode.FORBIDDEN, "c")
    [(_, stranger)] = relay.start("nobody", "carl", ref="d")
    assert isinstance(stranger, ErrorEvent)
    assert (stranger.code, stranger.ref) == (ErrorCode.NOT_REGISTERED, "d")
    [(_, signal)] = relay.signal("nobody", "carl", ref="d")
    assert isinstance(signal, ErrorEvent)
    assert (signal.code, signal.ref) == (ErrorCode.NOT_REGISTERED, None)


def test_one_of_a_start_that_was_refused_does_not_go_to_an_older_session_of_the_two() -> None:
    relay = relay_of(c1=EARLY)
    relay.start("e1", "carl", ref="a")
    # Refused, as its name is too long, and not the reason that matters here.
    long = "b" * 65
    [(_, error)] = relay.start("e1", "carl", ref=long)
    assert isinstance(error, ErrorEvent)
    assert error.code is ErrorCode.BAD_MESSAGE
    assert dropped(relay, relay.signal("e1", "carl", ref="b"))
    assert dropped(relay, relay.signal("e1", "carl", ref="b", sessionId="s1"))
    assert relay.signal("e1", "carl", ref="a") == [("c1", signal_from("eve", "s1"))]


def test_one_of_a_start_before_does_not_go_to_the_session_that_has_replaced_its_own() -> None:
    relay = relay_of(c1=EARLY)
    relay.start("e1", "carl", ref="a")
    said = relay.start("e1", "carl", ref="b")
    assert ("c1", SessionEndedEvent("s1", EndReason.REPLACED, "eve")) in said
    assert dropped(relay, relay.signal("e1", "carl", ref="a"))
    assert relay.signal("e1", "carl", ref="b") == [("c1", signal_from("eve", "s2"))]
    relay.end("c1", "s2")
    assert dropped(relay, relay.signal("e1", "carl", ref="b"))


def test_a_name_is_of_the_connection_that_has_given_it() -> None:
    relay = relay_of(c1=EARLY)
    relay.register("e2", EVALUATOR, "eve")
    relay.start("e1", "carl", ref="a")
    assert dropped(relay, relay.signal("e2", "carl", ref="a"))
    assert dropped(relay, relay.signal("c1", "eve", ref="a"))
    assert relay.signal("e1", "carl", ref="a") == [("c1", signal_from("eve", "s1"))]


@pytest.mark.parametrize(
    "windows", [{"c1": ["ping"]}, {"c1": EARLY, "c2": ["ping"]}, {"c1": [], "c2": EARLY}]
)
def test_where_one_window_does_not_take_it_so_early_nobody_gets_it(
    windows: dict[str, list[str]],
) -> None:
    relay = relay_of(**windows)
    said = relay.start("e1", "carl", ref="a")
    assert "early_offer" not in started(said, "e1").features
    assert dropped(relay, relay.signal("e1", "carl", ref="a"))
    to_all = [(window, signal_from("eve", "s1")) for window in windows]
    assert relay.signal("e1", "carl", sessionId="s1") == to_all
    # What was so at the start stays so, whoever has the session by now.
    relay.signal(next(iter(windows)), "eve")
    assert dropped(relay, relay.signal("e1", "carl", ref="a"))


def test_windows_that_all_take_it_get_it_all() -> None:
    relay = relay_of(c1=EARLY, c2=EARLY)
    assert started(relay.start("e1", "carl", ref="a"), "e1").features == tuple(EARLY)
    to_both = [("c1", signal_from("eve", "s1")), ("c2", signal_from("eve", "s1"))]
    assert relay.signal("e1", "carl", ref="a") == to_both


def test_a_session_that_is_taken_up_is_named_in_the_answer_and_by_its_id_alone() -> None:
    relay = relay_of(c1=EARLY)
    relay.start("e1", "carl", ref="a")
    relay.register("e2", EVALUATOR, "eve")
    said = relay.start("e2", "carl", "s1", ref="b")
    assert started(said, "e2").ref == "b"
    assert started(said, "c1").ref is None
    assert dropped(relay, relay.signal("e2", "carl", ref="b"))
    assert relay.signal("e2", "carl", sessionId="s1") == [("c1", signal_from("eve", "s1"))]


def test_whom_an_evaluator_can_not_hear_it_is_told_of_as_ever() -> None:
    relay = relay_of(c1=EARLY)
    relay.start("e1", "carl", ref="a")
    relay.lose("c1")
    [(_, error)] = relay.signal("e1", "carl", ref="a")
    assert isinstance(error, ErrorEvent)
    assert error.code is ErrorCode.NO_SESSION


def test_a_client_sees_nothing_of_a_name() -> None:
    plain, named = relay_of(c1=["ping"]), relay_of(c1=["ping"])
    expected = plain.start("e1", "carl")
    got = named.start("e1", "carl", ref="a")
    to_client: list[list[FromRelay]] = [
        [m for s, m in said if s == "c1"] for said in (expected, got)
    ]
    assert to_client[0] == to_client[1]
    assert started(expected, "e1").ref is None
