"""The relay's decisions on whom an evaluator sees, and on what a client speaks.

Eve's token lets her see less than everybody; Ann's is without a limit.
"""

from __future__ import annotations

from typing import Any

import pytest

from imgsync.core.protocol.numbers import MAX_FEATURE, MAX_FEATURES
from imgsync.core.protocol.signalling import (
    EndReason,
    ErrorCode,
    PeerAway,
    PeerBack,
    Presence,
    PresenceState,
    Registered,
    SessionEndedEvent,
    SessionStarted,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.outputs import SideAway, Socket
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    OFFLINE,
    WITH_CARL,
    WITH_EVE,
    Grant,
    Relay,
    Said,
    come,
    grant,
    has_session,
    join,
    refused,
    relay_of_tokens,
    relay_with,
)

ALL, A, B = grant(), grant("A"), grant("B")


def clients_of(said: Said) -> list[str]:
    """Whom an evaluator is told of when it registers."""
    [(_, registered), *others] = said
    assert others == []
    assert isinstance(registered, Registered)
    return [entry.user_id for entry in registered.clients or ()]


def carl(state: PresenceState) -> Presence:
    return Presence("carl", state, "carl")


def is_unknown(relay: Relay, evaluator: str, client: str, session: str | None = None) -> bool:
    """Whether it is answered as if there were no such client, to the letter."""
    said = relay.start(evaluator, client, session)
    nobody = relay.start(evaluator, "nobody at all", session)
    assert relay.noted == []
    [(_, told)], [(_, known)] = said, nobody
    assert repr(told).replace(repr(client), "X") == repr(known).replace("'nobody at all'", "X")
    return refused(said, evaluator, ErrorCode.UNKNOWN_CLIENT, "start_session")


# ── whom an evaluator sees ───────────────────────────────────────────────────────────────────────

#: By the evaluator's grant, which of the three are seen: carl in A, cleo in B, and cy in none.
SEEN: list[tuple[Grant, str]] = [
    (ALL, "carl cleo cy"),
    (A, "carl"),
    (B, "cleo"),
    (grant("a"), ""),
    (grant("A "), ""),
    (grant(None, "carl"), "carl"),
    (grant(None, "cy", "carl", "who never comes"), "carl cy"),
    (grant(None, "CARL"), ""),
    (Grant(None, frozenset()), ""),
    (grant("A", "carl", "cleo"), "carl"),
    (grant("A", "cleo", "cy"), ""),
    (Grant("A", frozenset()), ""),
]


@pytest.mark.parametrize(("its", "seen"), SEEN)
@pytest.mark.parametrize("first", ["the evaluator", "the clients"])
def test_an_evaluator_is_told_of_and_may_start_with_whom_its_token_lets_it_see(
    its: Grant, seen: str, first: str
) -> None:
    relay = relay_of_tokens()
    clients = {"c1": ("carl", A), "c2": ("cleo", B), "c3": ("cy", ALL)}
    if first == "the clients":
        come(relay, **clients)
        told = clients_of(come(relay, e1=("eve", its)))
    else:
        assert clients_of(come(relay, e1=("eve", its))) == []
        said = [message for socket, message in come(relay, **clients) if socket == "e1"]
        told = [message.user_id for message in said if isinstance(message, Presence)]
    assert told == seen.split()
    for socket, (user, _) in clients.items():
        if user in told:
            assert [s for s, _ in relay.start("e1", user)] == [socket, "e1", "e1"]
        else:
            assert is_unknown(relay, "e1", user)
    for socket, (user, _) in clients.items():
        heard = [s for s, message in relay.lose(socket) if isinstance(message, Presence)]
        assert heard == (["e1"] if user in told else [])


def test_what_a_client_that_is_not_seen_does_is_told_to_others_alone() -> None:
    relay = relay_of_tokens(e1=("eve", A), e2=("ann", ALL), c1=("carl", B))
    for said in (
        relay.start("e2", "carl"),
        relay.signal("c1", "ann"),
        relay.lose("c1"),
        come(relay, c1=("carl", B)),
        relay.end("e2", "s1"),
    ):
        assert said
        assert "e1" not in [socket for socket, _ in said]


def test_a_busy_client_that_is_not_seen_is_unknown_and_not_busy() -> None:
    relay = relay_of_tokens(e1=("eve", A), e2=("ann", ALL), c1=("carl", B))
    relay.start("e2", "carl")
    assert is_unknown(relay, "e1", "carl")
    assert is_unknown(relay, "e1", "carl", "s1")
    assert refused(relay.signal("e1", "carl"), "e1", ErrorCode.NO_SESSION, "webrtc_signal")
    assert refused(relay.end("e1", "s1"), "e1", ErrorCode.NO_SESSION, "end_session")


def test_where_everybody_is_believed_everybody_is_seen() -> None:
    relay = Relay()
    relay.register("c1", CLIENT, "carl", token=B.for_(CLIENT, "carl"))
    said = relay.register("e1", EVALUATOR, "eve", token=A.for_(EVALUATOR, "eve"))
    assert clients_of(said) == ["carl"]


def test_the_group_of_an_evaluator_and_the_list_of_a_client_limit_nobody_else() -> None:
    relay = relay_of_tokens(c1=("carl", grant(None, "nobody")), e1=("eve", A))
    assert clients_of(come(relay, e2=("ann", ALL))) == ["carl"]
    assert [socket for socket, _ in relay.start("e2", "carl")] == ["c1", "e2", "e2"]


# ── a client that changes its group ──────────────────────────────────────────────────────────────


def two_groups() -> Relay:
    return relay_of_tokens(ea=("eve", A), eb=("ben", B), e2=("ann", ALL), c1=("carl", A))


def test_a_client_that_comes_back_in_another_group_is_seen_by_others() -> None:
    relay = two_groups()
    assert relay.lose("c1") == [("ea", carl(OFFLINE)), ("e2", carl(OFFLINE))]
    assert come(relay, c1=("carl", B))[1:] == [("eb", carl(AVAILABLE)), ("e2", carl(AVAILABLE))]


def test_a_client_is_in_the_group_of_its_newest_connection() -> None:
    relay = two_groups()
    said = come(relay, c2=("carl", B))
    assert said[1:] == [("ea", carl(OFFLINE)), ("eb", carl(AVAILABLE))]
    assert is_unknown(relay, "ea", "carl")
    assert relay.lose("c2") == [("ea", carl(AVAILABLE)), ("eb", carl(OFFLINE))]
    assert is_unknown(relay, "eb", "carl")
    # The older one goes: nothing is new.
    come(relay, c2=("carl", B))
    assert relay.lose("c1") == []


def test_a_client_in_no_group_any_more_is_gone_for_who_sees_a_group() -> None:
    relay = two_groups()
    assert come(relay, c2=("carl", ALL))[1:] == [("ea", carl(OFFLINE))]


def test_a_session_goes_on_when_its_client_is_in_another_group_elsewhere() -> None:
    relay = two_groups()
    relay.start("ea", "carl")
    relay.signal("c1", "eve")
    said = come(relay, c2=("carl", B))
    # The other group learns that it is busy; who is in a session with it, that it is to be seen no
    # more. The new connection is told of no session that it can have no part in.
    assert said[1:] == [("ea", carl(OFFLINE)), ("eb", carl(BUSY))]
    assert relay.answer_probe("c1", "c2") == []
    assert has_session(relay, "ea")
    assert refused(relay.start("eb", "carl"), "eb", ErrorCode.CLIENT_BUSY, "start_session")
    out = relay.signal("c2", "eve", sessionId="s1")
    assert refused(out, "c2", ErrorCode.NO_SESSION, "webrtc_signal")
    assert refused(relay.end("c2", "s1"), "c2", ErrorCode.NO_SESSION, "end_session")
    assert relay.lose("c1") == [("ea", PeerAway("s1", "carl"))]
    ended = SessionEndedEvent("s1", EndReason.PEER_GONE, "carl")
    assert relay.pass_grace()[0] == ("ea", ended)


# ── several connections of one user, with several tokens ─────────────────────────────────────────


def test_a_session_is_offered_to_those_windows_alone_that_the_evaluator_sees() -> None:
    relay = relay_of_tokens(e1=("eve", B), c1=("carl", A), c2=("carl", B))
    assert [socket for socket, _ in relay.start("e1", "carl")] == ["c2", "e1", "e1"]
    assert [socket for socket, _ in relay.signal("e1", "carl")] == ["c2"]
    out = relay.signal("c1", "eve", sessionId="s1")
    assert refused(out, "c1", ErrorCode.NO_SESSION, "webrtc_signal")


def test_each_connection_of_an_evaluator_sees_what_its_own_token_says() -> None:
    relay = relay_of_tokens(e1=("eve", A), c1=("carl", A), c2=("cleo", B))
    assert clients_of(come(relay, e2=("eve", B))) == ["cleo"]
    assert is_unknown(relay, "e1", "cleo")
    assert is_unknown(relay, "e2", "carl")
    relay.start("e1", "carl")
    assert is_unknown(relay, "e2", "carl", "s1")
    assert relay.lose("e2") == []
    assert relay.signal("c1", "eve") != []


def test_a_newer_connection_that_may_not_see_the_client_does_not_inherit_its_session() -> None:
    relay = relay_of_tokens(e1=("eve", A), c1=("carl", A))
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    [_] = come(relay, e2=("eve", B))
    assert relay.answer_probe("e1", "e2") == []
    [_] = come(relay, e3=("eve", B))
    for named in ({}, {"sessionId": "s1"}):
        out = relay.signal("e3", "carl", **named)
        assert refused(out, "e3", ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.lose("e1") == [("c1", PeerAway("s1", "eve"))]
    assert relay.noted == [SideAway("s1", EVALUATOR, "eve")]
    # Who may see it again has it again.
    assert come(relay, e4=("eve", A))[1:] == [("e4", WITH_CARL), ("c1", PeerBack("s1", "eve"))]
    assert has_session(relay, "e4")


def test_of_several_successors_the_last_that_may_have_the_session_inherits() -> None:
    relay = relay_of_tokens(e1=("eve", A), c1=("carl", A))
    relay.start("e1", "carl")
    come(relay, e2=("eve", ALL), e3=("eve", B))
    assert ("e2", WITH_CARL) in relay.lose("e1")


def test_who_may_not_be_with_the_window_that_takes_the_session_succeeds_nobody_any_more() -> None:
    relay = relay_of_tokens(e1=("eve", ALL), c1=("carl", A))
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    come(relay, e2=("eve", A), c2=("carl", B))
    # Until one of the two has taken it, either may.
    relay.signal("c2", "eve", sessionId="s1")
    out = relay.signal("e2", "carl", sessionId="s1")
    assert refused(out, "e2", ErrorCode.NO_SESSION, "webrtc_signal")
    assert relay.lose("e1") == [("c2", PeerAway("s1", "eve"))]


def test_the_same_the_other_way_round() -> None:
    relay = relay_of_tokens(e1=("eve", ALL), c1=("carl", A))
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    come(relay, e2=("eve", A), c2=("carl", B), c3=("carl", A))
    relay.signal("e2", "carl", sessionId="s1")
    out = relay.signal("c2", "eve", sessionId="s1")
    assert refused(out, "c2", ErrorCode.NO_SESSION, "webrtc_signal")
    assert ("c3", WITH_EVE) in relay.lose("c1")


# ── a session is taken up by its id ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("its", [B, grant(None, "cleo"), grant("A", "cleo")])
def test_a_session_outside_the_grant_can_not_be_taken_up_by_its_id(its: Grant) -> None:
    relay = relay_of_tokens(e1=("eve", ALL), c1=("carl", A))
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    come(relay, e2=("eve", its))
    assert is_unknown(relay, "e2", "carl", "s1")
    assert has_session(relay)
    # Nor while its own side is away, or the client's, or after the end.
    relay.lose("e1")
    assert is_unknown(relay, "e2", "carl", "s1")
    relay.lose("c1")
    assert is_unknown(relay, "e2", "carl", "s1")
    relay.pass_grace()
    come(relay, c1=("carl", A))
    assert is_unknown(relay, "e2", "carl", "s1")


def test_nor_by_way_of_another_window_of_the_client_that_is_seen() -> None:
    relay = relay_of_tokens(e1=("eve", ALL), c1=("carl", A))
    relay.start("e1", "carl")
    relay.signal("c1", "eve")
    come(relay, c2=("carl", B), e2=("eve", B))
    out = relay.start("e2", "carl", "s1")
    assert refused(out, "e2", ErrorCode.UNKNOWN_CLIENT, "start_session")
    assert has_session(relay)
    # It may start one of its own with that window.
    replaced = SessionEndedEvent("s1", EndReason.REPLACED, "eve")
    said = relay.start("e2", "carl")
    assert {socket for socket, message in said if message == replaced} == {"e1", "c1", "c2"}
    started = [socket for socket, message in said if isinstance(message, SessionStarted)]
    assert started == ["c2", "e2"]


def test_a_session_of_a_relay_before_this_one_is_resumed_by_who_sees_its_client() -> None:
    relay = relay_of_tokens(e1=("eve", A), c1=("carl", B))
    assert is_unknown(relay, "e1", "carl", "old")
    said = come(relay, c2=("carl", A))
    assert ("e1", carl(AVAILABLE)) in said
    # The window that is not seen is not told of it.
    started = [(s, m) for s, m in relay.start("e1", "carl", "old") if not isinstance(m, Presence)]
    assert started == [
        ("c2", SessionStarted("old", evaluator_id="eve", evaluator_name="eve", resumed=True)),
        ("e1", SessionStarted("old", client_id="carl", resumed=True)),
    ]
    come(relay, c3=("carl", B))
    out = relay.signal("c3", "eve", sessionId="old")
    assert refused(out, "c3", ErrorCode.NO_SESSION, "webrtc_signal")


# ── what a client speaks ─────────────────────────────────────────────────────────────────────────


def speaks(relay: Relay, socket: Socket, *features: str, user: str = "carl") -> Said:
    return relay.register(socket, CLIENT, user, features=[*features])


def test_what_a_client_speaks_reaches_evaluators_by_each_of_the_three_ways() -> None:
    relay = relay_with(e1="eve")
    spoken = ("ping", "from tomorrow")
    available = Presence("carl", AVAILABLE, "carl", spoken)
    assert speaks(relay, "c1", *spoken)[1:] == [("e1", available)]
    [(_, registered)] = relay.register("e2", EVALUATOR, "ann")
    assert isinstance(registered, Registered)
    assert registered.clients is not None
    assert [entry.features for entry in registered.clients] == [spoken]
    assert relay.start("e1", "carl")[:2] == [
        ("c1", SessionStarted("s1", "eve", "eve")),
        ("e1", SessionStarted("s1", client_id="carl", features=spoken)),
    ]


def test_what_an_evaluator_speaks_is_nobodys_affair() -> None:
    relay = relay_with(c1="carl")
    [(_, registered)] = relay.register("e1", EVALUATOR, "eve", features=["ping"])
    assert isinstance(registered, Registered)
    assert relay.start("e1", "carl")[0] == ("c1", SessionStarted("s1", "eve", "eve"))


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        (("ping", "stage"), ("ping", "stage"), ("ping", "stage")),
        (("ping", "stage"), ("stage", "ping"), ("ping", "stage")),
        (("ping", "stage", "preload"), ("preload", "new", "ping"), ("ping", "preload")),
        (("ping",), ("stage",), ()),
        (("ping",), (), ()),
        ((), ("ping",), ()),
        (("ping", "ping"), ("ping",), ("ping",)),
    ],
)
def test_of_several_windows_counts_what_all_of_them_speak(
    first: tuple[str, ...], second: tuple[str, ...], common: tuple[str, ...]
) -> None:
    relay = relay_with(e1="eve")
    speaks(relay, "c1", *first)
    said = speaks(relay, "c2", *second)
    assert said[1:] == (
        []
        if common == tuple(dict.fromkeys(first))
        else [("e1", Presence("carl", AVAILABLE, "carl", common))]
    )
    [_, _, (_, started), _] = relay.start("e1", "carl")
    assert started == SessionStarted("s1", client_id="carl", features=common)
    # One of them has the session: when it is taken up again, its own counts.
    relay.signal("c2", "eve")
    [_, (_, started)] = relay.start("e1", "carl", "s1")
    alone = tuple(dict.fromkeys(second))
    assert started == SessionStarted("s1", client_id="carl", resumed=True, features=alone)


def test_a_client_that_comes_back_and_speaks_something_else_is_told_of() -> None:
    relay = relay_with(e1="eve")
    speaks(relay, "c1", "ping")
    relay.start("e1", "carl")
    relay.lose("c1")
    assert ("e1", Presence("carl", BUSY, "carl", ("stage",))) in speaks(relay, "c1", "stage")
    resumed = SessionStarted("s1", client_id="carl", resumed=True, features=("stage",))
    assert relay.start("e1", "carl", "s1")[1] == ("e1", resumed)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (["ping"] * MAX_FEATURES, ("ping",)),
        ([f"x{n}" for n in range(MAX_FEATURES)], tuple(f"x{n}" for n in range(MAX_FEATURES))),
        (["x" * MAX_FEATURE, "ä", "😀"], ("x" * MAX_FEATURE, "ä", "😀")),
        ([], ()),
    ],
    ids=["as many as there may be, of one kind", "as many as there may be", "odd", "none"],
)
def test_names_that_nobody_knows_are_passed_on_each_once(
    features: list[str], expected: tuple[str, ...]
) -> None:
    relay = relay_with(e1="eve")
    said = relay.register("c1", CLIENT, "carl", features=features)
    assert said[1:] == [("e1", Presence("carl", AVAILABLE, "carl", expected))]


@pytest.mark.parametrize(
    "features",
    [
        ["ping"] * (MAX_FEATURES + 1),
        ["x" * (MAX_FEATURE + 1)],
        *(["ping", 7], ["ping", None], [["ping"]], [""], ["a\nb"], ["\u202e"], "ping", 7, {}, True),
    ],
    ids=repr,
)
def test_a_list_that_is_none_or_longer_than_it_may_be_is_refused_and_can_be_said_again(
    features: Any,
) -> None:
    relay = relay_with(e1="eve")
    out = relay.register("c1", CLIENT, "carl", features=features)
    assert refused(out, "c1", ErrorCode.BAD_MESSAGE, "register")
    assert join(relay, c1="carl")[1:] == [("e1", carl(AVAILABLE))]


def test_a_peer_speaks_as_its_registration_says() -> None:
    relay = Relay()
    speaks(relay, "c1", "ping")
    peer = relay.state.peer_of("c1")
    assert isinstance(peer, Peer)
    assert (peer.features, peer.group, peer.clients) == (("ping",), None, None)
