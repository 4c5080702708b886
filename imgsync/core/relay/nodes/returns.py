"""The sockets of a node that begins again, under its next boot: registered anew, without a word
from those who hold them, and back in the sessions that they were in.

    the same epoch   what others have not taken out is moved; a session that is over meanwhile, or
                     has been taken by another connection, is over for the socket
    another one      nothing is there: each node writes back what it knows, and a session is whole
                     again when the nodes of both its sides have

Each is told what it would be told if it had connected again: so peers that have missed something
make up for it as they do then.
"""

from collections.abc import Collection, Mapping, Sequence

import attrs

from imgsync.core.protocol.signalling import (
    Door,
    EndReason,
    Role,
    SessionEndedEvent,
    SessionId,
    UserId,
)
from imgsync.core.relay.identity import Peer
from imgsync.core.relay.nodes.desk import Desk
from imgsync.core.relay.nodes.records import key_of, load_record, place_of
from imgsync.core.relay.nodes.sockets import LocalSockets
from imgsync.core.relay.nodes.store import Boot
from imgsync.core.relay.outputs import Admitted, Output, Send, Socket
from imgsync.core.relay.rules import Rules
from imgsync.core.relay.session import Session, Side

User = tuple[Role, UserId]


@attrs.frozen
class Former:
    """What a user had at this node.

    :param names: those of its sockets under each boot that may still stand in records, by number.
    :param sessions: those that one of these sockets was in, as they were.
    :param is_lost: whether the store knows nothing of it any more.
    """

    user: User
    names: Mapping[int, frozenset[Socket]]
    sessions: Sequence[Session]
    is_lost: bool

    @property
    def boots(self) -> frozenset[Boot]:
        """Under which they may still stand there."""
        return frozenset(place_of(name)[0] for names in self.names.values() for name in names)


def formers_of(
    sockets: LocalSockets, desk: Desk, pending: Mapping[User, Former], *, is_lost: bool
) -> list[Former]:
    """What all users had, by the records before this node; or, where those are not back yet since
    it last began again, had before that."""
    numbers: dict[User, list[int]] = {}
    for number, peer in sockets.registered.items():
        numbers.setdefault((peer.role, peer.user_id), []).append(number)
    return [
        _former_of(sockets, desk, user, its, pending.get(user), is_lost=is_lost)
        for user, its in numbers.items()
    ]


def _former_of(
    sockets: LocalSockets,
    desk: Desk,
    user: User,
    numbers: Sequence[int],
    pending: Former | None,
    *,
    is_lost: bool,
) -> Former:
    names: dict[int, frozenset[Socket]]
    names = {number: frozenset({sockets.name_of(number)}) for number in numbers}
    known = _sessions_with(desk, user, frozenset().union(*names.values()))
    if pending is None:
        return Former(user, names, known, is_lost)
    earlier = pending.names
    names = {number: ones | earlier.get(number, frozenset()) for number, ones in names.items()}
    known_ids = {session.id for session in known}
    before = [session for session in pending.sessions if session.id not in known_ids]
    return Former(user, names, [*before, *known], pending.is_lost or is_lost)


def _sessions_with(desk: Desk, user: User, names: Collection[Socket]) -> list[Session]:
    role, user_id = user
    if not desk.knows(key_of(role, user_id)):
        return []
    clients = [user_id] if role is Role.CLIENT else [*desk.clients_of(user_id).values()]
    keys = [key_of(Role.CLIENT, client_id) for client_id in clients]
    known = [load_record(desk.known(key).stored.text).session for key in keys if desk.knows(key)]
    return [one for one in known if one is not None and _has_any(one, user, names)]


def _has_any(session: Session, user: User, names: Collection[Socket]) -> bool:
    side = session.side(user[0])
    is_theirs = side.user_id == user[1]
    return is_theirs and any(peer.socket in names for peer in (*side.peers, *side.successors))


@attrs.frozen
class _Stay:
    """A socket was in a session.

    :param had_it: and knew of it: it did not only succeed another one.
    """

    session_id: SessionId
    evaluator_id: UserId
    had_it: bool


class Returning:
    """Decides, on the copies that are there, how a user's sockets come back.

    :param sockets: of this node, under its new boot.
    """

    def __init__(self, rules: Rules, sockets: LocalSockets) -> None:
        self._rules = rules
        self._sockets = sockets

    def decide(self, former: Former, now: float) -> list[Output]:
        """What is to be done. Those that are back, or gone, are passed over."""
        registry = self._rules.registry
        old = {
            number: names
            for number, names in former.names.items()
            if number in self._sockets.registered and self._sockets.find(number) is None
        }
        was_in = {number: self._stays_of(former, names) for number, names in old.items()}
        peers = {number: self._renamed(number, names) for number, names in old.items()}
        outputs: list[Output] = []
        for name in sorted(str(name) for names in old.values() for name in names):
            outputs += self._rules.leave(name, now)
        if former.is_lost and old:
            for session in former.sessions:
                outputs += self._write_back(session, now)
        for peer in peers.values():
            registry.add(self._behind_its_door(peer))
        for number, stays in was_in.items():
            peer = registry.peers[self._sockets.name_of(number)]
            # If it is gone by the time that this is heard, it is taken out again.
            outputs.append(Admitted(peer.socket))
            for stay in stays:
                outputs += self._rules.seen(self._take_part(peer, stay, old[number], now))
            outputs += self._be_seen(peer, stays, now)
        return outputs

    def _write_back(self, session: Session, now: float) -> list[Output]:
        """Unless its client is in one; with those of the client that are there already, of which
        none may have heard of it."""
        client_id = session.client.user_id
        if self._rules.sessions.of_client(client_id) is not None:
            return []
        written = _written_back(session)
        self._rules.sessions.add(written)
        there = self._rules.registry.entered(client_id)
        joined = [self._rules.sessions.bring_back(written, peer, now) for peer in there]
        return [output for outputs in joined for output in outputs]

    def _stays_of(self, former: Former, names: frozenset[Socket]) -> list[_Stay]:
        """The sessions that a socket was in, as far as anybody knows."""
        role, user_id = former.user
        stays: dict[SessionId, _Stay] = {}
        for session in (*former.sessions, *self._rules.sessions.of(role, user_id)):
            side = session.side(role)
            had = any(peer.socket in names for peer in side.peers)
            if had or any(peer.socket in names for peer in side.successors):
                before = stays.get(session.id)
                had = had or (before is not None and before.had_it)
                stays[session.id] = _Stay(session.id, session.evaluator.user_id, had)
        return [*stays.values()]

    def _renamed(self, number: int, names: frozenset[Socket]) -> Peer:
        """Who it is, as the store knows it if it does."""
        there = self._rules.registry.peers
        known = [there[name] for name in names if name in there]
        peer = known[0] if known else self._sockets.registered[number]
        return attrs.evolve(peer, socket=self._sockets.name_of(number))

    def _behind_its_door(self, peer: Peer) -> Peer:
        """Somebody may have touched another window meanwhile."""
        others = self._rules.registry.entered(peer.user_id) if peer.role is Role.CLIENT else ()
        if peer.door is Door.ENTERED and any(one.door is Door.ENTERED for one in others):
            return attrs.evolve(peer, door=Door.WAITING)
        return peer

    def _take_part(
        self, peer: Peer, stay: _Stay, names: frozenset[Socket], now: float
    ) -> list[Output]:
        """In a session that it was in before, if that lives, and is not another's by now."""
        session = self._rules.sessions.find(peer, stay.session_id)
        if session is None or session.evaluator.user_id != stay.evaluator_id:
            over = SessionEndedEvent(stay.session_id, EndReason.PEER_GONE, peer.user_id)
            return [Send(peer.socket, over)] if stay.had_it else []
        side = session.side(peer.role)
        is_anothers = bool(side.peers) and not side.owner_unknown
        outputs: list[Output] = []
        if not peer.is_waiting and not (stay.had_it and is_anothers):
            outputs = self._rules.sessions.bring_back(session, peer, now)
        if stay.had_it and peer not in side.peers:
            return [Send(peer.socket, _claimed(session))]
        if session.started_by is not None and session.started_by[0].socket in names:
            session.started_by = peer, session.started_by[1]
        return outputs

    def _be_seen(self, peer: Peer, stays: Sequence[_Stay], now: float) -> list[Output]:
        """A client is in the session of its user through all that are there, until it is seen which
        has it: also in one that began without this one."""
        session = self._rules.sessions.of_client(peer.user_id)
        is_evaluator = peer.role is Role.EVALUATOR
        if session is None or is_evaluator or any(one.session_id == session.id for one in stays):
            return []
        is_open = not session.client.peers or session.client.owner_unknown
        if peer.is_waiting or not is_open:
            return []
        return self._rules.sessions.bring_back(session, peer, now)


def _claimed(session: Session) -> SessionEndedEvent:
    return SessionEndedEvent(session.id, EndReason.CLAIMED_ELSEWHERE)


def _written_back(session: Session) -> Session:
    """A session that is not known any more, with nobody on either of its sides yet."""
    evaluator, client = _left_by_all(session.evaluator), _left_by_all(session.client)
    written = Session(session.id, evaluator, client, session.is_answered, session.started_by)
    written.takes_early = session.takes_early
    return written


def _left_by_all(side: Side) -> Side:
    left = Side([side.newest], owner_unknown=side.role is Role.CLIENT)
    left.peers = []
    left.until = side.until
    return left
