"""What holds when all that was under way at several nodes has come to its end.

By the records that are kept: what their sockets were told, what is waited for, and what each node
has before it.
"""

import math
from collections.abc import Iterable

from imgsync.core.protocol.numbers import FEATURE_WAITING
from imgsync.core.protocol.signalling import PresenceState, Role, SessionId, UserId
from imgsync.core.relay.nodes.desk import AWAY, TOKEN, Desk, deadline_of
from imgsync.core.relay.nodes.node import NodeState
from imgsync.core.relay.nodes.records import (
    Record,
    boots_in,
    dump_record,
    dump_standing,
    key_of,
    load_record,
    user_of,
)
from imgsync.core.relay.nodes.store import Boot, Key
from imgsync.core.relay.session import Session
from imgsync.core.relay.standings import Standing
from tests.kit.node_sockets import ToldSocket
from tests.kit.nodes import Nodes
from tests.kit.relay_states import AVAILABLE, BUSY, CLIENT, EVALUATOR, OFFLINE, WAITING


class Quiet:
    """What there is now; each check is a law.

    :param sockets: those that are open, with the boot at which each is.
    """

    def __init__(self, nodes: Nodes, sockets: dict[int, tuple[Boot, ToldSocket]]) -> None:
        self.nodes = [node for node in nodes.nodes if not node.is_killed]
        self.store = nodes.store
        self.sockets = {number: told for number, (_, told) in sockets.items()}
        self.names = {f"{boot}/{number}": number for number, (boot, _) in sockets.items()}
        self.records = {key: load_record(one.text) for key, one in self.store.records.items()}

    def check(self) -> None:
        self.records_are_of_open_sockets()
        self.both_sides_of_a_session_know_of_it()
        self.sockets_know_their_sessions()
        self.presence_as_told_is_what_is()
        self.who_waits_knows_where_the_others_are()
        self.deadlines_are_those_of_the_records()
        self.standings_are_those_of_the_records()
        self.boots_are_in_what_they_hold()
        self.nodes_know_what_there_is()
        for told in self.sockets.values():
            told.check_answers()

    @property
    def sessions(self) -> dict[UserId, Session]:
        """By their clients."""
        return {
            user_of(key)[1]: record.session
            for key, record in self.records.items()
            if record.session is not None
        }

    def record_of(self, role: Role, user: UserId) -> Record:
        return self.records.get(key_of(role, user), Record())

    # ── the records ──

    def records_are_of_open_sockets(self) -> None:
        there = [
            (peer.socket, (peer.role, peer.user_id))
            for record in self.records.values()
            for peer in record.peers
        ]
        registered = {
            name: (self.sockets[number].role, self.sockets[number].user)
            for name, number in self.names.items()
            if self.sockets[number].is_registered
        }
        assert sorted(there, key=str) == sorted(registered.items(), key=str)
        for key, record in self.records.items():
            assert all((peer.role, peer.user_id) == user_of(key) for peer in record.peers)

    def both_sides_of_a_session_know_of_it(self) -> None:
        listed = {
            (user_of(key)[1], session_id, client)
            for key, record in self.records.items()
            for session_id, client in record.sessions.items()
        }
        sessions = self.sessions
        assert listed == {(s.evaluator.user_id, s.id, client) for client, s in sessions.items()}
        for client, session in sessions.items():
            assert session.client.user_id == client
            assert len(session.evaluator.peers) <= 1
            for side in (session.evaluator, session.client):
                there = self.record_of(side.role, side.user_id).peers
                ours = [*side.peers, *side.successors]
                assert all(peer in there for peer in ours)
                assert len({peer.socket for peer in ours}) == len(ours)
                assert side.peers or not side.successors
                assert not any(peer.is_waiting for peer in ours)

    def sockets_know_their_sessions(self) -> None:
        knows: dict[int, dict[SessionId, UserId]] = {number: {} for number in self.sockets}
        away: dict[int, set[SessionId]] = {number: set() for number in self.sockets}
        for session in self.sessions.values():
            for side in (session.evaluator, session.client):
                other = session.other(side)
                for peer in side.peers:
                    number = self.names[str(peer.socket)]
                    knows[number][session.id] = other.user_id
                    away[number] |= set() if other.peers else {session.id}
        assert {number: told.sessions for number, told in self.sockets.items()} == knows
        assert {number: told.away for number, told in self.sockets.items()} == away

    # ── what is waited for ──

    def deadlines_are_those_of_the_records(self) -> None:
        waited: dict[Key, float | None] = {}
        for client, session in self.sessions.items():
            for side in (session.evaluator, session.client):
                if not side.peers:
                    waited[deadline_of(AWAY[side.role], client)] = None
            if session.until < math.inf:
                waited[deadline_of(TOKEN, client)] = session.until
        assert self.store.deadlines.keys() == waited.keys()
        for key, until in waited.items():
            assert until in (None, self.store.deadlines[key])

    def nothing_is_due(self) -> None:
        assert all(at > self.store.now for at in self.store.deadlines.values())

    # ── where clients stand ──

    def standing_of(self, client: UserId) -> Standing | None:
        desk = Desk(1.0)
        key = key_of(CLIENT, client)
        if key in self.store.records:
            desk.put(key, self.store.records[key])
        return desk.standings.find(client)

    @property
    def clients(self) -> Iterable[UserId]:
        return [user_of(key)[1] for key in self.records if user_of(key)[0] is CLIENT]

    def standings_are_those_of_the_records(self) -> None:
        there = {client: self.standing_of(client) for client in self.clients}
        assert {client: text for client, (_, text) in self.store.standings.items()} == {
            client: dump_standing(one) for client, one in there.items() if one is not None
        }

    def presence_as_told_is_what_is(self) -> None:
        there = {client: self.standing_of(client) for client in self.clients}
        for told in self.sockets.values():
            if told.role is EVALUATOR and told.is_registered:
                assert told.presence == {
                    client: (_as_known_to(told, one), one.entry.features)
                    for client, one in there.items()
                    if one is not None and told.sees(client, one.group)
                }

    def who_waits_knows_where_the_others_are(self) -> None:
        for told in self.sockets.values():
            if told.is_waiting and told.is_registered:
                record = self.record_of(CLIENT, told.user)
                entered = [peer for peer in record.peers if not peer.is_waiting]
                state = OFFLINE if not entered else BUSY if record.session else AVAILABLE
                assert told.others is state
                assert not told.sessions

    # ── what is kept ──

    def boots_are_in_what_they_hold(self) -> None:
        holds: dict[Boot, set[Key]] = {}
        for key, record in self.records.items():
            for boot in boots_in(record):
                holds.setdefault(boot, set()).add(key)
        assert {boot: keys for boot, keys in self.store.held.items() if keys} == holds
        assert self.store.boots == {node.boot for node in self.nodes}
        assert self.store.inboxes.keys() <= self.store.boots

    def nodes_know_what_there_is(self) -> None:
        for node in self.nodes:
            assert left_over(node.state) == []
            desk = desk_of(node.state)
            assert {*desk.keys} == self.store.held.get(node.boot, set())
            for key in desk.keys:
                assert desk.known(key).stored == self.store.records[key]
            assert copies_that_differ(node.state) == []


def _as_known_to(evaluator: ToldSocket, standing: Standing) -> PresenceState:
    state = standing.entry.state
    return BUSY if state is WAITING and FEATURE_WAITING not in evaluator.features else state


# ── what a node has ──────────────────────────────────────────────────────────────────────────────


def desk_of(state: NodeState) -> Desk:
    return state._life.desk


def left_over(state: NodeState) -> list[str]:
    """What a node has kept that has come to its end."""
    clerk = state._life.clerk
    custody, turns = clerk._custody, clerk.turns
    kept = {
        "under way": clerk._flights,
        "to be tried again": clerk._again,
        "waits for a burial": clerk.burials.dead,
        "turns": turns._tasks,
        "begun": turns._begun,
        "being given": clerk._going,
        "taken": custody._taken,
        "later": custody._later,
        "unheard": custody._unheard,
        "held": custody._held,
        "not back": state._life._pending,
    }
    return [f"{what}: {there}" for what, there in kept.items() if there]


def copies_that_differ(state: NodeState) -> list[Key]:
    """Records of which a decision has changed the copy, and that are not taken by it: what only
    says something may not, and what came to nothing is undone."""
    desk, custody = desk_of(state), state._life.custody
    return [
        key
        for key in desk.keys
        if custody.is_free(key) and dump_record(desk._record_of(key)) != desk.known(key).stored.text
    ]
