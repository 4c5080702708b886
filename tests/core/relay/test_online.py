"""What evaluators are told of a crowd: gathered, in pages, and as fast as they read."""

from imgsync.core.protocol.numbers import FEATURE_PRESENCES
from imgsync.core.protocol.signalling import Presence, Presences, Registered
from imgsync.core.relay.online import Telling
from imgsync.core.relay.outputs import Socket, Sooner
from imgsync.core.relay.state import RelayState
from tests.kit.relay_states import AVAILABLE, CLIENT, EVALUATOR, OFFLINE, Relay, numbered

GATHER = 0.05


def relay_telling(telling: Telling) -> Relay:
    return Relay(RelayState(numbered("s{}"), telling=telling))


def test_changes_behind_one_that_was_told_are_gathered_and_told_together() -> None:
    relay = relay_telling(Telling(GATHER))
    relay.register("old", EVALUATOR, "eva")
    relay.register("new", EVALUATOR, "eve", features=[FEATURE_PRESENCES])
    assert len(relay.register("c1", CLIENT, "carl")) == 3  # a change alone is told at once
    assert len(relay.register("c2", CLIENT, "cleo")) == 1
    assert relay.noted == [Sooner()]
    assert len(relay.register("c3", CLIENT, "cy")) == 1
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
    assert relay.state.due > relay.now
    full.clear()
    while relay.state.due < 1e9:
        relay.now = max(relay.now, relay.state.due)
        [(_, page)] = relay.tick()
        assert isinstance(page, Presences)
        known += [one.user_id for one in page.clients]
    assert known == [f"client-{number}" for number in range(20)]


def test_an_evaluator_that_has_gone_is_told_nothing_more() -> None:
    relay = relay_telling(Telling(GATHER))
    relay.register("e", EVALUATOR, "eve")
    relay.register("c1", CLIENT, "carl")
    relay.register("c2", CLIENT, "cleo")
    relay.lose("e")
    relay.now = 1
    assert relay.tick() == []
