"""What evaluators are told of a crowd: gathered, in pages, and as fast as they read."""

import math

from hypothesis import given
from hypothesis import strategies as st

from imgsync.core.protocol.numbers import FEATURE_PRESENCES
from imgsync.core.protocol.signalling import (
    Presence,
    Presences,
    PresenceState,
    Registered,
    SessionStarted,
)
from imgsync.core.relay.online import Telling
from imgsync.core.relay.outputs import AwaitRoom, Socket, Sooner
from imgsync.core.relay.state import RelayState
from imgsync.core.relay.terms import Terms
from tests.kit.relay_states import (
    AVAILABLE,
    BUSY,
    CLIENT,
    EVALUATOR,
    OFFLINE,
    Relay,
    Said,
    numbered,
)

GATHER = 0.05
PAUSE = 0.005


def relay_telling(telling: Telling) -> Relay:
    return Relay(RelayState(numbered("s{}"), Terms(telling=telling)))


def test_changes_behind_one_that_was_told_are_gathered_and_told_together() -> None:
    relay = relay_telling(Telling(GATHER, pause=PAUSE))
    relay.register("old", EVALUATOR, "eva")
    relay.register("new", EVALUATOR, "eve", features=[FEATURE_PRESENCES])
    assert len(relay.register("c1", CLIENT, "carl")) == 3  # a change alone is told at once
    assert len(relay.register("c2", CLIENT, "cleo")) == 1
    assert relay.noted == [Sooner()]
    assert len(relay.register("c3", CLIENT, "cy")) == 1
    assert relay.noted == []  # that something waits is known
    assert relay.lose("c3") == []  # nobody needs to know that it was there
    assert relay.lose("c1") == []
    assert relay.state.due == GATHER
    relay.now = GATHER
    told = dict[Socket, list[object]]()
    for socket, message in relay.tick():
        told.setdefault(socket, []).append(message)
    assert told["old"] == [Presence("cleo", AVAILABLE, "cleo"), Presence("carl", OFFLINE, "carl")]
    [together] = told["new"]
    assert isinstance(together, Presences)
    assert [(one.user_id, one.state) for one in together.clients] == [
        ("cleo", AVAILABLE),
        ("carl", OFFLINE),
    ]
    assert relay.state.due > 1e9
    assert len(relay.register("c4", CLIENT, "cal")) == 1
    assert relay.noted == [Sooner()]  # else nobody would look before anything else is due
    relay.lose("new")
    relay.lose("old")
    assert relay.state.due > 1e9
    relay.register("newer", EVALUATOR, "eve")
    assert len(relay.register("c5", CLIENT, "coy")) == 1
    assert relay.noted == [Sooner()]


def test_a_list_that_is_longer_than_a_page_is_told_by_and_by_as_it_is_read() -> None:
    full = set[Socket]()
    relay = relay_telling(Telling(GATHER, 200, lambda socket: socket not in full))
    for number in range(20):
        relay.register(f"c{number}", CLIENT, f"client-{number}")
    said = relay.register("e", EVALUATOR, "eve", features=[FEATURE_PRESENCES])
    [(_, registered)] = said
    assert isinstance(registered, Registered)
    assert registered.clients is not None
    known = [one.user_id for one in registered.clients]
    assert 0 < len(known) < 20
    full.add("e")
    relay.now += GATHER
    assert relay.tick() == []  # it has not read yet
    assert relay.noted == [AwaitRoom("e")]
    full.clear()
    said = relay.drain("e")
    while said:
        [(_, page)] = said
        assert isinstance(page, Presences)
        known += [one.user_id for one in page.clients]
        relay.now = min(relay.state.due, 1e9)
        said = relay.tick()
    assert known == [f"client-{number}" for number in range(20)]


def test_evaluators_that_register_often_and_have_long_lists_hold_up_nobody_else() -> None:
    relay = relay_telling(Telling(GATHER, 200))
    relay.register("e", EVALUATOR, "eve", features=[FEATURE_PRESENCES])
    for number in range(20):
        relay.register(f"c{number}", CLIENT, f"client-{number}")
    told = list[Socket]()
    for number in range(1, 11):
        relay.now = number * GATHER / 4
        said = relay.register(f"e{number}", EVALUATOR, f"eva-{number}")
        told += [socket for socket, message in said if isinstance(message, Presences)]
        told += [socket for socket, _ in relay.tick()]
    assert told.count("e") >= 2


class Seen:
    """What evaluators have been told, each by what has come on its socket."""

    def __init__(self) -> None:
        self.states: dict[Socket, dict[str, PresenceState]] = {}

    def hear(self, said: Said) -> None:
        for socket, message in said:
            match message:
                case Registered(clients=clients) if clients is not None:
                    self.states[socket] = {one.user_id: one.state for one in clients}
                case Presences(clients):
                    for one in clients:
                        self._change(socket, one.user_id, one.state)
                case Presence(user_id, state):
                    self._change(socket, user_id, state)
                case _:
                    pass

    def _change(self, socket: Socket, user_id: str, state: PresenceState) -> None:
        known = self.states[socket]
        assert known.get(user_id, OFFLINE) != state, "what is no news is not told"
        if state is OFFLINE:
            del known[user_id]
        else:
            known[user_id] = state


@given(
    st.lists(st.tuples(st.sampled_from("cclestw"), st.integers(0, 7)), max_size=60),
    st.sampled_from([150, 400, 100_000]),
    st.sampled_from([1, 2, math.inf]),
)
def test_law_what_an_evaluator_was_told_is_who_is_online_once_all_that_is_due_was_told(
    moves: list[tuple[str, int]], page: int, portion: float
) -> None:
    full = set[Socket]()
    telling = Telling(GATHER, page, lambda socket: socket not in full, portion, PAUSE)
    relay = relay_telling(telling)
    seen, clients, evaluators, busy = Seen(), set[str](), set[str](), dict[str, str]()
    for move, number in moves:
        client, evaluator = f"c{number}", f"e{number % 3}"
        match move:
            case "c" if client not in clients:
                clients.add(client)
                seen.hear(relay.register(client, CLIENT, client))
            case "l" if client in clients and client not in busy:
                clients.remove(client)
                seen.hear(relay.lose(client))
            case "e" if evaluator not in evaluators:
                evaluators.add(evaluator)
                features = [FEATURE_PRESENCES] if number % 2 else []
                seen.hear(relay.register(evaluator, EVALUATOR, evaluator, features=features))
            case "s" if client in clients and evaluator in evaluators and client not in busy:
                said = relay.start(evaluator, client)
                [busy[client]] = {m.session_id for _, m in said if isinstance(m, SessionStarted)}
                seen.hear(said)
            case "s" if client in busy and evaluator in evaluators:
                said = relay.end(client, busy.pop(client))
                seen.hear(said)
            case "w":
                full ^= {evaluator}
                seen.hear([] if evaluator in full else relay.drain(evaluator))
            case "t":
                relay.now += number * GATHER / 4
                seen.hear(relay.tick())
            case _:
                pass
    for socket in [*full]:
        full.discard(socket)
        seen.hear(relay.drain(socket))
    while relay.state.due < math.inf:
        relay.now = max(relay.now, relay.state.due)
        seen.hear(relay.tick())
    online = {client: BUSY if client in busy else AVAILABLE for client in clients}
    assert seen.states == dict.fromkeys(evaluators, online)


def test_an_evaluator_that_has_gone_is_told_nothing_more() -> None:
    relay = relay_telling(Telling(GATHER))
    relay.register("e", EVALUATOR, "eve")
    relay.register("c1", CLIENT, "carl")
    relay.register("c2", CLIENT, "cleo")
    relay.lose("e")
    relay.now = 1
    assert relay.tick() == []


def test_nothing_is_due_while_all_that_wait_have_no_room_and_they_are_told_once_they_have() -> None:
    full = set[Socket]("e")
    relay = relay_telling(Telling(GATHER, has_room=lambda socket: socket not in full, pause=PAUSE))
    relay.register("e", EVALUATOR, "eve", features=[FEATURE_PRESENCES])
    relay.register("quick", EVALUATOR, "eva", features=[FEATURE_PRESENCES])
    [_, (told, _)] = relay.register("c1", CLIENT, "carl")
    assert told == "quick"
    assert relay.noted == [AwaitRoom("e")]
    assert relay.state.due == math.inf
    for number in range(2, 5):
        relay.now += GATHER
        said = relay.register(f"c{number}", CLIENT, f"client-{number}")
        assert {socket for socket, _ in said} == {f"c{number}", "quick"}
        assert relay.noted == []  # it is asked once
        assert relay.state.due == math.inf
    relay.now += GATHER
    relay.lose("c2")
    full.clear()
    assert relay.drain("e") == []  # others were told just now
    assert relay.noted == [Sooner()]
    relay.now = relay.state.due
    [(told, page)] = relay.tick()
    assert told == "e"
    assert isinstance(page, Presences)
    assert [one.user_id for one in page.clients] == ["carl", "client-3", "client-4"]
    assert relay.state.due == math.inf


def test_room_on_a_socket_that_waits_for_none_or_has_gone_changes_nothing() -> None:
    relay = relay_telling(Telling(GATHER, has_room=lambda socket: socket != "e"))
    relay.register("e", EVALUATOR, "eve")
    relay.register("quick", EVALUATOR, "eva")
    relay.register("c1", CLIENT, "carl")
    assert relay.drain("quick") == relay.drain("c1") == relay.drain("nobody") == []
    relay.lose("e")
    assert relay.drain("e") == []
    assert relay.state.due == math.inf


def test_evaluators_that_know_the_same_are_told_with_one_and_the_same_message() -> None:
    full = set[Socket]()
    relay = relay_telling(Telling(GATHER, has_room=lambda socket: socket not in full))
    for number in range(4):
        relay.register(f"e{number}", EVALUATOR, f"eva-{number}", features=[FEATURE_PRESENCES])
    full.add("e3")
    relay.register("c1", CLIENT, "carl")
    full.clear()
    relay.now += GATHER
    relay.drain("e3")
    relay.now += GATHER
    said = relay.register("c2", CLIENT, "cleo")[1:]
    assert {socket for socket, _ in said} == {"e0", "e1", "e2", "e3"}
    assert len({id(message) for _, message in said}) == 1  # it is written once for all of them


def test_many_evaluators_are_told_in_portions_with_a_pause_between_two() -> None:
    relay = relay_telling(Telling(GATHER, portion=2, pause=PAUSE))
    for number in range(5):
        relay.register(f"e{number}", EVALUATOR, f"eva-{number}", features=[FEATURE_PRESENCES])
    told = [{socket for socket, _ in relay.register("c1", CLIENT, "carl")[1:]}]
    assert relay.noted == [Sooner()]
    for _ in range(2):
        assert relay.state.due == relay.now + PAUSE
        relay.now = relay.state.due
        told.append({socket for socket, _ in relay.tick()})
    assert [len(portion) for portion in told] == [2, 2, 1]
    assert set().union(*told) == {f"e{number}" for number in range(5)}
    assert relay.state.due == math.inf
    relay.register("c2", CLIENT, "cleo")
    assert relay.state.due == GATHER  # each has its own time: those that were told first
    relay.now = relay.state.due
    assert {socket for socket, _ in relay.tick()} == told[0]
