"""What holds at any moment of what users of a relay were told, whatever they do."""

import math

from hypothesis.stateful import RuleBasedStateMachine, invariant

from imgsync.core.protocol.numbers import FEATURE_WAITING
from imgsync.core.protocol.signalling import PresenceState, Role
from tests.kit.relay_model import Model, Peer, other
from tests.kit.relay_states import AVAILABLE, BUSY, CLIENT, EVALUATOR, OFFLINE, WAITING, Relay


class RelayLaws(RuleBasedStateMachine):
    """The rules that a run follows are its subclass's."""

    relay: Relay
    model: Model
    peers: dict[int, Peer]
    next_socket: int

    @invariant()
    def whoever_is_in_a_session_is_one_of_its_two(self) -> None:
        for socket, peer in self.peers.items():
            for session, user in peer.sessions.items():
                users = self.model.live[session]
                assert (peer.user, user) == (users[peer.role], users[other(peer.role)])
                assert session not in peer.waits_for
            if peer.role is CLIENT:
                assert len(peer.sessions) <= 1, socket
        for session in self.model.live:
            assert len(self.model.members(session, EVALUATOR)) <= 1

    @invariant()
    def a_side_is_away_exactly_if_its_timer_runs(self) -> None:
        away = {
            (session, role)
            for session in self.model.live
            for role in Role
            if not self.model.members(session, role)
        }
        assert self.model.timers.keys() == away
        assert self.relay.state.due == min(self.model.timers.values(), default=math.inf)
        for session, role in away:
            assert not self.model.successors(session, role)

    @invariant()
    def everybody_in_a_session_knows_whether_the_other_side_is_away(self) -> None:
        for peer in self.peers.values():
            away = {s for s in peer.sessions if not self.model.members(s, other(peer.role))}
            assert peer.away == away

    @invariant()
    def a_client_is_in_one_session_at_most(self) -> None:
        clients = [users[CLIENT] for users in self.model.live.values()]
        assert len(clients) == len(set(clients))

    @invariant()
    def presence_as_told_is_what_is(self) -> None:
        online = {peer.user for peer in self.peers.values() if peer.role is CLIENT}
        real = {
            user: (
                WAITING if self.standing(user) is OFFLINE else self.standing(user),
                self.model.spoken_by(self.model.windows_of(user)),
            )
            for user in online
        }
        for peer in self.peers.values():
            if peer.role is EVALUATOR:
                told = {
                    user: (is_, {*features})
                    for user, (is_, features) in peer.presence.items()
                    if is_ is not OFFLINE
                }
                knows_waiting = FEATURE_WAITING in peer.features
                assert told == {
                    user: (BUSY if is_ is WAITING and not knows_waiting else is_, spoken)
                    for user, (is_, spoken) in real.items()
                    if self.model.shows(user, peer)
                }

    def standing(self, client: str) -> PresenceState:
        """Where a client stands by those of its windows that have entered."""
        if not self.model.entered(client):
            return OFFLINE
        return BUSY if self.model.sessions_of(CLIENT, client) else AVAILABLE

    @invariant()
    def who_waits_before_a_door_is_in_nothing_and_knows_where_the_others_are(self) -> None:
        for peer in self.peers.values():
            if peer.is_waiting:
                assert not peer.sessions
                assert not peer.waits_for
                assert peer.others is self.standing(peer.user)

    @invariant()
    def an_evaluator_is_in_sessions_with_windows_that_its_token_lets_it_see(self) -> None:
        for peer in self.peers.values():
            for session in (*peer.sessions, *peer.waits_for):
                assert self.model.admits(session, peer)

    @invariant()
    def only_those_who_are_there_are_registered(self) -> None:
        for socket in range(self.next_socket + 1):
            assert (self.relay.state.peer_of(socket) is not None) == (socket in self.peers)
